"""A line's numbers by the user's own regular expression (`--pattern`); used by the reader."""

from __future__ import annotations

import math
import re

from x11fwd.errors import UsageError
from x11fwd.logs.formats.form import Form
from x11fwd.logs.lines import LONGEST
from x11fwd.logs.numbers import STAMP, place, stamp_seconds
from x11fwd.logs.rows import Axis, Row

__all__ = ["ByPattern"]

_STAMP = re.compile(STAMP)


class ByPattern(Form):
    """Each named group is a series; `step`, `epoch`, `time` are axes, `name` and `value` one pair."""

    name = "pattern"
    title = "your pattern"
    longest = LONGEST

    def __init__(self, pattern: str) -> None:
        """Raises UsageError where it is no regular expression or has no named group."""
        try:
            self._pattern = re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise UsageError(f"--pattern is no regular expression: {error}") from None
        if not self._pattern.groupindex:
            raise UsageError(
                "--pattern has no named group",
                hint=r"name what is to be plotted: `--pattern 'step (?P<step>\d+) loss (?P<loss>\S+)'`",
            )

    def parse(self, line: str) -> Row | None:
        found = self._pattern.search(line)
        if found is None:
            return None
        groups = found.groupdict()
        if "name" in groups and "value" in groups:
            groups[groups.pop("name") or "value"] = groups.pop("value")
        row = Row({}, {})
        for name, text in groups.items():
            if text is None:
                continue
            number = _number(text)
            if number is not None:
                place(row.axes, row.values, name, number)
            elif (stamp := _STAMP.fullmatch(text.strip())) is not None:
                seconds = stamp_seconds(stamp.group())
                if not math.isnan(seconds):
                    row.axes[Axis.TIME] = seconds
        return row if row.values else None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
