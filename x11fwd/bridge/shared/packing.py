"""Compression of one direction of one stream, the context kept from batch to batch; both halves use it."""

import zlib
from typing import Iterator, Tuple

from x11fwd.bridge.shared.faults import WireFault

PIECE = 1 << 16  # bytes that are unpacked at once, so that a small input cannot fill the memory
PACKERS: "Tuple[str, ...]" = ("zlib",)  # what this side can unpack, best first; a place for zstd


class Packer:
    """Packs batches with one zlib context (RFC 1951, without a header)."""

    def __init__(self, level: int = 6) -> None:
        self._stream = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)

    def pack(self, batch: bytes) -> bytes:
        """The batch packed, up to a byte border, so that the other side can unpack all of it now."""
        return self._stream.compress(batch) + self._stream.flush(zlib.Z_SYNC_FLUSH)


class Unpacker:
    """Unpacks what a Packer packed."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(-zlib.MAX_WBITS)

    def unpack(self, data: bytes) -> "Iterator[bytes]":
        """The unpacked bytes in pieces of at most PIECE.

        Raises:
            WireFault: these are not packed bytes.
        """
        rest = data
        try:
            while True:
                piece = self._stream.decompress(rest, PIECE)
                rest = self._stream.unconsumed_tail
                if piece:
                    yield piece
                if self._stream.eof:
                    raise WireFault("the other half ends its packed bytes")
                # a full piece may leave bytes inside zlib although it has consumed all of its input
                if not rest and len(piece) < PIECE:
                    return
        except zlib.error as error:
            raise WireFault("the other half's packed bytes are damaged: %s" % error) from None


def chosen(theirs: "Tuple[str, ...]") -> str:
    """The first packer of the other half's that this one has; empty for none."""
    return next((name for name in theirs if name in PACKERS), "")
