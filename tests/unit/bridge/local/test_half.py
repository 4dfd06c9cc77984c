"""The local half against an X server and a remote half that the test plays."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.unit.bridge.shared import samples
from x11fwd.bridge.local import half as half_module
from x11fwd.bridge.local.half import NATIVE, LocalHalf
from x11fwd.bridge.local.server import XServer
from x11fwd.bridge.shared.frames import CLOSE, CONTROL, DATA, OPEN, Frame
from x11fwd.bridge.shared.link import Link
from x11fwd.bridge.shared.records import RecordWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LIMIT = 90.0
NOTES = (("display", "localhost:17.0"), ("authority", "/run/a%20b/authority"))


class FakeServer:
    """An X server: greets, then keeps what it gets, and errors for every request that wants a reply."""

    def __init__(self, reply: bytes | None = None) -> None:
        self.reply = samples.setup(NATIVE) if reply is None else reply
        self.sockets: list[socket.socket] = []
        self.got: list[bytearray] = []

    def connect(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        self.sockets.append(theirs)
        self.got.append(bytearray())
        threading.Thread(target=self._serve, args=(theirs, self.got[-1]), daemon=True).start()
        return ours

    def _serve(self, end: socket.socket, got: bytearray) -> None:
        greeting = len(samples.greeting(NATIVE))
        with contextlib.suppress(OSError):
            while len(got) < greeting:
                got += end.recv(greeting - len(got))
            end.sendall(self.reply)
            while data := end.recv(65536):
                got += data


class Desk:
    """A running local half; the test is the remote half."""

    def __init__(self, server: FakeServer) -> None:
        self.server = server
        self.changes = threading.Event()
        data = b"0123456789abcdef"
        self.half = LocalHalf(XServer(server.connect, b"MIT-MAGIC-COOKIE-1", data), "s", self.changes.set)
        self.read, out = os.pipe()
        into, self.write = os.pipe()
        self._ends = [out, into]
        self.link = Link("s", 1 << 20)
        self.sentence: str | None = None
        self._thread = threading.Thread(target=self._run, args=(into, out), daemon=True)
        self._thread.start()
        self.frames: list[Frame] = []

    def _run(self, into: int, out: int) -> None:
        self.sentence = self.half.run(into, out)

    def hello(self, notes: tuple[tuple[str, str], ...] = NOTES) -> None:
        self.say(self.link.begin(notes))

    def say(self, data: bytes) -> None:
        os.write(self.write, data)

    def flush(self) -> None:
        self.say(self.link.flush(time.monotonic()))

    def hear_until(self, wanted: Callable[[Frame], bool]) -> Frame:
        """The first frame that is wanted; those before it are kept in `frames`."""
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            if not select.select([self.read], [], [], 0.1)[0]:
                continue
            data = os.read(self.read, 1 << 20)
            assert data, self.sentence
            for frame in self.link.receive(data, time.monotonic()):
                self.frames.append(frame)
                if frame.kind == DATA:
                    self.link.consumed(frame.connection, len(frame.payload))
            found = next((frame for frame in self.frames if wanted(frame)), None)
            if found is not None:
                return found
        raise AssertionError("it did not come")

    def pooled(self) -> int:
        """The number of a connection that is ready."""
        frame = self.hear_until(lambda frame: frame.kind == CONTROL and frame.payload[0] == 2)
        self.frames.remove(frame)
        number, id_base = struct.unpack(">II", frame.payload[1:])
        assert (number % 2, id_base) == (0, 0x400000)
        return int(number)

    def ended(self) -> str:
        self._thread.join(LIMIT)
        assert self.sentence is not None, "it still runs"
        return self.sentence

    def close(self) -> None:
        self.half.stop()
        self._thread.join(LIMIT)
        for number in (self.read, self.write, *self._ends):
            with contextlib.suppress(OSError):
                os.close(number)
        for one in self.server.sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads it
            one.close()


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk(FakeServer())
    yield made
    made.close()


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def test_it_says_the_display_once_the_remote_half_has(desk: Desk) -> None:
    desk.hello()
    wait_for(lambda: desk.half.ready is not None)
    assert desk.half.ready == ("localhost:17.0", "/run/a b/authority", 17)
    assert desk.changes.wait(LIMIT)


def test_a_program_gets_a_connection_that_is_open_already_and_its_bytes_arrive(desk: Desk) -> None:
    desk.hello()
    number = desk.pooled()
    desk.link.send(OPEN, number)
    writer = RecordWriter()
    writer.raw(samples.request(NATIVE, 127))
    for data in writer.take():
        desk.link.send_data(number, data)
    desk.flush()
    wait_for(lambda: any(bytes(got).endswith(samples.request(NATIVE, 127)) for got in desk.server.got))
    assert desk.half.programs == 1
    at = next(
        index
        for index, got in enumerate(desk.server.got)
        if bytes(got).endswith(samples.request(NATIVE, 127))
    )
    desk.server.sockets[at].sendall(samples.answer(NATIVE, 1, 1))
    frame = desk.hear_until(lambda frame: frame.kind == DATA)
    assert frame.payload == samples.answer(NATIVE, 1, 1)
    desk.server.sockets[at].shutdown(socket.SHUT_RDWR)
    assert desk.hear_until(lambda frame: frame.kind == CLOSE).connection == number
    wait_for(lambda: desk.half.programs == 0)


def test_a_connection_of_the_other_byte_order_is_opened_when_it_is_wanted(desk: Desk) -> None:
    other = ">" if NATIVE == "<" else "<"
    desk.hello()
    desk.server.reply = samples.setup(other)
    desk.link.send(OPEN, 1, other.encode())
    desk.flush()
    frame = desk.hear_until(lambda frame: frame.kind == DATA)
    assert frame.payload[:1] == b"\1"
    mark = {"<": b"l", ">": b"B"}[other]
    wait_for(lambda: any(bytes(got[:1]) == mark for got in desk.server.got))


def test_what_a_program_has_sent_reaches_the_server_before_its_end(desk: Desk) -> None:
    desk.hello()
    number = desk.pooled()
    desk.link.send(OPEN, number)
    writer = RecordWriter()
    data = os.urandom(200_000 - 200_000 % 4)
    writer.raw(data)
    for one in writer.take():
        view = memoryview(one)
        while view:
            taken = desk.link.send_data(number, view)
            view = view[taken:]
            desk.flush()
            if not taken:
                desk.hear_until(lambda _frame: desk.link.room(number) > 0)
    desk.link.send(CLOSE, number)
    desk.flush()
    wait_for(lambda: any(bytes(got).endswith(data) for got in desk.server.got))
    wait_for(lambda: desk.half.programs == 0)


@pytest.mark.parametrize(
    ("bytes_", "sentence"),
    [
        (b"x" * 100_000, "does not begin"),
        (b"\nX11FWD-BRIDGE-HELLO\nversion 1\nsession other\nreceived 0\nwindow 9\npackers \n\n", "another"),
        (b"\nX11FWD-BRIDGE-HELLO\nversion 99\nsession s\nreceived 0\nwindow 9\npackers \n\n", "version 99"),
    ],
)
def test_bytes_that_are_no_link_end_it_with_a_sentence(desk: Desk, bytes_: bytes, sentence: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        for at in range(0, len(bytes_), 30000):
            desk.say(bytes_[at : at + 30000])
    assert sentence in desk.ended()


@pytest.mark.parametrize(
    ("kind", "connection", "payload", "sentence"),
    [
        (OPEN, 2, b"<", "byte order"),
        (OPEN, 1, b"?", "byte order"),
        (CONTROL, 0, b"", ""),
        (99, 5, b"whatever", ""),
    ],
)
def test_frames_that_mean_nothing_end_it_or_are_passed_over(
    desk: Desk, kind: int, connection: int, payload: bytes, sentence: str
) -> None:
    desk.hello()
    desk.link.send(kind, connection, payload)
    desk.flush()
    if sentence:
        assert sentence in desk.ended()
    else:
        desk.pooled()  # it still works
        assert desk.sentence is None


def test_a_damaged_record_ends_it_with_a_sentence(desk: Desk) -> None:
    desk.hello()
    number = desk.pooled()
    desk.link.send(OPEN, number)
    desk.link.send_data(number, b"\xff" * 64)
    desk.flush()
    assert desk.ended()


def test_a_connection_that_was_never_offered_is_closed_at_once(desk: Desk) -> None:
    desk.hello()
    desk.link.send(OPEN, 4096)
    desk.flush()
    assert desk.hear_until(lambda frame: frame.kind == CLOSE).connection == 4096


def test_the_end_of_the_link_is_a_sentence_and_a_wanted_end_is_none(desk: Desk) -> None:
    desk.hello()
    os.close(desk.write)
    assert desk.ended() == "the connection to the host has ended"
    other = Desk(FakeServer())
    other.hello()
    other.half.stop()
    assert other.ended() == ""
    other.half.stop()  # late, and no error
    other.close()


def test_an_x_server_that_refuses_or_goes_is_named() -> None:
    words = b"No protocol specified\n\0\0"
    refusal = struct.pack(NATIVE + "BBHHH", 0, 22, 11, 0, len(words) // 4) + words
    desk = Desk(FakeServer(refusal))
    assert "refuses: No protocol specified" in desk.ended()
    desk.close()
    desk = Desk(FakeServer(b""))
    desk.hello()
    wait_for(lambda: len(desk.server.sockets) > 1)
    for one in desk.server.sockets:
        one.shutdown(socket.SHUT_RDWR)
    assert "X server" in desk.ended()
    desk.close()


def test_an_x_server_that_takes_no_more_connections_ends_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(half_module, "FULL_STEP", 0.05)
    words = b"Maximum number of clients reached\0\0\0"
    refusal = struct.pack(NATIVE + "BBHHH", 0, 33, 11, 0, len(words) // 4) + words
    server = FakeServer()
    desk = Desk(server)
    desk.hello()
    numbers = [desk.pooled() for _ in range(half_module.POOL)]
    usual, server.reply = server.reply, refusal
    before = len(server.sockets)
    desk.link.send(OPEN, numbers[0], b"")
    desk.flush()
    wait_for(lambda: len(server.sockets) > before + 2)  # asked again and again
    assert desk.half.programs == 1
    assert desk.sentence is None
    server.reply = usual
    assert desk.pooled() not in numbers
    assert desk.half.programs == 1
    desk.close()


def test_no_room_for_one_more_connection_ends_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process has as many descriptors as it may have (RLIMIT_NOFILE; 256 on macOS)."""
    monkeypatch.setattr(half_module, "FULL_STEP", 0.05)
    desk = Desk(FakeServer())
    desk.hello()
    numbers = [desk.pooled() for _ in range(half_module.POOL)]
    asked: list[int] = []
    usual = desk.server.connect

    def full() -> socket.socket:
        asked.append(1)
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(desk.half._server, "_connect", full)
    desk.link.send(OPEN, numbers[0], b"")
    desk.link.send(OPEN, 1, (">" if NATIVE == "<" else "<").encode())
    desk.flush()
    assert desk.hear_until(lambda frame: frame.kind == CLOSE).connection == 1
    wait_for(lambda: len(asked) > 3)  # again and again
    assert desk.half.programs == 1
    assert desk.sentence is None
    monkeypatch.setattr(desk.half._server, "_connect", usual)
    assert desk.pooled() not in numbers
    assert desk.half.programs == 1
    desk.close()


def test_an_x_server_that_is_not_there_is_named() -> None:
    def nobody() -> socket.socket:
        raise ConnectionRefusedError(111, "Connection refused")

    half = LocalHalf(XServer(nobody), "s")
    read, write = os.pipe()
    assert half.run(read, write) == "the X server cannot be reached: Connection refused"
    os.close(read)
    os.close(write)


def test_what_the_other_half_said_before_it_went_is_heard_though_nobody_reads_any_more() -> None:
    half = LocalHalf(
        XServer(FakeServer().connect, b"MIT-MAGIC-COOKIE-1", b"0123456789abcdef"), "s", lambda: None
    )
    into, write = os.pipe()
    read, out = os.pipe()
    os.write(write, b"NONE no-python")
    os.close(write)
    os.close(read)
    heard: list[bytes] = []

    def listen(data: bytes) -> bool:
        heard.append(data)
        return False

    assert half.run(into, out, listen) == ""
    assert heard == [b"NONE no-python"]
    os.close(into)
    os.close(out)


def test_what_goes_first_keeps_nobody_from_ending_it(desk: Desk) -> None:
    """The other end takes nothing: ssh has still to log in, or the line is dead."""
    half = LocalHalf(XServer(desk.server.connect, b"MIT-MAGIC-COOKIE-1", b"0123456789abcdef"), "s")
    read, out = os.pipe()
    into, write = os.pipe()
    said: list[str] = []
    thread = threading.Thread(
        target=lambda: said.append(half.run(read, write, first=bytes(1 << 20))), daemon=True
    )
    thread.start()
    assert select.select([into], [], [], LIMIT)[0]
    half.stop()
    thread.join(LIMIT)
    assert said == [""]
    for number in (read, out, into, write):
        os.close(number)
