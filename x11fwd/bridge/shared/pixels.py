"""The difference of two images as positions and colours, made by few calls into C; `images` uses it.

There is no numpy on a remote host, and a loop over a figure's 300,000 pixels takes longer than the frame may.
Blocks of 64 bytes are compared first, then the pixels (words of four bytes) of the blocks that differ. Few
pixels are told column by column: a curve is one run in each column.
"""

import struct
from array import array
from itertools import compress
from operator import ne
from typing import List, NamedTuple, Optional, Tuple, Union

from x11fwd.bridge.shared.faults import WireFault
from x11fwd.bridge.shared.runs import coded_runs, mask_runs, read_runs
from x11fwd.bridge.shared.shades import PixelPalette

BASE, COLUMNS, DENSE, BLOCKS, PLAIN = range(
    5
)  # nothing changed, the two palettes, bytes of blocks, all bytes
_BLOCK = 64  # bytes
_WORDS = _BLOCK // 4
_CHUNK = 64 * _BLOCK
_MOST_RUNS = 30000  # of changed pixels, for the time that they take
_MOST_SPARSE = 30000  # pixels
_LONGEST_RUNS = 1 << 19  # bytes of coded runs; the blocks of the longest image need 1 << 18
_SAMPLE = 256
_CHUNK_BLOCKS = struct.Struct("64s" * 64)
_SET = bytes([0]) + bytes([1]) * 255
_LENGTHS_HEAD = struct.Struct("<4I")

_PixelBytes = Union[bytes, bytearray, memoryview]
_Spans = List[Tuple[int, int]]


class Change(NamedTuple):
    """An image coded or decoded; `blocks` are the offsets of those that differ, None when most do."""

    coded: "List[bytes]"
    data: bytes
    blocks: "Optional[List[int]]"


def coded_change(base: "_PixelBytes", data: bytes, stride: int, palette: PixelPalette) -> Change:
    """How `data` differs from `base`, which is as long; both lengths are multiples of 4."""
    flags = _changed_blocks(base, data)
    runs = mask_runs(flags)
    if not runs:
        return Change([bytes([BASE])], data, [])
    spans = _spans(runs, len(data))
    new = b"".join([data[start:end] for start, end in spans])
    blocks = _few(list(compress(range(0, len(data), _BLOCK), flags)), len(data))
    if not _colourful(new):
        places: List[int] = []
        old = b"".join([base[start:end] for start, end in spans])
        mask = _changed_words(old, new)
        parts: List[bytes] = []
        if blocks is not None and mask.count(1) <= _MOST_SPARSE:
            kind = COLUMNS
            places = mask_runs(_by_columns(_whole_mask(mask, spans, len(data) // 4), stride // 4))
            words = memoryview(data).cast("I")
            parts = palette.coded([words[at] for at in _column_places(places, stride // 4, len(words))])
        elif mask.count(b"\0\1") <= _MOST_RUNS:
            kind = DENSE
            places = mask_runs(mask)
            parts = palette.coded(list(compress(memoryview(new).cast("I"), mask)))
        if parts:
            parts.insert(0, coded_runs(places))
            if kind == DENSE:
                parts.append(coded_runs(runs))
            head = _LENGTHS_HEAD.pack(*map(len, parts[:4]))
            return Change([bytes([kind]), head, *parts], data, blocks)
    if len(new) == len(data):
        return Change([bytes([PLAIN]), new], data, None)
    found = coded_runs(runs)
    return Change([bytes([BLOCKS]), struct.pack("<I", len(found)), found, new], data, None)


def read_change(base: bytearray, coded: bytes, at: int, stride: int, palette: PixelPalette) -> Change:
    """What `coded_change` coded, from `coded[at]` on; `base` is changed.

    Raises:
        WireFault, ValueError, IndexError, struct.error: it did not.
    """
    kind, at, size = coded[at], at + 1, len(base)
    if kind in (COLUMNS, DENSE):
        lengths = _LENGTHS_HEAD.unpack_from(coded, at)
        at += _LENGTHS_HEAD.size
        parts = []
        for length in lengths:
            parts.append(coded[at : at + length])
            at += length
        if max(lengths[0], len(coded) - at) > _LONGEST_RUNS:
            raise WireFault("the other half sends an image of too many parts")
        runs, colours = read_runs(parts[0]), palette.read(*parts[1:])
        if kind == COLUMNS:
            return _read_columns(base, runs, stride, colours)
        spans = _spans(read_runs(coded[at:]), size)
        old = bytearray().join([base[start:end] for start, end in spans])
        _spread(base, spans, _read_dense(old, runs, colours))
        flags = [one for start, end in spans for one in range(start, end, _BLOCK)]
        return Change([], bytes(base), _few(flags, size))
    if kind == BASE:
        return Change([], bytes(base), [])
    if kind == BLOCKS:
        (length,) = struct.unpack_from("<I", coded, at)
        at += 4
        if length > _LONGEST_RUNS:
            raise WireFault("the other half sends an image of too many parts")
        _spread(base, _spans(read_runs(coded[at : at + length]), size), coded[at + length :])
        return Change([], bytes(base), None)
    if kind != PLAIN or len(coded) - at != size:
        raise WireFault("the other half sends an image of unknown kind %d or length" % kind)
    return Change([], coded[at:], None)


def _few(blocks: "List[int]", size: int) -> "Optional[List[int]]":
    return None if len(blocks) * _BLOCK * 3 > size else blocks


def _changed_blocks(base: "_PixelBytes", data: bytes) -> bytes:
    """A byte for each block, 1 where it differs."""
    found = []
    for at in range(0, len(data), _CHUNK):
        ours, theirs = data[at : at + _CHUNK], base[at : at + _CHUNK]
        if ours == theirs:
            found.append(bytes((len(ours) + _BLOCK - 1) // _BLOCK))
        elif len(ours) == _CHUNK:
            found.append(bytes(map(ne, _CHUNK_BLOCKS.unpack(ours), _CHUNK_BLOCKS.unpack(theirs))))
        else:
            places = range(0, len(ours), _BLOCK)
            found.append(bytes([ours[one : one + _BLOCK] != theirs[one : one + _BLOCK] for one in places]))
    return b"".join(found)


def _spans(runs: "List[int]", size: int) -> _Spans:
    """Where the changed blocks of `size` bytes are, from runs of blocks."""
    found, at = [], 0
    for one in range(0, len(runs) - 1, 2):
        start = at + runs[one] * _BLOCK
        at = start + runs[one + 1] * _BLOCK
        found.append((start, min(at, size)))
    if found and (at - size >= _BLOCK or found[-1][0] >= size):
        raise WireFault("the other half changes what lies behind an image")
    return found


def _changed_words(old: bytes, new: bytes) -> bytes:
    """A byte for each word, 1 where it differs."""
    size = len(new)
    differs = (int.from_bytes(old, "little") ^ int.from_bytes(new, "little")).to_bytes(size, "little")
    flags = differs.translate(_SET)
    parts = [int.from_bytes(flags[plane::4], "little") for plane in range(4)]
    return (parts[0] | parts[1] | parts[2] | parts[3]).to_bytes(size // 4, "little")


def _whole_mask(mask: bytes, spans: _Spans, words: int) -> bytes:
    """The flags of some spans with those of the words between them."""
    found, at, used = [], 0, 0
    for start, end in spans:
        found.append(bytes(start // 4 - at))
        at = end // 4
        found.append(mask[used : used + at - start // 4])
        used += at - start // 4
    found.append(bytes(words - at))
    return b"".join(found)


def _by_columns(mask: bytes, width: int) -> bytes:
    return b"".join([mask[column::width] for column in range(width)])


def _column_places(runs: "List[int]", width: int, words: int) -> "List[int]":
    """The words that runs in order of columns mean."""
    places: List[int] = []
    height, at = words // width, 0
    for one in range(0, len(runs) - 1, 2):
        start = at + runs[one]
        at = start + runs[one + 1]
        if at > words:
            raise WireFault("the other half changes what lies behind an image")
        places += range(start, at)
    return [one % height * width + one // height for one in places]


def _read_columns(base: bytearray, runs: "List[int]", stride: int, colours: "List[int]") -> Change:
    with memoryview(base) as view, view.cast("I") as words:
        places = _column_places(runs, stride // 4, len(words))
        if len(places) != len(colours):
            raise WireFault("the other half sends an image with too few or too many colours")
        for at, colour in zip(places, colours):
            words[at] = colour
    blocks = sorted({at // _WORDS for at in places})
    return Change([], bytes(base), [at * _BLOCK for at in blocks])


def _read_dense(old: bytearray, runs: "List[int]", colours: "List[int]") -> bytes:
    """The words of changed blocks with the new ones among them."""
    pixels, new = array("I", bytes(old)), array("I", colours)
    at = used = 0
    for one in range(0, len(runs) - 1, 2):
        at += runs[one]
        run = runs[one + 1]
        if at + run > len(pixels) or used + run > len(new):
            raise WireFault("the other half changes what lies behind an image")
        pixels[at : at + run] = new[used : used + run]
        used += run
        at += run
    return pixels.tobytes()


def _colourful(data: bytes) -> bool:
    """Whether there are too many colours for a palette, as far as some pixels say."""
    step = max(4, len(data) // _SAMPLE // 4 * 4)
    some = [data[at : at + 4] for at in range(0, len(data), step)]
    return len(some) > 64 and len(set(some)) * 4 > len(some) * 3


def _spread(base: bytearray, spans: _Spans, new: bytes) -> None:
    """Put new bytes into the places that changed."""
    at = 0
    for start, end in spans:
        if at + end - start > len(new):
            raise WireFault("the other half sends an image with too few bytes")
        base[start:end] = new[at : at + end - start]
        at += end - start
