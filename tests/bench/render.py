"""Figures per second: a serial loop, `Pool.starmap` as in blog posts, and render with the same function.

`python -m tests.bench render`, on a machine with nothing else to do.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

COUNT = 300


def picture(axes: object, number: int) -> None:
    """Two lines, labels, a legend, a grid: what most such figures hold."""
    import numpy as np

    x = np.linspace(0, 10, 1000)
    axes.plot(x, np.sin(x * (1 + number / 50)), label="sin")  # type: ignore[attr-defined]
    axes.plot(x, np.cos(x * (1 + number / 50)), label="cos")  # type: ignore[attr-defined]
    axes.set(title=f"figure {number}", xlabel="time [s]", ylabel="value")  # type: ignore[attr-defined]
    axes.legend()  # type: ignore[attr-defined]
    axes.grid(visible=True)  # type: ignore[attr-defined]


def asking(number: int, ax: object) -> None:
    """The function as `render` likes it best: it gets axes, and saves nothing."""
    picture(ax, number)


def theirs(number: int, folder: str) -> None:
    """The function as blog posts write it: a new figure, saved and closed."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    picture(axes, number)
    figure.savefig(f"{folder}/{number}.png")
    plt.close(figure)


def serial(count: int, folder: str) -> None:
    for number in range(count):
        theirs(number, folder)


def starmap(count: int, folder: str) -> None:
    with multiprocessing.Pool(os.cpu_count()) as pool:
        pool.starmap(theirs, [(number, folder) for number in range(count)])


def same(count: int, folder: str) -> None:
    """The blog post's function, unchanged: what it saves itself is kept a second time in our folder."""
    _rendered(theirs, [(number, folder) for number in range(count)], f"{folder}/figures")


def given(count: int, folder: str) -> None:
    _rendered(asking, [{"number": number} for number in range(count)], folder)


def _rendered(function: Callable[..., object], arguments: list[object], folder: str) -> None:
    from x11fwd.render import render

    done = render(function, arguments, folder=folder, workers=os.cpu_count())
    assert done.ok, done.failed[:1]


WAYS = {
    "serial loop": serial,
    "`Pool.starmap`": starmap,
    "`render`, the same function": same,
    "`render`, a function that takes `ax`": given,
}


def once(way: str, count: int) -> tuple[float, float]:
    """Seconds, and of processor time, of one whole run in a new process: start and imports count."""
    with tempfile.TemporaryDirectory() as folder:
        process = multiprocessing.get_context("spawn").Process(target=WAYS[way], args=(count, folder))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.perf_counter()
        process.start()
        process.join()
        seconds = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert process.exitcode == 0
        assert len(list(Path(folder).glob("*.png"))) == count
    return seconds, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def figures(runs: int, count: int = COUNT) -> str:
    """All ways in turn, so that a machine that grows warm or busy is so for all; the table."""
    taken: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    for _ in range(runs):
        for way in WAYS:
            taken[way].append(once(way, count))
    wall = {way: count / statistics.median(one[0] for one in taken[way]) for way in WAYS}
    work = {way: count / statistics.median(one[1] for one in taken[way]) for way in WAYS}
    beside = "`Pool.starmap`"
    lines = [
        f"{count} figures, {os.cpu_count()} cores, load before: {os.getloadavg()[0]:.1f}",
        "",
        "| way | figures/s | times starmap | figures per second of processor | times starmap |",
        "|---|---|---|---|---|",
    ]
    for way in WAYS:
        row = f"{wall[way]:.1f} | {wall[way] / wall[beside]:.2f}"
        lines.append(f"| {way} | {row} | {work[way]:.1f} | {work[way] / work[beside]:.2f} |")
    return "\n".join(lines)
