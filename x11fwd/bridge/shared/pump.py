"""Moves what connections have for the other half onto the link, in turns; both halves use it.

A turn puts batches on the stream as long as it takes them, credit allows and the pace of the link is kept,
one slice of each connection after the other, so that none waits behind another's bulk.
"""

import os
from typing import Dict, List, Union

from x11fwd.bridge.shared.frames import CLOSE, CONTROL, LINK
from x11fwd.bridge.shared.link import DATA_SIZE, Link
from x11fwd.bridge.shared.queues import ByteQueue

BATCH = 1 << 18  # bytes before packing; what is in it delays whatever comes next
LEAST = 1 << 12  # bytes that go into a batch however thin the link


class Pump:
    """The way out of one half: a queue for each connection, the link, and the stream `out`, non-blocking."""

    def __init__(self, link: Link, out: int) -> None:
        self._link = link
        self._out = out
        self._queues: Dict[int, ByteQueue] = {}
        self._closing: Dict[int, bytes] = {}
        self._behind: List[bytes] = []
        self._stream = ByteQueue()

    def open(self, connection: int) -> None:
        """The connection may send from now on."""
        self._queues[connection] = ByteQueue()

    def put(self, connection: int, data: "Union[bytes, bytearray, memoryview]") -> None:
        """Bytes of a connection for the other half."""
        queue = self._queues.get(connection)
        if queue is not None and connection not in self._closing:
            self._behind = []
            queue.put(data)

    def put_behind(self, payload: bytes) -> None:
        """A CONTROL frame behind all that was put; it is dropped if more is put before it goes."""
        self._behind.append(payload)

    def waiting(self, connection: int) -> int:
        """Bytes of a connection that wait here."""
        queue = self._queues.get(connection)
        return 0 if queue is None else queue.size

    def close(self, connection: int, payload: bytes = b"") -> None:
        """Tell the other half once everything of the connection is on the link."""
        if connection in self._queues:
            self._closing[connection] = payload

    def closed(self, connection: int) -> None:
        """The other half has closed the connection: nothing goes there any more."""
        self._queues.pop(connection, None)
        self._closing.pop(connection, None)

    def first(self, data: bytes) -> None:
        """Bytes that go onto the stream before all frames."""
        self._stream.put(data)

    @property
    def blocked(self) -> bool:
        """Whether the stream takes nothing now; `turn` again when it is writable."""
        return bool(self._stream.size)

    def turn(self, now: float) -> None:
        """Write what can go now; raises OSError when the stream is broken."""
        while True:
            if self._stream.size and not self._write():
                return
            full = self._fill()
            if self._behind and not any(queue.size for queue in self._queues.values()):
                for payload in self._behind:
                    self._link.send(CONTROL, LINK, payload)
                self._behind = []
            if not (full or self._link.due()):
                return
            data = self._link.flush(now)
            if not data:
                return
            self._stream.put(data)

    def _fill(self) -> bool:
        """One batch of DATA into the link; False when there was nothing or nothing may go."""
        room = min(BATCH, self._link.pace_room())
        if room <= 0:
            self._settle()
            return False
        room = left = max(room, LEAST)
        busy = [connection for connection, queue in self._queues.items() if queue.size]
        while left > 0 and busy:
            still = []
            for connection in busy:
                queue = self._queues[connection]
                piece = queue.head(DATA_SIZE)
                taken = self._link.send_data(connection, piece)
                queue.drop(taken)
                left -= taken
                if queue.size and taken:
                    still.append(connection)
                if left <= 0:
                    break
            busy = still
        if left < room:  # whoever was first goes last next time
            first = next(iter(self._queues))
            self._queues[first] = self._queues.pop(first)
        self._settle()
        return left < room

    def _settle(self) -> None:
        for connection in [one for one in self._closing if not self._queues[one].size]:
            self._link.send(CLOSE, connection, self._closing.pop(connection))
            del self._queues[connection]

    def _write(self) -> bool:
        """Whether all of the stream's bytes were taken."""
        try:
            while self._stream.size:
                self._stream.drop(os.writev(self._out, self._stream.gathered()))
        except BlockingIOError:
            return False
        return True
