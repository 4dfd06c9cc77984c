"""One line of `ls -ld`, the one way to ask stat(2) that every system has; imported by facts alone."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Listing", "parse_listing"]


@dataclass(frozen=True)
class Listing:
    """Kind (`-`, `d`, `l`, …), permission bits, owner as printed (name, or number with -n)."""

    kind: str
    mode: int
    owner: str


def parse_listing(line: str) -> Listing | None:
    """POSIX ls(1), -l: `-rw------- 1 ana ana 49 …`; None where the line has another form."""
    words = line.split()
    if len(words) < 4 or len(words[0]) < 10:
        return None
    bits = words[0][1:10]
    mode = 0
    for index, letter in enumerate(bits):
        execute = letter in "xst"
        if letter in "rw" or execute:
            mode |= 0o400 >> index
        if letter in "sS":
            mode |= 0o4000 if index == 2 else 0o2000
        elif letter in "tT":
            mode |= 0o1000
    return Listing(words[0][0], mode, words[2])
