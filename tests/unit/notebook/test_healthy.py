"""Lines and servers that are slow, and are not lost."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from typing import TYPE_CHECKING

from x11fwd.errors import ConnectionLost
from x11fwd.notebook import line as lines
from x11fwd.notebook.far import servers
from x11fwd.notebook.far.relay import Relay
from x11fwd.notebook.far.servers import Server, running
from x11fwd.notebook.far.wire import Frames, frame
from x11fwd.notebook.line import Line

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

_SILENCE = 20.0


class _Thin:
    """A line over which an answer takes its time; the clock stands until `carries` bytes were written.

    Args:
        answers: seconds after that until what was asked for is there; None for a line that is dead.
    """

    def __init__(self, carries: int, answers: float | None) -> None:
        self.now = 0.0
        self.carries, self.answers = carries, answers
        self.written, self.pulses = 0, 0
        self.frames = Frames()
        self.full, self.over, self.closed = threading.Event(), threading.Event(), threading.Event()
        self.begun = False

    def read(self, limit: int, timeout: float | None = None) -> bytes:
        if not self.begun:
            self.begun = True
            return frame(b"M", 0, b"{}")
        assert self.full.wait(60)
        if self.answers is not None and self.now >= self.answers:
            if not self.over.is_set():
                self.over.set()
                return frame(b"Z") * self.pulses
            assert self.closed.wait(60)
            return b""
        self.now += timeout or 0.0
        raise TimeoutError

    def write(self, data: bytes) -> None:
        self.written += len(data)
        asked = sum(kind == b"Z" for kind, _, _ in self.frames.feed(data))
        self.pulses += asked
        # an earlier question is answered before all of it has arrived, and says nothing of the rest
        if self.written >= self.carries and asked:
            self.full.set()

    def close_write(self) -> None: ...

    def stderr(self) -> bytes:
        return b""

    def wait(self, timeout: float | None = None) -> int:
        return 0

    def close(self) -> None:
        self.full.set()
        self.closed.set()


def _line(monkeypatch: pytest.MonkeyPatch, stream: _Thin) -> Line:
    class Clock:
        @staticmethod
        def monotonic() -> float:
            return stream.now

    monkeypatch.setattr(lines, "time", Clock)
    monkeypatch.setattr(lines, "_PULSE", 0.05)
    return Line(stream, lambda: ConnectionLost("early"), silence=_SILENCE)


def test_an_upload_over_a_thin_line_is_no_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """400 kB at 8 kB in a second: the answer to what was asked behind them takes 50 s."""
    stream = _Thin(400_000, answers=50.0)
    line = _line(monkeypatch, stream)
    for _ in range(20):
        line.send(b"D", 1, b"x" * 20_000)
    assert stream.over.wait(60), line.problem
    assert not line.ended.is_set()
    line.close()


def test_a_line_that_carries_little_and_answers_nothing_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = _Thin(1, answers=None)
    line = _line(monkeypatch, stream)
    assert line.ended.wait(60)
    assert isinstance(line.problem, ConnectionLost)
    assert line.problem.message == "nothing was heard for 20 s"
    line.close()


def test_a_process_that_was_stopped_for_an_hour_has_heard_no_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-Z and fg: the clock has gone on, and what has come is read a moment later."""

    class Stopped(_Thin):
        def read(self, limit: int, timeout: float | None = None) -> bytes:
            if self.begun and self.now == 0.0:
                self.now = 3600.0
                raise TimeoutError
            return super().read(limit, timeout)

    stream = Stopped(1, answers=3600.0)
    line = _line(monkeypatch, stream)
    assert stream.over.wait(60)
    assert not line.ended.is_set(), line.problem
    line.close()


def test_what_was_answered_is_not_under_way_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = _Thin(400_000, answers=0.0)
    line = _line(monkeypatch, stream)
    for _ in range(20):
        line.send(b"D", 1, b"x" * 20_000)
    assert stream.over.wait(60)
    end = time.monotonic() + 60
    while line._patience() > _SILENCE:
        assert time.monotonic() < end
        time.sleep(0.01)
    line.close()


def test_a_clock_that_is_set_ends_no_far_half(monkeypatch: pytest.MonkeyPatch) -> None:
    source, sink = os.pipe()
    there = Relay(source, sink, lambda _relay, _order: None)
    monkeypatch.setattr(time, "time", lambda: 4e9)
    there.look()
    assert not there.stopping.is_set()
    for number in (source, sink, there.bell, there.ring):
        os.close(number)


def test_a_server_that_is_too_busy_to_answer_has_not_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "PATIENCE", 0.2)
    monkeypatch.setattr(Server.connect, "__defaults__", (0.2,))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        about = {"pid": os.getpid(), "sock": str(path), "token": "secret"}
        (tmp_path / f"jpserver-{os.getpid()}.json").write_text(json.dumps(about))
        assert running([]) == []
        ticks = servers.ticks(os.getpid())
        assert [one.pid for one in running([], {"pid": os.getpid(), "ticks": ticks})] == [os.getpid()]
        assert running([], {"pid": os.getpid(), "ticks": ticks + 1}) == []
