"""`python -m tests.bench.watch`: points a second by format against a plain loop, ten million, line to page.

`--lines` adds the time from a line written on a host to its words in Chromium (needs the test lab).
"""

from __future__ import annotations

import argparse
import re
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from x11fwd.logs.board import Board
from x11fwd.logs.reader import LogReader

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK = 262_144


def _loss(at: int) -> float:
    return 1 / (1 + at / 1000)


# format: a line, and the regular expression of a plain loop that somebody would write for it
FORMATS: dict[str, tuple[Callable[[int], str], str, str]] = {
    "CSV": (
        lambda at: f"{at},{_loss(at):.5f},{at / 1e6:.4f}\n",
        r"^(\d+),([^,]+),([^,\n]+)",
        "step,loss,acc\n",
    ),
    "JSON lines": (
        lambda at: f'{{"step": {at}, "loss": {_loss(at):.5f}, "acc": {at / 1e6:.4f}}}\n',
        r'"step": (\d+), "loss": ([^,]+), "acc": ([^}]+)',
        "",
    ),
    "key=value": (
        lambda at: f"step={at} loss={_loss(at):.5f} acc={at / 1e6:.4f}\n",
        r"step=(\d+) loss=(\S+) acc=(\S+)",
        "",
    ),
    "key: value": (
        lambda at: f"Epoch [1/10], Step [{at}/600], Loss: {_loss(at):.4f}, acc: 0.5\n",
        r"Step \[(\d+)/\d+\], Loss: ([\d.]+), acc: ([\d.]+)",
        "",
    ),
    "Hugging Face": (
        lambda at: f"{{'loss': {_loss(at):.4f}, 'grad_norm': 1.5, 'epoch': {at / 1000:.4f}}}\n",
        r"'loss': ([\d.]+), 'grad_norm': ([\d.]+), 'epoch': ([\d.]+)",
        "",
    ),
    "XGBoost": (
        lambda at: f"[{at}]\ttrain-rmse:{_loss(at):.5f}\teval-rmse:0.50000\n",
        r"\[(\d+)\]\ttrain-rmse:(\S+)\teval-rmse:(\S+)",
        "",
    ),
    "nanoGPT": (
        lambda at: f"iter {at}: loss {_loss(at):.4f}, time {60 + at % 7}.25ms, mfu 17.20%\n",
        r"iter (\d+): loss ([\d.]+), time ([\d.]+)ms",
        "",
    ),
    "tqdm": (
        lambda at: (
            f"\rEpoch 1/3:  12%|##   | {at}/999999 [00:01<00:09, 9.5it/s, loss={_loss(at):.4f}, acc=0.5]"
        ),
        r"(\d+)/\d+ \[.*?loss=([\d.]+), acc=([\d.]+)",
        "",
    ),
}


def formats(rows: int) -> None:
    print("| format | MB | points/s | plain loop | times |\n|---|---|---|---|---|")
    for name, (line, pattern, head) in FORMATS.items():
        data = (head + "".join(map(line, range(rows)))).encode()
        ours, points = read(data)
        started = time.perf_counter()
        plain = plain_loop(data, pattern)
        theirs = time.perf_counter() - started
        speed, other = points / ours, plain / theirs
        print(
            f"| {name} | {len(data) / 1e6:.1f} | {speed:,.0f} | {other:,.0f} | {speed / other:.2f} |",
            flush=True,
        )


def read(data: bytes) -> tuple[float, int]:
    """Seconds from bytes to curves that can be drawn, and the points."""
    started = time.perf_counter()
    reader, board = LogReader(), Board([""])
    for at in range(0, len(data), _CHUNK):
        for block in reader.feed(data[at : at + _CHUNK]):
            board.add(0, block)
    for block in reader.finish():
        board.add(0, block)
    return time.perf_counter() - started, board.points


def plain_loop(data: bytes, pattern: str) -> int:
    """What a person writes: a line, a search, two lists. No detection, no bound on memory."""
    regex = re.compile(pattern)
    xs: list[float] = []
    first: list[float] = []
    second: list[float] = []
    for line in data.decode().replace("\r", "\n").splitlines():
        found = regex.search(line)
        if found:
            x, one, other = found.groups()
            xs.append(float(x))
            first.append(float(one))
            second.append(float(other))
    return len(first) + len(second)


def ten_million(points: int) -> None:
    """From the start of `run_watch` on a file to the answer, the follower's process included."""
    from x11fwd.pipeline.watch import Source, WatchOptions, run_watch
    from x11fwd.ui.prompt import TerminalPrompter
    from x11fwd.ui.watch import QuietWatch

    rows = points // 4
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.csv"
        with path.open("w", encoding="utf-8") as file:
            file.write("step,loss,val_loss,acc,lr\n")
            for at in range(rows):
                file.write(f"{at},{_loss(at):.5f},{_loss(at):.4f},{at / rows:.4f},1e-4\n")
        started = time.perf_counter()
        first: list[float] = []

        class Watch(QuietWatch):
            def grown(self, grown: object) -> None:
                first.append(time.perf_counter() - started) if not first else None

        result = run_watch(
            [Source("", None, str(path))], WatchOptions(once=True), TerminalPrompter(), Watch()
        )
        seconds = time.perf_counter() - started
        size = path.stat().st_size / 1e6
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"\n{result.board.points:,} points, {size:.0f} MB: first points {first[0]:.2f} s, "
        f"all {seconds:.2f} s, memory {memory:.0f} MB"
    )


def line_to_page(times: int) -> None:
    """Median seconds from a line written on a host to its name on the page."""
    from tests.lab.browser import Browser
    from tests.lab.hosts import ChrootHost
    from tests.lab.person import Person
    from tests.lab.relay import Relay

    for delay in (0.0, 0.025):
        with (
            ChrootHost("bookworm", "bare") as host,
            Person() as person,
            Relay(host.port, delay=delay) as relay,
        ):
            person.alias("gpu", host, port=relay.port)
            log = host.root / "home/ana/train.log"
            log.write_text("".join(f"step={at} loss=1\n" for at in range(100)), encoding="utf-8")
            watching = person.popen(person.x11fwd("watch", "--no-browser", "gpu:train.log"))
            assert watching.stderr is not None
            address = ""
            while not address:
                found = re.search(r"http://127\.0\.0\.1:\d+/\S+", watching.stderr.readline().decode())
                address = found.group() if found else ""
            taken = []
            with Browser() as browser:
                tab = browser.open(address)
                tab.wait("document.querySelectorAll('.js-plotly-plot').length > 0")
                for at in range(times):
                    before = time.perf_counter()
                    with log.open("a", encoding="utf-8") as file:
                        file.write(f"step={100 + at} metric_{at}_loss=1\n")
                    tab.wait(f"document.body.innerText.includes('metric_{at}_loss')")
                    taken.append(time.perf_counter() - before)
            watching.terminate()
            watching.wait(20)
            print(f"line to page, {2000 * delay:.0f} ms round trip: median {statistics.median(taken):.3f} s")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.watch", description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--points", type=int, default=10_000_000)
    parser.add_argument("--lines", type=int, default=0, metavar="TIMES")
    asked = parser.parse_args()
    formats(asked.rows)
    ten_million(asked.points)
    if asked.lines:
        line_to_page(asked.lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
