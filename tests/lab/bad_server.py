"""Servers that are no good, on a loopback port: they hang, flood, babble or hang up; tests use them."""

from __future__ import annotations

import contextlib
import itertools
import random
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

BANNER = b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10\r\n"
LINE = b"Welcome to the cluster. Unauthorised use is prohibited.\r\n"


def noise() -> Iterator[bytes]:
    """Random bytes without an end, the same ones each time."""
    source = random.Random(7)
    while True:
        yield source.randbytes(65536)


# What each says; `None` is: nothing more, and the connection stays open. Where the bytes end it hangs up.
MANNERS: dict[str, Callable[[], Iterable[bytes | None]]] = {
    "says nothing": lambda: [None],
    "hangs up at once": list,
    "stops within its banner": lambda: [BANNER[:12], None],
    "stops after its banner": lambda: [BANNER, None],
    "hangs up after its banner": lambda: [BANNER],
    "answers as a web server": lambda: [b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"],
    "speaks ssh 1 only": lambda: [b"SSH-1.5-Ancient_1.0\r\n", None],
    "sends garbage": noise,
    "sends garbage after its banner": lambda: itertools.chain([BANNER], noise()),
    "says a megabyte before its banner": lambda: [LINE * 20_000, BANNER],
    "says lines without an end": lambda: itertools.repeat(LINE * 1000),
    "says one line without an end": lambda: itertools.repeat(b"x" * 65536),
}


class BadServer:
    """One of MANNERS on `address` and `port`; a context manager."""

    def __init__(self, manner: str) -> None:
        self.manner = manner
        self.address = "127.0.0.1"
        self.sent = 0  # bytes, over all connections
        self._listener = socket.create_server((self.address, 0))
        self.port: int = self._listener.getsockname()[1]
        self._ended = threading.Event()
        self._links: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                link, _ = self._listener.accept()
                self._links.append(link)
                threading.Thread(target=self._speak, args=[link], daemon=True).start()

    def _speak(self, link: socket.socket) -> None:
        with contextlib.suppress(OSError), link:
            for words in MANNERS[self.manner]():
                if words is None:
                    self._ended.wait()
                    return
                link.sendall(words)
                self.sent += len(words)
            link.shutdown(socket.SHUT_WR)
            while link.recv(65536):  # a close with unread bytes would be a reset
                pass

    def stop(self) -> None:
        """Close everything."""
        self._ended.set()
        self._listener.close()
        for link in self._links:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
            link.close()

    def __enter__(self) -> BadServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
