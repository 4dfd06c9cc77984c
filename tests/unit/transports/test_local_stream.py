"""A running program's streams, with threads that write, read and close at the same time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from x11fwd.errors import ConnectionLost
from x11fwd.transports import local
from x11fwd.transports.local import LocalStream, LocalTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LIMIT = 60.0  # seconds, on a machine however busy
DEAF = (sys.executable, "-c", "import time; print('here', flush=True); time.sleep(600)")

COUNTS_WHEN_TOLD = """
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
print("here", flush=True)
signal.sigwait({signal.SIGUSR1})
print(len(sys.stdin.buffer.read()), flush=True)
"""


@pytest.fixture
def stream() -> Iterator[Callable[..., LocalStream]]:
    opened: list[LocalStream] = []

    def make(*argv: str) -> LocalStream:
        opened.append(LocalTransport().stream(argv))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def line_of(one: LocalStream) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        line += one.read(1, LIMIT)
    return line


def in_time(work: Callable[[], object]) -> None:
    """It comes to an end; a thread's, so that one that does not is seen."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(LIMIT)
    assert not thread.is_alive()


def writing(one: LocalStream) -> tuple[threading.Thread, list[ConnectionLost]]:
    """A thread that writes more than the program takes, and waits for it by now."""
    problems: list[ConnectionLost] = []
    waiting = threading.Event()

    def write() -> None:
        try:
            one.write(b"x" * (1 << 20))
        except ConnectionLost as error:
            problems.append(error)

    was = local._wait_writable

    def wait(descriptor: int, timeout: float) -> None:
        waiting.set()
        was(descriptor, timeout)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local, "_wait_writable", wait)
        thread = threading.Thread(target=write, daemon=True)
        thread.start()
        assert waiting.wait(LIMIT)
    return thread, problems


def test_what_a_program_does_not_take_holds_up_no_close(stream: Callable[..., LocalStream]) -> None:
    # a line that is frozen, with an upload under way: it is closed to make a new one
    one = stream(*DEAF)
    assert line_of(one) == b"here\n"
    thread, problems = writing(one)
    in_time(one.close)
    thread.join(LIMIT)
    assert [str(error) for error in problems] == ["the stream was closed"]


def test_the_end_of_what_is_written_comes_behind_it_and_is_not_waited_for(
    stream: Callable[..., LocalStream],
) -> None:
    one = stream(sys.executable, "-c", COUNTS_WHEN_TOLD)
    assert line_of(one) == b"here\n"
    thread, problems = writing(one)
    in_time(one.close_write)
    os.kill(one._process.pid, signal.SIGUSR1)
    thread.join(LIMIT)
    assert (line_of(one), problems) == (b"1048576\n", [])
    with pytest.raises(ConnectionLost):
        one.write(b"more")


def test_ctrl_c_in_a_write_leaves_nothing_that_closing_would_have_to_write(
    stream: Callable[..., LocalStream], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = stream(*DEAF)
    assert line_of(one) == b"here\n"

    def interrupted(_descriptor: int, _timeout: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(local, "_wait_writable", interrupted)
    with pytest.raises(KeyboardInterrupt):
        one.write(b"x" * (1 << 20))
    in_time(one.close)


def test_last_words_are_there_however_late_the_thread_that_reads_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(LocalStream, "_read_errors", lambda _self: None)
    process = subprocess.Popen(
        ["sh", "-c", "echo last words >&2"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    one = LocalStream(process)
    assert one.read(10, LIMIT) == b""
    one.wait(LIMIT)
    assert one.stderr() == b"last words\n"
    one.close()
    assert one.stderr() == b"last words\n"


def test_who_still_reads_what_was_closed_takes_nothing_of_whoever_has_its_number_now(
    stream: Callable[..., LocalStream], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = stream("sh", "-c", "echo here; exec sleep 600")
    number = one._stdout.fileno()
    was = local.wait_readable
    theirs: list[int] = []

    def late(descriptor: int, timeout: float | None) -> bool:
        ready = was(descriptor, timeout)
        if descriptor == number and not theirs:
            monkeypatch.setattr(local, "wait_readable", was)
            one.close()
            reading, writing = os.pipe()
            os.write(writing, b"theirs")
            theirs.extend((reading, writing))
            os.dup2(reading, number)
        return ready

    monkeypatch.setattr(local, "wait_readable", late)
    assert one.read(100, LIMIT) == b""
    assert os.read(number, 100) == b"theirs"
    for descriptor in {number, *theirs}:
        os.close(descriptor)


class Poll:
    """Nothing to read until the sixth look."""

    looks: list[float | None]

    def register(self, *_words: object) -> None: ...

    def poll(self, timeout: float | None = None) -> list[int]:
        self.looks.append(timeout)
        return [1] if len(self.looks) == 6 else []


@pytest.mark.parametrize("limit", [None, 3600.0])
def test_the_main_thread_never_waits_long_at_a_time(
    monkeypatch: pytest.MonkeyPatch, limit: float | None
) -> None:
    # handlers run between two steps of Python: a signal that comes just before a wait is not heard in it
    Poll.looks = []
    monkeypatch.setattr("select.poll", Poll)
    assert local.wait_readable(0, limit)
    assert [one is not None and one <= 500 for one in Poll.looks] == [True] * 6


def test_a_wait_that_is_over_is_over(stream: Callable[..., LocalStream]) -> None:
    one = stream(*DEAF)
    assert line_of(one) == b"here\n"
    for limit in (0.0, 0.01, 0.4):
        with pytest.raises(TimeoutError):
            one.read(1, limit)
