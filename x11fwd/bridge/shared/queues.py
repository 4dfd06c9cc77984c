"""Bytes that wait to be written, without copies; both halves use it."""

from collections import deque
from typing import Deque, List, Union

GATHER = 64  # chunks in one writev(2); IOV_MAX is 1024 nearly everywhere, 16 at least (POSIX)


class ByteQueue:
    """Chunks in order; `size` is how many bytes wait."""

    def __init__(self) -> None:
        self.size = 0
        self._chunks: Deque[memoryview] = deque()

    def put(self, data: "Union[bytes, bytearray, memoryview]") -> None:
        """Add a chunk, which must not change any more."""
        if len(data):
            self._chunks.append(memoryview(data))
            self.size += len(data)

    def head(self, limit: int) -> memoryview:
        """The first bytes that lie in one chunk, at most `limit`."""
        return self._chunks[0][:limit] if self._chunks else memoryview(b"")

    def gathered(self) -> "List[memoryview]":
        """The first chunks, for writev."""
        return [self._chunks[at] for at in range(min(GATHER, len(self._chunks)))]

    def drop(self, size: int) -> None:
        """The first `size` bytes have been written."""
        self.size -= size
        while size:
            first = self._chunks[0]
            if size < len(first):
                self._chunks[0] = first[size:]
                return
            size -= len(first)
            self._chunks.popleft()
