"""What a row of the message table is and how it is found in a text; imported by explain and its tables.

A terminal breaks lines anywhere, an editor changes quotes, a locale translates them, a pager adds colour. So
text and templates are compared squeezed: lower case, no white space, no quotes, no colour, no frames.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

__all__ = ["Message", "Squeezed", "row"]

# Terminal sequences (ECMA-48: CSI, OSC, two-character escapes), also as `less` and editors show them: ^[[1m
_ESCAPES = re.compile(
    r"(?:\x1b|\^\[)\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]{0,2000}(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]"
)
_DROPPED = (
    "\"'`´‘’‚‛“”„‟«»‹›"  # quotes of any locale
    "│┃┆┇║|▌▏"  # the frames of rich tracebacks, and of quoted mail
    "\u200b\u200c\u200d\ufeff\xad"  # invisible ones that web pages add
)
_SQUEEZE = {ord(letter): None for letter in _DROPPED} | dict.fromkeys((*range(33), 127, 160))
# What a template may hold beside text. `.` never meets a line's end: there are none left.
_PLACES = {
    "n": r"\d+",
    "ip": r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}",
    "hex": r"[0-9a-f]+",
    "h": r"[a-z0-9][a-z0-9.-]{0,62}?",
    "w": r"[^:,;()]{1,120}?",
    "x": r".{0,300}?",
}
_PLACE = re.compile(r"\{(\w+)\}")


def _squeeze(text: str) -> str:
    return text.translate(_SQUEEZE).lower()


class Squeezed:
    """A text made comparable, and the way back to its lines.

    Attributes:
        lines: the text's lines without terminal sequences.
        text: all of it, squeezed.
    """

    def __init__(self, text: str) -> None:
        self.lines = _ESCAPES.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).split("\n")
        parts, at = [], 0
        self._ends: list[int] = []
        for line in self.lines:
            part = _squeeze(line)
            parts.append(part)
            at += len(part)
            self._ends.append(at)
        self.text = "".join(parts)

    def line_of(self, offset: int) -> int:
        """Number (from 0) of the line in which the squeezed text has this offset."""
        from bisect import bisect_right

        return bisect_right(self._ends, offset)


@dataclass(frozen=True)
class _Template:
    """One wording, ready to be looked for.

    Attributes:
        needle: its longest stretch of fixed text; without that no look closer is worth the time.
        pattern: the whole, None where it is its needle.
    """

    needle: str
    pattern: re.Pattern[str] | None

    @classmethod
    def of(cls, template: str) -> _Template:
        pieces = _PLACE.split(template)
        fixed = [_squeeze(piece) for piece in pieces[::2]]
        needle = max(fixed, key=len)
        if len(pieces) == 1:
            return cls(needle, None)
        parts = [re.escape(fixed[0])]
        for name, piece in zip(pieces[1::2], fixed[1:], strict=True):
            parts += [_PLACES[name], re.escape(piece)]
        return cls(needle, re.compile("".join(parts)))

    def find(self, text: str) -> int:
        """Where it begins in a squeezed text, -1 where it is not."""
        at = text.find(self.needle)
        if at < 0 or self.pattern is None:
            return at
        found = self.pattern.search(text)
        return found.start() if found else -1


@dataclass(frozen=True)
class Message:
    """One message, in all its wordings, and what it is a sign of.

    Attributes:
        wordings: templates; `{n}` is a number, `{ip}` an address, `{w}` a word, `{x}` anything short.
        ids: the failures that it may come from, likeliest first, each with one line why.
        along: it counts only where one of these is in the text as well.
        without: it counts only where none of these is in the text.
        noise: harmless; never the cause of anything.
        weak: it says something only where nothing else does.
        session: what `x11fwd ssh` says under it; `{target}` stands for the host as our commands take it.
        opening: ssh writes it before the remote program of the same session has started.
    """

    wordings: tuple[str, ...]
    ids: dict[str, str]
    along: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    noise: bool = False
    weak: bool = False
    session: str = ""
    opening: bool = False

    @cached_property
    def _templates(self) -> tuple[tuple[_Template, ...], ...]:
        return tuple(
            tuple(_Template.of(one) for one in group) for group in (self.wordings, self.along, self.without)
        )

    def find(self, text: str) -> int:
        """Where this message first is in a squeezed text, -1 where it is not or does not count."""
        wordings, along, without = self._templates
        places = [at for at in (one.find(text) for one in wordings) if at >= 0]
        if not places:
            return -1
        if along and all(one.find(text) < 0 for one in along):
            return -1
        if any(one.find(text) >= 0 for one in without):
            return -1
        return min(places)


def row(
    *wordings: str,
    ids: dict[str, str],
    along: tuple[str, ...] = (),
    without: tuple[str, ...] = (),
    noise: bool = False,
    weak: bool = False,
    session: str = "",
    opening: bool = False,
) -> Message:
    """One row of a table, its wordings first."""
    return Message(wordings, ids, along, without, noise, weak, session, opening)
