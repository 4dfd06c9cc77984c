"""X servers among the processes, the session's own variables, WSL, ChromeOS; for facts/desktop, display."""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING

from x11fwd.x11.display import MalformedDisplayError, parse_display

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from x11fwd.facts.answers import Answers

__all__ = [
    "ServerProcess",
    "WslFacts",
    "find_server",
    "find_wsl",
    "name_desktop",
    "server_authorities",
    "session_environment",
]

# comm holds 15 letters (proc_pid_comm(5)); ChromeOS runs Xwayland by its own ld.so (cros-containers)
_COMMS = frozenset(
    {
        *("Xorg", "Xorg.bin", "X", "Xvfb", "Xephyr", "Xnest", "Xvnc", "Xtigervnc", "Xwayland"),
        *("Xwayland.elf", "kwin_wayland", "kwin_wayland_wr", "xwayland-satell"),
    }
)
_LOADER = ("ld-linux", "ld-musl")
_AUTHORITY = ("-auth", "--xwayland-xauthority")
_DISPLAY = ("--xwayland-display",)
_DESKTOPS = ("gnome", "kde", "sway", "cosmic", "niri", "hyprland", "xfce", "mate", "lxqt", "cinnamon")


@dataclass(frozen=True)
class ServerProcess:
    """An X server, or the compositor that speaks for one, as its command line shows it.

    Attributes:
        name: `Xorg`, `Xwayland`, `kwin_wayland`, ….
        display: `:0` where the command line says so, else "".
        authority: what follows `-auth` (Xserver(1)) or `--xwayland-xauthority` (KWin), None without.
        open: it was started with `-ac`, so that nobody needs a cookie.
    """

    pid: int
    name: str
    display: str = ""
    authority: str | None = None
    open: bool = False

    @property
    def is_xwayland(self) -> bool:
        return self.name.startswith(("Xwayland", "kwin_wayland"))


@dataclass(frozen=True)
class WslFacts:
    """The Windows Subsystem for Linux.

    Attributes:
        version: 1 (shares the network with Windows) or 2 (a virtual machine).
        wslg: /mnt/wslg is there: Windows shows windows by itself.
        wslg_socket: WSLg's own socket for this display is there.
        tmp_socket: what stands at /tmp/.X11-unix/Xn: `socket`, `none`, `loop` (a link to nowhere), `other`.
        number: of the display that the two are about.
    """

    version: int
    wslg: bool = False
    wslg_socket: bool = False
    tmp_socket: str = "none"
    number: int = 0


def name_desktop(environ: Mapping[str, str], root: Path) -> str:
    """The desktop by XDG_CURRENT_DESKTOP (XDG desktop entry specification), ChromeOS by its tools."""
    if (root / "opt/google/cros-containers").is_dir():
        return "chromeos"
    words = environ.get("XDG_CURRENT_DESKTOP", "").lower().replace("-", ":").split(":")
    return next((name for name in _DESKTOPS if name in words), words[-1] if words else "")


def session_environment(answers: Answers) -> Mapping[str, str]:
    """The variables of `systemctl --user show-environment` that the local probe let through."""
    pairs = (line.partition("=") for line in answers.all("session.environment"))
    # systemd quotes values that a shell would take apart: NAME=$'…'
    return MappingProxyType({name: value.removeprefix("$").strip("'") for name, _, value in pairs if value})


def find_wsl(environ: Mapping[str, str], release: str, display: str | None, root: Path) -> WslFacts | None:
    """None outside of WSL.

    Args:
        release: uname -r: `4.4.0-19041-Microsoft` or `5.15.1-microsoft-standard-WSL2`.
        display: the one in use.
    """
    if "WSL_DISTRO_NAME" not in environ and "microsoft" not in release.lower():
        return None
    wslg = root / "mnt/wslg"
    number = 0
    with contextlib.suppress(MalformedDisplayError):
        number = parse_display(display or ":0").number
    version = 1 if release.endswith("-Microsoft") else 2
    folder = f".X11-unix/X{number}"
    return WslFacts(
        version,
        wslg=wslg.is_dir(),
        wslg_socket=_kind(wslg / folder) == "socket",
        tmp_socket=_kind(root / "tmp" / folder),
        number=number,
    )


def _kind(path: Path) -> str:
    try:
        return "socket" if stat.S_ISSOCK(path.stat().st_mode) else "other"
    except OSError:
        with contextlib.suppress(OSError):
            if path.is_symlink() or path.parent.is_symlink():
                return "loop"
        return "none"


def find_server(root: Path, display: str | None, owner: int | None) -> ServerProcess | None:
    """The X server of a display of this machine; None where /proc does not show it.

    Args:
        display: as in DISPLAY; None for none.
        owner: the process that opened the socket: the server, or a compositor for it.
    """
    if display is None:
        return None
    try:
        name = parse_display(display)
    except MalformedDisplayError:
        return None
    if not name.is_unix:
        return None
    found = list(_servers(root))
    for one in found:
        # KWin knows the cookie file, its Xwayland does not always
        if one.display == f":{name.number}" and one.authority is not None:
            return one
    for one in found:
        if one.display == f":{name.number}" or one.pid == owner:
            return one
    return None


def server_authorities(root: Path, number: int) -> Iterator[str]:
    """The authority files that X servers of this display were started with."""
    for one in _servers(root):
        if one.authority and one.display in {"", f":{number}"}:
            yield one.authority


def _servers(root: Path) -> Iterator[ServerProcess]:
    """Every X server whose command line can be read, oldest process number first."""
    numbers: list[int] = []
    with contextlib.suppress(OSError), os.scandir(root / "proc") as entries:
        numbers = sorted(int(one.name) for one in entries if one.name.isdigit())
    for number in numbers:
        folder = f"{root / 'proc'}/{number}"
        try:
            with open(f"{folder}/comm", encoding="utf-8", errors="replace") as file:
                comm = file.readline().strip()
            if comm not in _COMMS and not comm.startswith(_LOADER):
                continue
            with open(f"{folder}/cmdline", "rb") as raw:
                words = raw.read().decode("utf-8", "replace").split("\0")
        except OSError:
            continue  # it has ended, or belongs to somebody else under hidepid
        if (server := _server(number, comm, words)) is not None:
            yield server


def _server(pid: int, comm: str, words: Sequence[str]) -> ServerProcess | None:
    name = comm
    if comm.startswith(_LOADER):
        inner = next((word for word in words if word.endswith(("/Xwayland.elf", "/Xwayland"))), None)
        if inner is None:
            return None
        name = "Xwayland"
    display = next((word for word in words[1:] if word[:1] == ":" and word[1:].isdigit()), "")
    return ServerProcess(
        pid, name, _after(words, _DISPLAY) or display, _after(words, _AUTHORITY), open="-ac" in words
    )


def _after(words: Sequence[str], options: Sequence[str]) -> str | None:
    for option, value in pairwise(words):
        if option in options and value:
            return value
    return None
