"""Which files of which machines `show` shows, and how it stands with each; the pipeline's."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from x11fwd.pipeline.show_items import Face
from x11fwd.serialised.following import Happened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from x11fwd.errors import X11fwdError
    from x11fwd.pipeline.show_items import Shown
    from x11fwd.serialised.following import FileNews
    from x11fwd.target import Target
    from x11fwd.viewer.items import Item

__all__ = ["Board", "Change", "FileState", "Showing", "Source"]

_MOST_SHOWN = 1000  # things


@dataclass(frozen=True)
class Source:
    """One path or pattern: the machine it is on (None: this one) and what it is there."""

    typed: str
    target: Target | None
    path: str


@dataclass
class FileState:
    """How it stands with one file, or with a path or pattern that is none.

    Attributes:
        state: `shown`, `not shown`, `not there`, `gone` or `waiting`.
        kind: png, figure, npy, …; "" while nothing is known.
        size: bytes over there.
        why: why it is not shown, the end of a sentence.
        changes: how often it was shown.
    """

    typed: str
    path: str
    state: str = "waiting"
    kind: str = ""
    size: int = 0
    why: str = ""
    changes: int = 0
    ids: tuple[str, ...] = field(default=(), repr=False)


class Showing(Protocol):
    """Whoever shows it; called from one thread."""

    def put(self, item: Item) -> None: ...

    def remove(self, item_id: str) -> None: ...

    def pulse(self) -> bool:
        """At least five times a second; False ends it."""
        ...


@dataclass(frozen=True)
class Change:
    """What a machine's thread tells: a file's new state and things, a word on the line, or a fault."""

    machine: int
    news: FileNews | None = None
    shown: Shown | None = None
    line: str | None = None
    error: X11fwdError | None = None


class Board:
    """All files of all machines and what is shown of them."""

    def __init__(self, machines: Sequence[Sequence[Source]], showing: Showing, *, once: bool) -> None:
        self._machines, self._showing, self._once = machines, showing, once
        self._files: dict[tuple[int, str], FileState] = {}
        self._asked: dict[tuple[int, int], FileState] = {}
        self._things = 0

    def face(self, machine: int, *, pixels: bool) -> Callable[[FileNews], Face]:
        """What stands round the files of one machine."""
        target = self._machines[machine][0].target
        host = target.typed if target is not None else ""
        group = host or "this machine" if len(self._machines) > 1 else ""

        def made(news: FileNews) -> Face:
            where = f"{host}:{news.path}" if host else news.path
            at = time.strftime("%H:%M:%S")
            caption = f"{_readable(where)}, {_size(news.size)}, as of {at}"
            return Face(
                f"{machine}:{news.path}", _readable(news.path.rsplit("/", 1)[-1]), caption, group, pixels
            )

        return made

    def files(self) -> list[FileState]:
        """In the order in which they were found; at the end what was asked for and is not there."""
        return [*self._files.values(), *(one for one in self._asked.values() if one.state == "not there")]

    def take(self, change: Change) -> None:
        """Show what has changed."""
        news = change.news
        if news is None:
            return
        if news.what in {Happened.NONE, Happened.MANY}:
            self._about_pattern(change.machine, news)
            return
        if news.what is Happened.READ or not news.path:
            return
        state = self._state(change.machine, news)
        note = f"note {change.machine}:{news.path}"
        name = _readable(news.path.rsplit("/", 1)[-1])
        if news.what is Happened.GONE:
            state.state = "gone"
            self._note(note, name, "is not there any more; what is shown is the last of it", "warning")
        elif news.what is Happened.OPENING:
            self._note(note, name, "is being opened over there", "info")
        elif news.what is Happened.REFUSED:
            self._failed(state, note, name, news.why)
        elif change.shown is not None:
            self._show(state, note, name, change.shown, news.size)

    def _show(self, state: FileState, note: str, name: str, shown: Shown, size: int) -> None:
        from x11fwd.viewer.items import ItemError

        state.kind, state.size = shown.kind, size
        if not shown.items:
            self._failed(state, note, name, shown.why)
            return
        kept = []
        for item in shown.items:
            if item.id not in state.ids and self._things >= _MOST_SHOWN:
                self._failed(state, note, name, f"is not shown: there are {_MOST_SHOWN} things already")
                return
            try:
                self._showing.put(item)
            except ItemError as error:
                self._failed(state, note, name, f"cannot be shown: {error.message}")
                return
            kept.append(item.id)
        for old in state.ids:
            if old not in kept:
                self._showing.remove(old)
        self._things += len(kept) - len(state.ids)
        self._showing.remove(note)
        state.state, state.why, state.ids = "shown", "", tuple(kept)
        state.changes += 1

    def line(self, machine: int, words: str) -> None:
        """How it stands with the line to a machine; "" where all is well."""
        target = self._machines[machine][0].target
        name = target.typed if target is not None else "this machine"
        if words:
            self._note(f"line {machine}", name, words, "warning")
        else:
            self._showing.remove(f"line {machine}")

    def _failed(self, state: FileState, note: str, name: str, why: str) -> None:
        state.why = why
        if state.ids:
            why += "; what is shown is the last that could be"
        else:
            state.state = "not shown"
        self._note(note, name, why, "warning")

    def _about_pattern(self, machine: int, news: FileNews) -> None:
        source = self._machines[machine][news.wanted] if news.wanted >= 0 else self._machines[machine][0]
        state = self._asked.setdefault((machine, news.wanted), FileState(source.typed, source.path))
        if news.what is Happened.MANY:
            self._note(
                f"ask {machine} {news.wanted}", _readable(source.typed), f"matches {news.why}", "warning"
            )
            return
        state.state, state.why = "not there", "is not there"
        words = state.why if self._once else f"{state.why}; it is shown when it comes"
        self._note(f"ask {machine} {news.wanted}", _readable(source.typed), words, "warning")

    def _state(self, machine: int, news: FileNews) -> FileState:
        key = (machine, news.path)
        if key not in self._files:
            source = self._machines[machine][news.wanted] if news.wanted >= 0 else self._machines[machine][0]
            self._files[key] = FileState(source.typed, news.path)
        asked = self._asked.get((machine, news.wanted))
        if asked is not None and asked.state == "not there":
            asked.state = ""
            self._showing.remove(f"ask {machine} {news.wanted}")
        return self._files[key]

    def _note(self, item_id: str, title: str, text: str, level: str) -> None:
        from x11fwd.viewer.items import Note

        self._showing.put(Note(item_id, title, text, "warning" if level == "warning" else "info"))


def _readable(text: str) -> str:
    """A name whose bytes are no UTF-8 as a page can show it."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{max(1, round(count / 1e3))} kB"
