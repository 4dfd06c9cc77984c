"""Checks: pure functions from facts to findings, and the table of them all; the pipeline calls `diagnose`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.checks.check import Check, Link, Seen
from x11fwd.checks.diagnosis import root_cause, run_checks
from x11fwd.checks.report import Finding, Side, Status
from x11fwd.checks.table import CHECKS

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CHECKS", "SHOWN", "Check", "Link", "diagnose", "exit_code", "root_cause"]

SHOWN: frozenset[str] = frozenset(check.id for check in CHECKS if check.shown)


def diagnose(seen: Seen) -> tuple[Finding, ...]:
    """Every finding about these facts, in the order of the chain, symptoms folded under their causes.

    Without a target only this machine is judged; inside a session of ssh this machine is the remote one.
    """
    if seen.inside:
        return run_checks([check for check in CHECKS if check.side is not Side.LOCAL], seen)
    here_only = seen.target is None and seen.remote is None
    return run_checks([check for check in CHECKS if not here_only or check.side is Side.LOCAL], seen)


def exit_code(findings: Iterable[Finding]) -> int:
    """DESIGN.md's table: 3 where no connection came about, 1 where something is broken, else 0.

    What nobody could look at breaks nothing: a refused request for X11 is a failure of its own.
    """
    failed = {finding.id for finding in findings if finding.status is Status.FAIL}
    if "ssh-connection" in failed:
        return 3
    return 1 if failed else 0
