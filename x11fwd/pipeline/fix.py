"""`doctor --fix`: the cures that need nobody's rights but the user's own, and whether they took; for the cli.

report -> cures of its findings -> questions -> changes, shown and agreed to -> engine -> a new report
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from x11fwd.checks.report import FixBy, Status
from x11fwd.errors import ChangeError, Interrupted, UsageError, X11fwdError
from x11fwd.facts.model import Privilege, PrivilegeKind
from x11fwd.pipeline.asking import Remembering
from x11fwd.pipeline.curing import broken, ground_of
from x11fwd.pipeline.doctor import real_means, run_doctor
from x11fwd.steps.admin_note import compose
from x11fwd.steps.cures import CURES, Machine, Shows
from x11fwd.steps.engine import Engine
from x11fwd.steps.plan import ChangeResult, Outcome, Plan
from x11fwd.steps.questions import ask

if TYPE_CHECKING:
    from x11fwd.checks.report import Finding, Report
    from x11fwd.pipeline.doctor import DoctorOptions, DoctorResult, Means
    from x11fwd.steps.plan import Change
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
        wrong: what was found, as far as nothing else explains it.
        cures: ids of those findings that the changes are for.
        here, there: the machine with the screen, the one with the program.
    """

    wrong: tuple[Finding, ...] = ()
    cures: tuple[str, ...] = ()
    here: Plan = field(default_factory=lambda: Plan(PLAYBOOK))
    there: Plan = field(default_factory=lambda: Plan(PLAYBOOK))

    @property
    def empty(self) -> bool:
        return self.here.empty and self.there.empty

    @property
    def notes(self) -> tuple[str, ...]:
        """What is left alone, and why; what to type in addition."""
        return (*self.here.warnings, *self.there.warnings)


@dataclass(frozen=True)
class FixReport:
    """What came of it.

    Attributes:
        before, after: doctor's reports; `after` is None where nobody looked again.
        results: what became of each change, in order; `FAILED` ones were undone.
        took: ids of the findings that are gone.
        later: those whose cure was made and shows in a new login or terminal only.
        left: those that are still there after their cure.
        error: what stopped it, or the first change that was refused.
        session_on: name of this machine where it all happened in a session of ssh on it.
    """

    target: str | None
    status: FixStatus
    before: Report
    plan: FixPlan = field(default_factory=FixPlan)
    after: Report | None = None
    results: tuple[ChangeResult, ...] = ()
    took: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    error: X11fwdError | None = None
    session_on: str = ""
    seconds: float = 0.0

    @property
    def last(self) -> Report:
        """The newest report there is."""
        return self.after or self.before

    @property
    def waits(self) -> bool:
        """Nothing is wrong but what a new login or terminal will show to be cured."""
        return bool(self.later) and all(one.id in self.later for one in broken(self.last.findings))

    @property
    def exit_code(self) -> int:
        """DESIGN.md's table: that of the last report, 4 where a cure was refused, 1 where it did not take."""
        if self.error is not None:
            return self.error.exit_code
        if self.left:
            return self.last.exit_code or 1
        failed = [one.id for one in broken(self.last.findings) if one.status is Status.FAIL]
        if self.last.exit_code == 1 and failed and all(one in self.later for one in failed):
            return 0
        return self.last.exit_code


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
    means: Callable[[], Means] | None = None,
    here: Transport | None = None,
) -> FixReport:
    """Diagnose, cure what needs no root on either side, and diagnose again.

    Args:
        approve: asked before anything is changed; not with `dry_run`.
        means: made for each look, because what `ssh -G` says may have changed in between.
        here: where programs of this machine run; by default the local transport.

    Raises:
        UsageError: an id of `options.only` is not one of the findings.
    """
    started = time.monotonic()
    options = replace(options, offer_cures=False)  # what remains is to be cured by hand
    asking = Remembering(prompter)
    make = means or (lambda: real_means(warm=target is not None))
    found = run_doctor(target, options, asking, progress, means=make())
    asking.logged_in()
    run = _Fix(target, options, asking, progress, make=make, here=here)
    wrong = broken(found.report.findings)
    if not any(one.id in CURES for one in wrong):
        well = not wrong and found.report.ok
        report = FixReport(_name(target), FixStatus.WELL if well else FixStatus.BEYOND, found.report)
        return replace(report, session_on=found.session_on, seconds=time.monotonic() - started)
    try:
        report = run.line(found, wrong, approve, dry_run=dry_run)
    except UsageError:
        raise
    except X11fwdError as error:
        report = run.stopped(found, error)
    except KeyboardInterrupt:
        if not run.begun:
            raise
        report = run.stopped(found, Interrupted("interrupted; what was begun is finished or taken back"))
    finally:
        run.close()
    return replace(report, session_on=found.session_on, seconds=time.monotonic() - started)


def _name(target: Target | None) -> str | None:
    return target.typed if target else None


class _Fix:
    """One cure under way."""

    def __init__(
        self,
        target: Target | None,
        options: DoctorOptions,
        prompter: Remembering,
        progress: Callable[[str], None],
        *,
        make: Callable[[], Means],
        here: Transport | None,
    ) -> None:
        self.target, self.options, self.prompter = target, options, prompter
        self.progress, self._make = progress, make
        self.plan = FixPlan()
        self.results: list[ChangeResult] = []
        self.begun = False  # the first change
        self._error: ChangeError | None = None
        self._here = here
        self._there: Transport | None = None

    def line(
        self, found: DoctorResult, wrong: tuple[Finding, ...], approve: FixApprove, *, dry_run: bool
    ) -> FixReport:
        here, mine = self._planned(found, wrong, Machine.HERE)
        there, theirs = self._planned(found, wrong, Machine.THERE)
        cures = tuple(one.id for one in wrong if one.id in mine | theirs)
        self.plan = FixPlan(wrong, cures, here, there)
        base = FixReport(_name(self.target), FixStatus.BEYOND, found.report, self.plan)
        if self.plan.empty:
            return base
        if dry_run:
            return replace(base, status=FixStatus.PLANNED)
        if not approve(self.plan):
            return replace(base, status=FixStatus.DECLINED)
        self._apply(self.plan.here.changes, Machine.HERE)
        self._apply(self.plan.there.changes, Machine.THERE)
        self.close()
        self.progress("looking again")
        after = run_doctor(self.target, self.options, self.prompter, self.progress, means=self._make())
        return self._judged(base, found, after)

    def stopped(self, found: DoctorResult, error: X11fwdError) -> FixReport:
        """The report of a run that did not come to its end."""
        name, done = _name(self.target), tuple(self.results)
        return FixReport(name, FixStatus.FAILED, found.report, self.plan, results=done, error=error)

    def _judged(self, base: FixReport, found: DoctorResult, after: DoctorResult) -> FixReport:
        """Which of the cured findings are gone."""
        unsure = {Status.UNKNOWN, Status.SKIP}
        now = {one.id: one for one in after.report.findings}
        seen = after.remote is not None or found.remote is None  # else nobody could look there again
        took, later, left = [], [], []
        for one in self.plan.cures:
            cure = CURES[one]
            gone = one in now and now[one].status is Status.PASS
            gone = gone or (
                one in now and now[one].status in unsure and (seen or cure.machine is Machine.HERE)
            )
            # in a session its own environment is looked at, and at the desk this terminal's
            again = cure.machine is Machine.HERE or bool(found.session_on)
            if gone:
                took.append(one)
            elif cure.shows is Shows.NEW_LOGIN and again and self._error is None:
                later.append(one)
            else:
                left.append(one)
        return replace(
            base,
            status=FixStatus.DONE,
            after=after.report,
            results=tuple(self.results),
            took=tuple(took),
            later=tuple(later),
            left=tuple(left),
            error=self._error,
        )

    def _planned(
        self, found: DoctorResult, wrong: tuple[Finding, ...], machine: Machine
    ) -> tuple[Plan, set[str]]:
        """The changes on one machine, and for which findings: a pass that asks, another one that knows."""
        fitting = {one.id: CURES[one.id] for one in wrong if one.id in CURES}
        cures = {name: cure for name, cure in fitting.items() if cure.machine is machine}
        ground = ground_of(machine, found.local, found.remote, self.target)
        if not cures or ground is None:
            return Plan(PLAYBOOK), set()
        for cure in cures.values():
            cure.plan(ground)
        if not ground.questions.empty:
            ground = ground.knowing(ask(self._transport(machine), ground.questions))
            for cure in cures.values():
                cure.plan(ground)
        helping = set()
        for name, cure in cures.items():
            alone = ground.knowing(ground.answers)
            cure.plan(alone)
            if alone.changes():
                helping.add(name)
        return Plan(PLAYBOOK, ground.changes(), warnings=tuple(ground.notes)), helping

    def _transport(self, machine: Machine) -> Transport:
        if machine is Machine.HERE or self.target is None:
            if self._here is None:
                from x11fwd.transports.local import LocalTransport

                self._here = LocalTransport()
            return self._here
        if self._there is None:
            self.progress(f"connecting to {self.target.host}")
            self._there = self._make().connect(self.target, self.prompter, self.options.transport, None)
            self.prompter.logged_in()
        return self._there

    def _apply(self, changes: tuple[Change, ...], machine: Machine) -> None:
        """Each change for itself: what is refused was undone, and hinders no other."""
        if not changes:
            return
        nobody = Privilege(PrivilegeKind.NONE, "cures need no rights but your own")
        engine = Engine(self._transport(machine), nobody, plan=PLAYBOOK)
        for change in changes:
            self.progress(change.title)
            self.begun = True
            try:
                self.results.append(engine.apply(change))
            except ChangeError as error:
                self.results.append(ChangeResult(change.id, Outcome.FAILED, error.message))
                self._error = self._error or error

    def close(self) -> None:
        """Close the connection that was opened here; may be called again."""
        if self._there is not None:
            self._there.close()
            self._there = None


def admin_note(report: Report, host: str, user: str = "") -> str:
    """A note ready to send, about the findings that only an administrator can cure; "" without any."""
    asked = {Status.FAIL, Status.WARN, Status.UNKNOWN}
    wanted = [
        (one, one.fix.command)
        for one in report.findings
        if one.fix is not None and one.fix.by is FixBy.ADMIN and one.status in asked and one.cause is None
    ]
    if not wanted:
        return ""
    what = [f"{one.title}\n({one.evidence})" if one.evidence else one.title for one, _ in wanted]
    do = list(dict.fromkeys(command for _, command in wanted))
    return compose(user, host, "This stands in the way and needs root's rights:", what=what, do=do)
