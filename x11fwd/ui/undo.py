"""What undo would take back, and what came of it; imported by the cli."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from x11fwd.pipeline.undo import UndoStatus
from x11fwd.steps.engine import UndoOutcome
from x11fwd.ui.console import rich_text, safe, symbols
from x11fwd.ui.layout import beside
from x11fwd.ui.message import show_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from x11fwd.pipeline.undo import UndoPlan, UndoReport
    from x11fwd.steps.engine import SpokenLine, UndoResult
    from x11fwd.steps.journal import Entry
    from x11fwd.ui.hosts import HostsView

__all__ = ["UndoWatch", "show_undo", "show_undo_plan"]

_WIDEST = len("taken back")
_OUTCOMES = {
    UndoOutcome.UNDONE: ("ok", "taken back"),
    UndoOutcome.KEPT: ("skip", "kept"),
    UndoOutcome.FOREIGN: ("warn", "left"),
    UndoOutcome.PENDING: ("unknown", "pending"),
}
_HEADLINES = {
    UndoStatus.NOTHING: "x11fwd has changed nothing here",
    UndoStatus.PLANNED: "planned only, nothing was taken back",
    UndoStatus.DECLINED: "you said no, nothing was taken back",
    UndoStatus.DONE: "what x11fwd changed was taken back",
    UndoStatus.LEFT: "some things were left as they are",
    UndoStatus.FAILED: "stopped",
    UndoStatus.STOPPED: "stopped, nothing was taken back",
}


def show_undo_plan(plan: UndoPlan, console: Console, *, host: str) -> None:
    """What would be taken back, newest first, and what others have changed since."""
    count = len(plan.entries)
    words = "1 change to take back" if count == 1 else f"{count} changes to take back"
    console.print(beside(Text(f"{safe(host, console)}: ", style="side"), Text(words), console))
    for number, entry in enumerate(plan.entries, 1):
        title = rich_text(_name(entry), console, "bold")
        if entry.as_root:
            title.append(" (as root)", style="note")
        console.print(beside(Text(f"  {number}. "), title, console), soft_wrap=True)
        for line in _details(entry, console):
            console.print(line, soft_wrap=True)
    for entry in plan.foreign:
        console.print(_left(entry, entry.difference, console), soft_wrap=True)
    if plan.out_of_reach:
        lead = Text(f"  {symbols(console).unknown} unknown ", style="unknown")
        console.print(beside(lead, rich_text(plan.out_of_reach, console), console), soft_wrap=True)


def _name(entry: Entry) -> str:
    return entry.title or entry.path or entry.id


def _details(entry: Entry, console: Console) -> Iterator[Text]:
    indent = " " * 7
    if entry.path:
        what = "goes away again" if entry.created else "gets its old content back, byte for byte"
        yield beside(Text(indent), rich_text(f"{entry.path} {what}", console, "note"), console)
    if entry.added:
        names = rich_text(" ".join(entry.added), console, "removed")
        yield beside(Text(f"{indent}- ", style="removed"), names, console)


def _left(entry: Entry, difference: tuple[str, ...], console: Console) -> Text:
    lead = Text(f"  {symbols(console).warn} {'left':<{_WIDEST}} ", style="warn")
    body = rich_text(f"{entry.path} was changed by somebody else since; it stays as it is", console)
    shown = beside(lead, body, console)
    for line in difference:
        shown.append(f"\n{' ' * lead.cell_len}{safe(line, console)}", style="note")
    return shown


def show_undo(report: UndoReport, console: Console, messages: Console, *, verbose: bool = False) -> None:
    """One line per change, and what stopped it on stderr."""
    lead = Text(f"{safe(report.target, console)}: ", style="side")
    console.print(beside(lead, Text(_HEADLINES[report.status]), console), soft_wrap=True)
    for sentence in report.settled:
        console.print(_line("ok", "settled", sentence, console), soft_wrap=True)
    for result in report.results:
        for line in _result(result, console):
            console.print(line, soft_wrap=True)
    if report.status is not UndoStatus.PLANNED:
        for entry in report.plan.foreign:
            console.print(_left(entry, (), console), soft_wrap=True)  # the plan has shown the difference
        if report.plan.out_of_reach:
            console.print(_line("unknown", "unknown", report.plan.out_of_reach, console), soft_wrap=True)
    if verbose:
        console.print(Text(f"  {report.seconds:.1f} s", style="note"))
    if report.error is not None:
        show_error(report.error.message, report.error.hint, messages)


def _result(result: UndoResult, console: Console) -> Iterator[Text]:
    if result.outcome is UndoOutcome.FOREIGN:
        yield _left(result.entry, result.difference, console)
        return
    style, word = _OUTCOMES[result.outcome]
    yield _line(style, word, _name(result.entry), console)
    if result.kept:
        words = f"something else needs {', '.join(result.kept)} by now, so that stays"
        yield beside(Text(" " * (_WIDEST + 5)), rich_text(words, console, "note"), console)


def _line(style: str, word: str, text: str, console: Console) -> Text:
    lead = Text(f"  {getattr(symbols(console), style)} {word:<{_WIDEST}} ", style=style)
    return beside(lead, rich_text(text, console), console)


class UndoWatch:
    """One host's `UndoEvents` (pipeline.undo)."""

    def __init__(self, view: HostsView, name: str) -> None:
        self._view = view
        self._name = name

    def doing(self, text: str) -> None:
        self._view.state(self._name, text)

    def planned(self, plan: UndoPlan) -> None: ...

    def started(self, entry: Entry) -> None:
        self._view.state(self._name, f"taking back: {_name(entry)}")

    def said(self, entry: Entry, line: SpokenLine) -> None:
        self._view.speak(self._name, f"taking back: {_name(entry)}", line)

    def finished(self, result: UndoResult) -> None: ...

    def noted(self, text: str) -> None:
        self._view.note(self._name, text)
