"""What the bridge has to reach, and whether it did in this run."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.bridge.results import heading, number

if TYPE_CHECKING:
    from tests.bench.bridge.results import Results


@dataclass(frozen=True)
class Demand:
    """A measure of the bridge's on a link: below (or above) `required`, better still `aim`."""

    words: str
    kind: str
    link: str
    toolkit: str
    measure: str
    required: float
    aim: float | None = None
    more_is_better: bool = False
    over_native: bool = False  # the difference to `ssh -Y`
    over: str = ""  # the difference to another measure of the same trial

    def reached(self, results: Results) -> float | None:
        """The median, None where it was not measured."""
        found = results.values(self.kind, self.link, "bridge", self.toolkit, self.measure)
        if not found:
            return None
        value = statistics.median(found)
        if self.over_native:
            native = results.values(self.kind, self.link, "Y", self.toolkit, self.measure)
            return value - statistics.median(native) if native else None
        if self.over:
            return value - statistics.median(
                results.values(self.kind, self.link, "bridge", self.toolkit, self.over)
            )
        return value

    def meets(self, value: float, limit: float) -> bool:
        """Whether a value is on the right side of a limit."""
        return value >= limit if self.more_is_better else value <= limit


FAR, THIN = "100 ms", "100 ms, 2 Mbit/s"
DEMANDS = (
    Demand("seconds to the TkAgg plot, 100 ms", "plot", FAR, "TkAgg", "plot", 2.3, 1.6),
    Demand("seconds to the QtAgg plot, 100 ms", "plot", FAR, "QtAgg", "plot", 1.8),
    Demand("the same over `ssh -Y`, TkAgg, 0 ms", "plot", "0 ms", "TkAgg", "plot", 0.15, over_native=True),
    Demand("the same over `ssh -Y`, QtAgg, 0 ms", "plot", "0 ms", "QtAgg", "plot", 0.15, over_native=True),
    Demand("frames per second, TkAgg, 100 ms", "plot", FAR, "TkAgg", "fps", 25, 50, more_is_better=True),
    Demand("frames per second, QtAgg, 100 ms", "plot", FAR, "QtAgg", "fps", 25, 50, more_is_better=True),
    Demand("frames per second, TkAgg, 2 Mbit/s", "plot", THIN, "TkAgg", "fps", 10, 29, more_is_better=True),
    Demand("lag then, s", "plot", THIN, "TkAgg", "lag", 0.5),
    Demand("frames per second, QtAgg, 2 Mbit/s", "plot", THIN, "QtAgg", "fps", 10, 29, more_is_better=True),
    Demand("lag then, s", "plot", THIN, "QtAgg", "lag", 0.5),
    Demand("kB per frame, TkAgg", "plot", FAR, "TkAgg", "frame down", 12, 5),
    Demand("kB per frame, QtAgg", "plot", FAR, "QtAgg", "frame down", 12, 5),
    Demand("kB per unchanged redraw, TkAgg", "plot", FAR, "TkAgg", "same down", 2),
    Demand("kB per unchanged redraw, QtAgg", "plot", FAR, "QtAgg", "same down", 2),
    *(
        Demand(
            f"more seconds of echo beside QtAgg, {link}, {name}",
            "echo",
            link,
            "QtAgg",
            f"echo moving{more}",
            0.05,
            over=f"echo rest{more}",
        )
        for link in (FAR, "50 ms, 10 Mbit/s", THIN)
        for name, more in (("median", ""), ("95 %", " 95 %"))
    ),
)


def verdicts(results: Results) -> str:
    """A table of all demands that were measured."""
    lines = []
    for demand in DEMANDS:
        value = demand.reached(results)
        if value is None:
            continue
        verdict = "yes" if demand.meets(value, demand.required) else "**no**"
        if verdict == "yes" and demand.aim is not None:
            verdict = "yes, and the aim" if demand.meets(value, demand.aim) else "yes, not the aim"
        aim = "" if demand.aim is None else number(demand.aim)
        lines.append(f"| {demand.words} | {number(demand.required)} | {aim} | {number(value)} | {verdict} |")
    columns = ["the bridge", "required", "aim", "median", "reached"]
    return "\n".join([*heading("What is asked of the bridge", columns), *lines]) if lines else ""
