"""Frames between both halves of `jupyter`; the near half imports it, the far half is sent it as text.

A frame is kind (one byte), channel and length (32 bits each, network order), and the payload. Channel 0 is
the talk between the halves, every other number one connection of the browser's.

    near to far   J  an order, JSON         O  open this channel      Z  a sign of life
    far to near   M  a message, JSON        Z  its answer
    both          D  data                   E  no more data comes     C  it is closed, forget it
                  W  the other half may send so many bytes more (32 bits)

Each half may have WINDOW bytes of a channel under way, so that a slow page holds up no other one.
"""

# Python 3.6 has no `from __future__ import annotations`.

import struct
from typing import List, Tuple

HEAD = struct.Struct("!cII")
LARGEST = 1 << 20  # of one frame
CHUNK = 32 << 10  # of data in one frame: what a key press has to wait for on a slow line
WINDOW = 1 << 20  # bytes of one channel under way
CREDIT = struct.Struct("!I")


class WireError(Exception):
    """What came is no frame of ours."""


def frame(kind: bytes, channel: int = 0, data: bytes = b"") -> bytes:
    """One frame as it goes out."""
    return HEAD.pack(kind, channel, len(data)) + data


class Frames:
    """Puts frames together from what a stream brings."""

    def __init__(self) -> None:
        self.buffer = bytearray()

    def feed(self, data: bytes) -> "List[Tuple[bytes, int, bytes]]":
        """Kind, channel and payload of each frame that is whole now. Raises WireError."""
        self.buffer += data
        found = []
        at = 0
        while len(self.buffer) - at >= HEAD.size:
            kind, channel, size = HEAD.unpack_from(self.buffer, at)
            if size > LARGEST or kind not in b"JMODECWZ":
                raise WireError("%r, %d bytes" % (kind, size))
            end = at + HEAD.size + size
            if len(self.buffer) < end:
                break
            found.append((kind, channel, bytes(self.buffer[at + HEAD.size : end])))
            at = end
        del self.buffer[:at]
        return found
