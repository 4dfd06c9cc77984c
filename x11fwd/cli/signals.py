"""Ctrl-C, `kill` and a hang-up: each a wish to end, and what was begun is taken back; the door imports it.

Python lets SIGTERM and SIGHUP end the process where it stands: temporary folders and half a file would stay.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

from x11fwd.errors import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

__all__ = ["Wish", "taken"]

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP
_SAME = 2.0  # seconds in which a second signal is the same wish: it must not stop what is being taken back
_AGAIN = 0.01  # seconds after which a wish that nobody could hear is uttered again


class Wish:
    """Whether somebody wants this process to end.

    Attributes:
        number: the signal that said so last, 0 where none did.
    """

    def __init__(self) -> None:
        self.number = 0
        self._until = 0.0

    @property
    def is_ctrl_c(self) -> bool:
        """No other signal said so: the end is an exit status."""
        return self.number in {0, signal.SIGINT}

    def hear(self) -> None:
        """From now on each signal raises `Stopped`; one that was ignored from the start (nohup) stays so."""
        global _process  # noqa: PLW0603  signals are the process's
        _process = self
        for number in _numbers():
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._hear)
        if hasattr(signal, "setitimer"):
            signal.signal(signal.SIGALRM, self._utter)
            sys.unraisablehook = self._swallowed

    def hear_no_more(self) -> None:
        """All is done: Ctrl-C would only spoil how Python ends, and the others end it where it stands."""
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number in _numbers():
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, signal.SIG_IGN if number == signal.SIGINT else signal.SIG_DFL)

    def die(self) -> None:
        """End by the signal that was no Ctrl-C, as a program ends that does not take it."""
        if not self.is_ctrl_c:
            signal.signal(self.number, signal.SIG_DFL)
            os.kill(os.getpid(), self.number)

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if now < self._until:
            return
        self._until = now + _SAME
        self.number = number
        leave_terminal(number)
        # not there, or not yet all of it, where nothing has imported it so far
        later = getattr(sys.modules.get("x11fwd.transports.uninterrupted"), "comes_later", None)
        if later is None or not later(number):
            raise Stopped(number)

    def _utter(self, _number: int, _frame: FrameType | None) -> None:
        raise Stopped(self.number)

    def _swallowed(self, lost: sys.UnraisableHookArgs) -> None:
        """Nothing can be raised in a finalizer or a callback: Python prints it, and goes on."""
        if isinstance(lost.exc_value, Stopped):
            signal.setitimer(signal.ITIMER_REAL, _AGAIN)
        else:
            sys.__unraisablehook__(lost)


_process: Wish | None = None


@contextlib.contextmanager
def taken(heard: Callable[[], None]) -> Iterator[None]:
    """A command that ends in an order of its own: `heard` is called instead, and nothing is raised.

    The process ends by the signal afterwards all the same. Outside of the main thread nothing changes.
    """

    def take(number: int, _frame: FrameType | None) -> None:
        if _process is not None:
            _process.number = number
        leave_terminal(number)
        heard()

    before = {}
    try:
        for number in _numbers():
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, take)
    except ValueError:  # not the main thread: whoever called us there stops us otherwise
        yield
        return
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def leave_terminal(number: int) -> None:
    """After a hang-up nothing can be said any more, and saying it must not fail: it goes to /dev/null."""
    if number != getattr(signal, "SIGHUP", 0):
        return
    import termios

    for stream in (1, 2):
        try:
            termios.tcgetattr(stream)
        except termios.error as error:  # noqa: PERF203
            if error.args[0] == errno.EIO:  # tty_io(4): the terminal that was has gone; others are none
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, stream)
                os.close(null)


def _numbers() -> list[signal.Signals]:
    return [signal.Signals[name] for name in _NAMES if name in signal.Signals.__members__]
