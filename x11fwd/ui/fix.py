"""What `doctor --fix` would change on either machine, and whether it took; imported by the cli."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from x11fwd.checks.report import Status
from x11fwd.pipeline.fix import FixStatus
from x11fwd.steps.plan import Outcome
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
    """What is wrong, and the changes, machine by machine, with their differences."""
    for finding in plan.wrong:
        word = "fail" if finding.status is Status.FAIL else "warn"
        lead = Text(f"{getattr(symbols(console), word)} {word} ", style=word)
        console.print(beside(lead, rich_text(finding.title, console), console), soft_wrap=True)
        if finding.evidence:
            under = Text(" " * lead.cell_len)
            console.print(
                beside(under, rich_text(finding.evidence, console, "note"), console), soft_wrap=True
            )
    console.print()
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
    yield beside(lead, Text(_headline(report)), console)
    for result in report.results:
        if result.outcome is Outcome.FAILED:
            yield _line("fail", "refused", result.detail, console)
    for one in report.took:
        yield _line("ok", "cured", titles.get(one, one), console)
    for one in report.later:
        when = "from your next login on" if report.session_on else "in every new terminal"
        yield _line("ok", "done", f"cured {when}: {titles.get(one, one)}", console)
    for one in report.left:
        yield _line("fail", "still there", titles.get(one, one), console)
    if report.status in {FixStatus.BEYOND, FixStatus.DONE}:  # else the plan has said so
        for note in report.plan.notes:
            yield _line("warn", "note", note, console)


def _headline(report: FixReport) -> str:
    if report.status is FixStatus.BEYOND and report.plan.notes:
        return "nothing of this can be cured for you"
    if report.status is not FixStatus.DONE:
        return _HEADLINES[report.status]
    if report.left or report.error is not None:
        return "changed, and looked at again"
    return "cured" if report.took else "changed"


def _back(report: FixReport, console: Console, aim: Aim | None) -> Iterator[Text]:
    """The command that takes back what is in the journals, and what windows can do now."""
    done = {one.change for one in report.results if one.journal}
    ways = []
    if any(change.id in done for change in report.plan.there.changes):
        ways.append(f"`x11fwd undo {aim.words}`" if aim else "`x11fwd undo`")
    if any(change.id in done for change in report.plan.here.changes) and "`x11fwd undo`" not in ways:
        ways.append("`x11fwd undo`")
    if ways:
        yield rich_text(f"To take it back: {' and '.join(ways)}", console, "note")
    if report.last.cause is None and aim is not None and report.error is None:
        yield rich_text(f"Windows will open here. Next: `x11fwd ssh {aim.ssh_words}`", console, "ok")


def _line(style: str, word: str, text: str, console: Console) -> Text:
    lead = Text(f"  {getattr(symbols(console), style)} {word:<{_WIDEST}} ", style=style)
    return beside(lead, rich_text(text, console), console)
