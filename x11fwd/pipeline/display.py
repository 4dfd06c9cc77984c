"""A display that works, found or started, and what is offered of it; all of the pipeline imports it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from x11fwd.transports.base import X11Offer
from x11fwd.x11.authority import Cookie, authority_path, find_cookie, read_authority
from x11fwd.x11.client import Handshake, HandshakeStatus, handshake
from x11fwd.x11.display import MalformedDisplayError, parse_display, ssh_accepts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from x11fwd.facts.model import LocalFacts

__all__ = ["Desktop", "Ensured", "ensure_display", "generate_untrusted", "make_offer"]

SECURITY = "SECURITY"
_LOOK = 2.0  # seconds for one handshake
_START = 20.0  # seconds for XQuartz to come up: 5 to 10 on a cold machine
_POLL = 0.1
_GENERATE = (
    5.0  # seconds: `xauth generate` waits for ever on a server that does not answer (xquartz-xauth-hang)
)


@dataclass(frozen=True)
class Ensured:
    """What came of looking for a display.

    Attributes:
        display: value for DISPLAY, None where no X server can be used.
        authority: value for XAUTHORITY, None where the one in effect is right.
        security: it has the SECURITY extension.
        reason: what was done, or why there is none; a clause.
        handshake: the last verdict, None where there was nothing to shake hands with.
    """

    display: str | None
    authority: str | None = None
    security: bool = False
    reason: str = ""
    handshake: Handshake | None = None


class Desktop(Protocol):
    """What is asked of this machine; tests answer for one."""

    def displays(self) -> tuple[str, ...]:
        """Displays whose sockets stand here and belong to this user or to root, lowest number first."""
        ...

    def authorities(self) -> tuple[str, ...]:
        """Authority files that X servers of this user are known to make, newest first."""
        ...

    def launchd_display(self) -> str | None:
        """DISPLAY as launchd would give it to a new terminal (macOS)."""
        ...

    def start_xquartz(self) -> str | None:
        """Ask for XQuartz to be started; None if asked, else why it cannot be (macOS)."""
        ...

    def shake(self, display: str, authority: str | None, timeout: float) -> Handshake: ...


def ensure_display(
    environ: Mapping[str, str], desktop: Desktop | None = None, *, limit: float = _START
) -> Ensured:
    """The display to use: DISPLAY where it works, else one found for it, else XQuartz started.

    Nothing but starting XQuartz is changed. In a login by ssh only its own DISPLAY counts: the X server that
    stands on this machine is then the screen of somebody else's desk.

    Args:
        environ: DISPLAY, XAUTHORITY, HOME and SSH_CONNECTION are read.
        limit: seconds that XQuartz has.
    """
    desktop = desktop or ThisDesktop(environ)
    given = environ.get("DISPLAY") or None
    first = desktop.shake(given, None, _LOOK) if given else None
    if first is not None and first.ok:
        return _found(given or "", None, first, "DISPLAY works")
    lost = f"DISPLAY ({given}) does not work: {_words(first)}" if given else "DISPLAY is not set"
    if environ.get("SSH_CONNECTION"):
        return Ensured(None, reason=f"{lost} in this login by ssh", handshake=first)
    launchd = desktop.launchd_display()
    for display in dict.fromkeys(one for one in (given, launchd, *desktop.displays()) if one):
        for authority in (None, *desktop.authorities()):
            if display == given and authority is None:
                continue
            verdict = desktop.shake(display, authority, _LOOK)
            if verdict.ok:
                where = f" with {authority}" if authority else ""
                return _found(display, authority, verdict, f"{lost}; {display} answers{where}")
            if verdict.status not in {HandshakeStatus.NO_COOKIE, HandshakeStatus.WRONG_COOKIE}:
                break  # another cookie would not help
    refusal = desktop.start_xquartz()
    if refusal is not None:
        return Ensured(None, reason=f"{lost}; {refusal}", handshake=first)
    return _wait_for_xquartz(desktop, lost, limit)


def _wait_for_xquartz(desktop: Desktop, lost: str, limit: float) -> Ensured:
    end = time.monotonic() + limit
    verdict: Handshake | None = None
    while True:
        # launchd's socket first: XQuartz listens on it wherever its agent is loaded, else on :0
        for display in dict.fromkeys(
            one for one in (desktop.launchd_display(), *desktop.displays(), ":0") if one
        ):
            verdict = desktop.shake(display, None, min(_LOOK, max(0.1, end - time.monotonic())))
            if verdict.ok:
                return _found(display, None, verdict, f"{lost}; XQuartz was started")
        if time.monotonic() >= end:
            break
        time.sleep(_POLL)
    return Ensured(None, reason=f"{lost}; XQuartz was started and did not answer within {limit:g} s")


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
    if local.security_extension is not True:
        if trusted is False:
            return None, "the X server has no SECURITY extension, so it knows no untrusted programs"
        return offer, "trusted: the X server has no SECURITY extension"
    cookie = generate_untrusted(xauth, display, authority) if xauth else "there is no xauth"
    if isinstance(cookie, str):
        return (None if trusted is False else offer), f"no untrusted cookie could be made: {cookie}"
    return X11Offer(display, authority, False, xauth, cookie), "untrusted: the X server has SECURITY"


def generate_untrusted(xauth: str, display: str, authority: str | None) -> bytes | str:
    """A cookie for untrusted programs without a time limit, or why there is none (xauth(1), `generate`)."""
    import shutil
    import tempfile

    from x11fwd.errors import ConnectionLost
    from x11fwd.transports.local import LocalTransport

    folder = tempfile.mkdtemp(prefix="x11fwd-")
    file = f"{folder}/authority"
    name = ("env", f"XAUTHORITY={authority}") if authority else ("env",)
    words = (*name, xauth, "-q", "-f", file, "generate", display, ".", "untrusted", "timeout", "0")
    try:
        result = LocalTransport().run(words, timeout=_GENERATE)
        if not result.ok:
            return result.error_text.strip().splitlines()[-1] if result.stderr.strip() else "xauth failed"
        records = read_authority(file).records
        return records[0].data if records else "xauth wrote none"
    except ConnectionLost:
        return f"xauth had no answer from the X server within {_GENERATE:g} s"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class ThisDesktop:
    """This machine, as `Desktop` asks for it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def displays(self) -> tuple[str, ...]:
        folder = "/tmp/.X11-unix"  # noqa: S108  where every X server on Unix listens
        numbers = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    # A socket of another user's could be a trap: an X server that lets everybody in.
                    ours = entry.stat(follow_symlinks=False).st_uid in {0, os.getuid()}
                    if ours and entry.name[:1] == "X" and entry.name[1:].isdecimal():
                        numbers.append(int(entry.name[1:]))
        except OSError:
            return ()
        return tuple(f":{number}" for number in sorted(numbers))

    def authorities(self) -> tuple[str, ...]:
        """GNOME's and KDE's Xwayland, GDM's Xorg (xwayland-cookie-not-exported), and the default file."""
        runtime = self._environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
        found: list[tuple[float, str]] = []
        try:
            with os.scandir(runtime) as entries:
                found = [
                    (entry.stat().st_mtime, entry.path)
                    for entry in entries
                    if entry.name.startswith((".mutter-Xwaylandauth.", "xauth_"))
                ]
        except OSError:
            found = []
        paths = [path for _, path in sorted(found, reverse=True)]
        paths.append(f"{runtime}/gdm/Xauthority")
        default = authority_path(None, self._environ.get("HOME"))
        if default and self._environ.get("XAUTHORITY"):
            paths.append(default)
        return tuple(path for path in paths if os.access(path, os.R_OK))

    def launchd_display(self) -> str | None:
        if os.uname().sysname != "Darwin":
            return None
        from x11fwd.transports.local import LocalTransport

        answer = LocalTransport().run(("launchctl", "getenv", "DISPLAY"), timeout=_LOOK)
        return answer.text.strip() or None

    def start_xquartz(self) -> str | None:
        if os.uname().sysname != "Darwin":
            return "no X server that this user may use was found on this machine"
        from x11fwd.transports.local import LocalTransport

        # `open` finds it wherever it is installed and fails where it is not.
        answer = LocalTransport().run(("open", "-g", "-a", "XQuartz"), timeout=_START)
        return None if answer.ok else "XQuartz is not installed (https://www.xquartz.org)"

    def shake(self, display: str, authority: str | None, timeout: float) -> Handshake:
        path = authority or authority_path(self._environ.get("XAUTHORITY"), self._environ.get("HOME"))
        try:
            parsed = parse_display(display)
        except MalformedDisplayError as error:
            return Handshake(HandshakeStatus.NO_SOCKET, error.reason)
        data = _cookie(display, path)
        return handshake(parsed, Cookie(data) if data else None, timeout, extensions=(SECURITY,))


def _found(display: str, authority: str | None, verdict: Handshake, reason: str) -> Ensured:
    return Ensured(display, authority, SECURITY in (verdict.extensions or ()), reason, verdict)


def _words(verdict: Handshake | None) -> str:
    return (verdict.reason or verdict.status.value) if verdict else "nobody looked"


def _cookie(display: str, authority: str | None) -> bytes:
    """The cookie that libX11 would show, b"" where it would show none."""
    if authority is None:
        authority = authority_path(os.environ.get("XAUTHORITY"), os.environ.get("HOME"))
    if authority is None:
        return b""
    try:
        parsed = parse_display(display)
    except MalformedDisplayError:
        return b""
    found = find_cookie(read_authority(authority).records, parsed, os.uname().nodename)
    return found.data if found else b""
