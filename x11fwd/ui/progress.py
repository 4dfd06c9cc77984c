"""What is going on right now, on stderr, where somebody is looking; imported by the cli."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.ui.console import cursor_back, message_console, safe

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from rich.console import Console
    from rich.status import Status

    from x11fwd.ui.prompt import TerminalPrompter

__all__ = ["Waiting"]


class Waiting:
    """One line that says what is being waited for; nothing at all where stderr is not a terminal.

    Args:
        prompter: questions push the line aside while they are on the screen.
        quiet: say nothing (`--json`).
    """

    def __init__(
        self, prompter: TerminalPrompter, console: Console | None = None, *, quiet: bool = False
    ) -> None:
        self._console = console or message_console()
        self._prompter = prompter
        self._status: Status | None = None
        self._quiet = quiet or not self._console.is_terminal or self._console.is_dumb_terminal

    def aside(self, show: Callable[[], None]) -> None:
        """Run something that prints, with the line out of its way."""
        self._stop()
        show()
        self._start()

    def now(self, text: str) -> None:
        """Say that `text` is going on."""
        if self._quiet:
            return
        words = safe(text, self._console)
        if self._status is None:
            self._status = self._console.status(words, spinner="line")
            self._prompter.suspend, self._prompter.resume = self._stop, self._start
            self._start()
        else:
            self._status.update(words)

    def __enter__(self) -> Waiting:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._prompter.suspend = self._prompter.resume = None
        self._stop()

    def _start(self) -> None:
        if self._status is not None:
            with cursor_back(self._console):
                self._status.start()

    def _stop(self) -> None:
        if self._status is not None:
            with cursor_back(self._console):
                self._status.stop()
