"""Two halves on a line with a rate and a delay, in made-up time: bulk leaves no queue before the line."""

import random
from collections import deque
from typing import Deque, Tuple

from tests.unit.bridge.shared.anywhere import times
from x11fwd.bridge.shared import frames
from x11fwd.bridge.shared.link import DATA_SIZE, Link

LEAST = 1 << 12  # what the pump puts into a batch at least


class Way:
    """One direction: bytes come in pieces, as the rate lets them, and then later by the delay."""

    def __init__(self, rate: float, delay: float) -> None:
        self.rate = rate
        self.delay = delay
        self.queue = bytearray()
        self.flying: Deque[Tuple[float, bytes]] = deque()

    def step(self, now: float, seconds: float) -> bytes:
        """What arrives now."""
        size = int(self.rate * seconds)
        if self.queue:
            self.flying.append((now + self.delay, bytes(self.queue[:size])))
            del self.queue[:size]
        come = b""
        while self.flying and self.flying[0][0] <= now:
            come += self.flying.popleft()[1]
        return come


def run(rate: float, delay: float, seconds: float) -> "Tuple[float, float]":
    """The share of the line that was used in the second half, and the longest wait of a key then."""
    here, there = Link("s", 1 << 23), Link("s", 1 << 23)
    up, down = Way(rate, delay), Way(1e9, delay)
    ours, theirs = here.begin(), there.begin()
    here.receive(theirs, 0.0)
    there.receive(ours, 0.0)
    here.send(frames.OPEN, 1)
    bulk = random.Random(1).getrandbits(8 << 18).to_bytes(1 << 18, "big")
    now = wait = 0.0
    came = sent = 0
    while now < seconds:
        now += 0.002
        for frame in there.receive(up.step(now, 0.002), now):
            if frame.kind == frames.DATA:
                there.consumed(1, len(frame.payload))
                came += len(frame.payload) if now > seconds / 2 else 0
        if there.due():
            down.queue += there.flush(now)
        here.receive(down.step(now, 0.002), now)
        while here.pace_room() and here.room(1):
            left = max(LEAST, min(here.pace_room(), len(bulk)))
            while left > 0 and here.room(1):
                at = sent % (len(bulk) - DATA_SIZE)  # far enough from where the same bytes were sent before
                taken = here.send_data(1, bulk[at : at + min(left, DATA_SIZE)])
                left -= taken
                sent += taken
            up.queue += here.flush(now)
        if here.due():
            up.queue += here.flush(now)
        if now > seconds / 2:
            wait = max(wait, len(up.queue) / rate)
    return came / (seconds / 2) / rate, wait


def test_a_thin_line_is_full_and_a_key_waits_hardly() -> None:
    for rate, delay in ((250000.0, 0.05), (1250000.0, 0.025))[: times(2)]:
        used, wait = run(rate, delay, 8.0)
        assert used > 0.85, (rate, delay, used)
        assert wait < 0.055, (rate, delay, wait)


def test_a_far_line_without_a_limit_takes_all() -> None:
    used, _ = run(25e6, 0.1, 3.0)
    assert used > 0.8, used
