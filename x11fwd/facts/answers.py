"""The probe's answers as they came over the wire, taken apart and not yet understood; for facts alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from x11fwd.errors import ProbeError
from x11fwd.facts.model import Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Answers", "Text", "parse_answers"]


@dataclass(frozen=True)
class Text:
    """A text of several lines, byte for byte; `label` says which (a path), or is empty."""

    label: str
    text: str


@dataclass(frozen=True)
class Answers:
    """What a probe printed, by key; each key may stand several times, in order.

    Attributes:
        values: `=KEY<tab>VALUE`.
        texts: `+KEY<tab>LABEL` and the lines after it.
        unknown: `?KEY<tab>REASON`.
    """

    values: Mapping[str, tuple[str, ...]]
    texts: Mapping[str, tuple[Text, ...]]
    unknown: Mapping[str, tuple[str, ...]]

    def first(self, key: str) -> str | None:
        """The first value of a key; an empty one counts as none."""
        return next((value for value in self.all(key) if value), None)

    def all(self, key: str) -> tuple[str, ...]:
        return self.values.get(key, ())

    def text(self, key: str) -> str | None:
        """The first text of a key, or a one-line value of the same name."""
        return next((one.text for one in self.texts.get(key, ())), None)

    def all_texts(self, key: str) -> tuple[Text, ...]:
        return self.texts.get(key, ())

    def why(self, key: str) -> Unknown | None:
        """Why a question could not be asked, None where it was."""
        reasons = self.unknown.get(key, ())
        return Unknown(reasons[0]) if reasons else None


def parse_answers(data: bytes, nonce: str) -> Answers:
    """Read the lines of probe.sh or local_probe.sh.

    Args:
        data: standard output of the probe; lines that are none of its own are passed over.
        nonce: the end mark's; without the mark something was lost.

    Raises:
        ProbeError: the end is missing.
    """
    values: dict[str, list[str]] = {}
    texts: dict[str, list[tuple[str, list[str]]]] = {}
    unknown: dict[str, list[str]] = {}
    lines: list[str] | None = None
    complete = False
    for line in data.decode("utf-8", "surrogateescape").split("\n"):
        mark, rest = line[:1], line[1:]
        if mark == "|" and lines is not None:
            lines.append(rest)
            continue
        lines = None
        key, _, value = rest.partition("\t")
        if mark == "=":
            values.setdefault(key, []).append(value)
        elif mark == "?":
            unknown.setdefault(key, []).append(value)
        elif mark == "+":
            lines = []
            texts.setdefault(key, []).append((value, lines))
        elif line == f".{nonce}":
            complete = True
    if not complete:
        raise ProbeError("the probe's answer ends early: its shell was stopped, or its output was cut")
    return Answers(
        values={key: tuple(found) for key, found in values.items()},
        texts={
            key: tuple(Text(label, "\n".join(found)) for label, found in several)
            for key, several in texts.items()
        },
        unknown={key: tuple(found) for key, found in unknown.items()},
    )
