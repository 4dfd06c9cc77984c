"""Plain drawings of an array as PNG and SVG, and its numbers as plotly's JSON; for array_views.py."""

from __future__ import annotations

import json
import math
import struct
import zlib

__all__ = ["COLOURS", "SCALE", "axis", "figure", "larger", "lines_png", "png", "shade", "svg"]

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31", "#7570b3")
# viridis at nine places
SCALE = (
    (68, 1, 84), (71, 44, 122), (59, 81, 139), (44, 113, 142), (33, 144, 141), (39, 173, 129), (92, 200, 99),
    (170, 220, 50), (253, 231, 37),
)  # fmt: skip


def shade(value: float | None, low: float, high: float) -> tuple[int, int, int]:
    if value is None:
        return (255, 255, 255)
    place = min(max((value - low) / (high - low), 0.0), 1.0) * 8
    at = min(int(place), 7)
    first, second, part = SCALE[at], SCALE[at + 1], place - at
    red, green, blue = (round(one + (other - one) * part) for one, other in zip(first, second, strict=True))
    return red, green, blue


def larger(pixels: bytes, width: int, zoom: int) -> list[bytes]:
    """Rows in which each pixel is a square: a browser would blur a picture of ten pixels."""
    lines = []
    for at in range(0, len(pixels), 3 * width):
        line = pixels[at : at + 3 * width]
        if zoom > 1:
            line = b"".join(line[place : place + 3] * zoom for place in range(0, len(line), 3))
        lines += [line] * zoom
    return lines


def png(lines: list[bytes], width: int, height: int) -> bytes:
    """8 bits a channel, no filter (PNG specification, 5 and 9)."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    raw = b"".join(b"\0" + line for line in lines)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw, 6)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def axis(span: list[float], label: str) -> dict[str, object]:
    return {"type": "linear", "range": span, "title": {"text": label}, "showgrid": True,
            "gridcolor": "#e5e5e5", "zeroline": False, "showline": True, "linecolor": "#666666",
            "ticks": "outside"}  # fmt: skip


def figure(
    data: list[dict[str, object]], x: dict[str, object], y: dict[str, object], *, thinned: bool
) -> bytes:
    x.update(domain=[0.1, 0.96], anchor="y")
    y.update(domain=[0.13, 0.97], anchor="x")
    layout = {"xaxis": x, "yaxis": y, "paper_bgcolor": "#ffffff", "plot_bgcolor": "#ffffff", "shapes": [],
              "annotations": []}  # fmt: skip
    found = {"data": data, "layout": layout, "width": 800, "height": 520, "thinned": thinned, "missing": []}
    return json.dumps(found, allow_nan=False).encode("ascii")


def svg(lines: list[list[tuple[int, float | None]]], count: int, low: float, high: float) -> bytes:
    """A plain line plot for the grid of pictures, 640 by 400."""
    left, top, wide, tall = 60.0, 14.0, 566.0, 350.0
    room = (high - low) * 0.05
    low, high = low - room, high + room

    def x(at: float) -> float:
        return left + at / max(count - 1, 1) * wide

    def y(value: float) -> float:
        return top + (high - value) / (high - low) * tall

    parts = [
        (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 400" font-family="sans-serif"'
            ' font-size="12"><rect width="640" height="400" fill="#fff"/>'
        )
    ]
    for value in _ticks(low, high):
        parts.append(f'<path d="M{left} {y(value):.1f}H{left + wide}" stroke="#e5e5e5"/>')
        parts.append(f'<text x="{left - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.6g}</text>')
    for place in _ticks(0, max(count - 1, 1)):
        parts.append(f'<path d="M{x(place):.1f} {top}V{top + tall}" stroke="#e5e5e5"/>')
        parts.append(
            f'<text x="{x(place):.1f}" y="{top + tall + 18}" text-anchor="middle">{place:.6g}</text>'
        )
    for number, line in enumerate(lines):
        path, pen = [], "M"
        for at, height in line[:: max(1, len(line) // 4000)]:
            if height is None:
                pen = "M"
                continue
            path.append(f"{pen}{x(at):.1f} {y(height):.1f}")
            pen = "L"
        stroke = f'stroke="{COLOURS[number]}" stroke-width="1.5"'
        parts.append(f'<path d="{"".join(path)}" fill="none" {stroke}/>')
    return "".join([*parts, "</svg>"]).encode("ascii")


def lines_png(lines: list[list[tuple[int, float | None]]], count: int, low: float, high: float) -> bytes:
    """The same without words for a terminal, 640 by 360; a column is filled from lowest to highest."""
    wide, tall = 640, 360
    room = (high - low) * 0.05
    low, high = low - room, high + room
    canvas = [bytearray(b"\xff" * 3 * wide) for _ in range(tall)]
    for number, line in enumerate(lines):
        colour = bytes.fromhex(COLOURS[number][1:])
        spans: dict[int, tuple[int, int]] = {}
        last: tuple[int, int] | None = None
        for at, value in line:
            if value is None:
                last = None
                continue
            x = at * (wide - 1) // max(count - 1, 1)
            y = round((high - value) / (high - low) * (tall - 1))
            before = last or (x, y)
            for place in range(before[0], x + 1):  # between two points far apart a straight line
                part = (place - before[0]) / max(x - before[0], 1)
                middle = round(before[1] + (y - before[1]) * part)
                lowest, highest = spans.get(place, (middle, middle))
                spans[place] = (min(lowest, middle), max(highest, middle))
            last = (x, y)
        steps = sorted(spans)
        for place in steps:
            first, final = spans[place]
            if place - 1 in spans:  # no holes where it is steep
                first, final = min(first, spans[place - 1][1]), max(final, spans[place - 1][0])
            for row in range(max(0, first - 1), min(tall, final + 1)):
                canvas[row][3 * place : 3 * place + 3] = colour
    return png([bytes(row) for row in canvas], wide, tall)


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers between the two, four to nine of them."""
    rough = (high - low) / 5
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * each for each in (1, 2, 5, 10) if size * each >= rough)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [at * step for at in range(first, last + 1)]
