"""A picture in the terminal: half blocks in colour, characters by brightness without; imported by the cli."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.color import Color
from rich.style import Style
from rich.text import Text

from x11fwd.ui.console import ascii_only

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

__all__ = ["picture", "picture_size"]

RGB = tuple[int, int, int]
_RAMP = "@%#*+=-:. "  # dark to light, as ink on paper: a plot's background is white


def picture_size(width: int, height: int, console: Console, *, columns: int = 72) -> tuple[int, int]:
    """Columns and rows of pixels for `picture`, keeping the shape: a character is twice as high as wide.

    Args:
        width, height: of the picture, in pixels.
        columns: at most so many characters wide.
    """
    wide = max(1, min(columns, console.width - 2))
    high = max(2, round(wide * height / width))
    return (wide, high - high % 2) if _in_colour(console) else (wide, max(1, high // 2))


def picture(rows: Sequence[Sequence[RGB]], console: Console) -> Text:
    """The picture as text of as many columns as `rows` are long."""
    return _half_blocks(rows) if _in_colour(console) else _characters(rows)


def _in_colour(console: Console) -> bool:
    return console.color_system in {"256", "truecolor"} and not console.no_color and not ascii_only(console)


def _half_blocks(rows: Sequence[Sequence[RGB]]) -> Text:
    """Each character is two pixels: the upper one in the colour of the letter, the lower one behind it."""
    text = Text(no_wrap=True)
    for at in range(0, len(rows) - 1, 2):
        if at:
            text.append("\n")
        for upper, lower in zip(rows[at], rows[at + 1], strict=True):
            text.append("▀", Style(color=Color.from_rgb(*upper), bgcolor=Color.from_rgb(*lower)))
    return text


def _characters(rows: Sequence[Sequence[RGB]]) -> Text:
    """Rec. 601 luma, darkest first."""
    lines = []
    for row in rows:
        light = ((299 * red + 587 * green + 114 * blue) // 1000 for red, green, blue in row)
        lines.append(
            "".join(_RAMP[min(value * len(_RAMP) // 256, len(_RAMP) - 1)] for value in light).rstrip()
        )
    return Text("\n".join(lines), no_wrap=True)
