"""What the browser tests of the viewer put into it, and what they ask of its page."""

from __future__ import annotations

import io
import math
import random
from typing import TYPE_CHECKING

from x11fwd.viewer.items import Chart, Document, Note, Picture, Progress, Table

if TYPE_CHECKING:
    from tests.lab.browser import Tab
    from x11fwd.viewer.server import Viewer


def figure(turns: int, kind: str = "png", colour: str = "C0") -> bytes:
    """A plot as matplotlib makes it."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(6.4, 4.8))
    axes = drawn.subplots()
    axes.plot([math.sin(at / 10 * turns) for at in range(100)], color=colour)
    axes.set_title(f"turns = {turns}")
    out = io.BytesIO()
    drawn.savefig(out, format=kind)
    return out.getvalue()


def fill(viewer: Viewer) -> None:
    """One of each kind."""
    for turns in range(1, 4):
        viewer.put(
            Picture(f"p{turns}", f"Figure {turns}", figure(turns), "png", caption="a sine", group="Figures")
        )
    viewer.put(Picture("svg", "vector", figure(5, "svg"), "svg", group="Figures"))
    viewer.put(Picture("pdf", "report.pdf", figure(6, "pdf"), "pdf", group="Files"))
    viewer.put(
        Document("d", "doc", b"<h1>Page</h1><script>document.body.append('ran')</script>", group="Files")
    )
    rows = [(f"run {at}", at, 1 / (at + 1)) for at in range(1000)]
    viewer.put(Table("t", "runs.csv", ["name", "epoch", "loss"], rows, group="Files"))
    viewer.put(Chart("c", "loss", x_label="step", y_label="loss", log=True, group="Training"))
    chance, size = random.Random(1), 20_000
    ys = [3 * math.exp(-at / 6000) * (1 + 0.3 * chance.random()) for at in range(size)]
    ys[5000:5010] = [math.nan] * 10
    viewer.extend("c", "train", range(size), ys)
    viewer.extend("c", "val", range(0, size, 500), [3.3 * math.exp(-at / 6500) for at in range(0, size, 500)])
    viewer.put(Progress("g", "render", 31, 300, "31 figures/s, 9 s left"))
    viewer.put(Note("n", "gpu1", "connected again after 12 s", level="warning"))


def opened(tab: Tab, key: int) -> None:
    tab.evaluate(f"document.querySelector('.tile[data-key=\"{key}\"] .open').click()")
    tab.wait("document.getElementById('big').open")


def faults(tab: Tab) -> list[str]:
    """The console without plotly's try to add the styles of its maps, which the page's policy refuses."""
    return [line for line in tab.console if "plotly.js" not in line or "inline style" not in line]
