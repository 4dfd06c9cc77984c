"""Which X display of this machine can be used, and with which cookie; light, for facts/local and pipeline."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import sys
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from x11fwd.facts.desktop_linux import server_authorities
from x11fwd.x11.authority import authority_path, find_cookie, read_authority
from x11fwd.x11.client import Handshake, HandshakeStatus, handshake
from x11fwd.x11.display import (
    UNIX_SOCKET_PREFIX,
    DisplayName,
    MalformedDisplayError,
    parse_display,
    ssh_accepts,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from x11fwd.x11.authority import Cookie

__all__ = ["DisplayFound", "Opened", "find_display", "find_sockets", "open_display"]

LIMIT = 8.0  # seconds for a handshake with a server that runs, on a machine that may be busy
LAUNCH_LIMIT = 20.0  # with one that launchd has to start first: XQuartz takes 10 to 12 s (XQuartz#502)
EXTENSIONS = ("SECURITY", "XWAYLAND")
_NO_SOCKETS = "it names a Unix socket, and X servers on Windows listen on TCP only"
_REFUSED = frozenset({HandshakeStatus.WRONG_COOKIE, HandshakeStatus.NO_COOKIE, HandshakeStatus.REJECTED})
_TRIES = 6  # cookies that are shown to one X server
_SOCKET = re.compile(r"X(\d{1,5})")


@dataclass(frozen=True)
class Opened:
    """One display that was tried.

    Attributes:
        authority: the file whose cookie was shown; libXau's own choice unless that has none for this display.
        from_variable: XAUTHORITY names that file.
        cookie: what was shown, None for nothing.
        handshake: the verdict.
    """

    display: str
    handshake: Handshake
    authority: str | None = None
    from_variable: bool = False
    cookie: Cookie | None = field(default=None, repr=False)


@dataclass(frozen=True)
class DisplayFound:
    """What was found.

    Attributes:
        display: what can be handed to ssh, None without any.
        problem: why the DISPLAY in the environment cannot be meant, None where it can or is not set.
        candidates: displays of this user's and of root's here, best first, whether they let us in or not.
        opened: the handshake with `display`; None without one.
        source: who named it: `$DISPLAY`, `launchd`, `session` (systemd's user manager), `socket`, `""`.
    """

    display: str | None = None
    problem: str | None = None
    candidates: tuple[str, ...] = ()
    opened: Opened | None = None
    source: str = ""


def find_display(
    environ: Mapping[str, str],
    platform: str,
    *,
    launchd: str | None = None,
    session: Mapping[str, str] | None = None,
    root: Path | None = None,
    uid: int | None = None,
) -> DisplayFound:
    """DISPLAY where it is set and well formed, else the first display of this machine that lets us in.

    A DISPLAY that is well formed and dead is still the answer: what was set is not second-guessed. In an ssh
    session without DISPLAY no other is taken: a screen of this machine is not in front of the user.

    Args:
        environ: the environment of the process that would start ssh.
        platform: sys.platform.
        launchd: what `launchctl getenv DISPLAY` answered (macOS).
        session: DISPLAY and XAUTHORITY as `systemctl --user show-environment` has them.
        root: where the file tree begins; tests have their own.
        uid: our user id, for files under /run/user.
    """
    value = environ.get("DISPLAY") or None
    sockets = [] if platform == "win32" else find_sockets(root)
    sockets = [one for one in sockets if _is_ours(one, root or Path("/"), _uid() if uid is None else uid)]
    session = session or {}
    candidates = [one for one in (launchd, session.get("DISPLAY")) if one]
    candidates += [f":{number}" for number in sockets]
    if platform == "win32":
        candidates.append(_over_tcp(value))  # X servers there listen on TCP alone
    problem = _problem(value, platform) if value else None
    others = tuple(one for one in dict.fromkeys(candidates) if _problem(one) is None)
    if value and problem is None:
        opened = open_display(value, environ, platform, session=session, root=root, uid=uid)
        return DisplayFound(value, None, others, opened, "$DISPLAY")
    if value is None and environ.get("SSH_CONNECTION"):
        return DisplayFound(None, None, others)
    for one in others:
        opened = open_display(one, environ, platform, session=session, root=root, uid=uid)
        if opened.handshake.ok:
            sources = {launchd: "launchd", session.get("DISPLAY"): "session"}
            return DisplayFound(one, problem, others, opened, sources.get(one, "socket"))
    return DisplayFound(None, problem, others)


def _is_ours(number: int, root: Path, uid: int) -> bool:
    """False for another user's socket: whoever owns an X server that lets us in sees our windows."""
    if (root / "mnt/wslg").is_dir():
        return True  # one person's machine; WSLg's own account holds the socket
    with contextlib.suppress(OSError):
        return (root / f"{UNIX_SOCKET_PREFIX}{number}".lstrip("/")).stat().st_uid in {0, uid}
    return False


def find_sockets(root: Path | None = None) -> list[int]:
    """Numbers of the display sockets of this machine, lowest first; WSLg's count where /tmp has lost them."""
    found: set[int] = set()
    for folder in ("tmp/.X11-unix", "mnt/wslg/.X11-unix"):
        with contextlib.suppress(OSError):
            for entry in os.scandir((root or Path("/")) / folder):
                match = _SOCKET.fullmatch(entry.name)
                with contextlib.suppress(OSError):
                    if match and stat.S_ISSOCK(entry.stat().st_mode):
                        found.add(int(match[1]))
    return sorted(found)


def _over_tcp(value: str | None) -> str:
    """The display of Windows that `:1.0` may mean; the first one where nothing is meant."""
    with contextlib.suppress(MalformedDisplayError):
        name = parse_display(value or "")
        if name.is_unix:
            return f"127.0.0.1:{name.number}.{name.screen}"
    return "127.0.0.1:0.0"


def _problem(value: str, platform: str = "") -> str | None:
    """Why a value cannot be meant: libxcb cannot read it, ssh would refuse it, or Windows has no sockets."""
    try:
        name = parse_display(value)
    except MalformedDisplayError as error:
        return error.reason
    if platform == "win32" and name.is_unix:
        return _NO_SOCKETS
    return None if ssh_accepts(value) else "ssh takes only letters, digits and :/.-_"


def open_display(
    value: str,
    environ: Mapping[str, str],
    platform: str = sys.platform,
    *,
    session: Mapping[str, str] | None = None,
    root: Path | None = None,
    uid: int | None = None,
    limit: float | None = None,
) -> Opened:
    """One handshake, with the cookie that libX11 would show or, where its file has none, one found elsewhere.

    Raises:
        MalformedDisplayError: `value` is no display.
    """
    name = parse_display(value)
    limit = limit or (LAUNCH_LIMIT if platform == "darwin" and name.socket_path else LIMIT)
    home = environ.get("HOME") or (environ.get("USERPROFILE") if platform == "win32" else None)
    usual = authority_path(environ.get("XAUTHORITY"), home)
    if platform == "win32" and name.is_unix:
        # libxcb would try TCP next, ssh.exe would not
        return Opened(value, Handshake(HandshakeStatus.NO_SOCKET, _NO_SOCKETS), usual)
    named = (session or {}).get("XAUTHORITY")
    others = _other_authorities(named, root, _uid() if uid is None else uid, name.number)
    first: Opened | None = None
    for path, cookie in islice(_cookies(name, usual, others), _TRIES):
        shake = handshake(name, cookie, limit, extensions=EXTENSIONS, access=True)
        opened = Opened(value, shake, path, path == usual and "XAUTHORITY" in environ, cookie)
        if shake.status not in _REFUSED:
            return opened
        first = first or opened  # what the user's own programs meet
    return first or Opened(value, Handshake(HandshakeStatus.NO_COOKIE), usual)


def _cookies(
    name: DisplayName, usual: str | None, others: Iterator[str]
) -> Iterator[tuple[str | None, Cookie | None]]:
    """Files and their cookies, best first; any may be left over from another session. Else no cookie."""
    shown: list[Cookie] = []
    for path in chain((usual,), others if name.is_local else ()):
        cookie = _cookie(path, name)
        if cookie is not None and cookie not in shown:
            shown.append(cookie)
            yield path, cookie
    if not shown:
        yield usual, None


def _cookie(path: str | None, name: DisplayName) -> Cookie | None:
    if not path:
        return None
    import socket

    return find_cookie(read_authority(path).records, name, socket.gethostname())


def _uid() -> int:
    return os.getuid() if hasattr(os, "getuid") else -1  # Windows


def _other_authorities(named: str | None, root: Path | None, uid: int, number: int) -> Iterator[str]:
    """Authority files of the session, unknown to a shell that was not started in it (F08).

    What systemd's user manager says, what GNOME, KDE and GDM leave behind, what X servers were started with.
    """
    base = root or Path("/")
    if named:
        yield named
    patterns = (
        f"run/user/{uid}/.mutter-Xwaylandauth.*",
        f"run/user/{uid}/xauth_*",
        f"run/user/{uid}/gdm/Xauthority",
        f"tmp/xauth-{uid}-_*",
        "tmp/xauth_*",
    )
    for pattern in patterns:
        with contextlib.suppress(OSError):
            # /tmp belongs to everybody: only a file of our own counts
            yield from (str(path) for path in sorted(base.glob(pattern)) if path.stat().st_uid == uid)
    for one in server_authorities(base, number):
        with contextlib.suppress(OSError):
            if (base / one.lstrip("/")).stat().st_uid == uid:
                yield str(base / one.lstrip("/"))
