"""tqdm's bar, also Lightning's, and Keras' bar, each state of which is a row; used by the table."""

from __future__ import annotations

import re

from x11fwd.logs.formats.form import Form
from x11fwd.logs.formats.pairs import axis_words, pairs
from x11fwd.logs.numbers import NUMBER, place
from x11fwd.logs.rows import Axis, Row

_TQDM = re.compile(
    r"^(?P<head>[^|]{0,300}?)\s*\d+%\|[^|]{0,1000}\|\s*(?P<n>[\d.]+)(?P<unit>[kMGT]?)/(?P<total>[\d.]+)[kMGT]?\s*"
    r"\[[\d:]+<[\d:?]+(?:,\s*(?P<post>[^\]]*))?\](?P<tail>.*)$"
)
_UNCOUNTED = re.compile(
    r"^(?P<head>[^|\[]{0,300}?)(?P<n>\d+)(?:it|step|ex)? ?\[[\d:]+,\s*(?P<post>[^\]]*)\](?P<tail>.*)$"
)
_LIGHTNING = re.compile(
    r"^(?P<head>Epoch \d+)(?:/\S+)?\s*[━╸╺ ]+\s*(?P<n>\d+)/(?P<total>\d+)\s+[\d:]+\s*"
    r"•\s*[-\d:]+\s+(?P<post>.*)$"
)
_RATE = re.compile(r"^\s*[\d.?]+\s*\w*/\w+|^\s*[\d.?]+\w*/s")


class Tqdm(Form):
    """Values come from the postfix and the description; a bar without any is passed over."""

    name = "tqdm"
    title = "tqdm bar"

    def parse(self, line: str) -> Row | None:
        found = _TQDM.match(line) if "%|" in line else _UNCOUNTED.match(line) if "[" in line else None
        if found is None or found["tail"].strip():
            return None
        head = found["head"].strip()
        axes: dict[Axis, float] = {
            axis: value for axis, value in axis_words(head).items() if axis is Axis.EPOCH
        }
        if not found.groupdict().get("unit"):
            axes[Axis.STEP] = float(found["n"])
        row = Row(axes, {})
        for name, value in {**pairs(head, colon=True), **pairs(found["post"] or "", colon=False)}.items():
            if name.lower() not in {"epoch", "step", "v_num"}:
                place(row.axes, row.values, name, value)
        return row if row.values else None


class Lightning(Tqdm):
    """`Epoch 3: 100%|…| 938/938 [… v_num=0, train_loss=0.1]`, and the rich bar; steps go on over epochs."""

    name = "lightning"
    title = "Lightning bar"

    def parse(self, line: str) -> Row | None:
        if not line.startswith("Epoch "):
            return None
        found = _LIGHTNING.match(line)
        if found is None:
            found = _TQDM.match(line)
            if (
                found is None
                or not re.fullmatch(r"Epoch \d+:", found["head"])
                or "v_num" not in (found["post"] or "")
            ):
                return None
            row = super().parse(line)
        else:
            values = pairs(found["post"], colon=True)
            values.pop("v_num", None)
            row = Row({Axis.EPOCH: float(found["head"].split()[1]), Axis.STEP: float(found["n"])}, values)
        if row is None or not row.values:
            return None
        epoch, total = float(line.split()[1].rstrip(":").partition("/")[0]), float(found["total"])
        return Row({Axis.EPOCH: epoch, Axis.STEP: epoch * total + row.axes.get(Axis.STEP, 0.0)}, row.values)


_KERAS = re.compile(
    r"^\s*(?P<n>\d+)/(?P<total>\d+)\s+(?:\[[=>.]*\]|[━╸╺\s]*|-)\s*(?P<post>.*?)\s*$",
)
_KERAS_EPOCH = re.compile(r"^\s*Epoch (\d+)/(\d+)\s*$")
_KERAS_PAIR = re.compile(rf"(?:^|- )\s*([A-Za-z_][\w./\- ]{{0,99}}?): ({NUMBER})(?=\s|$)")


class Keras(Form):
    """`Epoch 1/5`, then `1875/1875 [====] - 3s 2ms/step - loss: 0.2` (Keras 2) or `━━━━` (Keras 3)."""

    name = "keras"
    title = "Keras bar"

    def __init__(self) -> None:
        self._epoch = 0.0

    def observe(self, line: str) -> bool:
        found = _KERAS_EPOCH.match(line)
        if found is None:
            return False
        self._epoch = float(found[1])
        return True

    def parse(self, line: str) -> Row | None:
        found = _KERAS.match(line) if "/" in line[:24] else None
        if found is None or ": " not in found["post"]:
            return None
        values = {name: float(number) for name, number in _KERAS_PAIR.findall(found["post"])}
        if not values or not re.search(r"\d(?:s|ms|us|h|m)\b|ETA", found["post"]):
            return None
        done, total = float(found["n"]), max(1.0, float(found["total"]))
        epoch = max(1.0, self._epoch) - 1
        return Row({Axis.EPOCH: epoch + done / total, Axis.STEP: epoch * total + done}, values)
