"""How an array is looked at: as lines, an image, a table, with the numbers for zooming; the pipeline's."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from x11fwd.serialised.array_drawing import COLOURS, SCALE, axis, figure, larger, lines_png, png, shade, svg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from x11fwd.serialised.arrays import Array, Value

__all__ = ["ArrayView", "view_of"]

_MOST_POINTS = 20_000  # of one line
_MOST_LINES = 8
_MOST_SIDE = 400  # values along one side of an image that can be asked for their value
_MOST_PIXELS = 1600  # along one side of a coloured picture
_MOST_ROWS = 10_000
_SMALL = 10  # rows and columns that are read as numbers rather than looked at
_FLOATS = list[float | None]


@dataclass(frozen=True)
class ArrayView:
    """One array as it is shown: as a picture (with its numbers) or as a table.

    Attributes:
        words: dtype, shape and what of it is shown.
        kind: of `picture`: `svg`, `png`, or "" for a table.
        numbers: JSON as inline/sent/figure_data.py makes it; b"" where a picture is all there is.
        left_off: rows that the table has not.
    """

    words: str
    kind: str = ""
    picture: bytes = field(default=b"", repr=False)
    numbers: bytes = field(default=b"", repr=False)
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Value, ...], ...] = field(default=(), repr=False)
    left_off: int = 0


def view_of(array: Array, *, pixels: bool = False) -> ArrayView:
    """The view that fits its shape and type. Arrays of more than two dimensions show their first plane.

    Args:
        pixels: only PNG can be shown where it goes.
    """
    shape = array.shape
    words = f"{array.dtype}, {' × '.join(map(str, shape)) or 'one value'}"
    if not array.numeric or not shape or not math.prod(shape):
        return _table(array, words)
    if len(shape) == 1:
        if shape[0] <= _SMALL:
            return _table(array, words)
        return _lines([_thinned(array.numbers(), 0, 1, shape[0])], words, shape[0], pixels=pixels)
    if len(shape) == 3 and shape[2] in {3, 4} and (array.is_bytes or array.types[0].kind == "f"):
        return _coloured(array, words)
    start = 0
    if len(shape) > 2:
        words += f"; shown is the plane [{', '.join('0' for _ in shape[2:])}, :, :]"
        shape = shape[-2:]
    rows, columns = shape
    down, across = array.strides()[-2:]
    values = array.numbers()
    if rows <= _SMALL and columns <= _SMALL:
        cells = tuple(
            tuple(_plain(values[start + row * down + at * across]) for at in range(columns))
            for row in range(rows)
        )
        return ArrayView(words, columns=tuple(map(str, range(columns))), rows=cells)
    if columns <= _MOST_LINES and rows >= 4 * columns:
        each = [_thinned(values, start + at * across, down, rows) for at in range(columns)]
        return _lines(each, words, rows, pixels=pixels)
    return _image(values, start, (rows, columns), (down, across), words)


def _table(array: Array, words: str) -> ArrayView:
    count = math.prod(array.shape)
    if array.fields:
        return ArrayView(
            words,
            columns=array.fields,
            rows=tuple(array.cells(_MOST_ROWS)),
            left_off=max(0, count - _MOST_ROWS),
        )
    if len(array.shape) == 2 and not array.fortran and array.shape[1] <= 200:
        width = array.shape[1]
        flat = [one[0] for one in array.cells(_MOST_ROWS * width)]
        rows = tuple(tuple(flat[at : at + width]) for at in range(0, len(flat), max(width, 1)))
        return ArrayView(
            words, columns=tuple(map(str, range(width))), rows=rows, left_off=array.shape[0] - len(rows)
        )
    rows = tuple((number, one[0]) for number, one in enumerate(array.cells(_MOST_ROWS)))
    return ArrayView(words, columns=("index", "value"), rows=rows, left_off=count - len(rows))


def _plain(value: float) -> float | None:
    """None where it is not finite; a whole number stays one."""
    return value if math.isfinite(value) else None


def _thinned(values: Sequence[float], start: int, step: int, count: int) -> list[tuple[int, float | None]]:
    """(index, value) of at most `_MOST_POINTS`: of each stretch the lowest and the highest."""
    end = start + (count - 1) * step + 1
    if count <= _MOST_POINTS:
        return [(at, _number(value)) for at, value in enumerate(values[start:end:step])]
    size = -(-2 * count // _MOST_POINTS)
    found: list[tuple[int, float | None]] = []
    for at in range(0, count, size):
        piece = list(values[start + at * step : min(end, start + (at + size) * step) : step])
        low, high = min(piece), max(piece)
        if (
            not math.isfinite(low) or not math.isfinite(high) or math.isnan(sum(piece))
        ):  # the rare way is slow
            piece = [value if math.isfinite(value) else math.nan for value in piece]
            good = [value for value in piece if value == value]  # noqa: PLR0124  not NaN
            if not good:
                found.append((at, None))
                continue
            low, high = min(good), max(good)
        places = {piece.index(low), piece.index(high)}
        found += [(at + place, _number(piece[place])) for place in sorted(places)]
    return found


def _number(value: float) -> float | None:
    return float(f"{value:.9g}") if math.isfinite(value) else None


def _span(values: list[float]) -> tuple[float, float]:
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _lines(lines: list[list[tuple[int, float | None]]], words: str, count: int, *, pixels: bool) -> ArrayView:
    known = [value for line in lines for _, value in line if value is not None]
    low, high = _span(known)
    if known:
        words += f"; from {min(known):.4g} to {max(known):.4g}"
    gaps = sum(value is None for line in lines for _, value in line)
    if gaps:
        words += f"; {gaps} not finite"
    data = [
        {"type": "scatter", "mode": "lines",
         "x": [at for at, _ in line], "y": [value for _, value in line],
         "line": {"color": COLOURS[number], "width": 1.5},
         "name": f"[:, {number}]" if len(lines) > 1 else "",
         "showlegend": len(lines) > 1, "xaxis": "x", "yaxis": "y"}
        for number, line in enumerate(lines)
    ]  # fmt: skip
    if pixels:
        return ArrayView(words, "png", lines_png(lines, count, low, high))
    room = (high - low) * 0.05
    numbers = figure(data, axis([0, max(count - 1, 1)], "index"), axis([low - room, high + room], "value"),
                      thinned=count > _MOST_POINTS)  # fmt: skip
    return ArrayView(words, "svg", svg(lines, count, low, high), numbers)


def _image(
    values: Sequence[float], start: int, shape: tuple[int, int], strides: tuple[int, int], words: str
) -> ArrayView:
    (rows, columns), (down, across) = shape, strides
    step = max(1, -(-max(rows, columns) // _MOST_SIDE))
    grid: list[_FLOATS] = []
    for row in range(0, rows, step):
        at = start + row * down
        grid.append(
            [_number(value) for value in values[at : at + (columns - 1) * across + 1 : across * step]]
        )
    known = [value for line in grid for value in line if value is not None]
    low, high = _span(known)
    if known:
        words += f"; from {min(known):.4g} to {max(known):.4g}"
    if step > 1:
        words += f"; every {step}. value of each side is shown"
    scale = [[at / 8, f"rgb{colour}"] for at, colour in enumerate(SCALE)]
    data = [{"type": "heatmap", "z": grid, "x0": 0, "dx": step, "y0": 0, "dy": step,
             "zmin": low, "zmax": high,
             "colorscale": scale, "showscale": True, "colorbar": {"thickness": 14, "len": 0.9},
             "xaxis": "x", "yaxis": "y"}]  # fmt: skip
    x = axis([-0.5 * step, columns - 0.5], "column")
    y = axis([rows - 0.5, -0.5 * step], "row")
    if 0.2 < rows / columns < 5:
        y.update(scaleanchor="x", scaleratio=1, constrain="domain")
        x["constrain"] = "domain"
    pixels = bytearray()
    for line in grid:
        for value in line:
            pixels += bytes(shade(value, low, high))
    zoom = max(1, 320 // max(len(grid), len(grid[0])))
    picture = png(larger(bytes(pixels), len(grid[0]), zoom), len(grid[0]) * zoom, len(grid) * zoom)
    return ArrayView(words, "png", picture, figure(data, x, y, thinned=step > 1))


def _coloured(array: Array, words: str) -> ArrayView:
    """Red, green, blue (and opacity) of each pixel: bytes, or floats between 0 and 1 as in matplotlib."""
    rows, columns, channels = array.shape
    down, across, deep = array.strides()
    values = array.numbers()
    step = max(1, -(-max(rows, columns) // _MOST_PIXELS))
    most = 1.0 if array.is_bytes else 255.0
    lines = []
    for row in range(0, rows, step):
        at = row * down
        wide = len(range(0, columns, step))
        line = bytearray(3 * wide)
        for channel in range(3):
            first = at + channel * deep
            part = values[first : first + (columns - 1) * across + 1 : across * step]
            if array.is_bytes:
                line[channel::3] = bytes(part)  # type: ignore[arg-type]
            else:
                line[channel::3] = bytes(
                    min(255, max(0, round(value * most))) if math.isfinite(value) else 0 for value in part
                )
        lines.append(bytes(line))
    if step > 1:
        words += f"; every {step}. pixel is shown"
    if channels == 4:
        words += "; without its opacity"
    return ArrayView(words, "png", png(lines, len(lines[0]) // 3, len(lines)))
