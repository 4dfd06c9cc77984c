"""The note to an administrator about what needs rights we do not have; imported by pipeline and ui."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.steps.plan import ChangeSshd

if TYPE_CHECKING:
    from x11fwd.facts.model import RemoteFacts
    from x11fwd.steps.plan import Plan

__all__ = ["admin_note"]


def admin_note(plan: Plan, facts: RemoteFacts) -> str:
    """A plain-text note, ready to send: who asks, what for, the exact lines, and how to take them back.

    Returns:
        "" where nothing is left to an administrator.
    """
    if not plan.left_to_admin:
        return ""
    host = facts.system.hostname or "this host"
    system = facts.system.pretty_name or facts.system.os_id
    what = "\n".join(f"- {change.title}{_aside(change.note)}" for change in plan.left_to_admin)
    do = "\n".join(line for change in plan.left_to_admin for line in change.admin_lines)
    undo = "\n".join(line for change in reversed(plan.left_to_admin) for line in change.admin_undo)
    sshd = any(isinstance(change.action, ChangeSshd) for change in plan.left_to_admin)
    calm = "Running sessions are not touched: sshd is only asked to read its files again.\n\n" if sshd else ""
    return f"""\
Subject: X11 forwarding for {facts.user} on {host}

Hello,

I would like to see plots of programs that run on {host}{f" ({system})" if system else ""} on my own screen,
through ssh's X11 forwarding. These things are missing for that and need root's rights:

{what}

The lines to run as root:

{_indented(do)}

{calm}To take it all back:

{_indented(undo)}

Thank you,
{facts.user}
"""


def _aside(note: str) -> str:
    return f" ({note})" if note else ""


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
