"""`x11fwd watch` against real hosts: nothing lost, doubled or left behind, and drawn in a real browser."""

from __future__ import annotations

import json
import os
import re
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.lab.browser import Browser
from tests.lab.relay import Relay
from tests.lab.setup import Setup

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from tests.lab.browser import Tab
    from tests.lab.hosts import ChrootHost
    from tests.lab.person import Person

# A folder for the pictures of the README; read here, because each test has a clean environment.
PICTURES = os.environ.get("X11FWD_PICTURES", "")
PYTHON = "/opt/hidden/python3"  # where a host without Python has one for the writer
# Writes `count` rows, turns the log over at 2 MB as logging.RotatingFileHandler does, ends with a NaN.
WRITER = """
import os, sys, time
path, count = sys.argv[1], int(sys.argv[2])
file, size = open(path, "w"), 0
for at in range(count):
    size += file.write("step=%d loss=0.5\\n" % at)
    if at % 2000 == 0:
        file.flush()
        time.sleep(0.005)
    while at == 0 and not os.path.exists(path + "-go"):
        time.sleep(0.01)
    if size > 2000000:
        file.close()
        for number in range(60, 0, -1):
            if os.path.exists("%s.%d" % (path, number)):
                os.rename("%s.%d" % (path, number), "%s.%d" % (path, number + 1))
        os.rename(path, path + ".1")
        file, size = open(path, "w"), 0
file.write("step=%d loss=nan\\n" % count)
file.close()
"""
# x11fwd, which takes a line for dead after 3 seconds instead of 12.
IMPATIENT = """
import sys
from x11fwd.pipeline import feed
feed.SILENT = 3.0
from x11fwd.cli import main
sys.exit(main(sys.argv[1:]))
"""


def until(true: Callable[[], bool], limit: float = 240.0) -> None:
    end = time.monotonic() + limit
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def series_of(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for run in document["runs"] for one in run["series"]}


def hide_python(host: ChrootHost) -> None:
    """From now on only the writer finds one."""
    host.check(
        ["sh", "-c", "mkdir -p /opt/hidden && cp -L /usr/bin/python3 /opt/hidden && rm /usr/bin/python3*"]
    )


def follower(host: ChrootHost) -> str:
    """What reads logs for ana there: `python3`, `sh`, or nothing."""
    return host.run(["sh", "-c", "pgrep -u ana -f 'ROTATED|QUOTING_STYLE' | xargs -r ps -o comm= -p"])[1]


def reads(host: ChrootHost, path: str) -> bool:
    """Whether what reads logs for ana there has this one open."""
    each = "for one in $(pgrep -u ana -f 'ROTATED|QUOTING_STYLE'); do ls -l /proc/$one/fd; done 2>/dev/null"
    return f"-> {path}\n" in host.run(["sh", "-c", each])[1]


def test_a_log_is_read_with_and_without_python_from_a_full_disk_and_nothing_stays_behind(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host("bookworm", "bare", Setup(disk_mb=32))
    person.alias("gpu", host)
    host.write("/home/ana/a b.csv", "step,loss,acc\n" + "".join(f"{at},0.{at},1\n" for at in range(1, 50)))
    for python in (True, False):
        if not python:
            hide_python(host)
        assert host.run(["sh", "-c", "cat /dev/zero > /fill"])[0] != 0  # until it is full
        before = host.check(["ls", "-A", "/tmp", "/home/ana", "/var/tmp", "/dev/shm"])
        ran = person.run(person.x11fwd("watch", "--json", "gpu:a b.csv", "gpu:not there"))
        assert ran.rc == 0, ran.stderr
        document = json.loads(ran.stdout)
        assert [(log["state"], log["formats"]) for log in document["logs"]] == [
            ("live", {"csv": 49}),
            ("not there", {}),
        ]
        assert {name: one["points"] for name, one in series_of(document).items()} == {"loss": 49, "acc": 49}
        until(lambda: follower(host) == "")
        assert host.check(["ls", "-A", "/tmp", "/home/ana", "/var/tmp", "/dev/shm"]) == before
        host.check(["rm", "/fill"])


@pytest.mark.parametrize("half", ["python3", "sh"])
def test_a_million_points_with_rotation_under_load_and_a_line_that_is_cut(
    person: Person, new_chroot_host: Callable[..., ChrootHost], half: str
) -> None:
    host = new_chroot_host("bookworm", "bare")
    python = "python3"
    if half == "sh":
        hide_python(host)
        python = PYTHON
    count = 1_000_000
    with Relay(host.port, delay=0.005) as relay:
        person.alias("far", host, port=relay.port)
        writer = host.popen([python, "-c", WRITER, "/home/ana/train.log", str(count)], user="ana")
        until(lambda: (host.root / "home/ana/train.log").exists())
        watching = person.popen(person.x11fwd("watch", "--json", "--alert", "nan", "far:train.log"))
        # it runs before it has the log open, and what was turned over by then is not the log's any more
        until(lambda: half in follower(host) and reads(host, "/home/ana/train.log"))
        host.write("/home/ana/train.log-go", "")
        for _ in range(3):
            before = relay.counts().bytes_down
            until(lambda before=before: relay.counts().bytes_down > before + 4_000_000)  # type: ignore[misc]
            relay.cut()
        out, err = watching.communicate(timeout=500)
        assert writer.wait(240) == 0
    document = json.loads(out)
    assert document["alarm"]["text"] == f"loss is NaN at step {count:g}", err
    loss = series_of(document)["loss"]
    assert (loss["points"], loss["not_finite"], loss["first"][0], loss["last"][0]) == (
        count + 1,
        1,
        0,
        count - 1,
    )
    assert ([run["number"] for run in document["runs"]], document["losses"]) == ([1], [])


def test_a_line_that_is_dead_is_taken_up_again(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host("bookworm", "bare")
    log = host.root / "home/ana/train.log"
    log.write_text("step=0 loss=1\n", encoding="utf-8")
    with Relay(host.port, delay=0.005) as relay:
        person.alias("far", host, port=relay.port)
        watching = person.popen(
            [str(person.python), "-c", IMPATIENT, "watch", "--json", "--alert", "nan", "far:train.log"]
        )
        until(lambda: "python3" in follower(host))
        relay.freeze()
        with log.open("a", encoding="utf-8") as file:
            for at in range(1, 100):
                file.write(f"step={at} loss=0.5\n")
        connections = relay.counts().connections
        until(lambda: relay.counts().connections > connections)  # it gave the line up and made a new one
        relay.thaw()
        with log.open("a", encoding="utf-8") as file:
            file.write("step=100 loss=nan\n")
        out, err = watching.communicate(timeout=240)
    document = json.loads(out)
    assert (document["exit_code"], series_of(document)["loss"]["points"]) == (1, 101), err


@contextmanager
def watched(person: Person, *logs: str) -> Iterator[str]:
    """`x11fwd watch` of some logs; yields the address of its page."""
    watching: subprocess.Popen[bytes] = person.popen(person.x11fwd("watch", "--no-browser", *logs))
    assert watching.stderr is not None
    address = ""
    while not address:
        line = watching.stderr.readline().decode()
        assert line, "it ended"
        found = re.search(r"http://127\.0\.0\.1:\d+/\S+", line)
        address = found.group() if found else ""
    yield address
    watching.terminate()
    watching.wait(90)


def rows_of(bend: float, rows: int = 300) -> list[tuple[int, float, float]]:
    """Step, training and validation loss of a run that learns."""
    wave = [((at * 7919) % 101 - 50) / 2000 for at in range(rows)]
    return [(at, 0.1 + 2 / (1 + at / bend) + wave[at], 0.25 + 1.9 / (1 + at / bend)) for at in range(rows)]


def has(tab: Tab, words: str) -> None:
    tab.wait(f"document.body.innerText.includes({json.dumps(words)})", 180.0)


def test_two_hosts_and_a_file_of_here_in_one_page_in_two_tabs(
    person: Person, new_chroot_host: Callable[..., ChrootHost], tmp_path: Path
) -> None:
    one, other = new_chroot_host("bookworm", "bare"), new_chroot_host("bookworm", "bare")
    hide_python(other)
    person.alias("gpu1", one)
    person.alias("gpu2", other)
    one.write(
        "/home/ana/train.log",
        "".join(
            f"step={a} loss={b:.4f} val_loss={c:.4f} lr={1e-3 / (a + 1):.3g}\n" for a, b, c in rows_of(40)
        ),
    )
    other.write(
        "/home/ana/train.log",
        "".join(f"step={a} loss={b:.4f} val_loss={c:.4f}\n" for a, b, c in rows_of(15)),
    )
    local = person.write(
        "local.jsonl",
        "".join(json.dumps({"step": a, "loss": b, "accuracy": 1 - c / 3}) + "\n" for a, b, c in rows_of(80)),
    )
    logs = ("gpu1:train.log", "gpu2:train.log", str(local))
    with watched(person, *logs) as address, Browser() as browser:
        tab, second = browser.open(address), browser.open(address)
        for each in (tab, second):
            has(each, "accuracy")
            each.wait("document.querySelectorAll('.tile.chart .main-svg').length > 0", 180.0)
        label = "document.querySelector('.tile.chart .drawing').getAttribute('aria-label')"
        tab.wait(f"{label}?.includes('1,500 points')", 180.0)  # five lines of 300
        with (other.root / "home/ana/train.log").open("a", encoding="utf-8") as file:
            file.write("step=300 tokens_per_second=910\n")
        for each in (tab, second):
            has(each, "tokens_per_second")
        second.close()
        with (one.root / "home/ana/train.log").open("a", encoding="utf-8") as file:
            file.write("step=300 loss=nan\nstep=301 grad_norm=0.7\n")
        has(tab, "grad_norm")
        again = browser.open(address)
        has(again, "grad_norm")
        again.wait(f"{label}?.includes('1,501 points')", 180.0)
        port = address.split(":")[2].split("/")[0]
        ran = person.run(person.x11fwd("watch", "--no-browser", "--viewer-port", port, str(local)))
        assert (ran.rc, ran.stderr.count("Traceback"), port in ran.stderr) == (2, 0, True), ran.stderr
        pictures = Path(PICTURES or tmp_path)
        for scheme in ("light", "dark"):
            again.colours(scheme)
            again.wait("document.querySelectorAll('.tile.chart .main-svg').length > 2", 180.0)
            again.screenshot(pictures / f"watch-{scheme}.png")
        again.size(390, 800, phone=True)
        assert again.evaluate("document.documentElement.scrollWidth") <= 390
        again.screenshot(pictures / "watch-phone.png")
