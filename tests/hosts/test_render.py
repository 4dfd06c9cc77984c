"""`x11fwd render --on`: a real host's cores draw, the pictures come here."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import x11fwd
from tests.lab.browser import Browser
from tests.lab.hosts import Setup
from tests.lab.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.lab.hosts import ChrootHost
    from tests.lab.person import Person

PLOTS = """
import time
from shades import COLOUR
def draw(number, figure):
    if number == 3:
        raise ValueError("three is bad")
    figure.subplots().plot([0, number], color=COLOUR)
def steady(number, figure):
    time.sleep(0.05)
    draw(number + 10, figure)
"""
# the first pixel says which figure it is
WAVES = """
import matplotlib.pyplot as plt
import numpy as np
def wave(number, city):
    x = np.linspace(0, 12, 200)
    figure, axes = plt.subplots(figsize=(3.2, 2.4))
    axes.plot(x, np.sin(x + number / 9) * np.exp(-x / (3 + number / 40)))
    axes.fill_between(x, np.cos(x - number / 7) / 3, alpha=0.3, color="C%d" % (number % 10))
    axes.set(title="%s, day %d" % (city, number + 1), ylim=(-1, 1))
    mark = plt.Rectangle((0, 0.99), 0.01, 0.01, transform=figure.transFigure, antialiased=False,
                         facecolor=(number % 256 / 255, number // 256 / 255, 77 / 255))
    figure.add_artist(mark)
    return figure
"""
CITIES = ("Kiruna", "Umeå", "Visby", "Malmö")

# read now: the tests' clean environment takes it away
PICTURES = os.environ.get("X11FWD_PICTURES", "")
CLEAN = {**os.environ, "PYTHONPATH": str(Path(x11fwd.__file__).parent.parent)}

# folders, and programs of ana's other than sshd (a chroot host shares the process table, not the accounts)
LEFT = "ls -d /tmp/x11fwd-render-* 2>/dev/null; ps -u ana -o args= | grep 'forema[n]'"


def nothing_left(host: ChrootHost) -> None:
    """Soon: sshd tells the program over there that the line is gone, which ends then."""
    end = time.monotonic() + 90
    while left := host.run(["sh", "-c", LEFT], user="root")[1].strip():
        assert time.monotonic() < end, left
        time.sleep(0.1)


def ready(person: Person, count: int) -> str:
    person.write("work/plots.py", PLOTS)
    person.write("work/shades.py", 'COLOUR = "red"\n')
    person.write("work/args.jsonl", "".join(json.dumps({"number": n}) + "\n" for n in range(count)))
    return str(person.home / "work")


@pytest.mark.parametrize(("suite", "transport"), [("bullseye", "openssh"), ("trixie", "paramiko")])
def test_pictures_drawn_there_come_here_and_nothing_stays(
    person: Person, new_chroot_host: Callable[..., ChrootHost], suite: str, transport: str
) -> None:
    host = new_chroot_host(suite, "plot", Setup())
    person.alias("gpu", host)
    work = ready(person, 12)
    words = person.x11fwd("render", "plots.py:draw", "args.jsonl", "--on", "gpu", "--json")
    words = [*words, "--transport", transport, "-j", "2"]
    shell = ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", work, *map(str, words)]
    rc, out, err = person.run(shell, timeout=400)
    assert rc == 1, err
    told = json.loads(out)
    assert told["counts"] == {"drawn": 11, "skipped": 0, "failed": 1}
    assert [one["problem"] for one in told["figures"] if one["status"] == "failed"] == [
        "ValueError: three is bad"
    ]
    assert len(list((person.home / "work/figures").glob("*.png"))) == 11
    nothing_left(host)


def test_300_figures_drawn_there_are_seen_in_the_browser_and_not_drawn_again(
    person: Person, new_chroot_host: Callable[..., ChrootHost], tmp_path: Path
) -> None:
    host = new_chroot_host("trixie", "plot", Setup())
    person.alias("gpu", host)
    person.write("work/waves.py", WAVES)
    rows = "".join(f"{number},{CITIES[number % 4]}\n" for number in range(300))
    person.write("work/days.csv", "number,city\n" + rows)
    words = [*person.x11fwd("render", "waves:wave", "days.csv", "--on", "gpu"), "-j", "2"]
    shell = ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", str(person.home / "work"), *words]
    process = person.popen([*shell, "--view", "--no-browser"])
    try:
        assert process.stderr is not None
        said = b""
        while (address := re.search(rb"http://127\.0\.0\.1:\d+/\S+/", said)) is None:
            part = os.read(process.stderr.fileno(), 4096)
            assert part, said
            said = (said + part).replace(b"\n", b"")
        with Browser() as browser:
            tab = browser.open(address[0].decode())
            tab.wait("document.querySelectorAll('.tile').length > 5", limit=180)  # while others are drawn
            tab.wait("document.title.startsWith('(300) ')", limit=180)
            assert tab.evaluate("document.querySelectorAll('.tile').length") == 300
            first = """(async () => {
                const found = {};
                for (const one of document.querySelectorAll('.tile img')) {
                    one.loading = "eager";
                    await one.decode();
                    const canvas = document.createElement("canvas").getContext("2d");
                    canvas.drawImage(one, 0, 0);
                    found[one.alt.slice(0, 8)] = [...canvas.getImageData(0, 0, 1, 1).data];
                }
                return found;
            })()"""
            seen = tab.evaluate(first)
            assert seen == {f"{n:04d}.png": [n % 256, n // 256, 77, 255] for n in range(300)}
            pictures = Path(PICTURES or tmp_path)
            tab.evaluate("window.scrollTo(0, 0)")
            tab.screenshot(pictures / "render.png")
            tab.colours("dark")
            tab.size(390, 800, phone=True)
            assert tab.evaluate("document.documentElement.scrollWidth") <= 390
            tab.screenshot(pictures / "render-phone.png")
    finally:
        process.terminate()
        process.communicate(timeout=180)
    rc, out, err = person.run([*shell, "--json"], timeout=400)
    assert rc == 0, err
    assert json.loads(out)["counts"] == {"drawn": 0, "skipped": 300, "failed": 0}
    nothing_left(host)


def test_a_silent_line_is_taken_for_lost_and_what_is_here_is_not_drawn_again(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host("trixie", "plot", Setup())
    with Relay(host.port, delay=0.005) as relay:
        # 2 s instead of 45 s until a line that says nothing is lost
        person.alias("far", host, port=relay.port, lines="ServerAliveInterval 1\nServerAliveCountMax 2")
        work = ready(person, 60)
        words = person.x11fwd("render", "plots:steady", "args.jsonl", "--on", "far", "-j", "1")
        shell = ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", work, *map(str, words)]
        process = person.popen(shell)
        assert process.stderr is not None
        end = time.monotonic() + 180
        figures = person.home / "work/figures"
        while not (figures.is_dir() and len(list(figures.glob("*.png"))) > 5):
            assert time.monotonic() < end
            assert process.poll() is None
            time.sleep(0.02)
        relay.freeze()
        said = b""
        while b"trying again" not in said:
            part = os.read(process.stderr.fileno(), 4096)
            assert part, said
            said += part
        before = {path: path.stat().st_mtime_ns for path in figures.glob("*.png")}
        relay.thaw()
        _, err = process.communicate(timeout=400)
    assert process.returncode == 0, said + err
    assert len(list(figures.glob("*.png"))) == 60
    assert {path: path.stat().st_mtime_ns for path in before} == before
    nothing_left(host)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 400 kB, with work/plots.py beside it."""
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "x11fwd-lab", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_is_a_sentence_and_with_room_the_rest_is_drawn(small_disk: Path, tmp_path: Path) -> None:
    (tmp_path / "noise.py").write_text(
        "import numpy as np\ndef noise(n, figure):\n    figure.figimage(np.random.rand(150, 200))\n"
    )
    (tmp_path / "args.jsonl").write_text("".join(f"[{n}]\n" for n in range(12)))
    (small_disk / "other").write_bytes(b"x" * 100_000)
    words = [sys.executable, "-m", "x11fwd", "render", "noise:noise", "args.jsonl", "-o", str(small_disk)]

    def rendered() -> subprocess.CompletedProcess[str]:
        return subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False, env=CLEAN)

    ran = rendered()
    said = " ".join(ran.stderr.split())
    assert ran.returncode == 1, said
    # the sentence is broken into lines of 80 columns, a long path too
    assert f"the disk of {small_disk} is full".replace(" ", "") in said.replace(" ", "")
    assert "Traceback" not in said
    whole = sorted(small_disk.glob("*.png"))
    assert 0 < len(whole) < 12
    assert all(path.read_bytes().endswith(b"IEND\xaeB`\x82") for path in whole)
    assert list(small_disk.glob(".*part")) == []
    (small_disk / "other").unlink()
    subprocess.run(["mount", "-o", "remount,size=4m", small_disk], check=True)
    kept = {path: path.stat().st_mtime_ns for path in whole[:-1]}
    ran = rendered()
    assert ran.returncode == 0, ran.stderr
    assert len(list(small_disk.glob("*.png"))) == 12
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_a_dropped_line_is_taken_up_again_and_no_figure_is_missing(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host("trixie", "plot", Setup())
    with Relay(host.port, delay=0.005) as relay:
        person.alias("far", host, port=relay.port)
        work = ready(person, 60)
        words = person.x11fwd("render", "plots:steady", "args.jsonl", "--on", "far", "--json", "-j", "1")
        shell = ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", work, *map(str, words)]
        process = person.popen(shell)
        end = time.monotonic() + 180
        figures = person.home / "work/figures"
        while not (figures.is_dir() and len(list(figures.glob("*.png"))) > 5):
            assert time.monotonic() < end
            assert process.poll() is None
            time.sleep(0.02)
        relay.cut()
        out, err = process.communicate(timeout=400)
    assert process.returncode == 0, err
    assert json.loads(out)["counts"]["drawn"] == 60
    nothing_left(host)  # neither of the run that was cut off nor of the one that ended
