"""The control socket: who is told what, who may leave, and when it is over."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import threading
import time
from typing import TYPE_CHECKING, ClassVar

import pytest

from x11fwd.bridge.bootstrap.starter import Reason
from x11fwd.bridge.session.process import HOPELESS
from x11fwd.bridge.session.reception import Reception

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LIMIT = 90.0


class Half:
    """A reception on a socket of its own, with a lock that a test can hold."""

    def __init__(
        self,
        folder: Path,
        on_end: Callable[[], None] = lambda: None,
        kind: type[socket.socket] = socket.socket,
    ) -> None:
        self.path = str(folder / "c")
        listener = kind(socket.AF_UNIX)
        listener.bind(self.path)
        listener.listen(8)
        self.first, theirs = socket.socketpair()
        self.first.settimeout(LIMIT)
        self.looking = threading.Lock()
        self.stopped = threading.Event()
        self.reception = Reception(
            listener,
            theirs,
            lambda: self.looking.acquire(blocking=False),
            self.looking.release,
            self._end,
        )
        self._on_end = on_end
        self.reception.start()

    def _end(self) -> None:
        self._on_end()
        self.stopped.set()

    def call(self) -> socket.socket:
        made = socket.socket(socket.AF_UNIX)
        made.settimeout(LIMIT)
        made.connect(self.path)
        return made


@pytest.fixture
def half(tmp_path: Path) -> Iterator[Half]:
    made = Half(tmp_path)
    yield made
    made.first.close()
    assert made.stopped.wait(LIMIT)
    made.reception.join(LIMIT)
    assert not made.reception.is_alive()


def line(connection: socket.socket) -> str:
    data = b""
    while not data.endswith(b"\n"):
        more = connection.recv(1)
        if not more:
            break
        data += more
    return data.decode()


def test_every_session_hears_of_the_display_whenever_it_comes(half: Half) -> None:
    with half.call() as early:
        half.reception.ready("/m", "localhost:10.0", "/a file")
        told = "ready /m\tlocalhost:10.0\t/a file\n"
        assert line(half.first) == line(early) == told
    with half.call() as late:
        assert line(late) == told


def test_the_first_verdict_stays(half: Half) -> None:
    half.reception.ready("/m", "localhost:10.0", "/a")
    half.reception.none("/m", "too late")
    assert line(half.first).startswith("ready ")
    with half.call() as late:
        assert line(late).startswith("ready ")


def test_a_reason_stays_one_line(half: Half) -> None:
    half.reception.none("/m", "two\nlines\tand a tab", never=True)
    assert line(half.first) == "never /m\ttwo lines and a tab\n"


def test_an_ended_bridge_is_told_to_those_who_had_it_and_refused_to_those_who_come(half: Half) -> None:
    half.reception.ready("/m", "localhost:10.0", "/a")
    assert line(half.first).startswith("ready ")
    half.reception.over("/m", "it broke")
    assert line(half.first) == "say it broke\n"
    with half.call() as late:
        assert line(late) == "none /m\tit broke\n"


def test_the_last_session_leaves_when_the_last_program_has(half: Half) -> None:
    half.reception.programs(2)
    half.first.sendall(b"over\n")
    half.reception.say("a mark")
    assert line(half.first) == "say a mark\n"  # and no leave before it
    half.reception.programs(0)
    assert line(half.first) == "leave\n"


def test_a_session_leaves_at_once_while_another_one_runs(half: Half) -> None:
    half.reception.programs(1)
    with half.call() as other:
        half.reception.ready("/m", "localhost:10.0", "/a")
        line(other)
        line(half.first)
        half.first.sendall(b"over\n")
        assert line(half.first) == "leave\n"


def test_a_session_that_waits_may_leave_when_another_one_comes(half: Half) -> None:
    half.reception.programs(1)
    half.first.sendall(b"over\n")
    with half.call():
        assert line(half.first) == "leave\n"


def test_the_login_is_awaited_and_an_end_wakes_whoever_waits_for_it(half: Half) -> None:
    assert not half.reception.login.is_set()
    half.first.sendall(b"login\n")
    assert half.reception.login.wait(LIMIT)


def test_who_waits_for_the_login_is_woken_after_the_end_is_told(tmp_path: Path) -> None:
    """Or the bridge would log in by itself, just after the person has said no at the prompt."""
    seen: list[bool] = []
    made = Half(tmp_path, on_end=lambda: seen.append(made.reception.login.is_set()))
    made.first.close()
    assert made.reception.ended.wait(LIMIT)
    made.reception.join(LIMIT)
    assert seen == [False]


def test_who_waits_for_anothers_login_is_let_go_when_that_one_gives_up(half: Half) -> None:
    """It would have waited until its own patience ends, for a login that nobody makes any more."""
    with half.call() as other, half.call() as third:
        half.first.close()
        assert line(other) == line(third) == ""
        assert half.looking.locked()  # so that they find nothing of it
        assert half.stopped.wait(LIMIT)


def test_who_shares_a_login_keeps_it_when_the_first_one_leaves(half: Half) -> None:
    with half.call() as other:
        half.first.sendall(b"login\n")
        assert line(other) == "login\n"  # nobody sits at a prompt any more
        half.first.close()
        half.reception.ready("/m", "localhost:10.0", "/a")
        assert line(other).startswith("ready ")
        with half.call() as late:
            assert line(late) == "login\n"
            assert line(late).startswith("ready ")
        assert not half.stopped.is_set()


def test_it_is_not_over_while_somebody_looks_for_it(half: Half) -> None:
    with half.looking:
        half.first.sendall(b"login\n")
        half.first.close()
        with half.call() as late:
            assert line(late) == "login\n"
            half.reception.none("/m", "why")
            assert line(late).startswith("none ")
            assert not half.stopped.is_set()
    assert half.stopped.wait(LIMIT)
    assert half.looking.locked()  # it is held to the end


def test_a_session_that_floods_is_dropped_and_the_others_are_not(half: Half) -> None:
    with half.call() as hostile:
        hostile.sendall(b"x" * 9000)
        with contextlib.suppress(ConnectionResetError):
            assert hostile.recv(1) == b""
    half.reception.ready("/m", "localhost:10.0", "/a")
    assert line(half.first).startswith("ready ")


class Full(socket.socket):
    """A socket of a process that has as many descriptors as it may have, for a while."""

    room = threading.Event()
    asked: ClassVar[list[float]] = []

    def accept(self) -> tuple[socket.socket, object]:
        self.asked.append(time.monotonic())
        if not self.room.is_set():
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()


def test_where_no_descriptor_is_left_it_asks_now_and_then(tmp_path: Path) -> None:
    made = Half(tmp_path, kind=Full)
    begun = time.monotonic()
    with made.call() as late:
        made.reception.ready("/m", "localhost:10.0", "/a")
        assert line(made.first).startswith("ready ")
        while time.monotonic() < begun + 1.0:
            time.sleep(0.05)
        looks = len(Full.asked)
        assert looks < 20 + 60 * (time.monotonic() - begun)  # thousands where it is asked as it is readable
        Full.room.set()
        assert line(late).startswith("ready ")
    made.first.close()
    assert made.stopped.wait(LIMIT)


def test_the_last_words_of_ssh_are_kept(half: Half) -> None:
    read, write = os.pipe()
    half.reception.listen_to(read)
    os.write(write, b"first\r\n" + b"x" * 9000 + b"\nlast words\r\n\r\n")
    os.close(write)
    half.reception.say("a mark")
    line(half.first)
    for _ in range(1000):
        if half.reception.heard() == "last words":
            break
        half.reception.say("a mark")
        line(half.first)
    assert half.reception.heard() == "last words"


def test_the_last_words_of_ssh_are_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ssh has ended, and the thread that reads what it said has not come to it yet."""
    monkeypatch.setattr(Reception, "start", lambda _self: None)
    slow = Half(tmp_path)
    monkeypatch.undo()
    monkeypatch.setattr("x11fwd.bridge.session.reception._LAST_WORDS", 60.0)
    errors, ssh = os.pipe()
    os.write(ssh, b"debug\nConnection closed by 10.0.0.1 port 22\n\n")
    os.close(ssh)
    slow.reception.listen_to(errors)
    threading.Timer(0.5, slow.reception.start).start()
    assert slow.reception.heard() == "Connection closed by 10.0.0.1 port 22"
    slow.first.close()
    assert slow.stopped.wait(LIMIT)


def test_a_disk_that_is_full_today_is_not_remembered_of_a_host() -> None:
    assert frozenset({Reason.NO_PYTHON, Reason.OLD_PYTHON}) == HOPELESS
