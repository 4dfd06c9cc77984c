"""What a command line asks for, once typer has understood it; imported by the commands and the door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Job"]


@dataclass(frozen=True)
class Job:
    """A command with its arguments bound.

    typer only parses; the work happens after it has returned, outside of its own handling of errors and
    Ctrl-C, so that DESIGN.md's exit codes hold.
    """

    run: Callable[[], int]
