"""This side's terminal while a script over there has it; ui/run.py imports it."""

from __future__ import annotations

import os
import shutil
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Keys", "OwnTerminal", "gives_terminal"]


def gives_terminal(wanted: bool | None) -> bool:
    """Whether the script gets a terminal. Args: wanted: what the person said; None where nothing was said.

    By itself only where the person's own is at both ends and this program is in front: one in the background
    must not touch the terminal.
    """
    if wanted is not None:
        return wanted
    try:
        return os.isatty(0) and os.isatty(1) and os.tcgetpgrp(0) == os.getpgrp()
    except (OSError, AttributeError):  # closed, or Windows
        return False


class OwnTerminal:
    """Passes every key on while `raw` lasts; what we say ourselves is said inside `cooked`."""

    def __init__(self) -> None:
        self._raw = False

    @staticmethod
    def size() -> tuple[int, int]:
        """Rows and columns; 24 and 80 where there is no terminal."""
        found = shutil.get_terminal_size((80, 24))
        return found.lines, found.columns

    @contextmanager
    def raw(self, resized: Callable[[int, int], None]) -> Iterator[None]:
        """Keys and output pass unchanged, and the window's size is told when it changes."""
        try:
            import termios
            import tty

            before = termios.tcgetattr(0)
        except (ImportError, OSError, ValueError, termios.error):
            yield
            return
        self._before = before
        handler = signal.signal(signal.SIGWINCH, lambda _number, _frame: resized(*self.size()))
        try:
            tty.setraw(0, termios.TCSADRAIN)
            self._raw = True
            yield
        finally:
            self._raw = False
            termios.tcsetattr(0, termios.TCSADRAIN, before)
            signal.signal(signal.SIGWINCH, handler)

    @contextmanager
    def cooked(self) -> Iterator[None]:
        """The terminal as it was, to print something of our own."""
        if not self._raw:
            yield
            return
        import termios
        import tty

        termios.tcsetattr(0, termios.TCSADRAIN, self._before)
        try:
            yield
        finally:
            if self._raw:
                tty.setraw(0, termios.TCSADRAIN)


class Keys:
    """What is typed, without `~.` at the start of a line, which leaves as in ssh; `~~` is one `~`.

    Args:
        leave: called for it.
    """

    def __init__(self, leave: Callable[[], None]) -> None:
        self._leave = leave
        self._fresh = True  # at the start of a line
        self._held = False  # a `~` that may become a command

    def passed(self, data: bytes) -> bytes:
        """What goes on to the script."""
        out = bytearray()
        for key in data:
            if self._held:
                self._held = False
                if key == ord("."):
                    self._leave()
                    continue
                if key != ord("~"):
                    out.append(ord("~"))
            elif self._fresh and key == ord("~"):
                self._held = True
                continue
            out.append(key)
            self._fresh = key in b"\r\n"
        return bytes(out)
