"""The watched runs as charts in the viewer; the cli gives it to `run_watch`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from x11fwd.logs.grouping import place_of
from x11fwd.logs.rows import Axis
from x11fwd.pipeline.watch import losses

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from x11fwd.logs.board import Board, Growth
    from x11fwd.pipeline.watch import LogState
    from x11fwd.viewer.server import Viewer

__all__ = ["WatchPage"]

_MOST_CHARTS = 200
_FIRST = 1.5  # seconds: the charts come first on the page, where there are any
_EVERY = 1.0  # seconds between two looks at the logs' states


class WatchPage:
    """One chart for each metric, its heading by kind, a line for each run and part of the data."""

    def __init__(
        self, viewer: Viewer, *, log: bool = False, going: Callable[[], bool] = lambda: True
    ) -> None:
        self._viewer, self._log, self._going = viewer, log, going
        self._charts: dict[tuple[str, Axis], str] = {}
        self._logs: Sequence[LogState] = ()
        self._told: list[tuple[str, ...]] = []
        self._board: Board | None = None
        self._left_off: set[str] = set()  # names, for as long as they are few
        self._missing = ""
        self._next = time.monotonic() + _FIRST

    def begin(self, board: Board, logs: Sequence[LogState]) -> None:
        self._board, self._logs = board, logs

    def grown(self, grown: Sequence[Growth]) -> None:
        from x11fwd.viewer.items import Chart, ItemError

        new: list[tuple[tuple[int, int, str], str, Chart]] = []
        for one in grown:
            place = place_of(one.name)
            key = (place.chart, one.run.axis)
            if key in self._charts or len(self._charts) >= _MOST_CHARTS:
                continue
            chart_id = f"chart-{len(self._charts)}"
            self._charts[key] = chart_id
            kind = "time" if one.run.axis is Axis.TIME else "number"
            chart = Chart(
                chart_id,
                place.chart,
                x_label=one.run.axis.value,
                log=self._log,
                x_kind="time" if kind == "time" else "number",
                # few headings: one chart under each would leave half of the page empty
                group="Loss and quality" if place.order[0] < 2 else "The rest",
            )
            new.append((place.order, chart_id, chart))
        for _, _, chart in sorted(new, key=lambda each: each[:2]):
            self._viewer.put(chart)
        for one in grown:
            found = self._charts.get((place_of(one.name).chart, one.run.axis))
            name = f"{one.run.label} {one.name}".strip()
            try:
                if found is not None:
                    self._viewer.extend(found, name, one.xs, one.ys)
                    continue
            except ItemError:
                pass  # a chart has its most lines; the others go on
            if len(self._left_off) < _MOST_CHARTS:
                self._left_off.add(name)

    def pulse(self) -> bool:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _EVERY
            self._tell()
        return self._going()

    def _tell(self) -> None:
        from x11fwd.viewer.items import Note, Table

        missing = losses(self._board, self._logs) if self._board is not None else []
        if self._left_off:
            few = ", ".join(sorted(self._left_off)[:3])
            missing.append(f"{len(self._left_off)} series have no place in this page: {few} …")
        if (text := "; ".join(missing)) != self._missing:
            self._missing = text
            self._viewer.put(Note("missing", "Not everything is shown", text, level="warning", group="Logs"))
        rows = [
            (
                log.source.typed,
                log.state,
                ", ".join(log.formats) or "nothing recognised yet",
                str(sum(log.formats.values())),
            )
            for log in self._logs
        ]
        if rows != self._told:
            self._told = list(rows)
            self._viewer.put(Table("logs", "Logs", ("log", "state", "format", "rows"), rows, group="Logs"))
