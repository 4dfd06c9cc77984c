"""Pictures from an X server: RGB pixels, cropping, scaling, PNG; all above `errors` may import it."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from x11fwd.x11.faults import MalformedAnswerError

RGB = tuple[int, int, int]
_IDENTITY = bytes(range(256))


@dataclass(frozen=True)
class Image:
    """A ZPixmap of a TrueColor visual.

    Attributes:
        width, height: in pixels.
        depth: bits of a pixel that mean something (15, 16, 24, 30, 32).
        bits_per_pixel: bits of a pixel in memory (16, 24, 32).
        scanline_pad: each row is filled up to a multiple of this many bits.
        byte_order: of one pixel in memory.
        masks: where red, green and blue are in a pixel.
        data: rows from the top.
    """

    width: int
    height: int
    depth: int
    bits_per_pixel: int
    scanline_pad: int
    byte_order: Literal["little", "big"]
    masks: RGB
    data: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if self.bits_per_pixel not in {16, 24, 32}:
            raise MalformedAnswerError(f"a picture with {self.bits_per_pixel} bits a pixel cannot be read")
        if len(self.data) < self._stride * self.height:
            raise MalformedAnswerError("the X server sent less of the picture than it said")

    @property
    def _stride(self) -> int:
        """Bytes of one row with its padding."""
        return -(-self.width * self.bits_per_pixel // self.scanline_pad) * self.scanline_pad // 8

    @cached_property
    def planes(self) -> tuple[bytes, bytes, bytes]:
        """Red, green and blue, each one byte a pixel, without padding."""
        row = self.width * self.bits_per_pixel // 8
        packed = self.data[: self._stride * self.height]
        if row != self._stride:
            packed = b"".join(packed[at : at + row] for at in range(0, len(packed), self._stride))
        red, green, blue = (self._plane(packed, mask) for mask in self.masks)
        return red, green, blue

    def _plane(self, packed: bytes, mask: int) -> bytes:
        """One channel as bytes. Whole-picture operations on bytes and on long integers; nothing per pixel."""
        if not mask:
            return bytes(self.width * self.height)
        low = (mask & -mask).bit_length() - 1
        bits = mask.bit_length() - low
        if bits > 8:  # of a 10-bit channel the upper 8 bits are kept
            low, bits = low + bits - 8, 8
        mask = ((1 << bits) - 1) << low
        size = self.bits_per_pixel // 8
        total = 0
        for at in range(size):
            shift = 8 * (at if self.byte_order == "little" else size - 1 - at)
            if not mask >> shift & 0xFF:
                continue
            table = bytes(((value << shift) & mask) >> low for value in range(256))
            part = packed[at::size]
            if table == _IDENTITY:
                return part
            # The bytes of a pixel hold different bits of the channel: one OR of whole planes joins them.
            total |= int.from_bytes(part.translate(table), "big")
        plane = total.to_bytes(self.width * self.height, "big")
        top = (1 << bits) - 1
        return plane.translate(bytes(min(value, top) * 255 // top for value in range(256)))

    def pixel(self, x: int, y: int) -> RGB:
        """Red, green and blue (0 to 255) of one pixel. Raises IndexError outside the picture."""
        if not (0 <= x < self.width and 0 <= y < self.height):
            raise IndexError(f"({x}, {y}) is outside {self.width}x{self.height}")
        at = y * self.width + x
        red, green, blue = self.planes
        return red[at], green[at], blue[at]

    def rgb(self) -> bytes:
        """Three bytes a pixel, rows from the top, no padding."""
        out = bytearray(3 * self.width * self.height)
        out[0::3], out[1::3], out[2::3] = self.planes
        return bytes(out)

    def crop(self, x: int, y: int, width: int, height: int) -> Image:
        """The part of the picture that lies in the rectangle; what sticks out is cut off.

        Raises:
            ValueError: nothing is left.
        """
        left, top = max(x, 0), max(y, 0)
        right, bottom = min(x + width, self.width), min(y + height, self.height)
        if right <= left or bottom <= top:
            raise ValueError("the rectangle lies outside the picture")
        size = self.bits_per_pixel // 8
        rows = (
            self.data[row * self._stride + left * size : row * self._stride + right * size]
            for row in range(top, bottom)
        )
        return Image(
            width=right - left,
            height=bottom - top,
            depth=self.depth,
            bits_per_pixel=self.bits_per_pixel,
            scanline_pad=8,
            byte_order=self.byte_order,
            masks=self.masks,
            data=b"".join(rows),
        )

    def scaled(self, width: int, height: int) -> list[list[RGB]]:
        """Rows of pixels of a smaller picture, each the mean of its box (repeated where it grows)."""
        if width < 1 or height < 1:
            raise ValueError("a picture has at least one pixel")
        columns = _spans(self.width, width)
        rows: list[list[RGB]] = []
        for top, bottom in _spans(self.height, height):
            means = []
            for plane in self.planes:
                lines = [plane[y * self.width : (y + 1) * self.width] for y in range(top, bottom)]
                means.append([_mean(lines, left, right) for left, right in columns])
            rows.append(list(zip(*means, strict=True)))
        return rows

    def png(self) -> bytes:
        """The picture as a PNG file of 8 bits a channel (PNG specification, section 5)."""
        rgb = self.rgb()
        row = 3 * self.width
        rows = b"".join(b"\0" + rgb[at : at + row] for at in range(0, len(rgb), row))
        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)

    def write_png(self, path: str | Path) -> None:
        """Write the picture as a PNG file. Raises OSError."""
        Path(path).write_bytes(self.png())


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _spans(length: int, pieces: int) -> list[tuple[int, int]]:
    """`length` cut into `pieces` ranges of nearly equal size, each at least one long."""
    starts = [at * length // pieces for at in range(pieces)]
    ends = [(at + 1) * length // pieces for at in range(pieces)]
    return [(start, max(end, start + 1)) for start, end in zip(starts, ends, strict=True)]


def _mean(lines: list[bytes], left: int, right: int) -> int:
    total = sum(sum(line[left:right]) for line in lines)
    return round(total / (len(lines) * (right - left)))
