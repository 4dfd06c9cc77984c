"""A display found or started, and what is offered of it; the desktops are written down, macOS among them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.unit.checks.seen import healthy_local
from x11fwd.errors import DisplayError
from x11fwd.facts.display import DisplayFound, Opened
from x11fwd.facts.model import AuthorityFile, Unknown, XauthFacts
from x11fwd.pipeline import display as module
from x11fwd.pipeline.display import ensure_display, generate_untrusted, make_offer, open_connection
from x11fwd.x11.authority import local_record, write_authority
from x11fwd.x11.client import Handshake, HandshakeStatus
from x11fwd.x11.display import parse_display

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LAUNCHD = "/private/tmp/com.apple.launchd.x/org.xquartz:0"


class FakeDesktop:
    """A machine; `alive` are the displays that let us in, XQuartz adds one once it has started."""

    def __init__(
        self,
        *alive: str,
        xquartz: str | None = None,
        takes: int = 0,
        launchd: str | None = None,
        security: bool = True,
    ) -> None:
        self.alive = set(alive)
        self.xquartz, self.takes, self.launchd = xquartz, takes, launchd
        self.security = security
        self.started = False
        self.asked: list[str] = []

    def open(self, display: str, limit: float) -> Opened:
        parse_display(display)
        del limit
        self.asked.append(display)
        if self.started:
            self.takes -= 1
            if self.takes < 0 and self.xquartz:
                self.alive.add(self.xquartz)
        if display in self.alive:
            extensions = frozenset({"SECURITY"}) if self.security else frozenset()
            return Opened(
                display, Handshake(HandshakeStatus.OK, extensions=extensions), "/home/ana/.Xauthority"
            )
        return Opened(display, Handshake(HandshakeStatus.CONNECTION_REFUSED, "Connection refused"))

    def find(self) -> DisplayFound:
        for one in sorted(self.alive):
            return DisplayFound(one, opened=self.open(one, 1.0), source="socket")
        return DisplayFound()

    def launchd_display(self) -> str | None:
        return self.launchd

    def start_xquartz(self) -> str | None:
        if self.xquartz is None:
            return "no X server that lets this user in was found on this machine"
        self.started = True
        return None


HOME = {"HOME": "/home/ana"}


def test_a_display_that_works_is_taken_as_it_is() -> None:
    desktop = FakeDesktop(":0", ":1")
    ensured = ensure_display({**HOME, "DISPLAY": ":1"}, desktop)
    assert (ensured.display, ensured.authority, ensured.security) == (":1", None, True)
    assert desktop.asked == [":1"]


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, "not set"), ("", "not set"), (":9", "Connection refused"), ("nonsense", "malformed")],
)
def test_a_lost_display_is_found_and_the_reason_says_so(value: str | None, said: str) -> None:
    environ = {**HOME} if value is None else {**HOME, "DISPLAY": value}
    ensured = ensure_display(environ, FakeDesktop(":0", security=False))
    assert (ensured.display, ensured.security) == (":0", False)
    assert said in ensured.reason


def test_in_a_login_by_ssh_no_other_screen_is_taken() -> None:
    ensured = ensure_display({**HOME, "SSH_CONNECTION": "a 1 b 22"}, FakeDesktop(":0"))
    assert ensured.display is None
    assert "login by ssh" in ensured.reason


def test_without_any_x_server_the_reason_says_so() -> None:
    ensured = ensure_display(HOME, FakeDesktop())
    assert ensured.display is None
    assert (
        ensured.reason
        == "DISPLAY is not set, and no X server that lets this user in was found on this machine"
    )


def test_another_authority_file_comes_with_the_display_it_opens() -> None:
    desktop = FakeDesktop(":0")
    assert ensure_display({"HOME": "/home/eve"}, desktop).authority == "/home/ana/.Xauthority"
    assert ensure_display({**HOME, "XAUTHORITY": "/stale"}, desktop).authority == "/home/ana/.Xauthority"
    assert ensure_display(HOME, desktop).authority is None


def test_xquartz_is_started_and_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_POLL", 0.001)
    desktop = FakeDesktop(xquartz=LAUNCHD, takes=5, launchd=LAUNCHD)
    ensured = ensure_display(HOME, desktop, limit=90.0)
    assert ensured.display == LAUNCHD
    assert "XQuartz was started" in ensured.reason


def test_an_xquartz_whose_agent_is_not_loaded_is_found_on_display_0(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_POLL", 0.001)
    desktop = FakeDesktop(xquartz=":0", takes=2, launchd=None)
    assert ensure_display(HOME, desktop, limit=90.0).display == ":0"


def test_an_xquartz_that_does_not_come_up_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_POLL", 0.001)
    ensured = ensure_display(HOME, FakeDesktop(xquartz=":0", takes=10**9), limit=0.05)
    assert ensured.display is None
    assert "did not answer within 0.05 s" in ensured.reason


# --- offers -----------------------------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path: Path) -> AuthorityFile:
    import socket

    path = tmp_path / "authority"
    write_authority(path, [local_record(socket.gethostname(), 0, b"the real cookie!")])
    return AuthorityFile(str(path), exists=True)


@pytest.fixture
def xauth(tmp_path: Path) -> Callable[[str], str]:
    """An xauth that runs a script; `$4` is its -f file."""

    def make(script: str) -> str:
        path = tmp_path / "xauth"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return str(path)

    return make


def test_a_trusted_offer_has_the_displays_own_cookie(authority: AuthorityFile) -> None:
    offer, _ = make_offer(replace(healthy_local(), authority=authority), trusted=True)
    assert offer
    assert (offer.display, offer.trusted, offer.cookie) == (":0", True, b"the real cookie!")
    assert "the real cookie" not in repr(offer)


def test_an_untrusted_offer_has_a_cookie_made_for_it(
    authority: AuthorityFile, xauth: Callable[[str], str], tmp_path: Path
) -> None:
    write_authority(tmp_path / "made", [local_record("here", 0, b"untrusted cookie")])
    program = xauth(f'echo "$@" >{tmp_path}/words; cat {tmp_path}/made >"$3"')
    local = replace(healthy_local(), authority=authority, xauth=XauthFacts(program))
    offer, reason = make_offer(local)
    assert offer
    assert (offer.trusted, offer.cookie) == (False, b"untrusted cookie")
    assert reason.startswith("untrusted")
    assert "generate :0 . untrusted timeout 0" in (tmp_path / "words").read_text()


def test_a_failing_xauth_means_trusted_and_its_words_are_the_reason(
    authority: AuthorityFile, xauth: Callable[[str], str]
) -> None:
    program = xauth('echo "couldn\'t query Security extension" >&2; exit 1')
    local = replace(healthy_local(), authority=authority, xauth=XauthFacts(program))
    offer, reason = make_offer(local)
    assert offer
    assert offer.trusted
    assert "couldn't query Security extension" in reason
    assert make_offer(local, trusted=False)[0] is None


def test_an_xauth_that_hangs_is_not_waited_for(
    xauth: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_GENERATE", 0.2)
    answer = generate_untrusted(xauth("sleep 60"), ":0", None)
    assert isinstance(answer, str)
    assert "no answer" in answer


def test_without_the_extension_or_xauth_the_offer_is_trusted(authority: AuthorityFile) -> None:
    local = replace(healthy_local(), authority=authority)
    for changed in (
        replace(local, security_extension=False),
        replace(local, security_extension=Unknown("not asked")),
        replace(local, xauth=XauthFacts(None)),
    ):
        offer, reason = make_offer(changed)
        assert offer
        assert offer.trusted
        assert reason.startswith("trusted")
        assert make_offer(changed, trusted=False)[0] is None


def test_a_dead_display_is_still_offered_so_that_the_server_can_be_asked() -> None:
    dead = Handshake(HandshakeStatus.CONNECTION_REFUSED, "Connection refused")
    offer, reason = make_offer(replace(healthy_local(), handshake=dead))
    assert offer
    assert "Connection refused" in reason


def test_no_display_is_no_offer() -> None:
    offer, reason = make_offer(replace(healthy_local(), display_used=None, display_problem="it is empty"))
    assert (offer, reason) == (None, "it is empty")
    assert make_offer(replace(healthy_local(), display_used="[::1]:0"))[0] is None
    with pytest.raises(DisplayError):
        open_connection(replace(healthy_local(), display_used=None))
