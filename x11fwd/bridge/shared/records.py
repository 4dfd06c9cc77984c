"""What the remote half sends of one connection: requests as they are, and coded images; both halves use it.

A record is a head of four bytes, its kind in the top bit and its length below, and the payload.
"""

import struct
from collections import deque
from typing import Deque, List, NamedTuple, Optional, Union

from x11fwd.bridge.shared.faults import WireFault

RAW = 0  # bytes for the X server; how they are cut means nothing
IMAGE = 1  # one request as `images` codes it
LONGEST_IMAGE = (1 << 24) + 4096  # bytes of a coded image, which must come whole
LONGEST_RAW = (1 << 31) - 1
_RECORD_HEAD = struct.Struct(">I")
_IMAGE_BIT = 1 << 31

_RecordBytes = Union[bytes, bytearray, memoryview]


class Record(NamedTuple):
    """A record, or of a RAW one the part that has come."""

    kind: int
    payload: Union[bytes, memoryview]


class RecordWriter:
    """Records of one connection; neighbouring RAW bytes become one record."""

    def __init__(self) -> None:
        self._done: List[_RecordBytes] = []
        self._raw: List[_RecordBytes] = []
        self._raw_size = 0

    def raw(self, data: "_RecordBytes") -> None:
        """Bytes for the X server, which must not change any more."""
        if self._raw_size + len(data) > LONGEST_RAW:
            self._close()
        self._raw.append(data)
        self._raw_size += len(data)

    def image(self, coded: bytes) -> None:
        """A coded image of at most LONGEST_IMAGE bytes."""
        self._close()
        self._done.append(_RECORD_HEAD.pack(_IMAGE_BIT | len(coded)))
        self._done.append(coded)

    def take(self) -> "List[_RecordBytes]":
        """Everything since the last call, to be sent in this order."""
        self._close()
        done, self._done = self._done, []
        return done

    def _close(self) -> None:
        if self._raw_size:
            self._done.append(_RECORD_HEAD.pack(self._raw_size))
            self._done += self._raw
            self._raw, self._raw_size = [], 0


class RecordReader:
    """Records from the bytes of a connection, however they are cut.

    A coded image can become a thousand times its size. Who must bound what waits for the X server gives all
    that came to `put` and asks for one record after the other with `next`, as long as there is room.
    """

    def __init__(self) -> None:
        self._part = bytearray()  # a head, or the image, that is not whole
        self._left = 0  # bytes of the record that are still to come
        self._kind = RAW
        self._view = memoryview(b"")
        self._more: Deque[bytes] = deque()  # behind `_view`

    def feed(self, data: bytes) -> "List[Record]":
        """All records that are complete with `data`, views of it, and of the last RAW one what has come.

        Raises:
            WireFault: an image that is too long.
        """
        self.put(data)
        found: List[Record] = []
        while True:
            record = self.next()
            if record is None:
                return found
            found.append(record)

    def put(self, data: bytes) -> None:
        """More bytes of the connection, which must not change any more."""
        if len(data):
            self._more.append(data)

    @property
    def waits(self) -> bool:
        """Whether `next` has bytes to look at."""
        return bool(len(self._view) or self._more)

    def next(self) -> "Optional[Record]":
        """The next record, or None when more bytes must come; raises WireFault like `feed`."""
        while True:
            view = self._view
            if not len(view):
                if not self._more:
                    return None
                view = memoryview(self._more.popleft())
            if self._left:
                piece, self._view = view[: self._left], view[self._left :]
                self._left -= len(piece)
                if self._kind == RAW:
                    return Record(RAW, piece)
                if not self._left and not self._part:
                    return Record(IMAGE, piece)
                self._part += piece
                if not self._left:
                    return Record(IMAGE, self._taken())
            else:
                lacking = _RECORD_HEAD.size - len(self._part)
                self._part += view[:lacking]
                self._view = view[lacking:]
                if len(self._part) == _RECORD_HEAD.size:
                    self._begin(_RECORD_HEAD.unpack(self._taken())[0])

    def _taken(self) -> bytes:
        taken, self._part = bytes(self._part), bytearray()
        return taken

    def _begin(self, head: int) -> None:
        self._kind = IMAGE if head & _IMAGE_BIT else RAW
        self._left = head & ~_IMAGE_BIT
        if self._kind == IMAGE and not 0 < self._left <= LONGEST_IMAGE:
            raise WireFault("the other half sends a coded image of %d bytes" % self._left)
