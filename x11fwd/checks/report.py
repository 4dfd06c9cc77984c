"""Findings and reports: what a check says and what a command answers; imported by checks, pipeline and ui."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

__all__ = ["Finding", "Fix", "FixBy", "Report", "Side", "Status", "finding_json", "report_json"]

SCHEMA = "x11fwd.report/1"


class Status(Enum):
    PASS = "pass"  # noqa: S105  not a password
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"
    SKIP = "skip"


class Side(Enum):
    LOCAL = "local"
    LINK = "link"
    REMOTE = "remote"


class FixBy(Enum):
    X11FWD = "x11fwd"
    YOU = "you"
    ADMIN = "admin"


@dataclass(frozen=True)
class Fix:
    """The one command that cures a finding, and who has to type it."""

    command: str
    by: FixBy


@dataclass(frozen=True)
class Finding:
    """One check's result.

    Attributes:
        id: kebab-case; the slug of the failure catalogue; never changes its meaning.
        title: what is so, as a short sentence ("xauth is missing on gpu1").
        evidence: what was seen, where: file and line, message, value.
        cause: the id of another finding that this one merely follows from; None where it stands alone.
        fix: what to do; None where there is nothing to do.
    """

    id: str
    side: Side
    status: Status
    title: str
    evidence: str = ""
    cause: str | None = None
    fix: Fix | None = None

    def because(self, cause: str) -> Finding:
        """The same finding, folded under its root cause."""
        return replace(self, cause=cause)


@dataclass(frozen=True)
class Report:
    """What `doctor`, `verify` and `setup` answer about one target.

    Attributes:
        command: the command that made it.
        target: as typed, None for this machine alone.
        findings: in the order of the chain (local, link, remote).
        cause: id of the first broken link, None where nothing is broken.
        seconds: wall time.
        exit_code: DESIGN.md's table.
        via: the way a plot took, `native` or `bridge`; empty where none was drawn. Not part of the document.
        refused: sshd does not forward X11 for this account, as that plot's login saw. Not part of it either.
    """

    command: str
    target: str | None
    findings: tuple[Finding, ...]
    cause: str | None
    exit_code: int
    seconds: float
    via: str = ""
    refused: bool = False

    @property
    def ok(self) -> bool:
        return self.exit_code == 0


def finding_json(finding: Finding) -> dict[str, object]:
    """The finding as DESIGN.md's JSON has it."""
    fix = {"command": finding.fix.command, "by": finding.fix.by.value} if finding.fix else None
    return {
        "id": finding.id,
        "side": finding.side.value,
        "status": finding.status.value,
        "title": finding.title,
        "evidence": finding.evidence,
        "cause": finding.cause,
        "fix": fix,
    }


def report_json(report: Report) -> dict[str, object]:
    """The report as one JSON document, schema `x11fwd.report/1`."""
    return {
        "schema": SCHEMA,
        "command": report.command,
        "target": report.target,
        "ok": report.ok,
        "exit_code": report.exit_code,
        "cause": report.cause,
        "findings": [finding_json(finding) for finding in report.findings],
        "seconds": round(report.seconds, 3),
    }
