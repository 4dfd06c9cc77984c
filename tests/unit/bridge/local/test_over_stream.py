"""The bridge over a stream: its end waits for nobody."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from x11fwd.bridge.assembly.assemble import assemble
from x11fwd.bridge.local import over_stream
from x11fwd.bridge.local.over_stream import StreamBridge
from x11fwd.errors import ConnectError

if TYPE_CHECKING:
    from x11fwd.bridge.local.server import XServer
    from x11fwd.transports.base import Transport


class _Flood:
    """A far side that says something else without end, and notes whether who hears it has ended by then."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.readers: list[threading.Thread] = []
        self.waited = False

    def read(self, limit: int, timeout: float | None = None) -> bytes:
        self.readers[:] = [threading.current_thread()]
        return b"" if self.open.is_set() else b"x" * limit

    def write(self, data: bytes) -> None: ...

    def close_write(self) -> None: ...

    def wait(self, timeout: float | None = None) -> int:
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
