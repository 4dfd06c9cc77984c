"""An alarm for a log that nobody writes any more is not one for a line that is down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from x11fwd.logs.alerts import Alert
from x11fwd.pipeline import watch
from x11fwd.pipeline.unattended import Unattended
from x11fwd.pipeline.watch import LogState, Source, WatchOptions, run_watch
from x11fwd.pipeline.watch_feed import LogFeed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from x11fwd.logs.board import Board, Growth
    from x11fwd.transports.base import Prompter


class _Patient:
    """Looks on for forty turns of a twentieth of a second."""

    def __init__(self) -> None:
        self.turns = 40

    def begin(self, board: Board, logs: Sequence[LogState]) -> None: ...

    def grown(self, grown: Sequence[Growth]) -> None: ...

    def pulse(self) -> bool:
        self.turns -= 1
        return self.turns > 0


@pytest.mark.parametrize("down", [True, False])
def test_silence_counts_while_the_line_is_up(monkeypatch: pytest.MonkeyPatch, down: bool) -> None:
    class Feed(LogFeed):
        def start(self, prompter: Prompter) -> None:
            self._logs[0].state = "live"
            if down:
                self.dropped()

        def close(self) -> None: ...

    monkeypatch.setattr(watch, "LogFeed", Feed)
    options = WatchOptions(alerts=frozenset({Alert.SILENCE}), silence=0.5)
    result = run_watch([Source("train.log", None, "/nowhere/train.log")], options, Unattended(), _Patient())
    assert (result.alarm is None) is down
