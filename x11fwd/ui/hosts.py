"""Work on one or many hosts as it goes on: a line of progress each on stderr; imported by the cli.

`HostWatch` is an `Events` of the pipeline. On a terminal the lines stay in place and change; in a pipe or a
log each new state is a line of its own.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from x11fwd.steps.engine import LineKind
from x11fwd.steps.plan import Outcome
from x11fwd.ui.console import cursor_back, message_console, rich_text, safe
from x11fwd.ui.layout import beside

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from rich.console import Console

    from x11fwd.facts.model import RemoteFacts
    from x11fwd.steps.engine import SpokenLine
    from x11fwd.steps.plan import Change, ChangeResult, Plan
    from x11fwd.ui.prompt import TerminalPrompter

__all__ = ["HostWatch", "HostsView"]


class HostsView:
    """All hosts of one command; a context manager, safe to use from the hosts' threads.

    Args:
        names: the targets as typed, in their order.
        prompter: questions push the progress aside while they are on the screen.
        quiet: no progress at all (`--json`).
    """

    def __init__(
        self,
        names: Sequence[str],
        prompter: TerminalPrompter,
        console: Console | None = None,
        *,
        quiet: bool = False,
    ) -> None:
        self._console = console or message_console()
        self._prompter = prompter
        self._states = dict.fromkeys(names, "")
        self._lock = threading.RLock()
        self._wide = max((len(name) for name in names), default=0)
        self._several = len(self._states) > 1
        self._moving = self._console.is_terminal and not self._console.is_dumb_terminal and not quiet
        self._open = False
        self._live: Live | None = None
        self._asking = False
        self._later: list[Callable[[], None]] = []
        self._quiet = quiet
        self._spinner = Spinner("line")

    def watch(self, name: str, planned: Callable[[Plan], None]) -> HostWatch:
        """The listener of one host; `planned` is called with its plan once it is known."""
        return HostWatch(self, name, planned)

    def state(self, name: str, text: str) -> None:
        """What is being done on one host now; "" when it is finished."""
        with self._lock:
            if self._states.get(name) == text:
                return
            self._states[name] = text
            if self._live is not None:
                self._live.update(self._lines(), refresh=True)
            elif text and not self._quiet and not self._moving:
                self._print(f"{self._label(name)}{text}")

    def speak(self, name: str, title: str, line: SpokenLine) -> None:
        """A line of the engine's: what a package manager prints is for moving lines only, a note stays."""
        if line.kind is LineKind.NOTE:
            self.note(name, line.text)
        elif self._moving or line.kind is LineKind.PROGRESS:
            self.state(name, f"{title}: {line.text}")

    def note(self, name: str, text: str) -> None:
        """A sentence that stays on the screen."""
        if not self._quiet:
            self._print(f"{self._label(name)}{text}")

    def aside(self, show: Callable[[], None]) -> None:
        """Run something that prints, with the moving lines out of its way; after a question that stands."""
        with self._lock:
            if self._asking:
                self._later.append(show)
                return
            self._stop()
            try:
                show()
            finally:
                self._start()

    def _label(self, name: str) -> str:
        return f"{name}: " if self._several else ""

    def _print(self, text: str) -> None:
        with self._lock:
            self._console.print(beside(Text(), rich_text(text, self._console, "note"), self._console))

    def _lines(self) -> Table:
        table = Table.grid(padding=(0, 1))
        table.add_column(no_wrap=True)
        if self._several:
            table.add_column(no_wrap=True, min_width=min(self._wide, 32))
        table.add_column(no_wrap=True, overflow="ellipsis")
        for name, text in self._states.items():
            if text:
                label = [Text(safe(name, self._console), style="side")] if self._several else []
                table.add_row(self._spinner, *label, Text(safe(text, self._console)))
        return table

    def _start(self) -> None:
        if self._moving and self._open and self._live is None:
            # a new one each time: one that is started again goes up over the lines it had before
            with cursor_back(self._console):
                self._live = Live(self._lines(), console=self._console, transient=True)
                self._live.start(refresh=True)

    def _stop(self) -> None:
        if self._live is not None:
            with cursor_back(self._console):
                self._live.stop()
                self._live = None

    def _question(self) -> None:
        with self._lock:
            self._asking = True
            self._stop()

    def _answered(self) -> None:
        with self._lock:
            self._asking = False
            self._catch_up()
            self._start()

    def _catch_up(self) -> None:
        while self._later:
            self._later.pop(0)()

    def __enter__(self) -> HostsView:
        self._prompter.suspend, self._prompter.resume = self._question, self._answered
        self._open = True
        with cursor_back(self._console):
            self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._prompter.suspend = self._prompter.resume = None
        self._open = False
        with self._lock, cursor_back(self._console):
            self._stop()
            self._catch_up()


class HostWatch:
    """One host's `Events` (pipeline.setup)."""

    def __init__(self, view: HostsView, name: str, planned: Callable[[Plan], None]) -> None:
        self._view = view
        self._name = name
        self._planned = planned

    def doing(self, text: str) -> None:
        self._view.state(self._name, text)

    def planned(self, plan: Plan, remote: RemoteFacts) -> None:  # noqa: ARG002  the contract of Events
        self._planned(plan)

    def started(self, change: Change) -> None:
        self._view.state(self._name, change.title)

    def said(self, change: Change, line: SpokenLine) -> None:
        self._view.speak(self._name, change.title, line)

    def finished(self, change: Change, result: ChangeResult) -> None:
        if result.outcome is Outcome.FAILED:
            self._view.state(self._name, f"{change.title}: failed")

    def noted(self, text: str) -> None:
        self._view.note(self._name, text)
