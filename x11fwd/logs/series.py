"""One line of a chart in bounded memory, and the few points of it that can be seen; for the pipeline."""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Curve", "fold", "smooth"]

_MOST = 32_768  # points kept: half a megabyte, many times the columns of a screen
_MOST_MARKS = 1_000


class Curve:
    """Every point while there are few, then the lowest and the highest of each stretch of equally many.

    Attributes:
        count: points that came.
        bad: how many of them were NaN or infinite.
        marks: (x, y) of the first thousand of those.
        first, last: the first and the last finite point as (x, y); NaN before there was one.
        low, high: the least and the greatest finite y.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._xs, self._ys = array("d"), array("d")
        self._waiting_xs: list[float] = []
        self._waiting_ys: list[float] = []
        self._run = 1  # points behind each kept pair; 1 where all are kept
        self.count = self.bad = 0
        self.marks: list[tuple[float, float]] = []
        self.first = self.last = (math.nan, math.nan)

    @property
    def low(self) -> float:
        return min(min(self._ys, default=math.inf), min(self._waiting_ys, default=math.inf))

    @property
    def high(self) -> float:
        return max(max(self._ys, default=-math.inf), max(self._waiting_ys, default=-math.inf))

    def extend(self, xs: Sequence[float], ys: Sequence[float]) -> None:
        """Append points in the order in which they came."""
        self.count += len(ys)
        # the sum is finite where all are; a sum that overflows only costs the slower way
        if not math.isfinite(sum(ys)):
            xs, ys = self._sort_out(xs, ys)
        if not ys:
            return
        if math.isnan(self.first[0]):
            self.first = (xs[0], ys[0])
        self.last = (xs[-1], ys[-1])
        if self._run == 1:
            self._xs.extend(array("d", xs))
            self._ys.extend(array("d", ys))
        elif len(ys) + len(self._waiting_ys) < self._run:
            self._waiting_xs.extend(xs)
            self._waiting_ys.extend(ys)
        else:
            if self._waiting_ys:
                xs, ys = [*self._waiting_xs, *xs], [*self._waiting_ys, *ys]
            rest = len(ys) % self._run
            fold(xs, ys, self._run, self._xs, self._ys, len(ys) - rest)
            self._waiting_xs, self._waiting_ys = list(xs[len(ys) - rest :]), list(ys[len(ys) - rest :])
        while len(self._xs) > self._most:
            self._thin()

    def _sort_out(self, xs: Sequence[float], ys: Sequence[float]) -> tuple[list[float], list[float]]:
        good_xs: list[float] = []
        good_ys: list[float] = []
        for x, y in zip(xs, ys, strict=True):
            if math.isfinite(y):
                good_xs.append(x)
                good_ys.append(y)
                continue
            self.bad += 1
            if len(self.marks) < _MOST_MARKS:
                self.marks.append((x, y))
        return good_xs, good_ys

    def _thin(self) -> None:
        # a large step, because long runs are folded quicker than short ones
        xs, ys = array("d"), array("d")
        fold(self._xs, self._ys, 32, xs, ys, len(self._xs))
        self._xs, self._ys = xs, ys
        self._run = 32 if self._run == 1 else self._run * 16

    def points(self, columns: int) -> tuple[array[float], array[float]]:
        """At most about two points for each of `columns`, the extremes of each stretch among them."""
        xs, ys = self._xs + array("d", self._waiting_xs), self._ys + array("d", self._waiting_ys)
        if len(xs) <= 2 * columns:
            return xs, ys
        few_xs, few_ys = array("d"), array("d")
        fold(xs, ys, -(-len(xs) // columns), few_xs, few_ys, len(xs))
        return few_xs, few_ys


def fold(  # noqa: PLR0917  from and to, as with `copy`
    xs: Sequence[float],
    ys: Sequence[float],
    run: int,
    to_xs: array[float],
    to_ys: array[float],
    end: int,
) -> None:
    """Append the lowest and the highest of each `run` points before `end`, in the order of the points."""
    for at in range(0, end, run):
        part = ys[at : min(at + run, end)]
        low, high = part.index(min(part)), part.index(max(part))
        if low > high:
            low, high = high, low
        to_xs.append(xs[at + low])
        to_ys.append(part[low])
        if high != low:
            to_xs.append(xs[at + high])
            to_ys.append(part[high])


def smooth(ys: Sequence[float], weight: float) -> array[float]:
    """An exponential mean without the pull of its start (Kingma and Ba 2015, section 3).

    Args:
        weight: 0 leaves all as it is, 0.9 looks back over about ten points.
    """
    found = array("d")
    total, share = 0.0, 0.0
    for y in ys:
        total = total * weight + y * (1 - weight)
        share = share * weight + (1 - weight)
        found.append(total / share)
    return found
