"""The connection to the X server that stays open, asks ahead and watches for changes; `half` drives it.

It also keeps the X server from resetting when the last program leaves, which would forget its atoms.
"""

from __future__ import annotations

import select
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from x11fwd.bridge.local.prefetch import Prefetch
from x11fwd.bridge.shared.setup import Setup

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from x11fwd.bridge.local.server import ServerConnection
    from x11fwd.bridge.shared.control import Fact

FONTS_STEP = 60.0  # seconds; some thousand names are looked through for each list
REFRESH_STEP = 3.0  # seconds
FOCUS_STEP = 0.9  # seconds; a fact of the focus is no older, and half a round trip


class Keeper:
    """What the remote half is told comes from `take`."""

    def __init__(self, server: ServerConnection) -> None:
        self._server = server
        self._payloads: list[bytes] = []
        self._refreshed = self._focus_asked = self._fonts_asked = 0.0
        self._prefetch: Prefetch | None = None
        self._send(b"")

    def fileno(self) -> int:
        return self._server.socket.fileno()

    def wants(self) -> int:
        """The poll(2) events."""
        return select.POLLIN | (select.POLLOUT if self._server.pending.size else 0)

    def serve(self, events: int) -> bool:
        """Read and write; False when the X server is gone."""
        try:
            if events & select.POLLOUT:
                self._server.write()
            if events & ~select.POLLOUT:
                data = self._server.read()
                if not data:
                    return False
                self._hear(data)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True

    def take(self) -> list[bytes]:
        """CONTROL payloads that are due."""
        found, self._payloads = self._payloads, []
        return found

    def refresh(self) -> None:
        """While programs are there: ask again, now and then, for what changes without a word."""
        now = time.monotonic()
        if self._prefetch is not None and now - self._refreshed > REFRESH_STEP:
            self._refreshed = now
            self._prefetch.refresh()
            if now - self._fonts_asked > FONTS_STEP:
                self._fonts_asked = now
                self._prefetch.refresh_fonts()
            self._send(self._prefetch.take())

    def look(self, requests: Sequence[bytes], heard: Callable[[list[Fact]], None]) -> bool:
        """Ask the X server as `Rounds.look` does; False while it has not greeted."""
        if self._prefetch is None:
            return False
        self._prefetch.look(requests, heard)
        self._send(self._prefetch.take())
        return True

    def tick(self, now: float) -> None:
        """Called again and again: the input focus is asked for, because nobody tells when it moves."""
        if self._prefetch is not None and now - self._focus_asked > FOCUS_STEP:
            self._focus_asked = now
            self._prefetch.refresh_focus()
            self._send(self._prefetch.take())

    def _send(self, data: bytes) -> None:
        self._server.pending.put(data)
        with suppress(OSError):  # `serve` will find that the X server is gone
            self._server.write()

    def close(self) -> None:
        self._server.socket.close()

    def _hear(self, data: bytes) -> None:
        if self._prefetch is None:
            rest = self._server.greeted(data)
            if rest is None or not isinstance(self._server.setup, Setup):
                return
            data = rest
            self._prefetch = Prefetch(self._server.setup, self._server.order)
        self._payloads += self._prefetch.feed(data)
        self._send(self._prefetch.take())
