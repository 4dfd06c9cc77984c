"""What the tests of the engine share: a plain ssh transport, hosts, changes, and looks at a host's health."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab.host import banner
from tests.lab.runs import wait_for
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
MARK = "x11fwd-test"
# the addendum shows in the greeting which configuration the running daemon has read
ALLOW = f"# written by a test\nX11Forwarding yes\nVersionAddendum {MARK}\n".encode()
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
    round_trip: float | None = None

    def __init__(
        self, host: Host, user: str, *, port: int | None = None, one_connection: bool = False
    ) -> None:
        """`one_connection`: all that is asked goes over one login, which stays until `close`."""
        self.target = Target(typed=f"{user}@{host.hostname}", host=host.address, user=user)
        self.config = SshConfig()
        self.round_trips = 0
        self.x11 = X11Outcome()
        self._folder = tempfile.TemporaryDirectory()
        known = Path(self._folder.name) / "known_hosts"
        known.write_text(f"[{host.address}]:{port or host.port} {host.host_key()}\n")
        self._ssh = ["ssh", "-F", "none", "-i", str(host.key_path), "-o", f"UserKnownHostsFile={known}"]
        self._ssh += ["-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "ConnectTimeout=60", "-T"]
        if one_connection:
            control = str(Path(self._folder.name) / "m")
            self._ssh += [
                "-o",
                "ControlMaster=auto",
                "-o",
                f"ControlPath={control}",
                "-o",
                "ControlPersist=99",
            ]
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
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout: float = 240.0, x11: bool = False
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
        if "ControlMaster=auto" in self._ssh:
            subprocess.run([*self._ssh, "-O", "exit"], capture_output=True, check=False)
        self._folder.cleanup()

    def __enter__(self) -> PlainSsh:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


ROOT = Privilege(PrivilegeKind.ROOT)
SUDO = Privilege(PrivilegeKind.SUDO)
SUDO_PASSWORD = Privilege(PrivilegeKind.SUDO_PASSWORD)


LIMITS = EngineLimits(lock=5, packages=60, silence=30, undo_confirm=60)


def engine(
    host: Host, user: str = "root", privilege: Privilege = ROOT, *, port: int | None = None, **more: object
) -> Engine:
    """An engine over a new connection."""
    return Engine(PlainSsh(host, user, port=port), privilege, **{"limits": LIMITS, **more})  # type: ignore[arg-type]


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
        confirm_seconds=100,
    )
    return Change("sshd-x11forwarding", "Allow X11 forwarding", replace(action, **more), become=True)  # type: ignore[arg-type]


def replace_before(host: Host, path: str) -> WriteFile:
    """ALLOW in place of what a file of the host holds."""
    old = host.run(["cat", path]).stdout.encode()
    return WriteFile(path, ALLOW, hashlib.sha256(old).hexdigest())


GATE = """#!/bin/sh
# sshd for the engine's questions; the call whose number is in /tmp/stop-at waits for /tmp/go
n=$(($(cat /tmp/calls 2>/dev/null || echo 0) + 1))
echo $n >/tmp/calls
if [ "$n" = "$(cat /tmp/stop-at 2>/dev/null)" ]; then
    : >/tmp/stopped
    while [ ! -e /tmp/go ]; do sleep 0.05; done
fi
exec /usr/sbin/sshd "$@"
"""
STEPS = {
    1: "the configuration as it is",
    2: "the candidate alone",
    3: "the whole with the candidate",
    4: "asked what this login would get",
    5: "installed, tested",
    6: "installed, asked",
    7: "just before the reload",
    8: "the reload",
}
"""What the engine asks sshd for, call by call (steps/engine/50-sshd.sh)."""


def gated(host: Host, stop_at: int) -> dict[str, object]:
    """Make the engine's `stop_at`-th question to sshd wait; arguments for `sshd_change`."""
    host.write("/usr/local/sbin/sshd-gate", GATE, mode=0o755)
    host.write("/tmp/stop-at", f"{stop_at}\n")
    return {"binary": "/usr/local/sbin/sshd-gate"}


def end_the_watchers_patience(host: Host) -> None:
    """As if its seconds were over, at a moment that the test chooses; needs no room on the host's disk."""
    host.check(["sh", "-c", "cd /var/lib/x11fwd/pending/* && mv not-now now"])


def wait_at_gate(host: Host) -> None:
    wait_for(lambda: (host.root / "tmp/stopped").exists(), limit=90, what="the engine at the gate")


def open_gate(host: Host) -> None:
    host.write("/tmp/go", "")


def workers(host: Host) -> list[str]:
    """Parts of the engine that run on a host: `PID ARGUMENTS`."""
    lines = host.run(["ps", "-eo", "pid=,args="]).stdout.splitlines()
    return [line.strip() for line in lines if "/engine.sh " in line]


# Booted hosts share this machine's network: while another test's host has a display of the same number, undo
# takes the cookies of ours for used ones and rightly leaves the file (pipeline/undo_sweep.sh).
COOKIES = ("/home/ana/.Xauthority",)


def settle(host: Host, limit: float = 180) -> None:
    """Wait until nothing of x11fwd's runs on the host any more."""
    wait_for(lambda: not workers(host), limit=limit, what=f"the end of x11fwd's work on {host!r}", every=0.1)


def speaks(host: Host, *, marked: bool) -> bool:
    """Somebody listens, and it is the daemon that has read our file (`marked`) or the one that has not.

    Between its two lives, while SIGHUP makes it execute itself again, a daemon says nothing at all.
    """
    said = banner(host.address, host.port)
    return said.startswith("SSH-") and (MARK in said) == marked


def health(host: Host, state: str = "var/lib/x11fwd") -> str:
    """What a host has come to: `new` or `old`; anything half-way fails.

    sshd accepts its files, the running daemon has read just these, ana can log in, nothing temporary is left,
    and the journal says the same.
    """
    wait_for(lambda: banner(host.address, host.port).startswith("SSH-"), limit=90, what="a daemon")
    assert PlainSsh(host, "ana").run(("true",)).exit_status == 0, "ana cannot log in"
    valid = host.run(["/usr/sbin/sshd", "-t"])  # after the login: a socket's sshd brings /run/sshd along
    assert valid.rc == 0, valid.stderr
    # asked inside: a disk that a test has mounted there does not show in host.root
    script = f"""
    cat {DROP_IN} 2>/dev/null; echo; echo --
    find /etc/ssh -name '.x11fwd-*'; echo --
    ls -d /{state}/pending /{state}/lock 2>/dev/null; echo --
    ls /{state}/journal/*-sshd 2>/dev/null | grep state-
    """
    content, left, unsettled, states = (
        part.strip("\n") for part in host.run(["sh", "-c", script]).stdout.split("--\n")
    )
    assert content in {"", ALLOW.decode().strip()}, content
    said = "a daemon that has read what its files say"
    wait_for(lambda: speaks(host, marked=bool(content)), limit=90, what=said)
    assert not left, left
    assert not unsettled, unsettled
    assert states == ("state-done" if content else ""), states
    return "new" if content else "old"


class Heard(list[SpokenLine]):
    """A listener that keeps what it hears."""

    def __call__(self, line: SpokenLine) -> None:
        self.append(line)

    def text(self) -> str:
        return "\n".join(line.text for line in self)
