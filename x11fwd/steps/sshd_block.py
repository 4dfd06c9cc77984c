"""The text x11fwd puts into sshd's configuration, and where; pure, imported by sshd_option only.

What decides (servconf.c, sshd_config(5); tried with OpenSSH 8.4, 9.2 and 10.0):

- among global lines the first one read wins, in the order in which Include brings the files;
- a line in a Match block that matches beats every global line, wherever that stands; among the matching
  blocks the first one read wins;
- a Match block in an included file ends with that file.

`Match all` does *not* lead back to the global section for a file's second reading (the one for Match
blocks): global lines behind it count as lines of a matching block, and beat every later Match. So our
Match block never stands in front of global lines: it is a drop-in, or stands before the first other Match.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

__all__ = ["BEGIN", "BEGIN_MATCH", "END", "HEADER", "Ours", "drop_in_text", "main_text", "user_pattern"]

BEGIN = "# BEGIN x11fwd"
BEGIN_MATCH = "# BEGIN x11fwd match"
END = "# END x11fwd"
GLOBAL_ONLY = frozenset({"xauthlocation"})
"""Options of ours that sshd refuses inside a Match block (F53)."""

HEADER = "# Written by x11fwd (`x11fwd undo` takes it away). The first value wins, so this file sorts first."
_MATCH = re.compile(r"^\s*match\s+user\s+(\S+)\s*$", re.IGNORECASE)
_ANY_MATCH = re.compile(r"^\s*match[\s=]", re.IGNORECASE)
_LINE = re.compile(r"^\s*([A-Za-z][A-Za-z0-9]*)(?:\s*=\s*|\s+)(.*?)\s*$")


@dataclass
class Ours:
    """The options that are ours: for everybody, and by user pattern; read from an older text of ours."""

    everybody: dict[str, str] = field(default_factory=dict)
    users: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> Ours:
        """Take a drop-in or the inside of a marked block apart; `Match all` closes, comments are dropped."""
        ours = cls()
        here = ours.everybody
        for line in text.splitlines():
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            user = _MATCH.match(line)
            if user:
                here = ours.users.setdefault(user.group(1), {})
            elif _ANY_MATCH.match(line):
                here = {}  # `Match all`, or a block that somebody else put there
            elif option := _LINE.match(line):
                here[option.group(1)] = option.group(2)
        return ours

    def add(self, options: tuple[tuple[str, str], ...], user: str | None) -> None:
        """Put options in, for everybody or for one user pattern; what only works globally goes there."""
        for keyword, value in options:
            everybody = user is None or keyword.lower() in GLOBAL_ONLY
            target = self.everybody if everybody else self.users.setdefault(str(user), {})
            for known in [known for known in target if known.lower() == keyword.lower()]:
                del target[known]
            target[keyword] = value

    def global_lines(self) -> list[str]:
        return [f"{keyword} {value}" for keyword, value in self.everybody.items()]

    def match_lines(self) -> list[str]:
        lines: list[str] = []
        for user, options in self.users.items():
            if options:
                lines.append(f"Match User {user}")
                lines += [f"    {keyword} {value}" for keyword, value in options.items()]
        return lines


def user_pattern(user: str) -> str | None:
    """A login name as a pattern of `Match User`, None where it cannot be written as one.

    A backslash (`DOMAIN\\name`) is an escape in some versions and none in others; `?` matches it in all.
    """
    if not re.match(r"^[A-Za-z0-9_.][A-Za-z0-9_.@$+\\-]*$", user):
        return None
    return user.replace("\\", "?")


def drop_in_text(before: str | None, options: tuple[tuple[str, str], ...], user: str | None) -> str:
    """The whole drop-in: what it holds already and the options, for everybody or for one user."""
    ours = Ours.read(before or "")
    ours.add(options, user)
    return "\n".join((HEADER, *ours.global_lines(), *ours.match_lines(), ""))


def main_text(before: str, options: tuple[tuple[str, str], ...], user: str | None) -> str:
    """The main file with our marked blocks: the global one at its top, the Match one before any other.

    Every other line stays byte for byte.
    """
    rest, everybody, users = _without_blocks(before)
    ours = Ours(Ours.read("\n".join(everybody)).everybody, Ours.read("\n".join(users)).users)
    ours.add(options, user)
    if matches := ours.match_lines():
        first = next((index for index, line in enumerate(rest) if _ANY_MATCH.match(line)), len(rest))
        if first == len(rest) and rest and rest[-1]:
            rest = [*rest, ""]  # the file's last line had no end
        if first == len(rest) or rest[first:] == [""]:
            first = len(rest) - 1 if rest and not rest[-1] else len(rest)
        # `Match all` closes the block for lines that are added behind it; nothing global follows here
        rest = [*rest[:first], BEGIN_MATCH, *matches, "Match all", END, *rest[first:]]
    if top := ours.global_lines():
        rest = [BEGIN, *top, END, *rest]
    return "\n".join(rest)


def _without_blocks(text: str) -> tuple[list[str], list[str], list[str]]:
    """The file's lines without our blocks, and the lines inside them."""
    rest: list[str] = []
    everybody: list[str] = []
    users: list[str] = []
    here = rest
    for line in text.split("\n"):
        mark = line.strip()
        if mark in {BEGIN, BEGIN_MATCH}:
            here = everybody if mark == BEGIN else users
        elif mark == END and here is not rest:
            here = rest
        else:
            here.append(line)
    if here is not rest:  # the end mark is gone: what follows the beginning may be somebody else's
        return text.split("\n"), [], []
    return rest, everybody, users
