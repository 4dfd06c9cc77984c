"""What was seen on either side, as frozen values that judge nothing; imported by checks, steps, pipeline, ui.

Three answers are kept apart everywhere: a value, `None` for "looked, and it is not there", and
`Unknown(reason)` for "could not look".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING

from x11fwd.facts.account import AccountFacts
from x11fwd.facts.network import NetworkFacts
from x11fwd.facts.python_model import (
    MatplotlibFacts,
    OpenCvFacts,
    PythonFacts,
    PythonKind,
    QtFacts,
    ToolkitFacts,
    WindowTry,
)
from x11fwd.facts.setting import SettingSource
from x11fwd.facts.unknown import Unknown, known
from x11fwd.transports.base import X11Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from x11fwd.facts.client import ClientFacts
    from x11fwd.facts.desktop import DesktopFacts
    from x11fwd.facts.place import PlaceFacts
    from x11fwd.x11.client import Handshake

__all__ = [
    "AccountFacts",
    "AuthorityFile",
    "HomeFacts",
    "LocalFacts",
    "MatplotlibFacts",
    "NetworkFacts",
    "OpenCvFacts",
    "PackageManager",
    "Privilege",
    "PrivilegeKind",
    "PythonFacts",
    "PythonKind",
    "QtFacts",
    "RemoteFacts",
    "SettingSource",
    "SshdFacts",
    "SystemFacts",
    "ToolkitFacts",
    "Unknown",
    "WindowTry",
    "XauthFacts",
    "known",
]

# --- both sides -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SystemFacts:
    """os-release(5), uname(1) and what runs as process 1.

    Attributes:
        kernel: `Linux`, `Darwin`, `Windows`, ….
        os_id: os-release ID (`debian`, `ubuntu`, …; `macos` on Darwin).
        os_like: os-release ID_LIKE, split.
        init: `systemd`, `openrc`, `sysvinit`, `runit`, `rc` (BSD), `shepherd`, `launchd`, `none` (a
            container), or Unknown.
        image: why programs cannot be added to the running system (`ostree`, `/usr is read-only`), "" where
            they can.
    """

    kernel: str
    release: str = ""
    machine: str = ""
    os_id: str = ""
    os_like: tuple[str, ...] = ()
    version_id: str = ""
    pretty_name: str = ""
    hostname: str = ""
    init: str | Unknown = Unknown("not asked")
    image: str = ""


@dataclass(frozen=True)
class XauthFacts:
    """The xauth program; `path` is None where PATH and the usual places have none."""

    path: str | None
    version: str | Unknown = Unknown("not asked")


@dataclass(frozen=True)
class AuthorityFile:
    """An X authority file as libXau would use it (Xau(3)).

    Attributes:
        path: the file.
        from_variable: True where XAUTHORITY names it.
        exists, is_directory, owner, mode, writable: stat(2); mode like 0o600; owner is a name or uid.
        locks: the `-c` and `-l` files that stand beside it.
        entries: display names of its records (never cookies), or Unknown.
        others: name and protocol of those that are no MIT-MAGIC-COOKIE-1 (`#ffff##: XDM-AUTHORIZATION-1`).
        holders: `/proc/PID` of programs xauth of the user's that run while there is a lock.
        left: the `-n` file that an xauth without room left behind.
    """

    path: str
    from_variable: bool = False
    exists: bool = False
    is_directory: bool = False
    owner: str = ""
    mode: int = 0
    writable: bool | Unknown = Unknown("not asked")
    locks: tuple[str, ...] = ()
    entries: tuple[str, ...] | Unknown = Unknown("not asked")
    others: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()
    left: str | None = None


# --- this machine -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LocalFacts:
    """The machine with the screen.

    Attributes:
        display: value of DISPLAY, None where unset.
        display_candidates: displays found by looking (sockets, launchctl), best first.
        display_used: what x11fwd would hand to ssh: DISPLAY, or the one found for it; None without any.
        display_problem: why `display` cannot be meant (malformed, characters that ssh refuses), or None.
        server_kind: `xorg`, `xwayland`, `xquartz`, `xvfb`, `vcxsrv`, `wslg`, `other`, or Unknown; None:
            no server.
        handshake: a real X11 handshake with `display_used` and its cookie; None where there is no display.
        authority: the authority file that libX11 would use.
        has_cookie: the authority file has a cookie for `display_used`.
        security_extension: the server offers SECURITY (untrusted cookies); Unknown without a handshake.
        xauth_location: what `ssh -G` names as XAuthLocation, None where not asked.
        ssh_path, ssh_version: the system's ssh and its `-V` line.
        session: `x11`, `wayland`, `aqua`, `tty`, `windows`, `wsl`, "" where it cannot be told.
        environment: the variables that matter here (DISPLAY, XAUTHORITY, WAYLAND_DISPLAY, SSH_CONNECTION, …).
        desktop: what is peculiar to this desktop; None where nobody looked.
        client: what the user's ssh would do for the target; None without a target.
    """

    system: SystemFacts
    display: str | None
    display_candidates: tuple[str, ...] = ()
    display_used: str | None = None
    display_problem: str | None = None
    server_kind: str | Unknown | None = Unknown("not asked")
    handshake: Handshake | None = None
    authority: AuthorityFile | None = None
    has_cookie: bool | Unknown = Unknown("not asked")
    security_extension: bool | Unknown = Unknown("not asked")
    xauth: XauthFacts = field(default_factory=lambda: XauthFacts(None))
    xauth_location: str | None = None
    ssh_path: str | None = None
    ssh_version: str | Unknown = Unknown("not asked")
    session: str = ""
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    desktop: DesktopFacts | None = None
    client: ClientFacts | None = None


# --- the remote -------------------------------------------------------------------------------------------


class PrivilegeKind(Enum):
    ROOT = "root"
    SUDO = "sudo"  # without a password
    SUDO_PASSWORD = "sudo-password"  # noqa: S105  sudo is there and asks
    DOAS = "doas"  # without a password
    NONE = "none"


@dataclass(frozen=True)
class Privilege:
    """How root's rights can be had.

    Attributes:
        kind: as sudo -n and doas -n answered; SUDO_PASSWORD may still turn out as "not in sudoers".
        evidence: sudo's or doas's own words.
    """

    kind: PrivilegeKind
    evidence: str = ""


@dataclass(frozen=True)
class PackageManager:
    """`name` is the key in the family file (`apt`, `dnf`, …); `path` where it stands."""

    name: str
    path: str


@dataclass(frozen=True)
class HomeFacts:
    """The home directory.

    Attributes:
        writable: a file was made and removed there; its failure text is in `problem`.
        free_bytes: df -P; Unknown where df could not say.
        full: a 4 kB write failed with ENOSPC or EDQUOT.
    """

    path: str
    exists: bool
    writable: bool | Unknown
    full: bool | Unknown = Unknown("not asked")
    free_bytes: int | Unknown = Unknown("not asked")
    owner: str = ""
    problem: str = ""


@dataclass(frozen=True)
class SshdFacts:
    """The daemon that let us in.

    Attributes:
        binary: path of sshd, None where not found.
        version: `OpenSSH_9.2p1 …` (from `sshd -V` or the banner).
        service: `("systemd", "ssh.service")`, `("openrc", "sshd")`, `("sysvinit", "ssh")`, `("launchd",
            label)`,
            `("pid", "812")`; Unknown where it cannot be told.
        socket_unit: `ssh.socket` where systemd listens for it: it then starts the service, or one daemon
            for each
            login, which reads the files afresh.
        config_file: the main file the running daemon uses (`-f` in its arguments, or the default).
        include_dirs: globs that the main file includes before its first own X11Forwarding or Match, in order.
        files: every file read, in read order, with its text; Unknown where not readable without root.
        effective: `sshd -T -C user=…,host=…,addr=…`: keyword in lower case -> value; Unknown without the
            right to ask.
        xauth_location: from `effective`, or Unknown.
        ours: path of x11fwd's own drop-in or marked block, where present.
        pending: a change of x11fwd's waits for its confirmation (the watcher is armed).
        problem: sshd's own words where `sshd -T` failed: a broken configuration.
        listener_pid: process id of the daemon above our session, None where it cannot be seen.
        connection: what `sshd -T -C` was asked with: `user=…,host=…,addr=…,laddr=…,lport=…`.
        globs: every Include pattern (absolute), and the files it named there, in sshd's order.
        unreadable: what of its files only root may read.
        xauth_found: the program that XAuthLocation names is there; Unknown where `effective` is.
    """

    binary: str | None
    version: str | Unknown
    service: tuple[str, str] | Unknown = Unknown("not asked")
    socket_unit: str | None = None
    config_file: str | Unknown = Unknown("not asked")
    include_dirs: tuple[str, ...] = ()
    files: Mapping[str, str] | Unknown = Unknown("not asked")
    effective: Mapping[str, str] | Unknown = Unknown("not asked")
    ours: str | None = None
    pending: bool = False
    xauth_location: str | Unknown = Unknown("not asked")
    problem: str = ""
    listener_pid: int | None = None
    connection: str = ""
    globs: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    unreadable: tuple[str, ...] = ()
    xauth_found: bool | Unknown = Unknown("not asked")


@dataclass(frozen=True)
class RemoteFacts:
    """The machine with the program.

    Attributes:
        user, uid, home, shell: who we are there (passwd(5) shell).
        start_environment: variables sshd itself set, before any start file (`/proc/$$/environ`): DISPLAY,
            SSH_CONNECTION, ….
        login_environment: DISPLAY, XAUTHORITY, MPLBACKEND, … as the user's login shell ends up with;
            Unknown where it gave no answer.
        login_path: PATH of the login shell.
        pythons: the one a user would get first.
        x11: what became of the forwarding request on this connection.
        remote_handshake: the remote's own X11 handshake through its DISPLAY: "ok", or the reason; None
            where not tried.
        round_trip: seconds, the fastest of the exchanges seen.
        noisy_login: what login files printed before our marker (at most 200 characters).
        journal: True where x11fwd changed something here before (its state directory has entries).
        groups: names of the user's groups.
        network: the loopback there.
        account: start files, terminals of earlier logins, cookies.
        command_noise: what start files print before every command (at most 200 characters).
        stored_in: the file into which sshd's xauth writes; `authority` is the one programs look into.
        place: where x11fwd itself runs, when it runs there inside the session; None from the desktop.
        banner: what the ssh server calls itself, without `SSH-2.0-`; None where nobody heard it.
        package_managers: every one that is there; `package_manager` is the distribution's own.
        modules: environment modules (`module load`) that may bring a Python, Tk or matplotlib.
    """

    system: SystemFacts
    user: str
    uid: int
    home: HomeFacts
    shell: str
    privilege: Privilege
    package_manager: PackageManager | Unknown | None
    sshd: SshdFacts
    xauth: XauthFacts
    authority: AuthorityFile | None
    start_environment: Mapping[str, str]
    login_environment: Mapping[str, str] | Unknown
    login_path: str | Unknown
    pythons: tuple[PythonFacts, ...]
    x11: X11Outcome = field(default_factory=X11Outcome)
    remote_handshake: str | Unknown | None = None
    round_trip: float | None = None
    noisy_login: str = ""
    journal: bool = False
    ssh_rc: str | None = None  # ~/.ssh/rc or /etc/ssh/sshrc where present and without xauth
    groups: tuple[str, ...] = ()
    network: NetworkFacts = field(default_factory=NetworkFacts)
    account: AccountFacts = field(default_factory=AccountFacts)
    command_noise: str = ""
    stored_in: AuthorityFile | None = None
    place: PlaceFacts | None = None
    banner: str | None = None
    package_managers: tuple[PackageManager, ...] = ()
    modules: tuple[str, ...] = ()

    @property
    def python(self) -> PythonFacts | None:
        """The interpreter a user's script would get."""
        return self.pythons[0] if self.pythons else None
