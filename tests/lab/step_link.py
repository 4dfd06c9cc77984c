"""A link that moves in steps, so that round trips can be counted instead of timed; tests use it.

What either side sends is held back until both sides have fallen still: no byte comes and none of the
processes there runs. Then all that is held crosses at once, in both directions: one step, half a round trip.
However slow the machine is, a program that asks and waits needs two steps, one that does not wait none.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab import runs
from tests.lab.runs import LabError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import TracebackType

    from tests.lab.hosts import Host
    from tests.lab.person import Person

STILL = (
    0.02  # seconds without bytes and without CPU time; longer than what either half waits for more to come
)

BECOMES = 60  # seconds in which nsenter and setpriv have done their work, however busy the machine
ENOUGH = 50  # looks at what stays as it is, each when both sides are still: 2 s, more on a busy machine


class Stillness:
    """Whether the processes at both ends of a link sleep: those of a host, of people, and single ones."""

    def __init__(self, host: Host, people: Sequence[Person] = (), pids: Iterable[int] = ()) -> None:
        first = host.first_process()
        self._space = Path(f"/proc/{first}/ns/pid").readlink()
        self._uids = {person.uid for person in people}
        self._pids = set(pids)
        self._mine: set[tuple[str, int]] = set()  # (pid, start) of those that belong here
        self._strange: dict[tuple[str, int], float] = {}  # and of others, with the time of the first look
        with os.scandir("/proc") as processes:
            for process in processes:
                with contextlib.suppress(OSError):
                    if process.name.isdigit():
                        self._belongs(process)
        # who is somebody else's now stays so: what the test counts, it starts after this
        self._strange = dict.fromkeys(self._strange, float("-inf"))

    def spent(self) -> int | None:
        """Nanoseconds of CPU that they have used; None while one of them runs, or waits for a disk."""
        total = 0
        with os.scandir("/proc") as processes:
            for process in processes:
                if not process.name.isdigit():
                    continue
                with contextlib.suppress(OSError, IndexError, ValueError):
                    if not self._belongs(process):
                        continue
                    for task in Path(process.path, "task").iterdir():
                        if (task / "stat").read_bytes().rpartition(b")")[2].split()[0] in {b"R", b"D"}:
                            return None
                        total += int((task / "schedstat").read_bytes().split()[0])
        return total

    def _belongs(self, process: os.DirEntry[str]) -> bool:
        pid = int(process.name)
        if pid in self._pids:
            return True
        key = process.name, process.stat().st_ctime_ns
        if key in self._mine:
            return True
        now = time.monotonic()
        # A process becomes a person's, or a host's, some time after its start: a no is believed later.
        if now - self._strange.setdefault(key, now) > BECOMES:
            return False
        mine = Path(process.path, "ns/pid").readlink() == self._space or runs.uid_of(pid) in self._uids
        if mine:
            self._mine.add(key)
        return mine


class StepLink:
    """A TCP link in front of a server; connect to ``link.address`` and ``link.port``. Starts open.

    ``delay`` is how many seconds a batch takes while it is open, so that both ends know that they are apart.
    """

    def __init__(self, port: int, address: str = "127.0.0.1", *, delay: float = 0.0) -> None:
        self._delay = delay
        self._target = (address, port)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=32)
        self.address = "127.0.0.1"
        self.port: int = self._listener.getsockname()[1]
        self.steps = 0
        self.bytes_up = self.bytes_down = 0
        self._held: dict[socket.socket, bytearray] = {}  # by where it will go
        self._peer: dict[socket.socket, socket.socket] = {}
        self._up: set[socket.socket] = set()  # the clients' ends
        self._ended: set[socket.socket] = set()  # nothing more comes from there
        self._stepping = False
        self._lock = threading.RLock()
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._stop = False
        self._last = time.monotonic()  # when a byte came
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    # -- steps

    def hold(self) -> None:
        """From now on bytes cross only in steps."""
        with self._lock:
            self._stepping, self.steps = True, 0

    def open(self) -> None:
        """Let bytes pass freely again, those held first."""
        with self._lock:
            self._stepping = False
            self._cross()

    def step(self, still: Stillness, *, limit: float = 90) -> bool:
        """Wait until both sides are still, then let cross what is held; whether there was anything.

        Raises:
            LabError: they were not still in time.
        """
        end = time.monotonic() + limit
        while True:
            began, spent = time.monotonic(), still.spent()
            while spent is not None and time.monotonic() - began < STILL:
                time.sleep(STILL / 4)
            with self._lock:
                quiet = spent is not None and self._last < began and not self._readable()
                if quiet and still.spent() == spent:
                    return self._cross()
            if time.monotonic() > end:
                raise LabError(f"the two sides of the link were not still for {STILL} s in {limit:g} s")
            time.sleep(0.002)

    def run_steps(
        self, still: Stillness, seen: Callable[[], int], *, chatty: bool = False, limit: float = 480
    ) -> list[int]:
        """Step until nothing is held any more for two seconds; what ``seen`` said after each step.

        The first element is from before the first step, so the index is the number of steps. Where ends are
        ``chatty`` and never stop talking to each other, it is also over when what is seen has changed and
        then stayed as it is for ``ENOUGH`` looks; not seconds, which a busy machine spends on one step.
        """
        found = [seen()]
        end = time.monotonic() + limit
        carried = time.monotonic()
        same = 0
        while (now := time.monotonic()) - carried < 2:
            if chatty and found[-1] != found[0] and same > ENOUGH:
                break
            if now > end:
                raise LabError(f"after {len(found)} steps in {limit:g} s there was still something to carry")
            before = found[-1]
            if self.step(still):
                found.append(before)
                carried = time.monotonic()
            else:
                time.sleep(0.02)
            found[-1] = seen()
            same = same + 1 if found[-1] == before else 0
        return found

    def _readable(self) -> bool:
        return any(key.fileobj is not self._listener for key, _ in self._selector.select(0))

    def _cross(self) -> bool:
        moved = False
        for target, held in list(self._held.items()):
            if held:
                moved = True
                data, self._held[target] = bytes(held), bytearray()
                with contextlib.suppress(OSError):
                    target.sendall(data)
                if target in self._up:
                    self.bytes_down += len(data)
                else:
                    self.bytes_up += len(data)
            if self._peer[target] in self._ended:
                with contextlib.suppress(OSError):
                    target.shutdown(socket.SHUT_WR)
        self.steps += moved
        return moved

    # -- the thread that reads

    def _run(self) -> None:
        while not self._stop:
            for key, _ in self._selector.select():
                with self._lock:
                    if key.fileobj is self._listener:
                        self._accept()
                    elif key.fileobj is self._woken:
                        self._woken.recv(64)
                    elif isinstance(key.fileobj, socket.socket):
                        self._read(key.fileobj)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        server = socket.create_connection(self._target)
        self._up.add(client)
        for one, other in ((client, server), (server, client)):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._peer[one], self._held[one] = other, bytearray()
            self._selector.register(one, selectors.EVENT_READ)

    def _read(self, source: socket.socket) -> None:
        try:
            data = source.recv(1 << 18)
        except OSError:
            data = b""
        target = self._peer[source]
        if data:
            self._held[target] += data
            self._last = time.monotonic()
        else:
            self._selector.unregister(source)
            self._ended.add(source)
        if not self._stepping:
            time.sleep(self._delay)
            self._cross()

    def stop(self) -> None:
        """Close the listener and every connection."""
        self._stop = True
        self._wake.send(b"x")
        self._thread.join(timeout=5)
        for one in (*self._peer, self._listener, self._wake, self._woken):
            one.close()
        self._selector.close()

    def __enter__(self) -> StepLink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
