"""Whole-process timing: commands run in turn, A B C A B C …, so that drift meets all alike."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.lab.person import Person


@dataclass(frozen=True)
class Contender:
    """One command of a comparison; `ok` are the exit statuses that count as having done the work."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    ok: tuple[int, ...] = (0,)


@dataclass
class Row:
    """What one contender took, in seconds of wall time per run."""

    name: str
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    def ratio(self, other: Row) -> float:
        """Median of the ratios self / other, run by run."""
        return statistics.median(a / b for a, b in zip(self.seconds, other.seconds, strict=True))


def in_turn(
    person: Person, contenders: Sequence[Contender], *, runs: int, warm_up: int = 1, limit: float = 300.0
) -> list[Row]:
    """Run every contender `runs` times in turn as one person; `limit` seconds for each run.

    Raises:
        RuntimeError: a command ended with a status that means it did not do the work; its words are in it.
    """
    rows = [Row(contender.name) for contender in contenders]
    for number in range(warm_up + runs):
        for contender, row in zip(contenders, rows, strict=True):
            begun = time.perf_counter()
            ended = person.run(contender.argv, env=contender.env, timeout=limit)
            took = time.perf_counter() - begun
            if ended.rc not in contender.ok:
                raise RuntimeError(
                    f"{contender.name} ended with {ended.rc}:\n{(ended.stdout + ended.stderr)[-2000:]}"
                )
            if number >= warm_up:
                row.seconds.append(took)
    return rows


def table(title: str, rows: Sequence[Row], base: Row, *, better: str) -> str:
    """The rows as a Markdown table with ratios to `base`."""
    lines = [
        f"\n### {title}\n",
        f"| command | median, s | min - max, s | runs | {better} |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        spread = f"{min(row.seconds):.3f} - {max(row.seconds):.3f}"
        ratio = "1" if row is base else f"{row.ratio(base):.2f}"
        lines.append(f"| {row.name} | {row.median:.3f} | {spread} | {len(row.seconds)} | {ratio} |")
    return "\n".join(lines)
