"""What a program itself put into its small pixmaps, pixel by pixel; `rules/raster` imports it.

Only what the protocol defines to the last bit is followed. Where a line or a letter goes is up to the X
server, so what it may have touched is unknown from then on.
"""

from typing import Callable, Dict, List, Optional, Tuple

LARGEST_SIDE = 256  # pixels; toolbar icons and their like
MOST_BYTES = 8 << 20  # of all pixmaps of one program, with their masks
# Rows that are painted without anybody asking for them; then the pixmap is not worth the time
MOST_WORK = 1 << 14
Box = Tuple[int, int, int, int]  # x, y, width, height


class Raster:
    """One pixmap: rows of `unit` bytes per pixel, without padding, and which pixels are known."""

    __slots__ = ("data", "depth", "height", "mask", "unit", "width", "work")

    def __init__(self, width: int, height: int, depth: int, unit: int) -> None:
        self.width, self.height, self.depth, self.unit = width, height, depth, unit
        self.data = bytearray()
        self.mask = bytearray()  # empty: nothing is known
        self.work = 0  # rows painted since somebody asked

    @property
    def size(self) -> int:
        """Bytes that it takes when something is drawn."""
        return self.width * self.height * (self.unit + 1)

    def clip(self, box: Box) -> "Optional[Box]":
        """What of the box is inside; None when nothing is."""
        x, y, width, height = box
        left, top = max(x, 0), max(y, 0)
        right, bottom = min(x + width, self.width), min(y + height, self.height)
        return (left, top, right - left, bottom - top) if left < right and top < bottom else None

    def fill(self, box: Box, pixel: bytes) -> None:
        """Every pixel of the box gets this value."""
        inside = self.clip(box)
        if inside is None:
            return
        x, y, width, height = inside
        self._begin(height)
        line, known = pixel * width, b"\1" * width
        for row in range(y, y + height):
            at = row * self.width + x
            self.mask[at : at + width] = known
            self.data[at * self.unit : (at + width) * self.unit] = line

    def put(self, box: Box, lines: "Callable[[int, int, int], bytes]") -> None:
        """The box gets `lines(column, row, width)`, counted from its corner."""
        inside = self.clip(box)
        if inside is None:
            return
        x, y, width, height = inside
        self._begin(height)
        known = b"\1" * width
        for row in range(y, y + height):
            at = row * self.width + x
            self.mask[at : at + width] = known
            self.data[at * self.unit : (at + width) * self.unit] = lines(x - box[0], row - box[1], width)

    def copy(self, source: "Raster", box: Box, x: int, y: int) -> None:
        """The box of `source` (maybe this one) goes to x, y; what is outside the source stays as it is."""
        inside = source.clip(box)
        if inside is None:
            return
        left, top, width, height = inside
        x, y = x + left - box[0], y + top - box[1]
        target = self.clip((x, y, width, height))
        if target is None:
            return
        left, top, width, height = left + target[0] - x, top + target[1] - y, target[2], target[3]
        if not source.mask:
            self.blur(target)
            return
        self._begin(height)
        unit = self.unit
        lines: List[Tuple[bytearray, bytearray]] = []
        for row in range(top, top + height):
            at = row * source.width + left
            lines.append((source.mask[at : at + width], source.data[at * unit : (at + width) * unit]))
        for row, (known, line) in enumerate(lines, target[1]):
            at = row * self.width + target[0]
            self.mask[at : at + width] = known
            self.data[at * unit : (at + width) * unit] = line

    def blur(self, box: "Optional[Box]" = None) -> None:
        """Nobody knows what is in the box now, or anywhere."""
        inside = self.clip(box or (0, 0, self.width, self.height))
        if inside is None or not self.mask:
            return
        x, y, width, height = inside
        self.work += height
        for row in range(y, y + height):
            at = row * self.width + x
            self.mask[at : at + width] = bytes(width)

    def image(self, box: Box, pad: int) -> "Optional[bytes]":
        """The box as a ZPixmap with rows padded to `pad` bytes; None when not all is inside and known."""
        x, y, width, height = box
        if self.clip(box) != box or not self.mask:
            return None
        self.work = 0
        lines = []
        fill = bytes(-(width * self.unit) % pad)
        for row in range(y, y + height):
            at = row * self.width + x
            if 0 in self.mask[at : at + width]:
                return None
            lines += [bytes(self.data[at * self.unit : (at + width) * self.unit]), fill]
        return b"".join(lines)

    def _begin(self, rows: int) -> None:
        self.work += rows
        if not self.mask:
            self.mask = bytearray(self.width * self.height)
            self.data = bytearray(len(self.mask) * self.unit)


class Rasters:
    """The pixmaps of one program that are followed, by id."""

    def __init__(self) -> None:
        self._rasters: Dict[int, Raster] = {}
        self._bytes = 0

    def get(self, number: int) -> "Optional[Raster]":
        """The pixmap, when it is followed."""
        found = self._rasters.get(number)
        if found is not None and found.work > MOST_WORK:
            self.drop(number)
            return None
        return found

    def add(self, number: int, raster: Raster) -> None:
        """A new pixmap; not followed when there are too many."""
        self.drop(number)
        if self._bytes + raster.size <= MOST_BYTES:
            self._rasters[number] = raster
            self._bytes += raster.size

    def drop(self, number: int) -> None:
        """Not followed any more."""
        gone = self._rasters.pop(number, None)
        if gone is not None:
            self._bytes -= gone.size

    def drop_all(self) -> None:
        """Something may have been drawn anywhere."""
        self._rasters.clear()
        self._bytes = 0
