"""A display that works, found or started, and what is offered of it; all of the pipeline imports it."""

from __future__ import annotations

import socket
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from x11fwd.errors import DisplayError
from x11fwd.facts.display import LIMIT, DisplayFound, find_display, open_display
from x11fwd.facts.place import is_forwarded
from x11fwd.transports.base import X11Offer
from x11fwd.x11.authority import Cookie, find_cookie, read_authority
from x11fwd.x11.client import HandshakeStatus, connect
from x11fwd.x11.display import MalformedDisplayError, parse_display, ssh_accepts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from x11fwd.facts.display import Opened
    from x11fwd.facts.model import LocalFacts
    from x11fwd.x11.client import Handshake
    from x11fwd.x11.connection import Connection

__all__ = [
    "Desktop",
    "Ensured",
    "ThisDesktop",
    "ensure_display",
    "gather_ensured",
    "generate_untrusted",
    "make_offer",
    "open_connection",
]

_START = 20.0  # seconds for XQuartz to come up: 10 to 12 on a cold machine (XQuartz#502)
_POLL = 0.1
_ANSWER = 10.0  # seconds for one question to the X server
# Seconds: `xauth generate` waits for ever on a server that does not answer (xquartz-xauth-hang). It has just
# answered us, and on a machine that is merely slow no untrusted offer must become a trusted one.
_GENERATE = 20.0


@dataclass(frozen=True)
class Ensured:
    """What came of looking for a display.

    Attributes:
        display: value for DISPLAY, None where no X server can be used.
        authority: value for XAUTHORITY, None where the one in effect is right.
        security: it has the SECURITY extension.
        reason: what was done, or why there is none; a clause.
        hangs: the X server that DISPLAY names takes connections and never answers; whoever asks it waits.
    """

    display: str | None
    authority: str | None = None
    security: bool = False
    reason: str = ""
    hangs: bool = False


class Desktop(Protocol):
    """What is asked of this machine; tests answer for one."""

    def open(self, display: str, limit: float) -> Opened:
        """A handshake. Raises MalformedDisplayError."""
        ...

    def find(self) -> DisplayFound:
        """A display that lets us in, whatever DISPLAY says."""
        ...

    def launchd_display(self) -> str | None:
        """DISPLAY as launchd would give it to a new terminal (macOS)."""
        ...

    def start_xquartz(self) -> str | None:
        """Ask for XQuartz to be started; None if asked, else why it cannot be."""
        ...


def ensure_display(
    environ: Mapping[str, str], desktop: Desktop | None = None, *, limit: float = _START
) -> Ensured:
    """The display to use: DISPLAY where it works, else one found for it, else XQuartz started.

    Nothing but starting XQuartz is changed. In a login by ssh only its own DISPLAY counts: a screen of this
    machine is not in front of the user then.

    Args:
        environ: DISPLAY, XAUTHORITY, HOME and SSH_CONNECTION are read.
        limit: seconds that XQuartz has to come up.
    """
    desktop = desktop or ThisDesktop(environ)
    given = environ.get("DISPLAY") or None
    lost = "DISPLAY is not set"
    hangs = False
    if given is not None:
        try:
            opened = desktop.open(given, LIMIT)
        except MalformedDisplayError as error:
            lost = f"DISPLAY ({given}) is malformed: {error.reason}"
        else:
            if opened.handshake.ok:
                return _ensured(opened, environ, "DISPLAY works")
            lost = f"DISPLAY ({given}) does not work: {_words(opened.handshake)}"
            hangs = opened.handshake.status is HandshakeStatus.TIMEOUT
    if environ.get("SSH_CONNECTION"):
        return Ensured(None, reason=f"{lost} in this login by ssh", hangs=hangs)
    found = desktop.find().opened
    if found is not None and found.handshake.ok:
        return _ensured(found, environ, f"{lost}; {found.display} answers")
    refusal = desktop.start_xquartz()
    if refusal is not None:
        return Ensured(None, reason=f"{lost}, and {refusal}", hangs=hangs)
    return _wait_for_xquartz(desktop, environ, lost, limit)


def _wait_for_xquartz(desktop: Desktop, environ: Mapping[str, str], lost: str, limit: float) -> Ensured:
    end = time.monotonic() + limit
    while True:
        # launchd's socket first: XQuartz listens on it wherever its agent is loaded, else on :0 alone
        for display in dict.fromkeys((desktop.launchd_display() or ":0", ":0")):
            opened = desktop.open(display, max(_POLL, min(LIMIT, end - time.monotonic())))
            if opened.handshake.ok:
                return _ensured(opened, environ, f"{lost}; XQuartz was started")
        if time.monotonic() >= end:
            return Ensured(None, reason=f"{lost}; XQuartz was started and did not answer within {limit:g} s")
        time.sleep(_POLL)


def make_offer(local: LocalFacts, *, trusted: bool | None = None) -> tuple[X11Offer | None, str]:
    """What a connection may offer of this machine's display, and why so; None where there is none to offer.

    An untrusted offer holds a cookie made for it, which X servers that reset forget with their last client:
    keep a connection open meanwhile.

    Args:
        trusted: True for full access (ssh -Y), False for an untrusted cookie (ssh -X); None for an untrusted
            one where the X server has the SECURITY extension and xauth is there, as `x11fwd ssh` does.
    """
    display = local.display_used
    if display is None:
        return None, local.display_problem or "no X server was found on this machine"
    if not ssh_accepts(display):
        return None, f"ssh does not take {display!r} as DISPLAY"
    authority = local.authority.path if local.authority else None
    xauth = local.xauth.path
    offer = X11Offer(display, authority, True, xauth, _cookie(display, authority))
    if local.handshake is None or not local.handshake.ok:
        return offer, f"{display} does not answer: {_words(local.handshake)}"
    if trusted:
        return offer, "trusted, as asked"
    if is_forwarded(display):
        if trusted is False:
            return None, f"{display} is itself forwarded by ssh, which knows one cookie and no other"
        return offer, f"trusted: {display} is itself forwarded by ssh, which knows one cookie and no other"
    if local.security_extension is not True:
        if trusted is False:
            return None, "the X server has no SECURITY extension, so it knows no untrusted programs"
        return offer, "trusted: the X server has no SECURITY extension"
    made = generate_untrusted(xauth, display, authority) if xauth else "there is no xauth"
    if isinstance(made, str):
        return (None if trusted is False else offer), f"trusted: no untrusted cookie could be made: {made}"
    return X11Offer(display, authority, False, xauth, made, made=True), "untrusted: the X server has SECURITY"


def gather_ensured(environ: Mapping[str, str]) -> LocalFacts:
    """The facts of this machine once its display was found or started; for whoever will show a window."""
    from x11fwd.facts.local import gather_local

    ensured = ensure_display(environ)
    if ensured.display is None:
        return gather_local(environ=environ)
    found = dict(environ, DISPLAY=ensured.display)
    if ensured.authority is not None:
        found["XAUTHORITY"] = ensured.authority
    return gather_local(environ=found)


def open_connection(local: LocalFacts) -> Connection:
    """A connection of our own to this machine's display; each question on it has 10 seconds.

    Raises:
        DisplayError: there is none, or it does not let us in.
    """
    if local.display_used is None:
        raise DisplayError(local.display_problem or "no X server was found", hint="`x11fwd doctor`")
    cookie = _cookie(local.display_used, local.authority.path if local.authority else None)
    return connect(parse_display(local.display_used), Cookie(cookie) if cookie else None, _ANSWER)


def generate_untrusted(xauth: str, display: str, authority: str | None) -> bytes | str:
    """A cookie for untrusted programs without a time limit, or why there is none (xauth(1), `generate`)."""
    from x11fwd.errors import ConnectionLost
    from x11fwd.transports.local import LocalTransport
    from x11fwd.transports.scratch import scratch_folder

    name = ("env", f"XAUTHORITY={authority}") if authority else ()
    with scratch_folder() as folder:
        file = f"{folder}/authority"
        words = (*name, xauth, "-q", "-f", file, "generate", display, ".", "untrusted", "timeout", "0")
        try:
            result = LocalTransport().run(words, timeout=_GENERATE)
        except ConnectionLost:
            return f"xauth had no answer from the X server within {_GENERATE:g} s"
        said = result.error_text.strip().splitlines()
        records = read_authority(file).records
    return records[0].data if records else (said[-1] if said else "xauth wrote none")


class ThisDesktop:
    """This machine, as `Desktop` asks for it."""

    def __init__(self, environ: Mapping[str, str], platform: str = sys.platform) -> None:
        self._environ = environ
        self._platform = platform

    def open(self, display: str, limit: float) -> Opened:
        return open_display(display, self._environ, self._platform, limit=limit)

    def find(self) -> DisplayFound:
        lost = {name: value for name, value in self._environ.items() if name != "DISPLAY"}
        found = find_display(lost, self._platform, launchd=self.launchd_display())
        return found if found.opened is not None else DisplayFound()

    def launchd_display(self) -> str | None:
        if self._platform != "darwin":
            return None
        from x11fwd.transports.local import LocalTransport

        answer = LocalTransport().run(("launchctl", "getenv", "DISPLAY"), timeout=LIMIT)
        return answer.text.strip() or None

    def start_xquartz(self) -> str | None:
        if self._platform != "darwin":
            return "no X server that lets this user in was found on this machine"
        from x11fwd.transports.local import LocalTransport

        # `open` finds it wherever it is installed and fails where it is not
        answer = LocalTransport().run(("open", "-g", "-a", "XQuartz"), timeout=_START)
        return None if answer.ok else "XQuartz is not installed (https://www.xquartz.org)"


def _ensured(opened: Opened, environ: Mapping[str, str], reason: str) -> Ensured:
    in_effect = opened.from_variable or "XAUTHORITY" not in environ
    usual = f"{environ.get('HOME', '')}/.Xauthority"
    authority = (
        None if in_effect and opened.authority in {environ.get("XAUTHORITY"), usual} else opened.authority
    )
    security = "SECURITY" in (opened.handshake.extensions or ())
    return Ensured(opened.display, authority, security, reason)


def _words(verdict: Handshake | None) -> str:
    return (verdict.reason or verdict.status.value) if verdict else "nobody looked"


def _cookie(display: str, authority: str | None) -> bytes:
    """The cookie in that file, b"" where it has none for this display."""
    if not authority:
        return b""
    try:
        found = find_cookie(read_authority(authority).records, parse_display(display), socket.gethostname())
    except MalformedDisplayError:
        return b""
    return found.data if found else b""
