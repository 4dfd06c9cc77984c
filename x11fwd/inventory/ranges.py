"""Names that stand for many: `gpu[01:20]`, `node-[a:f]`, `n[1:9:2].lab`; imported by the parsers."""

from __future__ import annotations

import re
from itertools import product

__all__ = ["LIMIT", "expand"]

LIMIT = 100_000  # hosts of one pattern; more is a slip of the finger
_RANGE = re.compile(r"\[(\d+|[A-Za-z]):(\d+|[A-Za-z])(?::(\d+))?\]")


def expand(pattern: str) -> list[str]:
    """Every name the pattern stands for, in order; one without a range is itself.

    Both ends belong to it, and a number keeps the width of its beginning (`[01:10]` has 01 and 10).

    Raises:
        ValueError: what is in the brackets is no range; the message is a clause.
    """
    pieces = _RANGE.split(pattern)
    # split gives text, begin, end, step, text, …
    texts = pieces[::4]
    if any("[" in text or "]" in text for text in texts):
        raise ValueError("the brackets hold no range; `gpu[01:20]` would be one")
    choices = [_between(*pieces[at : at + 3]) for at in range(1, len(pieces), 4)]
    count = 1
    for choice in choices:
        count *= len(choice)
        if count > LIMIT:
            raise ValueError(f"the range stands for more than {LIMIT} hosts")
    names = []
    for chosen in product(*choices):
        name = texts[0]
        for word, text in zip(chosen, texts[1:], strict=True):
            name += word + text
        names.append(name)
    return names


def _between(begin: str, end: str, step: str | None) -> list[str]:
    by = int(step) if step else 1
    if by == 0:
        raise ValueError("the range goes by steps of nothing")
    if begin.isdigit() != end.isdigit():
        raise ValueError(f"the range goes from {begin} to {end}; both must be numbers or both letters")
    if begin.isdigit():
        if len(begin) > 1 and begin.startswith("0") and len(begin) != len(end):
            raise ValueError(f"{begin} and {end} have to be written equally wide")
        first, last = int(begin), int(end)
        if last < first:
            raise ValueError(f"the range goes backwards, from {begin} to {end}")
        if last - first >= LIMIT * by:
            raise ValueError(f"the range stands for more than {LIMIT} hosts")
        width = len(begin) if begin.startswith("0") else 0
        return [str(number).zfill(width) for number in range(first, last + 1, by)]
    if ord(end) < ord(begin):
        raise ValueError(f"the range goes backwards, from {begin} to {end}")
    return [chr(code) for code in range(ord(begin), ord(end) + 1, by) if chr(code).isalpha()]
