"""Findings in the order of the chain, symptoms folded under their causes; imported by the table alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.checks.report import Finding, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from x11fwd.checks.check import Check, Seen

__all__ = ["explaining", "fold", "root_cause", "run_checks"]

# A finding that says nothing bad is never a symptom of another one.
_MAY_FOLLOW = frozenset({Status.FAIL, Status.WARN, Status.UNKNOWN})


def run_checks(checks: Sequence[Check], seen: Seen) -> tuple[Finding, ...]:
    """Every check's finding, in the order of the table, with causes filled in."""
    findings = tuple(check.finding(seen) for check in checks)
    return fold(findings, explaining(checks))


def explaining(checks: Sequence[Check]) -> dict[str, tuple[str, ...]]:
    """id -> ids whose failure explains a failure of that id.

    Those that `needs` names, and those that break a link named there.
    """

    def explains(other: Check, check: Check) -> bool:
        return other.id in check.needs or (other.breaks is not None and other.breaks in check.needs)

    return {
        check.id: tuple(other.id for other in checks if other.id != check.id and explains(other, check))
        for check in checks
    }


def fold(findings: Sequence[Finding], needs: Mapping[str, Sequence[str]]) -> tuple[Finding, ...]:
    """Give each finding that merely follows from a failed one the id of the first link that broke.

    Args:
        needs: id -> ids whose failure explains a failure of that id; may point forward.
    """
    status = {finding.id: finding.status for finding in findings}
    order = {finding.id: place for place, finding in enumerate(findings)}

    def roots(check: str, seen: frozenset[str]) -> set[str]:
        """The failed ones at the far end of the needs of `check`; behind a link that holds nobody looks."""
        found: set[str] = set()
        for need in needs.get(check, ()):
            if need in seen or status.get(need, Status.PASS) is Status.PASS:
                continue
            deeper = roots(need, seen | {need})
            if deeper:
                found |= deeper
            elif status[need] is Status.FAIL:
                found.add(need)
        return found

    folded = []
    for finding in findings:
        causes = roots(finding.id, frozenset({finding.id})) if finding.status in _MAY_FOLLOW else set()
        folded.append(finding.because(min(causes, key=order.__getitem__)) if causes else finding)
    return tuple(folded)


def root_cause(findings: Iterable[Finding]) -> str | None:
    """The id of the first failure, in the order of the chain, that nothing else explains.

    Where nothing fails, it is the first warning's: windows come, and that one is what will surprise the user.
    """
    warned = None
    for finding in findings:
        if finding.cause is None:
            if finding.status is Status.FAIL:
                return finding.id
            if finding.status is Status.WARN and warned is None:
                warned = finding.id
    return warned
