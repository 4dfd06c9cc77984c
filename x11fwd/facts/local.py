"""The machine with the screen: its X server, ssh and xauth; imported by the pipeline.

find_display -> handshake -> local_probe.sh -> LocalFacts
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import stat
import struct
import sys
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from x11fwd.errors import ProbeError, X11fwdError
from x11fwd.facts.answers import Answers, parse_answers
from x11fwd.facts.desktop import Surroundings, gather_desktop, home_of
from x11fwd.facts.desktop_linux import session_environment
from x11fwd.facts.display import DisplayFound, find_display
from x11fwd.facts.model import AuthorityFile, LocalFacts, SystemFacts, Unknown, XauthFacts
from x11fwd.facts.parse import parse_system
from x11fwd.x11.authority import AuthorityStatus, authority_path, lock_paths, read_authority
from x11fwd.x11.display import AddressKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from x11fwd.target import SshConfig, Target
    from x11fwd.transports.base import Transport
    from x11fwd.x11.client import Handshake

__all__ = ["gather_local"]

_LIMIT = 30.0  # seconds
_ENVIRONMENT = (
    *(
        "DISPLAY",
        "XAUTHORITY",
        "WAYLAND_DISPLAY",
        "XDG_SESSION_TYPE",
        "XDG_RUNTIME_DIR",
        "XDG_CURRENT_DESKTOP",
    ),
    *("XDG_SESSION_DESKTOP", "SWAYSOCK", "HYPRLAND_INSTANCE_SIGNATURE", "NIRI_SOCKET"),
    *("SSH_CONNECTION", "SSH_TTY", "TMUX", "STY", "WSL_DISTRO_NAME", "WSL_INTEROP", "container", "SUDO_USER"),
)
# The process that listens on the socket -> the kind of server. Compositors open Xwayland's socket themselves.
_SERVERS = {
    "Xorg": "xorg",
    "X": "xorg",
    "Xorg.bin": "xorg",
    "Xvfb": "xvfb",
    "Xwayland": "xwayland",
    "gnome-shell": "xwayland",
    "mutter": "xwayland",
    "kwin_wayland": "xwayland",
    "kwin_wayland_wr": "xwayland",  # …apper: comm holds 15 letters (proc_pid_comm(5))
    "sway": "xwayland",
    "weston": "xwayland",
    "Hyprland": "xwayland",
    "xwayland-satell": "xwayland",
    "cosmic-comp": "xwayland",
    "niri": "xwayland",
    "sommelier": "xwayland",
    "sommelier.elf": "xwayland",
}
# Vendors of servers on Windows, as they say in the handshake: VcXsrv's and Xming's authors, X410's company.
_VENDORS = {
    "HC-Consult": "vcxsrv",
    "VcXsrv": "vcxsrv",
    "Colin Harrison": "xming",
    "Choung": "x410",
    "X410": "x410",
}


def gather_local(
    local: Transport | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    platform: str | None = None,
    config: SshConfig | None = None,
    root: Path | None = None,
    target: Target | None = None,
    asked: Callable[[], SshConfig | None] | None = None,
) -> LocalFacts:
    """Look at this machine.

    Args:
        local: where programs of this machine run; by default the local transport.
        environ, platform: os.environ and sys.platform, unless given.
        config: what `ssh -G` said for the target, for its XAuthLocation.
        root: where the file tree begins; tests have their own.
        target: whom the user's own ssh would connect to, for what it was told about that host.
        asked: waits for `config` where somebody asks ssh at the moment, so that nobody asks twice.
    """
    if local is None:
        from x11fwd.transports.local import LocalTransport

        local = LocalTransport()
    environ = os.environ if environ is None else environ
    platform = platform or sys.platform
    words = ("-",) if asked else target.ssh_argv() if target else ()
    answers = _ask(local, words) if platform != "win32" else _ask_windows(local, words)
    launchd = answers.first("launchd.display")
    session = session_environment(answers)
    found = find_display(environ, platform, launchd=launchd, session=session, root=root)
    opened = found.opened
    shake = opened.handshake if opened else None
    system = parse_system(answers) if platform != "win32" else SystemFacts("Windows", os_id="windows")
    authority = _authority(found, home_of(environ, platform), environ)
    config = asked() if asked else config
    location = (config.first("xauthlocation") if config else None) or answers.first("ssh.xauth_location")
    peer = _peer(shake)
    around = Surroundings(
        environ,
        platform,
        root or Path("/"),
        system.release,
        display=found.display or environ.get("DISPLAY"),
        owner=peer,
        authority=authority.path if authority else None,
        access=shake.access if shake else None,
        xauth_location=location,
    )
    return LocalFacts(
        system=system,
        display=environ.get("DISPLAY") or None,
        display_candidates=found.candidates,
        display_used=found.display,
        display_problem=found.problem,
        server_kind=_server_kind(found, shake, platform, root, peer),
        handshake=shake,
        authority=authority,
        has_cookie=opened.cookie is not None if opened else Unknown("there is no display to look one up for"),
        security_extension=_extension(shake, "SECURITY"),
        xauth=_xauth(answers),
        xauth_location=location,
        ssh_path=answers.first("ssh.path"),
        ssh_version=answers.first("ssh.version") or Unknown("ssh -V said nothing"),
        session=_session(environ, platform, system),
        environment=MappingProxyType({name: environ[name] for name in _ENVIRONMENT if name in environ}),
        desktop=gather_desktop(answers, around),
    )


def _ask(local: Transport, words: Sequence[str]) -> Answers:
    """The answers of local_probe.sh; empty ones where no shell could be run.

    Args:
        words: ssh's own for the target, empty without one; `-` where ssh need not be asked.
    """
    text = resources.files("x11fwd.facts").joinpath("local_probe.sh").read_bytes()
    nonce = secrets.token_hex(8)
    try:
        result = local.run(["/bin/sh", "-s", nonce, *words], stdin=text, timeout=_LIMIT)
        return parse_answers(result.stdout, nonce)
    except ProbeError:
        return Answers({}, {}, {"probe": ("the shell's answer ended early",)})
    except X11fwdError as error:
        return Answers({}, {}, {"probe": (error.message,)})


def _ask_windows(local: Transport, words: Sequence[str]) -> Answers:
    """There is no sh; ssh is the system's own or Git's."""
    values: dict[str, tuple[str, ...]] = {}
    with contextlib.suppress(X11fwdError):
        result = local.run(["ssh", "-V"], timeout=_LIMIT)
        if result.exit_status == 0:
            values["ssh.path"] = ("ssh",)
            values["ssh.version"] = ((result.error_text or result.text).strip(),)
            if words == ("-",):
                return Answers(values, {}, {})
            answer = local.run(["ssh", "-G", *(words or ("localhost",))], timeout=_LIMIT)
            lines = (line.strip().partition(" ") for line in answer.text.splitlines())
            found = tuple(value for name, _, value in lines if name == "xauthlocation")
            values["ssh.xauth_location"] = found
    return Answers(values, {}, {})


def _xauth(answers: Answers) -> XauthFacts:
    reason = answers.why("probe")
    if reason is not None:
        return XauthFacts(None, reason)
    version = answers.first("xauth.version") or answers.why("xauth.version")
    return XauthFacts(answers.first("xauth.path"), version or Unknown("there is no xauth"))


def _authority(found: DisplayFound, home: str | None, environ: Mapping[str, str]) -> AuthorityFile | None:
    """The file whose cookie was shown; without a display, the one that libXau would look into."""
    opened = found.opened
    path = opened.authority if opened else authority_path(environ.get("XAUTHORITY"), home)
    if not path:
        return None
    from_variable = opened.from_variable if opened else "XAUTHORITY" in environ
    locks = tuple(str(lock) for lock in lock_paths(path) if os.path.lexists(lock))
    try:
        status = Path(path).stat()
    except OSError:
        return AuthorityFile(path, from_variable=from_variable, locks=locks)
    content = read_authority(path)
    entries: tuple[str, ...] | Unknown = tuple(record.display for record in content.records)
    if content.status in {AuthorityStatus.UNREADABLE, AuthorityStatus.NOT_A_FILE}:
        entries = Unknown(content.reason)
    return AuthorityFile(
        path,
        from_variable=from_variable,
        exists=True,
        is_directory=stat.S_ISDIR(status.st_mode),
        owner=_owner(status.st_uid),
        mode=stat.S_IMODE(status.st_mode),
        writable=os.access(path, os.W_OK),
        locks=locks,
        entries=entries,
    )


def _owner(uid: int) -> str:
    try:
        import pwd

        return pwd.getpwuid(uid).pw_name
    except (ImportError, KeyError):
        return str(uid)


def _extension(shake: Handshake | None, name: str) -> bool | Unknown:
    if shake is None:
        return Unknown("there is no display to ask")
    if shake.extensions is None:
        return Unknown(f"the X server was not asked: {shake.reason or shake.status.value}")
    return name in shake.extensions


def _server_kind(
    found: DisplayFound, shake: Handshake | None, platform: str, root: Path | None, peer: int | None
) -> str | Unknown | None:
    if shake is None:
        return None
    if not shake.ok and shake.address is None:
        return None  # nobody listens
    base = root or Path("/")
    if platform == "darwin":
        return "xquartz"
    if shake.extensions and "XWAYLAND" in shake.extensions and not (base / "mnt/wslg").exists():
        return "xwayland"
    if (base / "mnt/wslg/.X11-unix").is_dir() and (found.display or "").startswith(":"):
        return "wslg"
    for words, kind in _VENDORS.items():
        if words in shake.vendor:
            return kind
    if peer is not None:
        with contextlib.suppress(OSError):
            listener = (base / f"proc/{peer}/comm").read_text(encoding="utf-8").strip()
            return _SERVERS.get(listener, "other")
    return Unknown("the X server does not say what it is" if shake.ok else "the X server does not let us in")


def _peer(shake: Handshake | None) -> int | None:
    """The process that listens on the socket (unix(7), SO_PEERCRED); None where it cannot be seen."""
    address = shake.address if shake else None
    if address is None or address.kind is AddressKind.TCP or not hasattr(socket, "SO_PEERCRED"):
        return None
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as link:
        link.settimeout(1.0)
        link.connect(f"\0{address.path}" if address.kind is AddressKind.ABSTRACT else address.path)
        pid, _, _ = struct.unpack("3i", link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        return int(pid) or None
    return None


def _session(environ: Mapping[str, str], platform: str, system: SystemFacts) -> str:
    """What kind of session the user sits in; "" where it cannot be told."""
    if platform == "win32":
        return "windows"
    if "WSL_DISTRO_NAME" in environ or "microsoft" in system.release.lower():
        return "wsl"
    if environ.get("WAYLAND_DISPLAY"):
        return "wayland"
    kind = environ.get("XDG_SESSION_TYPE", "")
    if kind in {"x11", "wayland", "tty"}:
        return kind
    if platform == "darwin":
        return "" if environ.get("SSH_CONNECTION") else "aqua"
    return ""
