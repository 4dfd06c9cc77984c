"""What the tests of the engine share: a plain ssh transport, hosts, changes, and looks at a host's health."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from x11fwd.facts.model import Privilege, PrivilegeKind
from x11fwd.steps.engine import Engine, EngineLimits, SpokenLine
from x11fwd.steps.plan import Change, ChangeSshd, InstallPackages, PackageCommands, WriteFile
from x11fwd.target import SshConfig, Target
from x11fwd.transports.base import CommandResult, X11Outcome
from x11fwd.transports.framing import Frame
from x11fwd.transports.local import LocalStream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.lab.hosts import Host

DROP_IN = "/etc/ssh/sshd_config.d/00-x11fwd.conf"
ALLOW = b"# written by a test\nX11Forwarding yes\n"
APT_OPTIONS = ("-q", "-y", "-o", "Dpkg::Use-Pty=0", "--no-install-recommends", "--no-upgrade", "--no-remove")
APT = PackageCommands(
    name="apt",
    installed=(
        "sh",
        "-c",
        "dpkg-query -W -f '${db:Status-Status} ${Package}\\n' \"$@\" 2>/dev/null | sed -n 's/^installed //p'",
        "installed",
    ),
    all_installed=(
        "sh",
        "-c",
        "dpkg-query -W -f '${db:Status-Status} ${binary:Package}\\n' | sed -n 's/^installed //p' | sort",
    ),
    refresh=("apt-get", "-q", "update"),
    install=("apt-get", *APT_OPTIONS, "install"),
    remove=("dpkg", "--purge"),
    lock_files=("/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock"),
    environment=(("DEBIAN_FRONTEND", "noninteractive"),),
)


class PlainSsh:
    """The system's ssh as a transport, as small as the engine needs it."""

    name = "openssh"
    reason = "a test"
    server_version: str | None = None

    def __init__(self, host: Host, user: str, *, port: int | None = None) -> None:
        self.target = Target(typed=f"{user}@{host.hostname}", host=host.address, user=user)
        self.config = SshConfig()
        self.round_trips = 0
        self.x11 = X11Outcome()
        self._folder = tempfile.TemporaryDirectory()
        known = Path(self._folder.name) / "known_hosts"
        known.write_text(f"[{host.address}]:{port or host.port} {host.host_key()}\n")
        self._ssh = ["ssh", "-F", "none", "-i", str(host.key_path), "-o", f"UserKnownHostsFile={known}"]
        self._ssh += ["-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "ConnectTimeout=10", "-T"]
        self._ssh += ["-p", str(port or host.port), f"{user}@{host.address}"]
        self.processes: list[subprocess.Popen[bytes]] = []

    def stream(self, argv: Sequence[str], *, x11: bool = False) -> LocalStream:
        self.round_trips += 1
        command = "exec /bin/sh -c '" + Frame.random().stream_command(argv).partition("'")[2]
        # the begin mark is taken for output; the engine's own marks are what counts here
        process = subprocess.Popen(
            [*self._ssh, command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.processes.append(process)
        return LocalStream(process)

    def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout: float = 60.0, x11: bool = False
    ) -> CommandResult:
        self.round_trips += 1
        words = Frame.random().command(argv)
        done = subprocess.run(
            [*self._ssh, words], input=stdin, capture_output=True, timeout=timeout, check=False
        )
        return CommandResult(done.returncode, done.stdout, done.stderr)

    def put(self, path: str, data: bytes, *, mode: int = 0o600) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self._folder.cleanup()

    def __enter__(self) -> PlainSsh:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


ROOT = Privilege(PrivilegeKind.ROOT)
SUDO = Privilege(PrivilegeKind.SUDO)
SUDO_PASSWORD = Privilege(PrivilegeKind.SUDO_PASSWORD)


def engine(host: Host, user: str = "root", privilege: Privilege = ROOT, **more: object) -> Engine:
    """An engine over a new connection."""
    limits = EngineLimits(lock=5, packages=60, silence=30, undo_confirm=5)
    return Engine(PlainSsh(host, user), privilege, **{"limits": limits, **more})  # type: ignore[arg-type]


def write(
    path: str, content: bytes, before: bytes | None, *, become: bool = False, mode: int = 0o644
) -> Change:
    digest = None if before is None else hashlib.sha256(before).hexdigest()
    return Change("file-test", f"Write {path}", WriteFile(path, content, digest, mode), become)


def packages(*names: str) -> Change:
    return Change("packages-system", f"Install {' '.join(names)}", InstallPackages(APT, names), become=True)


def sshd_change(host: Host, **more: object) -> Change:
    """X11Forwarding yes by a drop-in, as the planner would have it on a host without init."""
    action = ChangeSshd(
        file=WriteFile(DROP_IN, ALLOW, None),
        binary="/usr/sbin/sshd",
        config_file="/etc/ssh/sshd_config",
        custom_config=False,
        expect=(("x11forwarding", "yes"),),
        connection=f"user=ana,host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport={host.port}",
        reload=(("kill", "-HUP", "{pid}"),),
        confirm_seconds=5,
    )
    return Change("sshd-x11forwarding", "Allow X11 forwarding", replace(action, **more), become=True)  # type: ignore[arg-type]


class Heard(list[SpokenLine]):
    """A listener that keeps what it hears."""

    def __call__(self, line: SpokenLine) -> None:
        self.append(line)

    def text(self) -> str:
        return "\n".join(line.text for line in self)
