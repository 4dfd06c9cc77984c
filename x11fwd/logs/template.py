"""A line's shape, learned from one line and then matched by the thousand; imported by the reader.

Logs repeat themselves: the same words, other numbers. From one line that a format understood we make a
regular expression with a group for each number, and find out which number means what by changing one after
the other and asking the format again. Then whole chunks are read by one `findall`.
"""

from __future__ import annotations

import re
from array import array
from typing import TYPE_CHECKING

from x11fwd.logs.numbers import STAMP, stamp_seconds
from x11fwd.logs.rows import Axis, Block, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Template", "learn", "skeleton"]

_TOKEN = re.compile(
    rf"(?P<stamp>{STAMP})|(?<![A-Za-z_])(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
)
_DIGITS = re.compile(r"\d+")
# quicker than an exact one, and float() says no to what is none
_LOOSE = r"[-+.\dEINafeintyA]+"
_ANY = r"[-+.\deE]+"  # a number that means nothing to us
_MOST = 64  # numbers in a line


class Template:
    """One shape and what its numbers mean."""

    def __init__(
        self, pattern: str, axes: dict[Axis, int], values: dict[str, int], stamps: frozenset[int]
    ) -> None:
        self.row = re.compile(pattern)
        self.rows = re.compile(f"^{pattern}$", re.MULTILINE)
        self._axes, self._values, self._stamps = axes, values, stamps

    def read(self, text: str, count: int) -> Block | None:
        """All of `text` at once; None where one of its `count` lines is of another shape."""
        # each match is one whole line, so as many matches as lines means that all are of this shape
        if self.rows.match(text) is None:
            return None
        found = self.rows.findall(text)
        if len(found) != count:
            return None
        return self._columns([found] if self.row.groups == 1 else list(zip(*found, strict=True)))

    def block(self, found: Sequence[tuple[str, ...]]) -> Block | None:
        """Single matches of `row` as columns; None where something in them is no number."""
        return self._columns(list(zip(*found, strict=True)))

    def _columns(self, columns: Sequence[Sequence[str]]) -> Block | None:
        try:
            return Block(
                {axis: self._column(columns[at], at) for axis, at in self._axes.items()},
                {name: self._column(columns[at], at) for name, at in self._values.items()},
            )
        except ValueError:
            return None

    def _column(self, texts: Sequence[str], at: int) -> array[float]:
        return array("d", map(stamp_seconds if at in self._stamps else float, texts))


def skeleton(line: str) -> str:
    """What lines of one shape have in common; cheap and coarse."""
    return _DIGITS.sub("0", line)


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
    pieces: list[str] = []
    end = groups = 0
    for token in tokens:
        pieces.append(_literal(line[end : token.start()]))
        end = token.end()
        changed, value = _changed(token)
        asked = parse(line[: token.start()] + changed + line[token.end() :])
        meaning = _difference(row, asked, value)
        if meaning == "nothing":
            pieces.append(STAMP if token.lastgroup == "stamp" else _ANY)
        elif meaning is None:
            pieces.append(re.escape(token.group()))
        else:
            if isinstance(meaning, Axis):
                axes[meaning] = groups
            else:
                values[meaning[0]] = groups
            if token.lastgroup == "stamp":
                stamps.add(groups)
                pieces.append(f"({STAMP})")
            else:
                pieces.append(f"({_LOOSE})")
            groups += 1
    pieces.append(_literal(line[end:]))
    if set(axes) != set(row.axes) or set(values) != set(row.values):
        return None
    ordered = {name: values[name] for name in row.values}
    template = Template("".join(pieces), {axis: axes[axis] for axis in row.axes}, ordered, frozenset(stamps))
    found = template.row.fullmatch(line)
    if found is None:
        return None
    block = template.block([found.groups()])
    if block is None or any(block.values[name][0] != value for name, value in row.values.items()):
        return None
    return template


def _literal(text: str) -> str:
    # numbers are padded with blanks to a width
    return re.sub(r"(?:\\ |\\\t)+", "[ \\\\t]+", re.escape(text))


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
