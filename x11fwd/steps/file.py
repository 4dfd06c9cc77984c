"""Plans `file`: one file's whole content; imported by planner only."""

from __future__ import annotations

import hashlib
import shlex
from typing import TYPE_CHECKING

from x11fwd.facts.model import Unknown
from x11fwd.steps.plan import Change, WriteFile
from x11fwd.steps.wording import file_diff, slug

if TYPE_CHECKING:
    from x11fwd.playbook import FileStep
    from x11fwd.steps.planning import Planning

__all__ = ["plan_file"]


def plan_file(step: FileStep, planning: Planning) -> tuple[Change, ...]:
    """The file where its content differs; its mode and owner stay as they are once it is there."""
    path = planning.facts.home.path + step.path[1:] if step.path.startswith("~/") else step.path
    before = planning.file(path)
    if isinstance(before, Unknown):
        planning.warn(f"{path} could not be read ({before.reason}); `{step.head.name}` is left out")
        return ()
    content = step.content.encode()
    if before == content:
        return ()
    old = None if before is None else before.decode("utf-8", "replace")
    quoted, backup = shlex.quote(path), shlex.quote(f"{path}.before-x11fwd")
    lines = " ".join(shlex.quote(line) for line in step.content.splitlines())
    write = f"printf '%s\\n' {lines} > {quoted}"
    return (
        Change(
            id=f"file-{slug(path)}",
            title=f"{'Write' if before is None else 'Change'} {path}",
            action=WriteFile(
                path=path,
                content=content,
                before_sha256=None if before is None else hashlib.sha256(before).hexdigest(),
                mode=step.mode,
            ),
            become=step.head.become,
            diff=file_diff(path, old, step.content),
            admin_lines=(write,) if before is None else (f"cp -p {quoted} {backup}", write),
            admin_undo=(f"rm {quoted}",) if before is None else (f"mv {backup} {quoted}",),
        ),
    )
