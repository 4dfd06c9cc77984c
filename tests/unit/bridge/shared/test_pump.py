"""What connections have for the other half goes onto the link in turns, as the stream takes it."""

import fcntl
import os
from typing import Dict, List, Tuple

from x11fwd.bridge.shared.frames import CLOSE, CONTROL, DATA, OPEN
from x11fwd.bridge.shared.link import Link
from x11fwd.bridge.shared.pump import Pump
from x11fwd.bridge.shared.queues import ByteQueue

WINDOW = 1 << 22


class Way:
    """A pump whose stream is a pipe, and the link at its end."""

    def __init__(self) -> None:
        self.read, self.write = os.pipe()
        os.set_blocking(self.write, False)
        os.set_blocking(self.read, False)
        self.here, self.there = Link("s", WINDOW), Link("s", WINDOW)
        self.pump = Pump(self.here, self.write)
        self.pump.first(self.here.begin())
        self.here.receive(self.there.begin(), 0.0)
        self.now = 0.0

    def arrive(self) -> "List[Tuple[int, int, int]]":
        """Kind, connection and size of the frames that have come; they are acknowledged."""
        found: List[Tuple[int, int, int]] = []
        while True:
            self.now += 0.001
            self.pump.turn(self.now)
            try:
                data = os.read(self.read, 1 << 20)
            except BlockingIOError:
                return found
            for frame in self.there.receive(data, self.now):
                found.append((frame.kind, frame.connection, len(frame.payload)))
                if frame.kind == DATA:
                    self.there.consumed(frame.connection, len(frame.payload))
            self.here.receive(self.there.flush(self.now), self.now)

    def open(self, *connections: int) -> None:
        for connection in connections:
            self.pump.open(connection)
            self.here.send(OPEN, connection)

    def end(self) -> None:
        os.close(self.read)
        os.close(self.write)


def test_everything_arrives_in_order_and_the_end_comes_last() -> None:
    way = Way()
    way.open(2)
    way.pump.put(2, b"a" * 100000)
    way.pump.put(2, b"b" * 50000)
    way.pump.close(2)
    way.pump.put(2, b"too late")
    came = way.arrive()
    assert came[0] == (OPEN, 2, 0)
    assert came[-1] == (CLOSE, 2, 0)
    assert sum(size for kind, _, size in came if kind == DATA) == 150000
    way.end()


def test_a_small_message_does_not_wait_behind_anothers_bulk() -> None:
    way = Way()
    way.open(2, 4)
    way.pump.put(2, os.urandom(1 << 20))
    way.pump.turn(0.0)
    way.pump.put(4, b"key press")
    came = way.arrive()
    at = came.index((DATA, 4, 9))
    before: Dict[int, int] = {}
    for _, connection, size in came[:at]:
        before[connection] = before.get(connection, 0) + size
    assert before[2] < 600000
    assert sum(size for kind, connection, size in came if (kind, connection) == (DATA, 2)) == 1 << 20
    way.end()


def test_two_bulks_take_turns() -> None:
    way = Way()
    way.open(2, 4)
    way.pump.put(2, os.urandom(300000))
    way.pump.put(4, os.urandom(300000))
    came = [one for one in way.arrive() if one[0] == DATA]
    half = came[: len(came) // 2]
    shares = [sum(size for _, connection, size in half if connection == one) for one in (2, 4)]
    assert min(shares) > 0.8 * max(shares)
    way.end()


def test_a_stream_that_takes_nothing_is_waited_for() -> None:
    way = Way()
    fcntl.fcntl(way.write, 1031, 4096)  # F_SETPIPE_SZ, fcntl(2)
    way.open(2)
    way.pump.put(2, os.urandom(1 << 20))
    way.pump.turn(0.0)
    assert way.pump.blocked  # the pipe is full
    assert way.pump.waiting(2) > 0
    assert sum(size for kind, _, size in way.arrive() if kind == DATA) == 1 << 20
    way.pump.turn(1.0)
    assert way.pump.waiting(2) == 0
    way.end()


def test_nothing_more_goes_to_a_connection_that_the_other_half_has_closed() -> None:
    way = Way()
    way.open(2)
    way.pump.closed(2)
    way.pump.put(2, b"x")
    way.pump.close(2)
    assert [kind for kind, _, _ in way.arrive()] == [OPEN]
    assert way.pump.waiting(2) == 0
    way.end()


def test_a_queue_gives_back_what_was_put_however_it_is_taken() -> None:
    queue = ByteQueue()
    data = bytes(range(256)) * 10
    for start in range(0, len(data), 100):
        queue.put(data[start : start + 100])
    queue.put(b"")
    taken = b""
    for size in (1, 99, 150, 0, 1000):
        head = bytes(queue.head(size))
        queue.drop(len(head))
        taken += head
    head = bytes(queue.head(7))
    assert data[len(taken) :].startswith(head)
    assert sum(map(len, queue.gathered())) <= queue.size
    while queue.size:
        head = bytes(queue.head(1 << 20))
        queue.drop(len(head))
        taken += head
    assert (taken, queue.size) == (data, 0)


def _control(way: Way) -> "List[Tuple[int, int, int]]":
    return [one for one in way.arrive() if one[0] in {CONTROL, DATA}]


def test_a_frame_behind_goes_in_the_same_batch_as_the_last_of_what_waits() -> None:
    way = Way()
    way.open(2, 4)
    way.arrive()
    way.pump.put(2, b"a" * 100)
    way.pump.put(4, b"b" * 100)
    way.pump.put_behind(b"so it is")
    way.pump.turn(1.0)
    found = way.there.receive(os.read(way.read, 1 << 20), 1.0)
    assert [one.kind for one in found] == [DATA, DATA, CONTROL]
    assert found[-1].payload == b"so it is"
    way.end()


def test_a_frame_behind_is_dropped_when_more_comes_before_it_goes() -> None:
    way = Way()
    way.open(2)
    way.arrive()
    way.pump.put(2, b"a" * 100)
    way.pump.put_behind(b"old by then")
    way.pump.put(2, b"b" * 100)
    assert [one[0] for one in _control(way)] == [DATA, DATA]
    way.pump.put(2, bytes(WINDOW * 2))  # more than may go at once
    way.pump.put_behind(b"in its place")
    found = _control(way)
    assert [one[0] for one in found].count(CONTROL) == 1
    assert found[-1][0] == CONTROL
    way.end()
