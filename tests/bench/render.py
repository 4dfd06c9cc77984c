"""Figures per second: a serial loop, `Pool.starmap` as in blog posts, and render.

`python -m tests.bench.render`, on a machine with nothing else to do.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import tempfile
import time
from pathlib import Path

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


def ours(number: int, ax: object) -> None:
    """The function as `render` takes it."""
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
    with multiprocessing.Pool(2) as pool:
        pool.starmap(theirs, [(number, folder) for number in range(count)])


def rendered(count: int, folder: str) -> None:
    from x11fwd.render import render

    done = render(ours, [{"number": number} for number in range(count)], folder=folder, workers=2)
    assert done.ok, done.failed[:1]


def once(contender: str, count: int) -> tuple[float, float]:
    """Seconds, and of processor time, of one whole run in a new process: start and imports count."""
    with tempfile.TemporaryDirectory() as folder:
        process = multiprocessing.get_context("spawn").Process(
            target={"serial": serial, "starmap": starmap, "render": rendered}[contender], args=(count, folder)
        )
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.perf_counter()
        process.start()
        process.join()
        seconds = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert process.exitcode == 0
        assert len(list(Path(folder).glob("*.png"))) == count
    return seconds, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--rounds", type=int, default=3)
    words = parser.parse_args()
    names = ("serial", "starmap", "render")
    # in turn, so that a machine that grows warm or busy is so for all
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for _ in range(words.rounds):
        for name in names:
            runs[name].append(once(name, words.count))
    wall = {name: words.count / statistics.median(one[0] for one in runs[name]) for name in names}
    work = {name: words.count / statistics.median(one[1] for one in runs[name]) for name in names}
    print("| way | figures/s | against starmap | figures per second of processor | against starmap |")
    print("|---|---|---|---|---|")
    for name in names:
        beside = f"{wall[name]:.1f} | {wall[name] / wall['starmap']:.2f}"
        print(f"| {name} | {beside} | {work[name]:.1f} | {work[name] / work['starmap']:.2f} |")


if __name__ == "__main__":
    main()
