"""Stretches in which a signal that says end has to wait a moment; transports and everything above use it.

Ctrl-C may come between any two instructions, also of a library that has only half changed what it keeps.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from x11fwd.errors import Stopped

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Uninterrupted", "comes_later"]

_depth = 0  # of the main thread, which alone hears signals
_late = 0  # the signal that waits


class Uninterrupted:
    """While it lasts no `Stopped` is raised; one that was due is raised at its end. For what is short.

    A plain KeyboardInterrupt, Python's own, does not know of it.
    """

    def __init__(self) -> None:
        self._main = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> None:
        global _depth  # noqa: PLW0603  signals are the process's
        _depth += self._main

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        global _depth, _late  # noqa: PLW0603
        _depth -= self._main
        if self._main and _late and not _depth:
            number, _late = _late, 0
            raise Stopped(number)


def comes_later(number: int) -> bool:
    """Asked by a signal's handler: whether it is to be raised when the stretch ends, and not now."""
    global _late  # noqa: PLW0603
    if not _depth:
        return False
    _late = number
    return True
