"""What the opener of a pickled figure said, taken apart and bounded; nothing is unpickled. The pipeline's."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from x11fwd.errors import ProbeError

__all__ = ["Opened", "Part", "read_opened"]

_FORMS = {"png", "svg", "numbers", "plotly", "html", "npy", "csv"}
_MOST_PARTS = 100
_LONGEST_HEAD = 200_000


@dataclass(frozen=True)
class Part:
    """One form of one thing in the file.

    Attributes:
        figure: parts of one number are forms of the same figure.
        form: png, svg, numbers (figure_data's JSON), plotly, html, npy or csv.
    """

    figure: int
    form: str
    title: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Opened:
    """All of it; `why` says in words why there is nothing."""

    parts: tuple[Part, ...] = ()
    notes: tuple[str, ...] = ()
    why: str = ""


def read_opened(data: bytes) -> Opened:
    """Raises ProbeError: it is nothing that our opener says."""
    line, _, rest = data.partition(b"\n")
    try:
        head = json.loads(line) if len(line) <= _LONGEST_HEAD else None
    except (ValueError, RecursionError):
        head = None
    if not isinstance(head, dict) or not isinstance(head.get("parts"), list):
        raise ProbeError("what opens figures over there answered something else")
    parts, at = [], 0
    for one in head["parts"][:_MOST_PARTS]:
        if not isinstance(one, dict):
            raise ProbeError("what opens figures over there answered something else")
        size, form, figure = one.get("size"), one.get("form"), one.get("figure")
        if (
            not isinstance(form, str)
            or form not in _FORMS
            or not isinstance(size, int)
            or not 0 <= size <= len(rest) - at
        ):
            raise ProbeError("what opens figures over there answered something else")
        title = one.get("title")
        parts.append(
            Part(
                figure if isinstance(figure, int) else 0,
                form,
                title[:300] if isinstance(title, str) else "",
                rest[at : at + size],
            )
        )
        at += size
    notes = head.get("notes")
    words = [one[:400] for one in notes if isinstance(one, str)] if isinstance(notes, list) else []
    why = head.get("why")
    return Opened(tuple(parts), tuple(words[:20]), why[:600] if isinstance(why, str) else "")
