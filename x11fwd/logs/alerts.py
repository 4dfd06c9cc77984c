"""What is worth waking somebody for: NaN, a plateau, silence; for the pipeline."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from x11fwd.logs.grouping import place_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from x11fwd.logs.board import Growth

__all__ = ["Alarm", "Alert", "Plateaus", "bad_value"]

_FEW = 10  # points of a validation loss are few and mean much
_BETTER = 1e-3  # less than this share of improvement is none


class Alert(enum.Enum):
    NAN = "nan"
    PLATEAU = "plateau"
    SILENCE = "silence"


@dataclass(frozen=True)
class Alarm:
    """What happened, as a sentence, and to which series of which run (`""` for silence)."""

    kind: Alert
    sentence: str
    run: str = ""
    series: str = ""


def bad_value(grown: Sequence[Growth]) -> Alarm | None:
    """The first NaN or infinity in a series that has been a number, or in a loss."""
    for one in grown:
        if math.isfinite(sum(one.ys)):
            continue
        curve = one.run.curves[one.name]
        if not (curve.count > curve.bad or place_of(one.name).group == "Loss"):
            continue
        for x, y in zip(one.xs, one.ys, strict=True):
            if not math.isfinite(y):
                word = "NaN" if math.isnan(y) else "infinite"
                where = f" in {one.run.label}" if one.run.label else ""
                text = f"{one.name} is {word} at {one.run.axis.value} {x:g}{where}"
                return Alarm(Alert.NAN, text, one.run.label, one.name)
    return None


class Plateaus:
    """Watches every loss for an end of its improvement."""

    def __init__(self, patience: int) -> None:
        """
        Args:
            patience: so many points of a loss without improvement are a plateau.
        """
        self._patience = max(2, patience)
        self._mean: dict[tuple[int, str], tuple[float, float]] = {}
        self._best: dict[tuple[int, str], tuple[float, int]] = {}

    def see(self, grown: Sequence[Growth]) -> Alarm | None:
        for one in grown:
            if place_of(one.name).group != "Loss" or one.name.endswith(" std"):
                continue
            key = (id(one.run), one.name)
            weight = 0.0 if self._patience <= _FEW else 0.9
            total, share = self._mean.get(key, (0.0, 0.0))
            best, since = self._best.get(key, (math.inf, 0))
            for y in one.ys:
                if not math.isfinite(y):
                    continue
                total, share = total * weight + y * (1 - weight), share * weight + (1 - weight)
                mean = total / share
                if mean < best - _BETTER * abs(best) or math.isinf(best):
                    best, since = mean, 0
                else:
                    since += 1
                    if since >= self._patience:
                        where = f" in {one.run.label}" if one.run.label else ""
                        text = f"{one.name} has not improved on {best:.4g} for {since} points{where}"
                        return Alarm(Alert.PLATEAU, text, one.run.label, one.name)
            self._mean[key], self._best[key] = (total, share), (best, since)
        return None
