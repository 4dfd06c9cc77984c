"""`doctor --fix`: the cures that need nobody's rights but the user's own, and whether they took; for the cli.

report -> cures of its findings -> questions -> changes, shown and agreed to -> engine -> a new report
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from x11fwd.checks.report import FixBy, Status
from x11fwd.errors import UsageError, X11fwdError
from x11fwd.facts.model import Privilege, PrivilegeKind
from x11fwd.pipeline.asking import Remembering
from x11fwd.pipeline.doctor import real_means, run_doctor
from x11fwd.steps.cures import CURES, Machine
from x11fwd.steps.cures.ground import Ground
from x11fwd.steps.engine import Engine
from x11fwd.steps.plan import Plan
from x11fwd.steps.questions import Answers, ask

if TYPE_CHECKING:
    from x11fwd.checks.report import Finding, Report
    from x11fwd.pipeline.doctor import DoctorOptions, DoctorResult, Means
    from x11fwd.steps.plan import Change, ChangeResult
    from x11fwd.target import Target
    from x11fwd.transports.base import Prompter, Transport

__all__ = ["FixApprove", "FixPlan", "FixReport", "FixStatus", "admin_note", "run_fix"]

PLAYBOOK = "doctor --fix"
"""What the journal says where a playbook's name would stand."""


class FixStatus(Enum):
    WELL = "well"  # nothing is wrong
    BEYOND = "beyond"  # nothing that is wrong can be cured from here without root
    PLANNED = "planned"
    DECLINED = "declined"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class FixPlan:
    """What would be done, on either machine.

    Attributes:
        cures: ids of the findings that the changes are for.
        here, there: the machine with the screen, the one with the program.
    """

    cures: tuple[str, ...] = ()
    here: Plan = field(default_factory=lambda: Plan(PLAYBOOK))
    there: Plan = field(default_factory=lambda: Plan(PLAYBOOK))

    @property
    def empty(self) -> bool:
        return self.here.empty and self.there.empty


@dataclass(frozen=True)
class FixReport:
    """What came of it.

    Attributes:
        before, after: doctor's reports; `after` is None where nothing was changed.
        results: what became of each change, in order.
        took: ids of the findings that are gone; `left`: those that are still there after their cure.
        notes: what to type in addition.
    """

    target: str | None
    status: FixStatus
    before: Report
    plan: FixPlan = field(default_factory=FixPlan)
    after: Report | None = None
    results: tuple[ChangeResult, ...] = ()
    took: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    error: X11fwdError | None = None
    seconds: float = 0.0

    @property
    def last(self) -> Report:
        """The newest report there is."""
        return self.after or self.before

    @property
    def exit_code(self) -> int:
        """DESIGN.md's table: that of the last report, 4 where a cure was refused, 1 where it did not take."""
        if self.error is not None:
            return self.error.exit_code
        return self.last.exit_code or (1 if self.left else 0)


FixApprove = Callable[[FixPlan], bool]
"""Asked with the plan, which has to be shown; True to go on."""


def run_fix(
    target: Target | None,
    options: DoctorOptions,
    prompter: Prompter,
    approve: FixApprove,
    progress: Callable[[str], None] = lambda _text: None,
    *,
    dry_run: bool = False,
    means: Means | None = None,
    here: Transport | None = None,
) -> FixReport:
    """Diagnose, cure what needs no root on either side, and diagnose again.

    Args:
        approve: asked before anything is changed; not with `dry_run`.
        here: where programs of this machine run; by default the local transport.

    Raises:
        UsageError: an id of `options.only` is not one of the findings.
    """
    started = time.monotonic()
    asking = Remembering(prompter)
    means = means or real_means(warm=target is not None)
    found = run_doctor(target, options, asking, progress, means=means)
    asking.logged_in()
    broken = _broken(found.report)
    if not broken:
        return FixReport(_name(target), FixStatus.WELL, found.report, seconds=time.monotonic() - started)
    if not any(finding.id in CURES for finding in broken):
        return FixReport(_name(target), FixStatus.BEYOND, found.report, seconds=time.monotonic() - started)
    run = _Fix(target, options, asking, progress, means=means, here=here)
    try:
        report = run.line(found, broken, approve, dry_run=dry_run)
    except UsageError:
        raise
    except X11fwdError as error:
        report = FixReport(
            _name(target), FixStatus.FAILED, found.report, run.plan, results=tuple(run.results), error=error
        )
    finally:
        run.close()
    return replace(report, seconds=time.monotonic() - started)


def _name(target: Target | None) -> str | None:
    return target.typed if target else None


def _broken(report: Report) -> tuple[Finding, ...]:
    """What a cure may be for: failures and warnings that nothing else explains."""
    bad = {Status.FAIL, Status.WARN}
    return tuple(one for one in report.findings if one.status in bad and one.cause is None)


class _Fix:
    """One cure under way."""

    def __init__(
        self,
        target: Target | None,
        options: DoctorOptions,
        prompter: Remembering,
        progress: Callable[[str], None],
        *,
        means: Means,
        here: Transport | None,
    ) -> None:
        self.target, self.options, self.prompter = target, options, prompter
        self.progress, self.means = progress, means
        self.plan = FixPlan()
        self.results: list[ChangeResult] = []
        self._here, self._there = here, None if target else here
        self._opened: list[Transport] = []

    def line(
        self, found: DoctorResult, broken: tuple[Finding, ...], approve: FixApprove, *, dry_run: bool
    ) -> FixReport:
        name = _name(self.target)
        self.plan = FixPlan(
            tuple(one.id for one in broken if one.id in CURES),
            self._planned(found, broken, Machine.HERE),
            self._planned(found, broken, Machine.THERE),
        )
        if self.plan.empty:
            return FixReport(name, FixStatus.BEYOND, found.report, self.plan)
        if dry_run:
            return FixReport(name, FixStatus.PLANNED, found.report, self.plan)
        if not approve(self.plan):
            return FixReport(name, FixStatus.DECLINED, found.report, self.plan)
        self._apply(self.plan.here.changes, Machine.HERE)
        self._apply(self.plan.there.changes, Machine.THERE)
        self.close()
        self.progress("looking again")
        after = run_doctor(self.target, self.options, self.prompter, self.progress, means=self.means)
        still = {one.id for one in _broken(after.report)}
        return FixReport(
            name,
            FixStatus.DONE,
            found.report,
            self.plan,
            after.report,
            tuple(self.results),
            took=tuple(one for one in self.plan.cures if one not in still),
            left=tuple(one for one in self.plan.cures if one in still),
        )

    def _planned(self, found: DoctorResult, broken: tuple[Finding, ...], machine: Machine) -> Plan:
        """The changes on one machine: a first pass that asks, a second one that knows."""
        cures = [CURES[one.id] for one in broken if one.id in CURES and CURES[one.id].machine is machine]
        if not cures or (machine is Machine.THERE and found.remote is None):
            return Plan(PLAYBOOK)
        answers = Answers()
        for _ in (1, 2):
            ground = self._ground(found, machine, answers)
            for cure in cures:
                cure.plan(ground)
            if ground.questions.empty:
                break
            answers = ask(self._transport(machine), ground.questions)
        return Plan(PLAYBOOK, ground.changes(), notes=tuple(ground.notes))

    def _ground(self, found: DoctorResult, machine: Machine, answers: Answers) -> Ground:
        if machine is Machine.THERE and found.remote is not None:
            remote = found.remote
            return Ground(remote.home.path, remote.shell, None, remote, self.target, answers)
        home, shell = os.environ.get("HOME", ""), os.environ.get("SHELL", "")
        return Ground(home, shell, found.local, None, self.target, answers)

    def _transport(self, machine: Machine) -> Transport:
        if machine is Machine.HERE or self.target is None:
            if self._here is None:
                from x11fwd.transports.local import LocalTransport

                self._here = LocalTransport()
            return self._here
        if self._there is None:
            self.progress(f"connecting to {self.target.host}")
            self._there = self.means.connect(self.target, self.prompter, self.options.transport, None)
            self._opened.append(self._there)
            self.prompter.logged_in()
        return self._there

    def _apply(self, changes: tuple[Change, ...], machine: Machine) -> None:
        if not changes:
            return
        nobody = Privilege(PrivilegeKind.NONE, "cures need no rights but your own")
        engine = Engine(self._transport(machine), nobody, plan=PLAYBOOK)
        for change in changes:
            self.progress(change.title)
            self.results.append(engine.apply(change))

    def close(self) -> None:
        """Close what was opened here; may be called again."""
        while self._opened:
            self._opened.pop().close()
        if self.target is not None:
            self._there = None


def admin_note(report: Report, host: str) -> str:
    """A note ready to send, about the findings that only an administrator can cure; "" without any."""
    wanted = [one for one in report.findings if one.fix is not None and one.fix.by is FixBy.ADMIN]
    wanted = [one for one in wanted if one.status in {Status.FAIL, Status.WARN} and one.cause is None]
    if not wanted:
        return ""
    what = "\n".join(
        f"- {one.title}\n  ({one.evidence})" if one.evidence else f"- {one.title}" for one in wanted
    )
    do = "\n".join(f"    {one.fix.command}" for one in wanted if one.fix)
    return f"""\
Subject: X11 forwarding on {host}

Hello,

I would like to see plots of programs that run on {host} on my own screen, through ssh's X11 forwarding.
This stands in the way, and needs root's rights:

{what}

Lines that would cure it, each with its own test where there is one:

{do}

Thank you
"""
