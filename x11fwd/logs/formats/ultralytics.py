"""Ultralytics YOLO's training table: column names, numbers, a bar; used by the table."""

from __future__ import annotations

import re

from x11fwd.logs.formats.form import Form
from x11fwd.logs.numbers import NUMBER
from x11fwd.logs.rows import Axis, Row

_EPOCH = re.compile(r"^\s*(\d{1,6})/(\d{1,6})\s+(\S+)\s+(.*)$")
_NUMBER = re.compile(NUMBER)
_BAR = re.compile(r":?\s*\d+%.*$")
_COUNTS = {"Instances", "Size", "Images"}


class Ultralytics(Form):
    """Training rows are named `train/box_loss`, the row `all` of the validation `metrics/mAP50`."""

    name = "ultralytics"
    title = "Ultralytics YOLO"
    repeats = False  # the validation has the epoch of the last training row

    def __init__(self) -> None:
        self._columns: list[str] = []
        self._metrics: list[str] = []
        self._epoch = 0.0

    def observe(self, line: str) -> bool:
        words = line.split()
        if words[:2] == ["Epoch", "GPU_mem"]:
            self._columns = words[2:]
            return True
        if words[:3] == ["Class", "Images", "Instances"]:
            line = _BAR.sub(
                "", line.replace("Box(P", "P").replace("Mask(P", "mask-P").replace("Pose(P", "pose-P")
            )
            self._metrics = line.replace(")", "").split()[3:]
            return True
        found = _EPOCH.match(line) if self._columns else None
        if found is not None:
            self._epoch = float(found[1])
        return False

    def parse(self, line: str) -> Row | None:
        found = _EPOCH.match(line) if self._columns else None
        if found is not None:
            return self._training(found)
        words = line.split()
        if not self._metrics or words[:1] != ["all"] or len(words) != len(self._metrics) + 3:
            return None
        numbers = words[3:]
        if not all(_NUMBER.fullmatch(word) for word in numbers):
            return None
        values = {f"metrics/{name}": float(word) for name, word in zip(self._metrics, numbers, strict=True)}
        return Row({Axis.EPOCH: self._epoch}, values)

    def _training(self, found: re.Match[str]) -> Row | None:
        cells = found[4].split()
        values: dict[str, float] = {}
        for name, cell in zip(self._columns, cells, strict=False):
            number = _NUMBER.match(cell)
            if number is None:
                return None
            if name not in _COUNTS:
                values[f"train/{name}"] = float(number.group())
        return (
            Row({Axis.EPOCH: float(found[1])}, values)
            if values and len(cells) >= len(self._columns)
            else None
        )
