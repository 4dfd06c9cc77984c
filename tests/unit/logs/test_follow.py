"""Not a byte of a log is lost or doubled, whatever happens to its file and to the line."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from x11fwd.errors import ConnectionLost
from x11fwd.logs.follow import Follower, Happening, follow_command
from x11fwd.transports.local import LocalTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

WRITER = """
import logging, logging.handlers, sys
class Plain(logging.handlers.RotatingFileHandler):
    pass
handler = Plain(sys.argv[1], maxBytes=int(sys.argv[3]), backupCount=1000)
handler.setFormatter(logging.Formatter("%(message)s"))
for at in range(int(sys.argv[2])):
    handler.emit(logging.LogRecord("", 20, "", 0, "step=%d loss=0.5" % at, (), None))
"""


# Who follows over there: Python, or the shell of a machine that has none.
HALVES = {"python": follow_command(), "sh": ("sh", "-c", follow_command()[-1])}
half: Sequence[str] = HALVES["python"]


@pytest.fixture(autouse=True, params=HALVES)
def other_half(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test here is run with each."""
    global half  # noqa: PLW0603  the tests' own setting
    half = HALVES[request.param]
    yield
    half = HALVES["python"]


class Watched:
    """A followed file, and everything that came of it."""

    def __init__(self, *paths: Path) -> None:
        self.follower = Follower([str(path) for path in paths])
        self.data = [b"" for _ in paths]
        self.news: list[Happening] = []
        self.attach()

    def attach(self) -> None:
        self.follower.attach(LocalTransport().stream(half))

    def until(self, done: Callable[[], bool], limit: float = 90.0) -> None:
        end = time.monotonic() + limit
        while not done():
            assert time.monotonic() < end, (self.news, [one[-200:] for one in self.data])
            for arrival in self.follower.arrivals(90.0):
                if arrival.what is Happening.DATA:
                    self.data[arrival.file] += arrival.data
                else:
                    self.news.append(arrival.what)

    def until_data(self, data: bytes, file: int = 0) -> None:
        self.until(lambda: len(self.data[file]) >= len(data))
        assert self.data[file] == data

    def drop(self) -> None:
        self.follower.detach()


def test_a_file_is_read_from_its_start_and_as_it_grows(tmp_path: Path) -> None:
    log = tmp_path / "a b.log"
    log.write_bytes(b"one\n")
    watched = Watched(log)
    watched.until(lambda: Happening.READ in watched.news)
    with log.open("ab") as file:
        file.write(b"two\n")
    watched.until_data(b"one\ntwo\n")
    watched.drop()


def test_a_file_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    log = tmp_path / "later.log"
    watched = Watched(log)
    watched.until(lambda: Happening.MISSING in watched.news)
    log.write_bytes(b"one\n")
    watched.until_data(b"one\n")
    watched.drop()


def test_a_truncated_file_begins_again(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_bytes(b"step=1 loss=2\n" * 10)
    watched = Watched(log)
    watched.until(lambda: Happening.READ in watched.news)
    log.write_bytes(b"step=0 loss=9\n")
    watched.until_data(b"step=1 loss=2\n" * 10 + b"step=0 loss=9\n")
    assert Happening.TRUNCATED in watched.news
    watched.drop()


def test_a_file_that_was_emptied_and_has_outgrown_its_old_size_begins_again(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_bytes(b"step=1 loss=2\n" * 10)
    watched = Watched(log)
    watched.until(lambda: Happening.READ in watched.news)
    watched.drop()
    log.write_bytes(b"step=0 loss=9\n" * 50)
    watched.attach()
    watched.until_data(b"step=1 loss=2\n" * 10 + b"step=0 loss=9\n" * 50)
    watched.drop()


def test_copytruncate_loses_nothing_that_is_in_the_copy(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    lines = [f"step={at} loss=0.5\n".encode() for at in range(60)]
    log.write_bytes(b"".join(lines[:20]))
    watched = Watched(log)
    watched.until(lambda: Happening.READ in watched.news)
    watched.drop()
    (tmp_path / "train.log.1").write_bytes(b"".join(lines[:40]))
    log.write_bytes(b"".join(lines[40:]))
    watched.attach()
    watched.until_data(b"".join(lines))
    watched.drop()


def test_a_dropped_line_over_three_rotations_costs_nothing(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    lines = [f"step={at} loss=0.5\n".encode() for at in range(100)]
    log.write_bytes(b"".join(lines[:20]))
    watched = Watched(log)
    watched.until(lambda: Happening.READ in watched.news)
    watched.drop()
    with log.open("ab") as file:
        file.write(b"".join(lines[20:30]))
    for at in (30, 50, 70):
        for number in (3, 2, 1):
            old = tmp_path / f"train.log.{number}"
            if old.exists():
                old.rename(tmp_path / f"train.log.{number + 1}")
        log.rename(tmp_path / "train.log.1")
        log.write_bytes(b"".join(lines[at : at + 20]))
    with log.open("ab") as file:
        file.write(b"".join(lines[90:]))
    watched.attach()
    watched.until_data(b"".join(lines))
    watched.drop()


def test_a_writer_that_has_not_noticed_the_rotation_is_still_heard(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    with log.open("ab", buffering=0) as file:
        file.write(b"one\n")
        watched = Watched(log)
        watched.until(lambda: Happening.READ in watched.news)
        log.rename(tmp_path / "train.log.1")
        log.touch()
        file.write(b"two\n")
        watched.until_data(b"one\ntwo\n")
        log.write_bytes(b"three\n")
        watched.until_data(b"one\ntwo\nthree\n")
    watched.drop()


def test_a_job_that_replaces_its_log_is_followed(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_bytes(b"one\n")
    watched = Watched(log)
    watched.until(lambda: Happening.READ in watched.news)
    new = tmp_path / "new"
    new.write_bytes(b"two\n")
    new.replace(log)
    watched.until_data(b"one\ntwo\n")
    watched.drop()


def test_a_file_with_a_strange_name_is_followed_through_its_rotation(tmp_path: Path) -> None:
    log = tmp_path / "a'b $x *é.log"
    log.write_bytes(b"one\n")
    watched = Watched(log)
    watched.until(lambda: Happening.READ in watched.news)
    log.rename(tmp_path / "a'b $x *é.log.1")
    log.write_bytes(b"two\n")
    watched.until_data(b"one\ntwo\n")
    assert Happening.ROTATED in watched.news
    watched.drop()


def test_dated_and_numbered_names_are_read_oldest_first(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_bytes(b"1\n")
    watched = Watched(log)
    watched.until(lambda: Happening.READ in watched.news)
    watched.drop()
    log.rename(tmp_path / "train-20240101.log")
    for name, data in (("train-20240102.log", b"2\n"), ("train-20240103.log", b"3\n"), ("train.log", b"4\n")):
        (tmp_path / name).write_bytes(data)
    watched.attach()
    watched.until_data(b"1\n2\n3\n4\n")
    watched.drop()


def test_rows_in_an_old_file_do_not_wait_for_the_newest_to_have_one(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_bytes(b"1\n")
    watched = Watched(log)
    watched.until(lambda: Happening.READ in watched.news)
    watched.drop()
    log.rename(tmp_path / "train.log.3")
    (tmp_path / "train.log.2").write_bytes(b"2\n")
    (tmp_path / "train.log.1").touch()
    log.touch()
    watched.attach()
    watched.until_data(b"1\n2\n")
    watched.drop()


def test_what_was_deleted_while_the_line_was_down_is_said_to_be_lost(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_bytes(b"one\n")
    watched = Watched(log)
    watched.until(lambda: Happening.READ in watched.news)
    watched.drop()
    (tmp_path / "new").write_bytes(b"another one\n")
    (tmp_path / "new").replace(log)
    watched.attach()
    watched.until_data(b"one\nanother one\n")
    assert Happening.LOST in watched.news
    watched.drop()


def test_several_files_come_over_one_stream(tmp_path: Path) -> None:
    logs = [tmp_path / f"{at}.csv" for at in range(3)]
    for at, log in enumerate(logs):
        log.write_bytes(b"%d\n" % at * 1000)
    watched = Watched(*logs)
    for at in range(3):
        watched.until_data(b"%d\n" % at * 1000, at)
    watched.drop()


@pytest.mark.parametrize("count", [60_000])
def test_rotation_under_load_and_a_line_that_drops_lose_and_double_nothing(
    tmp_path: Path, count: int
) -> None:
    log = tmp_path / "train.log"
    log.touch()
    watched = Watched(log)
    rng = random.Random(1)
    with subprocess.Popen([sys.executable, "-c", WRITER, str(log), str(count), "100000"]) as writer:
        expected = b"".join(b"step=%d loss=0.5\n" % at for at in range(count))
        while len(watched.data[0]) < len(expected):
            goal = min(len(expected), len(watched.data[0]) + rng.randrange(1, 400_000))
            watched.until(lambda goal=goal: len(watched.data[0]) >= goal, 60.0)  # type: ignore[misc]
            watched.drop()
            watched.attach()
        assert writer.wait(120) == 0
    assert watched.data[0] == expected
    watched.drop()


def test_the_far_half_ends_when_nobody_listens(tmp_path: Path) -> None:
    stream = LocalTransport().stream(half)
    stream.write(b"\n")
    assert stream.read(2, 90.0) == b"P\n"  # it says so every few seconds
    stream.close_write()
    assert stream.wait(90.0) == 0
    stream.close()


def test_a_follower_without_a_stream_says_that_there_is_no_connection() -> None:
    with pytest.raises(ConnectionLost):
        Follower(["x"]).arrivals(0.1)
