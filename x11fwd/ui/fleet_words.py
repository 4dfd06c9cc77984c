"""One line's words for what came of a host of a fleet; imported by the cli."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.errors import Interrupted
from x11fwd.pipeline.setup_model import SetupStatus
from x11fwd.pipeline.undo import UndoStatus
from x11fwd.steps.plan import Outcome
from x11fwd.ui.fleet import STOPPED, Ended

if TYPE_CHECKING:
    from x11fwd.errors import X11fwdError
    from x11fwd.pipeline.setup_model import SetupResult
    from x11fwd.pipeline.undo import UndoReport

__all__ = ["setup_ended", "undo_ended"]


def setup_ended(result: SetupResult) -> Ended:
    """The line for a host that setup has worked on."""
    style, word, text, message, hint = _setup(result)
    return Ended(result.target, style, word, text, message, hint, result.exit_code)


def _setup(result: SetupResult) -> tuple[str, str, str, str, str]:
    seconds = f"{result.seconds:.1f} s"
    plan = result.plan
    done = sum(one.outcome is Outcome.DONE for one in result.results)
    if result.error is not None:
        return _error(result.error, f"{_changes(done)} made before" if done else "")
    if result.bridged:
        return "ok", "bridge", f"windows come over the bridge, {seconds}", "", ""
    if result.verification is not None and not result.verification.ok:
        cause = result.verification.cause or "the plot did not come"
        why = f"set up, but no plot came: {cause}"
        return "fail", "no plot", cause, why, f"`x11fwd verify {result.target}` shows more"
    if result.status is SetupStatus.PLANNED:
        count = len(plan.changes) if plan else 0
        left = len(plan.left_to_admin) if plan else 0
        more = f", {left} more by an administrator" if left else ""
        return "unknown", "planned", f"{_changes(count)}{more}", "", ""
    if result.status is SetupStatus.DECLINED:
        return "skip", "declined", "you said no", "you said no, nothing was changed", ""
    if result.status is SetupStatus.LEFT:
        left = len(plan.left_to_admin) if plan else 0
        why = f"{_changes(left)} left to an administrator"
        return "warn", "left", why, why, "`--json` has the note to send, under `note`"
    if result.status is SetupStatus.ALREADY:
        note = "an administrator is needed" if result.note else ""
        return ("warn", "left", note, note, "") if note else ("ok", "ready", f"already, {seconds}", "", "")
    return "ok", "set up", f"{_changes(done)}, {seconds}", "", ""


def undo_ended(report: UndoReport) -> Ended:
    """The line for a host that undo has worked on."""
    style, word, text, message, hint = _undo(report)
    return Ended(report.target, style, word, text, message, hint, report.exit_code)


def _undo(report: UndoReport) -> tuple[str, str, str, str, str]:
    count = len(report.plan.entries)
    if report.error is not None:
        return _error(
            report.error, f"{_changes(len(report.results))} taken back before" if report.results else ""
        )
    if report.status is UndoStatus.NOTHING:
        return "ok", "nothing", f"there was nothing to undo, {report.seconds:.1f} s", "", ""
    if report.status is UndoStatus.PLANNED:
        return "unknown", "planned", f"{_changes(count)} to take back", "", ""
    if report.status is UndoStatus.DECLINED:
        return "skip", "declined", "you said no", "you said no, nothing was taken back", ""
    if report.status is UndoStatus.LEFT:
        paths = [entry.path for entry in report.plan.foreign if entry.path]
        why = report.plan.out_of_reach or f"changed by somebody else since: {', '.join(paths) or 'something'}"
        return "warn", "left", why, why, f"`x11fwd undo {report.target}` shows the difference"
    return "ok", "taken back", f"{_changes(len(report.results))}, {report.seconds:.1f} s", "", ""


def _error(error: X11fwdError, before: str) -> tuple[str, str, str, str, str]:
    message = f"{error.message} ({before})" if before else error.message
    if isinstance(error, Interrupted):
        return "warn", STOPPED, error.message, message, error.hint
    return "fail", "failed", error.message, message, error.hint


def _changes(count: int) -> str:
    return "1 change" if count == 1 else f"{count} changes"
