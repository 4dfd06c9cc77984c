"""All runs of all logs: each row finds its run and its x here; the pipeline shows what it holds."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from x11fwd.logs.rows import Axis
from x11fwd.logs.series import Curve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from x11fwd.logs.rows import Block

__all__ = ["MOST_RUNS", "MOST_SERIES", "Board", "Growth", "Run"]

MOST_SERIES = 500  # of one run
MOST_RUNS = 100


@dataclass(frozen=True)
class Growth:
    """Points that came to one series of one run."""

    run: Run
    name: str
    xs: Sequence[float]
    ys: Sequence[float]


@dataclass(eq=False)
class Run:
    """One training run: a log, or the part of it between two starts of the job.

    Attributes:
        source: the number of its log.
        label: how it is named beside others.
        number: 1 for the first run of a log.
        axis: what its x are.
    """

    source: int
    label: str
    number: int
    axis: Axis
    curves: dict[str, Curve] = field(default_factory=dict)


class _Track:
    """Where one log stands: the run it is in, and how far that is."""

    def __init__(self) -> None:
        self.run: Run | None = None
        self.first: float | None = None  # the run's first x
        self.at = 0.0  # the last x as written
        self.most = 0.0
        self.offset = 0.0  # what whole epochs add to a step that starts anew in each
        self.epoch = 0.0
        self.rows = 0


class Board:
    """Blocks go in, the curves of every run are there.

    Attributes:
        runs: in order of their appearance.
        left_off: points that were not taken because there are too many series or runs.
    """

    def __init__(self, labels: Sequence[str], axis: Axis | None = None) -> None:
        """
        Args:
            labels: the name of each log.
            axis: what x shall be; None takes step, else epoch, else the line, for each run.
        """
        self._labels = labels
        self._axis = axis
        self._tracks = [_Track() for _ in labels]
        self.runs: list[Run] = []
        self.left_off = 0

    @property
    def points(self) -> int:
        return sum(curve.count for run in self.runs for curve in run.curves.values())

    def add(self, source: int, block: Block) -> list[Growth]:
        """Take rows of a log; returns what grew."""
        track = self._tracks[source]
        steps = block.axes.get(Axis.STEP)
        written = steps if steps is not None else block.axes.get(Axis.EPOCH)
        grown: list[Growth] = []
        if written is None or self._goes_on(track, written):
            self._take(track, source, block, 0, len(block), grown)
            return grown
        start = 0
        for at, value in enumerate(written):
            before = written[at - 1] if at else track.at
            epoch = block.axes[Axis.EPOCH][at] if Axis.EPOCH in block.axes else track.epoch
            if value >= before or (track.run is None and not at):
                continue
            last = block.axes[Axis.EPOCH][at - 1] if at and Axis.EPOCH in block.axes else track.epoch
            if steps is not None and epoch > last:
                # the step counts within its epoch
                self._take(track, source, block, start, at, grown)
                track.offset += track.most
                track.most = track.at = 0.0
                start = at
            elif track.first is not None and value <= track.first:
                self._take(track, source, block, start, at, grown)
                self._begin_anew(track)
                start = at
        self._take(track, source, block, start, len(block), grown)
        return grown

    @staticmethod
    def _goes_on(track: _Track, written: list[float]) -> bool:
        # to sort what is sorted is the quickest look at all of it
        return written[0] >= track.at and sorted(written) == written

    @staticmethod
    def _begin_anew(track: _Track) -> None:
        track.run = track.first = None
        track.at = track.most = track.offset = track.epoch = 0.0
        track.rows = 0

    def _take(  # noqa: PLR0917  a slice of a block, and where it goes
        self, track: _Track, source: int, block: Block, start: int, end: int, grown: list[Growth]
    ) -> None:
        if start >= end:
            return
        run = track.run or self._new_run(track, source, block)
        if run is None:
            self.left_off += (end - start) * len(block.values)
            return
        xs = self._xs(track, run, block, start, end)
        for axis in (Axis.STEP, Axis.EPOCH):
            column = block.axes.get(axis)
            if column is None:
                continue
            if axis is Axis.EPOCH:
                track.epoch = column[end - 1]
            if axis is Axis.STEP or Axis.STEP not in block.axes:
                if track.first is None:
                    track.first = column[start]
                track.at = column[end - 1]
                track.most = max(track.most, max(column[start:end]))  # noqa: PLW3301  a million arguments
        track.rows += end - start
        for name, column in block.values.items():
            curve = run.curves.get(name)
            if curve is None:
                if len(run.curves) >= MOST_SERIES:
                    self.left_off += end - start
                    continue
                curve = run.curves[name] = Curve()
            ys = column if end - start == len(column) else column[start:end]
            curve.extend(xs, ys)
            grown.append(Growth(run, name, xs, ys))

    def _new_run(self, track: _Track, source: int, block: Block) -> Run | None:
        if len(self.runs) >= MOST_RUNS:
            return None
        number = sum(run.source == source for run in self.runs) + 1
        label = self._labels[source]
        if number > 1:
            label = f"{label} #{number}".strip()
        run = Run(source, label, number, self._axis or _best(block))
        self.runs.append(run)
        track.run = run
        return run

    def _xs(self, track: _Track, run: Run, block: Block, start: int, end: int) -> list[float]:
        if run.axis is Axis.LINE and self._axis is None and track.rows < 10:
            run.axis = _best(block)  # the first lines of a log may be of something else
        if run.axis is Axis.LINE:
            return [float(row) for row in range(track.rows, track.rows + end - start)]
        column = block.axes.get(run.axis)
        if column is None:
            # an evaluation stands where the training is; a log without times is dated by its arrival
            here = time.time() if run.axis is Axis.TIME else track.at + track.offset
            return [here] * (end - start)
        if run.axis is Axis.STEP and track.offset:
            return [x + track.offset for x in column[start:end]]
        return column if end - start == len(column) else column[start:end]


def _best(block: Block) -> Axis:
    return next((axis for axis in (Axis.STEP, Axis.EPOCH) if axis in block.axes), Axis.LINE)
