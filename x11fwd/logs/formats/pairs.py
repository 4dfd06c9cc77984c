"""`key=value` and `key: value` lines, with whatever words stand between; used by the table and by bars."""

from __future__ import annotations

import math
import re

from x11fwd.logs.formats.form import Form
from x11fwd.logs.numbers import NUMBER, STAMP, looks_like_metric, place, stamp_seconds
from x11fwd.logs.rows import Axis, Row

__all__ = ["KeyColon", "KeyEquals", "axis_words", "pairs"]

# what may follow a number: an end, a unit, a percent sign; not `:30` of a time or a letter of a word
_AFTER = r"(?=[\s,;|)\]}/%]|$|:(?!\d)|(?:ms|us|s|it/s|k|K|M|G|GB|MB|e)\b)"
_WRAP = r"(?:tensor\(|np\.\w+\()?"
_EQUALS = re.compile(rf"(?<![\w/])([A-Za-z_][\w./\-@%()']{{0,99}}?)\s?=\s*{_WRAP}({NUMBER}){_AFTER}")
_EITHER = re.compile(
    rf"(?<![\w/])([A-Za-z_][\w./\-@%()']{{0,99}}(?: [A-Za-z_][\w./\-@%()']{{0,40}}){{0,2}}?)"
    rf"\s?[:=]\s*{_WRAP}({NUMBER}){_AFTER}"
)
_AXIS = re.compile(
    r"(?<![\w/])(epochs?|global_step|steps?|iter(?:ation)?s?|batch|round|update)\b"
    r"(?:\s*[:=#]\s*|\s+|(?=\[))[\[(]?\s*"
    r"(\d{1,15}(?:\.\d+)?)(?:\s*/\s*\d+)?(?![\w.]|:\d|\s*=)",
    re.IGNORECASE,
)
# Train Epoch: 1 [640/60000 (1%)], as in PyTorch's own examples
_WITHIN = re.compile(r"epoch:? +\d{1,9} +[\[(](\d{1,15})/\d+", re.IGNORECASE)
_STAMP = re.compile(STAMP)
_AXIS_WORDS = {"step", "steps", "epoch", "iter", "iteration", "batch", "round", "update"}
_LEVEL = re.compile(r"^.*?\b(?:DEBUG|INFO|WARNING|ERROR)\b[\]\s:|-]*")


def axis_words(line: str) -> dict[Axis, float]:
    """`Epoch [1/10]`, `Step: 300`, `iter 5` and a date, wherever they stand."""
    axes: dict[Axis, float] = {}
    for found in _AXIS.finditer(line):
        axis = Axis.EPOCH if found[1][0] in "eE" else Axis.STEP
        axes.setdefault(axis, float(found[2]))
    within = _WITHIN.search(line)
    if within is not None:
        axes.setdefault(Axis.STEP, float(within[1]))
    stamp = _STAMP.search(line)
    if stamp is not None:
        seconds = stamp_seconds(stamp.group())
        if not math.isnan(seconds):
            axes[Axis.TIME] = seconds
    return axes


def pairs(text: str, *, colon: bool) -> dict[str, float]:
    """Names and numbers joined by `=` (or `:` too); a name that comes twice keeps its first value."""
    found: dict[str, float] = {}
    for name, number in (_EITHER if colon else _EQUALS).findall(text):
        found.setdefault(name.strip("()' "), float(number))
    return found


def _row(line: str, *, colon: bool) -> Row | None:
    axes = axis_words(line)
    words = _STAMP.sub(" ", line, count=1)
    words = _LEVEL.sub("", words)
    row = Row(axes, {})
    for name, value in pairs(words, colon=colon).items():
        # `step=300 global_step=300`, and `Epoch: 1` that was found already
        place(row.axes, row.values, name, value)
    for name in [name for name in row.values if re.split(r"[ /_]", name.lower())[-1] in _AXIS_WORDS]:
        del row.values[name]
    if not row.values:
        return None
    placed = Axis.STEP in axes or Axis.EPOCH in axes
    # `batch_size=32 workers=4` at the start of a log is no curve
    return row if placed or any(looks_like_metric(name) for name in row.values) else None


class KeyEquals(Form):
    """`step=300 loss=0.25`"""

    name = "key-equals-value"
    title = "key=value"

    def parse(self, line: str) -> Row | None:
        if "=" not in line or (": " in line and len(pairs(line, colon=True)) > len(pairs(line, colon=False))):
            return None
        return _row(line, colon=False)


class KeyColon(Form):
    """`Epoch [1/10], Step [100/600], Loss: 0.25`, `iter: 19  total_loss: 1.2`"""

    name = "key-colon-value"
    title = "key: value"

    def parse(self, line: str) -> Row | None:
        return _row(line, colon=True) if ":" in line else None
