"""Numbers, times and names as logs write them; imported by the formats and the template."""

from __future__ import annotations

import datetime
import math
import re

from x11fwd.logs.rows import Axis

__all__ = ["NUMBER", "STAMP", "axis_of", "is_time_name", "looks_like_metric", "place", "stamp_seconds"]

NUMBER = (
    r"[-+]?(?:\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?"
    r"|[Nn]a[Nn]|NAN|[Ii]nf(?:inity)?|INF(?:INITY)?)"
)
# 2024-01-31 12:00:00,123 (logging), 2024-01-31T12:00:00.123Z (ISO 8601), 2024/01/31 12:00:00
STAMP = r"\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[-+]\d\d:?\d\d)?"

_STEP = {
    "step", "steps", "global_step", "global step", "globalstep", "iter", "iters", "iteration", "iterations",
    "it", "n_iter", "update", "num_updates", "batch_idx", "batch", "trainer/global_step",
    "train/global_step", "current_steps", "round", "_step", "total_steps", "timesteps", "total_timesteps",
    "time/total_timesteps", "tree", "num_steps", "itr",
}  # fmt: skip
_EPOCH = {"epoch", "epochs", "ep", "train/epoch", "_epoch", "current_epoch", "epoch_num", "cur_epoch"}
_TIME = {
    "time", "timestamp", "ts", "wall_time", "walltime", "_timestamp", "datetime", "date", "asctime",
    "@timestamp", "created", "wall time", "created_at", "utc",
}  # fmt: skip
_METRIC = re.compile(
    r"loss|acc|err|rmse|mse|mae|auc|ppl|perplex|bleu|rouge|f1|precision|recall|map\d*|iou|dice|reward|return|score|"
    r"\blr\b|learning.?rate|grad|norm|kl|entropy|nll|elbo|logloss|top.?[15]|wer|cer|r2|psnr|ssim|fid|"
    r"throughput|tokens?|samples?/s",
    re.IGNORECASE,
)
_EARLIEST = 1e8  # seconds; below it `time` is a duration, as in nanoGPT's `time 61.2ms`
_LATEST_SECONDS = 1e11  # above it the clock counts milliseconds


def axis_of(name: str, value: float) -> Axis | None:
    """The axis a key means, None where it is a series."""
    name = name.lower()
    if name in _STEP:
        return Axis.STEP if math.isfinite(value) else None
    if name in _EPOCH:
        return Axis.EPOCH if math.isfinite(value) else None
    if name in _TIME and _EARLIEST < value < _LATEST_SECONDS:
        return Axis.TIME
    return None


def is_time_name(name: str) -> bool:
    """Whether a text under this key may be a date."""
    return name.lower() in _TIME


def place(axes: dict[Axis, float], values: dict[str, float], name: str, value: float) -> None:
    """Put one pair where it belongs; the first step or epoch of a line counts."""
    axis = axis_of(name, value)
    if axis is None:
        values[name] = value
    elif axis not in axes or name.lower() == "global_step":
        axes[axis] = value


def looks_like_metric(name: str) -> bool:
    """A name that a person would plot, where nothing else says that the line is a report of training."""
    return _METRIC.search(name) is not None


def stamp_seconds(text: str) -> float:
    """Seconds since 1970 of what `STAMP` matched; NaN where it is no date."""
    text = text.replace("/", "-").replace(",", ".")
    if text.endswith("Z"):
        text = text[:-1] + "+00:00"
    whole, dot, rest = text.partition(".")
    zone = ""
    if dot:
        digits = re.match(r"\d*", rest)
        fraction = digits.group() if digits else ""
        zone = rest[len(fraction) :]
        # Python 3.10 knows fractions of three and six digits only
        text = f"{whole}.{fraction[:6]:0<6}{zone}"
    try:
        when = datetime.datetime.fromisoformat(text)
    except ValueError:
        return math.nan
    if when.tzinfo is None:
        when = when.replace(tzinfo=datetime.timezone.utc)
    return when.timestamp()
