"""The end of a run: what was said and drawn last arrives, however slowly it is taken here."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from x11fwd.pipeline import run_session
from x11fwd.pipeline.run_session import RunSession, agent_text, exit_status
from x11fwd.pipeline.run_there import script
from x11fwd.pipeline.run_there.line import Line, start
from x11fwd.pipeline.run_there.pictures import Pictures
from x11fwd.pipeline.run_there.script import Run
from x11fwd.project.manifest import read_manifest
from x11fwd.transports.local import LocalTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here nobody waits for who holds a stream open and says nothing."""
    monkeypatch.setenv("SHELL", "/bin/sh")
    assert agent_text().count("\nHELD = 5.0") == 1
    text = agent_text().replace("\nHELD = 5.0", "\nHELD = 1.0")
    monkeypatch.setattr(run_session, "agent_text", lambda: text)


@contextlib.contextmanager
def started(folder: Path, text: str) -> Iterator[RunSession]:
    """A session whose script runs."""
    (folder / "s.py").write_text(text)
    manifest = read_manifest(folder, ["s.py"])
    with RunSession(LocalTransport(), python=sys.executable, x11=False) as session:
        session.offer(manifest, "test", keep=False)
        session.hello()
        session.send(manifest.chunks(session.needed()), lambda _count: None)
        session.start(
            {
                "words": ["s.py"],
                "folder": "",
                "environment": {},
                "modules": {},
                "terminal": None,
                "fetch": [],
            }
        )
        session.feed(lambda _limit: b"")
        yield session


def heard(session: RunSession) -> tuple[bytes, int]:
    said, status = b"", -1
    for kind, data in session.frames():
        if kind == b"O":
            said += data
        elif kind == b"X":
            status = exit_status(data)
    return said, status


def until(there: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not there():
        assert time.monotonic() < end
        time.sleep(0.01)


class _Stuck(Line):
    """A line that takes nothing until `flows` is set."""

    def __init__(self) -> None:
        self.flows, self.asked = threading.Event(), threading.Event()
        self.taken = b""

    def send(self, kind: bytes, data: bytes = b"") -> None:
        self.asked.set()
        assert self.flows.wait(60)
        self.taken += data


def at_its_end(line: Line, monkeypatch: pytest.MonkeyPatch) -> tuple[Run, int]:
    """A run whose script has just ended, and where its output comes in."""
    monkeypatch.setattr(script, "HELD", 0.05)
    out, end = os.pipe()
    run = Run.__new__(Run)
    run.line, run.gone, run.pictures = line, False, None
    run.sending, run.sent = set(), {b"O": 0}
    run.pumps = [(start(run.pump, b"O", out), b"O", out)]
    monkeypatch.setattr(run, "signal", lambda _number: False)
    return run, end


def test_what_is_on_a_slow_line_when_the_script_ends_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    line = _Stuck()
    run, end = at_its_end(line, monkeypatch)
    os.write(end, b"Traceback")
    assert line.asked.wait(60)
    over = start(run.end_group, 0)
    over.join(20 * script.HELD)
    assert over.is_alive()
    line.flows.set()
    os.write(end, b": division by zero")
    os.close(end)
    over.join(60)
    assert not over.is_alive()
    assert line.taken == b"Traceback: division by zero"


def test_a_line_that_is_cut_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    line = _Stuck()
    run, end = at_its_end(line, monkeypatch)
    os.write(end, b"Traceback")
    assert line.asked.wait(60)
    over = start(run.end_group, 0)
    run.gone = True
    over.join(60)
    assert not over.is_alive()
    line.flows.set()
    os.close(end)


def test_who_only_holds_the_streams_open_is_not_waited_for(tmp_path: Path) -> None:
    text = (
        "import subprocess, sys\n"
        "print(subprocess.Popen(['sleep', '600'], start_new_session=True).pid, flush=True)\n"
    )
    with started(tmp_path, text) as session:
        said, status = heard(session)
    os.kill(int(said), signal.SIGKILL)
    assert status == 0


class _Silent:
    """A far half that says nothing; keeps what it is told."""

    def __init__(self) -> None:
        self.told = b""

    def write(self, data: bytes) -> None:
        self.told += data

    def close_write(self) -> None: ...

    def close(self) -> None: ...


def test_the_far_half_hears_of_us_while_a_person_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the script starts: a bridge is opened meanwhile, and somebody asked whether it may be."""
    far = _Silent()
    monkeypatch.setattr(run_session, "_PULSE", 0.05)
    monkeypatch.setattr(run_session, "open_python", lambda *_words, **_more: far)
    (tmp_path / "s.py").touch()
    with RunSession(LocalTransport(), python="", x11=False) as session:
        session.offer(read_manifest(tmp_path, ["s.py"]), "test", keep=False)
        until(lambda: far.told.count(b"Z\0\0\0\0") > 2)
    assert far.told.startswith(b"M")


class _Slow(Line):
    """A line whose other side takes pictures when it is told to."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def send(self, kind: bytes, data: bytes = b"") -> None:
        (size,) = struct.unpack("!I", data[:4])
        self.sent.append(data[4 + size :])


def test_the_last_pictures_take_as_long_as_the_line_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = _Slow()
    pictures = Pictures(line, str(tmp_path / "pictures"))
    for number in range(5):
        pictures.put({"id": str(number), "kind": "png", "lasting": True}, b"%d" % number)
    until(lambda: len(line.sent) == 2)
    # every wait is over at once, as if the line had taken minutes
    monkeypatch.setattr(threading.Thread, "join", lambda _self, timeout=None: time.sleep(0.01))
    over: list[bool] = []

    def finish() -> None:
        pictures.finish(lambda: False)
        over.append(True)

    threading.Thread(target=finish, daemon=True).start()
    until(lambda: pictures.closing)
    for count in (3, 4, 5):
        assert not over
        pictures.arrived()
        until(lambda count=count: len(line.sent) == count)  # type: ignore[misc]
    until(lambda: bool(over))
    assert sorted(line.sent) == [b"0", b"1", b"2", b"3", b"4"]


def test_a_door_that_many_stand_before_when_the_script_ends_lets_all_of_them_in(tmp_path: Path) -> None:
    """Twenty processes that draw and end, on a machine that wakes our threads late."""
    path = str(tmp_path / "pictures")
    opened = threading.Event()

    class Late(Pictures):
        def accept(self) -> None:
            opened.wait(60)
            super().accept()

    line = _Slow()
    pictures = Late(line, path)
    count = 0
    with contextlib.suppress(BlockingIOError):  # until the queue is full
        while True:
            with socket.socket(socket.AF_UNIX) as peer:
                peer.setblocking(False)
                peer.connect(path)
                words = b'{"id": "%d", "kind": "png", "lasting": true}' % count
                peer.sendall(struct.pack("!II", len(words), 1) + words + b"x")
                count += 1
    problems: list[BaseException] = []

    def finish() -> None:
        try:
            pictures.finish(lambda: False)
        except OSError as error:
            problems.append(error)

    finishing = threading.Thread(target=finish, daemon=True)
    finishing.start()
    until(lambda: pictures.last)
    finishing.join(0.2)  # time to find the queue full; without it the test says less, and nothing wrong
    opened.set()
    while finishing.is_alive():
        pictures.arrived()
        finishing.join(0.01)
    assert (problems, len(line.sent)) == ([], count)


def test_an_older_picture_that_comes_by_another_way_does_not_take_the_newers_place(tmp_path: Path) -> None:
    line = _Slow()
    pictures = Pictures(line, str(tmp_path / "pictures"))
    for frame in (7, 6):
        pictures.put({"id": "1", "kind": "png", "lasting": True, "frame": frame}, b"%d" % frame)
    pictures.finish(lambda: False)
    assert line.sent == [b"7"]


def test_pictures_that_nobody_takes_any_more_are_not_waited_for(tmp_path: Path) -> None:
    pictures = Pictures(_Slow(), str(tmp_path / "pictures"))
    for number in range(5):
        pictures.put({"id": str(number), "kind": "png", "lasting": True}, b"")
    pictures.finish(lambda: True)
    assert pictures.closing
