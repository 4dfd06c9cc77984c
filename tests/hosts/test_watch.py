"""`x11fwd watch` against real hosts: nothing lost, doubled or left behind, and drawn in a real browser."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.lab.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.lab.hosts import ChrootHost
    from tests.lab.person import Person

# Writes `count` rows, turns the log over at 2 MB as logging.RotatingFileHandler does, ends with a NaN.
WRITER = """
import os, sys, time
path, count = sys.argv[1], int(sys.argv[2])
file, size = open(path, "w"), 0
for at in range(count):
    size += file.write("step=%d loss=0.5\\n" % at)
    if at % 2000 == 0:
        file.flush()
        time.sleep(0.01)
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


def until(true: Callable[[], bool], limit: float = 60.0) -> None:
    end = time.monotonic() + limit
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def series_of(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for run in document["runs"] for one in run["series"]}


def test_a_log_over_there_is_read_and_nothing_stays_behind(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host("bookworm", "bare")
    person.alias("gpu", host)
    host.write("/home/ana/a b.csv", "step,loss,acc\n" + "".join(f"{at},0.{at},1\n" for at in range(1, 50)))
    ran = person.run(person.x11fwd("watch", "--json", "gpu:a b.csv", "gpu:not there"))
    assert ran.rc == 0, ran.stderr
    document = json.loads(ran.stdout)
    assert [(log["state"], log["formats"]) for log in document["logs"]] == [
        ("live", {"csv": 49}),
        ("not there", {}),
    ]
    assert {name: one["points"] for name, one in series_of(document).items()} == {"loss": 49, "acc": 49}
    assert "python" not in host.run(["ps", "-u", "ana", "-o", "comm="])[1]


def test_a_million_points_with_rotation_under_load_and_a_line_that_is_cut(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host("bookworm", "bare")
    count = 1_000_000
    with Relay(host.port, delay=0.005) as relay:
        person.alias("far", host, port=relay.port)
        writer = host.popen(["python3", "-c", WRITER, "/home/ana/train.log", str(count)], user="ana")
        until(lambda: (host.root / "home/ana/train.log").exists())
        watching = person.popen(person.x11fwd("watch", "--json", "--alert", "nan", "far:train.log"))
        until(lambda: "python3" in host.run(["pgrep", "-a", "-u", "ana", "-f", "ROTATED"])[1])
        host.write("/home/ana/train.log-go", "")
        for _ in range(3):
            before = relay.counts().bytes_down
            until(lambda before=before: relay.counts().bytes_down > before + 4_000_000)  # type: ignore[misc]
            relay.cut()
        out, err = watching.communicate(timeout=240)
        assert writer.wait(60) == 0
    document = json.loads(out)
    assert document["alarm"]["text"] == f"loss is NaN at step {count:g}", err
    loss = series_of(document)["loss"]
    assert (loss["points"], loss["not_finite"], loss["first"][0], loss["last"][0]) == (
        count + 1,
        1,
        0,
        count - 1,
    )
    assert [run["number"] for run in document["runs"]] == [1]


def test_a_line_that_is_dead_for_30_seconds_is_taken_up_again(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host("bookworm", "bare")
    log = host.root / "home/ana/train.log"
    log.write_text("step=0 loss=1\n", encoding="utf-8")
    with Relay(host.port, delay=0.005) as relay:
        person.alias("far", host, port=relay.port)
        watching = person.popen(person.x11fwd("watch", "--json", "--alert", "nan", "far:train.log"))
        until(lambda: "python3" in host.run(["pgrep", "-a", "-u", "ana", "-f", "ROTATED"])[1])
        relay.freeze()
        with log.open("a", encoding="utf-8") as file:
            for at in range(1, 100):
                file.write(f"step={at} loss=0.5\n")
        time.sleep(30)  # the fault itself
        relay.thaw()
        with log.open("a", encoding="utf-8") as file:
            file.write("step=100 loss=nan\n")
        out, err = watching.communicate(timeout=90)
    document = json.loads(out)
    assert (document["exit_code"], series_of(document)["loss"]["points"]) == (1, 101), err


@pytest.mark.parametrize("logs", [("gpu:train.log", "gpu:runs/b.jsonl")])
def test_the_page_shows_the_curves_and_a_new_line_at_once(
    person: Person, new_chroot_host: Callable[..., ChrootHost], tmp_path: Path, logs: tuple[str, ...]
) -> None:
    from tests.lab.browser import Browser

    host = new_chroot_host("bookworm", "bare")
    person.alias("gpu", host)
    rows = [(at, 1 / (1 + at / 50), 1.1 / (1 + at / 40)) for at in range(300)]
    host.write(
        "/home/ana/train.log", "".join(f"step={a} loss={b:.4f} val_loss={c:.4f}\n" for a, b, c in rows)
    )
    host.check(["mkdir", "-p", "/home/ana/runs"])
    host.write(
        "/home/ana/runs/b.jsonl",
        "".join(json.dumps({"step": a, "loss": b * 1.3, "acc": 1 - b}) + "\n" for a, b, _ in rows),
    )
    watching = person.popen(person.x11fwd("watch", "--no-browser", *logs))
    assert watching.stderr is not None
    address = ""
    while not address:
        line = watching.stderr.readline().decode()
        assert line, "it ended"
        found = re.search(r"http://127\.0\.0\.1:\d+/\S+", line)
        address = found.group() if found else ""
    with Browser() as browser:
        tab = browser.open(address)
        tab.wait("document.body.innerText.includes('accuracy')")
        tab.wait("document.querySelectorAll('.js-plotly-plot, canvas, .plot svg').length > 0")
        before = tab.evaluate("document.body.innerText")
        started = time.monotonic()
        with (host.root / "home/ana/train.log").open("a", encoding="utf-8") as file:
            file.write("step=300 brandnew_metric=1\n")
        tab.wait("document.body.innerText.includes('brandnew_metric')")
        print(f"line to page {time.monotonic() - started:.3f} s")
        assert "val_loss" in before or "loss" in before
        time.sleep(1)
        tab.screenshot(tmp_path / "watch.png")
        print(tmp_path / "watch.png")
    watching.terminate()
    watching.wait(20)
