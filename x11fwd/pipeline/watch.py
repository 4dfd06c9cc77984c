"""Logs here and there, followed until told to stop; imported by the cli and ui of `watch`."""

from __future__ import annotations

import queue
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from x11fwd.logs.alerts import Alarm, Alert, Plateaus, bad_value
from x11fwd.logs.board import MOST_RUNS, MOST_SERIES, Board
from x11fwd.logs.formats.by_pattern import ByPattern
from x11fwd.logs.lines import LONGEST
from x11fwd.pipeline.watch_feed import LogFeed, LogState, News
from x11fwd.pipeline.watch_sources import Source, labels, machines, source_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from x11fwd.logs.board import Growth
    from x11fwd.logs.rows import Axis
    from x11fwd.transports.base import Prompter
    from x11fwd.transports.choose import Preference

__all__ = [
    "LogState",
    "Source",
    "WatchOptions",
    "WatchResult",
    "Watching",
    "losses",
    "run_watch",
    "source_of",
]

_WAITING = 24  # blocks between reading and showing, so that memory stays bounded


@dataclass(frozen=True)
class WatchOptions:
    """What is asked of `run_watch`.

    Attributes:
        axis: what x shall be; None chooses for each run.
        patterns: regular expressions instead of the known formats.
        once: end when all that is there has been read.
        alerts: end at the first of these.
        patience: points of a loss without improvement that make a plateau.
        silence: seconds without a new row that are too many.
    """

    axis: Axis | None = None
    patterns: tuple[str, ...] = ()
    once: bool = False
    alerts: frozenset[Alert] = frozenset()
    patience: int = 200
    silence: float = 600.0
    transport: Preference = "auto"


@dataclass(frozen=True)
class WatchResult:
    board: Board
    logs: Sequence[LogState]
    alarm: Alarm | None
    seconds: float
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        """1 after an alarm, with points missing, or where nothing at all was recognised; 130 after Ctrl-C."""
        if self.interrupted:
            return 130
        lost = any(log.gaps for log in self.logs)
        return 1 if self.alarm is not None or lost or not self.board.runs else 0

    @property
    def losses(self) -> list[str]:
        """What is missing in the charts, each a sentence."""
        return losses(self.board, self.logs)


class Watching(Protocol):
    """Whoever shows it; called from one thread."""

    def begin(self, board: Board, logs: Sequence[LogState]) -> None: ...

    def grown(self, grown: Sequence[Growth]) -> None:
        """Points came."""
        ...

    def pulse(self) -> bool:
        """At least ten times a second; False ends the watch."""
        ...


def run_watch(
    sources: Sequence[Source],
    options: WatchOptions,
    prompter: Prompter,
    watching: Watching,
    progress: Callable[[str], None] | None = None,
) -> WatchResult:
    """Follow the logs until `watching` has enough, an alert comes or (`once`) all is read.

    A line that drops later is taken up again by itself, for as long as it takes. Ctrl-C is an end as good as
    any other, once all machines have been reached.

    Raises:
        UsageError: a pattern cannot be meant.
        ConnectError and its children: a machine could not be reached at the start.
    """
    started = time.monotonic()
    for pattern in options.patterns:
        ByPattern(pattern)
    logs = [LogState(source) for source in sources]
    board = Board(labels(sources), options.axis)
    news: queue.Queue[News] = queue.Queue(_WAITING)
    feeds: list[LogFeed] = []
    plateaus = Plateaus(options.patience)
    pending, last = set(range(len(logs))), time.monotonic()
    alarm: Alarm | None = None
    begun = interrupted = False
    try:
        for numbers in machines(sources):
            target = sources[numbers[0]].target
            if target is not None and progress is not None:
                progress(f"connecting to {target.typed}")
            feed = LogFeed(numbers, [logs[at] for at in numbers], options, news)
            feeds.append(feed)
            feed.start(prompter)
        watching.begin(board, logs)
        begun, last = True, time.monotonic()
        while alarm is None and watching.pulse():
            try:
                one = news.get(timeout=0.05)
            except queue.Empty:
                if options.once and not pending:
                    break
                if any(log.is_down for log in logs):
                    last = time.monotonic()  # a line that is silent says nothing of a log
                elif Alert.SILENCE in options.alerts and time.monotonic() - last > options.silence:
                    alarm = Alarm(Alert.SILENCE, f"no new row for {options.silence:g} s")
                continue
            if one.error is not None:
                raise one.error
            grown = [each for block in one.blocks for each in board.add(one.log, block)]
            if grown:
                last = time.monotonic()
                watching.grown(grown)
                if Alert.NAN in options.alerts:
                    alarm = bad_value(grown)
                if alarm is None and Alert.PLATEAU in options.alerts:
                    alarm = plateaus.see(grown)
            if one.done:
                pending.discard(one.log)
    except KeyboardInterrupt:
        if not begun:
            raise
        interrupted = True
    finally:
        for feed in feeds:
            feed.close()
    return WatchResult(board, logs, alarm, time.monotonic() - started, interrupted)


def losses(board: Board, logs: Sequence[LogState]) -> list[str]:
    """What a person would look for in vain, each a sentence."""
    found = []
    for log in logs:
        if log.gaps:
            times = "once" if log.gaps == 1 else f"{log.gaps} times"
            found.append(
                f"{log.source.typed}: points are missing; {times} the file had been deleted or written over "
                "before all of it was read"
            )
        if log.too_long:
            lines = "1 line" if log.too_long == 1 else f"{log.too_long} lines"
            found.append(f"{log.source.typed}: passed over {lines} of more than {LONGEST} characters")
    if board.left_off:
        found.append(
            f"{board.left_off} points were left out: shown are at most {MOST_SERIES} series of a run and "
            f"{MOST_RUNS} runs"
        )
    return found
