"""What the viewer can show, as plain values; whoever puts something into a viewer imports it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from x11fwd.errors import UsageError
from x11fwd.viewer.figure import checked_figure

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Cell", "Chart", "Document", "Item", "ItemError", "Note", "Picture", "Progress", "Table"]

Cell = str | int | float | bool | None

_LONGEST_WORD = 500  # characters of a title, a group, a label, an id
_LONGEST_TEXT = 20_000  # characters of a caption or a note
_MOST_ROWS = 10_000
_MOST_COLUMNS = 500
_SIGNS = {
    "png": b"\x89PNG\r\n\x1a\n",
    "pdf": b"%PDF-",
    "jpeg": b"\xff\xd8\xff",
    "gif": b"GIF8",
    "webp": b"RIFF",
}


class ItemError(UsageError):
    """What was to be shown cannot be shown; the sentence says why."""


@dataclass(frozen=True)
class Picture:
    """A picture; the same id again replaces it in every open tab.

    Attributes:
        id: any text; one thing in the viewer has one id.
        title: one line.
        data: the whole file.
        kind: what `data` is.
        caption: more text below it; also what a screen reader says of it after the title.
        group: things of one group stand together under this heading.
        figure: the numbers in it as JSON, which inline/sent/figure_data.py made: shown large it can be zoomed
            into. What is not on the list of viewer/figure.py is dropped and leaves the picture.

    Raises:
        ItemError: `data` is not of that kind.
    """

    id: str
    title: str
    data: bytes = field(repr=False)
    kind: Literal["png", "svg", "pdf", "jpeg", "gif", "webp"]
    caption: str = ""
    group: str = ""
    figure: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "figure", checked_figure(self.figure))
        sign = _SIGNS.get(self.kind)
        if self.kind == "svg":
            fits = b"<svg" in self.data[:65536] or b":svg" in self.data[:65536]
        else:
            fits = sign is not None and self.data.startswith(sign)
        if not fits:
            raise ItemError(f"“{_line(self.title)[:80]}” is not a {self.kind} file")


@dataclass(frozen=True)
class Document:
    """An HTML page from anywhere: shown in a frame that may run its own scripts and reach nothing else.

    Attributes:
        html: the whole page, UTF-8; pictures and data inside it as `data:` addresses.
    """

    id: str
    title: str
    html: bytes = field(repr=False)
    caption: str = ""
    group: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under column names. What is over 10,000 rows or 500 columns is left off and counted in `left_off`.

    Attributes:
        rows: each as long as `columns`; numbers stay numbers (aligned and sorted as such).
        left_off: rows that were there and are not shown.
    """

    id: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]] = field(repr=False)
    caption: str = ""
    group: str = ""
    left_off: int = 0

    def __post_init__(self) -> None:
        over = max(0, len(self.rows) - _MOST_ROWS)
        rows = tuple(tuple(row[:_MOST_COLUMNS]) for row in self.rows[:_MOST_ROWS])
        object.__setattr__(self, "rows", rows)
        object.__setattr__(self, "columns", tuple(str(name) for name in self.columns[:_MOST_COLUMNS]))
        object.__setattr__(self, "left_off", self.left_off + over)


@dataclass(frozen=True)
class Chart:
    """Lines that grow; points come with `Viewer.extend`. Putting it again changes its words, not its points.

    Attributes:
        x_label: what the x values are (`step`, `epoch`, `time`).
        y_label: what the y values are.
        log: the y axis starts logarithmic; the person can switch.
        x_kind: `time` when x is seconds since 1970 UTC.
    """

    id: str
    title: str
    x_label: str = ""
    y_label: str = ""
    log: bool = False
    x_kind: Literal["number", "time"] = "number"
    caption: str = ""
    group: str = ""


@dataclass(frozen=True)
class Progress:
    """One line with a bar.

    Attributes:
        done, total: in any unit; a total of None is “not known”.
        text: what stands behind the bar, such as `31 figures/s, 12 s left`.
    """

    id: str
    title: str
    done: float
    total: float | None
    text: str = ""
    group: str = ""


@dataclass(frozen=True)
class Note:
    """One line of text, said aloud by screen readers when it comes.

    Attributes:
        level: `error` is said at once, the others when there is a pause.
    """

    id: str
    title: str
    text: str = ""
    level: Literal["info", "warning", "error"] = "info"
    group: str = ""


Item = Picture | Document | Table | Chart | Progress | Note


def bounded(item: Item) -> dict[str, str]:
    """The words that every kind has, made short enough for any page."""
    words = {"id": _line(item.id), "title": _line(item.title), "group": _line(item.group)}
    text = item.text if isinstance(item, (Progress, Note)) else item.caption
    return {**words, "text": text[:_LONGEST_TEXT]}


def size_of(item: Item) -> int:
    """Bytes that it keeps in memory, roughly. A chart's points are counted by its series."""
    if isinstance(item, Picture):
        return len(item.data) + len(item.figure)
    if isinstance(item, Document):
        return len(item.html)
    if isinstance(item, Table):
        return sum(50 + len(cell) if isinstance(cell, str) else 32 for row in item.rows for cell in row)
    return 1000


def _line(text: str) -> str:
    """One line, bounded: control characters would break a window's title and confuse a screen reader."""
    return "".join(" " if ord(sign) < 32 or ord(sign) == 127 else sign for sign in text[:_LONGEST_WORD])
