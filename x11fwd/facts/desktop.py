"""The desktop of this machine: macOS, Wayland, WSL, Windows, ChromeOS; facts for facts/local.

desktop_mac      XQuartz: launchd, its helper, its settings, its log
desktop_linux    X servers among the processes, the session's own variables, WSL, ChromeOS
desktop_files    lines of start files that set DISPLAY, who can read an authority file
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from x11fwd.facts.desktop_files import StartLine, find_start_lines, is_exposed
from x11fwd.facts.desktop_linux import (
    ServerProcess,
    WslFacts,
    find_server,
    find_wsl,
    name_desktop,
    session_environment,
)
from x11fwd.facts.desktop_mac import MacFacts, find_mac
from x11fwd.facts.unknown import Unknown
from x11fwd.x11.authority import authority_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from x11fwd.facts.answers import Answers
    from x11fwd.x11.requests import AccessControl

__all__ = [
    "DesktopFacts",
    "MacFacts",
    "ServerProcess",
    "StartLine",
    "Surroundings",
    "WslFacts",
    "gather_desktop",
]


@dataclass(frozen=True)
class DesktopFacts:
    """What is peculiar to the desktop in front of the user.

    Attributes:
        name: `gnome`, `kde`, `sway`, `cosmic`, `niri`, `hyprland`, …, `chromeos`, `wslg`, `wsl`, `macos`,
            `windows`; "" where nothing says so.
        mac: XQuartz; None elsewhere than on macOS.
        wsl: None elsewhere than in WSL.
        xwayland: path of the program Xwayland, None where PATH has none; Unknown where nobody looked.
        server: the process that runs the X server of `display_used`; None where none was seen.
        session: DISPLAY, XAUTHORITY, WAYLAND_DISPLAY as systemd's user manager hands them out.
        access: who is let in without a cookie; Unknown where the X server did not say.
        user: our login name, as the X server's list has it.
        start_lines: lines of start files that set DISPLAY or XAUTHORITY, or say `xhost +`.
        usual_authority: the file that libXau, xauth and so plain ssh look into; None without a home.
        exposed: other accounts of this machine can read the authority file in use.
        xauth_location_found: what ssh's XAuthLocation names is there.
    """

    name: str = ""
    mac: MacFacts | None = None
    wsl: WslFacts | None = None
    xwayland: str | Unknown | None = Unknown("not asked")
    server: ServerProcess | None = None
    session: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    access: AccessControl | Unknown = Unknown("not asked")
    user: str = ""
    start_lines: tuple[StartLine, ...] = ()
    usual_authority: str | None = None
    exposed: bool | Unknown = Unknown("not asked")
    xauth_location_found: bool | Unknown = Unknown("not asked")


@dataclass(frozen=True)
class Surroundings:
    """What facts/local has found before, and where to look.

    Attributes:
        environ, platform, root: as for `gather_local`.
        display: the display in use, None without any.
        owner: process that opened the X server's socket (SO_PEERCRED), None where it cannot be seen.
        authority: the authority file in use.
        access: what the X server answered.
        xauth_location: what `ssh -G` said.
    """

    environ: Mapping[str, str]
    platform: str
    root: Path
    release: str = ""
    display: str | None = None
    owner: int | None = None
    authority: str | None = None
    access: AccessControl | None = None
    xauth_location: str | None = None


def gather_desktop(answers: Answers, around: Surroundings) -> DesktopFacts:
    """Read the local probe's answers, files and processes."""
    environ, platform, root = around.environ, around.platform, around.root
    home = home_of(environ, platform)
    unasked = answers.why("probe")
    mac = find_mac(answers, home) if platform == "darwin" and unasked is None else None
    linux = platform.startswith("linux")
    wsl = find_wsl(environ, around.release, around.display, root) if linux else None
    location = around.xauth_location
    return DesktopFacts(
        name=_name(around, wsl),
        mac=mac,
        wsl=wsl,
        xwayland=unasked or answers.first("xwayland.path"),
        server=find_server(root, around.display, around.owner) if linux else None,
        session=session_environment(answers),
        access=around.access or Unknown("the X server did not say"),
        user=_user(environ),
        start_lines=() if platform == "win32" else find_start_lines(home, root),
        usual_authority=authority_path(environ.get("XAUTHORITY"), home),
        exposed=_exposed(around),
        xauth_location_found=_is_there(location, root) if location else Unknown("ssh -G said nothing"),
    )


def home_of(environ: Mapping[str, str], platform: str) -> str | None:
    """The home directory by the environment; on Windows HOME is rarely set."""
    return environ.get("HOME") or (environ.get("USERPROFILE") if platform == "win32" else None)


def _name(around: Surroundings, wsl: WslFacts | None) -> str:
    if around.platform == "darwin":
        return "macos"
    if around.platform == "win32":
        return "windows"
    if wsl is not None:
        return "wslg" if wsl.wslg else "wsl"
    return name_desktop(around.environ, around.root)


def _exposed(around: Surroundings) -> bool | Unknown:
    if around.platform == "win32":
        return Unknown("Windows has other rights than those of Unix")
    return is_exposed(around.authority)


def _is_there(path: str, root: Path) -> bool | Unknown:
    try:
        return (root / path.lstrip("/")).exists() if path.startswith("/") else Path(path).exists()
    except OSError as error:
        return Unknown(f"{path}: {error.strerror}")


def _user(environ: Mapping[str, str]) -> str:
    try:
        import os
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError, AttributeError):
        return environ.get("USER") or environ.get("USERNAME") or ""
