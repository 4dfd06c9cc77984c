"""The formats that are recognised, the particular before the general; imported by the reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.logs.formats.bars import Keras, Lightning, Tqdm
from x11fwd.logs.formats.boosting import CatBoost, LightGBM, XGBoost
from x11fwd.logs.formats.dict_lines import PythonDict
from x11fwd.logs.formats.json_lines import JsonLines
from x11fwd.logs.formats.language_models import Megatron, NanoGpt
from x11fwd.logs.formats.pairs import KeyColon, KeyEquals
from x11fwd.logs.formats.table_lines import Csv
from x11fwd.logs.formats.ultralytics import Ultralytics

if TYPE_CHECKING:
    from x11fwd.logs.formats.form import Form

__all__ = ["FORMS", "new_forms"]

FORMS: tuple[type[Form], ...] = (
    JsonLines,
    PythonDict,
    LightGBM,
    XGBoost,
    CatBoost,
    Megatron,
    NanoGpt,
    Ultralytics,
    Lightning,
    Keras,
    Tqdm,
    Csv,
    KeyEquals,
    KeyColon,
)


def new_forms() -> tuple[Form, ...]:
    """One of each, for one log."""
    return tuple(form() for form in FORMS)
