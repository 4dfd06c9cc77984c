"""All logs of one machine, as feed.py follows them; the watch line's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from x11fwd.logs.follow import Follower, Happening, follow_command
from x11fwd.logs.formats.by_pattern import ByPattern
from x11fwd.logs.reader import LogReader
from x11fwd.pipeline.feed import Feed

if TYPE_CHECKING:
    import queue
    from collections.abc import Sequence

    from x11fwd.errors import X11fwdError
    from x11fwd.logs.rows import Block
    from x11fwd.pipeline.watch import WatchOptions
    from x11fwd.pipeline.watch_sources import Source
    from x11fwd.transports.base import ByteStream

__all__ = ["LogFeed", "LogState", "News"]

_DOWN = "line down, trying again"


@dataclass
class LogState:
    """How it stands with one log; the same object all the time.

    Attributes:
        state: one word or two for a person.
        bytes: read so far.
        formats: rows by format.
        unread: lines in which nothing was recognised.
        too_long: lines that were passed over because nobody's metrics are that long.
        gaps: how often what came next was gone before it could be read.
    """

    source: Source
    state: str = "connecting"
    bytes: int = 0
    formats: dict[str, int] = field(default_factory=dict)
    unread: int = 0
    too_long: int = 0
    gaps: int = 0

    @property
    def is_down(self) -> bool:
        """Nobody knows what is written there now."""
        return self.state == _DOWN


@dataclass(frozen=True)
class News:
    log: int
    blocks: Sequence[Block] = ()
    done: bool = False
    error: X11fwdError | None = None


class LogFeed(Feed):
    """All logs of one machine."""

    def __init__(
        self, numbers: Sequence[int], logs: Sequence[LogState], options: WatchOptions, news: queue.Queue[News]
    ) -> None:
        target = logs[0].source.target
        super().__init__(
            target, follow_command(), name="watch", transport=options.transport, once=options.once
        )
        self._numbers, self._logs, self._options, self._news = numbers, logs, options, news
        self._follower = Follower([log.source.path for log in logs])
        self._readers = [LogReader([ByPattern(one) for one in options.patterns]) for _ in logs]
        self._done = [False] * len(logs)

    def attach(self, stream: ByteStream) -> None:
        self._follower.attach(stream)

    def detach(self) -> None:
        self._follower.detach()

    def take(self, timeout: float) -> None:
        for arrival in self._follower.arrivals(timeout):
            at = arrival.file
            log, reader = self._logs[at], self._readers[at]
            blocks: list[Block] = []
            if arrival.what is Happening.DATA:
                log.state = "reading"
                log.bytes += len(arrival.data)
                blocks = reader.feed(arrival.data)
            elif arrival.what is Happening.ROTATED:
                blocks = reader.finish()
            elif arrival.what in {Happening.TRUNCATED, Happening.LOST, Happening.BEGUN}:
                reader.restart()
                log.gaps += arrival.what is Happening.LOST
            elif arrival.what is Happening.READ:
                log.state = "live"
            elif arrival.what is Happening.MISSING:
                log.state = "not there"
            ended = arrival.what in {Happening.READ, Happening.MISSING} and not self._done[at]
            if ended and self._options.once:
                blocks = reader.finish()
            # a copy: the main thread looks through it meanwhile
            log.formats = dict(reader.counts)
            log.unread, log.too_long = reader.unread, reader.too_long
            if blocks or ended:
                self._done[at] = self._done[at] or ended
                self.put(self._news, News(self._numbers[at], blocks, ended))

    def dropped(self) -> None:
        for log in self._logs:
            log.state = _DOWN

    def resumed(self) -> None:
        """What comes next says how it stands."""

    def failed(self, error: X11fwdError) -> None:
        self.put(self._news, News(self._numbers[0], error=error))
