"""The frames of the link between the halves: kind, connection, length, payload; both halves use it.

Kinds below FIRST_NUMBERED belong to one stream and are lost with it. The others are counted by both sides, so
that a link that lost its stream can say how many it got.
"""

import struct
from typing import List, NamedTuple, Union

from x11fwd.bridge.shared.faults import WireFault

ACK = 1  # payload: how many numbered frames have come
PING = 2  # payload: anything short
ECHO = 3  # the payload of a PING
PACKED = 4  # payload: a packer's name; all that follows in this direction is packed by it
FIRST_NUMBERED = 16
OPEN = 16  # a connection begins; payload: for the dispatcher
DATA = 17  # bytes of a connection, under credit
CLOSE = 18  # nothing more comes from this side, and nothing is wanted; payload: for the dispatcher
CREDIT = 19  # payload: how many bytes of DATA may come in addition
CONTROL = 20  # for the dispatcher; further kinds are its own

_HEAD = struct.Struct(">BIH")
HEAD_SIZE = _HEAD.size
LARGEST_PAYLOAD = 0xFFFF  # what the length field can say, so that no check of it is needed
_COUNT = struct.Struct(">Q")
LINK = 0  # the connection of frames that belong to none


class Frame(NamedTuple):
    """One frame; `connection` is a number that is never used again in a session, or LINK."""

    kind: int
    connection: int
    payload: bytes


def frame_bytes(kind: int, connection: int, payload: "Union[bytes, memoryview]" = b"") -> bytes:
    """The frame as it is sent; the payload has at most LARGEST_PAYLOAD bytes."""
    return b"".join((_HEAD.pack(kind, connection, len(payload)), payload))


def count_payload(count: int) -> bytes:
    """The payload of ACK and CREDIT."""
    return _COUNT.pack(count)


def read_count(frame: Frame) -> int:
    """What `count_payload` packed.

    Raises:
        WireFault: it is none.
    """
    if len(frame.payload) != _COUNT.size:
        raise WireFault("the other half sends a count of %d bytes" % len(frame.payload))
    return int(_COUNT.unpack(frame.payload)[0])


class FrameReader:
    """Frames from the bytes of a stream, however they are cut."""

    def __init__(self) -> None:
        self._part = bytearray()

    def feed(self, data: "Union[bytes, memoryview]") -> "List[Frame]":
        """The frames that are complete with `data`, up to a PACKED frame: after that one, take `rest`."""
        part = self._part
        part += data
        found: List[Frame] = []
        at, end = 0, len(part)
        while end - at >= HEAD_SIZE:
            kind, connection, size = _HEAD.unpack_from(part, at)
            if end - at < HEAD_SIZE + size:
                break
            at += HEAD_SIZE
            found.append(Frame(kind, connection, bytes(part[at : at + size])))
            at += size
            if kind == PACKED:
                break
        del part[:at]
        return found

    def rest(self) -> bytes:
        """What came behind the last frame, taken out."""
        found = bytes(self._part)
        self._part = bytearray()
        return found
