"""On a machine that was itself reached by ssh: its display knows one cookie, the one sshd stored."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.checks.seen import healthy_local
from x11fwd.pipeline.display import make_offer
from x11fwd.pipeline.ssh_session import _is_forwarded


def test_a_forwarded_display_is_offered_as_it_is_although_it_has_security() -> None:
    offer, why = make_offer(replace(healthy_local(), display="localhost:10.0", display_used="localhost:10.0"))
    assert offer is not None
    assert offer.trusted
    assert "itself forwarded by ssh" in why


def test_nobody_is_promised_an_untrusted_cookie_for_it() -> None:
    local = replace(healthy_local(), display="localhost:10.0", display_used="localhost:10.0")
    assert make_offer(local, trusted=False)[0] is None


@pytest.mark.parametrize(
    ("display", "forwarded"),
    [("localhost:10.0", True), ("gpu1:11.0", True), (":0", False), (":10", False), ("localhost:0", False)],
)
def test_x11fwd_ssh_knows_such_a_display_by_its_form(display: str, forwarded: bool) -> None:
    assert _is_forwarded(display, {"SSH_CONNECTION": "1 2 3 4"}) is forwarded
    assert not _is_forwarded(display, {})
