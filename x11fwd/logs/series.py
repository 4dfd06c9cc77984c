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
        self._waiting_xs, self._waiting_ys = array("d"), array("d")
        self._run = 1  # points behind each kept pair; 1 where all are kept
        self.count = self.bad = 0
        self.marks: list[tuple[float, float]] = []
        self.first = self.last = (math.nan, math.nan)
        self.low, self.high = math.inf, -math.inf

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
        low, high = min(ys), max(ys)
        self.low, self.high = min(self.low, low), max(self.high, high)
        self._waiting_xs.extend(xs)
        self._waiting_ys.extend(ys)
        whole = len(self._waiting_ys) // self._run * self._run
        if whole:
            if self._run == 1:
                self._xs.extend(self._waiting_xs)
                self._ys.extend(self._waiting_ys)
            else:
                fold(self._waiting_xs[:whole], self._waiting_ys[:whole], self._run, self._xs, self._ys)
            del self._waiting_xs[:whole], self._waiting_ys[:whole]
        while len(self._xs) > self._most:
            self._halve()

    def _sort_out(self, xs: Sequence[float], ys: Sequence[float]) -> tuple[array[float], array[float]]:
        good_xs, good_ys = array("d"), array("d")
        for x, y in zip(xs, ys, strict=True):
            if math.isfinite(y):
                good_xs.append(x)
                good_ys.append(y)
                continue
            self.bad += 1
            if len(self.marks) < _MOST_MARKS:
                self.marks.append((x, y))
        return good_xs, good_ys

    def _halve(self) -> None:
        xs, ys = array("d"), array("d")
        fold(self._xs, self._ys, 4, xs, ys)
        self._xs, self._ys = xs, ys
        self._run = 4 if self._run == 1 else self._run * 2

    def points(self, columns: int) -> tuple[array[float], array[float]]:
        """At most about two points for each of `columns`, the extremes of each stretch among them."""
        xs, ys = self._xs + self._waiting_xs, self._ys + self._waiting_ys
        if len(xs) <= 2 * columns:
            return xs, ys
        few_xs, few_ys = array("d"), array("d")
        fold(xs, ys, -(-len(xs) // columns), few_xs, few_ys)
        return few_xs, few_ys


def fold(xs: array[float], ys: array[float], run: int, to_xs: array[float], to_ys: array[float]) -> None:
    """Append the lowest and the highest point of each `run` points, in the order in which they stood."""
    for at in range(0, len(ys), run):
        part = ys[at : at + run]
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
