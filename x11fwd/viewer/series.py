"""Points of a chart in bounded memory, and the few that a row of pixels can show; the viewer's own."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Series", "lowest_and_highest"]

MOST_POINTS = 131_072  # kept of one series: 2 MB, many times the pixels of any screen
MOST_GAPS = 2_000


class Series:
    """One line: every point while there are few, then the lowest and highest of each run of equally many.

    Nothing that sticks out is ever lost by that: the smallest and the largest y of any stretch stay. A y that
    is not a number is a gap in the line; its place is kept apart, so that it stays marked after foldings.

    Attributes:
        count: points that came, the ones that are not a number included.
        gaps_count: those that were not a number.
    """

    def __init__(self, most: int = MOST_POINTS) -> None:
        self._most = max(most, 8)
        self._xs, self._ys = array("d"), array("d")
        self._pending_xs, self._pending_ys = array("d"), array("d")
        self._run = 1  # points that become two (1: each stays)
        self._gaps = array("d")
        self._sorted = True
        self.count = 0
        self.gaps_count = 0
        self.last = (math.nan, math.nan)

    @property
    def size(self) -> int:
        """Bytes of the points kept."""
        return 16 * (len(self._xs) + len(self._pending_xs)) + 8 * len(self._gaps)

    def extend(self, xs: Iterable[float], ys: Iterable[float]) -> None:
        """Append points in their order.

        Raises:
            ValueError: not as many x as y. Nothing was appended.
        """
        new_xs, new_ys = _doubles(xs), _doubles(ys)
        if len(new_xs) != len(new_ys):
            raise ValueError(f"{len(new_xs)} x and {len(new_ys)} y are no points")
        if not new_xs:
            return
        _keep_finite(new_xs, new_ys)
        self._note_gaps(new_xs, new_ys)
        self._note_order(new_xs)
        self.count += len(new_xs)
        self.last = (new_xs[-1], new_ys[-1])
        if self._run == 1:
            self._xs.extend(new_xs)
            self._ys.extend(new_ys)
        else:
            self._pending_xs.extend(new_xs)
            self._pending_ys.extend(new_ys)
            whole = len(self._pending_xs) // self._run * self._run
            _fold(self._pending_xs[:whole], self._pending_ys[:whole], self._run, self._xs, self._ys)
            del self._pending_xs[:whole], self._pending_ys[:whole]
        while len(self._xs) > self._most:
            self._halve()

    def _halve(self) -> None:
        """Sixteen kept points become two: long runs are folded quicker, and thousands are still there."""
        whole = len(self._xs) // 16 * 16
        xs, ys = array("d"), array("d")
        _fold(self._xs[:whole], self._ys[:whole], 16, xs, ys)
        if self._run == 1:  # what is over are original points, and wait for their run to fill
            self._pending_xs, self._pending_ys = self._xs[whole:], self._ys[whole:]
        else:
            xs.extend(self._xs[whole:])
            ys.extend(self._ys[whole:])
        self._run = 16 if self._run == 1 else self._run * 8
        self._xs, self._ys = xs, ys

    def _note_gaps(self, xs: array[float], ys: array[float]) -> None:
        if not math.isnan(sum(ys)):  # one pass in C tells that there is none
            return
        for x, y in zip(xs, ys, strict=True):
            if math.isnan(y):
                self.gaps_count += 1
                if len(self._gaps) < MOST_GAPS:
                    self._gaps.append(x)

    def _note_order(self, xs: array[float]) -> None:
        before = self.last[0] if self.count else -math.inf
        if self._sorted:
            listed = xs.tolist()  # to sort what is sorted is the quickest look at all of it
            self._sorted = listed[0] >= before and sorted(listed) == listed

    def view(
        self, columns: int, start: float | None = None, end: float | None = None
    ) -> tuple[list[float], list[float | None], list[float]]:
        """What a chart `columns` pixels wide needs: at most two points a column, and the newest.

        Args:
            start, end: only this stretch of x, with one neighbour on each side: the line reaches the edge.

        Returns:
            x values; y values, None where the line has a gap; x values of points that were not a number.
        """
        xs, ys = self._xs + self._pending_xs, self._ys + self._pending_ys
        gaps = self._gaps
        if self._sorted and (start is not None or end is not None):
            low = bisect_left(xs, start) if start is not None else 0
            high = bisect_left(xs, end) if end is not None else len(xs)
            xs, ys = xs[max(0, low - 1) : high + 1], ys[max(0, low - 1) : high + 1]
            gaps = array(
                "d", (x for x in gaps if (start is None or x >= start) and (end is None or x <= end))
            )
        if len(xs) > 2 * columns:
            thin_xs, thin_ys = array("d"), array("d")
            for first, after in self._columns(xs, columns):
                _fold(xs[first:after], ys[first:after], after - first, thin_xs, thin_ys)
            # The newest point is what a person waits for, also where it is neither lowest nor highest.
            if (thin_xs[-1], thin_ys[-1]) != (xs[-1], ys[-1]):
                thin_xs.append(xs[-1])
                thin_ys.append(ys[-1])
            xs, ys = thin_xs, thin_ys
        return xs.tolist(), [None if math.isnan(y) else y for y in ys], gaps.tolist()

    def _columns(self, xs: array[float], columns: int) -> Iterator[tuple[int, int]]:
        """First and one-after-last index of the points behind each pixel column that has any."""
        size = len(xs)
        if not self._sorted or not xs[-1] > xs[0]:  # x runs back and forth: equally many points each
            yield from ((at * size // columns, (at + 1) * size // columns) for at in range(columns))
            return
        width = (xs[-1] - xs[0]) / columns
        first = 0
        for column in range(1, columns + 1):
            after = size if column == columns else bisect_left(xs, xs[0] + column * width, first)
            if after > first:
                yield first, after
                first = after


def lowest_and_highest(xs: array[float], ys: array[float]) -> Iterator[tuple[float, float]]:
    """The lowest and the highest point in the order in which they came; a gap for a run without numbers."""
    if math.isnan(sum(ys)):
        kept = [(x, y) for x, y in zip(xs, ys, strict=True) if not math.isnan(y)]
        if not kept:
            yield xs[0], math.nan
            yield xs[-1], math.nan
            return
        xs, ys = array("d", (x for x, _ in kept)), array("d", (y for _, y in kept))
    low, high = ys.index(min(ys)), ys.index(max(ys))
    if low == high:  # a flat stretch: its two ends, so that it stays as wide as it was
        low, high = 0, len(ys) - 1
    for at in sorted((low, high)):
        yield xs[at], ys[at]


def _fold(xs: array[float], ys: array[float], run: int, to_xs: array[float], to_ys: array[float]) -> None:
    if math.isnan(sum(ys)):
        for at in range(0, len(xs), run):
            for x, y in lowest_and_highest(xs[at : at + run], ys[at : at + run]):
                to_xs.append(x)
                to_ys.append(y)
        return
    # the same without a look for gaps in each run: most of the time of a long log goes here
    all_xs, all_ys = xs.tolist(), ys.tolist()
    new_xs: list[float] = []
    new_ys: list[float] = []
    for at in range(0, len(all_xs), run):
        part = all_ys[at : at + run]
        low, high = part.index(min(part)), part.index(max(part))
        if low == high:
            low, high = 0, len(part) - 1
        elif low > high:
            low, high = high, low
        new_xs += (all_xs[at + low], all_xs[at + high])
        new_ys += (part[low], part[high])
    to_xs.extend(new_xs)
    to_ys.extend(new_ys)


def _doubles(values: Iterable[float]) -> array[float]:
    """A copy as doubles; fast for arrays and for anything with the buffer interface that holds doubles."""
    return array("d", values)


def _keep_finite(xs: array[float], ys: array[float]) -> None:
    """An x that is not finite has no place: its point goes where the one before is. Infinite y are gaps."""
    if not math.isfinite(sum(xs)):
        place = 0.0
        for at, x in enumerate(xs):
            if math.isfinite(x):
                place = x
            else:
                xs[at] = place
    total = sum(ys)
    if math.isinf(total) or math.isnan(total):
        for at, y in enumerate(ys):
            if math.isinf(y):  # infinity is as undrawable as NaN, and as much worth a mark
                ys[at] = math.nan
