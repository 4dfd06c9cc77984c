"""Stands between X programs and a display, and keeps every byte with its time; tests use it.

with Recorder(unix_display(screen.display), cookie) as recorder:
    host.write("/tmp/authority", recorder.authority)
    ... DISPLAY=recorder.display XAUTHORITY=/tmp/authority program ...
conversations = [conversation(one) for one in recorder.connections]      # x11_conversation.py
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.lab.runs import wait_for
from tests.lab.screen import FAMILY_WILD, authority_entry
from x11fwd.bridge.shared.packets import refusal_packet
from x11fwd.bridge.shared.setup import LITTLE, Greeting, greeting_bytes, read_greeting
from x11fwd.bridge.shared.wire import ERROR, REPLY, ServerReader

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

COOKIE = b"MIT-MAGIC-COOKIE-1"
FIRST_NUMBER = 300  # of displays that listen by TCP; sshd and the bridge count from 10


@dataclass
class Recorded:
    """One connection: chunks with the time (monotonic) at which they were passed on."""

    to_server: list[tuple[float, bytes]] = field(default_factory=list)
    to_program: list[tuple[float, bytes]] = field(default_factory=list)
    ended: bool = False


def unix_display(display: str) -> Callable[[], socket.socket]:
    """Connects to the X server of this machine at ``:N``."""

    def connect() -> socket.socket:
        opened = socket.socket(socket.AF_UNIX)
        opened.connect(f"/tmp/.X11-unix/X{display.rpartition(':')[2].partition('.')[0]}")
        return opened

    return connect


def tcp_display(display: str) -> Callable[[], socket.socket]:
    """Connects to ``localhost:N``, as forwarded displays are."""
    number = int(display.rpartition(":")[2].partition(".")[0])
    return lambda: socket.create_connection(("127.0.0.1", 6000 + number))


class Recorder:
    """A display ``localhost:N`` with a cookie of its own that passes everything on to another one."""

    def __init__(self, connect: Callable[[], socket.socket], cookie: bytes) -> None:
        self._connect, self._cookie = connect, cookie
        self._own = secrets.token_bytes(16)
        self._listener, number = _listen()
        self.display = f"localhost:{number}"
        self.authority = authority_entry(FAMILY_WILD, b"", str(number), COOKIE, self._own)
        self.connections: list[Recorded] = []
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                program, _ = self._listener.accept()
                threading.Thread(target=self._pass_on, args=(program,), daemon=True).start()

    def _pass_on(self, program: socket.socket) -> None:
        program.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = b""
        while (read := read_greeting(data)) is None:
            chunk = program.recv(4096)
            if not chunk:
                program.close()
                return
            data += chunk
        greeting, end = read
        if not secrets.compare_digest(greeting.data, self._own):
            program.sendall(refusal_packet(greeting.order, "not the recorder's cookie"))
            program.close()
            return
        recorded = Recorded()
        self.connections.append(recorded)
        server = self._connect()
        self._sockets += [program, server]
        shown = greeting._replace(name=COOKIE, data=self._cookie)
        server.sendall(greeting_bytes(shown))
        recorded.to_server.append((time.monotonic(), greeting_bytes(greeting._replace(data=b""))))
        if len(data) > end:
            recorded.to_server.append((time.monotonic(), data[end:]))
            server.sendall(data[end:])
        down = threading.Thread(target=_pump, args=(server, program, recorded.to_program), daemon=True)
        down.start()
        _pump(program, server, recorded.to_server)
        down.join()
        recorded.ended = True
        program.close()
        server.close()

    def atom_names(self) -> dict[int, bytes]:
        """All atoms of the display, asked for on a connection of the recorder's own."""
        with self._connect() as server:
            server.sendall(greeting_bytes(Greeting(LITTLE, 11, 0, COOKIE, self._cookie)))
            reader = ServerReader(LITTLE)
            names: dict[int, bytes] = {}
            first = 1
            while True:
                server.sendall(
                    b"".join(struct.pack("<BxHI", 17, 2, atom) for atom in range(first, first + 100))
                )
                got = 0
                while got < 100:
                    for packet in reader.feed(server.recv(1 << 16)):
                        got += packet.kind in {ERROR, REPLY}
                        if packet.kind == ERROR:
                            names.setdefault(0, b"")
                        elif packet.kind == REPLY:
                            (size,) = struct.unpack_from("<H", packet.data, 8)
                            names[packet.number] = bytes(packet.data[32 : 32 + size])
                first += 100
                if names.pop(0, None) is not None:
                    return names

    def wait_until_closed(self) -> None:
        """Wait until the programs' connections have ended on both sides."""
        wait_for(
            lambda: all(one.ended for one in self.connections), limit=60, what="the end of all connections"
        )

    def stop(self) -> None:
        """Close the listener and every connection."""
        for one in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _listen() -> tuple[socket.socket, int]:
    for number in range(FIRST_NUMBER, 2000):
        with contextlib.suppress(OSError):
            return socket.create_server(("127.0.0.1", 6000 + number)), number
    raise OSError("no display number is free")


def _pump(source: socket.socket, target: socket.socket, into: list[tuple[float, bytes]]) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 17):
            into.append((time.monotonic(), data))
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
