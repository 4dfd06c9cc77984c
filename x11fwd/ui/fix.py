"""What `doctor --fix` would change on either machine, and whether it took; imported by the cli."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from x11fwd.pipeline.fix import FixStatus
from x11fwd.ui.console import rich_text, safe, symbols
from x11fwd.ui.layout import beside
from x11fwd.ui.message import show_error
from x11fwd.ui.plan import show_plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from x11fwd.checks.check import Aim
    from x11fwd.pipeline.fix import FixPlan, FixReport

__all__ = ["show_fix", "show_fix_plan"]

_WIDEST = len("still there")
_HEADLINES = {
    FixStatus.WELL: "nothing is wrong, nothing was changed",
    FixStatus.BEYOND: "nothing of this can be cured from here without root",
    FixStatus.PLANNED: "planned only, nothing was changed",
    FixStatus.DECLINED: "you said no, nothing was changed",
    FixStatus.FAILED: "stopped",
}


def show_fix_plan(plan: FixPlan, console: Console, *, host: str) -> None:
    """The changes, machine by machine, with their differences."""
    if not plan.here.empty:
        show_plan(plan.here, console, host="this machine")
    if not plan.there.empty:
        show_plan(plan.there, console, host=host or "this machine")


def show_fix(
    report: FixReport, console: Console, messages: Console, *, host: str, aim: Aim | None = None
) -> None:
    """What became of it on stdout, what stopped it on stderr, and how to take it back."""
    for line in _view(report, console, host):
        console.print(line, soft_wrap=True)
    if report.error is not None:
        show_error(report.error.message, report.error.hint, messages)
    for line in _back(report, console, aim):
        console.print(line, soft_wrap=True)


def _view(report: FixReport, console: Console, host: str) -> Iterator[Text]:
    lead = Text(f"{safe(host or 'this machine', console)}: ", style="side")
    titles = {one.id: one.title for one in report.before.findings}
    words = _HEADLINES.get(report.status) or ("cured" if not report.left else "changed, and looked at again")
    yield beside(lead, Text(words), console)
    for one in report.took:
        yield _line("ok", "cured", titles.get(one, one), console)
    for one in report.left:
        yield _line("fail", "still there", titles.get(one, one), console)
    for note in (*report.plan.here.notes, *report.plan.there.notes):
        yield _line("warn", "note", note, console)


def _back(report: FixReport, console: Console, aim: Aim | None) -> Iterator[Text]:
    if report.status is not FixStatus.DONE:
        return
    ways = []
    if report.plan.there.changes:
        ways.append(f"`x11fwd undo {aim.words}`" if aim else "`x11fwd undo`")
    if report.plan.here.changes and "`x11fwd undo`" not in ways:
        ways.append("`x11fwd undo`")
    yield rich_text(f"To take it back: {' and '.join(ways)}", console, "note")


def _line(style: str, word: str, text: str, console: Console) -> Text:
    lead = Text(f"  {getattr(symbols(console), style)} {word:<{_WIDEST}} ", style=style)
    return beside(lead, rich_text(text, console), console)
