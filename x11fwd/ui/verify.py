"""A plot that arrived, or why none did; imported by the cli."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from x11fwd.checks.check import milliseconds
from x11fwd.ui.console import rich_text, symbols
from x11fwd.ui.layout import beside
from x11fwd.ui.picture import picture, picture_size
from x11fwd.ui.report import show_report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from x11fwd.checks.check import Aim
    from x11fwd.pipeline.verify import VerifyResult
    from x11fwd.x11.image import Image

__all__ = ["show_picture", "show_plot", "show_verify"]

_WIDEST = len("screenshot")


def show_verify(
    result: VerifyResult,
    console: Console,
    *,
    host: str,
    aim: Aim | None = None,
    verbose: bool = False,
    as_picture: bool = False,
) -> None:
    """What was seen; the whole report where no plot came, or with `verbose`.

    Args:
        aim: the target for the next command.
        as_picture: draw the window in the terminal too.
    """
    if verbose or not result.ok:
        show_report(result.report, console, host=host, aim=aim, verbose=verbose)
    if result.ok:
        show_plot(result, console, host=host)
        if as_picture and result.image is not None:
            show_picture(result.image, console)


def show_plot(result: VerifyResult, console: Console, *, host: str) -> None:
    """Backend, DISPLAY, round trip and time of a plot that arrived."""
    for line in _plot_lines(result, console, host):
        console.print(line, soft_wrap=True)


def _plot_lines(result: VerifyResult, console: Console, host: str) -> Iterator[Text]:
    lead = Text(f"{symbols(console).ok} ok ", style="ok")
    yield beside(
        lead, rich_text(f"a plot from {host} arrived on this screen, pixel for pixel", console), console
    )
    facts = {"backend": f"{result.backend}, matplotlib {result.version}", "DISPLAY": result.display or ""}
    if result.forwarding:
        facts["forwarding"] = result.forwarding
    if result.round_trip is not None:
        facts["round trip"] = milliseconds(result.round_trip)
    if result.seconds is not None:
        facts["window"] = f"drawn after {result.seconds:.1f} s"
    if result.screenshot is not None:
        facts["screenshot"] = str(result.screenshot)
    for name, value in facts.items():
        yield beside(Text(f"  {name:<{_WIDEST}} ", style="note"), rich_text(value, console), console)
    for warning in result.warnings:
        lead = Text(f"  {symbols(console).warn} warn  ", style="warn")
        yield beside(lead, rich_text(f"matplotlib says: {warning}", console), console)


def show_picture(image: Image, console: Console) -> None:
    """The window, as well as this terminal can draw it."""
    columns, rows = picture_size(image.width, image.height, console)
    console.print(picture(image.scaled(columns, rows), console), soft_wrap=True)
