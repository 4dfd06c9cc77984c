"""How many packed bytes may be under way on the link, so that no queue stands in it; used by the link.

The shell shares the ssh connection: what waits in front of a thin line delays its echo. So about as much goes
out as the line delivers in one round trip, found as BBR does it (Cardwell and others, ACM Queue 14, 2016, and
draft-ietf-ccwg-bbr): the greatest rate of the last round trips times the shortest round trip of the last
seconds. There is no timer; acknowledgements drive it. All times are the caller's, in seconds.
"""

from collections import deque
from typing import Deque, NamedTuple, Tuple

FIRST_PACE = 1 << 15  # bytes under way before anything is known
LEAST_PACE = 1 << 13
LEAST_BATCH = 1 << 12
MOST_PACE = 1 << 26
SLACK = 0.012  # seconds of sending that may wait beside what is on the way, for halves that are busy
GROWTH = 1.25  # a start goes on while each round trip brings that many times the rate
CYCLE = (0.15, -0.25, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)  # round trips: look for more, empty the queue, keep
MOST_PROBE = 0.02  # seconds of sending that may wait while it looks for more
ROUNDS = 10  # round trips for which a rate counts
PING_SECONDS = 0.25  # between measurements of the round trip while something goes out
TRIP_SECONDS = 10.0  # for which a round trip counts


class _Batch(NamedTuple):
    """What went out at once, and how far the link was then."""

    size: int
    sent_at: float
    delivered: int
    delivered_at: float
    first_sent_at: float


class Pace:
    """The window of one stream: `sent` and `acknowledged` take the same sizes in the same order."""

    def __init__(self) -> None:
        self.under_way = 0
        self.window = FIRST_PACE
        self.rate = 0.0  # bytes in a second
        self.trip = 0.0  # seconds, the shortest
        self._batches: Deque[_Batch] = deque()
        self._delivered = 0
        self._delivered_at = 0.0
        self._first_sent_at = 0.0
        self._filled = 0  # of all bytes sent, when the window was last full
        self._rates: Deque[Tuple[int, float]] = deque()  # (round, rate), each lower than the one before
        self._trips: Deque[Tuple[float, float]] = deque()  # (time, seconds), each longer than the one before
        self._round = 0
        self._round_ends = 0  # when so many bytes are delivered
        self._starting = True
        self._best = 0.0  # rate at the end of the last round of the start
        self._flat = 0  # rounds without growth

    def room(self) -> int:
        """Bytes that may go out now in one batch; small ones, so that their acknowledgements come evenly."""
        return max(0, min(self.window - self.under_way, max(LEAST_BATCH, self.window // 8)))

    def sent(self, now: float, size: int) -> None:
        """A batch went out."""
        if not self._batches:
            self._first_sent_at = self._delivered_at = now
        self._batches.append(_Batch(size, now, self._delivered, self._delivered_at, self._first_sent_at))
        self.under_way += size
        if self.under_way >= self.window:
            self._filled = self._delivered + self.under_way

    def acknowledged(self, now: float, size: int) -> None:
        """The oldest batch, of `size` bytes, has come."""
        if not self._batches:
            return
        batch = self._batches.popleft()
        self.under_way -= size
        self._delivered += size
        self._delivered_at = now
        self._first_sent_at = batch.sent_at
        trip = max(now - batch.sent_at, 1e-6)
        self.measured(now, trip)
        full = batch.delivered < self._filled
        elapsed = max(now - batch.delivered_at, batch.sent_at - batch.first_sent_at, 1e-6)
        self._deliver((self._delivered - batch.delivered) / elapsed, full)
        if self._starting:
            self._start(size, trip, full)
        if batch.delivered >= self._round_ends:
            self._turn(trip, full)
        if not self._starting:
            probe = min(MOST_PROBE, self.trip * CYCLE[self._round % len(CYCLE)])
            self.window = int(min(MOST_PACE, max(LEAST_PACE, self.rate * (self.trip + probe + SLACK))))

    def measured(self, now: float, trip: float) -> None:
        """A round trip took so many seconds."""
        trips = self._trips
        while trips and trips[-1][1] >= trip:
            trips.pop()
        trips.append((now, trip))
        while trips[0][0] < now - TRIP_SECONDS:
            trips.popleft()
        self.trip = trips[0][1]

    def _deliver(self, rate: float, full: bool) -> None:
        # a program that sends little says nothing of how much the line takes
        if not full and rate < self.rate:
            return
        rates = self._rates
        while rates and rates[-1][1] <= rate:
            rates.pop()
        rates.append((self._round, rate))
        while rates[0][0] < self._round - ROUNDS:
            rates.popleft()
        self.rate = rates[0][1]

    def _start(self, size: int, trip: float, full: bool) -> None:
        """Twice as much each round trip."""
        if not full:
            return
        if trip > self.trip * 1.5 + 0.02:
            self._starting = False
        else:
            self.window = min(MOST_PACE, self.window + size)

    def _turn(self, trip: float, full: bool) -> None:
        """A round trip is over."""
        self._round_ends = self._delivered + self.under_way
        if not full:
            return
        # with a queue this long the line has become thinner: its old rates count for less time
        self._round += 4 if trip > 2 * self.trip + 0.05 else 1
        if self._starting:
            self._flat = 0 if self.rate > self._best * GROWTH else self._flat + 1
            self._best = max(self._best, self.rate)
            if self._flat == 3:
                self._starting = False
