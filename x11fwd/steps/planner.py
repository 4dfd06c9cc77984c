"""Plans a playbook on facts: which steps apply, what they would change, what is left to an administrator;
imported by pipeline.

`PLANNERS` is the closed set of steps. To add one: its dataclass and reader in `x11fwd.playbook`, a module
here with one `plan_…` function, a row in the table, and tests that its second plan is empty and that what it
changes can be taken back. A step decides only; `x11fwd.steps.engine` acts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from x11fwd.errors import UsageError
from x11fwd.facts.model import Unknown
from x11fwd.playbook.backends import TOOLKITS, canonical
from x11fwd.playbook.model import (
    CommandStep,
    FileStep,
    MatplotlibrcStep,
    PackagesStep,
    ServiceStep,
    SshdOptionStep,
)
from x11fwd.steps.command import plan_command
from x11fwd.steps.conditions import all_hold
from x11fwd.steps.file import plan_file
from x11fwd.steps.matplotlibrc import plan_matplotlibrc
from x11fwd.steps.packages import plan_packages
from x11fwd.steps.plan import ByHand, Change, InstallPackages, Plan
from x11fwd.steps.planning import Planning, PlanOptions
from x11fwd.steps.questions import Answers, Questions
from x11fwd.steps.service import plan_service
from x11fwd.steps.sshd_option import plan_sshd_option
from x11fwd.steps.wording import listed

if TYPE_CHECKING:
    from collections.abc import Callable

    from x11fwd.facts.model import RemoteFacts
    from x11fwd.playbook import Families, Playbook, Step

__all__ = ["PLANNERS", "make_plan", "questions"]


def _plan_step(step: Step, planning: Planning) -> tuple[Change, ...]:
    if isinstance(step, PackagesStep):
        return plan_packages(step, planning)
    if isinstance(step, SshdOptionStep):
        return plan_sshd_option(step, planning)
    if isinstance(step, MatplotlibrcStep):
        return plan_matplotlibrc(step, planning)
    if isinstance(step, FileStep):
        return plan_file(step, planning)
    if isinstance(step, ServiceStep):
        return plan_service(step, planning)
    return plan_command(step, planning)


PLANNERS: dict[type[Step], Callable[..., tuple[Change, ...]]] = {
    PackagesStep: plan_packages,
    SshdOptionStep: plan_sshd_option,
    MatplotlibrcStep: plan_matplotlibrc,
    FileStep: plan_file,
    ServiceStep: plan_service,
    CommandStep: plan_command,
}
"""Every kind of step, and the function that plans it."""


def questions(
    playbook: Playbook,
    families: Families,
    facts: RemoteFacts,
    *,
    backend: str | None = None,
    only_me: bool = False,
    sshd_config: str | None = None,
) -> Questions:
    """What has to be asked of the remote before `make_plan`; empty for a host that is set up already."""
    options = _options(backend, only_me, sshd_config)
    return _run(playbook, Planning(facts, families, options, Answers())).questions


def make_plan(
    playbook: Playbook,
    families: Families,
    facts: RemoteFacts,
    *,
    backend: str | None = None,
    only_me: bool = False,
    sshd_config: str | None = None,
    answers: Answers | None = None,
    confirm_seconds: int = 60,
) -> Plan:
    """What a playbook would change on one host.

    Args:
        playbook: from `load_playbook`.
        families: from `load_families`.
        facts: what was seen; for an unusual daemon gathered with the same `sshd_config`.
        backend: instead of the playbook's own.
        only_me: sshd's options for this user alone.
        sshd_config: the main file of an unusual daemon.
        answers: to `questions(…)` with the same arguments.
        confirm_seconds: how long the watcher of an sshd change waits.

    Raises:
        UsageError: `backend` is none that opens windows.

    Returns:
        The plan. Changes that need root where we have no way to it are in `left_to_admin`.
    """
    options = _options(backend, only_me, sshd_config, confirm_seconds)
    planning = _run(playbook, Planning(facts, families, options, answers or Answers()))
    left = tuple(
        change
        for change in planning.changes
        if isinstance(change.action, ByHand) or (change.become and planning.helpless)
    )
    return Plan(
        playbook=playbook.name,
        changes=tuple(change for change in planning.changes if change not in left),
        left_to_admin=left,
        warnings=tuple(planning.warnings),
        notes=tuple(planning.notes),
        lacks=tuple(sorted(planning.unavailable)),
    )


def _options(
    backend: str | None, only_me: bool, sshd_config: str | None, confirm_seconds: int = 60
) -> PlanOptions:
    name = canonical(backend) if backend else None
    if backend and name is None:
        raise UsageError(
            f"`{backend}` is no backend of matplotlib that opens windows",
            hint=f"known: {', '.join(TOOLKITS)}",
        )
    return PlanOptions(name, only_me, sshd_config, confirm_seconds)


def _run(playbook: Playbook, planning: Planning) -> Planning:
    for step in playbook.steps:
        applies = all_hold(step.head.when, planning)
        if isinstance(applies, Unknown):
            planning.warn(f"`{step.head.name}` is left out: {applies.reason}")
            continue
        if applies:
            for change in _plan_step(step, planning):
                _add(change, planning.changes)
    return planning


def _add(change: Change, changes: list[Change]) -> None:
    """Append; two package changes in a row are one run of the manager, and ids stay unique."""
    last = changes[-1] if changes else None
    if last is not None and isinstance(last.action, InstallPackages):
        merged = _merged(last, change)
        if merged is not None:
            changes[-1] = merged
            return
    taken = {known.id for known in changes}
    number, name = 2, change.id
    while name in taken:
        name, number = f"{change.id}-{number}", number + 1
    changes.append(replace(change, id=name))


def _merged(first: Change, second: Change) -> Change | None:
    one, two = first.action, second.action
    if not isinstance(one, InstallPackages) or not isinstance(two, InstallPackages):
        return None
    # the commands that refresh lists stand once; only the last one takes names
    fresh = tuple(name for name in two.names if name not in one.names)
    names = (*one.names, *fresh)
    tail = "".join(f" {name}" for name in fresh)
    return replace(
        first,
        title=f"Install {listed(names)}",
        action=replace(one, names=names),
        diff=(*first.diff, *(line for line in second.diff if line.text in fresh)),
        admin_lines=(*first.admin_lines[:-1], first.admin_lines[-1] + tail),
        admin_undo=tuple(line + tail for line in first.admin_undo),
    )
