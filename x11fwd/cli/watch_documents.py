"""The JSON document of `x11fwd watch`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from x11fwd.logs.grouping import place_of

if TYPE_CHECKING:
    from x11fwd.logs.series import Curve
    from x11fwd.pipeline.watch import WatchResult

__all__ = ["watch_document"]

_POINTS = 500  # columns; at most twice as many points of a series


def watch_document(result: WatchResult) -> dict[str, object]:
    """`x11fwd.watch/1`; numbers that JSON has no word for are null."""
    alarm = result.alarm
    return {
        "schema": "x11fwd.watch/1",
        "command": "watch",
        "ok": result.exit_code == 0,
        "exit_code": result.exit_code,
        "alarm": None
        if alarm is None
        else {"kind": alarm.kind.value, "text": alarm.sentence, "run": alarm.run, "series": alarm.series},
        "logs": [
            {
                "log": log.source.typed,
                "state": log.state,
                "bytes": log.bytes,
                "formats": dict(log.formats),
                "unread_lines": log.unread,
                "too_long_lines": log.too_long,
                "gaps": log.gaps,
            }
            for log in result.logs
        ],
        "runs": [
            {
                "log": result.logs[run.source].source.typed,
                "label": run.label,
                "number": run.number,
                "x": run.axis.value,
                "series": [_series(name, curve) for name, curve in run.curves.items()],
            }
            for run in result.board.runs
        ],
        "points_left_out": result.board.left_off,
        "losses": result.losses,
        "seconds": round(result.seconds, 3),
    }


def _series(name: str, curve: Curve) -> dict[str, object]:
    xs, ys = curve.points(_POINTS)
    return {
        "name": name,
        "chart": place_of(name).chart,
        "points": curve.count,
        "not_finite": curve.bad,
        "first": [_finite(value) for value in curve.first],
        "last": [_finite(value) for value in curve.last],
        "least": _finite(curve.low),
        "greatest": _finite(curve.high),
        "x": [_finite(x) for x in xs],
        "y": [_finite(y) for y in ys],
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
