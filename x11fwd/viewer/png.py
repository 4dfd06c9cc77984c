"""Reads a PNG into pixels for terminals that have to be given each one; the viewer's own."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from x11fwd.viewer.items import ItemError
from x11fwd.x11.image import Image

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["read_png", "size_of_png"]

_MOST_PIXELS = 40_000_000
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type (PNG specification, 11.2.2)


def size_of_png(data: bytes) -> tuple[int, int]:
    """Width and height in pixels. Raises ItemError: not a PNG."""
    if len(data) < 29 or not data.startswith(b"\x89PNG\r\n\x1a\n") or data[12:16] != b"IHDR":
        raise ItemError("this is not a PNG file")
    width, height = struct.unpack(">II", data[16:24])
    return int(width), int(height)


def read_png(data: bytes) -> Image:
    """The pixels, on white where the picture is transparent. 8 bits a channel, not interlaced, as plots are.

    Raises:
        ItemError: not a PNG, cut off, too large, or of a rare kind.
    """
    width, height = size_of_png(data)
    depth, colour, _, _, interlaced = data[24:29]
    if depth != 8 or interlaced or colour not in _CHANNELS or not 0 < width * height <= _MOST_PIXELS:
        raise ItemError("this kind of PNG cannot be drawn in a terminal")
    channels = _CHANNELS[colour]
    stride = width * channels
    packed, palette = b"", b""
    for kind, body in _chunks(data):
        if kind == b"IDAT":
            packed += body
        elif kind == b"PLTE":
            palette = body
    try:
        raw = zlib.decompressobj().decompress(packed, (stride + 1) * height)
    except zlib.error:
        raise ItemError("this PNG file is damaged") from None
    if len(raw) < (stride + 1) * height:
        raise ItemError("this PNG file is cut off")
    rows = b"".join(_unfiltered(raw, stride, height, channels))
    red, green, blue = _planes(rows, colour, channels, palette)
    if colour in {4, 6}:
        alpha = rows[channels - 1 :: channels]
        if alpha.count(255) != len(alpha):
            red, green, blue = (_on_white(plane, alpha) for plane in (red, green, blue))
    pixels = bytearray(4 * width * height)
    pixels[0::4], pixels[1::4], pixels[2::4] = blue, green, red
    return Image(width, height, 24, 32, 32, "little", (0xFF0000, 0xFF00, 0xFF), bytes(pixels))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at + 12 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length


def _unfiltered(raw: bytes, stride: int, height: int, step: int) -> Iterator[bytes]:
    """Each row without its filter (PNG specification, 9.2)."""
    above = bytes(stride)
    for row in range(height):
        start = row * (stride + 1)
        kind = raw[start]
        line = bytearray(raw[start + 1 : start + 1 + stride])
        if kind == 1:
            for at in range(step, stride):
                line[at] = (line[at] + line[at - step]) & 255
        elif kind == 2:
            line = bytearray([(one + two) & 255 for one, two in zip(line, above, strict=True)])
        elif kind == 3:
            for at in range(stride):
                left = line[at - step] if at >= step else 0
                line[at] = (line[at] + (left + above[at]) // 2) & 255
        elif kind == 4:
            _paeth(line, above, step)
        elif kind:
            raise ItemError("this PNG file is damaged")
        above = bytes(line)
        yield above


def _paeth(line: bytearray, above: bytes, step: int) -> None:
    for at in range(len(line)):
        left, corner = (line[at - step], above[at - step]) if at >= step else (0, 0)
        up = above[at]
        from_left, from_up, from_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
        if from_left <= from_up and from_left <= from_corner:
            best = left
        else:
            best = up if from_up <= from_corner else corner
        line[at] = (line[at] + best) & 255


def _planes(rows: bytes, colour: int, channels: int, palette: bytes) -> tuple[bytes, bytes, bytes]:
    if colour == 3:
        tables = [palette[channel::3].ljust(256, b"\0")[:256] for channel in range(3)]
        return rows.translate(tables[0]), rows.translate(tables[1]), rows.translate(tables[2])
    if colour in {0, 4}:
        grey = rows[0::channels]
        return grey, grey, grey
    return rows[0::channels], rows[1::channels], rows[2::channels]


def _on_white(plane: bytes, alpha: bytes) -> bytes:
    return bytes([255 - (255 - value) * share // 255 for value, share in zip(plane, alpha, strict=True)])
