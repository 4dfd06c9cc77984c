"""The way that the plot of `verify` and `setup` takes to this screen, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.unit.checks.seen import healthy_local, healthy_remote
from tests.unit.pipeline.test_plot import RIGHT, FakeMeans, verify, window
from tests.unit.x11.test_image import picture
from x11fwd.errors import ConnectError
from x11fwd.facts.model import Unknown
from x11fwd.pipeline.bridged import needs_trust

if TYPE_CHECKING:
    from collections.abc import Callable

    from x11fwd.x11.image import Image

__all__ = ["window"]  # the fixture


@pytest.mark.parametrize(("wanted", "granted", "asked"), [("bridge", True, 0), ("auto", False, 1)])
def test_the_bridge_is_taken_where_it_is_wanted_or_the_person_agrees(
    window: Callable[[Image | None], None], wanted: str, granted: bool, asked: int
) -> None:
    window(picture(RIGHT))
    means = FakeMeans()
    means.granted = granted
    questions: list[None] = []

    def agree() -> bool:
        questions.append(None)
        return True

    result = verify(means, via=wanted, may_bridge=agree)
    assert (result.report.exit_code, result.via, result.report.via) == (0, "bridge", "bridge")
    assert result.report.refused is not granted
    assert "over the bridge, untrusted" in result.forwarding
    assert len(questions) == asked
    assert means.trusted == [False]
    assert means.closed == [True]


@pytest.mark.parametrize("proves", [False, True])
def test_a_far_host_is_reached_as_x11fwd_ssh_reaches_it_and_the_answer_says_so(
    window: Callable[[Image | None], None], proves: bool
) -> None:
    window(picture(RIGHT))
    means = FakeMeans(facts=replace(healthy_remote(), remote_handshake="ok"))
    means.far = True
    result = verify(means, proves_forwarding=proves)
    assert (result.report.exit_code, result.via, result.report.via) == (0, "bridge", "bridge")
    assert not result.report.refused
    said = "over the bridge, untrusted: 100 ms of round trip is far; ssh's own forwarding works, too"
    assert result.forwarding == said
    assert result.report.findings[-1].evidence.endswith("; over the bridge")
    assert means.closed == [True]


@pytest.mark.parametrize("shake", [None, "connection refused", Unknown("nobody could ask")])
@pytest.mark.parametrize("via", ["auto", "bridge"])
def test_what_has_to_prove_forwarding_draws_through_it_unless_a_connection_came_that_way(
    window: Callable[[Image | None], None], shake: str | Unknown | None, via: str
) -> None:
    window(picture(RIGHT))
    means = FakeMeans(facts=replace(healthy_remote(), remote_handshake=shake))
    means.far = True
    assert verify(means, via=via).via == "bridge"
    result = verify(means, via=via, proves_forwarding=True)
    assert (result.via, result.report.via) == ("native", "native")
    assert "bridge" not in result.report.findings[-1].evidence
    assert len(means.trusted) == 1


def test_forwarding_that_has_to_be_proven_is_asked_for_although_the_bridge_is_wanted(
    window: Callable[[Image | None], None],
) -> None:
    window(picture(RIGHT))
    means = FakeMeans(facts=replace(healthy_remote(), remote_handshake="ok"))
    assert [verify(means, via="bridge", proves_forwarding=one).via for one in (False, True)] == ["bridge"] * 2
    assert means.offered == [None, means.offer]


def test_a_bridge_that_does_not_start_leaves_the_slower_way_where_nobody_named_one(
    window: Callable[[Image | None], None],
) -> None:
    window(picture(RIGHT))
    means = FakeMeans()
    means.far = True
    means.bridge_error = ConnectError("the bridge did not start: there is no place")
    result = verify(means)
    assert (result.report.exit_code, result.via, result.report.via) == (0, "native", "native")
    assert result.forwarding == "because; the bridge did not start: there is no place"
    refused = FakeMeans()
    refused.granted, refused.bridge_error = False, means.bridge_error
    assert verify(refused, may_bridge=lambda: True).report.exit_code == 1


@pytest.mark.parametrize(
    ("display", "security", "trusted"),
    [
        (":0", True, False),
        (":0", False, True),
        ("localhost:10.0", True, True),
        ("gpu1:11.0", True, True),
        (None, Unknown("no X server was found"), True),
    ],
)
def test_the_bridge_is_trusted_where_this_display_has_no_cookie_for_the_untrusted(
    display: str | None, security: bool | Unknown, trusted: bool
) -> None:
    local = replace(healthy_local(), display_used=display, security_extension=security)
    assert needs_trust(local) is trusted


@pytest.mark.usefixtures("window")
def test_a_bridge_that_does_not_start_is_named() -> None:
    means = FakeMeans()
    means.bridge_error = ConnectError("the bridge did not start: there is no Python on the server")
    result = verify(means, via="bridge")
    assert "no Python" in result.report.findings[-1].title
    assert result.report.exit_code == 1
