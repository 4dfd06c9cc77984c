"""How long a plot may take on a machine that is busy, or whose disk is slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.pipeline.test_plot import RIGHT
from tests.unit.x11.test_image import picture
from x11fwd.pipeline import plot_watch
from x11fwd.pipeline.plot_session import PlotEvent
from x11fwd.pipeline.plot_watch import PlotOutcome, watch_plot

if TYPE_CHECKING:
    from x11fwd.x11.image import Image

FIGURE = PlotEvent("figure", backend="TkAgg", interactive=True)


class Slow:
    """A plot by a clock of its own: seconds until Python runs, then until its figure is made.

    `window` is how long after that the window comes, `told` how long after it the line about it does.
    """

    def __init__(
        self, python: float, figure: float | None, window: float | None, *, told: float = 0.0
    ) -> None:
        self.now = 0.0
        self.due = [(python, PlotEvent("hello"))]
        if figure is not None:
            self.due.append((python + figure + told, FIGURE))
        self.window = None if figure is None or window is None else python + figure + window

    def monotonic(self) -> float:
        return self.now

    def event(self, timeout: float) -> PlotEvent | None:
        if self.due and self.due[0][0] <= self.now + timeout:
            self.now, event = max(self.now, self.due[0][0]), self.due.pop(0)[1]
            return event
        self.now += timeout
        return None

    def round_trips(self, count: int, timeout: float) -> tuple[float, ...]:
        return (0.001,) * count

    def go(self) -> None: ...

    def last_words(self, lines: int = 3) -> str:
        return ""

    def look(self, _connection: object, _title: str) -> Image | None:
        return picture(RIGHT) if self.window is not None and self.now >= self.window else None


def _watched(plot: Slow, monkeypatch: pytest.MonkeyPatch) -> PlotOutcome:
    monkeypatch.setattr(plot_watch, "time", plot)
    monkeypatch.setattr(plot_watch, "_window_picture", plot.look)
    return watch_plot(plot, None, "t", host="gpu1", progress=lambda _text: None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "plot",
    [
        pytest.param(Slow(60.0, 1.0, 1.0), id="a login shell on a network disk"),
        pytest.param(Slow(1.0, 60.0, 1.0), id="a font cache that is made first"),
        pytest.param(Slow(1.0, 100.0, 25.0), id="everything"),
        pytest.param(Slow(1.0, 1.0, 1.0, told=21.0), id="a window long before the line about it"),
    ],
)
def test_what_is_slow_is_seen(plot: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = _watched(plot, monkeypatch)
    assert (seen.problem, seen.figure) == ("", FIGURE)


def test_a_figure_whose_window_never_comes_is_told_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    plot = Slow(1.0, 1.0, None)
    assert _watched(plot, monkeypatch).problem == "no window came from gpu1 within 32 s"
    assert plot.now < 40


def test_a_plot_that_hangs_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _watched(Slow(1.0, None, None), monkeypatch).problem == "no window came from gpu1 within 121 s"
