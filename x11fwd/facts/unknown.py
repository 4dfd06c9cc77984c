"""The third answer beside a value and `None`: nobody could look; imported by every module of facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

__all__ = ["Unknown", "known"]

T = TypeVar("T")


@dataclass(frozen=True)
class Unknown:
    """A question that could not be asked, and why, as a clause ("reading it needs root")."""

    reason: str


def known(answer: T | Unknown | None) -> T | None:
    """The value, or None where there is none or nobody could look; for callers that treat both alike."""
    return None if isinstance(answer, Unknown) else answer
