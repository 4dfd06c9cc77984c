"""The note to an administrator about what needs rights we do not have; imported by pipeline and ui."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.steps.plan import ChangeSshd

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from x11fwd.facts.model import RemoteFacts
    from x11fwd.steps.plan import Plan

__all__ = ["admin_note", "compose"]


def admin_note(plan: Plan, facts: RemoteFacts) -> str:
    """A plain-text note, ready to send: who asks, what for, the exact lines, and how to take them back.

    Returns:
        "" where nothing is left to an administrator.
    """
    if not plan.left_to_admin:
        return ""
    host = facts.system.hostname or "this host"
    system = facts.system.pretty_name or facts.system.os_id
    what = [f"{change.title}{_aside(change.note)}" for change in plan.left_to_admin]
    do = [line for change in plan.left_to_admin for line in change.admin_lines]
    undo = [line for change in reversed(plan.left_to_admin) for line in change.admin_undo]
    sshd = any(isinstance(change.action, ChangeSshd) for change in plan.left_to_admin)
    calm = "Running sessions are not touched: sshd is only asked to read its files again.\n\n" if sshd else ""
    return compose(
        facts.user,
        f"{host} ({system})" if system else host,
        "These things are missing for that and need root's rights:",
        what=what,
        do=do,
        after=f"{calm}To take it all back:\n\n{_indented(_once(undo))}\n\n",
    )


def compose(
    user: str, host: str, lead: str, *, what: Sequence[str], do: Sequence[str], after: str = ""
) -> str:
    """The note's text.

    Args:
        user: who asks; "" where that is not known.
        host: its name, with its system in brackets where that is known.
        lead: the sentence before the list.
        what: its items; a further line of an item is indented.
        do: lines to run as root.
        after: paragraphs behind them, each with an empty line after it.
    """
    items = "\n".join("- " + item.replace("\n", "\n  ") for item in what)
    return f"""\
Subject: X11 forwarding{f" for {user}" if user else ""} on {host.partition(" (")[0]}

Hello,

I would like to see plots of programs that run on {host} on my own screen,
through ssh's X11 forwarding. {lead}

{items}

The lines to run as root:

{_indented(_once(do))}

{after}Thank you{f",{chr(10)}{user}" if user else ""}
"""


def _once(lines: Sequence[str]) -> list[str]:
    """Without repetitions: a remark where it stands first, a command where it stands last."""
    kept: list[str] = []
    for at, line in enumerate(lines):
        if line not in (lines[:at] if line.startswith("#") else lines[at + 1 :]):
            kept.append(line)
    return kept


def _aside(note: str) -> str:
    return f" ({note})" if note else ""


def _indented(lines: Iterable[str]) -> str:
    return "\n".join(f"    {line}" for text in lines for line in text.splitlines())
