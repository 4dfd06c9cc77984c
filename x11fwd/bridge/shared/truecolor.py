"""How an X server computes colours of a TrueColor visual; the remote half does it, the local half checks it.

The protocol leaves the rounding open (chapter 9, AllocColor: "the closest color provided by the hardware");
this is what Xorg and its relatives do (mi/micmap.c: miResolveColor, miInitializeColormap; dix/colormap.c:
AllocColor, FindBestPixel, FreeCo). The local half compares before it lets the remote half use it.
"""

from bisect import bisect_left
from typing import Dict, List, Optional, Sequence, Tuple

from x11fwd.bridge.shared.packets import BAD_ACCESS, BAD_VALUE
from x11fwd.bridge.shared.setup import TRUE_COLOR, VisualType

_ALPHA_PLANES = 32  # planes, from where on pixels have an alpha part (dix/colormap.c, ALPHAMASK)


class _Ramp:
    """The cells of one channel: `mask` is its part of the pixel."""

    def __init__(self, mask: int, bits: int) -> None:
        self.mask = mask
        self.shift = (mask & -mask).bit_length() - 1
        last = mask >> self.shift
        lost, most = 16 - bits, (1 << bits) - 1
        self.levels = [(cell * 65535 // last >> lost) * 65535 // most for cell in range(last + 1)]
        self._lost, self._most = lost, most
        self._best: Dict[int, Tuple[int, int]] = {}

    def resolved(self, value: int) -> int:
        """The value as the hardware has it."""
        return (value >> self._lost) * 65535 // self._most

    def best(self, value: int) -> "Tuple[int, int]":
        """Bits of the pixel and value of the cell that is nearest, the first of those equally near."""
        level = value >> self._lost
        found = self._best.get(level)
        if found is None:
            found = self._best[level] = self._search(self.resolved(value))
        return found

    def _search(self, value: int) -> "Tuple[int, int]":
        levels = self.levels
        cell = bisect_left(levels, value)
        if cell and (cell == len(levels) or value - levels[cell - 1] <= levels[cell] - value):
            cell = bisect_left(levels, levels[cell - 1])
        return cell << self.shift, levels[cell]

    def value(self, pixel: int) -> int:
        return self.levels[(pixel & self.mask) >> self.shift]


class TrueColors:
    """The colours of one visual; red, green and blue go from 0 to 65535."""

    def __init__(self, visual: VisualType) -> None:
        masks = (visual.red, visual.green, visual.blue)
        self.ramps = [_Ramp(mask, visual.bits_per_rgb) for mask in masks]
        together = visual.red | visual.green | visual.blue
        self.alpha = 0xFFFFFFFF & ~together if visual.depth >= _ALPHA_PLANES else 0
        self.mask = together | self.alpha

    def alloc(self, color: "Sequence[int]") -> "Tuple[int, Tuple[int, ...]]":
        """The pixel for a colour, and the colour it really has."""
        pixel, found = self.alpha, []
        for ramp, value in zip(self.ramps, color):
            bits, level = ramp.best(value)
            pixel |= bits
            found.append(level)
        return pixel, tuple(found)

    def color(self, pixel: int) -> "Optional[Tuple[int, ...]]":
        """The colour of a pixel; None when the visual has no such pixel."""
        if pixel & ~self.mask:
            return None
        return tuple(ramp.value(pixel) for ramp in self.ramps)

    def resolved(self, color: "Sequence[int]") -> "Tuple[int, ...]":
        """The nearest colour that the hardware has, as LookupColor tells it."""
        return tuple(ramp.resolved(value) for ramp, value in zip(self.ramps, color))


class Allocated:
    """What one program has allocated in one colormap, of each channel apart, as the X server counts it."""

    def __init__(self) -> None:
        self._cells: Tuple[Dict[int, int], ...] = ({}, {}, {})

    def add(self, colors: TrueColors, pixel: int) -> None:
        """AllocColor or AllocNamedColor has given the program this pixel."""
        for cells, ramp in zip(self._cells, colors.ramps):
            part = pixel & ramp.mask
            cells[part] = cells.get(part, 0) + 1

    def free(self, colors: TrueColors, pixels: "Sequence[int]", planes: int) -> "Tuple[int, int]":
        """FreeColors: the error code, 0 for none, and the error's value."""
        code = value = 0
        for cells, ramp in zip(self._cells, colors.ramps):
            failed = 0
            for bits in _subsets(planes & ramp.mask):
                for pixel in pixels:
                    if pixel & ~colors.mask:
                        failed, value = BAD_VALUE, pixel | bits
                        continue
                    part = (pixel | bits) & ramp.mask
                    if cells.get(part, 0) > 0:
                        cells[part] -= 1
                    else:
                        failed = BAD_ACCESS
            code = failed or code
        if pixels and planes & ~colors.mask:
            return BAD_VALUE, pixels[0] | planes
        return code, value


def _subsets(mask: int) -> "List[int]":
    """All values that have only bits of the mask, ascending."""
    found, bits = [0], 0
    while bits != mask:
        bits = (bits - mask) & mask
        found.append(bits)
    return found


def true_colors(visual: VisualType) -> "Optional[TrueColors]":
    """The colours of the visual; None when they are not computed."""
    masks = (visual.red, visual.green, visual.blue)
    if visual.kind != TRUE_COLOR or not 1 <= visual.bits_per_rgb <= 16 or not all(masks):
        return None
    # a mask of more than 12 bits would need a table that no screen needs
    whole = [mask // (mask & -mask) for mask in masks]
    if any(one & (one + 1) or one >= 1 << 12 for one in whole):
        return None
    return TrueColors(visual)
