"""A report as a table by side, root cause first, the next command last; imported by the cli."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from x11fwd.checks import CHECKS, SHOWN
from x11fwd.checks.report import FixBy, Side, Status
from x11fwd.ui.console import rich_text, safe, symbols
from x11fwd.ui.layout import beside

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rich.console import Console

    from x11fwd.checks.check import Aim
    from x11fwd.checks.report import Finding, Fix, Report

__all__ = ["finding_lines", "show_report"]

_WORDS = {
    Status.PASS: "ok",
    Status.FAIL: "fail",
    Status.WARN: "warn",
    Status.UNKNOWN: "unknown",
    Status.SKIP: "skip",
}
_WIDEST = max(len(word) for word in _WORDS.values())
_TABLE = frozenset(check.id for check in CHECKS)  # what is not in it is a command's own finding


def show_report(
    report: Report,
    console: Console,
    *,
    host: str,
    aim: Aim | None = None,
    verbose: bool = False,
    session: bool = False,
    partial: bool = False,
) -> None:
    """Print the whole answer.

    Args:
        host: heading of the remote's part.
        aim: the target for the next command; None for this machine alone.
        verbose: every finding, each with its id, its evidence and its cure.
        session: doctor ran on `host` itself, in a session of ssh.
        partial: only some questions were asked, so that nothing is known of the rest.
    """
    view = _view(report, console, host=host, aim=aim, verbose=verbose, session=session, partial=partial)
    for line in view:
        # soft: a command to be copied is one line, however long; all else is folded already
        console.print(line, soft_wrap=True)


def _view(
    report: Report,
    console: Console,
    *,
    host: str,
    aim: Aim | None,
    verbose: bool,
    session: bool,
    partial: bool,
) -> Iterator[Text]:
    cause = next((finding for finding in report.findings if finding.id == report.cause), None)
    if cause is not None:
        yield from _headline(cause, console)
        yield Text()
    names = {finding.id: f": {finding.title}" for finding in report.findings}
    if cause is not None:
        names[cause.id] = " the cause above"
    headings = {Side.LOCAL: "This machine", Side.LINK: "Connection", Side.REMOTE: host}
    if session:
        headings = {Side.LINK: "This session", Side.REMOTE: f"{host}, in this session"}
    for side, heading in headings.items():
        rows = [finding for finding in report.findings if finding.side is side]
        chosen = rows if verbose else _said_once(finding for finding in rows if _worth_a_line(finding))
        if chosen:
            yield Text(safe(heading, console), style="side")
        for finding in chosen:
            yield from finding_lines(finding, console, verbose=verbose, names=names)
    yield Text()
    if partial and report.ok:
        again = f"x11fwd doctor {aim.with_python}" if aim else "x11fwd doctor"
        yield beside(Text(), rich_text(f"Only this was asked; `{again}` asks everything.", console), console)
        return
    yield from _closing(report, cause, console, aim=aim, verbose=verbose, session=session)


def _said_once(findings: Iterable[Finding]) -> list[Finding]:
    """One line where several checks have the same open question: what was not asked, none of them knows."""
    rows: dict[object, Finding] = {}
    for finding in findings:
        alike = (finding.title, finding.evidence, finding.cause)
        rows.setdefault(alike if finding.status is Status.UNKNOWN else finding.id, finding)
    return list(rows.values())


def _worth_a_line(finding: Finding) -> bool:
    if finding.status is Status.PASS:
        return finding.id in SHOWN or finding.id not in _TABLE
    return finding.status is not Status.SKIP


def _headline(cause: Finding, console: Console) -> Iterator[Text]:
    yield beside(Text("Cause: ", style="fail"), rich_text(cause.title, console, "bold"), console)
    if cause.evidence:
        yield beside(Text("       "), rich_text(cause.evidence, console, "note"), console)


def finding_lines(
    finding: Finding, console: Console, *, verbose: bool, names: Mapping[str, str] | None = None
) -> Iterator[Text]:
    """Symbol, word and sentence; under it the cause it follows from, and what was seen.

    Args:
        names: id -> how a cause is spoken of after "follows from".
    """
    word = _WORDS[finding.status]
    lead = Text("  ")
    lead.append(f"{getattr(symbols(console), word)} {word:<{_WIDEST}} ", style=word)
    yield beside(lead, rich_text(finding.title, console), console)
    under = Text(" " * lead.cell_len)
    if finding.cause:
        cause = (names or {}).get(finding.cause, f" {finding.cause}")
        yield beside(under, rich_text(f"follows from{cause}", console, "note"), console)
    open_question = finding.status is Status.UNKNOWN and not finding.cause
    if finding.evidence and (verbose or open_question):
        yield beside(under, rich_text(finding.evidence, console, "note"), console)
    if finding.fix and not finding.cause and (verbose or finding.status is Status.WARN):
        yield _command(f"{' ' * lead.cell_len}fix{_who(finding)}:", finding.fix, console)
    if verbose:
        yield beside(under, rich_text(f"[{finding.id}]", console, "note"), console)


def _who(finding: Finding) -> str:
    return ", by an administrator" if finding.fix and finding.fix.by is FixBy.ADMIN else ""


def _command(lead: str, fix: Fix, console: Console) -> Text:
    """A command on one line, never folded by us, so that it can be copied."""
    return rich_text(f"{lead} `{fix.command}`", console)


def _closing(
    report: Report, cause: Finding | None, console: Console, *, aim: Aim | None, verbose: bool, session: bool
) -> Iterator[Text]:
    """What else is broken, and the one command to type next."""
    own = [finding for finding in report.findings if finding.cause is None]
    failed = [finding for finding in own if finding.status is Status.FAIL]
    warned = [finding for finding in own if finding.status is Status.WARN]
    lead = Text("Also: ")
    for other in failed:
        if cause is not None and other is not cause:
            yield beside(lead, rich_text(other.title, console), console)
            lead = Text("      ")
    if not report.ok:
        first = next((one for one in [cause, *failed] if one is not None and one.fix), None)
        if first is not None and first.fix is not None:
            desk = session and first.fix.by is FixBy.X11FWD
            yield _command(f"Next{', where the screen is' if desk else _who(first)}:", first.fix, console)
        elif not verbose:
            again = f"x11fwd doctor -v {aim.with_python}" if aim else "x11fwd doctor -v"
            yield rich_text(f"Next: `{again}` shows what was seen", console)
        return
    if session:
        words = "Windows of this session will open on the screen that you came from."
    elif aim is None:
        words = "This machine can show windows. Next: `x11fwd doctor user@host`"
    else:
        words = f"Windows will open here. Next: `x11fwd ssh {aim.ssh_words}`"
    yield beside(Text(), rich_text(words, console, "" if warned else "ok"), console)
