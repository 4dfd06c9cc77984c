"""Pictures of the script on their way to the other side; part of the far half's text of `run`."""

# Python 3.6 has no `from __future__ import annotations`.

import json
import socket
import struct
import threading
import time
import zlib
from typing import Any, Callable, Dict, List, Optional, Tuple

from x11fwd.pipeline.run_there.line import Line, start

AHEAD = 2  # pictures under way
FASTEST = 0.1  # seconds between two pictures of one figure that moves
LINGER = 30.0  # seconds for who has connected and says nothing more


class Pictures:
    """What the backend sends; of each figure only the newest waits, and those it replaces are counted.

    The backend hands over every state at once, so that the last one is here whatever the script does next,
    even where it is killed; how many go on the line is decided here.
    """

    def __init__(self, line: Line, path: str) -> None:
        self.line = line
        self.condition = threading.Condition()
        self.waiting: Dict[str, Tuple[Dict[str, Any], bytes]] = {}
        self.dropped: Dict[str, int] = {}
        self.newest: Dict[str, int] = {}
        self.sent: Dict[str, float] = {}
        self.under_way = 0
        self.closing = False
        self.readers: List[threading.Thread] = []
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.server.bind(path)
        self.server.listen(16)
        self.path = path
        self.last = False  # nobody new will connect
        self.door = start(self.accept)
        self.sender = start(self.send)

    def accept(self) -> None:
        while True:
            try:
                peer, _address = self.server.accept()
            except OSError:
                return
            self.readers.append(start(self.read, peer))
            if self.last:
                self.server.setblocking(False)

    def read(self, peer: "socket.socket") -> None:
        with peer, peer.makefile("rb") as file:
            while True:
                head = file.read(8)
                if len(head) < 8:
                    return
                words, size = struct.unpack("!II", head)
                if words > 1 << 16 or size > 256 << 20:
                    return
                about = json.loads(file.read(words).decode("utf-8"))
                data = file.read(size)
                if len(data) < size:
                    return
                self.put(about, data)

    def put(self, about: "Dict[str, Any]", data: bytes) -> None:
        with self.condition:
            name = str(about.get("id"))
            frame = int(about.get("frame", 0))
            if frame < self.newest.get(name, 0):
                return  # after Ctrl-C a script goes on over a new connection, whose reader may be quicker
            self.newest[name] = frame
            if name in self.waiting:
                self.dropped[name] = self.dropped.get(name, 0) + 1
            self.waiting[name] = (about, data)
            self.condition.notify_all()

    def arrived(self) -> None:
        with self.condition:
            self.under_way -= 1
            self.condition.notify_all()

    def ready(self) -> "Tuple[Optional[str], Optional[float]]":
        """The figure whose picture may go now, or seconds until one may."""
        if self.under_way >= AHEAD:
            return None, None
        soonest = None
        now = time.monotonic()
        for name, (about, _data) in self.waiting.items():
            left = self.sent.get(name, now - FASTEST) + FASTEST - now
            if left <= 0 or self.closing or about.get("lasting"):
                return name, None
            soonest = left if soonest is None else min(left, soonest)
        return None, soonest

    def send(self) -> None:
        while True:
            with self.condition:
                while True:
                    name, wait = self.ready()
                    if name is not None:
                        break
                    if self.closing and not self.waiting:
                        return
                    self.condition.wait(wait)
                about, data = self.waiting.pop(name)
                about["dropped"] = self.dropped.get(name, 0)
                self.sent[name] = time.monotonic()
                self.under_way += 1
            if about.get("kind") == "rgba":
                about["kind"], data = "png", png(data, int(about["across"]), int(about["down"]))
            words = json.dumps(about).encode("ascii")
            self.line.send(b"P", struct.pack("!I", len(words)) + words + data)

    def finish(self, gone: "Callable[[], bool]") -> None:
        """Send what is there, once every program of the script's has ended; `gone`: nobody takes it."""
        # who connected and was not let in yet stands before us in the queue
        self.last = True
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as us:
            us.setblocking(False)
            until = time.monotonic() + LINGER
            while self.door.is_alive() and time.monotonic() < until:
                try:
                    us.connect(self.path)
                    break
                except BlockingIOError:
                    time.sleep(0.02)  # the queue is full of those who are let in now
        self.door.join(LINGER)
        for reader in list(self.readers):
            reader.join(LINGER)
        with self.condition:
            self.closing = True
            self.condition.notify_all()
        # the last pictures take as long as the line needs for them
        while self.sender.is_alive() and not gone():
            self.sender.join(0.2)
        self.server.close()


def png(pixels: bytes, across: int, down: int) -> bytes:
    """Red, green, blue and opacity of every pixel as a PNG (ISO 15948); quick rather than small."""
    row = 4 * across
    lines = b"".join(b"\0" + pixels[at : at + row] for at in range(0, row * down, row))
    head = struct.pack("!IIBBBBB", across, down, 8, 6, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(lines, 3)), (b"IEND", b""))
    chunks = [struct.pack("!I", len(data)) + kind + data for kind, data in parts]
    sums = [struct.pack("!I", zlib.crc32(chunk[4:]) & 0xFFFFFFFF) for chunk in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk + end for chunk, end in zip(chunks, sums))
