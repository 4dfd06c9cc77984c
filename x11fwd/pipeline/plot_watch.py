"""A running plot watched from both ends: its events, and its window on this screen; verify imports it."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from x11fwd.pipeline.plot_session import COLOURS, PlotEvent, PlotSession
from x11fwd.x11.faults import RequestError
from x11fwd.x11.find import find_patches, find_window, window_image

if TYPE_CHECKING:
    from collections.abc import Callable

    from x11fwd.x11.connection import Connection
    from x11fwd.x11.image import Image

__all__ = ["PlotOutcome", "evidence", "patches_problem", "watch_plot"]

_SAMPLES = 4
_START = 120.0  # seconds for the login shell and Python to start, beside the round trips
_LOAD = 120.0  # seconds for matplotlib's first import and font cache on a slow disk or a busy machine
_BASE = 30.0  # seconds for the window, once the figure is made
_TURNS = 600.0  # round trips that a first figure may take: TkAgg needs about 390 (tk-256-round-trips)
_POLL = 0.05
_TOLERANCE = 8  # a screen of 16 bits has 5 or 6 of them for each colour
_SMALLEST = 100  # pixels of one patch


@dataclass(frozen=True)
class PlotOutcome:
    """What came of a plot.

    Attributes:
        problem: a sentence, "" for the right pixels.
        evidence: what was said over there.
        figure: what matplotlib said of itself, None where it did not come so far.
        samples: seconds of round trips over the channel.
        seconds: from the first import of matplotlib over there to the whole picture here.
        image: the window, also a wrong one.
    """

    problem: str = ""
    evidence: str = ""
    figure: PlotEvent | None = None
    samples: tuple[float, ...] = ()
    seconds: float | None = None
    image: Image | None = field(default=None, repr=False)


def watch_plot(
    session: PlotSession,
    connection: Connection,
    title: str,
    *,
    host: str,
    progress: Callable[[str], None],
) -> PlotOutcome:
    """Events from there and windows from here, until one of them decides.

    Args:
        title: of the window.
        host: the remote's name for sentences.

    Raises:
        ConnectionLost: the connection died.
        DisplayError: this machine's X server did.
    """
    progress(f"starting Python on {host}")
    hello = session.event(_START)
    if hello is None:
        return PlotOutcome(f"Python on {host} did not start within {_START:g} s", session.last_words())
    if hello.name == "end":
        return PlotOutcome(f"Python on {host} did not start: {_ending(hello)}", session.last_words())
    samples = session.round_trips(_SAMPLES, _START)
    turns = _TURNS * max(samples, default=1.0)
    session.go()
    start = time.monotonic()
    end = start + _LOAD + turns
    progress(f"drawing on {host}")
    figure: PlotEvent | None = None
    image: Image | None = None
    wrong = ""
    while time.monotonic() < end:
        event = session.event(_POLL)
        if event is not None and event.name == "figure":
            end = end if figure else time.monotonic() + _BASE + turns
            figure = event
            if not event.interactive:
                return PlotOutcome(_fell_back(host, event), evidence(event), figure, samples)
        elif event is not None and event.name == "failed":
            return PlotOutcome(f"drawing failed on {host}: {event.problem}", "", figure, samples)
        elif event is not None and event.name == "closed":
            return PlotOutcome("the window was closed before its picture was whole", "", figure, samples)
        elif event is not None and event.name == "end":
            said = session.last_words()
            return PlotOutcome(f"the plot ended on {host}: {_ending(event)}", said, figure, samples)
        seen = _window_picture(connection, title)
        if seen is not None:
            image = seen
            wrong = f"the window from {host} came, but its picture is not right"
            problem = patches_problem(image)
            if not problem:
                if figure is None:  # the window can be faster than the line that announces it
                    figure = _await_figure(session)
                return PlotOutcome("", "", figure, samples, time.monotonic() - start, image)
            wrong = f"{wrong}: {problem}"
    wrong = wrong or f"no window came from {host} within {end - start:.0f} s"
    return PlotOutcome(wrong, session.last_words(), figure, samples, image=image)


def patches_problem(image: Image) -> str:
    """What is wrong with the row of patches in a picture of the window, "" if it is right.

    All four colours must be there, each as a full rectangle, of one size, side by side in plot.py's order.
    Their absolute size is free: toolkits scale figures, and toolbars take room.
    """
    found = list(find_patches(image, COLOURS, _TOLERANCE).values())
    for colour, patch in zip(COLOURS, found, strict=True):
        if patch.area < _SMALLEST:
            return f"the patch #{bytes(colour).hex()} is missing"
        if patch.filled < 0.98:
            return f"the patch #{bytes(colour).hex()} is not whole"
    first = found[0]
    for left, right in itertools.pairwise(found):
        if right.left <= left.right:
            return "the patches are not in their order"
    for patch in found:
        same_row = abs(patch.top - first.top) <= 2 and abs(patch.bottom - first.bottom) <= 2
        if not same_row or abs((patch.right - patch.left) - (first.right - first.left)) > 2:
            return "the patches are not in one row of equal size"
    return ""


def _window_picture(connection: Connection, title: str) -> Image | None:
    """The picture of the window, None while there is none or while it changes under our eyes."""
    try:
        window = find_window(connection, title)
        return window_image(connection, window) if window is not None and window.viewable else None
    except RequestError:
        return None  # being mapped, moved or closed just now; the next look tells


def _await_figure(session: PlotSession) -> PlotEvent | None:
    end = time.monotonic() + _BASE
    while time.monotonic() < end:
        event = session.event(_POLL)
        if event is not None and event.name in {"figure", "end", "closed"}:
            return event if event.name == "figure" else None
    return None


def _fell_back(host: str, event: PlotEvent) -> str:
    why = "DISPLAY is not set there" if event.display is None else f"DISPLAY is {event.display} there"
    return f"matplotlib on {host} opened no window: its backend is {event.backend}, and {why}"


def evidence(event: PlotEvent) -> str:
    parts = [f"matplotlib {event.version} with {event.backend}", f"DISPLAY={event.display or ''}"]
    if event.mplbackend:
        parts.append(f"MPLBACKEND={event.mplbackend}")
    parts += [event.rc_file, *event.warnings]
    return "; ".join(part for part in parts if part) if event.backend else ""


def _ending(event: PlotEvent) -> str:
    status = event.exit_status
    if status is None:
        return "its connection closed"
    if status > 128:
        import signal

        try:
            name = signal.Signals(status - 128).name
        except ValueError:
            name = f"signal {status - 128}"
        return f"it crashed with {name} (status {status})"
    return f"exit status {status}"
