"""Everything one viewer shows, numbered by change, in bounded memory; the viewer's own, for many threads."""

from __future__ import annotations

import math
import secrets
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from x11fwd.viewer.figure import described_figure
from x11fwd.viewer.items import (
    Chart,
    Document,
    Item,
    ItemError,
    Picture,
    Progress,
    Table,
    bounded,
    size_of,
)
from x11fwd.viewer.series import MOST_POINTS, Series

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Changes", "Entry", "Limits", "Store"]

Described = dict[str, object]  # what json.dumps takes


@dataclass(frozen=True)
class Limits:
    """How much a viewer keeps; the oldest goes first.

    Attributes:
        items: how many.
        item_bytes: of one.
        total_bytes: of all, points of charts included.
        series: lines of one chart.
        points: of one line, before stretches are folded into their lowest and highest.
    """

    items: int = 2_000
    item_bytes: int = 64 * 1024 * 1024
    total_bytes: int = 384 * 1024 * 1024
    series: int = 200
    points: int = MOST_POINTS


@dataclass
class Entry:
    """One thing shown. `key` and `version` make its address; `frame` is the secret of a document's."""

    item: Item
    key: int
    version: int = 1
    changed: int = 0
    size: int = 0
    frame: str = ""
    series: dict[str, Series] = field(default_factory=dict)


@dataclass(frozen=True)
class Changes:
    """What a tab that knows everything up to some number has to be told.

    Attributes:
        upto: the number it knows afterwards.
        items: what is new or different.
        order: all keys in their order when something came or went, else None.
    """

    upto: int
    items: list[Described]
    order: list[int] | None


class Store:
    """Items by id in the order of their first coming.

    Args:
        changed: called after each change, from the thread that made it.
    """

    def __init__(self, changed: Callable[[], None], limits: Limits | None = None) -> None:
        self._changed = changed
        self._limits = limits or Limits()
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}
        self._by_key: dict[int, Entry] = {}
        self._by_frame: dict[str, Entry] = {}
        self._number = 0
        self._order_changed = 0
        self._keys = 0
        self._bytes = 0
        self.dropped = 0
        self.epoch = secrets.token_hex(4)  # a tab that has seen another program's numbers starts again

    def put(self, item: Item) -> None:
        """Add it, or replace the one with its id.

        Raises:
            ItemError: it is larger than one item may be.
        """
        size = size_of(item)
        if size > self._limits.item_bytes:
            limit = self._limits.item_bytes // 1_000_000
            raise ItemError(
                f"“{item.title[:80]}” has {size // 1_000_000} MB; the viewer takes at most {limit} MB"
            )
        with self._lock:
            entry = self._entries.get(item.id)
            self._number += 1
            if entry is None or type(entry.item) is not type(item):
                if entry is not None:
                    self._forget(entry)
                self._keys += 1
                entry = Entry(item, self._keys)
                self._entries[item.id] = self._by_key[entry.key] = entry
                self._order_changed = self._number
                if isinstance(item, Document):
                    entry.frame = secrets.token_urlsafe(24)
                    self._by_frame[entry.frame] = entry
            else:
                entry.version += 1
            points = sum(line.size for line in entry.series.values())
            self._bytes += size + points - entry.size
            entry.item, entry.size, entry.changed = item, size + points, self._number
            self._make_room(entry)
        self._changed()

    def extend(self, item_id: str, series: str, xs: Iterable[float], ys: Iterable[float]) -> None:
        """Append points to a line of a chart, which comes into being with its first point.

        Raises:
            ItemError: there is no chart of this id, or it has as many lines as it may have.
            ValueError: not as many x as y.
        """
        with self._lock:
            entry = self._entries.get(item_id)
            if entry is None or not isinstance(entry.item, Chart):
                raise ItemError(f"the viewer shows no chart “{item_id[:80]}”")
            line = entry.series.get(series)
            if line is None:
                if len(entry.series) >= self._limits.series:
                    raise ItemError(f"a chart takes at most {self._limits.series} lines")
                line = Series(self._limits.points)
            before = line.size
            line.extend(xs, ys)
            entry.series[series] = line
            self._bytes += line.size - before
            entry.size += line.size - before
            entry.version += 1
            self._number += 1
            entry.changed = self._number
            self._make_room(entry)
        self._changed()

    def remove(self, item_id: str) -> None:
        """Take it away; nothing happens where it is not there."""
        with self._lock:
            entry = self._entries.get(item_id)
            if entry is None:
                return
            self._forget(entry)
            self._number += 1
            self._order_changed = self._number
        self._changed()

    def _forget(self, entry: Entry) -> None:
        del self._entries[entry.item.id], self._by_key[entry.key]
        self._by_frame.pop(entry.frame, None)
        self._bytes -= entry.size

    def _make_room(self, newest: Entry) -> None:
        while len(self._entries) > 1 and (
            len(self._entries) > self._limits.items or self._bytes > self._limits.total_bytes
        ):
            oldest = next(entry for entry in self._entries.values() if entry is not newest)
            self._forget(oldest)
            self.dropped += 1
            self._order_changed = self._number

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def number(self) -> int:
        """Of the last change."""
        return self._number

    def since(self, known: int) -> Changes:
        """What changed after the change with this number; everything after 0."""
        with self._lock:
            items = [_described(entry) for entry in self._entries.values() if entry.changed > known]
            order = [entry.key for entry in self._entries.values()] if self._order_changed > known else None
            return Changes(self._number, items, order)

    def key_of(self, item_id: str) -> int:
        """The page's number for an item; 0 where it is not there."""
        entry = self._entries.get(item_id)
        return entry.key if entry else 0

    def item(self, key: int) -> Item | None:
        """The item behind a page's number for it."""
        entry = self._by_key.get(key)
        return entry.item if entry else None

    def document(self, frame: str) -> Document | None:
        """The document at this secret address of its own."""
        entry = self._by_frame.get(frame)
        return entry.item if entry and isinstance(entry.item, Document) else None

    def lines(
        self, key: int, columns: int, start: float | None, end: float | None
    ) -> tuple[int, list[dict[str, str | int | list[float] | list[float | None]]]] | None:
        """Version and lines of a chart, thinned for so many columns; None when there is no such chart."""
        with self._lock:
            entry = self._by_key.get(key)
            if entry is None or not isinstance(entry.item, Chart):
                return None
            found: list[dict[str, str | int | list[float] | list[float | None]]] = []
            for name, line in entry.series.items():
                xs, ys, gaps = line.view(columns, start, end)
                found.append(
                    {
                        "name": name[:500],
                        "x": xs,
                        "y": ys,
                        "gaps": gaps,
                        "count": line.count,
                        "nan": line.gaps_count,
                    }
                )
            return entry.version, found


def _described(entry: Entry) -> Described:
    """What the page is told of it; large parts have addresses of their own."""
    item = entry.item
    told: Described = {"key": entry.key, "version": entry.version, **bounded(item)}
    if isinstance(item, Picture):
        about: Described = {
            "format": item.kind,
            "bytes": len(item.data),
            "figure": described_figure(item.figure),
        }
        return {**told, "kind": "picture", **about}
    if isinstance(item, Document):
        return {**told, "kind": "document", "frame": entry.frame, "bytes": len(item.html)}
    if isinstance(item, Table):
        first = [[_short(cell) for cell in row[:6]] for row in item.rows[:6]]
        shape = {"rows": len(item.rows) + item.left_off, "columns": len(item.columns)}
        names = [_short(name) for name in item.columns[:6]]
        return {**told, **shape, "kind": "table", "preview_columns": names, "preview_rows": first}
    if isinstance(item, Chart):
        labels: Described = {"x_label": item.x_label[:500], "y_label": item.y_label[:500]}
        return {
            **told,
            **labels,
            "kind": "chart",
            "log": item.log,
            "x_kind": item.x_kind,
            "lines": len(entry.series),
        }
    if isinstance(item, Progress):
        total = item.total if item.total and math.isfinite(item.total) else None
        return {
            **told,
            "kind": "progress",
            "done": item.done if math.isfinite(item.done) else 0,
            "total": total,
        }
    return {**told, "kind": "note", "level": item.level}


def _short(cell: object) -> str:
    return f"{cell:.4g}" if isinstance(cell, float) else "" if cell is None else str(cell)[:40]
