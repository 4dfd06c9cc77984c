"""A line's shape, learned from one line and then matched by the thousand; imported by the reader.

Logs repeat themselves: the same words, other numbers. From one line that a format understood we make a
regular expression with a group for each number, and find out which number means what by changing one after
the other and asking the format again. Then one match finds how many lines of a chunk are of this shape, and
they are read together: cut into words at once where each number stands alone, by `findall` elsewhere.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from x11fwd.logs.numbers import STAMP, stamp_seconds
from x11fwd.logs.rows import Axis, Block, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Template", "learn", "skeleton"]

_TOKEN = re.compile(
    rf"(?P<bar>(?<=%)\|[^|]*\|)|(?P<stamp>{STAMP})"
    r"|(?<![A-Za-z_])(?P<number>[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)"
)
_SHAPELESS = re.compile(r"(?<=%)\|[^|]*\||[0-9]+")
# What float() takes, and some more, to which it says no; 0-9 is quicker than \d.
_SIGNS = "-+.0123456789EINafeinty"
_LOOSE = r"[-+.0-9EINafeinty]+"
_ANY = r"[-+.0-9eE]+"  # a number that means nothing to us
_MOST = 64  # numbers in a line
_DIGIT = re.compile(rb"[0-9]")
_GROUP = re.compile(r"(?<!\\)\((?!\?)")  # STAMP has none of its own


class _Words:
    """The words of such a line when it is cut at blanks, and which of them are numbers."""

    def __init__(self, blanks: bytes, words: Sequence[bytes], places: Sequence[int]) -> None:
        """
        Args:
            blanks: a table for `bytes.translate` that makes blanks of what touches a number.
            words: of one line; those that hold no digit are the same in all.
            places: the word of each group.
        """
        self._blanks, self._count, self._places = blanks, len(words), places
        self._same = [(at, word) for at, word in enumerate(words) if _DIGIT.search(word) is None]
        self.telling = bool(self._same)  # lines of another shape have other words

    def columns(self, text: str, count: int) -> list[list[bytes]] | None:
        """The numbers of `count` lines by group; None where one of them is of another shape."""
        words = text.encode("utf-8", "replace").translate(self._blanks).split()
        size = self._count
        if len(words) != count * size or any(words[at::size].count(word) != count for at, word in self._same):
            return None
        return [words[place::size] for place in self._places]


class Template:
    """One shape and what its numbers mean."""

    def __init__(
        self,
        pattern: str,
        axes: dict[Axis, int],
        values: dict[str, int],
        stamps: frozenset[int],
        words: _Words | None = None,
    ) -> None:
        self._run = re.compile(f"(?:{_GROUP.sub('(?:', pattern)}\n)+")
        self._rows = re.compile(f"^{pattern}\n", re.MULTILINE)
        self._axes, self._values, self._stamps, self._words = axes, values, stamps, words

    def read_all(self, text: str) -> Block | None:
        """The rows of whole lines; None where one of them is of another shape or holds no number."""
        count = text.count("\n")
        if self._words is None:
            return self._by_matches(text, count) if self._rows.match(text) is not None else None
        if not self._words.telling and self.end_of_run(text, 0) != len(text):
            return None
        columns = self._words.columns(text, count)
        return self._block(columns) if columns is not None else None

    def end_of_run(self, text: str, start: int) -> int:
        """Where the lines of this shape end that begin at `start`; `start` itself where none does."""
        found = self._run.match(text, start)
        return found.end() if found is not None else start

    def read(self, text: str) -> Block | None:
        """The rows of what `end_of_run` has cut out; None where something in them is no number."""
        count = text.count("\n")
        columns = self._words.columns(text, count) if self._words is not None else None
        return self._block(columns) if columns is not None else self._by_matches(text, count)

    def _by_matches(self, text: str, count: int) -> Block | None:
        found = self._rows.findall(text)
        # each match is one whole line, so as many matches as lines means that all are of this shape
        if len(found) != count:
            return None
        return self._block([found] if self._rows.groups == 1 else list(zip(*found, strict=True)))

    def _block(self, columns: Sequence[Sequence[str | bytes]]) -> Block | None:
        try:
            return Block(
                {axis: self._column(columns[at], at) for axis, at in self._axes.items()},
                {name: self._column(columns[at], at) for name, at in self._values.items()},
            )
        except ValueError:
            return None

    def _column(self, texts: Sequence[str | bytes], at: int) -> list[float]:
        return list(map(stamp_seconds if at in self._stamps else float, texts))  # type: ignore[arg-type]


def skeleton(line: str) -> str:
    """What lines of one shape have in common; cheap and coarse."""
    return _SHAPELESS.sub("0", line)


def learn(line: str, parse: Callable[[str], Row | None]) -> Template | None:
    """The template of a line, None where its numbers are not simply the row's.

    Args:
        parse: what the format says about a line; asked without side effects.
    """
    row = parse(line)
    tokens = list(_TOKEN.finditer(line))
    if row is None or not tokens or len(tokens) > _MOST:
        return None
    axes: dict[Axis, int] = {}
    values: dict[str, int] = {}
    stamps: set[int] = set()
    spans: list[tuple[int, int]] = []  # of each group
    pieces: list[str] = []
    end = 0
    barred = False
    for token in tokens:
        pieces.append(_literal(line[end : token.start()]))
        end = token.end()
        if token.lastgroup == "bar":
            pieces.append(r"\|[^|\n]*\|")
            barred = True
            continue
        changed, value = _changed(token)
        asked = parse(line[: token.start()] + changed + line[token.end() :])
        meaning = _difference(row, asked, value)
        if meaning == "nothing":
            pieces.append(STAMP if token.lastgroup == "stamp" else _ANY)
            barred = barred or token.lastgroup == "stamp"  # of one word or two
        elif meaning is None:
            pieces.append(re.escape(token.group()))
        else:
            if isinstance(meaning, Axis):
                axes[meaning] = len(spans)
            else:
                values[meaning[0]] = len(spans)
            if token.lastgroup == "stamp":
                stamps.add(len(spans))
                pieces.append(f"({STAMP})")
            else:
                pieces.append(f"({_LOOSE})")
            spans.append(token.span())
    pieces.append(_literal(line[end:]))
    if set(axes) != set(row.axes) or set(values) != set(row.values):
        return None
    ordered = {name: values[name] for name in row.values}
    words = None if barred or stamps else _words(line, spans)
    template = Template(
        "".join(pieces), {axis: axes[axis] for axis in row.axes}, ordered, frozenset(stamps), words
    )
    read = template.read(f"{line}\n") if template.end_of_run(f"{line}\n", 0) else None
    if read is None or any(read.values[name][0] != value for name, value in row.values.items()):
        return None
    return template


def _words(line: str, spans: Sequence[tuple[int, int]]) -> _Words | None:
    """How to cut such lines at blanks; None where something that belongs to numbers touches one."""
    touching = {line[at] for start, end in spans for at in (start - 1, end) if 0 <= at < len(line)}
    if any(not char.isascii() or char in _SIGNS for char in touching):
        return None
    table = bytes(32 if chr(code) in touching else code for code in range(256))

    def cut(text: str) -> list[bytes]:
        return text.encode("utf-8", "replace").translate(table).split()

    return _Words(table, cut(line), [len(cut(line[:start])) for start, _ in spans])


def _literal(text: str) -> str:
    # numbers are padded with blanks to a width
    return re.sub(r"(?:\\ |\\\t){2,}", "[ \\\\t]+", re.escape(text))


def _changed(token: re.Match[str]) -> tuple[str, float]:
    """The same number with one digit changed, so that it stays in its range."""
    text = token.group()
    if token.lastgroup == "stamp":
        text = text[:18] + str((int(text[18]) + 1) % 10) + text[19:]
        return text, stamp_seconds(text)
    last = max(at for at, char in enumerate(text) if char.isdigit())
    text = text[:last] + str((int(text[last]) + 1) % 10) + text[last + 1 :]
    return text, float(text)


def _difference(row: Row, asked: Row | None, value: float) -> Axis | tuple[str] | str | None:
    """What changed: one field to the new value, "nothing", or (None) anything else."""
    if asked is None or list(asked.axes) != list(row.axes) or list(asked.values) != list(row.values):
        return None
    axes = [axis for axis in row.axes if not _same(row.axes[axis], asked.axes[axis])]
    names = [name for name in row.values if not _same(row.values[name], asked.values[name])]
    if not axes and not names:
        return "nothing"
    if len(axes) + len(names) != 1:
        return None
    if axes:
        return axes[0] if asked.axes[axes[0]] == value else None
    return (names[0],) if asked.values[names[0]] == value else None


def _same(one: float, other: float) -> bool:
    return one == other or (one != one and other != other)  # noqa: PLR0124  NaN is not itself
