"""Which figures are missing, and what became of each; render() and the pipeline."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from x11fwd.render.model import Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from x11fwd.render.drawing import Drawn
    from x11fwd.render.folder import Folder
    from x11fwd.render.model import Task

__all__ = ["Keeping"]


class Keeping:
    """Writes what is drawn and counts.

    Args:
        told: called with each outcome, how many are done and how many there are.
        force: nothing is skipped.
    """

    def __init__(
        self,
        folder: Folder,
        tasks: Sequence[Task],
        told: Callable[[Outcome, int, int], None],
        *,
        force: bool = False,
    ) -> None:
        self._folder, self._told, self._all = folder, told, len(tasks)
        self._ended: dict[int, Outcome] = {}
        self._tasks = tasks
        for task in tasks:
            if not force and folder.has(task):
                path = folder.path / task.name
                self._end(Outcome(task.index, task.name, Status.SKIPPED, path, arguments=task.shown))

    @property
    def missing(self) -> list[Task]:
        """What has to be drawn (again, after the line was lost)."""
        return [task for task in self._tasks if task.index not in self._ended]

    def take(self, drawn: Drawn) -> None:
        """Keep an answer.

        Raises:
            X11fwdError: the disk is full.
        """
        task = drawn.task
        if drawn.problem or not drawn.data:
            outcome = Outcome(
                task.index,
                task.name,
                Status.FAILED,
                problem=drawn.problem or "an empty file",
                where=drawn.where,
                arguments=task.shown,
            )
        else:
            path = self._folder.put(task, drawn.data)
            outcome = Outcome(
                task.index,
                task.name,
                Status.DRAWN,
                path,
                arguments=task.shown,
                seconds=drawn.seconds,
                data=drawn.data,
            )
        self._end(outcome)

    def _end(self, outcome: Outcome) -> None:
        self._ended[outcome.index] = replace(outcome, data=b"")
        self._told(outcome, len(self._ended), self._all)

    def outcomes(self) -> tuple[Outcome, ...]:
        """In the order of the arguments."""
        return tuple(self._ended[index] for index in sorted(self._ended))
