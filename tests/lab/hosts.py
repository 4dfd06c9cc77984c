"""Hosts to reach by ssh, for tests: ``ChrootHost`` (sshd alone, at once) and ``BootedHost`` (systemd)."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from tests.lab import cgroups
from tests.lab.host import Host, Ran
from tests.lab.reach import Link
from tests.lab.runs import LabError, wait_for
from tests.lab.setup import Setup
from tests.lab.snapshots import VOLATILE, Change, Node, Tree, diff

__all__ = [
    "VOLATILE",
    "BootedHost",
    "Change",
    "ChrootHost",
    "Host",
    "LabError",
    "Node",
    "Ran",
    "Setup",
    "Tree",
    "diff",
]

INIT = Path(__file__).with_name("chroot_init.sh")


class ChrootHost(Host):
    """A host without init: sshd in a chroot, in mount, PID and UTS namespaces; the machine's own network.

    With ``Setup(own_network=True)`` it has a network of its own, in which ``address`` is reached from here
    over a veth pair: IPv6, ::1, ports and sysctls there are the test's to change.
    """

    def __init__(self, suite: str = "bookworm", variant: str = "bare", setup: Setup | None = None) -> None:
        self.link = Link.free() if setup and setup.own_network else None
        super().__init__(suite, variant, setup, address=self.link.there if self.link else "127.0.0.1")

    def start(self) -> None:
        """Start the namespaces and sshd (about 0.1 s)."""
        # --ipc: programs there must not share memory with the screen here (MIT-SHM), as over a real cable.
        unshare = ["unshare", "--mount", "--pid", "--uts", "--ipc"]
        unshare += ["--fork", "--kill-child", "--propagation=private"]
        words = [str(INIT), str(self.root), self.hostname]
        if self.link:
            unshare.append("--net")
            words += [self.link.name, self.link.here, self.link.there, f"/proc/{os.getpid()}/ns/net"]
        self._spawn([*unshare, "bash", *words], self.dir / "init.log")
        if self.link:  # before that, this machine would send our calls to its default gateway
            wait_for(self.link.is_up, limit=90, what=f"the link to {self!r}")
        self.wait_for_banner(90, self.dir / "init.log")

    def first_process(self) -> int | None:
        """The shell that runs chroot_init.sh: unshare's only child."""
        return next(iter(_children(self._processes[0].pid)), None)

    def inside(self) -> list[str]:
        """Enter the first process's namespaces and root."""
        network = ["-n"] if self.link else []
        return self._enter("-m", "-p", "-u", "-r", "-w", *network)

    def sshd_log(self) -> str:
        """sshd's own log file."""
        path = self.root / "var/log/sshd-lab.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def sshd_pid(self) -> int | None:
        """The listening sshd's pid inside the host, None when it does not run."""
        with contextlib.suppress(OSError, ValueError):
            pid = int((self.root / "run/sshd.pid").read_text())
            if self.run(["kill", "-0", str(pid)]).rc == 0:
                return pid
        return None

    def start_sshd(self) -> None:
        """Start sshd again after it ended (a chrooted host has nobody else to do it)."""
        self.check(["/usr/sbin/sshd", "-E", "/var/log/sshd-lab.log"])
        self.wait_for_banner(90, self.dir / "init.log")


class BootedHost(Host):
    """A host booted by systemd-nspawn, with ``systemctl``, journal and ``ssh.service`` or ``ssh.socket``."""

    def __init__(
        self,
        suite: str = "bookworm",
        variant: str = "bare",
        setup: Setup | None = None,
        *,
        socket_activated: bool = False,
    ) -> None:
        self.socket_activated = socket_activated
        super().__init__(suite, variant, setup)

    def start(self) -> None:
        """Boot until sshd greets and systemd has finished starting (0.3 to 5 s)."""
        if self.socket_activated:
            self.write(
                "/etc/systemd/system/ssh.socket.d/listen.conf",
                f"[Socket]\nListenStream=\nListenStream={self.address}:{self.port}\n",
            )
            self._enable("ssh.socket", "sockets.target.wants")
            self._disable("ssh.service", "multi-user.target.wants", "sshd.service")
        # With cgroups of the first kind nobody tells a container's systemd that one is empty. It looks when a
        # user's manager ends, whose helper may end a moment later, and would then wait two minutes for what
        # has gone: so long would that user's next login take.
        self.write("/etc/systemd/system/user@.service.d/lab.conf", "[Service]\nTimeoutStopSec=1s\n")
        log = self.dir / "console.log"
        nspawn = ["systemd-nspawn", "--quiet", "--boot", f"--directory={self.root}"]
        nspawn += [f"--machine={self.machine}", f"--hostname={self.hostname}"]
        nspawn += ["--register=no", "--keep-unit", "--console=pipe"]
        nspawn += ["--resolv-conf=off", "--timezone=off", "--link-journal=no"]
        # The container's cgroups must be of the kind this machine has (systemd-nspawn(1), ENVIRONMENT).
        unified = "1" if cgroups.is_unified() else "0"
        env = {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": unified, "SYSTEMD_LOG_LEVEL": "warning"}
        # A cgroup of its own: two containers in one would each take the other's units for its own.
        enter = cgroups.entering(self.run_record.dir, self.dir.name)
        self._spawn([*enter, *nspawn], log, {"PATH": os.environ["PATH"], **env})
        self.wait_for_banner(180, log)
        self.wait_until_booted()

    def wait_until_booted(self, limit: float = 180) -> None:
        """Wait until systemd has no start job left; ``degraded`` (a unit failed) counts as booted."""
        wait_for(
            lambda: self.run(["systemctl", "is-system-running"]).stdout.strip() in {"running", "degraded"},
            limit=limit,
            what=f"the end of the boot of {self!r}",
            every=0.1,
        )

    def _enable(self, unit: str, wants: str) -> None:
        link = self.root / "etc/systemd/system" / wants / unit
        link.parent.mkdir(exist_ok=True)
        if not link.is_symlink():
            link.symlink_to(f"/lib/systemd/system/{unit}")

    def _disable(self, unit: str, wants: str, alias: str) -> None:
        for link in (f"{wants}/{unit}", alias):
            (self.root / "etc/systemd/system" / link).unlink(missing_ok=True)

    def first_process(self) -> int | None:
        """systemd: the descendant of systemd-nspawn that is 1 in a PID namespace of its own."""
        todo = _children(self._processes[0].pid)
        while todo:
            pid = todo.pop(0)
            with contextlib.suppress(OSError):
                status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
                inner = next(
                    (line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:")), []
                )
                if len(inner) > 1 and inner[-1] == "1":
                    return pid
            todo += _children(pid)
        return None

    def inside(self) -> list[str]:
        """Enter the container's namespaces and root."""
        return self._enter("-m", "-p", "-u", "-i", "-r", "-w")

    def sshd_log(self) -> str:
        """The journal of ssh.service, ssh.socket and its instances, since the boot."""
        names = ("sshd", "sshd-session", "systemd")
        return self.run(["journalctl", "--no-pager", "-o", "cat", *(f"-t{name}" for name in names)]).stdout

    def stop(self) -> None:
        """Kill the container (its tree is thrown away, an orderly shutdown would cost seconds)."""
        super().stop()
        cgroups.remove(self.run_record.dir, self.dir.name)


def _children(pid: int) -> list[int]:
    # proc_pid_task(5): complete while the process does not fork, which both of ours do only at the start
    with contextlib.suppress(OSError):
        return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    return []
