"""A line with a rate, a delay and a queue, in made-up time: it is used, and nothing waits in front of it."""

from collections import deque
from typing import Callable, Deque, List, Optional, Tuple

from x11fwd.bridge.shared.pace import PING_SECONDS, Pace

BATCH = 1 << 18
LEAST = 1 << 12


class Line:
    """A sender that has always something to send, or what `asked` says, on a line of `rate` bytes/s."""

    def __init__(self, rate: float, delay: float, asked: "Optional[Callable[[float], int]]" = None) -> None:
        self.rate = rate
        self.delay = delay  # one way
        self.asked = asked
        self.pace = Pace()
        self.now = 0.0
        self.free_at = 0.0  # when all that was sent has left the queue
        self.acks: Deque[Tuple[float, int]] = deque()
        self.waits: List[Tuple[float, float]] = []  # (time, seconds that a key would wait)
        self.came = 0
        self.backlog = 0
        self.pings: Deque[Tuple[float, float]] = deque()
        self.pinged = -1.0

    def run(self, until: float, step: float = 0.001) -> None:
        while self.now < until:
            self.now += step
            while self.acks and self.acks[0][0] <= self.now:
                self.pace.acknowledged(*self.acks.popleft())
            while self.pings and self.pings[0][0] <= self.now:
                self.pace.measured(self.now, self.pings.popleft()[1])
            self.backlog = BATCH * 100 if self.asked is None else self.backlog + self.asked(self.now)
            while self.pace.room() > 0 and self.backlog:
                size = min(BATCH, self.backlog, max(self.pace.room(), LEAST))
                self.backlog -= size
                self.pace.sent(self.now, size)
                if self.now - self.pinged >= PING_SECONDS:  # a ping is the first frame of a batch
                    self.pinged = self.now
                    trip = max(0.0, self.free_at - self.now) + 2 * self.delay
                    self.pings.append((self.now + trip, trip))
                self.free_at = max(self.free_at, self.now) + size / self.rate
                self.acks.append((self.free_at + 2 * self.delay, size))
                self.came += size
            self.waits.append((self.now, max(0.0, self.free_at - self.now)))

    def longest_wait(self, since: float) -> float:
        return max(wait for at, wait in self.waits if at > since)


def test_a_thin_line_is_used_without_a_queue() -> None:
    for megabits, round_trip in ((2, 0.1), (10, 0.05), (2, 0.02), (50, 0.03)):
        line = Line(megabits * 125000.0, round_trip / 2)
        line.run(3.0)
        came = line.came
        line.run(23.0)
        share = (line.came - came) / 20.0 / line.rate
        assert share > 0.85, (megabits, round_trip, share)
        assert line.longest_wait(0.0) < 0.2, (megabits, round_trip, line.longest_wait(0.0))
        assert line.longest_wait(3.0) < 0.0501, (megabits, round_trip, line.longest_wait(3.0))


def test_a_fast_line_is_filled_at_any_distance() -> None:
    for round_trip in (0.0005, 0.02, 0.2):
        line = Line(100e6, round_trip / 2)
        line.run(2.0)
        came = line.came
        line.run(3.0)
        assert line.came - came > 80e6, (round_trip, line.came - came)


def test_frames_of_an_animation_never_wait_on_a_far_line_and_leave_it_ready_for_more() -> None:
    def frames(now: float) -> int:
        return 8000 if int(now * 60) != int((now - 0.001) * 60) else 0

    line = Line(100e6, 0.1, frames)
    line.run(2.0)
    waited = line.backlog
    while line.now < 8.0:
        line.run(line.now + 0.1)
        waited = max(waited, line.backlog)
    assert waited < 8000
    line.asked = None
    came = line.came
    line.run(10.0)
    assert line.came - came > 40e6


def test_a_line_that_becomes_thinner_has_no_queue_soon_and_a_wider_one_is_used() -> None:
    line = Line(1250000.0, 0.025)
    line.run(5.0)
    line.rate = 250000.0
    line.run(15.0)
    assert line.longest_wait(10.0) < 0.08
    line.rate = 2500000.0
    came = line.came
    line.run(35.0)
    assert line.came - came > 0.7 * 20.0 * 2500000.0


def test_acknowledgements_of_nothing_change_nothing() -> None:
    pace = Pace()
    pace.acknowledged(1.0, 100)
    assert (pace.under_way, pace.room()) == (0, LEAST)
