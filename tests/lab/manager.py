"""A window manager that does something only when it is told to; host tests of the bridge use it."""

from __future__ import annotations

import select
import socket
import struct
from typing import TYPE_CHECKING

from x11fwd.bridge.shared.setup import Greeting, Setup, greeting_bytes
from x11fwd.bridge.shared.wire import ERROR, REPLY, Packet, ServerReader

if TYPE_CHECKING:
    from random import Random

LIMIT = 90.0  # seconds that the X server may take
REDIRECT = 1 << 20 | 1 << 19  # SubstructureRedirect, SubstructureNotify
PROPERTY_CHANGE, FOCUS_CHANGE = 1 << 22, 1 << 21
CREATE_WINDOW, CHANGE_ATTRIBUTES, DESTROY, REPARENT, MAP, UNMAP, CONFIGURE = 1, 2, 4, 7, 8, 10, 12
SEND_EVENT, SET_FOCUS, GET_FOCUS = 25, 42, 43
DESTROY_NOTIFY, UNMAP_NOTIFY, MAP_REQUEST, CONFIGURE_NOTIFY, CONFIGURE_REQUEST = 17, 18, 20, 22, 23


class Manager:
    """Frames what wants to be mapped, and grants, changes or denies what wants to be configured."""

    def __init__(self, display: str, cookie: bytes, random: Random) -> None:
        self._random = random
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(LIMIT)
        self._socket.connect(f"/tmp/.X11-unix/X{display.lstrip(':')}")
        self._socket.sendall(greeting_bytes(Greeting("<", 11, 0, b"MIT-MAGIC-COOKIE-1", cookie)))
        self._reader = ServerReader("<")
        self._events: list[Packet] = []
        while self._reader.setup is None:
            self._reader.feed(self._socket.recv(1 << 16))
        assert isinstance(self._reader.setup, Setup)
        self._next = self._reader.setup.id_base
        self._root = self._reader.setup.roots[0].root
        self.frames: dict[int, int] = {}  # by window
        self._send(CHANGE_ATTRIBUTES, "III", self._root, 1 << 11, REDIRECT)
        self._sync()

    def _send(self, opcode: int, form: str, *values: int, second: int = 0) -> None:
        body = struct.pack("<" + form, *values)
        self._socket.sendall(struct.pack("<BBH", opcode, second, 1 + len(body) // 4) + body)

    def _sync(self) -> None:
        """Everything that was sent is done; windows that are gone by now do no harm."""
        self._send(GET_FOCUS, "")
        while True:
            assert select.select([self._socket], [], [], LIMIT)[0]
            packets = self._reader.feed(self._socket.recv(1 << 16))
            self._events += [one for one in packets if one.kind not in {ERROR, REPLY}]
            if any(one.kind == REPLY for one in packets):
                return

    def act(self) -> None:
        """Deal with what programs have asked for since."""
        self._sync()
        events, self._events = self._events, []
        for event in events:
            data = event.data
            _, window = struct.unpack_from("<II", data, 4)
            if event.kind == MAP_REQUEST:
                self._map(window)
            elif event.kind == CONFIGURE_REQUEST:
                x, y, width, height, border, mask = struct.unpack_from("<hhHHHH", data, 16)
                self._configure(window, mask, (x, y, width, height, border))
            elif event.kind == DESTROY_NOTIFY and window in self.frames:
                self._send(DESTROY, "I", self.frames.pop(window))
        self._sync()

    def _map(self, window: int) -> None:
        if window in self.frames:
            self._send(MAP, "I", window)
            self._send(MAP, "I", self.frames[window])
            return
        if self._random.random() < 0.3:  # some put no frame around a window
            self._send(MAP, "I", window)
            return
        self._next += 1
        frame = self.frames[window] = self._next
        self._send(CHANGE_ATTRIBUTES, "III", window, 1 << 11, PROPERTY_CHANGE | FOCUS_CHANGE)
        self._send(CREATE_WINDOW, "IIhhHHHHIII", frame, self._root, 40, 50, 300, 300, 0, 1, 0, 1 << 9, 1)
        self._send(REPARENT, "IIhh", window, frame, 3, 20)
        if self._random.random() < 0.5:
            self._send(CONFIGURE, "IHHIII", window, 0b11100, 0, 200, 150, 0)
        self._send(MAP, "I", window)
        self._send(MAP, "I", frame)

    def _configure(self, window: int, mask: int, geometry: tuple[int, ...]) -> None:
        x, y, width, height, border = geometry
        if self._random.random() < 0.2:
            return
        if self._random.random() < 0.2:
            width += 7
        values = [
            value & 0xFFFF for bit, value in enumerate((x, y, width, height, border)) if mask >> bit & 1
        ]
        self._send(CONFIGURE, f"IHH{len(values)}I", window, mask & 31, 0, *values)
        # ICCCM 4.1.5: the window hears where it is on the root, by a sent event
        sent = struct.pack("<BxHIIIhhHHHBx4x", CONFIGURE_NOTIFY, 0, window, window, 0, 77, 88, 99, 99, 9, 0)
        self._socket.sendall(struct.pack("<BBHII", SEND_EVENT, 0, 11, window, 1 << 17) + sent)

    def meddle(self) -> None:
        """Do something to a window without having been asked."""
        if not self.frames:
            return
        window = self._random.choice(sorted(self.frames))
        frame = self.frames[window]
        number = self._random.randrange(6)
        if number == 0:
            self._send(CONFIGURE, "IHHII", frame, 3, 0, 5, 6)
        elif number == 1:
            self._send(CONFIGURE, "IHHII", window, 12, 0, self._random.randint(1, 300), 60)
        elif number == 2:
            self._send(UNMAP, "I", window)
            self._send(UNMAP, "I", frame)
        elif number == 3:
            self._send(UNMAP, "I", frame)
        elif number == 4:
            self._send(MAP, "I", window)
            self._send(MAP, "I", frame)
        else:
            self._send(SET_FOCUS, "II", window, 0, second=1)
        self._sync()

    def close(self) -> None:
        """Hang up; Xorg destroys the frames with the windows in them, as none is in a save-set."""
        self._socket.close()
