"""Shown files in the page or in the terminal, and in words; imported by the cli."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.table import Table as RichTable
from rich.text import Text

from x11fwd.ui.console import answer_console, message_console, rich_text, safe, symbols
from x11fwd.viewer.items import Note, Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from x11fwd.pipeline.show import FileState, ShowResult
    from x11fwd.viewer.items import Item
    from x11fwd.viewer.server import Viewer

__all__ = ["PageShow", "QuietShow", "TerminalShow", "show_result"]

_ROWS = 20  # of a table in the terminal


class QuietShow:
    """Shows nothing."""

    def put(self, item: Item) -> None: ...

    def remove(self, item_id: str) -> None: ...

    def pulse(self) -> bool:
        return True


class PageShow:
    """Everything into the viewer; the browser opens once connected, for a single file when that is there.

    Args:
        hush: puts the line away that says what is waited for.
        browser: open it; else its address is printed.
        single: one file is shown, large.
    """

    def __init__(self, viewer: Viewer, hush: Callable[[], None], *, browser: bool, single: bool) -> None:
        self._viewer, self._hush, self._browser, self._single = viewer, hush, browser, single
        self._opened = False

    def put(self, item: Item) -> None:
        self._viewer.put(item)
        if isinstance(item, Note):
            if item.level != "info":
                self._say(item)
            if not self._opened and self._single and item.level != "info":
                self._open(self._viewer.address)
        elif not self._opened:
            self._open(self._viewer.address_of(item.id))

    def remove(self, item_id: str) -> None:
        self._viewer.remove(item_id)

    def pulse(self) -> bool:
        if not self._opened and not self._single:
            self._open(self._viewer.address)
        return True

    def _say(self, item: Note) -> None:
        console = message_console()
        self._hush()
        console.print(rich_text(_sentence(item), console, "warn"))

    def _open(self, address: str) -> None:
        from x11fwd.viewer.browser import open_browser

        self._opened = True

        def say() -> None:
            sys.stderr.write(f"{address}\n")
            sys.stderr.flush()

        shown = self._browser and open_browser(address, refused=say)
        self._hush()
        if not shown:
            say()
        elif sys.stderr.isatty():
            console = message_console()
            words = "shown in the browser; what changes there changes here. Ctrl-C ends it"
            console.print(rich_text(words, console, "note"))


class TerminalShow:
    """Pictures and tables one below the other, again when they change. A context manager."""

    def __init__(self, hush: Callable[[], None]) -> None:
        from x11fwd.ui.pictures import TerminalPictures

        self._console = answer_console()
        self._hush = hush
        self._pictures = TerminalPictures(sys.stdout)

    def __enter__(self) -> TerminalShow:
        return self

    def __exit__(self, *exc: object) -> None:
        self._pictures.close()

    def put(self, item: Item) -> None:
        if isinstance(item, Note) and item.level == "info":
            return
        self._hush()
        if isinstance(item, Note):
            console = message_console()
            console.print(rich_text(_sentence(item), console, "warn"))
        elif isinstance(item, Table):
            _print_table(item, self._console)
        else:
            self._pictures.put(item)

    def remove(self, item_id: str) -> None:
        """What is on the terminal stays there."""

    def pulse(self) -> bool:
        return True


def _sentence(item: Note) -> str:
    """`zero.png is empty`: on the page the text stands below the title and speaks of it as `it`."""
    return f"{item.title} {item.text.removeprefix('it ')}"


def _print_table(item: Table, console: Console) -> None:
    console.print(rich_text(f"{item.title}; {item.caption}", console, "bold"))
    table = RichTable(box=None, pad_edge=False, header_style="side")
    for name in item.columns[: max(1, console.width // 8)]:
        table.add_column(safe(name, console), no_wrap=True, overflow="ellipsis")
    for row in item.rows[:_ROWS]:
        cells = [
            f"{cell:.6g}" if isinstance(cell, float) else "" if cell is None else str(cell) for cell in row
        ]
        table.add_row(*(Text(safe(cell[:80], console)) for cell in cells[: len(table.columns)]))
    console.print(table)
    left = len(item.rows) - _ROWS + item.left_off
    if left > 0:
        console.print(rich_text(f"{left} more rows", console, "note"))


def show_result(result: ShowResult) -> None:
    """What could not be shown, at the end, on stderr."""
    console = message_console()
    for one in result.files:
        if one.state not in {"shown", "gone"}:
            mark = symbols(console).fail
            console.print(rich_text(f"{mark} {_name(one)} {one.why or 'was not shown'}", console, "fail"))
    if not result.files:
        console.print(rich_text("nothing was shown", console, "fail"))


def _name(one: FileState) -> str:
    return one.path if one.state != "not there" else one.typed
