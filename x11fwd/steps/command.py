"""Plans `command`: a playbook's own check, do and undo; imported by planner only."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from x11fwd.facts.model import Unknown
from x11fwd.steps.plan import Change, DiffLine, RunCommand
from x11fwd.steps.wording import slug

if TYPE_CHECKING:
    from x11fwd.playbook import CommandStep
    from x11fwd.steps.planning import Planning

__all__ = ["plan_command"]


def plan_command(step: CommandStep, planning: Planning) -> tuple[Change, ...]:
    """The command, unless its check says that nothing needs doing.

    A check that needs root's rights is left to the engine, which asks it again before it does anything.
    """
    if not step.head.become or planning.facts.uid == 0:
        answer = planning.command(step.check)
        if not isinstance(answer, Unknown) and answer.exit_status == 0:
            return ()
    return (
        Change(
            id=f"command-{slug(step.head.name)}",
            title=step.head.name,
            action=RunCommand(step.check, step.do, step.undo),
            become=step.head.become,
            diff=(DiffLine("@", "command"), DiffLine("+", shlex.join(step.do))),
            admin_lines=(f"{shlex.join(step.check)} || {shlex.join(step.do)}",),
            admin_undo=(shlex.join(step.undo),),
        ),
    )
