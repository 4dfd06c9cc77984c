"""Which series a person would look at together, and in which order; for the pipeline."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

__all__ = ["Place", "place_of"]

_PART = re.compile(
    r"(?:^|(?<=[\s/_.\-]))(?:training|train|validation|valid|val|eval|evaluation|test|dev|cv_agg|holdout)(?:_?\d+)?"
    r"(?=$|[\s/_.\-])",
    re.IGNORECASE,
)
_SPAN = re.compile(r"(?:[\s/_.\-](?:step|epoch|avg|mean|batch))$", re.IGNORECASE)
_SAME = {"acc": "accuracy", "lr": "learning rate", "learning_rate": "learning rate", "ppl": "perplexity"}
_GROUPS: tuple[tuple[str, str], ...] = (
    ("Loss", r"loss|nll|elbo|entropy|perplexity|rmse|\bmse|\bmae|\bl[12]\b|error|\berr\b"),
    (
        "Quality",
        r"acc|auc|\bf1|precision|recall|map|\biou|dice|bleu|rouge|score|reward|return|metrics|r2|psnr|ssim|\bfid|wer|cer",
    ),
    ("Learning rate", r"learning rate|\blr|momentum|beta|weight.?decay|loss.?scale"),
    ("Gradients", r"grad|norm"),
    ("Speed", r"time|runtime|per.?second|/s|/sec|elapsed|\bdt\b|mfu|fps|throughput|mem|it/s|samples|tokens"),
)


class Place(NamedTuple):
    """Where a series belongs.

    Attributes:
        chart: what it shares a chart with; train and validation of one metric are the same.
        group: the heading over the chart.
        order: charts are sorted by it.
    """

    chart: str
    group: str
    order: tuple[int, int, str]


@functools.lru_cache(4096)  # asked for each block of rows
def place_of(name: str) -> Place:
    """The chart and the heading of a series.

    `train_loss`, `val/loss` and `loss` are one chart, `valid_1 l2` and `training l2` another.
    """
    deviation = name.endswith(" std")
    metric = _PART.sub("", name.removesuffix(" std"))
    metric = re.sub(r"^[\s/_.\-]+|[\s/_.\-]+$", "", metric)
    metric = re.sub(r"([\s/_.\-])[\s/_.\-]+", r"\1", _SPAN.sub("", metric)).lower() or name.lower()
    metric = _SAME.get(metric, metric)
    chart = f"{metric} std" if deviation else metric
    for at, (group, pattern) in enumerate(_GROUPS):
        # what takes time is no loss, whatever it is named after
        if re.search(pattern, metric) and not (at < 2 and re.search(r"scale|/s|per.?second", metric)):
            return Place(chart, group, (at, len(metric.split("/")) - (metric == "loss"), chart))
    return Place(chart, "Other", (len(_GROUPS), 0, chart))
