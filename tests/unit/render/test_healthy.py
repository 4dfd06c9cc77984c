"""Workers that wait for the line, and a network that is away for a while: neither is a failure."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

import pytest

from x11fwd.errors import AuthError, ConnectError, ConnectionLost
from x11fwd.pipeline import render
from x11fwd.pipeline.render import Workshop
from x11fwd.render.sent import foreman
from x11fwd.render.sent.foreman import FULL, Foreman, Worker
from x11fwd.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from x11fwd.transports.base import Transport

_LIMIT = 10.0


class Floor:
    """A foreman with one worker who holds a figure, and a clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.killed: list[int] = []
        self.wall = time.time()
        monkeypatch.setattr(foreman.time, "monotonic", lambda: self.now)  # type: ignore[attr-defined]
        monkeypatch.setattr(foreman.time, "time", lambda: self.wall)  # type: ignore[attr-defined]
        monkeypatch.setattr(foreman.os, "kill", lambda pid, _signal: self.killed.append(pid))  # type: ignore[attr-defined]
        source, self.drawn = os.pipe()
        self.tasks, sink = os.pipe()
        self.worker = Worker(4321, source, sink, None)
        self.worker.ready = True
        self.foreman = Foreman({"start": "fork", "limit": _LIMIT}, -1, -1)
        self.foreman.workers.append(self.worker)
        self.worker.give(0, b"a figure")

    def later(self, seconds: float) -> list[int]:
        """Who was killed when so much time has passed."""
        self.now += seconds
        self.foreman.watch_clocks()
        return self.killed

    def close(self) -> None:
        for number in (self.worker.source, self.worker.sink, self.drawn, self.tasks):
            os.close(number)


@pytest.fixture
def floor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Floor]:
    made = Floor(monkeypatch)
    yield made
    monkeypatch.undo()
    made.close()


def test_who_draws_longer_than_allowed_is_ended(floor: Floor) -> None:
    assert floor.later(_LIMIT - 1) == []
    assert floor.later(2) == [4321]


def test_who_waits_for_a_slow_line_is_not(floor: Floor) -> None:
    floor.foreman.say(b"x" * FULL)
    assert floor.later(5 * _LIMIT) == []
    floor.foreman.out.clear()
    assert floor.later(_LIMIT - 1) == []


def test_what_is_drawn_and_not_yet_taken_is_drawn(floor: Floor) -> None:
    os.write(floor.drawn, b"D")
    assert floor.later(5 * _LIMIT) == []


def test_a_clock_that_is_set_ends_nobody(floor: Floor) -> None:
    floor.wall += 3600
    assert floor.later(1) == []


class _Missing:
    """Two figures, of which each connection that works brings one."""

    def __init__(self) -> None:
        self.missing = [1, 2]


class _Told:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def waiting(self, text: str) -> None:
        self.texts.append(text)


def _worked(*errors: Exception | None) -> tuple[_Missing, _Told]:
    """Connections one after the other: an error instead of one, or None for one that brings a figure."""
    left, keeping, told = list(errors), _Missing(), _Told()

    def connect() -> Transport:
        error = left.pop(0)
        if error is not None:
            raise error
        return contextlib.nullcontext()  # type: ignore[return-value]

    def work(_transport: object, _python: str, _host: str) -> None:
        keeping.missing.pop()
        if keeping.missing:
            raise ConnectionLost("the line is dead")

    shop = Workshop(Target(typed="gpu1", host="gpu1"), connect, lambda _seconds: None)
    render._work_there(shop, "python3", keeping, told, work)  # type: ignore[arg-type]
    return keeping, told


def test_a_network_that_is_away_for_a_while_is_waited_for() -> None:
    away = ConnectError("gpu1 port 22 cannot be reached: network is unreachable")
    keeping, told = _worked(None, away, away, None)
    assert keeping.missing == []
    assert len(told.texts) == 3


def test_who_was_never_there_is_told_at_once() -> None:
    with pytest.raises(ConnectError, match="refused"):
        _worked(ConnectError("gpu1 port 22 cannot be reached: connection refused"))


def test_who_is_not_let_in_any_more_is_told_at_once() -> None:
    with pytest.raises(AuthError):
        _worked(None, AuthError("gpu1 was not let in"))
