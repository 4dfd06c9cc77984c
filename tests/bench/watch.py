"""`python -m tests.bench watch`: points a second by format, ten million points to their chart, line to page.

`python -m tests.bench.watch` takes options; `--lines 0` needs neither root nor the lab.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
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
            f"\rEpoch 1/3: {at * 100 // 999999:3d}%|{'#' * (at * 10 // 999999):10}| {at}/999999 "
            f"[00:{at // 9500 % 60:02d}<01:45, {9400 + at % 97}.{at % 100:02d}it/s, "
            f"loss={_loss(at):.4f}, acc=0.5]"
        ),
        r"(\d+)/\d+ \[.*?loss=([\d.]+), acc=([\d.]+)",
        "",
    ),
}


def formats(rows: int, runs: int) -> None:
    """Every format in turn against the loop, `runs` times; the medians."""
    print("\n| format | MB | million points/s | plain loop | times |\n|---|---|---|---|---|")
    for name, (line, pattern, head) in FORMATS.items():
        data = (head + "".join(map(line, range(rows)))).encode()
        ours, theirs, ratios = [], [], []
        for _ in range(runs):
            seconds, points = read(data)
            started = time.process_time()
            plain = plain_loop(data, pattern)
            ours.append(points / seconds / 1e6)
            theirs.append(plain / (time.process_time() - started) / 1e6)
            ratios.append(ours[-1] / theirs[-1])
        speed, other, ratio = map(statistics.median, (ours, theirs, ratios))
        print(f"| {name} | {len(data) / 1e6:.1f} | {speed:.2f} | {other:.2f} | {ratio:.2f} |", flush=True)


def tensorboard(rows: int) -> None:
    """TensorBoard's own loading of as many points, where it is installed beside the other peers."""
    python = Path(os.environ.get("X11FWD_BENCH_PEERS", Path(sys.executable).parent)) / "python"
    script = Path(__file__).parent / "peers/tensorboard_points.py"
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [str(python), str(script), folder, str(rows)], capture_output=True, text=True, check=False
        )
    if done.returncode:
        print("\nnot measured, not installed: tensorboard")
        return
    version, seconds, points = done.stdout.split()
    print(
        f"\nTensorBoard {version} loads {int(points):,} points in {float(seconds):.1f} s of CPU: "
        f"{int(points) / float(seconds) / 1e6:.2f} million points/s",
        flush=True,
    )


def read(data: bytes) -> tuple[float, int]:
    """Seconds of this core from bytes to curves that can be drawn, and the points."""
    started = time.process_time()
    reader, board = LogReader(), Board([""])
    for at in range(0, len(data), _CHUNK):
        for block in reader.feed(data[at : at + _CHUNK]):
            board.add(0, block)
    for block in reader.finish():
        board.add(0, block)
    return time.process_time() - started, board.points


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
    """From the start of the command to a chart in Chromium that says it has all of them."""
    from tests.lab.browser import Browser

    rows = points // 4
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.csv"
        with path.open("w", encoding="utf-8") as file:
            file.write("step,loss,val_loss,acc,lr\n")
            for at in range(rows):
                file.write(f"{at},{_loss(at):.5f},{_loss(at):.4f},{at / rows:.4f},1e-4\n")
        command = [sys.executable, "-m", "x11fwd", "watch", "--no-browser", str(path)]
        with Browser() as browser:
            started = time.perf_counter()
            with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as watching:
                try:
                    tab = browser.open(_address(watching))
                    tab.wait(f"{_LABEL}?.includes('points')", 60.0)
                    first = time.perf_counter() - started
                    tab.wait(f"{_LABEL}?.includes({_counted(2 * rows)})", 120.0)
                    seconds = time.perf_counter() - started
                    peak = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{watching.pid}/status").read_text())
                    spent = Path(f"/proc/{watching.pid}/stat").read_text().rpartition(")")[2].split()
                    cpu = (int(spent[11]) + int(spent[12])) / os.sysconf("SC_CLK_TCK")
                    memory = int(peak[1]) / 1024 if peak else 0
                finally:
                    watching.terminate()
        size = path.stat().st_size / 1e6
    print(
        f"\n{4 * rows:,} points, {size:.0f} MB: first chart {first:.2f} s, all of them drawn "
        f"{seconds:.2f} s ({cpu:.2f} s of CPU), memory {memory:.0f} MB",
        flush=True,
    )


_LABEL = "document.querySelector('.tile.chart .drawing')?.getAttribute('aria-label')"


def _counted(points: int) -> str:
    return json.dumps(f" {points:,} points")


def _address(watching: subprocess.Popen[bytes]) -> str:
    assert watching.stderr is not None
    while line := watching.stderr.readline().decode():
        found = re.search(r"http://127\.0\.0\.1:\d+/\S+", line)
        if found is not None:
            return found.group()
    raise RuntimeError("x11fwd watch ended at once")


def line_to_page(times: int) -> None:
    """Seconds from a line written on a host to its point drawn in Chromium."""
    from tests.lab.browser import Browser
    from tests.lab.hosts import ChrootHost
    from tests.lab.person import Person
    from tests.lab.relay import Relay

    for delay, sh in ((0.0, False), (0.025, False), (0.0, True)):
        with (
            ChrootHost("bookworm", "bare") as host,
            Person() as person,
            Relay(host.port, delay=delay) as relay,
        ):
            if sh:
                host.check(["sh", "-c", "rm /usr/bin/python3*"])
            person.alias("gpu", host, port=relay.port)
            log = host.root / "home/ana/train.log"
            log.write_text("".join(f"step={at} loss=1\n" for at in range(100)), encoding="utf-8")
            watching = person.popen(person.x11fwd("watch", "--no-browser", "gpu:train.log"))
            taken = []
            with Browser() as browser:
                tab = browser.open(_address(watching))
                tab.wait(f"{_LABEL}?.includes({_counted(100)})")
                for at in range(100, 100 + times):
                    before = time.perf_counter()
                    with log.open("a", encoding="utf-8") as file:
                        file.write(f"step={at} loss={1 / at}\n")
                    tab.wait(f"{_LABEL}?.includes({_counted(at + 1)})")
                    taken.append(time.perf_counter() - before)
            watching.terminate()
            watching.wait(20)
        where = "loopback" if not delay else f"{2000 * delay:.0f} ms round trip"
        print(
            f"line written to point drawn, {where}{', a host without Python' if sh else ''}: "
            f"median {statistics.median(taken):.3f} s, longest of {times} {max(taken):.3f} s",
            flush=True,
        )


def compare(runs: int, *, rows: int = 200_000, points: int = 10_000_000, lines: int = 20) -> None:
    """All of it."""
    formats(rows, runs)
    tensorboard(rows)
    print(f"load {os.getloadavg()[0]:.1f}")
    ten_million(points)
    if lines:
        line_to_page(lines)
    print(f"load {os.getloadavg()[0]:.1f}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.watch", description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--points", type=int, default=10_000_000)
    parser.add_argument("--lines", type=int, default=20, metavar="TIMES")
    asked = parser.parse_args()
    compare(asked.runs, rows=asked.rows, points=asked.points, lines=asked.lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
