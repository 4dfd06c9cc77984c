"""Logs here and there, followed until told to stop; imported by the cli and ui of `watch`."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from x11fwd.errors import ConnectError, UsageError, X11fwdError
from x11fwd.logs.alerts import Alarm, Alert, Plateaus, bad_value
from x11fwd.logs.board import Board
from x11fwd.logs.follow import Follower, Happening, follow_command
from x11fwd.logs.formats.by_pattern import ByPattern
from x11fwd.logs.reader import LogReader
from x11fwd.target import parse_target

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from x11fwd.logs.board import Growth
    from x11fwd.logs.rows import Axis, Block
    from x11fwd.target import SshOptions, Target
    from x11fwd.transports.base import HostKeyQuestion, Prompter, Transport
    from x11fwd.transports.choose import Preference

__all__ = ["LogState", "Source", "WatchOptions", "WatchResult", "Watching", "run_watch", "source_of"]

_SILENT = 12.0  # seconds; the far half speaks every 3
_BACK_OFF = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
_WAITING = 200  # blocks between reading and showing, so that memory stays bounded


@dataclass(frozen=True)
class Source:
    """One log: the machine it is on (None: this one) and its path there."""

    typed: str
    target: Target | None
    path: str


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


@dataclass
class LogState:
    """How it stands with one log; the same object all the time.

    Attributes:
        state: one word or two for a person.
        bytes: read so far.
        formats: rows by format.
    """

    source: Source
    state: str = "connecting"
    bytes: int = 0
    formats: dict[str, int] = field(default_factory=dict)
    unread: int = 0
    too_long: int = 0


@dataclass(frozen=True)
class WatchResult:
    board: Board
    logs: Sequence[LogState]
    alarm: Alarm | None
    seconds: float

    @property
    def exit_code(self) -> int:
        """1 after an alarm, or where nothing at all was recognised."""
        return 1 if self.alarm is not None or not self.board.runs else 0


class Watching(Protocol):
    """Whoever shows it; called from one thread."""

    def begin(self, board: Board, logs: Sequence[LogState]) -> None: ...

    def grown(self, grown: Sequence[Growth]) -> None:
        """Points came."""
        ...

    def pulse(self) -> bool:
        """At least ten times a second; False ends the watch."""
        ...


@dataclass(frozen=True)
class _News:
    log: int
    blocks: Sequence[Block] = ()
    done: bool = False
    error: X11fwdError | None = None


class _Unattended:
    """A connection that is made again asks nobody: there may be nobody."""

    def accept_host_key(self, question: HostKeyQuestion) -> bool:
        del question
        return False

    def secret(self, prompt: str) -> str | None:
        del prompt
        return None

    visible = secret

    def notice(self, text: str) -> None:
        del text


def source_of(typed: str, options: SshOptions) -> Source:
    """`host:path`, `user@host:path` or a path of this machine, as scp reads them.

    A colon after a slash belongs to the path, so `./a:b` is a file here.

    Raises:
        UsageError: it is neither.
    """
    if typed.startswith("["):
        place, colon, path = typed.rpartition("]:")
        place += "]" if colon else ""
    else:
        place, colon, path = typed.partition(":")
    if not colon or "/" in place or not place:
        if not typed:
            raise UsageError("the name of a log is empty")
        return Source(typed, None, typed)
    if not path:
        raise UsageError(f"{typed!r} names no file", hint=f"`x11fwd watch {typed}train.log`")
    return Source(typed, parse_target(place, options), path)


class _Feed:
    """All logs of one machine, read in a thread of its own."""

    def __init__(
        self,
        numbers: Sequence[int],
        logs: Sequence[LogState],
        options: WatchOptions,
        news: queue.Queue[_News],
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
        self._stop.set()
        self._thread.join(5.0)

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
                    self._connect(_Unattended())
                while not self._stop.is_set():
                    self._take()
                    tries = 0
            except (ConnectError, TimeoutError) as error:  # noqa: PERF203  each turn is a connection
                for log in self._logs:
                    log.state = "line down, trying again"
                self._leave()
                if self._options.once and tries >= len(_BACK_OFF):
                    self._tell(_News(self._numbers[0], error=_sentence(error)))
                    return
                self._stop.wait(_BACK_OFF[min(tries, len(_BACK_OFF) - 1)])
                tries += 1
            except X11fwdError as error:
                self._tell(_News(self._numbers[0], error=error))
                break
            except Exception as error:  # noqa: BLE001  a thread's bug must reach the person, not vanish
                self._tell(_News(self._numbers[0], error=X11fwdError(f"watch itself failed: {error!r}")))
                break
        self._leave()

    def _leave(self) -> None:
        self._follower.detach()
        if self._transport is not None:
            self._transport.close()
        self._transport = None

    def _take(self) -> None:
        until = time.monotonic() + _SILENT
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
                self._tell(_News(self._numbers[at], blocks, ended))

    def _tell(self, news: _News) -> None:
        while not self._stop.is_set():
            try:
                self._news.put(news, timeout=0.25)
                return
            except queue.Full:  # noqa: PERF203  same
                continue


def run_watch(
    sources: Sequence[Source],
    options: WatchOptions,
    prompter: Prompter,
    watching: Watching,
    progress: Callable[[str], None] | None = None,
) -> WatchResult:
    """Follow the logs until `watching` has enough, an alert comes or (`once`) all is read.

    A line that drops later is taken up again by itself, for as long as it takes.

    Raises:
        UsageError: a pattern cannot be meant.
        ConnectError and its children: a machine could not be reached at the start.
    """
    started = time.monotonic()
    for pattern in options.patterns:
        ByPattern(pattern)
    logs = [LogState(source) for source in sources]
    board = Board(_labels(sources), options.axis)
    news: queue.Queue[_News] = queue.Queue(_WAITING)
    feeds: list[_Feed] = []
    plateaus = Plateaus(options.patience)
    pending, last = set(range(len(logs))), time.monotonic()
    alarm: Alarm | None = None
    try:
        for numbers in _machines(sources):
            target = sources[numbers[0]].target
            if target is not None and progress is not None:
                progress(f"connecting to {target.typed}")
            feeds.append(_Feed(numbers, [logs[at] for at in numbers], options, news, prompter))
        watching.begin(board, logs)
        while alarm is None and watching.pulse():
            try:
                one = news.get(timeout=0.05)
            except queue.Empty:
                if options.once and not pending:
                    break
                if Alert.SILENCE in options.alerts and time.monotonic() - last > options.silence:
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
    finally:
        for feed in feeds:
            feed.close()
    return WatchResult(board, logs, alarm, time.monotonic() - started)


def _machines(sources: Sequence[Source]) -> list[list[int]]:
    found: dict[str | None, list[int]] = {}
    for at, source in enumerate(sources):
        found.setdefault(source.target.typed if source.target else None, []).append(at)
    return list(found.values())


def _labels(sources: Sequence[Source]) -> list[str]:
    """The shortest names that tell the logs apart; one log alone needs none."""
    if len(sources) == 1:
        return [""]
    parts = [source.path.split("/") for source in sources]
    hosts = {source.target.typed if source.target else "" for source in sources}
    depth = 1
    while depth < 8 and len({tuple(part[-depth:]) for part in parts}) < len({tuple(part) for part in parts}):
        depth += 1
    names = ["/".join(part[-depth:]) for part in parts]
    if len(hosts) > 1:
        names = [
            f"{source.target.host if source.target else 'here'}:{name}"
            for source, name in zip(sources, names, strict=True)
        ]
    return names


def _sentence(error: BaseException) -> X11fwdError:
    return (
        error if isinstance(error, X11fwdError) else ConnectError("the machine with the log does not answer")
    )
