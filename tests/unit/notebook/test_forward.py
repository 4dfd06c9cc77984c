"""Connections of a browser over a line: bytes, ends, windows, and lines that come and go."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import pytest

from x11fwd.errors import ConnectionLost, UsageError
from x11fwd.notebook.far.relay import Relay
from x11fwd.notebook.forward import Forwarder, listen_on
from x11fwd.notebook.line import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class PipeStream:
    """Two pipes as a ByteStream."""

    def __init__(self, source: int, sink: int) -> None:
        self.source, self.sink = source, sink

    def read(self, limit: int, timeout: float | None = None) -> bytes:
        from x11fwd.transports.local import wait_readable

        if not wait_readable(self.source, timeout):
            raise TimeoutError
        return os.read(self.source, limit)

    def write(self, data: bytes) -> None:
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self.sink, rest) :]
        except OSError as error:
            raise ConnectionLost("gone") from error

    def close_write(self) -> None: ...

    def stderr(self) -> bytes:
        return b""

    def wait(self, timeout: float | None = None) -> int:
        return 0

    def close(self) -> None:
        if self.sink >= 0:
            os.close(self.sink)
            self.sink = -1


class Echo:
    """Sends back what it gets, ends where its client does; `hold` keeps the next one from being read."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.hold = threading.Event()
        self.hold.set()
        self.connections = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer: socket.socket) -> None:
        held = self.hold
        with peer, suppress(OSError):
            while True:
                held.wait(180)
                data = peer.recv(65536)
                if not data:
                    return
                peer.sendall(data)

    def connect(self) -> socket.socket:
        return socket.create_connection(self.listener.getsockname(), 90)


class Pair:
    """Lines to a relay in front of the echo."""

    def __init__(self, stack: ExitStack) -> None:
        self.stack = stack
        self.echo = Echo()
        stack.callback(self.echo.listener.close)
        self.forwarder = Forwarder(listen_on(0, exactly=True))
        stack.callback(self.forwarder.close)

    def line(self) -> Line:
        down, up = os.pipe(), os.pipe()
        relay = Relay(down[0], up[1], lambda _relay, _order: None)
        relay.reach = self.echo.connect

        def run() -> None:
            relay.run()
            os.close(up[1])

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        line = Line(PipeStream(up[0], down[1]), lambda: ConnectionLost("early"), silence=30)
        self.stack.callback(thread.join, 10)
        self.stack.callback(line.close)
        return line

    def browser(self) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self.forwarder.port), 90)
        self.stack.callback(sock.close)
        return sock


@pytest.fixture
def pair() -> Iterator[Pair]:
    with ExitStack() as stack:
        yield Pair(stack)


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def everything(sock: socket.socket) -> bytes:
    data = bytearray()
    while more := sock.recv(1 << 18):
        data += more
    return bytes(data)


def test_megabytes_pass_unchanged_and_the_ends_pass_too(pair: Pair) -> None:
    pair.forwarder.attach(pair.line())
    browser = pair.browser()
    data = os.urandom(1 << 16) * 96

    def send() -> None:
        browser.sendall(data)
        browser.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=send)
    thread.start()
    assert everything(browser) == data
    thread.join(120)


def test_a_connection_that_nobody_reads_holds_up_no_other(pair: Pair) -> None:
    pair.forwarder.attach(pair.line())
    pair.echo.hold = threading.Event()
    slow = pair.browser()
    slow.settimeout(0.5)
    with suppress(TimeoutError):
        while True:
            slow.sendall(bytes(1 << 16))
    held, pair.echo.hold = pair.echo.hold, threading.Event()
    pair.echo.hold.set()
    other = pair.browser()
    other.sendall(b"hello")
    assert other.recv(5) == b"hello"
    assert not held.is_set()
    held.set()


def test_who_asks_without_a_line_waits_for_the_next_one(pair: Pair) -> None:
    first = pair.line()
    pair.forwarder.attach(first)
    old = pair.browser()
    old.sendall(b"a")
    assert old.recv(1) == b"a"
    pair.forwarder.detach()
    assert old.recv(1) == b""  # so that the page asks anew
    waiting = pair.browser()
    waiting.sendall(b"b")
    first.close()
    pair.forwarder.attach(pair.line())
    assert waiting.recv(1) == b"b"


@pytest.mark.parametrize(
    ("question", "again"), [(b"GET /api HTTP/1.1\r\n\r\n", True), (b"PUT /a HTTP/1.1", False)]
)
def test_a_question_without_an_answer_is_asked_again_and_a_change_is_not(
    pair: Pair, question: bytes, again: bool
) -> None:
    held = pair.echo.hold = threading.Event()
    pair.forwarder.attach(pair.line())
    browser = pair.browser()
    browser.sendall(question)
    wait_for(lambda: pair.echo.connections == 1)
    pair.forwarder.detach()
    pair.echo.hold = threading.Event()
    pair.echo.hold.set()
    if not again:
        assert browser.recv(1) == b""
    pair.forwarder.attach(pair.line())
    if again:
        assert browser.recv(100) == question
    held.set()


def test_where_the_server_refuses_the_connection_is_closed(pair: Pair) -> None:
    pair.echo.listener.close()
    pair.forwarder.attach(pair.line())
    assert pair.browser().recv(1) == b""


def test_a_taken_port_is_refused_where_it_is_the_wanted_one_and_else_another_is_taken() -> None:
    with listen_on(0, exactly=True) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} of this machine is taken"):
            listen_on(port, exactly=True)
        with listen_on(port, exactly=False) as other:
            assert other.getsockname()[0] == "127.0.0.1"
            assert other.getsockname()[1] != port
