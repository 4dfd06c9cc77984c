"""Colours as short numbers; `pixels` uses it."""

import struct
from array import array
from collections import Counter
from typing import Dict, List

from x11fwd.bridge.shared.faults import WireFault

MOST_COLOURS = 8192
_FIRST_COLOURS = 255  # those that have a byte of their own


class PixelPalette:
    """The colours that one connection has used, the same in both halves; words as this machine reads them."""

    def __init__(self) -> None:
        self.numbers: Dict[int, int] = {}
        self.colours: List[int] = []

    def add(self, colours: "List[int]", *, afresh: bool) -> None:
        """New colours, `afresh` in place of all others."""
        if afresh:
            self.numbers, self.colours = {}, []
        if len(self.colours) + len(colours) > MOST_COLOURS:
            raise WireFault("the other half sends images of too many colours")
        for colour in colours:
            self.numbers[colour] = len(self.colours)
            self.colours.append(colour)

    def coded(self, words: "List[int]") -> "List[bytes]":
        """Numbers in a byte, the rest of long ones, colours that are new; [] when that is not worth it."""
        fresh = sorted(set(words).difference(self.numbers))
        if len(fresh) > 64 + len(words) // 4:
            return []
        afresh = len(fresh) + len(self.colours) > MOST_COLOURS
        if not afresh:
            self.add(fresh, afresh=False)
            numbers = list(map(self.numbers.__getitem__, words))
            afresh = len(self.colours) > _FIRST_COLOURS and _outdated(numbers)
        if afresh:
            # icons and text came first, a moving curve has many shades of its own
            fresh = [colour for colour, _ in Counter(words).most_common()]
            if len(fresh) > MOST_COLOURS:
                return []
            self.add(fresh, afresh=True)
            numbers = list(map(self.numbers.__getitem__, words))
        high: List[int] = []
        if len(self.colours) <= _FIRST_COLOURS:
            short = bytes(numbers)
        else:
            high = [number - _FIRST_COLOURS for number in numbers if number >= _FIRST_COLOURS]
            short = bytes([number if number < _FIRST_COLOURS else _FIRST_COLOURS for number in numbers])  # noqa: FURB136  faster
        return [short, struct.pack("<%dH" % len(high), *high), bytes([afresh]) + array("I", fresh).tobytes()]

    def read(self, short: bytes, high: bytes, fresh: bytes) -> "List[int]":
        """The words that `coded` coded."""
        self.add(array("I", fresh[1:]).tolist(), afresh=bool(fresh[0]))
        numbers = list(short)
        if high:
            rest = iter(struct.unpack("<%dH" % (len(high) // 2), high))
            numbers = [one if one < _FIRST_COLOURS else _FIRST_COLOURS + next(rest, 0) for one in numbers]
        return list(map(self.colours.__getitem__, numbers))


def _outdated(numbers: "List[int]") -> bool:
    """Whether a palette of these colours alone would cost less than their long numbers."""
    high = sum(number >= _FIRST_COLOURS for number in numbers)
    if 4 * high <= len(numbers):
        return False
    found = Counter(numbers).most_common()
    return 2 * (high - sum(count for _, count in found[_FIRST_COLOURS:])) > 4 * len(found)
