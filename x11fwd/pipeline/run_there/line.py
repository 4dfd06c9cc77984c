"""Frames between both halves of `run`; part of the far half's text.

A frame is one byte of kind, four of length, and the payload.

To there: M manifest, C compressed contents, S start, I input, J end of input, K interrupt, W size of the
terminal, Z still there, A a picture has arrived. From there: H hello, N contents that are needed, Y started,
O output, E errors, P picture, R input consumed, X exit, G file, D its bytes, U nothing more comes,
Q a problem.
"""

# Python 3.6 has no `from __future__ import annotations`.

import json
import os
import select
import struct
import threading
from typing import Any, Tuple

from x11fwd.project.receive import RefusedError

SILENCE = 45.0  # seconds without a word (the other side says one every 5) after which the line counts as cut
HEAD = struct.Struct("!cI")


class GoneError(Exception):
    """The other side is not there any more."""


class Line:
    """Frames on standard input and output."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.out = os.dup(1)
        self.buffer = b""
        self.silence = SILENCE
        # what anything here prints by itself must not get between the frames
        os.dup2(2, 1)

    def send(self, kind: bytes, data: bytes = b"") -> None:
        with self.lock:
            rest = memoryview(HEAD.pack(kind, len(data)) + data)
            while rest:
                try:
                    rest = rest[os.write(self.out, rest) :]
                except OSError:
                    raise GoneError from None

    def say(self, kind: bytes, **more: "Any") -> None:
        self.send(kind, json.dumps(more).encode("ascii"))

    def receive(self) -> "Tuple[bytes, bytes]":
        """The next frame."""
        size = None
        while True:
            if size is None and len(self.buffer) >= HEAD.size:
                kind, size = HEAD.unpack(self.buffer[: HEAD.size])
            if size is not None and len(self.buffer) >= HEAD.size + size:
                data = self.buffer[HEAD.size : HEAD.size + size]
                self.buffer = self.buffer[HEAD.size + size :]
                return kind, data
            if not select.select([0], [], [], self.silence)[0]:
                raise GoneError
            more = os.read(0, 1 << 20)
            if not more:
                raise GoneError
            self.buffer += more

    def expect(self, kind: bytes) -> bytes:
        while True:
            got, data = self.receive()
            if got == kind:
                return data
            if got == b"K":
                raise GoneError
            # what ends the compressed stream may come after its last byte was taken out of it
            if got != b"Z" and (got, kind) != (b"C", b"S"):
                raise RefusedError("frame %r where %r was expected" % (got, kind))


def start(work: "Any", *arguments: "Any") -> threading.Thread:
    def run() -> None:
        try:
            work(*arguments)
        except (GoneError, OSError, ValueError):
            pass

    thread = threading.Thread(target=run)
    thread.daemon = True
    thread.start()
    return thread
