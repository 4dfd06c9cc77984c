"""What one test process holds on this machine (processes, mounts, folders), and its end; lab modules only.

Everything the lab makes lies in ``<cache>/runs/<pid>-<start time>/``, so that a later session can see whose
it was, and that the owner is dead. A guardian process holds the other end of a pipe: when the owner dies,
even by SIGKILL, the guardian takes the run down.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tests.lab import cgroups

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")
DEFAULT_CACHE = "/var/cache/x11fwd-lab"


class LabError(RuntimeError):
    """The lab could not build or start something; the message says what and how to cure it."""


def cache_dir() -> Path:
    """The folder outside the checkout in which trees, packages and runs live (``X11FWD_LAB_CACHE``)."""
    path = Path(os.environ.get("X11FWD_LAB_CACHE") or DEFAULT_CACHE)
    for folder in (path, path / "runs"):
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o755)  # whatever the umask: people's homes and Python lie below
    return path


def wait_for(condition: Callable[[], bool], *, limit: float, what: str, every: float = 0.005) -> None:
    """Wait until ``condition()`` is true, at most ``limit`` seconds.

    Raises:
        LabError: it was not true in time; the message names ``what``.
    """
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            raise LabError(f"waited {limit:g} s for {what}")
        time.sleep(every)


def in_time(
    limit: float, work: Callable[[], T], *, before: Callable[[], object] = lambda: None, tries: int = 5
) -> T:
    """What ``work()`` returns in a try that takes less than ``limit`` seconds; ``before()`` does not count.

    A busy machine is late now and then; a wait that is built in comes every time.

    Raises:
        LabError: no try was quick enough.
    """
    took = []
    for _ in range(tries):
        before()
        start = time.monotonic()
        found = work()
        took.append(time.monotonic() - start)
        if took[-1] < limit:
            return found
    raise LabError(f"never within {limit:g} s, but {', '.join(f'{one:.1f}' for one in took)}")


def call(argv: Sequence[str], *, text: str | None = None, limit: float = 600) -> str:
    """Run a command of this machine and return its standard output.

    Raises:
        LabError: it failed; the message holds the command and the end of what it said.
    """
    done = subprocess.run(
        argv, input=text, capture_output=True, text=True, errors="replace", timeout=limit, check=False
    )
    if done.returncode:
        raise LabError(
            f"{' '.join(argv)}: exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    return done.stdout


def start_time(pid: int) -> int | None:
    """The start time of a living process in clock ticks (proc(5), stat field 22), None if it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} else int(fields[19])


def is_alive(identity: str) -> bool:
    """Whether ``<pid>-<start time>`` names a process that lives; a reused pid has another start time."""
    pid, _, started = identity.partition("-")
    return pid.isdigit() and started.isdigit() and int(started) == start_time(int(pid))


def identity_of(pid: int) -> str:
    """``<pid>-<start time>`` of a process."""
    return f"{pid}-{start_time(pid)}"


class Run:
    """The folder of one test process and the record of what must be taken down with it."""

    def __init__(self, owner_pid: int) -> None:
        self.owner_pid = owner_pid
        self.dir = cache_dir() / "runs" / identity_of(owner_pid)
        (self.dir / "processes").mkdir(parents=True, exist_ok=True)
        (self.dir / "uids").mkdir(exist_ok=True)
        self.dir.chmod(0o711)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._guardian = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("sweep.py")), "--when-stdin-ends", str(self.dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )

    def claim(self, kind: str) -> Path:
        """A new empty folder, ``<kind>-<n>``, gone with the run."""
        path = self.dir / f"{kind}-{self.number()}"
        path.mkdir()
        path.chmod(0o755)
        return path

    def number(self) -> int:
        """A number that nothing else in this run has."""
        with self._lock:
            return next(self._numbers)

    def record(self, pid: int) -> None:
        """Note a process (and its process group, where it leads one) that must not outlive the run."""
        (self.dir / "processes" / identity_of(pid)).touch()

    def record_uid(self, uid: int) -> None:
        """Note a user id of which no process must outlive the run."""
        (self.dir / "uids" / str(uid)).touch()

    def close(self) -> None:
        """Take everything down and let the guardian go."""
        take_down(self.dir)
        if self._guardian.stdin:
            with contextlib.suppress(OSError):
                self._guardian.stdin.close()
        self._guardian.wait(timeout=60)


_current: Run | None = None
_current_lock = threading.Lock()


def current_run() -> Run:
    """The run of this process, made at the first call (a forked child gets its own)."""
    global _current  # noqa: PLW0603  one run per process is the whole point
    with _current_lock:
        if _current is None or _current.owner_pid != os.getpid():
            if os.geteuid() != 0:
                raise LabError("the lab needs root: sudo sh tests/run")
            _current = Run(os.getpid())
            atexit.register(_close, _current)
        return _current


def _close(run: Run) -> None:
    global _current  # noqa: PLW0603  what asks for a run after this gets a new one
    if run.owner_pid == os.getpid() and run.dir.exists():
        run.close()
        _current = None


def close_current_run() -> None:
    """Take down what this process holds, if anything."""
    if _current is not None:
        _close(_current)


def kill(identity: str) -> None:
    """SIGKILL a process, and the group it leads, if it is still the one recorded; wait until it is gone."""
    if not is_alive(identity):
        return
    pid = int(identity.partition("-")[0])
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.getpgid(pid) == pid and pid != os.getpgid(0):
            os.killpg(pid, signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not is_alive(identity), limit=60, what=f"the end of process {pid}")


def pids_of(uid: int) -> list[int]:
    """The pids of the living processes whose real user is ``uid``; zombies are their parents' business."""
    mine = [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit() and uid_of(int(p.name)) == uid]
    return sorted(pid for pid in mine if start_time(pid) is not None)


def command_line(pid: int) -> str:
    """A process's arguments, joined by spaces; empty when it is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return ""


def kill_uid(uid: int) -> None:
    """SIGKILL every process whose real user is ``uid`` until none is left."""

    def none_left() -> bool:
        pids = pids_of(uid)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not pids

    wait_for(none_left, limit=60, what=f"the end of the processes of user {uid}")


def uid_of(pid: int) -> int:
    """The real user id of a process, -1 when it is gone."""
    # /proc/PID belongs to root where the process is not dumpable (ssh-agent, sshd); Uid: tells the truth.
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("Uid:"):
                return int(line.split()[1])
    return -1


def mounts_below(path: Path) -> list[str]:
    """Mount points here at or below ``path``, the newest first (proc(5), mountinfo field 5)."""
    found = []
    table = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    for line in table.splitlines():
        point = line.split(" ")[4].replace("\\040", " ")
        if point == str(path) or point.startswith(f"{path}/"):
            found.append(point)
    return found[::-1]


def unmount_below(path: Path) -> None:
    """Unmount everything at or below ``path``; what is busy is detached (umount2(2), MNT_DETACH)."""
    for point in mounts_below(path):
        if subprocess.run(["umount", point], capture_output=True, check=False).returncode:
            subprocess.run(["umount", "-l", point], capture_output=True, check=False)
    if left := mounts_below(path):
        raise LabError(f"cannot unmount {', '.join(left)}")


def remove(path: Path) -> None:
    """Unmount what is below a folder of the lab, then delete it; never deletes through a mount (LabError)."""
    unmount_below(path)
    shutil.rmtree(path, ignore_errors=True)


def take_down(run_dir: Path) -> None:
    """End the processes, mounts and folders of one run; harmless when it is already gone."""
    if not run_dir.is_dir():
        return
    for entry in sorted((run_dir / "processes").glob("*")):
        kill(entry.name)
    for entry in sorted((run_dir / "uids").glob("*")):
        kill_uid(int(entry.name))
    remove(run_dir)
    cgroups.remove(run_dir)


def sweep() -> list[str]:
    """Take down the runs whose owner is dead; never one that lives. Returns the names of those taken down."""
    gone = []
    for run_dir in sorted((cache_dir() / "runs").glob("*")):
        if not is_alive(run_dir.name):
            take_down(run_dir)
            gone.append(run_dir.name)
    return gone
