"""Questions to the person at the terminal, never through stdin or stdout; imported by the cli."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from x11fwd.ui.console import message_console, rich_text, safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from x11fwd.transports.base import HostKeyQuestion

__all__ = ["TerminalPrompter"]

_TERMINAL = "/dev/tty"


class TerminalPrompter:
    """Asks on the controlling terminal; answers None, or no, where there is none (cron, CI).

    Safe to share between threads: one question at a time.

    Attributes:
        suspend, resume: called around each question, so that a progress display does not draw over it.
    """

    def __init__(self, messages: Console | None = None) -> None:
        self._messages = messages or message_console()
        self._lock = threading.Lock()
        self._hidden: _Terminal | None = None
        self.suspend: Callable[[], None] | None = None
        self.resume: Callable[[], None] | None = None

    # --- the transports' Prompter -----------------------------------------------------------------------

    def accept_host_key(self, question: HostKeyQuestion) -> bool:
        """Show the key as ssh does; `yes` or the fingerprint itself accepts it."""
        with self._terminal() as terminal:
            if terminal is None:
                return False
            words = f"{question.host} is not known to this machine yet. Its {question.key_type} key is"
            terminal.console.print(rich_text(words, terminal.console))
            terminal.console.print(rich_text(f"  {question.fingerprint}", terminal.console, "bold"))
            while True:
                answer = terminal.ask("Trust it, and remember it (yes/no/the fingerprint)? ")
                word = "" if answer is None else answer.strip()
                if word.lower() in {"no", "n", ""}:
                    return False
                if word.lower() == "yes" or word == question.fingerprint:
                    return True

    def secret(self, prompt: str) -> str | None:
        """Ask without echo."""
        with self._terminal() as terminal:
            if terminal is None:
                return None
            self._hidden = terminal
            try:
                return terminal.ask_hidden(prompt)
            finally:
                self._hidden = None

    def visible(self, prompt: str) -> str | None:
        """Ask with echo."""
        with self._terminal() as terminal:
            return None if terminal is None else terminal.ask(prompt)

    def notice(self, text: str) -> None:
        """A banner of the server's, on stderr."""
        with self._lock:
            self._messages.print(rich_text(text.rstrip("\n"), self._messages))

    # --- ours -------------------------------------------------------------------------------------------

    def confirm(self, question: str, *, default: bool = False) -> bool | None:
        """Yes or no; None where nobody can answer, which is neither."""
        with self._terminal() as terminal:
            if terminal is None:
                return None
            while True:
                answer = terminal.ask(f"{question} {'[Y/n]' if default else '[y/N]'} ")
                if answer is None:
                    return None
                word = answer.strip().lower()
                if word in {"y", "yes", "n", "no"}:
                    return word[0] == "y"
                if not word:
                    return default

    def confirm_for_all(self, question: str) -> Literal["yes", "no", "all"] | None:
        """Yes, no, or yes for all that are alike; None where nobody can answer."""
        with self._terminal() as terminal:
            if terminal is None:
                return None
            while True:
                answer = terminal.ask(f"{question} [y/N/all] ")
                if answer is None:
                    return None
                word = answer.strip().lower()
                if word in {"y", "yes"}:
                    return "yes"
                if word in {"a", "all"}:
                    return "all"
                if word in {"", "n", "no"}:
                    return "no"

    def give_up(self) -> None:
        """Let the terminal show again what is typed, where the program ends while another thread asks."""
        hidden = self._hidden
        if hidden is not None:
            hidden.show_again()

    @contextmanager
    def _terminal(self) -> Iterator[_Terminal | None]:
        with self._lock:
            try:
                number = os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY)
            except OSError:
                yield None
                return
            if self.suspend:
                self.suspend()
            try:
                with open(number, "w", encoding="utf-8", errors="replace") as written:
                    yield _Terminal(number, message_console(written))
            finally:
                if self.resume:
                    self.resume()


class _Terminal:
    """The terminal while one question is on it."""

    def __init__(self, number: int, console: Console) -> None:
        self._number = number
        self._before: list[Any] | None = None  # termios' own type
        self.console = console

    def ask(self, prompt: str) -> str | None:
        """One line, without its end; None at end of file (Ctrl-D)."""
        self.console.file.write(safe(prompt if prompt.endswith(" ") else f"{prompt} ", self.console))
        self.console.file.flush()
        line = b""
        while not line.endswith(b"\n"):
            # a terminal gives whole lines at most (termios(3), canonical mode)
            part = os.read(self._number, 4096)
            if not part:
                return line.decode("utf-8", "surrogateescape") if line else None
            line += part
        return line[:-1].decode("utf-8", "surrogateescape")

    def ask_hidden(self, prompt: str) -> str | None:
        """One line that the terminal does not show."""
        import termios

        before = self._before = termios.tcgetattr(self._number)
        quiet = list(before)
        quiet[3] &= ~termios.ECHO
        try:
            # TCSAFLUSH throws away what was typed ahead, which was not meant for this question
            termios.tcsetattr(self._number, termios.TCSAFLUSH, quiet)
            return self.ask(prompt)
        finally:
            termios.tcsetattr(self._number, termios.TCSAFLUSH, before)
            self.console.file.write("\n")
            self.console.file.flush()

    def show_again(self) -> None:
        """Undo what `ask_hidden` did, from another thread."""
        import termios

        if self._before is not None:
            termios.tcsetattr(self._number, termios.TCSAFLUSH, self._before)
