"""The tables at the end of a run, made only of what the tests that ran have recorded."""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from _pytest.terminal import TerminalReporter

    from tests.lab.person import Person

BATTERY = "x11fwd-battery"
# X servers that let everybody in, and people who look for any that does: one worker, one after the other.
OPEN_SCREENS = pytest.mark.xdist_group("open-screens")
TRUTH = "x11fwd-truth"  # property of a test of the truth table: JSON [section, row]


class Battery:
    """Where a test notes each case of a fault and how it ended."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str]] = []

    @contextmanager
    def case(self, fault: str, step: str = "") -> Iterator[list[str]]:
        """One case; append how it ended to what is yielded. An exception makes it one not survived."""
        ended: list[str] = []
        good = False
        try:
            yield ended
            good = True
        finally:
            self.rows.append((fault, step, (ended[-1] if ended else "") if good else "NOT SURVIVED"))


@pytest.fixture
def has_bridged(person: Person) -> None:
    """The person's first session over the bridge lies behind: its far half need not be put together."""
    person.has_bridged()


@pytest.fixture
def battery(record_property: Callable[[str, object], None]) -> Iterator[Battery]:
    """Notes cases for the table at the end of the run (through xdist's reports as well)."""
    noted = Battery()
    yield noted
    record_property(BATTERY, json.dumps(noted.rows))


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print the tables of the tests that ran."""
    _truth_table(terminalreporter)
    _battery_table(terminalreporter)


def _truth_table(terminalreporter: TerminalReporter) -> None:
    """Print section, how many of how many rows doctor got right, and which it did not."""
    right: dict[str, list[str]] = defaultdict(list)
    wrong: dict[str, list[str]] = defaultdict(list)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") != "call":
                continue
            for name, value in report.user_properties:
                if name == TRUTH:
                    section, row = json.loads(value)
                    (right if report.outcome == "passed" else wrong)[section].append(row)
    sections = dict.fromkeys([*right, *wrong])
    if not sections:
        return
    terminalreporter.section("truth table: injected, named as the cause, cured, clean")
    for section in sections:
        missed = f"  not: {', '.join(sorted(wrong[section]))}" if wrong[section] else ""
        count = len(right[section])
        terminalreporter.line(f"{section:<12} {count:>3} of {count + len(wrong[section]):<3}{missed}")
    count, missed_count = (sum(map(len, table.values())) for table in (right, wrong))
    terminalreporter.line(f"{'all':<12} {count:>3} of {count + missed_count:<3}")


def _battery_table(terminalreporter: TerminalReporter) -> None:
    """Print the table: fault, how many of how many cases ended well, and how."""
    rows: list[tuple[str, str, str]] = []
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") != "teardown":  # the fixture notes its cases when it ends
                continue
            for name, value in report.user_properties:
                rows += [tuple(row) for row in json.loads(value)] if name == BATTERY else []
    if not rows:
        return
    table: dict[str, list[str]] = defaultdict(list)
    for fault, _, ended in rows:
        table[fault].append(ended)
    terminalreporter.section("fault battery: sshd valid, login works, new state confirmed or old restored")
    for fault, ends in table.items():
        good = [end for end in ends if end != "NOT SURVIVED"]
        how = ", ".join(f"{good.count(end)} {end}" for end in dict.fromkeys(good))
        terminalreporter.line(f"{fault:<52} {len(good):>3} of {len(ends):<3}  {how}")
    total = [end for ends in table.values() for end in ends]
    survived = sum(end != "NOT SURVIVED" for end in total)
    terminalreporter.line(f"{'all':<52} {survived:>3} of {len(total):<3}")
