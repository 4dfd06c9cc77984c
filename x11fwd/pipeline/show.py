"""Files here and there, shown and followed until told to stop; imported by the cli and ui of `show`."""

from __future__ import annotations

import queue
from dataclasses import dataclass
from typing import TYPE_CHECKING

from x11fwd.errors import UsageError
from x11fwd.pipeline.feed import Feed
from x11fwd.pipeline.show_board import Board, Change, FileState, Showing, Source
from x11fwd.pipeline.show_items import of_file, of_opened
from x11fwd.serialised.following import FileFollower, Happened, Wanted, follow_command
from x11fwd.target import parse_target

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from x11fwd.errors import X11fwdError
    from x11fwd.pipeline.show_items import Face
    from x11fwd.serialised.following import FileNews
    from x11fwd.target import SshOptions
    from x11fwd.transports.base import ByteStream, Prompter
    from x11fwd.transports.choose import Preference

__all__ = ["FileState", "ShowOptions", "ShowResult", "Showing", "Source", "place_of", "run_show"]

_WAITING = 4  # changes between reading and showing: each may hold a large file


@dataclass(frozen=True)
class ShowOptions:
    """What is asked of `run_show`.

    Attributes:
        python: the interpreter over there that opens pickles; None for the login shell's.
        once: end when all that is there was shown.
        unopened: why pickles of this machine are not opened; "" where they are.
        pixels: only PNG can be shown (a terminal).
        patience: seconds that opening one pickle may take.
    """

    python: str | None = None
    once: bool = False
    unopened: str = ""
    pixels: bool = False
    patience: float = 120.0
    transport: Preference = "auto"


@dataclass(frozen=True)
class ShowResult:
    files: Sequence[FileState]

    @property
    def exit_code(self) -> int:
        """1 where something that was named is not shown."""
        good = {"shown", "gone"}
        return 0 if self.files and all(one.state in good for one in self.files) else 1


def place_of(typed: str, options: SshOptions) -> Source:
    """`host:path`, `user@host:path` or a path of this machine, as scp reads them.

    A colon after a slash belongs to the path, so `./a:b` is a file here. No path after the colon is the home.

    Raises:
        UsageError: it is neither.
    """
    if typed.startswith("["):
        place, colon, path = typed.rpartition("]:")
        place += "]" if colon else ""
    else:
        place, colon, path = typed.partition(":")
    if not typed or "\0" in typed:
        raise UsageError(
            "the name of a file is empty" if not typed else "a file's name cannot hold a zero byte"
        )
    if not colon or "/" in place or not place:
        return Source(typed, None, typed)
    if not path:
        raise UsageError(
            f"{typed!r} names no file", hint=f"`x11fwd show {typed}plot.png`, or `{typed}.` for a folder"
        )
    return Source(typed, parse_target(place, options), path)


class _Feed(Feed):
    """All files of one machine."""

    def __init__(
        self,
        number: int,
        sources: Sequence[Source],
        options: ShowOptions,
        *,
        wanted: Wanted,
        changes: queue.Queue[Change],
        face: Callable[[FileNews], Face],
    ) -> None:
        target = sources[0].target
        super().__init__(
            target, follow_command(), name="show", transport=options.transport, once=options.once
        )
        self._number, self._changes, self._face = number, changes, face
        self._follower = FileFollower(wanted)

    def attach(self, stream: ByteStream) -> None:
        self._follower.attach(stream)

    def detach(self) -> None:
        self._follower.detach()

    def take(self, timeout: float) -> None:
        for news in self._follower.news(timeout):
            shown = None
            if news.what is Happened.FILE:
                shown = of_file(self._face(news), news.path, news.data)
            elif news.what is Happened.OPENED:
                shown = of_opened(self._face(news), news.data)
            self.put(self._changes, Change(self._number, news, shown))

    def dropped(self) -> None:
        self.put(self._changes, Change(self._number, line="the line is down; trying again"))

    def resumed(self) -> None:
        self.put(self._changes, Change(self._number, line=""))

    def failed(self, error: X11fwdError) -> None:
        self.put(self._changes, Change(self._number, error=error))


def run_show(
    sources: Sequence[Source],
    options: ShowOptions,
    prompter: Prompter,
    showing: Showing,
    *,
    drawing: str,
    progress: Callable[[str], None] | None = None,
) -> ShowResult:
    """Show the files and every change of them until `showing` has enough or (`once`) all is shown.

    A line that drops later is taken up again by itself, for as long as it takes.

    Args:
        drawing: what reads a figure's numbers over there, as text; "" for pictures only.

    Raises:
        ConnectError and its children: a machine could not be reached at the start.
    """
    machines = _machines(sources)
    board = Board(machines, showing, once=options.once)
    changes: queue.Queue[Change] = queue.Queue(_WAITING)
    feeds: list[_Feed] = []
    pending = set(range(len(machines)))
    try:
        for number, own in enumerate(machines):
            target = own[0].target
            if target is not None and progress is not None:
                progress(f"connecting to {target.typed}")
            wanted = Wanted(
                [source.path for source in own],
                options.python or "",
                "" if options.pixels else drawing,
                "" if target is not None else options.unopened,
                options.patience,
            )
            feed = _Feed(
                number,
                own,
                options,
                wanted=wanted,
                changes=changes,
                face=board.face(number, pixels=options.pixels),
            )
            feeds.append(feed)
            feed.start(prompter)
        if progress is not None:
            progress("looking for the files")
        while showing.pulse():
            try:
                change = changes.get(timeout=0.1)
            except queue.Empty:
                if options.once and not pending:
                    break
                continue
            if change.error is not None:
                raise change.error
            if change.line is not None:
                board.line(change.machine, change.line)
            if progress is not None and change.news is not None and change.news.what is Happened.OPENING:
                progress(f"{change.news.path} is being opened over there")
            board.take(change)
            if change.news is not None and change.news.what is Happened.READ:
                pending.discard(change.machine)
    finally:
        for feed in feeds:
            feed.close()
    return ShowResult(board.files())


def _machines(sources: Sequence[Source]) -> list[list[Source]]:
    found: dict[str | None, list[Source]] = {}
    for source in sources:
        found.setdefault(source.target.typed if source.target else None, []).append(source)
    return list(found.values())
