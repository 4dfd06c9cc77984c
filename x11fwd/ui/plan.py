"""A plan as a readable diff, and the note to an administrator; imported by the cli."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from x11fwd.ui.console import rich_text, safe, symbols
from x11fwd.ui.layout import beside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from x11fwd.steps.plan import Change, Plan

__all__ = ["show_admin_note", "show_plan"]

_STYLES = {"+": "added", "-": "removed", "@": "side"}


def show_plan(plan: Plan, console: Console, *, host: str) -> None:
    """What would be changed on `host`, in order: packages, files, services, and who has to be root."""
    for line in _view(plan, console, host):
        console.print(line, soft_wrap=True)


def _view(plan: Plan, console: Console, host: str) -> Iterator[Text]:
    yield beside(Text(f"{safe(host, console)}: ", style="side"), Text(_summary(plan)), console)
    for number, change in enumerate(plan.changes, 1):
        yield from _change(f"{number}.", change, console)
    lead = "Left to an administrator, because nobody here is root:"
    for heading, changes in ((lead, plan.without_rights), ("Left to you, by hand:", plan.by_hand)):
        if changes:
            yield Text()
            yield Text(heading, style="side")
        for change in changes:
            yield from _change("-", change, console)
    for note in plan.notes:
        yield beside(Text(f"  {symbols(console).ok} ok      ", style="ok"), rich_text(note, console), console)
    for warning in plan.warnings:
        yield beside(
            Text(f"  {symbols(console).warn} warn    ", style="warn"), rich_text(warning, console), console
        )


def _summary(plan: Plan) -> str:
    if plan.empty:
        return "nothing has to be changed"
    count = len(plan.changes)
    if not count:
        return (
            "nothing can be changed without root" if plan.without_rights else "x11fwd changes nothing itself"
        )
    words = "1 change" if count == 1 else f"{count} changes"
    rooted = sum(change.become for change in plan.changes)
    if not rooted:
        return f"{words}, none needs root"
    if rooted == count:
        return f"{words}, as root" if count == 1 else f"{words}, all as root"
    return f"{words}, {rooted} of them as root"


def _change(lead: str, change: Change, console: Console) -> Iterator[Text]:
    head = Text(f"  {lead:<3}")
    title = rich_text(change.title, console, "bold")
    if change.become:
        title.append(" (as root)", style="note")
    yield beside(head, title, console)
    indent = " " * (head.cell_len + 2)
    for line in change.diff:
        text = safe(line.text, console)
        if line.mark == "@":
            yield Text(f"{indent}{text}", style="side")
        else:
            style = _STYLES.get(line.mark, "note")
            yield beside(Text(f"{indent}{line.mark} ", style=style), Text(text, style=style), console)
    if change.note:
        yield beside(Text(indent), rich_text(change.note, console, "note"), console)


def show_admin_note(note: str, console: Console) -> None:
    """The note, between two lines to cut along; not wrapped, because it holds commands."""
    rule = "-" * min(console.width, 72)
    console.print(Text(rule, style="note"))
    console.print(Text(safe(note.rstrip("\n"), console)), soft_wrap=True)
    console.print(Text(rule, style="note"))
