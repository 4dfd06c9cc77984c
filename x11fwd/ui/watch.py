"""The watched runs in the terminal, as a picture and in words; imported by the cli."""

from __future__ import annotations

import importlib.util
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from x11fwd.errors import ChangeError, UsageError
from x11fwd.pipeline.watch import losses
from x11fwd.ui.console import ascii_only, cursor_back, safe, symbols
from x11fwd.ui.watch_charts import Panel, draw, number, panels

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from rich.console import Console

    from x11fwd.logs.board import Board, Growth
    from x11fwd.pipeline.watch import LogState, WatchResult

__all__ = ["QuietWatch", "TerminalWatch", "check_png", "save_png", "show_watch"]

_EVERY = 0.2  # seconds between two drawings
_ROWS = 8  # a chart's height on a long page
_SMALLEST = 40  # columns of one chart; two side by side need twice that


class QuietWatch:
    """Shows nothing while it goes on."""

    def begin(self, board: Board, logs: Sequence[LogState]) -> None: ...

    def grown(self, grown: Sequence[Growth]) -> None: ...

    def pulse(self) -> bool:
        return True


class TerminalWatch:
    """Charts that fill the terminal, drawn anew while points come."""

    def __init__(self, console: Console, *, log: bool = False, weight: float = 0.0) -> None:
        self._console, self._log, self._weight = console, log, weight
        self._stack = ExitStack()
        self._live: Live | None = None
        self._board: Board | None = None
        self._logs: Sequence[LogState] = ()
        self._next = 0.0
        self._changed = True

    def __enter__(self) -> TerminalWatch:
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def begin(self, board: Board, logs: Sequence[LogState]) -> None:
        self._board, self._logs = board, logs
        if self._console.is_terminal:
            with cursor_back(self._console):
                self._live = Live(console=self._console, screen=True, auto_refresh=False, transient=True)
                self._stack.callback(self._put_away, self._live)
                self._live.start()

    def _put_away(self, live: Live) -> None:
        with cursor_back(self._console):
            live.stop()

    def grown(self, grown: Sequence[Growth]) -> None:
        del grown
        self._changed = True

    def pulse(self) -> bool:
        now = time.monotonic()
        if self._live is not None and now >= self._next and self._board is not None:
            # a slow terminal is drawn less often: at most a third of the time goes there
            rows = self._console.size.height
            self._live.update(
                _page(self._board, self._logs, self._console, rows, log=self._log, weight=self._weight),
                refresh=True,
            )
            self._next = now + max(_EVERY, 2 * (time.monotonic() - now))
        return True


def _page(
    board: Board, logs: Sequence[LogState], console: Console, rows: int | None, *, log: bool, weight: float
) -> Group:
    width = console.size.width
    found = panels(board)
    beside = 2 if width >= 2 * _SMALLEST + 2 and len(found) > 1 else 1
    height = _ROWS
    below = _states(board, logs, console)
    if rows is not None:
        rows = max(8, rows - len(below) - 1)
        stories = max(1, min(-(-len(found) // beside), rows // 8))
        hidden = len(found) - stories * beside
        found = found[: stories * beside]
        height = max(3, rows // stories - 4)
        if hidden > 0:
            words = f"{hidden} more charts: in a larger window, or in the page without --terminal"
            below.append(Text(words, style="note", no_wrap=True, overflow="ellipsis"))
    lines: list[Text] = []
    each = (width - 2 * (beside - 1)) // beside
    for at in range(0, len(found), beside):
        row = [
            draw(
                one,
                console,
                each,
                height,
                log=log,
                weight=weight,
                plain=ascii_only(console),
                grows=rows is None,
            )
            for one in found[at : at + beside]
        ]
        tallest = max(map(len, row))
        for line in range(tallest):
            text = Text()
            for place, chart in enumerate(row):
                piece = chart[line].copy() if line < len(chart) else Text()
                piece.truncate(each, pad=place < len(row) - 1)
                text.append_text(piece).append("  " if place < len(row) - 1 else "")
            lines.append(text)
        lines.append(Text())
    return Group(*lines, *below)


def _states(board: Board, logs: Sequence[LogState], console: Console) -> list[Text]:
    """A line for each log, and what is missing."""
    lines: list[Text] = []
    for log_state in logs:
        rows_of = sum(log_state.formats.values())
        known = ", ".join(log_state.formats) or "nothing recognised yet"
        words = f"{log_state.source.typed}: {log_state.state}, {known}, {rows_of} rows"
        lines.append(Text(safe(words, console), style="note", no_wrap=True, overflow="ellipsis"))
    missing = losses(board, logs) if logs else []
    lines += [
        Text(f"{symbols(console).warn} {safe(one, console)}", style="warn", no_wrap=True, overflow="ellipsis")
        for one in missing
    ]
    return lines


def show_watch(
    result: WatchResult, console: Console, *, charts: bool = False, log: bool = False, weight: float = 0.0
) -> None:
    """Where every series ended, and the alarm if there was one.

    Args:
        charts: the charts before that.
    """
    if charts:
        console.print(_page(result.board, (), console, None, log=log, weight=weight))
    table = Table(box=None, pad_edge=False, header_style="side")
    for name in ("series", "points", "first", "last", "least", "greatest"):
        table.add_column(name, justify="left" if name == "series" else "right")
    for panel in panels(result.board):
        for name, curve in panel.lines:
            cells = [number(value) for value in (curve.first[1], curve.last[1], curve.low, curve.high)]
            bad = f" ({curve.bad} not finite)" if curve.bad else ""
            table.add_row(safe(name, console), f"{curve.count}{bad}", *cells)
    if result.board.runs:
        console.print(table)
    for state in result.logs:
        if not state.formats:
            missing = state.state == "not there"
            what = "is not there, or may not be read" if missing else "holds nothing that is recognised"
            if missing and any(sign in state.source.typed for sign in "*?["):
                what += "; a log is named whole, not by a pattern"
            console.print(Text(safe(f"{state.source.typed} {what}", console), style="warn"), soft_wrap=True)
    for sentence in result.losses:
        console.print(
            Text(f"{symbols(console).warn} {safe(sentence, console)}", style="warn"), soft_wrap=True
        )
    if result.alarm is not None:
        mark = symbols(console).fail
        console.print(
            Text(f"{mark} {result.alarm.kind.value}: {safe(result.alarm.sentence, console)}", style="fail")
        )


def check_png(path: Path) -> None:
    """Before hours of watching: whether a picture can be made at their end.

    Raises:
        UsageError: it cannot.
    """
    if not path.absolute().parent.is_dir():
        raise UsageError(f"{path.parent} is no folder")
    if importlib.util.find_spec("matplotlib") is None:
        raise UsageError(
            "--png draws with matplotlib, which the Python of x11fwd does not have",
            hint=f"`{sys.executable} -m pip install matplotlib`, or look at the curves without --png",
        )


def save_png(result: WatchResult, path: Path, *, log: bool = False, weight: float = 0.0) -> None:
    """All charts as one picture.

    Raises:
        UsageError: there is nothing to draw.
        ChangeError: the file cannot be written.
    """
    found = panels(result.board)
    if not found:
        raise UsageError("there is nothing to draw: no log has a row that is recognised")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = 1 if len(found) == 1 else 2
    rows = -(-len(found) // columns)
    figure = Figure(figsize=(6 * columns, 3.2 * rows), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    for at, panel in enumerate(found):
        _plot(panel, figure.add_subplot(rows, columns, at + 1), log=log, weight=weight)
    temporary = path.with_name(f".{path.name}.part")
    try:
        figure.savefig(temporary, format="png")
        temporary.replace(path)
    except OSError as error:
        raise ChangeError(f"the picture {path} could not be written: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _plot(panel: Panel, axes: Axes, *, log: bool, weight: float) -> None:
    from x11fwd.logs.rows import Axis
    from x11fwd.logs.series import smooth

    lowest = min((curve.low for _, curve in panel.lines), default=0.0)
    for name, curve in panel.lines[:20]:
        xs, ys = curve.points(1000)
        # matplotlib counts days since 1970 (matplotlib.dates, epoch)
        shown = [x / 86_400 for x in xs] if panel.axis is Axis.TIME else list(xs)
        drawn = axes.plot(
            shown, list(smooth(ys, weight) if weight else ys), label=name.replace("$", r"\$"), lw=1.2
        )
        for x, _ in curve.marks[:50]:
            axes.axvline(
                x / 86_400 if panel.axis is Axis.TIME else x, color=drawn[0].get_color(), ls=":", lw=1
            )
    if panel.axis is Axis.TIME:
        axes.xaxis_date()
    if log and lowest > 0:
        axes.set_yscale("log")
    axes.set_title(panel.place.chart.replace("$", r"\$"))
    axes.set_xlabel(panel.axis.value)
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
