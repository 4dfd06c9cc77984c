"""Both halves of the bridge on this machine, without ssh between them; tests and fuzzing use it."""

from __future__ import annotations

import collections
import contextlib
import os
import select
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab.runs import LabError, current_run, wait_for
from x11fwd.bridge.local import names
from x11fwd.bridge.local.half import LocalHalf
from x11fwd.bridge.local.server import XServer

if TYPE_CHECKING:
    from types import TracebackType

    from tests.lab.screen import Screen

CHECKOUT = Path(__file__).resolve().parents[2]
RUN = "import sys; from x11fwd.bridge.remote.main import main; sys.exit(main(sys.argv[1:]))"


class BridgePair:
    """A display that leads over the bridge to a screen; `.display`, `.authority`, `.env()`.

    `cookie` is what the local half shows, the screen's own if none is given.
    `delay` is seconds one way. `turns` counts how often the remote half's side fell silent and spoke again
    after it had heard something: with a delay that is how often somebody waited for a round trip.
    """

    def __init__(
        self, screen: Screen, *, delay: float = 0.0, python: str = sys.executable, cookie: bytes = b""
    ) -> None:
        self._folder = current_run().claim("bridge")
        cookie = cookie or bytes.fromhex(screen.cookie)
        number = screen.display[1:]

        def connect() -> socket.socket:
            opened = socket.socket(socket.AF_UNIX)
            opened.connect(f"/tmp/.X11-unix/X{number}")
            return opened

        self.half = LocalHalf(XServer(connect, b"MIT-MAGIC-COOKIE-1", cookie), "-")
        self.log = self._folder / "remote.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [python, "-c", RUN, str(self._folder), "0", "-"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={"PYTHONPATH": str(CHECKOUT), "PATH": os.environ["PATH"]},
            )
        assert self.process.stdin
        assert self.process.stdout
        self.up = self.down = 0  # bytes to the local half, to the remote half
        self.sentence: str | None = None
        reading, writing = self.process.stdout.fileno(), self.process.stdin.fileno()
        self._line: _Line | None = None
        if delay:
            self._line = _Line(reading, writing, delay)
            reading, writing = self._line.reading, self._line.writing
        self._thread = threading.Thread(target=self._run, args=(reading, writing), daemon=True)
        self._thread.start()
        wait_for(
            lambda: self.half.ready is not None or self.sentence is not None, limit=60, what="the bridge"
        )
        if self.half.ready is None:
            raise LabError(f"the bridge did not start: {self.sentence} {self.log.read_text()}")
        self.display, self.authority = self.half.ready.display, self.half.ready.authority

    def _run(self, reading: int, writing: int) -> None:
        self.sentence = self.half.run(reading, writing)

    def wait_for_atoms(self) -> None:
        """Until the X server has the atoms that the local half makes ahead; the display may come before."""
        wait_for(lambda: self._atoms() >= set(names.atoms()), limit=60, what="atoms")

    def _atoms(self) -> set[bytes]:
        keeper = self.half._keeper
        ahead = None if keeper is None else keeper._prefetch
        return set() if ahead is None else set(ahead._atoms)

    def env(self) -> dict[str, str]:
        return {"DISPLAY": self.display, "XAUTHORITY": self.authority}

    def counts(self) -> dict[str, int]:
        return self._line.counts() if self._line else {}

    def stop(self) -> None:
        """End both halves."""
        self.half.stop()
        self._thread.join(timeout=10)
        assert self.process.stdin
        self.process.stdin.close()
        if self._line:
            self._line.stop()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def __enter__(self) -> BridgePair:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Line:
    """A delay between the halves; two pipes for the local half."""

    def __init__(self, remote_out: int, remote_in: int, delay: float) -> None:
        self.reading, up = os.pipe()
        down, self.writing = os.pipe()
        self._bytes = [0, 0]
        self._turns = 0
        self._last = 0.0
        self._delay = delay
        self._threads = [
            threading.Thread(target=self._pass, args=(remote_out, up, 0), daemon=True),
            threading.Thread(target=self._pass, args=(down, remote_in, 1), daemon=True),
        ]
        for one in self._threads:
            one.start()

    def _pass(self, source: int, target: int, side: int) -> None:
        with contextlib.suppress(OSError):
            self._carry(source, target, side)

    def _carry(self, source: int, target: int, side: int) -> None:
        waiting: collections.deque[tuple[float, bytes]] = collections.deque()
        os.set_blocking(source, True)
        os.set_blocking(target, True)
        while True:
            left = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
            ready, _, _ = select.select([source], [], [], left)
            now = time.monotonic()
            if ready:
                data = os.read(source, 1 << 18)
                if not data:
                    break
                self._bytes[side] += len(data)
                if side == 0 and now - self._last > self._delay:
                    self._turns += 1
                if side == 0:
                    self._last = now
                waiting.append((now + self._delay, data))
            while waiting and waiting[0][0] <= now:
                view = memoryview(waiting.popleft()[1])
                while view:
                    view = view[os.write(target, view) :]
        os.close(target)

    def counts(self) -> dict[str, int]:
        return {"up": self._bytes[0], "down": self._bytes[1], "bursts": self._turns}

    def stop(self) -> None:
        for one in (self.reading, self.writing):
            with contextlib.suppress(OSError):
                os.close(one)
