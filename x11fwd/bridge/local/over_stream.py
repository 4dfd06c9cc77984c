"""The bridge over a transport that is open already: a display on the remote for as long as it is needed.

The pipeline uses it where it has a transport of its own (`verify`, `setup`); `x11fwd ssh` has sessions.
"""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING

from x11fwd.bridge.bootstrap.starter import Starter
from x11fwd.bridge.local.half import LocalHalf
from x11fwd.errors import ConnectError, ConnectionLost, X11fwdError

if TYPE_CHECKING:
    from x11fwd.bridge.assembly.assemble import Assembled
    from x11fwd.bridge.local.server import XServer
    from x11fwd.transports.base import ByteStream, Transport

_CHUNK = 1 << 16
_END = 5.0  # seconds for each of those that end with it
_START = 60.0  # seconds: the program has 50 kB, on a thin line and for a Python that a busy machine starts


class StreamBridge:
    """A running bridge; a context manager that ends it.

    Args:
        transport: open; it carries one more command.
        server: the X server of this machine.
        program: the remote half; it is sent each time.
        limit: seconds until the remote half must run.

    Attributes:
        display, authority: for programs over there.

    Raises:
        ConnectError: it did not start; the message says why.
        ConnectionLost: the connection died.
    """

    def __init__(
        self, transport: Transport, server: XServer, program: Assembled, *, limit: float = _START
    ) -> None:
        self._starter = Starter(program, kept=False)
        self._changed = threading.Event()
        self._half = LocalHalf(server, "-", self._changed.set)
        self._stream: ByteStream = transport.stream(("/bin/sh", "-c", self._starter.command))
        self._sentence: str | None = None
        self._in, feed = os.pipe()
        drain, self._out = os.pipe()
        self._threads = [
            threading.Thread(target=one, name="x11fwd-bridge", args=(fd,), daemon=True)
            for one, fd in ((self._from_remote, feed), (self._to_remote, drain))
        ]
        self._loop = threading.Thread(target=self._run, name="x11fwd-bridge", daemon=True)
        for thread in (*self._threads, self._loop):
            thread.start()
        self._changed.wait(limit)
        ready = self._half.ready
        if ready is None:
            self.close()
            raise ConnectError(f"the bridge did not start: {self.problem or f'no answer in {limit:g} s'}")
        self.display, self.authority = ready.display, ready.authority

    @property
    def problem(self) -> str:
        """Why it does not run, or does not any more; empty while it does."""
        if self._starter.refused is not None:
            return self._starter.refused.sentence
        return self._sentence or ""

    @property
    def round_trip(self) -> float | None:
        """Seconds between the halves."""
        return self._half.round_trip

    def close(self) -> None:
        """End both halves and the command."""
        self._half.stop()
        self._loop.join(_END)
        with contextlib.suppress(X11fwdError, TimeoutError, OSError):
            self._stream.wait(_END)
        self._stream.close()
        for thread in self._threads:
            thread.join(_END)

    def __enter__(self) -> StreamBridge:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _run(self) -> None:
        try:
            self._sentence = self._half.run(self._in, self._out, self._hear)
        finally:
            # Here only: a loop that ends late would write to whatever has their numbers by then.
            os.close(self._out)  # ends the thread that writes, which ends the remote half
            os.close(self._in)  # nobody reads there: who wants to write must not wait for it
            self._changed.set()

    def _hear(self, data: bytes) -> bool:
        self._half.inject(self._starter.feed(data).send)
        return self._starter.refused is None

    def _from_remote(self, feed: int) -> None:
        with contextlib.suppress(X11fwdError, OSError):
            while data := self._stream.read(_CHUNK):
                view = memoryview(data)
                while view:
                    view = view[os.write(feed, view) :]
        os.close(feed)

    def _to_remote(self, drain: int) -> None:
        with contextlib.suppress(ConnectionLost, OSError):
            self._stream.write(self._starter.first)
            while data := os.read(drain, _CHUNK):
                self._stream.write(data)
            self._stream.close_write()
        os.close(drain)
