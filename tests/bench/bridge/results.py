"""Trials as Markdown tables, one for each measure, and as JSON."""

from __future__ import annotations

import dataclasses
import json
import statistics
from typing import TYPE_CHECKING

from tests.bench.bridge.links import LINKS, ROUTES, TOOLKITS
from tests.bench.bridge.processes import PARTS
from tests.bench.bridge.quoted import LINKS as QUOTED_LINKS
from tests.bench.bridge.quoted import QUOTED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.bench.bridge.trial import Trial

MEASURES = (
    ("plot", "Seconds from the command to the plot on the screen, login included"),
    ("plot turns", "Flights until then, login included: the person's side spoke after it had heard"),
    ("fps", "Frames per second shown on the screen"),
    ("lag", "Lag: seconds from the end of a frame's drawing to the screen, median of all frames shown"),
    ("lag max", "Lag, the worst frame"),
    ("frame down", "Kilobytes from the host per frame of a moving line"),
    ("frame up", "Kilobytes to the host per frame"),
    ("same down", "Kilobytes from the host per redraw of what is already shown"),
    ("plot down", "Kilobytes from the host until the first plot"),
    ("end", "Seconds from the end of the command until no process is left"),
)
NAMES = {route.key: route.name for route in ROUTES}


class Results:
    """All trials of a run."""

    def __init__(self, trials: Sequence[Trial]) -> None:
        self.trials = trials
        self.links = [link.name for link in LINKS if any(t.link == link.name for t in trials)]

    def values(self, kind: str, link: str, route: str, toolkit: str, measure: str) -> list[float]:
        """What the trials of one cell gave."""
        return [
            t.values[measure]
            for t in self.trials
            if (t.kind, t.link, t.route, t.toolkit) == (kind, link, route, toolkit) and measure in t.values
        ]

    def cell(self, *key: str) -> str:
        """Median, and the spread where there was more than one run."""
        found = self.values(*key)
        if not found:
            return ""
        middle = number(statistics.median(found))
        return middle if len(found) == 1 else f"{middle} ({number(min(found))} to {number(max(found))})"

    def tables(self) -> str:
        """Everything, as Markdown."""
        parts = [self._measure(measure, title) for measure, title in MEASURES]
        parts += [
            self._others(),
            self._processor(),
            self._memory(),
            self._echo(),
            self._bulk(),
            self._failures(),
        ]
        return "\n".join(part for part in parts if part)

    def write(self, path: Path, about: dict[str, str]) -> None:
        """Everything, as JSON."""
        document = {
            "schema": "x11fwd.bench-bridge/1",
            **about,
            "trials": [dataclasses.asdict(trial) for trial in self.trials],
        }
        path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")

    def _measure(self, measure: str, title: str) -> str:
        lines = []
        for toolkit in TOOLKITS:
            for route, name in NAMES.items():
                cells = [self.cell("plot", link, route, toolkit, measure) for link in self.links]
                if any(cells):
                    lines.append(f"| {toolkit}, {name} | {' | '.join(cells)} |")
        if not lines:
            return ""
        for other, values in QUOTED.get(measure, {}).items():
            known = dict(zip(QUOTED_LINKS, values, strict=True))
            lines.append(
                f"| *TkAgg, {other}, quoted* | {' | '.join(f'*{number(known[k])}*' for k in self.links)} |"
            )
        return "\n".join([*heading(title, ["", *self.links]), *lines])

    def _others(self) -> str:
        lines = []
        for kind, title in (("first", "the program sent"), ("open", "a session open already")):
            for toolkit in TOOLKITS:
                for route, name in NAMES.items():
                    cells = [self.cell(kind, link, route, toolkit, "plot") for link in self.links]
                    if any(cells):
                        lines.append(f"| {toolkit}, {name}, {title} | {' | '.join(cells)} |")
        return (
            "\n".join([*heading("Seconds to the plot, other starts", ["", *self.links]), *lines])
            if lines
            else ""
        )

    def _processor(self) -> str:
        lines = []
        for what, title in (("start", "s until the first plot and 1 s after"), ("frame", "ms per frame")):
            for link in self.links:
                for toolkit in TOOLKITS:
                    for route, name in NAMES.items():
                        key = ("plot", link, route, toolkit)
                        cells = [self.cell(*key, f"{what} cpu {part}") for part in PARTS]
                        if any(cells):
                            lines.append(f"| {title}, {link}, {toolkit}, {name} | {' | '.join(cells)} |")
        return "\n".join([*heading("CPU time (user and system)", ["", *PARTS]), *lines]) if lines else ""

    def _memory(self) -> str:
        lines = []
        for link in self.links:
            for toolkit in TOOLKITS:
                for route, name in NAMES.items():
                    cells = [self.cell("plot", link, route, toolkit, f"memory {part}") for part in PARTS]
                    if any(cells):
                        lines.append(f"| {link}, {toolkit}, {name} | {' | '.join(cells)} |")
        title = "Memory: the most ever resident, MB, all processes of a part added up"
        return "\n".join([*heading(title, ["", *PARTS]), *lines]) if lines else ""

    def _echo(self) -> str:
        lines = []
        for link in self.links:
            for toolkit in TOOLKITS:
                for route, name in NAMES.items():
                    key = ("echo", link, route, toolkit)
                    names = [f"echo {when}{more}" for more in ("", " 95 %") for when in ("rest", "moving")]
                    found = [self.values(*key, measure) for measure in names]
                    if all(found):
                        ms = [1000 * statistics.median(values) for values in found]
                        cells = [
                            number(v) for v in (ms[0], ms[1], ms[1] - ms[0], ms[2], ms[3], ms[3] - ms[2])
                        ]
                        lines.append(f"| {link}, {toolkit}, {name} | {' | '.join(cells)} |")
        columns = ["", "at rest", "moving", "more", "95 % at rest", "95 % moving", "more"]
        return (
            "\n".join([*heading("Keystroke echo beside an animation, ms", columns), *lines]) if lines else ""
        )

    def _bulk(self) -> str:
        lines = []
        for content in sorted({t.toolkit for t in self.trials if t.kind == "bulk"}):
            for link in self.links:
                base = self.values("bulk", link, "Y", content, "rate")
                for route, name in NAMES.items():
                    key = ("bulk", link, route, content)
                    if found := self.values(*key, "rate"):
                        share = number(statistics.median(found) / statistics.median(base)) if base else ""
                        wire = self.cell(*key, "share")
                        lines.append(
                            f"| {content}, {link}, {name} | {self.cell(*key, 'rate')} | {share} | {wire} |"
                        )
        columns = ["", "MB of pixels per second", "share of `ssh -Y`", "bytes on the wire per byte"]
        return "\n".join([*heading("Bulk: images as fast as they go", columns), *lines]) if lines else ""

    def _failures(self) -> str:
        failed = [t for t in self.trials if t.failed]
        lines = [f"- {t.kind}, {t.link}, {NAMES[t.route]}, {t.toolkit}: {one_line(t.failed)}" for t in failed]
        return "\n".join(["", "### Failed", "", *lines]) if lines else ""


def heading(title: str, columns: Sequence[str]) -> list[str]:
    """The lines above a Markdown table's rows."""
    return ["", f"### {title}", "", f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]


def one_line(text: str) -> str:
    """Lines joined, no longer than a screen."""
    return " / ".join(line.strip() for line in text.splitlines() if line.strip())[:800]


def number(value: float) -> str:
    """Three digits that mean something."""
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 else 3
    return f"{value:.{digits}f}"
