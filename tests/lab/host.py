"""What every host has: a fresh overlay of a tree, accounts, keys, a port; the base of those in hosts.py."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import shlex
import subprocess
import time
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from tests.lab import disk, installed, runs, snapshots, trees
from tests.lab.reach import banner, claim_port, client_key
from tests.lab.runs import LabError, current_run, wait_for
from tests.lab.setup import Setup, prepare

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

HostT = TypeVar("HostT", bound="Host")
__all__ = ["Host", "Ran", "banner", "text"]

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Ran(NamedTuple):
    """What a command on a host ended with; a signal is a negative ``rc``."""

    rc: int
    stdout: str
    stderr: str


class Host:
    """A Debian machine reached by ssh on a loopback port; a context manager that leaves nothing behind."""

    def __init__(
        self,
        suite: str = "bookworm",
        variant: str = "bare",
        setup: Setup | None = None,
        *,
        address: str = "127.0.0.1",
    ) -> None:
        self.suite, self.variant = suite, variant
        self.setup = setup or Setup()
        self.layers = trees.tree(suite, variant)
        if self.setup.x11fwd:
            self.layers = replace(self.layers, folders=(installed.layer(), *self.layers.folders))
        self.run_record = current_run()
        self.dir = self.run_record.claim("host")
        self.hostname = self.setup.hostname or f"{suite}-{self.dir.name.rpartition('-')[2]}"
        self.address = address
        self.port, self._port_lock = claim_port()
        self.users = ("ana", "ben", "root")
        self.password, self.ben_password = trees.PASSWORD, trees.BEN_PASSWORD
        self.key_path = client_key()
        self.started_in = 0.0  # seconds from the call to the first ssh banner
        self._processes: list[subprocess.Popen[bytes]] = []
        begun = time.monotonic()
        try:
            disk.mount(self.dir, self.layers, self.setup.disk_mb)
            prepare(self)
            self.start()
        except BaseException:
            self.stop()
            raise
        self.started_in = time.monotonic() - begun

    # -- the parts that differ by kind

    def start(self) -> None:
        """Start sshd (or boot), until the port answers with an ssh banner; the constructor calls it."""
        raise NotImplementedError

    def first_process(self) -> int | None:
        """The pid, on this machine, of the host's process 1; None when it does not run."""
        raise NotImplementedError

    def inside(self) -> list[str]:
        """The argv prefix that enters the host's namespaces and root."""
        raise NotImplementedError

    def sshd_log(self) -> str:
        """What sshd has logged since the start."""
        raise NotImplementedError

    def _enter(self, *namespaces: str) -> list[str]:
        first = self.first_process()
        if first is None:
            raise LabError(f"{self!r} is not running")
        return ["nsenter", "-t", str(first), *namespaces, "--"]

    @property
    def machine(self) -> str:
        """A name that no host of the tests beside has, as systemd-nspawn keeps folders by it in /run."""
        return f"x11fwd-lab-{self.run_record.owner_pid}-{self.dir.name}"

    # -- where it lies

    @property
    def root(self) -> Path:
        """The host's file tree as it is now."""
        return self.dir / "root"

    @property
    def upper(self) -> Path:
        """What differs from the cached tree; overlayfs marks a deleted file by a 0:0 character device."""
        return self.dir / "disk" / "upper"

    @property
    def known_hosts_line(self) -> str:
        """The line of known_hosts(5) for this host's ed25519 key and port."""
        return f"[{self.address}]:{self.port} {self.host_key()}\n"

    def host_key(self, kind: str = "ed25519") -> str:
        """The public host key, ``<type> <base64>``."""
        public = (self.root / f"etc/ssh/ssh_host_{kind}_key.pub").read_text(encoding="ascii")
        return " ".join(public.split()[:2])

    def fingerprint(self, kind: str = "ed25519") -> str:
        """The host key's fingerprint as ssh prints it: ``SHA256:…``."""
        digest = hashlib.sha256(base64.b64decode(self.host_key(kind).split()[1])).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

    # -- what a test does with it

    def run(
        self,
        argv: Sequence[str],
        input: str | bytes | None = None,  # noqa: A002  subprocess calls it so
        user: str = "root",
        *,
        env: Mapping[str, str] | None = None,
        limit: float = 900,  # a busy machine needs 300 s to install what matplotlib needs
    ) -> Ran:
        """Run a command inside, with a clean environment and no terminal; a non-zero exit is data."""
        data = input.encode() if isinstance(input, str) else input
        # Empty input, not /dev/null: a program sees the end of its input at once.
        done = subprocess.run(
            self._argv(argv, user, env), input=data or b"", capture_output=True, timeout=limit, check=False
        )
        return Ran(done.returncode, text(done.stdout), text(done.stderr))

    def popen(self, argv: Sequence[str], *, user: str = "root") -> subprocess.Popen[bytes]:
        """Start a command inside with pipes for its streams; it ends with the host at the latest.

        Its pid is that of nsenter on this machine: a signal to it does not reach the program, the end of
        its standard input does.
        """
        pipe = subprocess.PIPE
        return subprocess.Popen(self._argv(argv, user, None), stdin=pipe, stdout=pipe, stderr=pipe)

    def _argv(self, argv: Sequence[str], user: str, env: Mapping[str, str] | None) -> list[str]:
        name, uid, gid, home, shell = self._account(user)
        base = {"PATH": PATH, "HOME": home, "USER": name, "LOGNAME": name, "SHELL": shell}
        base |= {"LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", **(env or {})}
        drop = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--init-groups"] if uid else []
        return [*self.inside(), "env", "-i", *(f"{k}={v}" for k, v in base.items()), *drop, *argv]

    def check(self, argv: Sequence[str], *, user: str = "root") -> str:
        """Like ``run``, but a failure is a LabError; returns standard output."""
        ran = self.run(argv, user=user)
        if ran.rc:
            raise LabError(f"{self.hostname}: {shlex.join(argv)}: exit {ran.rc}\n{ran.stdout}{ran.stderr}")
        return ran.stdout

    def write(self, path: str, content: str | bytes, *, mode: int = 0o644, user: str = "root") -> None:
        """Write a file (and the folders above it, 0755) in the host's tree, owned by ``user``."""
        _, uid, gid, _, _ = self._account(user)
        target = self.root / path.lstrip("/")
        missing = [p for p in (target.parent, *target.parent.parents) if not p.exists()]
        target.parent.mkdir(parents=True, exist_ok=True)
        for folder in missing:
            os.chown(folder, uid, gid)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        target.chmod(mode)
        os.chown(target, uid, gid)

    def authorize(self, user: str, prefix: str = "", *, key: str = "") -> None:
        """Make ``~user/.ssh/authorized_keys`` hold one key (the lab's own), after ``prefix`` options."""
        home = self._account(user)[3]
        line = f"{prefix} {key or client_key().with_suffix('.pub').read_text()}".strip() + "\n"
        (self.root / home[1:] / ".ssh").mkdir(mode=0o700, exist_ok=True)
        os.chown(self.root / home[1:] / ".ssh", *self._account(user)[1:3])
        self.write(f"{home}/.ssh/authorized_keys", line, mode=0o600, user=user)

    def snapshot(self) -> snapshots.Tree:
        """Record every entry of the tree but the volatile places; compare two with ``snapshots.diff``."""
        return snapshots.take(self.root, self.upper, self.layers.folders)

    def stop(self) -> None:
        """End every process of the host, unmount and delete it; new packages are kept for other hosts."""
        for process in self._processes:
            # The end of a PID namespace's first process returns when all others in it have ended.
            if (first := self.first_process()) is not None:
                runs.kill(runs.identity_of(first))
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=5)  # unshare and systemd-nspawn end by themselves then
            runs.kill(runs.identity_of(process.pid))
            process.wait(timeout=60)
        self._port_lock.close()
        if self.dir.exists():
            disk.harvest(self.dir, self.suite)
            runs.remove(self.dir)

    def __enter__(self: HostT) -> HostT:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.suite} {self.variant}, port {self.port})"

    # -- how it is made

    def _account(self, user: str) -> tuple[str, int, int, str, str]:
        for line in (self.root / "etc/passwd").read_text(encoding="utf-8").splitlines():
            parts = line.split(":")
            if parts[0] == user:
                return user, int(parts[2]), int(parts[3]), parts[5], parts[6]
        raise LabError(f"{self.hostname} has no user {user!r}")

    def _spawn(
        self, argv: Sequence[str], log: Path, env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        with log.open("ab") as out:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                env=env,
                cwd="/",
            )
        self._processes.append(process)
        self.run_record.record(process.pid)
        return process

    def wait_for_banner(self, limit: float, log: Path) -> None:
        """Wait until sshd greets on the host's port; a LabError ends with what ``log`` holds."""

        def ready() -> bool:
            if self._processes and self._processes[-1].poll() is not None:
                raise LabError(f"{self!r} ended: {log.read_text(errors='replace')[-2000:]}")
            if not banner(self.address, self.port).startswith("SSH-"):
                return False
            if first := self.first_process():
                self.run_record.record(first)
            return True

        try:
            wait_for(ready, limit=limit, what=f"the ssh banner of {self!r}")
        except LabError as error:
            raise LabError(f"{error}\n{log.read_text(errors='replace')[-2000:]}") from error


def text(data: bytes) -> str:
    """What a program wrote, undecodable bytes kept."""
    return data.decode("utf-8", "surrogateescape")
