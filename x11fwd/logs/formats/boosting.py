"""XGBoost's, LightGBM's and CatBoost's evaluation lines; used by the table."""

from __future__ import annotations

import re

from x11fwd.logs.formats.form import Form
from x11fwd.logs.numbers import NUMBER
from x11fwd.logs.rows import Axis, Row

_ROUND = re.compile(r"(?:^|\s)\[(\d{1,9})\]\s")
_XGBOOST = re.compile(rf"\s([\w.\-@' ]{{1,100}}?):({NUMBER})(?:\+({NUMBER}))?(?=\s|$)")
_LIGHTGBM = re.compile(
    rf"\s([\w.\-@ ]{{1,100}}?)'s ([\w.\-@ ]{{1,60}}): ({NUMBER})(?: \+ ({NUMBER}))?(?=\s|$)"
)


_CATBOOST = re.compile(rf"^(\d{{1,9}}):\s+((?:learn|test\d*): {NUMBER}\b.*)$")
_PART = re.compile(rf"(?:^|\s)(learn|test\d*): ({NUMBER})(?=\s|$)")


class XGBoost(Form):
    r"""`[12]\ttrain-rmse:0.5\teval-rmse:0.6`; of `xgb.cv` also the deviation behind the `+`."""

    name = "xgboost"
    title = "XGBoost"

    def parse(self, line: str) -> Row | None:
        place = _ROUND.search(line) if "]" in line else None
        if place is None:
            return None
        values: dict[str, float] = {}
        for name, number, deviation in _XGBOOST.findall(line, place.end() - 1):
            values[name.strip()] = float(number)
            if deviation:
                values[f"{name.strip()} std"] = float(deviation)
        return Row({Axis.STEP: float(place[1])}, values) if values else None


class LightGBM(Form):
    r"""`[10]\ttraining's l2: 0.5\tvalid_1's l2: 0.6`"""

    name = "lightgbm"
    title = "LightGBM"

    def parse(self, line: str) -> Row | None:
        place = _ROUND.search(line) if "'s " in line else None
        if place is None:
            return None
        values: dict[str, float] = {}
        for data, metric, number, deviation in _LIGHTGBM.findall(line, place.end() - 1):
            values[f"{data.strip()} {metric}"] = float(number)
            if deviation:
                values[f"{data.strip()} {metric} std"] = float(deviation)
        return Row({Axis.STEP: float(place[1])}, values) if values else None


class CatBoost(Form):
    r"""`7:\tlearn: 0.5\ttest: 0.6\tbest: 0.6 (7)\ttotal: 20ms\tremaining: 5s`; the metric has no name."""

    name = "catboost"
    title = "CatBoost"

    def parse(self, line: str) -> Row | None:
        found = _CATBOOST.match(line)
        if found is None:
            return None
        values = {
            f"{name.replace('learn', 'train')} metric": float(number)
            for name, number in _PART.findall(found[2])
        }
        return Row({Axis.STEP: float(found[1])}, values) if values else None
