"""The JSON documents of commands that answer with more than a report; imported by the commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.checks.report import report_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from x11fwd.errors import X11fwdError
    from x11fwd.pipeline.demo import DemoResult
    from x11fwd.pipeline.fix import FixReport
    from x11fwd.pipeline.setup import SetupResult
    from x11fwd.pipeline.undo import UndoReport
    from x11fwd.pipeline.verify import VerifyResult
    from x11fwd.steps.journal import Entry
    from x11fwd.steps.plan import Change

__all__ = [
    "demo_document",
    "fix_document",
    "setup_document",
    "setup_host_document",
    "undo_document",
    "undo_host_document",
    "verify_document",
]


def verify_document(result: VerifyResult) -> dict[str, object]:
    """`x11fwd verify --json`: the report, and what was measured beside it."""
    document = report_json(result.report)
    document["plot"] = {
        "backend": result.backend,
        "matplotlib": result.version,
        "display": result.display,
        "via": result.via,
        "forwarding": result.forwarding,
        "round_trip_seconds": result.round_trip,
        "window_seconds": result.seconds,
        "screenshot": str(result.screenshot) if result.screenshot else None,
        "warnings": list(result.warnings),
    }
    return document


def demo_document(result: DemoResult) -> dict[str, object]:
    """`x11fwd demo --json`, schema `x11fwd.demo/1`."""
    missing, picture = result.missing, result.picture
    return {
        "schema": "x11fwd.demo/1",
        "command": "demo",
        "ok": result.ok,
        "exit_code": result.exit_code,
        "steps": [
            {
                "id": step.id,
                "ok": step.ok,
                "title": step.title,
                "detail": step.detail,
                "seconds": round(step.seconds, 3),
            }
            for step in result.steps
        ],
        "missing": list(missing.programs) if missing else [],
        "install": missing.command if missing else None,
        "screenshot": str(picture.screenshot) if picture and picture.screenshot else None,
        "seconds": round(result.seconds, 3),
    }


def setup_document(
    results: Sequence[SetupResult], exit_code: int, *, skipped: Sequence[str] | None = None
) -> dict[str, object]:
    """`x11fwd setup --json`, schema `x11fwd.setup/1`; with `skipped` hosts where it is about a fleet."""
    return {
        "schema": "x11fwd.setup/1",
        "command": "setup",
        "ok": exit_code == 0,
        "exit_code": exit_code,
        "hosts": [_setup(result) for result in results],
        **({} if skipped is None else {"skipped": list(skipped)}),
    }


def setup_host_document(result: SetupResult) -> dict[str, object]:
    """The line for one host of a fleet as it ends, schema `x11fwd.setup-host/1`."""
    return {"schema": "x11fwd.setup-host/1", "command": "setup", **_setup(result)}


def _setup(result: SetupResult) -> dict[str, object]:
    plan = result.plan
    outcomes = {one.change: one for one in result.results}
    changes = []
    for change in plan.changes if plan else ():
        done = outcomes.get(change.id)
        one = _change(change)
        one["outcome"] = done.outcome.value if done else None
        one["detail"] = done.detail if done else ""
        changes.append(one)
    return {
        "target": result.target,
        "status": result.status.value,
        "exit_code": result.exit_code,
        "playbook": plan.playbook if plan else None,
        "changes": changes,
        "left_to_admin": [_change(change) for change in plan.left_to_admin] if plan else [],
        "warnings": list(plan.warnings) if plan else [],
        "note": result.note,
        "settled": list(result.settled),
        "verification": report_json(result.verification) if result.verification else None,
        "via": result.verification.via if result.verification else None,
        "error": _error(result.error),
        "route": result.route,
        "logins": result.logins,
        "round_trips": result.round_trips,
        "seconds": round(result.seconds, 3),
    }


def fix_document(report: FixReport) -> dict[str, object]:
    """`x11fwd doctor --fix --json`, schema `x11fwd.fix/1`: both reports, and what lies between them."""
    outcomes = {one.change: (one.outcome.value, one.detail) for one in report.results}
    machines = (("local", report.plan.here), ("remote", report.plan.there))
    changes: list[dict[str, object]] = [
        {"machine": machine, **_change(change), "outcome": outcome, "detail": detail}
        for machine, plan in machines
        for change in plan.changes
        for outcome, detail in (outcomes.get(change.id, (None, "")),)
    ]
    return {
        "schema": "x11fwd.fix/1",
        "command": "doctor",
        "target": report.target,
        "ok": report.exit_code == 0,
        "exit_code": report.exit_code,
        "status": report.status.value,
        "changes": changes,
        "cured": list(report.took),
        "later": list(report.later),
        "still_there": list(report.left),
        "notes": list(report.plan.notes),
        "before": report_json(report.before),
        "after": report_json(report.after) if report.after else None,
        "error": _error(report.error),
        "seconds": round(report.seconds, 3),
    }


def _change(change: Change) -> dict[str, object]:
    return {
        "id": change.id,
        "title": change.title,
        "become": change.become,
        "diff": [f"{line.mark}{line.text}" for line in change.diff],
        "note": change.note,
    }


def _error(error: X11fwdError | None) -> dict[str, object] | None:
    return {"message": error.message, "hint": error.hint} if error else None


def undo_host_document(report: UndoReport) -> dict[str, object]:
    """The line for one host of a fleet as it ends, schema `x11fwd.undo-host/1`."""
    return {"schema": "x11fwd.undo-host/1", "command": "undo", **_undo(report)}


def undo_document(
    reports: Sequence[UndoReport], exit_code: int, *, skipped: Sequence[str] | None = None
) -> dict[str, object]:
    """`x11fwd undo --json`, schema `x11fwd.undo/1`; with `skipped` hosts where it is about a fleet."""
    return {
        "schema": "x11fwd.undo/1",
        "command": "undo",
        "ok": exit_code == 0,
        "exit_code": exit_code,
        "hosts": [_undo(report) for report in reports],
        **({} if skipped is None else {"skipped": list(skipped)}),
    }


def _undo(report: UndoReport) -> dict[str, object]:
    outcomes = {(one.entry.as_root, one.entry.id): one for one in report.results}
    changes = []
    for entry in report.plan.entries:
        done = outcomes.get((entry.as_root, entry.id))
        one = _entry(entry)
        one["outcome"] = done.outcome.value if done else None
        one["kept"] = list(done.kept) if done else []
        changes.append(one)
    return {
        "target": report.target,
        "status": report.status.value,
        "exit_code": report.exit_code,
        "changes": changes,
        "changed_by_others": [_entry(entry) for entry in report.plan.foreign],
        "out_of_reach": report.plan.out_of_reach,
        "settled": list(report.settled),
        "error": _error(report.error),
        "seconds": round(report.seconds, 3),
    }


def _entry(entry: Entry) -> dict[str, object]:
    return {
        "id": entry.id,
        "title": entry.title,
        "become": entry.as_root,
        "path": entry.path,
        "added": list(entry.added),
        "difference": list(entry.difference),
    }
