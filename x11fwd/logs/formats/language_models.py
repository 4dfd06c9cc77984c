"""nanoGPT's and Megatron-LM's lines; used by the table."""

from __future__ import annotations

import math
import re

from x11fwd.logs.formats.form import Form
from x11fwd.logs.numbers import NUMBER, STAMP, stamp_seconds
from x11fwd.logs.rows import Axis, Row

_HEAD = re.compile(r"^\s*(?:iter|step)\s+(\d{1,15})\s*(?:/\s*\d+\s*)?[:|]\s*")
_WORDS = re.compile(rf"([A-Za-z_][\w/ ]{{0,60}}?):? ({NUMBER})(?=ms|s\b|%|\s*$)")
_STAMP = re.compile(STAMP)


class NanoGpt(Form):
    """`iter 100: loss 3.2, time 61.2ms`, `step 100: train loss 3.2, val loss 3.3`, `step 5 | loss: 9.4 |`"""

    name = "nanogpt"
    title = "nanoGPT"

    def parse(self, line: str) -> Row | None:
        head = _HEAD.match(line)
        if head is None:
            return None
        values: dict[str, float] = {}
        for piece in re.split(r"[,|]", line[head.end() :]):
            found = _WORDS.match(piece.strip())
            if found is not None:
                values[found[1]] = float(found[2])
        return Row({Axis.STEP: float(head[1])}, values) if values else None


_ITERATION = re.compile(r"(?:^|\])\s*iteration\s+(\d{1,15})\s*/\s*\d+\s*\|")
_VALIDATION = re.compile(r"\bvalidation loss at iteration (\d{1,15})(?: on ([\w ]{1,40}?))?\s*\|")
_FIELD = re.compile(rf"^\s*([A-Za-z][\w \-/().]{{0,80}}?):\s*({NUMBER})\s*$")


class Megatron(Form):
    """` iteration 10/ 100 | consumed samples: 80 | … | lm loss: 1.0E+01 |`, and its validation lines."""

    name = "megatron"
    title = "Megatron-LM"

    def parse(self, line: str) -> Row | None:
        if "|" not in line:
            return None
        head = _ITERATION.search(line)
        before = ""
        if head is None:
            head = _VALIDATION.search(line)
            if head is None:
                return None
            before = f"{head[2] or 'validation'} "
        axes = {Axis.STEP: float(head[1])}
        stamp = _STAMP.search(line, 0, head.start() + 1)
        if stamp is not None and not math.isnan(seconds := stamp_seconds(stamp.group())):
            axes[Axis.TIME] = seconds
        values: dict[str, float] = {}
        for piece in line[head.end() :].split("|"):
            found = _FIELD.match(piece)
            if found is not None:
                values[before + found[1].removesuffix(" value")] = float(found[2])
        return Row(axes, values) if values else None
