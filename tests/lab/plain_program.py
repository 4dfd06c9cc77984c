"""An X program of plain sockets in either byte order, direct or over the bridge; host tests compare both."""

from __future__ import annotations

import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from x11fwd.bridge.shared.setup import Greeting, Refusal, Setup, greeting_bytes
from x11fwd.bridge.shared.wire import ERROR, REPLY, Packet, ServerReader
from x11fwd.x11.authority import read_authority

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

LIMIT = 20.0  # seconds that a display may take
COOKIE = b"MIT-MAGIC-COOKIE-1"


class RefusedError(Exception):
    """The display did not let the program in."""


def open_display(display: str) -> socket.socket:
    """A socket to `:N` or `host:N`, without a greeting."""
    host, _, number = display.rpartition(":")
    if not host:
        opened = socket.socket(socket.AF_UNIX)
        opened.settimeout(LIMIT)
        opened.connect(f"/tmp/.X11-unix/X{number.split('.')[0]}")
        return opened
    return socket.create_connection((host, 6000 + int(number.split(".")[0])), LIMIT)


def cookie_of(env: Mapping[str, str]) -> bytes:
    """The cookie in the authority file, which has one entry or several alike."""
    return read_authority(Path(env["XAUTHORITY"])).records[0].data


class PlainProgram:
    """A connection; every packet is kept as it came.

    Raises:
        RefusedError: the display does not let it in.
    """

    def __init__(self, env: Mapping[str, str], order: str = "<", cookie: bytes | None = None) -> None:
        self.order = order
        self.socket = open_display(env["DISPLAY"])
        shown = cookie_of(env) if cookie is None else cookie
        name = COOKIE if shown else b""
        self.socket.sendall(greeting_bytes(Greeting(order, 11, 0, name, shown)))
        self._reader = ServerReader(order)
        self._waiting: list[Packet] = []
        while self._reader.setup is None:
            self._fill()
        if isinstance(self._reader.setup, Refusal):
            raise RefusedError(self._reader.setup.reason.decode())
        assert isinstance(self._reader.setup, Setup)
        self.setup: Setup = self._reader.setup
        self.root = self.setup.roots[0]
        self.number = 0
        self._next = self.setup.id_base
        self.events: list[bytes] = []

    def _fill(self) -> None:
        data = self.socket.recv(1 << 18)
        if not data:
            raise RefusedError("the display hung up")
        self._waiting += self._reader.feed(data)

    def new_id(self) -> int:
        self._next += 1
        return self._next

    def pack(self, form: str, *values: int) -> bytes:
        return struct.pack(self.order + form, *values)

    def unpack(self, form: str, data: bytes, at: int) -> tuple[int, ...]:
        return struct.unpack_from(self.order + form, data, at)

    def request(self, opcode: int, body: bytes = b"", second: int = 0) -> bytes:
        """The bytes of a request, a large one as BIG-REQUESTS has it."""
        body += bytes(-len(body) % 4)
        units = 1 + len(body) // 4
        if units > 0xFFFF:
            return self.pack("BBHI", opcode, second, 0, units + 1) + body
        return self.pack("BBH", opcode, second, units) + body

    def send(self, opcode: int, body: bytes = b"", second: int = 0) -> int:
        """Send a request: its number."""
        self.socket.sendall(self.request(opcode, body, second))
        self.number += 1
        return self.number

    def ask(self, opcode: int, body: bytes = b"", second: int = 0) -> bytes:
        """Send a request: its reply or error, or what is said to an earlier one."""
        self.send(opcode, body, second)
        return self.answer()

    def answer(self) -> bytes:
        """The next reply or error; events before it go to `events`."""
        while True:
            while self._waiting:
                packet = self._waiting.pop(0)
                if packet.kind in {ERROR, REPLY}:
                    return bytes(packet.data)
                self.events.append(bytes(packet.data))
            self._fill()

    def event(self, *codes: int) -> bytes:
        """The next event with one of these codes; others before it are forgotten."""
        while True:
            while self.events:
                found = self.events.pop(0)
                if found[0] & 0x7F in codes:
                    return found
            while not self._waiting:
                self._fill()
            packet = self._waiting.pop(0)
            assert packet.kind not in {ERROR, REPLY}, bytes(packet.data)
            self.events.append(bytes(packet.data))

    def extension(self, name: str) -> tuple[int, int]:
        """Its major opcode and first event."""
        reply = self.ask(98, self.pack("Hxx", len(name)) + name.encode())
        assert reply[8], name
        return reply[9], reply[10]

    def atom(self, name: str) -> int:
        return self.unpack("I", self.ask(16, self.pack("Hxx", len(name)) + name.encode()), 8)[0]

    def window(self, parent: int = 0, *, events: int = 0) -> int:
        """A new unmapped window of 120 by 90 pixels, background black."""
        made = self.new_id()
        body = self.pack(
            "IIhhHHHHII", made, parent or self.root.root, 10, 20, 120, 90, 2, 1, 0, 1 << 1 | 1 << 11
        )
        self.send(1, body + self.pack("II", self.root.black, events))
        return made

    def __enter__(self) -> PlainProgram:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()
