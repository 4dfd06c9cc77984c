"""How long a program waits for what another one was promised; in one Python only, as time is replaced."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

from x11fwd.bridge.remote import main
from x11fwd.bridge.remote.main import LONGEST_HOLD, RemoteHalf
from x11fwd.bridge.remote.visitor import Visitor

if TYPE_CHECKING:
    import pytest


class Pump:
    """Bytes of connection 2 that wait to go out; what was put for others."""

    def __init__(self) -> None:
        self.left = 0
        self.put_on: list[tuple[int, bytes]] = []

    def waiting(self, connection: int) -> int:
        return self.left if connection == 2 else 0

    def put(self, connection: int, data: bytes) -> None:
        self.put_on.append((connection, data))


class Floor:
    """A program on connection 2 that was promised something, and one on 4 that waits for that."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, round_trip: float | None) -> None:
        self.now = 100.0
        monkeypatch.setattr(main, "time", SimpleNamespace(monotonic=lambda: self.now))
        self.half = RemoteHalf.__new__(RemoteHalf)
        self.pump = Pump()
        self.half._pump = self.pump  # type: ignore[assignment]
        self.half._link = SimpleNamespace(round_trip=round_trip)  # type: ignore[assignment]
        self.promised = self._visitor(2)
        self.promised.program = SimpleNamespace(promised=7, settled=0, outward=False)  # type: ignore[assignment]
        waiting = self._visitor(4)
        waiting.program = SimpleNamespace(  # type: ignore[assignment]
            promised=0, settled=0, outward=True, take_wish=lambda: None, take_upstream=lambda: [b"request"]
        )
        self.half._connected = {2: self.promised, 4: waiting}
        self.half._holding = set()
        self.half._send(waiting)

    @staticmethod
    def _visitor(connection: int) -> Visitor:
        made = Visitor(SimpleNamespace(fileno=lambda: 1000 + connection))  # type: ignore[arg-type]
        made.connection = connection
        return made

    def after(self, seconds: float, left: int = 0) -> list[tuple[int, bytes]]:
        """What has gone out by then, with so many bytes of the other one still here."""
        self.now += seconds
        self.pump.left = left
        self.half._release()
        return self.pump.put_on


def test_a_promise_that_is_kept_is_waited_for_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    floor = Floor(monkeypatch, 0.01)
    assert floor.after(0.1) == []
    floor.promised.program.settled = 7  # type: ignore[union-attr, misc]
    assert floor.after(0.1) == [(4, b"request")]


def test_one_of_which_nothing_comes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    floor = Floor(monkeypatch, 0.01)
    assert floor.after(0.1) == []
    assert floor.after(LONGEST_HOLD + 0.1) == [(4, b"request")]


def test_a_link_with_a_long_way_has_as_much_time_as_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    floor = Floor(monkeypatch, 1.5)
    assert floor.after(0.1) == []
    assert floor.after(4.0) == []
    assert floor.after(2.5) == [(4, b"request")]


def test_a_picture_that_goes_out_slowly_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    floor = Floor(monkeypatch, None)
    for left in range(900_000, 0, -100_000):
        assert floor.after(0.9, left) == []
    assert floor.after(0.9, 100_000) == []
    assert floor.after(0.9, 100_000) == [(4, b"request")]
