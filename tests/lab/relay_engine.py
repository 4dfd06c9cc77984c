"""A distant link in one process: bytes pass late, slowly, or not at all; relay.py only.

Two threads for each direction of each connection, one reading into a delay line, one writing from it when the
time has come. Threads, because their sleep is good to a tenth of a millisecond, an event loop's to one.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections import deque
from dataclasses import dataclass


@dataclass
class Limits:
    """What the link is like; may be changed while it runs."""

    up: float = 0.0  # seconds from client to server
    down: float = 0.0  # seconds from server to client
    # Bytes per second, all connections together, each direction with a wire of its own; 0 is no limit.
    rate_up: float = 0.0
    rate_down: float = 0.0
    # Bytes under way in one direction of one connection before its sender waits; on a link without a rate.
    window: int = 4 << 20
    # Seconds that what is sent may queue in front of a wire with a rate before its sender must wait.
    queue: float = 0.25

    def rate(self, direction: str) -> float:
        """Bytes per second in a direction, ``up`` or ``down``."""
        return self.rate_up if direction == "up" else self.rate_down

    def room(self, direction: str) -> int:
        """Bytes that may be under way: what the delay holds at this rate, and the queue in front of it."""
        if rate := self.rate(direction):
            return max(16384, int(rate * (self.queue + (self.up if direction == "up" else self.down))))
        return self.window

    def chunk(self, direction: str) -> int:
        """Bytes read at once: a chunk arrives as a whole, on a slow wire no more than 5 ms of it."""
        if rate := self.rate(direction):
            return min(65536, max(1448, int(rate / 200)))
        return 65536


@dataclass
class Counts:
    """What has passed since the start."""

    connections: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    # The client sent something after it had received something: one flight each.
    turns: int = 0
    # The longest chain of send, receive, send, receive … that the client can have waited for, all
    # connections added up. Several requests sent one after the other without waiting are one round trip.
    round_trips: int = 0


class Engine:
    """The link: its limits, counters, whether bytes pass, and its connections."""

    def __init__(self, target: tuple[str, int], limits: Limits) -> None:
        self.target, self.limits, self.counts = target, limits, Counts()
        self.lock = threading.Lock()
        self.open = threading.Event()  # clear: frozen
        self.open.set()
        self.connections: list[Connection] = []
        self._free = {"up": 0.0, "down": 0.0}  # when the wire is free again, for the rate
        self._trigger: tuple[str, int] | None = None  # action and the number of turns at which it happens

    def serve(self, listener: socket.socket) -> None:
        """Accept connections for ever."""
        while True:
            client, _ = listener.accept()
            connection = Connection(self, client)
            with self.lock:
                self.counts.connections += 1
                self.connections = [c for c in self.connections if not c.closed] + [connection]
            threading.Thread(target=connection.run, daemon=True).start()

    def arm(self, action: str, turns: int) -> None:
        """Freeze or cut when the client begins its ``turns``-th turn from now; its bytes do not pass."""
        with self.lock:
            self._trigger = (action, self.counts.turns + turns)

    def turn(self) -> None:
        """Count a turn and do what is armed for it."""
        with self.lock:
            self.counts.turns += 1
            if self._trigger is None or self.counts.turns < self._trigger[1]:
                return
            action, self._trigger = self._trigger[0], None
        if action == "freeze":
            self.open.clear()
        else:
            self.cut()

    def cut(self) -> None:
        """Reset every connection, both ends at once."""
        for connection in list(self.connections):
            connection.abort()

    def due(self, direction: str, size: int) -> float:
        """When bytes that are read now arrive at the other end."""
        now = time.monotonic()
        if rate := self.limits.rate(direction):
            with self.lock:
                now = self._free[direction] = max(now, self._free[direction]) + size / rate
        return now + (self.limits.up if direction == "up" else self.limits.down)


class Connection:
    """One client's connection and the one made for it to the server."""

    def __init__(self, engine: Engine, client: socket.socket) -> None:
        self.engine, self.client = engine, client
        self.server: socket.socket | None = None
        self.closed = False
        self._lock = threading.Lock()
        self._done = 0
        # For round trips: a chunk from the client is one deeper than the deepest answer the client has got.
        self.client_depth = 0
        self.server_depth = 0
        self.client_has_received = False

    def run(self) -> None:
        """Do the TCP handshake at the speed of the link, then pass bytes both ways.

        The client's own connect() has already succeeded. On a real link it would have waited one round trip,
        and the server would have seen the connection half a round trip later still (RFC 9293, section 3.5):
        both are charged here, so that what is sent first arrives as late as it would have.
        """
        limits = self.engine.limits
        self._prepare(self.client, "up")
        time.sleep(limits.up + limits.down)
        up = Line(self, "up")
        threading.Thread(target=up.read, args=[self.client], daemon=True).start()
        time.sleep(limits.up)
        self.engine.open.wait()
        try:
            self.server = socket.create_connection(self.engine.target, timeout=30)
        except OSError:
            self.abort()
            return
        self.server.settimeout(None)
        self._prepare(self.server, "down")
        if self.closed:
            self.abort()
            return
        down = Line(self, "down")
        threading.Thread(target=up.write, args=[self.server], daemon=True).start()
        threading.Thread(target=down.read, args=[self.server], daemon=True).start()
        down.write(self.client)

    def _prepare(self, end: socket.socket, direction: str) -> None:
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.engine.limits.rate(direction):
            # The queue of the link is ours to say: the kernel's own would grow to megabytes here, with
            # nothing lost on the way, and stand for seconds in front of a thin wire.
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)

    def finished(self) -> None:
        """One direction has passed its end of file; after the second one both sockets are closed."""
        with self._lock:
            self._done += 1
            if self._done < 2:
                return
        self.closed = True
        self.client.close()
        if self.server:
            self.server.close()

    def abort(self) -> None:
        """Reset both ends: a close with SO_LINGER at 0 sends RST (socket(7), tcp(7))."""
        self.closed = True
        for end in (self.client, self.server):
            if end is not None:
                with contextlib.suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    # Wakes the threads blocked in recv, which would keep the socket alive past close().
                    end.shutdown(socket.SHUT_RD)
                with contextlib.suppress(OSError):
                    end.close()

    def sent(self) -> int:
        """Count what the client sends as a turn where it is one; returns the chunk's depth."""
        if self.client_has_received:
            self.client_has_received = False
            self.engine.turn()
        return self.client_depth + 1

    def received(self, depth: int) -> None:
        """The client has got an answer of this depth."""
        self.client_has_received = True
        if depth > self.client_depth:
            with self.engine.lock:
                self.engine.counts.round_trips += depth - self.client_depth
            self.client_depth = depth


class Line:
    """One direction of a connection: a bounded queue of chunks, each with its time of arrival."""

    def __init__(self, connection: Connection, direction: str) -> None:
        self._connection, self._engine, self._direction = connection, connection.engine, direction
        self._chunks: deque[tuple[float, int, bytes]] = (
            deque()
        )  # arrival, depth, bytes; empty bytes end the line
        self._held = 0
        self._changed = threading.Condition()

    def read(self, source: socket.socket) -> None:
        """Take bytes from a socket until it ends; wait while the window is full, so that the sender does."""
        up = self._direction == "up"
        while True:
            with self._changed:
                while self._held >= self._engine.limits.room(self._direction):
                    self._changed.wait()
            try:
                data = source.recv(self._engine.limits.chunk(self._direction))
            except OSError:
                self._connection.abort()
                data = b""
            depth = self._connection.server_depth
            if up and data:
                depth = self._connection.sent()
            due = self._engine.due(self._direction, len(data))
            with self._changed:
                self._chunks.append((due, depth, data))
                self._held += len(data)
                self._changed.notify_all()
            if not data:
                return

    def write(self, target: socket.socket) -> None:
        """Give bytes to a socket when their time has come and the link is not frozen."""
        up = self._direction == "up"
        while True:
            with self._changed:
                while not self._chunks:
                    self._changed.wait()
                due, depth, data = self._chunks.popleft()
            if (left := due - time.monotonic()) > 0:
                time.sleep(left)
            self._engine.open.wait()
            if up:
                self._connection.server_depth = max(self._connection.server_depth, depth)
            elif data:
                self._connection.received(depth)
            # Before they are sent: who has received an answer finds it counted.
            with self._engine.lock:
                if up:
                    self._engine.counts.bytes_up += len(data)
                else:
                    self._engine.counts.bytes_down += len(data)
            try:
                if data:
                    target.sendall(data)
                elif not self._connection.closed:  # a reset must not look like an orderly end
                    target.shutdown(socket.SHUT_WR)
            except OSError:
                self._connection.abort()
            with self._changed:
                self._held -= len(data)
                self._changed.notify_all()
            if not data:
                self._connection.finished()
                return
