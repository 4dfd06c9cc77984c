"""How rendering is drawn: figures per second and time left on stderr, failures and the sum; the cli's."""

from __future__ import annotations

import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from x11fwd.render.model import Status
from x11fwd.ui.console import cursor_back, message_console, rich_text, safe, symbols

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

    from rich.console import Console
    from rich.progress import Progress, TaskID

    from x11fwd.render.drawing import Hello
    from x11fwd.render.model import Outcome, Summary
    from x11fwd.ui.prompt import TerminalPrompter
    from x11fwd.viewer.items import Item

__all__ = ["RenderProgress", "Speed", "TerminalGallery", "show_render"]

_MOST_SHOWN = 20  # failures that are told one by one
_EVERY = 2.0  # seconds between two pictures in the terminal


class Speed:
    """Figures per second over the last half minute, so that a slow start is forgotten."""

    def __init__(self, window: float = 30.0) -> None:
        self._window = window
        self._times: deque[float] = deque()

    def one(self, now: float) -> None:
        self._times.append(now)
        while self._times and self._times[0] < now - self._window:
            self._times.popleft()

    @property
    def value(self) -> float:
        """0.0 until two figures are done."""
        if len(self._times) < 2:
            return 0.0
        return (len(self._times) - 1) / max(self._times[-1] - self._times[0], 1e-9)

    def words(self, left: int) -> str:
        """`23.1 figures/s, 0:12 left`."""
        speed = self.value
        if not speed:
            return ""
        seconds = round(left / speed)
        hours, minutes = divmod(seconds // 60, 60)
        clock = f"{hours}:{minutes:02d}:{seconds % 60:02d}" if hours else f"{minutes}:{seconds % 60:02d}"
        return f"{speed:.1f} figures/s, {clock} left"


class TerminalGallery:
    """Some of the pictures in the terminal, each beside its file in the folder. A context manager."""

    def __init__(self, folder: Path, progress: RenderProgress) -> None:
        from x11fwd.ui.pictures import TerminalPictures

        self._folder = folder
        self._pictures = TerminalPictures(every=_EVERY, pause=progress.paused)

    def put(self, item: Item) -> None:
        """Show it, unless another one was shown just now."""
        self._pictures.put(item, saved=self._folder / item.id)

    def close(self) -> None:
        """Say how many were not shown."""
        self._pictures.close()

    def __enter__(self) -> TerminalGallery:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class RenderProgress:
    """A bar where stderr is a terminal; failures are told as they come, everywhere."""

    def __init__(
        self, prompter: TerminalPrompter, console: Console | None = None, *, quiet: bool = False
    ) -> None:
        self._console = console or message_console()
        self._prompter = prompter
        self._drawn = not quiet and self._console.is_terminal and not self._console.is_dumb_terminal
        self._quiet = quiet
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._speed = Speed()
        self._failures = 0

    def started(self, hello: Hello, host: str) -> None:
        if self._drawn:
            where = f"{host}: " if host else ""
            workers = "1 worker" if hello.workers == 1 else f"{hello.workers} workers"
            self._say(f"{where}{workers}, Python {hello.python}, matplotlib {hello.matplotlib}")

    def waiting(self, text: str) -> None:
        if not self._quiet:
            self._say(text)

    def ended(self, outcome: Outcome, done: int, of: int) -> None:
        if outcome.status is not Status.SKIPPED:
            self._speed.one(time.monotonic())
        if outcome.status is Status.FAILED:
            self._failures += 1
            if self._failures <= _MOST_SHOWN and not self._quiet:
                self._say(_failure(outcome, self._console), "fail")
        if self._drawn:
            bar = self._started(of)
            if self._task is not None:
                bar.update(self._task, completed=done, words=self._speed.words(of - done))

    def _started(self, of: int) -> Progress:
        if self._bar is None:
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

            self._bar = Progress(
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[words]}", markup=False),
                console=self._console,
                transient=True,
            )
            self._task = self._bar.add_task("", total=of, words="")
            self._prompter.suspend, self._prompter.resume = self._away, self._back
            self._back()
        return self._bar

    def _say(self, text: str, style: str = "") -> None:
        self._console.print(rich_text(text, self._console, style))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The bar is away, for what writes to the terminal without rich."""
        if self._bar is None:
            yield
            return
        self._away()
        try:
            yield
        finally:
            self._back()

    def _away(self) -> None:
        if self._bar is not None:
            with cursor_back(self._console):
                self._bar.stop()

    def _back(self) -> None:
        if self._bar is not None:
            with cursor_back(self._console):
                self._bar.start()

    def close(self) -> None:
        """Put the bar away."""
        self._prompter.suspend = self._prompter.resume = None
        self._away()
        self._bar = None

    def __enter__(self) -> RenderProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _failure(outcome: Outcome, console: Console) -> str:
    at = f" ({outcome.where})" if outcome.where else ""
    return f"{symbols(console).fail} {outcome.name}: {outcome.problem}{at}\n  with {outcome.arguments}"


def show_render(summary: Summary, folder: str, console: Console) -> None:
    """One line of what there is now."""
    counts = {status: summary.count(status) for status in Status}
    words = [f"{counts[Status.DRAWN]} drawn"]
    if counts[Status.SKIPPED]:
        words.append(f"{counts[Status.SKIPPED]} were there already")
    if counts[Status.FAILED]:
        words.append(f"{counts[Status.FAILED]} failed")
    more = f", in {summary.seconds:.1f} s" if counts[Status.DRAWN] else ""
    mark = symbols(console).ok if summary.ok else symbols(console).fail
    text = f"{mark} {folder}: {', '.join(words)}{more}"
    console.print(safe(text, console), style="ok" if summary.ok else "fail")
