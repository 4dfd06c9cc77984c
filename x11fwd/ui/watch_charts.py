"""Charts of braille dots, or of plain signs where the terminal has no better; the watch command's drawing."""

from __future__ import annotations

import datetime
import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from x11fwd.logs.grouping import Place, place_of
from x11fwd.logs.rows import Axis
from x11fwd.logs.series import Curve, smooth
from x11fwd.ui.console import safe

if TYPE_CHECKING:
    from array import array
    from collections.abc import Sequence

    from rich.console import Console

    from x11fwd.logs.board import Board

__all__ = ["COLOURS", "Panel", "draw", "number", "panels"]

COLOURS = ("cyan", "yellow", "green", "magenta", "blue", "red", "bright_cyan", "bright_yellow")
_SIGNS = "*+ox#%@&"
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # Unicode 2800: rows of two dots
_LEFT = 10  # characters for the numbers at the left


@dataclass(frozen=True)
class Panel:
    """One chart: what it is called, what x is, and its lines."""

    place: Place
    axis: Axis
    lines: tuple[tuple[str, Curve], ...]


def panels(board: Board) -> list[Panel]:
    """The charts of everything so far, the loss first."""
    found: dict[tuple[tuple[int, int, str], Axis], tuple[Place, list[tuple[str, Curve]]]] = {}
    for run in board.runs:
        for name, curve in list(run.curves.items()):
            place = place_of(name)
            label = f"{run.label} {name}".strip()
            found.setdefault((place.order, run.axis), (place, []))[1].append((label, curve))
    order = sorted(found, key=lambda key: (key[0], key[1].value))
    return [Panel(found[key][0], key[1], tuple(found[key][1])) for key in order]


def draw(
    panel: Panel,
    console: Console,
    width: int,
    height: int,
    *,
    log: bool = False,
    weight: float = 0.0,
    plain: bool = False,
    grows: bool = False,
) -> list[Text]:
    """A chart as lines of at most `width` characters: title, rows, x axis, legend.

    Args:
        height: of rows and legend, one line of which is not counted.
        log: a logarithmic y, where all of y allows it.
        weight: smoothing, as `smooth` takes it.
        plain: no braille.
        grows: a long legend makes it longer, instead of taking rows from it.
    """
    columns = max(8, width - _LEFT - 1)
    legend = _legend(panel, console, width, len(COLOURS) if grows else max(1, height - 4), plain=plain)
    height = height if grows else max(3, height - len(legend) + 1)
    lines = [
        (name, *_points(curve, columns * 2, weight), curve.marks)
        for name, curve in panel.lines[: len(COLOURS)]
    ]
    xs = [x for _, line_xs, _, marks in lines for x in (*line_xs, *(mark[0] for mark in marks))]
    ys = [y for _, _, line_ys, _ in lines for y in line_ys]
    title = Text(safe(panel.place.chart, console), style="bold", overflow="ellipsis", no_wrap=True)
    if not ys:
        bad = sum(curve.bad for _, curve in panel.lines)
        return [title, Text(f"{bad} points, none of them a number", style="fail")]
    log = log and min(ys) > 0
    scaled = [math.log10(y) for y in (min(ys), max(ys))] if log else [min(ys), max(ys)]
    low, high = scaled if scaled[0] < scaled[1] else (scaled[0] - 0.5, scaled[1] + 0.5)
    left, right = min(xs), max(xs)
    right = right if right > left else left + 1
    across, down = (columns, height) if plain else (columns * 2, height * 4)
    dots: dict[tuple[int, int], int] = {}
    for at, (_, line_xs, line_ys, _) in enumerate(lines):
        spots = [
            (
                round((x - left) / (right - left) * (across - 1)),
                round((high - (math.log10(y) if log else y)) / (high - low) * (down - 1)),
            )
            for x, y in zip(line_xs, line_ys, strict=True)
        ]
        for spot in _joined(spots):
            dots[spot] = at
    cells = _cells(dots, lines, (left, right, columns), plain=plain)
    rows = [title]
    for row in range(height):
        share = high - (high - low) * row / max(1, height - 1)
        label = number(10**share if log else share) if row in {0, height // 2, height - 1} else ""
        text = Text(f"{label:>{_LEFT - 1}} ", style="note")
        for column in range(columns):
            sign, style = cells.get((column, row), (" ", ""))
            text.append(sign, style=style)
        rows.append(text)
    begin, end = _at(left, panel.axis), _at(right, panel.axis)
    middle = panel.axis.value
    rows.append(
        Text(
            " " * _LEFT + f"{begin}{middle:^{max(1, columns - len(begin) - len(end))}}{end}"[:columns],
            style="note",
        )
    )
    rows += legend
    return rows


def _points(curve: Curve, columns: int, weight: float) -> tuple[array[float], array[float]]:
    xs, ys = curve.points(columns)
    return xs, smooth(ys, weight) if weight else ys


def _joined(spots: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
    found = set(spots)
    for (x, y), (next_x, next_y) in itertools.pairwise(spots):
        steps = max(abs(next_x - x), abs(next_y - y))
        for step in range(1, steps):
            found.add((x + round((next_x - x) * step / steps), y + round((next_y - y) * step / steps)))
    return found


def _cells(
    dots: dict[tuple[int, int], int],
    lines: Sequence[tuple[str, array[float], array[float], list[tuple[float, float]]]],
    place: tuple[float, float, int],
    *,
    plain: bool,
) -> dict[tuple[int, int], tuple[str, str]]:
    bits: dict[tuple[int, int], int] = {}
    owner: dict[tuple[int, int], int] = {}
    for (x, y), at in dots.items():
        cell = (x, y) if plain else (x // 2, y // 4)
        bits[cell] = bits.get(cell, 0) | (0 if plain else _DOTS[y % 4][x % 2])
        owner[cell] = at
    cells = {
        cell: (_SIGNS[at] if plain else chr(0x2800 + bits[cell]), COLOURS[at]) for cell, at in owner.items()
    }
    left, right, columns = place
    for _, _, _, marks in lines:
        for place_x, _ in marks:
            cells[round((place_x - left) / (right - left) * (columns - 1)), 0] = (
                "!" if plain else "×",
                "fail",
            )
    return cells


def _legend(panel: Panel, console: Console, width: int, most: int, *, plain: bool) -> list[Text]:
    """What each line is and where it stands, on at most so many lines."""
    entries = []
    for at, (name, curve) in enumerate(panel.lines[: len(COLOURS)]):
        sign = _SIGNS[at] if plain else "━"
        entry = Text(f"{sign} {safe(name, console)} {number(curve.last[1])}  ", style=COLOURS[at])
        if curve.bad:
            entry.append(f"{curve.bad} not finite  ", style="fail")
        entries.append(entry)
    if len(panel.lines) > len(COLOURS):
        entries.append(Text(f"and {len(panel.lines) - len(COLOURS)} more", style="note"))
    lines = [Text(" " * _LEFT)]
    for entry in entries:
        if len(lines[-1]) > _LEFT and len(lines[-1]) + len(entry) - 2 > width and len(lines) < most:
            lines.append(Text(" " * _LEFT))
        lines[-1].append_text(entry)
    for line in lines:
        line.no_wrap = True
        line.rstrip()
        line.truncate(width, overflow="ellipsis")
    return lines


def number(value: float) -> str:
    """A number in at most nine characters."""
    if math.isnan(value):
        return "NaN"
    text = f"{value:.4g}"
    return text if len(text) <= 9 else f"{value:.2g}"


def _at(value: float, axis: Axis) -> str:
    if axis is Axis.TIME and 0 < value < 1e11:
        return datetime.datetime.fromtimestamp(value, datetime.timezone.utc).strftime("%m-%d %H:%M")
    return f"{value:g}"
