"""A coverage-guided mutator: inputs that reach new edges of the bridge are kept and changed further."""

from __future__ import annotations

import hashlib
import random
import sys
import time
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

import x11fwd.bridge
from x11fwd.bridge.shared.faults import WireFault

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

BRIDGE = str(Path(x11fwd.bridge.__file__).parent)
LONGEST_INPUT = 8192
MOST_SECONDS = 3.0  # that one input may take, traced
MOST_BYTES = 96 << 20  # that one input may need at its peak
_WORDS = (0, 1, 2, 4, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFF)
_Edge = tuple[int, int, int]


class Coverage:
    """Which lines of the bridge follow one another while an input runs (sys.settrace)."""

    def __init__(self) -> None:
        self.edges: set[_Edge] = set()
        self._mine: dict[CodeType, int] = {}

    def _call(self, frame: FrameType, event: str, _: object) -> object:
        if event != "call":
            return None
        code = frame.f_code
        number = self._mine.get(code)
        if number is None:
            number = len(self._mine) if code.co_filename.startswith(BRIDGE) else -1
            self._mine[code] = number
        if number < 0:
            return None
        edges, last = self.edges, 0

        def line(frame: FrameType, event: str, _: object) -> object:
            nonlocal last
            if event == "line":
                edges.add((number, last, frame.f_lineno))
                last = frame.f_lineno
            return line

        return line

    def run(self, target: Callable[[bytes], None], data: bytes) -> set[_Edge]:
        """The edges of one input; what the target raises apart from WireFault comes out."""
        self.edges = set()
        sys.settrace(self._call)  # type: ignore[arg-type]
        try:
            target(data)
        except WireFault:
            pass
        finally:
            sys.settrace(None)
        return self.edges


class Fuzzer:
    """One target: its corpus, the edges seen, and findings as (input, what went wrong)."""

    def __init__(self, target: Callable[[bytes], None], seeds: list[bytes], seed: int) -> None:
        self._target = target
        self._chance = random.Random(seed)
        self._coverage = Coverage()
        self.seen: set[_Edge] = set()
        self.corpus: list[bytes] = []
        self.executions = 0
        self.slowest = 0.0
        self.findings: dict[str, bytes] = {}
        for one in seeds:
            self.try_one(one)

    def try_one(self, data: bytes) -> None:
        """Run one input; keep it when it is new."""
        self.executions += 1
        began = time.monotonic()
        try:
            edges = self._coverage.run(self._target, data)
        except Exception as error:
            frame, where = error.__traceback__, ""
            while frame is not None:
                where = f"{frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}"
                frame = frame.tb_next
            self.findings.setdefault(f"{type(error).__name__} at {where}: {error}"[:300], data)
            return
        took = time.monotonic() - began
        self.slowest = max(self.slowest, took)
        if took > MOST_SECONDS:
            self.findings.setdefault(f"slow at {len(edges)} edges", data)
        if not edges <= self.seen:
            self.seen |= edges
            self.corpus.append(data)

    def run(self, seconds: float) -> None:
        """Change inputs until the time is over; every hundredth one is measured for memory."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            data = self._mutated()
            if self.executions % 100 == 0:
                self._measure(data)
            else:
                self.try_one(data)

    def _measure(self, data: bytes) -> None:
        tracemalloc.start()
        try:
            self.try_one(data)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        if peak > MOST_BYTES:
            self.findings.setdefault(f"memory beyond {MOST_BYTES >> 20} MB", data)

    def _mutated(self) -> bytes:
        chance = self._chance
        recent = self.corpus[-20:]
        data = bytearray(chance.choice(recent if chance.random() < 0.4 else self.corpus))
        for _ in range(chance.choice([1, 1, 1, 2, 3, 6])):
            self._mutate(data)
        return bytes(data[:LONGEST_INPUT])

    def _mutate(self, data: bytearray) -> None:
        chance = self._chance
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(8)
        if kind == 0:
            data[at : at + 1] = bytes([chance.randrange(256)])
        elif kind == 1 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 2:
            size = chance.choice([1, 2, 4])
            word = chance.choice(_WORDS) & (1 << 8 * size) - 1
            data[at : at + size] = word.to_bytes(size, chance.choice(["little", "big"]))
        elif kind == 3:
            del data[at : at + chance.choice([1, 2, 4, 8, 32, 100])]
        elif kind == 4:
            data[at:at] = bytes(chance.choice([1, 2, 4, 8, 32]))
        elif kind == 5:
            start = chance.randrange(len(data) + 1)
            data[at:at] = data[start : start + chance.choice([4, 8, 16, 32, 100])]
        elif kind == 6:
            other = chance.choice(self.corpus)
            start = chance.randrange(len(other) + 1)
            data[at:] = other[start:]
        elif at < len(data):
            data[at] = data[at] + chance.choice([-1, 1, -4, 4]) & 0xFF

    def small_corpus(self, most: int) -> list[bytes]:
        """Few small inputs that reach every edge seen, of at most `most` bytes together."""
        reached = [(len(data), data, set(self._coverage.run(self._target, data))) for data in self.corpus]
        reached.sort(key=lambda row: row[0])
        left, kept, total = set().union(*(edges for _, _, edges in reached)), [], 0
        while left:
            size, data, edges = max(reached, key=lambda row: len(row[2] & left) / (row[0] + 50))
            if not edges & left:
                break
            left -= edges
            if total + size <= most:
                kept.append(data)
                total += size
        return kept


def name_of(data: bytes) -> str:
    """The file name of an input."""
    return hashlib.sha256(data).hexdigest()[:12]
