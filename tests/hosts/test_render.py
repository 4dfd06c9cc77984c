"""`x11fwd render --on`: a real host's cores draw, the pictures come here."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from tests.lab.hosts import Setup
from tests.lab.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Callable

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


# folders, and programs of ana's other than sshd (a chroot host shares the process table, not the accounts)
LEFT = "ls -d /tmp/x11fwd-render-* 2>/dev/null; ps -u ana -o args= | grep 'forema[n]'"


def nothing_left(host: ChrootHost) -> None:
    """Soon: sshd tells the program over there that the line is gone, which ends then."""
    end = time.monotonic() + 20
    while left := host.run(["sh", "-c", LEFT], user="root")[1].strip():
        assert time.monotonic() < end, left
        time.sleep(0.1)


def ready(person: Person, count: int) -> str:
    person.write("work/plots.py", PLOTS)
    person.write("work/shades.py", 'COLOUR = "red"\n')
    person.write("work/args.jsonl", "".join(json.dumps({"number": n}) + "\n" for n in range(count)))
    return str(person.home / "work")


@pytest.mark.parametrize("suite", ["bullseye", "trixie"])
@pytest.mark.parametrize("transport", ["paramiko", "openssh"])
def test_pictures_drawn_there_come_here_and_nothing_stays(
    person: Person, new_chroot_host: Callable[..., ChrootHost], suite: str, transport: str
) -> None:
    host = new_chroot_host(suite, "plot", Setup())
    person.alias("gpu", host)
    work = ready(person, 12)
    words = person.x11fwd("render", "plots.py:draw", "args.jsonl", "--on", "gpu", "--json")
    words = [*words, "--transport", transport, "-j", "2"]
    shell = ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", work, *map(str, words)]
    rc, out, err = person.run(shell, timeout=120)
    assert rc == 1, err
    told = json.loads(out)
    assert told["counts"] == {"drawn": 11, "skipped": 0, "failed": 1}
    assert [one["problem"] for one in told["figures"] if one["status"] == "failed"] == [
        "ValueError: three is bad"
    ]
    assert len(list((person.home / "work/figures").glob("*.png"))) == 11
    nothing_left(host)


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
        end = time.monotonic() + 60
        figures = person.home / "work/figures"
        while not (figures.is_dir() and len(list(figures.glob("*.png"))) > 5):
            assert time.monotonic() < end
            assert process.poll() is None
            time.sleep(0.02)
        relay.cut()
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert json.loads(out)["counts"]["drawn"] == 60
    nothing_left(host)  # neither of the run that was cut off nor of the one that ended
