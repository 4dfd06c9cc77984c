"""The bridge over a stream: its end waits for nobody."""

from __future__ import annotations

import contextlib
import os
import select
import threading
from typing import TYPE_CHECKING

import pytest

from x11fwd.bridge.assembly.assemble import assemble
from x11fwd.bridge.local import over_stream
from x11fwd.bridge.local.half import Ready
from x11fwd.bridge.local.over_stream import StreamBridge
from x11fwd.errors import ConnectError

if TYPE_CHECKING:
    from collections.abc import Callable

    from x11fwd.bridge.local.server import XServer
    from x11fwd.transports.base import Transport


class _Flood:
    """A far side that says something else without end, and notes whether who hears it has ended by then."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.begun = threading.Event()
        self.readers: list[threading.Thread] = []
        self.waited = False

    def read(self, limit: int, timeout: float | None = None) -> bytes:
        self.readers[:] = [threading.current_thread()]
        self.begun.set()
        return b"" if self.open.is_set() else b"x" * limit

    def write(self, data: bytes) -> None: ...

    def close_write(self) -> None: ...

    def wait(self, timeout: float | None = None) -> int:
        assert self.begun.wait(60)
        self.open.set()
        self.readers[0].join(60)
        self.waited = not self.readers[0].is_alive()
        return 0

    def close(self) -> None:
        self.open.set()


class _Idle:
    """The local half has ended at once, and reads nothing."""

    ready = None
    round_trip = None

    def __init__(self, *_arguments: object) -> None: ...

    def stop(self) -> None: ...

    def inject(self, data: bytes) -> None: ...

    def run(self, *_arguments: object) -> str:
        return "something else answers"


def test_who_has_more_to_say_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    flood = _Flood()

    class There:
        def stream(self, _words: object) -> _Flood:
            return flood

    monkeypatch.setattr(over_stream, "LocalHalf", _Idle)
    server: XServer = object()  # type: ignore[assignment]
    there: Transport = There()  # type: ignore[assignment]
    with pytest.raises(ConnectError, match="something else answers"):
        StreamBridge(there, server, assemble(None))
    assert flood.waited


class _Late:
    """The local half is in the middle of a turn as it is told to stop."""

    round_trip = None
    ready = Ready("localhost:10.0", "/run/authority", 10)

    def __init__(self, _server: object, _session: str, changed: Callable[[], None]) -> None:
        changed()

    def stop(self) -> None: ...

    def run(self, _read: int, write: int, _listen: object) -> str:
        assert GO_ON.wait(60)
        with contextlib.suppress(OSError):
            os.write(write, b"the rest of the turn")
        return ""


GO_ON = threading.Event()


class _Silence:
    """A far side that ends when it is told so."""

    def __init__(self) -> None:
        self.over = threading.Event()

    def read(self, _limit: int, _timeout: float | None = None) -> bytes:
        self.over.wait(60)
        return b""

    def write(self, data: bytes) -> None: ...

    def close_write(self) -> None:
        self.over.set()

    def wait(self, _timeout: float | None = None) -> int:
        return 0

    def close(self) -> None:
        self.over.set()


def test_a_loop_that_ends_late_writes_into_nobody_elses_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    class There:
        def stream(self, _words: object) -> _Silence:
            return _Silence()

    monkeypatch.setattr(over_stream, "LocalHalf", _Late)
    monkeypatch.setattr(over_stream, "_END", 0.05, raising=False)
    server: XServer = object()  # type: ignore[assignment]
    there: Transport = There()  # type: ignore[assignment]
    bridge = StreamBridge(there, server, assemble(None))
    bridge.close()
    others = [os.pipe() for _ in range(4)]  # they take the numbers that are free
    GO_ON.set()
    bridge._loop.join(60)
    assert not bridge._loop.is_alive()
    assert select.select([read for read, _ in others], [], [], 0)[0] == []
    for read, write in others:
        os.close(read)
        os.close(write)
