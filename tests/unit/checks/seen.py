"""Facts of a healthy pair of machines, and ways to break one thing; for tests of checks, ui and cli."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from x11fwd.checks import root_cause
from x11fwd.checks.check import Seen
from x11fwd.facts.model import (
    AuthorityFile,
    HomeFacts,
    LocalFacts,
    MatplotlibFacts,
    PackageManager,
    Privilege,
    PrivilegeKind,
    PythonFacts,
    PythonKind,
    RemoteFacts,
    SettingSource,
    SshdFacts,
    SystemFacts,
    Unknown,
    XauthFacts,
)
from x11fwd.transports.base import X11Outcome
from x11fwd.x11.client import Attempt, Handshake, HandshakeStatus
from x11fwd.x11.display import Address, AddressKind
from x11fwd.x11.wire import ByteOrder, Setup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from x11fwd.checks.report import Finding

SOCKET = Address(AddressKind.UNIX, path="/tmp/.X11-unix/X0")
SETUP = Setup("The X.Org Foundation", 12101007, 0, 0, 65535, ByteOrder.LITTLE, 32, 8, 255, (), ())
ANSWERED = Handshake(
    HandshakeStatus.OK, seconds=0.002, address=SOCKET, attempts=(Attempt(SOCKET),), setup=SETUP
)
MAIN = "/etc/ssh/sshd_config"
DEBIAN = SystemFacts("Linux", os_id="debian", version_id="12", pretty_name="Debian GNU/Linux 12 (bookworm)")


def refused_by_server(status: HandshakeStatus, reason: str) -> Handshake:
    """A handshake that came to nothing."""
    return Handshake(status, reason, address=SOCKET, attempts=(Attempt(SOCKET, reason),))


def healthy_local() -> LocalFacts:
    return LocalFacts(
        DEBIAN,
        display=":0",
        display_candidates=(":0",),
        display_used=":0",
        server_kind="xorg",
        handshake=ANSWERED,
        authority=AuthorityFile("/home/ana/.Xauthority", exists=True, owner="ana", mode=0o600, writable=True),
        has_cookie=True,
        security_extension=True,
        xauth=XauthFacts("/usr/bin/xauth", "1.1.2"),
        ssh_path="/usr/bin/ssh",
        ssh_version="OpenSSH_9.2p1 Debian-2+deb12u7",
        session="x11",
    )


def healthy_remote() -> RemoteFacts:
    python = PythonFacts(
        "/usr/bin/python3",
        found_by="login shell",
        executable="/usr/bin/python3",
        version="3.11.2",
        prefix="/usr",
        base_prefix="/usr",
        kind=PythonKind.SYSTEM,
        tkinter="8.6.13",
        qt=None,
        matplotlib=MatplotlibFacts(
            "3.6.3",
            rc_file="/home/ana/.config/matplotlib/matplotlibrc",
            rc_backend=SettingSource("/home/ana/.config/matplotlib/matplotlibrc", 1, text="backend: TkAgg"),
            backend_wish=(
                "TkAgg",
                SettingSource("/home/ana/.config/matplotlib/matplotlibrc", 1, text="backend: TkAgg"),
            ),
            backend="TkAgg",
            user_rc="/home/ana/.config/matplotlib/matplotlibrc",
            user_rc_exists=True,
        ),
    )
    return RemoteFacts(
        system=DEBIAN,
        user="ana",
        uid=1000,
        home=HomeFacts("/home/ana", exists=True, writable=True, full=False, free_bytes=10**10, owner="ana"),
        shell="/bin/bash",
        privilege=Privilege(PrivilegeKind.SUDO_PASSWORD),
        package_manager=PackageManager("apt", "/usr/bin/apt-get"),
        sshd=SshdFacts(
            "/usr/sbin/sshd",
            "OpenSSH_9.2p1 Debian-2+deb12u7",
            service=("systemd", "ssh.service"),
            config_file=MAIN,
            files=MappingProxyType({MAIN: "X11Forwarding yes\n"}),
            effective=MappingProxyType({"x11forwarding": "yes", "disableforwarding": "no"}),
        ),
        xauth=XauthFacts("/usr/bin/xauth", "1.1.2"),
        authority=AuthorityFile("/home/ana/.Xauthority", exists=True, owner="ana", mode=0o600, writable=True),
        start_environment=MappingProxyType({"DISPLAY": "localhost:10.0"}),
        login_environment=MappingProxyType({"DISPLAY": "localhost:10.0"}),
        login_path="/usr/bin:/bin",
        pythons=(python,),
        x11=X11Outcome(requested=True, granted=True),
        remote_handshake="ok",
        round_trip=0.012,
    )


def healthy() -> Seen:
    return Seen(
        healthy_local(), healthy_remote(), host="gpu1", target="ana@gpu1", route="paramiko: the default"
    )


def with_local(seen: Seen, **changes: object) -> Seen:
    return replace(seen, local=replace(seen.local, **changes))  # type: ignore[arg-type]


def with_remote(seen: Seen, **changes: object) -> Seen:
    return replace(seen, remote=replace(seen.there, **changes))  # type: ignore[arg-type]


def with_python(seen: Seen, **changes: object) -> Seen:
    return with_remote(seen, pythons=(replace(seen.python, **changes),))  # type: ignore[arg-type]


def with_matplotlib(seen: Seen, **changes: object) -> Seen:
    return with_python(seen, matplotlib=replace(seen.matplotlib, **changes))  # type: ignore[arg-type]


def with_files(seen: Seen, files: Mapping[str, str], effective: str | Unknown) -> Seen:
    """sshd with these files, which refuses X11 because of them."""
    answer = effective if isinstance(effective, Unknown) else MappingProxyType({"x11forwarding": effective})
    sshd = replace(seen.there.sshd, files=MappingProxyType(dict(files)), effective=answer)
    return refused(with_remote(seen, sshd=sshd))


def refused(seen: Seen, *remarks: str) -> Seen:
    """The remote once it has said no to X11: no DISPLAY, no handshake, and matplotlib falls back to Agg."""
    seen = with_remote(
        seen,
        x11=X11Outcome(requested=True, granted=False, remarks=remarks),
        start_environment=MappingProxyType({}),
        login_environment=MappingProxyType({}),
        remote_handshake=None,
    )
    return with_matplotlib(seen, backend="agg") if seen.python.matplotlib and _has(seen) else seen


def _has(seen: Seen) -> bool:
    matplotlib = seen.python.matplotlib
    return isinstance(matplotlib, MatplotlibFacts) and matplotlib.version is not None


def bare() -> Seen:
    """A fresh Debian server: no xauth, X11Forwarding no, neither Tk nor matplotlib."""
    seen = with_files(healthy(), {MAIN: "Port 22\nX11Forwarding no\n"}, "no")
    seen = with_remote(seen, xauth=XauthFacts(None), authority=None)
    return with_python(
        seen,
        tkinter=None,
        tkinter_problem="ModuleNotFoundError: No module named 'tkinter'",
        matplotlib=MatplotlibFacts(None, problem="ModuleNotFoundError: No module named 'matplotlib'"),
    )


def cause_of(findings: tuple[Finding, ...]) -> Finding | None:
    """The finding that is the root cause."""
    return next((one for one in findings if one.id == root_cause(findings)), None)
