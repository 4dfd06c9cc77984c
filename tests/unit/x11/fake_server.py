"""An X server in a thread for tests: answers, refusals and silences, in the byte order it is spoken to."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from x11fwd.x11.display import DisplayName, parse_display

if TYPE_CHECKING:
    from pathlib import Path

ROOT = 0x100
VISUAL = 0x21
VENDOR = "A fake server"
Script = Callable[[socket.socket], None]

# Written by hand from the protocol's tables and not with x11fwd's own code, which it tests.


def refusal(order: str, reason: str, *, status: int = 0) -> bytes:
    text = reason.encode()
    filled = text + b"\0" * (-len(text) % 4)
    return struct.pack(f"{order}BBHHH", status, len(text), 11, 0, len(filled) // 4) + filled


def acceptance(
    order: str,
    *,
    image_order: str = "<",
    depth: int = 24,
    bits: int = 32,
    masks: tuple[int, int, int] = (0xFF0000, 0xFF00, 0xFF),
    visual_class: int = 4,
    screens: int = 1,
) -> bytes:
    vendor = VENDOR.encode()
    formats = struct.pack("BBB5x", 1, 1, 32) + struct.pack("BBB5x", depth, bits, 32)
    visual = struct.pack(f"{order}IBBHIII4x", VISUAL, visual_class, 8, 256, *masks)
    depths = struct.pack(f"{order}BxH4x", 1, 0) + struct.pack(f"{order}BxH4x", depth, 1) + visual
    screen = b"".join(
        struct.pack(
            f"{order}IIIIIHHHHHHIBBBB",
            ROOT + number,
            0x20,
            0xFFFFFF,
            0,
            0,
            1280,
            800,
            325,
            203,
            1,
            1,
            VISUAL,
            0,
            0,
            depth,
            2,
        )
        + depths
        for number in range(screens)
    )
    body = struct.pack(
        f"{order}IIIIHHBBBBBBBB4x",
        12101007,
        0x200000,
        0x1FFFFF,
        256,
        len(vendor),
        65535,
        screens,
        2,
        int(image_order == ">"),
        0,
        32,
        32,
        8,
        255,
    )
    body += vendor + b"\0" * (-len(vendor) % 4) + formats + screen
    return struct.pack(f"{order}BxHHH", 1, 11, 0, len(body) // 4) + body


def read_exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def read_setup(connection: socket.socket) -> tuple[str, bytes, bytes]:
    """Byte order, method and cookie that a program sends first."""
    head = read_exactly(connection, 12)
    order = {b"l": "<", b"B": ">"}[head[:1]]
    name_length, data_length = struct.unpack_from(f"{order}HH", head, 6)
    name = read_exactly(connection, name_length + -name_length % 4)[:name_length]
    data = read_exactly(connection, data_length + -data_length % 4)[:data_length]
    return order, name, data


@contextlib.contextmanager
def serving(path: Path, script: Script) -> Iterator[DisplayName]:
    """Run `script` once per connection on a socket at `path`; gives the display that leads there."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen()
    open_now: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            open_now.append(connection)
            with contextlib.suppress(EOFError, OSError):
                script(connection)
            with contextlib.suppress(OSError):
                connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield parse_display(str(path))
    finally:
        for one in (listener, *open_now):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        thread.join(5)
        assert not thread.is_alive()


@dataclass
class FakeWindow:
    """A window of the fake server; `properties` are by the atom's name: (type, item bits, data)."""

    number: int
    parent: int = ROOT
    x: int = 0
    y: int = 0
    width: int = 40
    height: int = 30
    map_state: int = 2
    properties: dict[str, tuple[str, int, bytes]] = field(default_factory=dict)
    vanishes: bool = False  # it is in its parent's list, and gone when asked for


@dataclass
class FakeServer:
    """Answers the requests that x11fwd sends. Serve it with `serving(path, server)`."""

    cookie: bytes | None = None
    windows: list[FakeWindow] = field(default_factory=list)
    extensions: dict[str, int] = field(default_factory=lambda: {"SECURITY": 137, "RENDER": 139})
    setup: Callable[[str], bytes] = acceptance
    image: Callable[[int, int, int, int, int], bytes | int] = lambda *_: 8
    before_each_answer: bytes = b""
    requests: list[int] = field(default_factory=list)
    atoms: list[str] = field(default_factory=lambda: ["_NET_WM_NAME", "UTF8_STRING", "_NET_WM_PID"])
    image_visual: int = VISUAL
    image_depth: int = 24

    def __call__(self, connection: socket.socket) -> None:
        order, name, data = read_setup(connection)
        if self.cookie is not None and (name, data) != (b"MIT-MAGIC-COOKIE-1", self.cookie):
            connection.sendall(refusal(order, "Invalid MIT-MAGIC-COOKIE-1 key"))
            return
        connection.sendall(self.setup(order))
        sequence = 0
        while True:
            head = read_exactly(connection, 4)
            opcode, detail, length = struct.unpack(f"{order}BBH", head)
            body = read_exactly(connection, 4 * length - 4)
            sequence = (sequence + 1) & 0xFFFF
            self.requests.append(opcode)
            answer = self._answer(order, opcode, detail, body)
            if isinstance(answer, int):
                resource = struct.unpack_from(f"{order}I", body)[0] if body else 0
                packet = struct.pack(f"{order}BBHIHB21x", 0, answer, sequence, resource, 0, opcode)
            else:
                detail, fixed, extra = answer
                extra += b"\0" * (-len(extra) % 4)
                packet = struct.pack(f"{order}BBHI", 1, detail, sequence, len(extra) // 4)
                packet += fixed.ljust(24, b"\0") + extra
            connection.sendall(self.before_each_answer + packet)

    def _answer(
        self, order: str, opcode: int, detail: int, body: bytes
    ) -> (
        int | tuple[int, bytes, bytes]
    ):  # an error code, or a reply's second byte, 24 fixed bytes and the rest
        if opcode == 43:  # GetInputFocus
            return 0, struct.pack(f"{order}I", ROOT), b""
        if opcode == 98:  # QueryExtension
            length = struct.unpack_from(f"{order}H", body)[0]
            major = self.extensions.get(body[4 : 4 + length].decode(), 0)
            return 0, struct.pack("BBBB", int(major > 0), major, 80, 140), b""
        if opcode == 99:  # ListExtensions
            names = b"".join(bytes([len(name)]) + name.encode() for name in self.extensions)
            return len(self.extensions), b"", names
        if opcode == 16:  # InternAtom
            length = struct.unpack_from(f"{order}H", body)[0]
            return 0, struct.pack(f"{order}I", self._atom(body[4 : 4 + length].decode())), b""
        number = struct.unpack_from(f"{order}I", body)[0]
        if opcode == 15 and number == ROOT:
            return self._tree(order, ROOT, 0)
        window = next((one for one in self.windows if one.number == number and not one.vanishes), None)
        if opcode == 73:  # GetImage
            x, y, width, height = struct.unpack_from(f"{order}hhHH", body, 4)
            if window is None and number != ROOT:
                return 9
            data = self.image(number, x, y, width, height)
            if isinstance(data, int):
                return data
            return self.image_depth, struct.pack(f"{order}I", self.image_visual), data
        if window is None:
            return 9 if opcode == 14 else 3
        return self._about(order, opcode, window, body)

    def _about(
        self, order: str, opcode: int, window: FakeWindow, body: bytes
    ) -> int | tuple[int, bytes, bytes]:
        if opcode == 15:
            return self._tree(order, window.number, window.parent)
        if opcode == 3:  # GetWindowAttributes
            fixed = struct.pack(f"{order}IHBBIIBBBBI", VISUAL, 1, 0, 0, 0, 0, 0, 1, window.map_state, 0, 0x20)
            return 0, fixed, b"\0" * 8
        if opcode == 14:  # GetGeometry
            return (
                24,
                struct.pack(f"{order}IhhHHH", ROOT, window.x, window.y, window.width, window.height, 0),
                b"",
            )
        if opcode == 40:  # TranslateCoordinates
            x, y = self._absolute(window)
            return 1, struct.pack(f"{order}Ihh", 0, x, y), b""
        if opcode == 20:  # GetProperty
            atom, _kind, _offset, limit = struct.unpack_from(f"{order}IIII", body, 4)
            for name, (kind, bits, data) in window.properties.items():
                if self._atom(name) == atom:
                    part = data[: 4 * limit]
                    items = len(part) * 8 // bits
                    fixed = struct.pack(f"{order}III", self._atom(kind), len(data) - len(part), items)
                    return bits, fixed, part
            return 0, b"", b""
        return 1

    def _absolute(self, window: FakeWindow) -> tuple[int, int]:
        if window.parent == ROOT:
            return window.x, window.y
        parent = next(one for one in self.windows if one.number == window.parent)
        x, y = self._absolute(parent)
        return x + window.x, y + window.y

    def _tree(self, order: str, number: int, parent: int) -> tuple[int, bytes, bytes]:
        children = [one.number for one in self.windows if one.parent == number]
        fixed = struct.pack(f"{order}IIH", ROOT, parent, len(children))
        return 0, fixed, struct.pack(f"{order}{len(children)}I", *children)

    def _atom(self, name: str) -> int:
        predefined = {"CARDINAL": 6, "STRING": 31, "WM_CLIENT_MACHINE": 36, "WM_NAME": 39}
        if name in predefined:
            return predefined[name]
        return 100 + self.atoms.index(name) if name in self.atoms else 0
