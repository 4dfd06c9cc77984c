"""CSV and TSV with a header (Keras, Lightning's metrics.csv, Ultralytics' results.csv); used by the table."""

from __future__ import annotations

import csv
import math
import re

from x11fwd.logs.formats.form import Form
from x11fwd.logs.lines import LONGEST
from x11fwd.logs.numbers import NUMBER, STAMP, is_time_name, place, stamp_seconds
from x11fwd.logs.rows import Axis, Row

_NUMBER = re.compile(NUMBER)
_STAMP = re.compile(STAMP)
_NAME = re.compile(r"[^\d\s\-+.\[{][^{}=:\[\]]{0,99}|")  # an index column has no name
_MOST = 1000


class Csv(Form):
    """A header and its rows; a header that comes again (a job that was restarted) is taken anew."""

    name = "csv"
    title = "CSV with a header"
    longest = LONGEST

    def __init__(self) -> None:
        self._names: list[str] = []
        self._separator = ","

    def observe(self, line: str) -> bool:
        for separator in ",\t;":
            if separator not in line:
                continue
            cells = [cell.strip().strip("#").strip() for cell in _cells(line, separator)]
            named = [cell for cell in cells if cell]
            if not 2 <= len(cells) <= _MOST or len(named) < 2 or len(set(named)) != len(named):
                continue
            if not all(_NAME.fullmatch(cell) for cell in cells) or any(
                _NUMBER.fullmatch(cell) for cell in named
            ):
                continue
            # prose has commas too: most of its pieces have several words
            if sum(len(cell.split()) <= 3 and not cell.endswith((".", ":")) for cell in named) < len(named):
                continue
            self._names, self._separator = cells, separator
            return True
        return False

    def parse(self, line: str) -> Row | None:
        if not self._names or self._separator not in line:
            return None
        cells = _cells(line, self._separator)
        if len(cells) != len(self._names):
            return None
        row = Row({}, {})
        for name, cell in zip(self._names, cells, strict=True):
            text = cell.strip()
            if not text or not name:
                continue
            if _NUMBER.fullmatch(text):
                place(row.axes, row.values, name, float(text))
            elif is_time_name(name) and _STAMP.fullmatch(text) and Axis.TIME not in row.axes:
                seconds = stamp_seconds(text)
                if not math.isnan(seconds):
                    row.axes[Axis.TIME] = seconds
        return row if row.values else None


def _cells(line: str, separator: str) -> list[str]:
    if '"' not in line:
        return line.split(separator)
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []
