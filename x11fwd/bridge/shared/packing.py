"""Compression of one direction of one stream, the context kept from batch to batch; both halves use it."""

import struct
import sys
import zlib
from typing import TYPE_CHECKING, Iterator, Optional, Tuple, Union

from x11fwd.bridge.shared.faults import WireFault

if TYPE_CHECKING:
    from types import ModuleType

PIECE = 1 << 16  # bytes that are unpacked at once, so that a small input cannot fill the memory
_ZLIB, _ZSTD = "zlib", "zstd"
_ZSTD_LEVEL = 3  # packs plots as well as zlib's 6 does, at ten times its speed
_ZSTD_WINDOW = 23  # 8 MB as a power of 2, of what the other half may have kept; level 3 takes 21
BIG_BATCH = 1 << 14  # bytes from which how fast it goes may count
_LOOKS_BACK = 1 << 15
_LONGEST_STORED = 0xFFFF
_STORED_HEAD = struct.Struct("<BHH")


class Packer:
    """Packs batches with one zlib context (RFC 1951, without a header).

    Large batches that cannot be packed go as stored blocks, others at a lower level: a compressor that is
    started anew knows the same bytes before as the other side does, so nothing of the context is lost.
    """

    def __init__(self, level: int = 6) -> None:
        self._level = level
        self._running = -1  # the level of `_stream`
        self._stream = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._before = b""  # the last bytes, as many as zlib looks back

    def pack(self, batch: bytes, *, most: int = 9) -> bytes:
        """The batch packed, up to a byte border, so that the other side can unpack all of it now.

        Args:
            most: the level that a large batch is worth; 0 does not pack it.
        """
        level = self._level
        if len(batch) >= BIG_BATCH:
            level = 0 if not most or _is_noise(batch) else min(level, most)
        before, self._before = self._before, (self._before + batch[-_LOOKS_BACK:])[-_LOOKS_BACK:]
        if not level:
            self._running = 0
            return _stored(batch)
        if level != self._running:
            self._running = level
            self._stream = zlib.compressobj(
                level, zlib.DEFLATED, -zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, zlib.Z_DEFAULT_STRATEGY, before
            )
        return self._stream.compress(batch) + self._stream.flush(zlib.Z_SYNC_FLUSH)


def _is_noise(batch: bytes) -> bool:
    """Whether packing some places of it gains nothing."""
    step = len(batch) // 4
    some = b"".join([batch[at : at + 1024] for at in range(step // 2, len(batch) - 1024, step)])
    return len(zlib.compress(some, 1)) > len(some) * 15 // 16


def _stored(batch: bytes) -> bytes:
    """Blocks that are not packed (RFC 1951, section 3.2.4)."""
    blocks = []
    for at in range(0, len(batch), _LONGEST_STORED):
        piece = batch[at : at + _LONGEST_STORED]
        blocks.append(_STORED_HEAD.pack(0, len(piece), len(piece) ^ 0xFFFF))
        blocks.append(piece)
    return b"".join(blocks)


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


class ZstdPacker:
    """Packs batches as one zstd frame without end (RFC 8878); noise costs it next to nothing.

    Args:
        module: compression.zstd.
    """

    def __init__(self, module: "ModuleType") -> None:
        self._stream = module.ZstdCompressor(level=_ZSTD_LEVEL)
        self._mode = module.ZstdCompressor.FLUSH_BLOCK

    def pack(self, batch: bytes, *, most: int = 9) -> bytes:
        """Like Packer's."""
        del most
        return bytes(self._stream.compress(batch, mode=self._mode))


class ZstdUnpacker:
    """Unpacks what a ZstdPacker packed."""

    def __init__(self, module: "ModuleType") -> None:
        limits = {module.DecompressionParameter.window_log_max: _ZSTD_WINDOW}
        self._stream = module.ZstdDecompressor(options=limits)
        self._error = module.ZstdError

    def unpack(self, data: bytes) -> "Iterator[bytes]":
        """Like Unpacker's."""
        rest = data
        while True:
            try:
                piece = self._stream.decompress(rest, PIECE)
            except (self._error, EOFError) as error:
                raise WireFault("the other half's packed bytes are damaged: %s" % error) from None
            rest = b""
            if piece:
                yield piece
            if self._stream.eof:
                raise WireFault("the other half ends its packed bytes")
            if self._stream.needs_input or not piece:
                return


AnyPacker = Union[Packer, ZstdPacker]
AnyUnpacker = Union[Unpacker, ZstdUnpacker]


def zstd_module() -> "Optional[ModuleType]":
    """Python's own zstd, from 3.14 on where it was built with it."""
    if sys.hexversion < 0x030E0000:
        return None
    import importlib

    try:
        return importlib.import_module("compression.zstd")
    except ImportError:
        return None


def packers() -> "Tuple[str, ...]":
    """What this side can unpack, best first."""
    return (_ZLIB,) if zstd_module() is None else (_ZSTD, _ZLIB)


def chosen(theirs: "Tuple[str, ...]") -> str:
    """The first packer of the other half's that this one has; empty for none."""
    ours = packers()
    return next((name for name in theirs if name in ours), "")


def new_packer(name: str, level: int) -> "AnyPacker":
    """The packer that `chosen` named; `level` is zlib's."""
    module = zstd_module() if name == _ZSTD else None
    return Packer(level) if module is None else ZstdPacker(module)


def new_unpacker(name: str) -> "AnyUnpacker":
    """For what the other half packs with a packer of that name.

    Raises:
        WireFault: this side has none.
    """
    if name == _ZLIB:
        return Unpacker()
    module = zstd_module()
    if name != _ZSTD or module is None:
        raise WireFault("the other half packs with %s" % ascii(name))
    return ZstdUnpacker(module)
