"""The difference of two runs of pixels as positions and colours, made by few calls into C; `images` uses it.

There is no numpy on a remote host, and a loop over a figure's 300,000 pixels takes longer than the frame may.
Blocks of 64 bytes are compared first, then the pixels (words of four bytes) of the blocks that differ.
"""

import struct
from collections import Counter
from itertools import compress
from operator import ne
from typing import Dict, Iterator, List, Optional, Tuple, Union

from x11fwd.bridge.shared.faults import WireFault

# Nothing changed; few colours; blocks as they are; all as it is; few colours, the palette emptied before
SAME, PIXELS, BLOCKS, PLAIN, AFRESH = range(5)
_BLOCK = 64  # bytes
_CHUNK = 64 * _BLOCK
_MOST_RUNS = 30000  # of changed pixels, for the time that they take
_LONGEST_RUNS = 1 << 19  # bytes of coded runs; the blocks of the longest image need 1 << 18
_MOST_COLOURS = 8192
_FIRST_COLOURS = 255  # those that have a byte of their own
_SAMPLE = 256
_CHUNK_BLOCKS = struct.Struct("64s" * 64)
_SET = bytes([0]) + bytes([1]) * 255
_LENGTHS_HEAD = struct.Struct("<6I")

_PixelBytes = Union[bytes, bytearray, memoryview]


class PixelPalette:
    """The colours that one connection has used, the same in both halves."""

    def __init__(self) -> None:
        self.numbers: Dict[int, int] = {}
        self.colours: List[int] = []

    def add(self, colours: "Tuple[int, ...]", *, afresh: bool = False) -> None:
        """New colours; they take the place of all others when there are too many, or `afresh`."""
        if afresh or len(self.colours) + len(colours) > _MOST_COLOURS:
            self.numbers, self.colours = {}, []
        for colour in colours:
            self.numbers[colour] = len(self.colours)
            self.colours.append(colour)


def coded_change(base: "_PixelBytes", data: bytes, palette: PixelPalette) -> "List[bytes]":
    """How `data` differs from `base`, which is as long; the length is a multiple of 4."""
    blocks = _changed_blocks(base, data)
    runs = _runs(blocks)
    if not runs:
        return [bytes([SAME])]
    spans = _spans(runs, len(data))
    new = b"".join([data[start:end] for start, end in spans])
    if not _colourful(new):
        old = b"".join([base[start:end] for start, end in spans])
        kind, found = _coded_pixels(old, new, palette)
        if found:
            places = _coded_runs(runs)
            head = _LENGTHS_HEAD.pack(*map(len, [places, *found]))
            return [bytes([kind]), head, places, *found]
    if len(new) == len(data):
        return [bytes([PLAIN]), new]
    places = _coded_runs(runs)
    return [bytes([BLOCKS]), struct.pack("<I", len(places)), places, new]


def changed_bytes(base: bytearray, coded: bytes, at: int, palette: PixelPalette) -> bytes:
    """What `coded_change` coded, from `coded[at]` on; `base` may be changed.

    Raises:
        WireFault, ValueError, IndexError, struct.error: it did not.
    """
    kind, at, size = coded[at], at + 1, len(base)
    if kind == PLAIN:
        data = coded[at:]
    elif kind == SAME:
        data = bytes(base)
    elif kind == BLOCKS:
        (length,) = struct.unpack_from("<I", coded, at)
        at += 4
        spans = _spans(_read_runs(coded[at : at + length]), size)
        data = _spread(base, spans, coded[at + length :])
    elif kind in {PIXELS, AFRESH}:
        lengths = _LENGTHS_HEAD.unpack_from(coded, at)
        at += _LENGTHS_HEAD.size
        parts = []
        if max(lengths[0], lengths[1], lengths[5]) > _LONGEST_RUNS or lengths[4] > 4 * _MOST_COLOURS:
            raise WireFault("the other half sends an image of too many parts")
        for length in lengths:
            parts.append(coded[at : at + length])
            at += length
        spans = _spans(_read_runs(parts[0]), size)
        old = b"".join([base[start:end] for start, end in spans])
        data = _spread(base, spans, _read_pixels(old, parts[1:], palette, afresh=kind == AFRESH))
    else:
        raise WireFault("the other half sends an image of unknown kind %d" % kind)
    if len(data) != size:
        raise WireFault("the other half sends an image of %d bytes in place of %d" % (len(data), size))
    return data


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


def _runs(mask: bytes) -> "List[int]":
    """Lengths of the runs of 0 and 1 in turn; 0 comes first, a last run of 0 is left out."""
    found: List[int] = []
    add, find, at = found.append, mask.find, 0
    while True:
        start = find(1, at)
        if start < 0:
            return found
        add(start - at)
        at = find(0, start)
        if at < 0:
            add(len(mask) - start)
            return found
        add(at - start)


def _spans(runs: "List[int]", size: int) -> "List[Tuple[int, int]]":
    """Where the changed blocks of `size` bytes are, from runs of blocks."""
    found, at = [], 0
    for one in range(0, len(runs) - 1, 2):
        start = at + runs[one] * _BLOCK
        at = start + runs[one + 1] * _BLOCK
        found.append((start, min(at, size)))
    if found and found[-1][0] >= size:
        raise WireFault("the other half changes what lies behind an image")
    return found


def _coded_runs(runs: "List[int]") -> bytes:
    """Lengths as bytes, 255 meaning that more follows; first those of 0, then those of 1."""
    if not runs or max(runs) < 255:
        return bytes(runs[::2]) + bytes(runs[1::2])
    found = bytearray()
    for run in runs[::2] + runs[1::2]:
        found += b"\xff" * (run // 255)
        found.append(run % 255)
    return bytes(found)


def _read_runs(coded: bytes) -> "List[int]":
    """What `_coded_runs` made."""
    lengths = list(coded)
    if 255 in coded:
        lengths, more = [], 0
        for one in coded:
            more += one
            if one < 255:
                lengths.append(more)
                more = 0
    half = len(lengths) // 2
    found = [0] * (2 * half)
    found[::2], found[1::2] = lengths[:half], lengths[half : 2 * half]
    return found


def _colourful(data: bytes) -> bool:
    """Whether there are too many colours for a palette, as far as some pixels say."""
    step = max(4, len(data) // _SAMPLE // 4 * 4)
    some = [data[at : at + 4] for at in range(0, len(data), step)]
    return len(some) > 64 and len(set(some)) * 4 > len(some) * 3


def _coded_pixels(old: bytes, new: bytes, palette: PixelPalette) -> "Tuple[int, List[bytes]]":
    """Runs, colour numbers in a byte, the rest of long ones, new colours; [] when that is not worth it."""
    kind = PIXELS
    words = struct.unpack("<%dI" % (len(new) // 4), new)
    mask = _differing(new, old)
    colours = list(compress(words, mask.to_bytes(len(words), "little")))
    common = b""
    often = _commonest(colours)
    if often is not None:
        # where a line was, its ground comes back: half of what changes has that colour, and runs say it well
        word = struct.pack("<I", often)
        others = mask & _differing(new, word * len(words))
        common = word + _coded_runs(_runs((mask ^ others).to_bytes(len(words), "little")))
        mask = others
        colours = [colour for colour in colours if colour != often]
    flags = mask.to_bytes(len(words), "little")
    if flags.count(b"\0\1") > _MOST_RUNS:
        return kind, []
    fresh = tuple(sorted(set(colours).difference(palette.numbers)))
    if len(fresh) > 64 + len(colours) // 4 or len(fresh) > _MOST_COLOURS // 2:
        return kind, []
    if fresh and len(fresh) + len(palette.colours) > _MOST_COLOURS:
        fresh = tuple(sorted(set(colours)))
        if len(fresh) > _MOST_COLOURS:
            return kind, []
    palette.add(fresh)
    numbers = list(map(palette.numbers.__getitem__, colours))
    if len(palette.colours) > _FIRST_COLOURS and _outdated(numbers):
        # the colours of now, the commonest first: icons and text came first, a moving line has many blues
        kind, fresh = AFRESH, tuple(colour for colour, _ in Counter(colours).most_common())
        palette.add(fresh, afresh=True)
        numbers = list(map(palette.numbers.__getitem__, colours))
    long = b""
    if len(palette.colours) <= _FIRST_COLOURS:
        short = bytes(numbers)
    else:
        high = [number - _FIRST_COLOURS for number in numbers if number >= _FIRST_COLOURS]
        short = bytes([number if number < _FIRST_COLOURS else _FIRST_COLOURS for number in numbers])  # noqa: FURB136  faster
        long = struct.pack("<%dH" % len(high), *high)
    fresh_words = struct.pack("<%dI" % len(fresh), *fresh)
    return kind, [_coded_runs(_runs(flags)), short, long, fresh_words, common]


def _differing(one: bytes, other: bytes) -> int:
    """Which words of two strings of one length differ: a number whose bytes, lowest first, are 0 or 1."""
    size = len(one)
    differs = (int.from_bytes(one, "little") ^ int.from_bytes(other, "little")).to_bytes(size, "little")
    flags = differs.translate(_SET)
    parts = [int.from_bytes(flags[plane::4], "little") for plane in range(4)]
    return parts[0] | parts[1] | parts[2] | parts[3]


def _commonest(colours: "List[int]") -> "Optional[int]":
    """The colour that at least a quarter of them have, as far as some say."""
    some = colours[:: max(1, len(colours) // 64)]
    if len(some) < 32:
        return None
    found, count = Counter(some).most_common(1)[0]
    return found if 4 * count >= len(some) else None


def _outdated(numbers: "List[int]") -> bool:
    """Whether a palette made for these pixels would cost less than their long numbers."""
    high = [number for number in numbers if number >= _FIRST_COLOURS]
    if 4 * len(high) <= len(numbers):
        return False
    found = Counter(numbers)
    later = sum(count for _, count in found.most_common()[_FIRST_COLOURS:])
    return len(high) - later > 4 * len(found)


def _read_pixels(old: bytes, parts: "List[bytes]", palette: PixelPalette, *, afresh: bool) -> bytes:
    """What `_coded_pixels` coded."""
    runs, short, long, fresh, common = parts
    palette.add(struct.unpack("<%dI" % (len(fresh) // 4), fresh), afresh=afresh)
    numbers = list(short)
    if long:
        high = iter(struct.unpack("<%dH" % (len(long) // 2), long))
        numbers = [
            number if number < _FIRST_COLOURS else _FIRST_COLOURS + next(high, 0) for number in numbers
        ]
    colours = list(map(palette.colours.__getitem__, numbers))
    pixels = list(struct.unpack("<%dI" % (len(old) // 4), old))
    used = 0
    for start, end in _run_places(runs):
        pixels[start:end] = colours[used : used + end - start]
        used += end - start
    if common:
        (colour,) = struct.unpack_from("<I", common)
        for start, end in _run_places(common[4:]):
            if end > len(pixels):
                raise WireFault("the other half changes what lies behind an image")
            pixels[start:end] = [colour] * (end - start)
    return struct.pack("<%dI" % (len(old) // 4), *pixels)


def _run_places(coded: bytes) -> "Iterator[Tuple[int, int]]":
    """Where the runs of 1 begin and end."""
    lengths = _read_runs(coded)
    at = 0
    for gap, run in zip(lengths[::2], lengths[1::2]):
        at += gap + run
        yield at - run, at


def _spread(base: bytearray, spans: "List[Tuple[int, int]]", new: bytes) -> bytes:
    """The base with new bytes in the places that changed."""
    at = 0
    for start, end in spans:
        base[start:end] = new[at : at + end - start]
        at += end - start
    return bytes(base)
