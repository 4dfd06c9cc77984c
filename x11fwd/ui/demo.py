"""The demo as it goes on, its picture, and what it takes; imported by the cli."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from x11fwd.ui.console import rich_text, symbols
from x11fwd.ui.layout import beside
from x11fwd.ui.verify import show_picture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from x11fwd.pipeline.demo import DemoResult, DemoStep
    from x11fwd.pipeline.demo_needs import Missing
    from x11fwd.ui.progress import Waiting

__all__ = ["DemoWatch", "show_demo", "show_missing"]


class DemoWatch:
    """The demo's events: each step is printed when it is over.

    Args:
        show: prints one step (nothing with `--json`).
    """

    def __init__(self, waiting: Waiting, show: Callable[[DemoStep], None]) -> None:
        self._waiting = waiting
        self._show = show

    @classmethod
    def on(cls, waiting: Waiting, console: Console, *, verbose: bool) -> DemoWatch:
        """A listener that prints to `console`."""

        def show(step: DemoStep) -> None:
            for line in _step(step, console, verbose=verbose):
                console.print(line, soft_wrap=True)

        return cls(waiting, show)

    def doing(self, text: str) -> None:
        self._waiting.now(text)

    def finished(self, step: DemoStep) -> None:
        self._waiting.aside(lambda: self._show(step))


def _step(step: DemoStep, console: Console, *, verbose: bool) -> Iterator[Text]:
    style, word = ("ok", "ok") if step.ok else ("fail", "fail")
    lead = Text(f"{getattr(symbols(console), style)} {word:<4} ", style=style)
    title = rich_text(step.title, console)
    if verbose:
        title.append(f" ({step.seconds:.1f} s)", style="note")
    yield beside(lead, title, console)
    under = Text(" " * lead.cell_len)
    if step.detail and (verbose or not step.ok or step.id in {"doctor", "ssh"}):
        for line in step.detail.splitlines():
            yield beside(under, rich_text(line, console, "note"), console)
    if step.command and step.id != "needs":
        yield beside(under, rich_text(f"on a real server: `{step.command}`", console, "note"), console)


def show_missing(missing: Missing, console: Console) -> None:
    """What the demo needs and this machine does not have, and the command that installs it."""
    words = f"the demo needs {', '.join(missing.programs)}, which this machine does not have"
    console.print(
        beside(Text(f"{symbols(console).warn} warn ", style="warn"), rich_text(words, console), console)
    )
    if missing.note:
        console.print(beside(Text("       "), rich_text(missing.note, console, "note"), console))
    if missing.command:
        console.print(rich_text(f"       `{missing.command}`", console), soft_wrap=True)


def show_demo(result: DemoResult, console: Console) -> None:
    """The picture, where it lies, and how to go on."""
    if result.picture is not None and result.picture.image is not None:
        console.print()
        show_picture(result.picture.image, console)
        console.print()
    if result.picture is not None and result.picture.screenshot is not None:
        words = f"The picture is in {result.picture.screenshot.absolute()}"
        console.print(rich_text(words, console), soft_wrap=True)
    if result.ok:
        words = (
            f"All of it took {result.seconds:.0f} s and left nothing behind. Next: `x11fwd setup user@host`"
        )
        console.print(beside(Text(), rich_text(words, console, "ok"), console), soft_wrap=True)
    elif result.missing is not None and not result.missing.command:
        console.print(Text("Install that with your system's package manager, and run the demo again."))
    elif result.missing is not None:
        console.print(rich_text("Next: `x11fwd demo --yes` installs it and goes on", console))
