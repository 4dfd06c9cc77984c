"""Which findings cures of ours fit, from the facts alone; for doctor's last line and `doctor --fix`."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from x11fwd.checks.report import Fix, FixBy, Status
from x11fwd.steps.cures import CURES, Machine
from x11fwd.steps.cures.ground import Ground
from x11fwd.steps.questions import Answers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from x11fwd.checks.report import Finding
    from x11fwd.facts.model import LocalFacts, RemoteFacts
    from x11fwd.target import Target

__all__ = ["broken", "curable", "ground_of", "offered"]


def broken(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """What a cure may be for: failures and warnings that nothing else explains."""
    bad = {Status.FAIL, Status.WARN}
    return tuple(one for one in findings if one.status in bad and one.cause is None)


def ground_of(
    machine: Machine,
    local: LocalFacts,
    remote: RemoteFacts | None,
    target: Target | None,
    answers: Answers | None = None,
) -> Ground | None:
    """The machine a cure would act on; None where it cannot be reached, or has no shell that we can use."""
    answers = answers or Answers()
    if machine is Machine.THERE:
        if remote is None:
            return None
        return Ground(remote.home.path, remote.shell, None, remote, target, answers)
    if os.name == "nt":  # the engine is a program for sh
        return None
    return Ground(str(Path.home()), os.environ.get("SHELL", ""), local, None, target, answers)


def curable(
    findings: Sequence[Finding], local: LocalFacts, remote: RemoteFacts | None, target: Target | None
) -> tuple[Finding, ...]:
    """Those that a cure would change something for, or has to look closer at; nothing is asked."""
    found = []
    for one in broken(findings):
        cure = CURES.get(one.id)
        ground = ground_of(cure.machine, local, remote, target) if cure else None
        if cure is None or ground is None:
            continue
        cure.plan(ground)
        if ground.changes() or not ground.questions.empty:
            found.append(one)
    return tuple(found)


def offered(
    findings: Sequence[Finding],
    local: LocalFacts,
    remote: RemoteFacts | None,
    target: Target | None,
    words: str,
) -> tuple[Finding, ...]:
    """The findings, with `x11fwd doctor --fix` as the fix of those that it cures.

    Args:
        words: the target as a person would type it again, "" in a session on the remote itself.
    """
    ids = {one.id for one in curable(findings, local, remote, target)}
    # in a session it is typed where one is; all else of x11fwd's is typed at the desk
    by = FixBy.X11FWD if words else FixBy.YOU
    fix = Fix(f"x11fwd doctor --fix {words}".rstrip(), by)
    return tuple(replace(one, fix=fix) if one.id in ids else one for one in findings)
