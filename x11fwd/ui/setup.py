"""What came of setting hosts up: one block per host on stdout; imported by the cli."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rich.text import Text

from x11fwd.checks.report import FixBy
from x11fwd.pipeline.setup import SetupStatus
from x11fwd.steps.plan import Outcome
from x11fwd.ui.console import rich_text, safe, symbols
from x11fwd.ui.layout import beside
from x11fwd.ui.message import show_error
from x11fwd.ui.plan import show_admin_note
from x11fwd.ui.verify import show_verify

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from x11fwd.checks.check import Aim
    from x11fwd.pipeline.setup import SetupResult
    from x11fwd.pipeline.verify import VerifyResult

__all__ = ["show_setup"]

_WIDEST = len("unchanged")
_OUTCOMES = {
    Outcome.DONE: ("ok", "done"),
    Outcome.UNCHANGED: ("skip", "unchanged"),
    Outcome.FAILED: ("fail", "failed"),
    Outcome.PENDING: ("unknown", "pending"),
}


def show_setup(
    result: SetupResult,
    console: Console,
    messages: Console,
    *,
    aim: Aim,
    proof: VerifyResult | None = None,
    verbose: bool = False,
) -> None:
    """The result on stdout, what stopped it on stderr, and the command to type next.

    Args:
        aim: the target for the next command.
        proof: what verification saw, where there was one.
    """
    for line in _view(result, console, verbose):
        console.print(line, soft_wrap=True)
    if proof is not None:
        if result.note:
            proof = _past_setup(proof)
        show_verify(proof, console, host=result.target, aim=aim)
    if result.note and result.bridged:
        console.print(Text("\nFor ssh's own forwarding, too, an administrator is needed. A note to be sent:"))
        show_admin_note(result.note, console)
    elif result.note:
        console.print(Text("\nThis needs an administrator. A note that is ready to be sent:"))
        show_admin_note(result.note, console)
    if result.error is not None:
        show_error(result.error.message, result.error.hint, messages)
    for line in _next(result, aim, console):
        console.print(line, soft_wrap=True)


def _past_setup(proof: VerifyResult) -> VerifyResult:
    """The same without `x11fwd setup` as the next command, which has just done all that it may."""
    findings = tuple(
        replace(one, fix=None) if one.fix is not None and one.fix.by is FixBy.X11FWD else one
        for one in proof.report.findings
    )
    return replace(proof, report=replace(proof.report, findings=findings))


def _view(result: SetupResult, console: Console, verbose: bool) -> Iterator[Text]:
    lead = Text(f"{safe(result.target, console)}: ", style="side")
    yield beside(lead, rich_text(_headline(result), console), console)
    titles = {change.id: change.title for change in result.plan.changes} if result.plan else {}
    for sentence in result.settled:
        yield _line("ok", "settled", sentence, console)
    for one in result.results:
        style, word = _OUTCOMES[one.outcome]
        yield _line(style, word, titles.get(one.change, one.change), console)
        if one.detail and (verbose or one.outcome is Outcome.FAILED):
            under = Text(" " * (_WIDEST + 5))
            yield beside(under, rich_text(one.detail, console, "note"), console)
    if result.plan is not None and result.status is SetupStatus.ALREADY:
        for note in result.plan.notes:
            yield _line("ok", "ok", note, console)
    if result.plan is not None and result.status is not SetupStatus.PLANNED:
        for warning in result.plan.warnings:
            yield _line("warn", "warn", warning, console)
    if verbose and result.route:
        counts = f"{result.logins} logins, {result.round_trips} round trips, {result.seconds:.1f} s"
        words = f"{result.route}; {counts}"
        yield beside(Text("  "), rich_text(words, console, "note"), console)


def _line(style: str, word: str, text: str, console: Console) -> Text:
    lead = Text(f"  {getattr(symbols(console), style)} {word:<{_WIDEST}} ", style=style)
    return beside(lead, rich_text(text, console), console)


def _headline(result: SetupResult) -> str:
    if result.bridged:
        return "windows come over the bridge; its sshd does not forward X11"
    if result.status is SetupStatus.ALREADY:
        return "ready already, nothing was changed"
    if result.status is SetupStatus.PLANNED:
        return "planned only, nothing was changed"
    if result.status is SetupStatus.DECLINED:
        return "you said no, nothing was changed"
    if result.status is SetupStatus.LEFT:
        return "done what needs no administrator"
    if result.status is SetupStatus.FAILED:
        done = sum(one.outcome is Outcome.DONE for one in result.results)
        return "stopped" if done else "stopped, nothing was changed"
    if result.status is SetupStatus.STOPPED:
        return "stopped, nothing was changed"
    if result.verification is not None and not result.verification.ok:
        return "set up, but no plot came"
    return "set up"


def _next(result: SetupResult, aim: Aim, console: Console) -> Iterator[Text]:
    if result.bridged:
        yield rich_text(f"Next: `x11fwd ssh --via bridge {aim.ssh_words}`", console, "ok")
    elif result.status in {SetupStatus.ALREADY, SetupStatus.DONE} and result.exit_code == 0:
        yield rich_text(f"Next: `x11fwd ssh {aim.ssh_words}`", console, "ok")
    elif result.status is SetupStatus.PLANNED and result.plan and result.plan.changes:
        yield rich_text(f"Next: `x11fwd setup {aim.with_python}`", console)
