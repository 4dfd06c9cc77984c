"""One login's stream to the far half, spoken in frames; the pipeline makes it, `forward.py` sends over it."""

from __future__ import annotations

import contextlib
import json
import queue
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from x11fwd.errors import ConnectionLost, ProbeError, X11fwdError
from x11fwd.notebook.far.wire import Frames, WireError, frame

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from x11fwd.transports.base import ByteStream

__all__ = ["Line"]

_BEGIN = 120.0  # seconds for the login shell to make its environment and Python to start
_PULSE = 4.0  # seconds between signs of life; each is answered
_SLOWEST = 4096  # bytes in a second that any line carries: so much longer takes an answer behind an upload
_TICK = 0.5
_AT_ONCE = 1 << 18  # bytes in one write
_UNREAD = 10_000  # messages that nobody has asked for


class Line:
    """A running far half. Two threads of its own read and write, so that nobody waits for a dead line.

    Args:
        stream: what the far half was started on.
        early: why the stream ended, where the far half never spoke.
        silence: seconds without a word after which the line counts as dead, beside those that it needs to
            carry what is under way.

    Attributes:
        messages: what the far half said, in order.
        ended: set when nothing more will come; `problem` then says why.
    """

    def __init__(self, stream: ByteStream, early: Callable[[], X11fwdError], *, silence: float) -> None:
        self._stream, self._early, self._silence = stream, early, silence
        self._out: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._hear: Callable[[bytes, int, bytes], None] | None = None
        self._sent = self._arrived = 0  # bytes handed to the stream, and those that are known to be there
        self._pulses: deque[int] = deque()  # of _sent, at each sign of life that is not answered yet
        self.messages: queue.Queue[Mapping[str, object]] = queue.Queue(_UNREAD)
        self.ended = threading.Event()
        self.problem: X11fwdError | None = None
        for work in (self._read, self._write):
            threading.Thread(target=work, name="x11fwd-jupyter-line", daemon=True).start()

    def listen(self, hear: Callable[[bytes, int, bytes], None]) -> None:
        """From now on `hear(kind, channel, payload)` gets what belongs to a channel, on another thread."""
        self._hear = hear

    def order(self, about: Mapping[str, object]) -> None:
        self.send(b"J", 0, json.dumps(dict(about)).encode("ascii"))

    def send(self, kind: bytes, channel: int = 0, data: bytes = b"") -> None:
        """Put a frame into the row; never waits."""
        self._out.put(frame(kind, channel, data))

    def close(self) -> None:
        """End the far half; the server goes on."""
        self._fail(ConnectionLost("the connection was closed"))
        self._out.put(None)
        with contextlib.suppress(X11fwdError, OSError):
            self._stream.close()

    def _fail(self, problem: X11fwdError) -> None:
        if not self.ended.is_set():
            self.problem = problem
            self.ended.set()

    def _read(self) -> None:
        frames = Frames()
        # Counted in looks, not by the clock, which is far ahead once this process was stopped (Ctrl-Z) for a
        # while: what has come meanwhile may not have been read yet.
        silent, begun = 0.0, False
        try:
            while not self.ended.is_set():
                try:
                    data = self._stream.read(1 << 18, _TICK)
                except TimeoutError:
                    silent += _TICK
                    limit = self._patience() if begun else _BEGIN
                    if silent > limit:
                        self._fail(ConnectionLost(f"nothing was heard for {limit:g} s"))
                    continue
                if not data:
                    self._fail(ConnectionLost("the connection has ended") if begun else self._early())
                    return
                silent, begun = 0.0, True
                for kind, channel, payload in frames.feed(data):
                    self._take(kind, channel, payload)
        except WireError as error:
            self._fail(ProbeError(f"what answers over there is not our far half: {error}"))
        except X11fwdError as error:
            self._fail(error)
        except OSError as error:
            self._fail(ConnectionLost(f"the connection failed: {error}"))
        except Exception as error:  # noqa: BLE001  a thread's bug must reach the person, not vanish
            self._fail(X11fwdError(f"jupyter itself failed: {error!r}"))

    def _patience(self) -> float:
        return self._silence + (self._sent - self._arrived) // _SLOWEST

    def _take(self, kind: bytes, channel: int, payload: bytes) -> None:
        if kind == b"Z" and self._pulses:
            self._arrived = self._pulses.popleft()
        if kind == b"M":
            try:
                self.messages.put_nowait(dict(json.loads(payload)))
            except (ValueError, TypeError, queue.Full) as error:
                raise ProbeError("the far half said something that cannot be understood") from error
        elif kind != b"Z" and self._hear is not None:
            self._hear(kind, channel, payload)

    def _write(self) -> None:
        pulsed = time.monotonic()
        try:
            while not self.ended.is_set():
                data: bytes | None = b""
                with contextlib.suppress(queue.Empty):
                    data = self._out.get(timeout=_PULSE)
                while data is not None and len(data) < _AT_ONCE:
                    try:
                        more = self._out.get_nowait()
                    except queue.Empty:
                        break
                    data = None if more is None else data + more
                if data is None:
                    return
                pulse = not data or time.monotonic() - pulsed >= _PULSE
                if pulse:  # behind what is under way: its answer says that all of that is there
                    pulsed, data = time.monotonic(), data + frame(b"Z")
                self._sent += len(data)
                if pulse:
                    self._pulses.append(self._sent)
                self._stream.write(data)
        except X11fwdError:
            # what the far half said at its end is worth more, and the reader is on the way to it
            if not self.ended.wait(5.0):
                self._fail(ConnectionLost("the connection has ended"))
        except OSError as error:
            self._fail(ConnectionLost(f"the connection failed: {error}"))
