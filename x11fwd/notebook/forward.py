"""The near end of the browser's connections: one address here, whatever lines come and go behind it.

While there is no line a new connection is accepted and waits: a page that asks again after a dropped line
then hangs for a while and goes on, instead of giving up after its last try (JupyterLab tries seven times for
a kernel). A question (GET) that was not answered when the line died is asked again over the next one: else
JupyterLab puts a message about a lost server over its page.
"""

from __future__ import annotations

import contextlib
import errno
import queue
import selectors
import socket
import threading
from typing import TYPE_CHECKING

from x11fwd.errors import UsageError
from x11fwd.notebook.far.wire import CHUNK, CREDIT, WINDOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from x11fwd.notebook.line import Line

__all__ = ["Forwarder", "listen_on"]

_MOST = 512  # connections of one browser at a time
_QUESTION = 64 << 10  # bytes of a question that is kept; headers are far shorter
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


def listen_on(port: int, *, exactly: bool) -> socket.socket:
    """A listening socket on 127.0.0.1.

    Args:
        port: the wanted one; 0 for any.
        exactly: no other one will do.

    Raises:
        UsageError: it is taken, or not for ordinary users, and no other one will do.
    """
    for number in (port,) if exactly else (port, 0):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", number))
            listener.listen(128)
        except OSError as error:
            listener.close()
            if exactly or number == 0:
                why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
                raise UsageError(
                    f"port {port} of this machine {why}", hint="without `--port` a free one is taken"
                ) from error
        else:
            listener.setblocking(False)
            return listener
    raise AssertionError


class _Door:
    """One connection of the browser's."""

    def __init__(self, number: int, sock: socket.socket) -> None:
        self.number, self.sock = number, sock
        self.open = False  # over a line; until then nothing is read
        self.waiting = bytearray()  # for the browser
        self.credit = WINDOW
        self.taken = 0
        self.near_ended = self.far_ended = False
        self.question = bytearray()  # what was asked since the last byte of an answer

    @property
    def can_ask_again(self) -> bool:
        """Whether only a question is under way that changes nothing over there."""
        return (
            self.question.startswith((b"GET ", b"HEAD "))
            and len(self.question) <= _QUESTION
            and not (self.near_ended or self.far_ended or self.waiting)
        )


class Forwarder:
    """Serves `listener` in a thread of its own, over the line that is attached at the time."""

    def __init__(self, listener: socket.socket) -> None:
        self.port: int = listener.getsockname()[1]
        self._listener = listener
        self._line: Line | None = None
        self._doors: dict[int, _Door] = {}
        self._number = 0
        self._tasks: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._bell, self._ring = socket.socketpair()
        self._bell.setblocking(False)
        self._ring.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._watched: dict[socket.socket, int] = {}
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="x11fwd-jupyter-forward", daemon=True)
        self._thread.start()

    def attach(self, line: Line) -> None:
        """Connections, also those that wait, now go over this line."""
        line.listen(lambda kind, number, data: self._do(lambda: self._hear(line, kind, number, data)))
        self._do(lambda: self._attach(line))

    def detach(self) -> None:
        """The line is dead: what went over it is closed, so that the browser asks anew."""
        self._do(self._detach)

    def close(self) -> None:
        """Listen no more, and close everything."""

        def close() -> None:
            self._closing = True

        self._do(close)
        self._thread.join(5.0)

    def _do(self, task: Callable[[], None]) -> None:
        self._tasks.put(task)
        with contextlib.suppress(OSError):  # full: it rings anyway
            self._ring.send(b"x")

    # --- in its own thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        self._watch(self._listener, _READ)
        self._watch(self._bell, _READ)
        while not self._closing:
            for key, events in self._selector.select(1.0):
                sock = key.fileobj
                if sock is self._listener:
                    self._accept()
                elif sock is self._bell:
                    with contextlib.suppress(OSError):
                        self._bell.recv(4096)
                else:
                    self._serve(key.data, events)
            while not self._tasks.empty():
                self._tasks.get()()
        for door in list(self._doors.values()):
            self._send(b"C", door)
            self._close(door)
        for sock in (self._listener, self._bell, self._ring):
            sock.close()
        self._selector.close()

    def _watch(self, sock: socket.socket, events: int, door: _Door | None = None) -> None:
        before = self._watched.get(sock, 0)
        if events == before:
            return
        if not before:
            self._selector.register(sock, events, door)
        elif not events:
            self._selector.unregister(sock)
        else:
            self._selector.modify(sock, events, door)
        if events:
            self._watched[sock] = events
        else:
            del self._watched[sock]

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
        except OSError:
            return
        if len(self._doors) >= _MOST:
            sock.close()
            return
        sock.setblocking(False)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._number += 1
        door = self._doors[self._number] = _Door(self._number, sock)
        if self._line is not None:
            self._open(door, self._line)

    def _attach(self, line: Line) -> None:
        self._detach()
        self._line = line
        for door in list(self._doors.values()):
            self._open(door, line)

    def _detach(self) -> None:
        self._line = None
        for door in list(self._doors.values()):
            if not door.open:
                continue
            if door.can_ask_again:
                door.open, door.credit, door.taken = False, WINDOW, 0
                self._mind(door)
            else:
                self._close(door)

    def _open(self, door: _Door, line: Line) -> None:
        door.open = True
        line.send(b"O", door.number)
        if door.question:
            door.credit -= len(door.question)
            line.send(b"D", door.number, bytes(door.question))
        self._mind(door)

    def _mind(self, door: _Door) -> None:
        wanted = _WRITE if door.waiting else 0
        if door.open and not door.near_ended and door.credit > 0:
            wanted |= _READ
        self._watch(door.sock, wanted, door)

    def _serve(self, door: _Door, events: int) -> None:
        if events & _WRITE and door.number in self._doors:
            self._give(door)
        if events & _READ and door.number in self._doors:
            self._take(door)

    def _hear(self, line: Line, kind: bytes, number: int, data: bytes) -> None:
        door = self._doors.get(number)
        if door is None or line is not self._line:
            return
        if kind == b"D":
            door.waiting += data
            door.question.clear()
            self._give(door)
        elif kind == b"E":
            door.far_ended = True
            self._give(door)
        elif kind == b"W" and len(data) == CREDIT.size:
            door.credit += CREDIT.unpack(data)[0]
            self._mind(door)
        elif kind == b"C":
            self._close(door)

    def _send(self, kind: bytes, door: _Door, data: bytes = b"") -> None:
        if self._line is not None:
            self._line.send(kind, door.number, data)

    def _give(self, door: _Door) -> None:
        """To the browser."""
        try:
            while door.waiting:
                sent = door.sock.send(door.waiting[: 1 << 18])
                del door.waiting[:sent]
                door.taken += sent
            if door.far_ended:
                door.sock.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            pass
        except OSError:
            self._send(b"C", door)
            self._close(door)
            return
        if door.taken >= WINDOW // 4:
            self._send(b"W", door, CREDIT.pack(door.taken))
            door.taken = 0
        self._finish(door)

    def _take(self, door: _Door) -> None:
        """From the browser."""
        try:
            data = door.sock.recv(min(CHUNK, door.credit))
        except BlockingIOError:
            return
        except OSError:
            self._send(b"C", door)
            self._close(door)
            return
        if data:
            door.credit -= len(data)
            if len(door.question) <= _QUESTION:
                door.question += data
            self._send(b"D", door, data)
        else:
            door.near_ended = True
            self._send(b"E", door)
        self._finish(door)

    def _finish(self, door: _Door) -> None:
        if door.near_ended and door.far_ended and not door.waiting:
            self._close(door)
        else:
            self._mind(door)

    def _close(self, door: _Door) -> None:
        if self._doors.pop(door.number, None) is not None:
            self._watch(door.sock, 0)
            door.sock.close()
