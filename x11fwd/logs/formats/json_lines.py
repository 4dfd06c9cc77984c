"""JSON lines: one object a line (structlog, mmengine's scalars.json); used by the table."""

from __future__ import annotations

import json
import math

from x11fwd.logs.formats.form import Form
from x11fwd.logs.lines import LONGEST
from x11fwd.logs.numbers import is_time_name, place, stamp_seconds
from x11fwd.logs.rows import Axis, Row

_DEEPEST = 4
_MOST = 1000
# what libraries write for what JSON has no word for
_WORDS = {
    "nan": math.nan,
    "inf": math.inf,
    "+inf": math.inf,
    "-inf": -math.inf,
    "infinity": math.inf,
    "-infinity": -math.inf,
}


class JsonLines(Form):
    """Objects inside objects are joined by `/`; texts, lists, true and false are passed over."""

    name = "json-lines"
    title = "JSON lines"
    longest = LONGEST

    def parse(self, line: str) -> Row | None:
        line = line.strip()
        if not (line.startswith("{") and line.endswith("}")):
            return None
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            return None
        row = Row({}, {})
        _gather(found, "", row, 0)
        return row if row.values else None


def _gather(found: dict[str, object], path: str, row: Row, depth: int) -> None:
    for key, value in found.items():
        if len(row.values) >= _MOST:
            return
        name = f"{path}{key}"
        if isinstance(value, bool):
            continue
        if isinstance(value, int | float):
            try:
                number = float(value)
            except OverflowError:
                continue
            place(row.axes, row.values, name, number)
        elif isinstance(value, str):
            word = _WORDS.get(value.lower())
            if word is not None:
                row.values[name] = word
            elif is_time_name(key) and len(value) < 40 and Axis.TIME not in row.axes:
                seconds = stamp_seconds(value)
                if not math.isnan(seconds):
                    row.axes[Axis.TIME] = seconds
        elif isinstance(value, dict) and depth < _DEEPEST:
            _gather(value, f"{name}/", row, depth + 1)
