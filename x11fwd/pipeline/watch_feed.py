"""All logs of one machine, read in a thread of its own through dropped lines; the watch line's own."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from x11fwd.errors import ConnectError, X11fwdError
from x11fwd.logs.follow import Follower, Happening, follow_command
from x11fwd.logs.formats.by_pattern import ByPattern
from x11fwd.logs.reader import LogReader
from x11fwd.pipeline.unattended import Unattended

if TYPE_CHECKING:
    from collections.abc import Sequence

    from x11fwd.logs.rows import Block
    from x11fwd.pipeline.watch import WatchOptions
    from x11fwd.pipeline.watch_sources import Source
    from x11fwd.transports.base import Prompter, Transport

__all__ = ["Feed", "LogState", "News"]

SILENT = 12.0  # seconds; the far half speaks every 3
BACK_OFF = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)  # seconds between two tries to connect again


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


@dataclass(frozen=True)
class News:
    log: int
    blocks: Sequence[Block] = ()
    done: bool = False
    error: X11fwdError | None = None


class Feed:
    """All logs of one machine, read in a thread of its own."""

    def __init__(
        self,
        numbers: Sequence[int],
        logs: Sequence[LogState],
        options: WatchOptions,
        news: queue.Queue[News],
        prompter: Prompter,
    ) -> None:
        self._numbers, self._logs, self._options, self._news = numbers, logs, options, news
        self._target = logs[0].source.target
        self._follower = Follower([log.source.path for log in logs])
        self._readers = [LogReader([ByPattern(one) for one in options.patterns]) for _ in logs]
        self._done = [False] * len(logs)
        self._transport: Transport | None = None
        self._stop = threading.Event()
        self._connect(prompter)
        self._thread = threading.Thread(target=self._run, name="x11fwd-watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it; a step at a time, so that Ctrl-C is heard meanwhile."""
        self._stop.set()
        for _ in range(25):
            self._thread.join(0.2)
            if not self._thread.is_alive():
                break

    def _connect(self, prompter: Prompter) -> None:
        if self._target is None:
            from x11fwd.transports.local import LocalTransport

            self._transport = LocalTransport()
        else:
            from x11fwd.transports.choose import connect

            self._transport = connect(
                self._target, prompter=prompter, choice=self._options.transport, timeout=15.0
            )
        self._follower.attach(self._transport.stream(follow_command()))

    def _run(self) -> None:
        tries = 0
        while not self._stop.is_set():
            try:
                if self._transport is None:
                    self._connect(Unattended())
                while not self._stop.is_set():
                    self._take()
                    tries = 0
            except (ConnectError, TimeoutError) as error:  # noqa: PERF203  each turn is a connection
                for log in self._logs:
                    log.state = "line down, trying again"
                self._leave()
                if self._options.once and tries >= len(BACK_OFF):
                    self._tell(News(self._numbers[0], error=_sentence(error)))
                    return
                self._stop.wait(BACK_OFF[min(tries, len(BACK_OFF) - 1)])
                tries += 1
            except X11fwdError as error:
                self._tell(News(self._numbers[0], error=error))
                break
            except Exception as error:  # noqa: BLE001  a thread's bug must reach the person, not vanish
                self._tell(News(self._numbers[0], error=X11fwdError(f"watch itself failed: {error!r}")))
                break
        self._leave()

    def _leave(self) -> None:
        self._follower.detach()
        if self._transport is not None:
            self._transport.close()
        self._transport = None

    def _take(self) -> None:
        until = time.monotonic() + SILENT
        while True:
            try:
                arrivals = self._follower.arrivals(0.25)
                break
            except TimeoutError:
                if self._stop.is_set():
                    return
                if time.monotonic() > until:
                    raise
        for arrival in arrivals:
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
            log.formats, log.unread, log.too_long = reader.counts, reader.unread, reader.too_long
            if blocks or ended:
                self._done[at] = self._done[at] or ended
                self._tell(News(self._numbers[at], blocks, ended))

    def _tell(self, news: News) -> None:
        while not self._stop.is_set():
            try:
                self._news.put(news, timeout=0.25)
                return
            except queue.Full:  # noqa: PERF203  same
                continue


def _sentence(error: BaseException) -> X11fwdError:
    return (
        error if isinstance(error, X11fwdError) else ConnectError("the machine with the log does not answer")
    )
