"""What is on the screen, read from Xvfb's frame buffer file: no X request, so nothing is disturbed."""

from __future__ import annotations

import mmap
import re
import struct
import time
from typing import TYPE_CHECKING, NamedTuple

from tests.bench.bridge.programs.plot import BITS, BOTTOM, CELL, HEIGHT, TOP, WIDTH

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Blue, green, red and a byte that nobody defines, as X.org keeps 24 bits on little-endian machines.
MAGENTA = re.compile(rb"(?:\xff\x00\xff.){16}", re.DOTALL)
CYAN = b"\xff\xff\x00"
FIRST_EVERY = 0.005  # seconds between two looks for the first plot
FRAME_EVERY = 0.002  # and for the next frame


class Seen(NamedTuple):
    """A frame number and when it was on the screen first (time.monotonic)."""

    number: int
    at: float


class Eye:
    """Looks for the figure of programs/plot.py on one screen."""

    def __init__(self, frame_buffer: Path) -> None:
        with frame_buffer.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        # XWDFile.h: 25 words, big-endian; then a window name, 12 bytes a colour, and the pixels
        header = struct.unpack_from(">25I", self._map)
        self._rows, self._stride = header[5], header[12]
        self._pixels = header[0] + 12 * header[19]
        self._place: tuple[int, int] | None = None

    def forget(self) -> None:
        """Look for the figure anew: another window will come."""
        self._place = None

    def sees_plot(self) -> bool:
        """Whether the first and the last row of the figure are on the screen."""
        self._place = place = self._find()
        if place is None:
            return False
        x, y = place
        return self._at(x + WIDTH - 1, y + HEIGHT - 1) == CYAN

    def first_plot(self, limit: float, alive: Callable[[], bool]) -> float:
        """Wait for the plot; when it was there (time.monotonic).

        Raises:
            TimeoutError: not within ``limit`` seconds, or the program was not ``alive`` any more.
        """
        end = time.monotonic() + limit
        while not self.sees_plot():
            if time.monotonic() > end:
                raise TimeoutError(f"no plot on the screen within {limit:g} s")
            if not alive():
                raise TimeoutError("the command ended before its plot was on the screen")
            time.sleep(FIRST_EVERY)
        return time.monotonic()

    def is_clear(self) -> bool:
        """Whether no figure is on the screen."""
        return self._find() is None

    def number(self) -> int | None:
        """The frame number on the screen, None while first and last rows are of two frames."""
        if self._place is None:
            return None
        x, y = self._place
        top = self._cells(x + TOP, y + CELL // 2)
        bottom = self._cells(x + BOTTOM, y + HEIGHT - CELL // 2)
        return top if top == bottom else None

    def follow(self, frames: list[Seen], until: Callable[[], bool]) -> None:
        """Note every new frame number until ``until()`` says so; it is asked after each look."""
        last = self.number()
        while not until():
            number = self.number()
            if number is not None and number != last:
                frames.append(Seen(number, time.monotonic()))
                last = number
            time.sleep(FRAME_EVERY)

    def _cells(self, left: int, y: int) -> int:
        start = self._pixels + y * self._stride + (left + CELL // 2) * 4
        row = self._map[start : start + BITS * CELL * 4 : CELL * 4]
        return sum(1 << bit for bit, blue in enumerate(row) if blue >= 128)

    def _at(self, x: int, y: int) -> bytes:
        start = self._pixels + y * self._stride + x * 4
        return self._map[start : start + 3]

    def _find(self) -> tuple[int, int] | None:
        for y in range(CELL // 2, self._rows, CELL // 2):
            start = self._pixels + y * self._stride
            found = MAGENTA.search(self._map[start : start + self._stride])
            if found and found.start() % 4 == 0:
                x = found.start() // 4
                while y and self._at(x, y - 1) == b"\xff\x00\xff":
                    y -= 1  # noqa: PLW2901  up to the figure's first row
                if y + HEIGHT > self._rows or self._at(x, y + CELL - 1) != b"\xff\x00\xff":
                    return None
                return x, y
        return None
