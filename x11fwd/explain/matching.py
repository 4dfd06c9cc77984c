"""A pasted message, traceback or log to the failures that it may come from; imported by the pipeline."""

from __future__ import annotations

from dataclasses import dataclass

from x11fwd.explain.message import Message, Squeezed, row
from x11fwd.explain.messages import all_messages

__all__ = ["Candidate", "Explanation", "Sighting", "explain_text"]

_WIDEST = 200  # characters of a line that are quoted
# `ssh -v` without one word about X11 (FAILURES, decision table): it was never asked for.
_NEVER_ASKED = row(
    "debug1: Entering interactive session",
    "debug1: Sending command:",
    without=("X11 forwarding",),  # `x11-forwarding` stands among a key's options, and in paths
    weak=True,
    ids={
        "ssh-no-x11-request": "the log holds no word about X11: ssh was called without -X or -Y",
        "ssh-config-says-no": "or the configuration says no in spite of it",
        "mux-master-without-x11": "or an open connection was reused",
    },
)


@dataclass(frozen=True)
class Candidate:
    """One failure that the text may come from.

    Attributes:
        why: one line, without a stop.
    """

    id: str
    why: str


@dataclass(frozen=True)
class Sighting:
    """A known message in the text.

    Attributes:
        number: of its line, from 1.
        line: the line, shortened.
        candidates: likeliest first.
    """

    number: int
    line: str
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True)
class Explanation:
    """What is known in a text.

    Attributes:
        cause: the earliest message, which explains the others; None where none is known.
        later: the messages after it that name other failures.
        noise: harmless lines.
    """

    cause: Sighting | None
    later: tuple[Sighting, ...] = ()
    noise: tuple[Sighting, ...] = ()

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """What the cause may be, likeliest first."""
        return self.cause.candidates if self.cause else ()


def explain_text(text: str) -> Explanation:
    """Find the known messages of a text; the earliest in time is the cause (several lines of one log).

    Args:
        text: any text; colour, line wraps, quotes and line ends do not matter.
    """
    squeezed = Squeezed(text)
    found: list[tuple[int, int, Message]] = []
    settled: set[int] = set()
    for order, message in enumerate((*all_messages(), _NEVER_ASKED)):
        at = message.find(squeezed.text)
        if at < 0 or at in settled:
            continue
        found.append((squeezed.line_of(at), order, message))
        if not message.along:  # what a row says because of its surroundings, the general one may add to
            settled.add(at)
    found.sort(key=lambda one: one[:2])
    strong = [one for one in found if not one[2].weak and not one[2].noise]
    weak = [one for one in found if one[2].weak and not one[2].noise]
    sightings = _by_line(strong or weak, squeezed)
    told = {one.number for one in sightings}  # a line that is the cause is not harmless as well
    return Explanation(
        sightings[0] if sightings else None,
        tuple(sightings[1:]),
        tuple(_by_line([one for one in found if one[2].noise and one[0] + 1 not in told], squeezed)),
    )


def _by_line(found: list[tuple[int, int, Message]], squeezed: Squeezed) -> list[Sighting]:
    """Rows that were found, one sighting per line; an id is named only where it comes first."""
    lines: dict[int, dict[str, str]] = {}
    seen: set[str] = set()
    for number, _, message in found:
        ids = lines.setdefault(number, {})
        for one, why in message.ids.items():
            if one in ids or one in seen:
                continue
            ids[one] = why
        if not message.noise:
            seen |= set(ids)
    return [
        Sighting(
            number + 1,
            _shown(squeezed.lines[number]),
            tuple(Candidate(one, why) for one, why in ids.items()),
        )
        for number, ids in lines.items()
        if ids
    ]


def _shown(line: str) -> str:
    line = " ".join(line.split())
    return line if len(line) <= _WIDEST else f"{line[:_WIDEST]}…"
