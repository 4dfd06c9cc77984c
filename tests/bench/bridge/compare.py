"""The order of all trials of one run; `python -m tests.bench bridge` begins here."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.bridge.bulk import CONTENTS, bulk_trial
from tests.bench.bridge.demands import verdicts
from tests.bench.bridge.desk import Desk
from tests.bench.bridge.echo import echo_trial
from tests.bench.bridge.links import LINKS, QUICK_LINKS, ROUTES, TOOLKITS, is_slow
from tests.bench.bridge.results import Results, one_line
from tests.bench.bridge.trial import Length, open_trial, plot_trial

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.bench.bridge.links import Link, Route
    from tests.bench.bridge.trial import Trial

ECHO_LINKS = ("100 ms", "50 ms, 10 Mbit/s", "100 ms, 2 Mbit/s")
PARTS = ("plot", "other", "echo", "bulk")


@dataclass(frozen=True)
class Choice:
    """What is measured; empty is all.

    `runs` counts for what takes seconds; what takes a minute natively is run once.
    """

    runs: int = 3
    quick: bool = False
    links: Sequence[str] = ()
    routes: Sequence[str] = ()
    toolkits: Sequence[str] = ()
    parts: Sequence[str] = ()
    json: Path | None = None

    def has(self, part: str) -> bool:
        """Whether a part is wanted."""
        return part in (self.parts or (("plot", "echo", "bulk") if self.quick else PARTS))


def compare(choice: Choice) -> Results:
    """Run all trials, print the tables, write the JSON."""
    trials: list[Trial] = []
    begun = time.monotonic()
    with Desk() as desk:
        for trial in _trials(desk, choice):
            trials.append(trial)
            outcome = one_line(trial.failed) if trial.failed else _short(trial)
            words = (trial.kind, trial.link, trial.route, trial.toolkit, outcome)
            print(f"<!-- {time.monotonic() - begun:.0f} s: {'; '.join(words)} -->", flush=True)
    results = Results(trials)
    loads = [trial.values["load"] for trial in trials if "load" in trial.values]
    about = {
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "machine": f"{os.cpu_count()} cores, {platform.platform()}",
        "load": f"{min(loads):.1f} to {max(loads):.1f}" if loads else "",
        "took": f"{time.monotonic() - begun:.0f} s",
    }
    if choice.json:
        results.write(choice.json, about)
    print(f"\n## The bridge beside native forwarding\n\n{'; '.join(f'{k}: {v}' for k, v in about.items())}")
    print(results.tables())
    print(verdicts(results))
    return results


def _trials(desk: Desk, choice: Choice) -> Iterator[Trial]:
    wanted = choice.links or (QUICK_LINKS if choice.quick else [link.name for link in LINKS])
    links = [link for link in LINKS if link.name in wanted]
    routes = [route for route in ROUTES if not choice.routes or route.key in choice.routes]
    toolkits = choice.toolkits or TOOLKITS
    near, nothing = LINKS[0], Length(0)
    # Once each outside the tables, so that no run pays for font caches and cold files; for the bridge this
    # one is the login that has to send its program.
    for route in routes:
        trial = plot_trial(desk, LINKS[3] if not route.native else near, route, toolkits[0], nothing, "first")
        if not route.native or trial.failed:
            yield trial
    if choice.has("plot"):
        length = Length(100, 3.0) if choice.quick else Length()
        for link in links:
            for run in range(1 if choice.quick else choice.runs):
                for toolkit in toolkits:
                    for route in routes:
                        if _is_left_out(choice, link, route, toolkit, run):
                            continue
                        yield plot_trial(desk, link, route, toolkit, length)
    if choice.has("other"):
        for link in links:
            if not link.bits and link.round_trip_ms in {0, 50, 100}:
                for route in routes:
                    for toolkit in () if route.native else toolkits:
                        yield open_trial(desk, link, route, toolkit)
    if choice.has("echo"):
        for link in links:
            for route in routes:
                if link.name in ECHO_LINKS and route.key != "Y" and not (choice.quick and route.native):
                    yield echo_trial(desk, link, route, "QtAgg", 30 if choice.quick else 80)
    if choice.has("bulk"):
        for _ in range(1 if choice.quick else choice.runs):
            for content in CONTENTS:
                for route in routes:
                    yield bulk_trial(desk, near, route, content, 2 if choice.quick else 4)


def _is_left_out(choice: Choice, link: Link, route: Route, toolkit: str, run: int) -> bool:
    if is_slow(link, route) and toolkit == "TkAgg":
        # 40 to 80 s each
        return run > 0 or (choice.quick and not (route.key == "Y" and not link.bits))
    if choice.quick:  # of the two native ones, that which fits the link
        return is_slow(link, route) and (route.key == "Y") == bool(link.bits)
    return is_slow(link, route) and run > 1


def _short(trial: Trial) -> str:
    shown = (
        "plot",
        "fps",
        "lag",
        "frame down",
        "same down",
        "echo rest",
        "echo moving",
        "echo moving 95 %",
        "rate",
    )
    return ", ".join(f"{name} {trial.values[name]:.3g}" for name in shown if name in trial.values)
