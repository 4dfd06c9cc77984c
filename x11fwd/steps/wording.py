"""Small pieces of the sentences and diffs of plans; imported by steps only."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from x11fwd.steps.plan import DiffLine

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["file_diff", "listed", "slug"]

_LONGEST = 14


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def slug(text: str) -> str:
    """Text as a kebab-case id."""
    letters = "".join(character if character.isascii() and character.isalnum() else "-" for character in text)
    return "-".join(part for part in letters.lower().split("-") if part) or "step"


def file_diff(path: str, before: str | None, after: str, *, context: int = 0) -> tuple[DiffLine, ...]:
    """The changed lines of one file under its name, for a person: few lines.

    Args:
        context: unchanged lines to show on either side of a change.
    """
    heading = DiffLine("@", path if before is not None else f"{path} (new)")
    changed = [
        DiffLine(line[0], line[1:])
        for line in difflib.unified_diff(
            (before or "").splitlines(), after.splitlines(), n=context, lineterm=""
        )
        if line[:1] in {"+", "-", " "} and line[:3] not in {"+++", "---"}
    ]
    if len(changed) > _LONGEST:
        rest = len(changed) - _LONGEST
        changed = [*changed[:_LONGEST], DiffLine(" ", f"… and {rest} more lines")]
    return (heading, *changed)
