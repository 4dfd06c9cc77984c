"""One connection to the real X server, from the greeting on; `half` and `keeper` import it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.bridge.shared.faults import WireFault
from x11fwd.bridge.shared.queues import ByteQueue
from x11fwd.bridge.shared.setup import (
    SETUP_PREFIX,
    Greeting,
    Refusal,
    Setup,
    greeting_bytes,
    read_setup,
    setup_size,
)

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

CHUNK = 1 << 18  # bytes that are read at once


class ServerConnection:
    """A socket to the X server and what waits to be written to it.

    Attributes:
        setup: the server's setup reply, once it is there and taken apart.
        reply: the same as bytes.
        pending: bytes for the server.
        unconsumed: of those, how many came over the link.
        ending: no more comes for the server; close once `pending` is empty.
    """

    def __init__(self, opened: socket.socket, order: str, name: bytes, data: bytes) -> None:
        self.socket = opened
        self.order = order
        self.setup: Setup | Refusal | None = None
        self.reply = b""
        self.pending = ByteQueue()
        self.unconsumed = 0
        self.ending = False
        opened.setblocking(False)
        self.pending.put(greeting_bytes(Greeting(order, 11, 0, name, data)))

    @property
    def greeted_already(self) -> bool:
        """Whether the setup reply is there."""
        return self.setup is not None

    def read(self) -> bytes:
        """What the server has sent, b"" at its end; raises BlockingIOError or OSError."""
        return self.socket.recv(CHUNK)

    def write(self) -> None:
        """Give the server what it takes; raises OSError when it has gone."""
        try:
            while self.pending.size:
                self.pending.drop(self.socket.sendmsg(self.pending.gathered()))
        except BlockingIOError:
            pass

    def greeted(self, data: bytes) -> bytes | None:
        """More of the setup reply: None while it is incomplete, else what came behind it."""
        self.reply += data
        if len(self.reply) < SETUP_PREFIX:
            return None
        size = setup_size(self.reply, self.order)
        if len(self.reply) < size:
            return None
        rest, self.reply = self.reply[size:], self.reply[:size]
        self.setup = read_setup(self.reply, self.order)
        return rest


class XServer:
    """How connections to the real X server are made.

    Args:
        connect: opens a socket to it; raises OSError.
        name, data: the authorization that is shown, as in an authority file; the data is never logged.
    """

    def __init__(self, connect: Callable[[], socket.socket], name: bytes = b"", data: bytes = b"") -> None:
        self._connect = connect
        self._name = name
        self._data = data

    def open(self, order: str) -> ServerConnection:
        """A new connection, its greeting queued.

        Raises:
            WireFault: the X server is gone.
        """
        try:
            return ServerConnection(self._connect(), order, self._name, self._data)
        except OSError as error:
            raise WireFault(f"the X server cannot be reached: {error.strerror or error}") from error
