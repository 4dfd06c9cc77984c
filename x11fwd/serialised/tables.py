"""CSV and TSV files as rows of words and numbers, bounded; the pipeline's."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass, field

__all__ = ["Rows", "read_rows"]

_MOST_ROWS = 10_000
_MOST_COLUMNS = 500
_LONGEST_CELL = 2_000
_DELIMITERS = ",;\t|"

Cell = str | int | float | None


@dataclass(frozen=True)
class Rows:
    """A table; `left_off` rows are in the file and not in `rows`."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...] = field(repr=False)
    left_off: int = 0


def read_rows(data: bytes, *, whole: bool = True) -> Rows:
    """What the text says; never fails: any text is a table of some kind.

    Args:
        whole: the last line counts although no line end follows it.
    """
    text = data.decode("utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig", "replace")
    if not whole and not text.endswith(("\n", "\r")):
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1]
    lines = [line for line in text[:200_000].splitlines() if line.strip()][:50]
    delimiter = max(_DELIMITERS, key=lambda sign: _steady(lines, sign))
    rows: list[tuple[str, ...]] = []
    left_off = 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            if not row or (row[0].startswith("#") and not rows):
                continue
            if len(rows) > _MOST_ROWS:
                left_off += 1
            else:
                rows.append(tuple(cell[:_LONGEST_CELL].strip() for cell in row[:_MOST_COLUMNS]))
    except csv.Error:  # a field of more than 128 kB: what came before it is shown
        left_off += 1
    width = max(map(len, rows), default=0)
    named = (
        bool(rows) and len(rows) > 1 and not any(isinstance(_cell(cell), (int, float)) for cell in rows[0])
    )
    head = rows.pop(0) if named else ()
    columns = tuple(head[at] if at < len(head) and head[at] else str(at + 1) for at in range(width))
    full = [row + ("",) * (width - len(row)) for row in rows[:_MOST_ROWS]]
    left_off += max(0, len(rows) - _MOST_ROWS)
    return Rows(columns, tuple(tuple(_cell(cell) for cell in row) for row in full), left_off)


def _steady(lines: list[str], sign: str) -> tuple[int, int]:
    """How many lines have as many of it as the first, and how many that is."""
    first = lines[0].count(sign) if lines else 0
    return (sum(line.count(sign) == first for line in lines), first) if first else (0, 0)


def _cell(text: str) -> Cell:
    if not text:
        return None
    try:
        if len(text) < 19 and text.lstrip("+-").isdecimal():
            return int(text)
        value = float(text)
    except ValueError:
        return text
    return value if math.isfinite(value) and "_" not in text else text
