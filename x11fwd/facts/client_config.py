"""Which lines of ssh_config decide: the files ssh has read, and the blocks it says it applied; pure.

ssh is asked with `-G -vvv`, so its own debug lines tell what each Include, Host and Match came to. Nothing of
that is worked out again here: the files are only walked in step with what ssh said (readconf.c). Imported by
client_ask.
"""

from __future__ import annotations

import re
import shlex
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from x11fwd.facts.client import ConfigLine
from x11fwd.facts.model import Unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from x11fwd.target import SshOptions

__all__ = ["KEYWORDS", "config_lines", "option_lines"]

KEYWORDS = frozenset(
    {
        *("forwardx11", "forwardx11trusted", "forwardx11timeout", "xauthlocation"),
        *("controlpath", "controlmaster", "loglevel", "sendenv", "setenv"),
    }
)
_READING = re.compile(r"debug1: Reading configuration data (?P<file>.+)")
_APPLYING = re.compile(r"debug1: (?P<file>.+) line (?P<line>\d+): Applying options for ")
_MATCH = re.compile(r"debug2: match (?P<no>not )?found")
_INCLUDING = re.compile(
    r"debug3: (?P<file>.+) line (?P<line>\d+): Including file (?P<name>.+) depth \d+"
    r"(?P<idle> \(parse only\))?"
)
_OCTAL = re.compile(r"\\([0-7]{3})")
_DEEPEST = 16  # readconf.c, READCONF_MAX_DEPTH


class _OutOfStepError(Exception):
    """ssh has read something else than what stands in the files now."""


@dataclass(frozen=True)
class _Event:
    """What ssh said: `kind` is reading, applying, match or including."""

    kind: str
    file: str = ""
    line: int = 0
    name: str = ""
    yes: bool = True


def config_lines(log: str, read: Callable[[str], str | None]) -> tuple[ConfigLine, ...] | Unknown:
    """The lines about X11 in the order in which ssh has read them.

    With CanonicalizeHostname or `Match final` ssh reads its files twice, and then each line is there twice.

    Args:
        log: what `ssh -G -vvv` wrote to standard error.
        read: the text of a file, None where it cannot be read.
    """
    walk = _Walk(_events(log), read)
    if not walk.events:
        return Unknown("this ssh does not say which files it reads")
    try:
        while walk.events:
            walk.file(walk.take("reading").file, idle=False, depth=0)
    except _OutOfStepError as error:
        return Unknown(f"what ssh has read could not be followed: {error}")
    return tuple(walk.lines)


def option_lines(options: SshOptions) -> tuple[ConfigLine, ...]:
    """The settings given on our own command line, which beat every file."""
    found = []
    for text in options.options:
        keyword, value = _split(text)
        if keyword in KEYWORDS:
            found.append(ConfigLine("", 0, keyword, value))
    return tuple(found)


class _Walk:
    def __init__(self, events: deque[_Event], read: Callable[[str], str | None]) -> None:
        self.events = events
        self.lines: list[ConfigLine] = []
        self._read = read

    def take(self, kind: str) -> _Event:
        if not self.events or self.events[0].kind != kind:
            raise _OutOfStepError(f"it said nothing about {kind}")
        return self.events.popleft()

    def _next_is(self, kind: str, file: str, line: int) -> bool:
        # debug lines hold 200 letters of a name
        event = self.events[0] if self.events else None
        return event is not None and (event.kind, event.file, event.line) == (kind, file[:200], line)

    def file(self, name: str, *, idle: bool, depth: int) -> None:
        """Walk one file; `idle`: it was included from a block that is not for this host."""
        text = self._read(name)
        if text is None or depth > _DEEPEST:
            raise _OutOfStepError(f"{name} cannot be read")
        applies, block = not idle, ""
        for number, line in enumerate(text.split("\n"), 1):
            keyword, value = _split(line)
            if keyword == "host":
                applies, block = not idle and self._next_is("applying", name, number), line.strip()
                if applies:
                    self.events.popleft()
            elif keyword == "match":
                applies, block = self.take("match").yes and not idle, line.strip()
            elif keyword == "include":
                while self._next_is("including", name, number):
                    included = self.events.popleft()
                    if self.events and self.events[0].kind == "reading":
                        inner = self.take("reading").file
                        self.file(inner, idle=idle or not included.yes, depth=depth + 1)
            elif keyword in KEYWORDS:
                self.lines.append(ConfigLine(name, number, keyword, value, block, applies))


def _events(log: str) -> deque[_Event]:
    found: deque[_Event] = deque()
    for raw in log.splitlines():
        line = raw.rstrip()
        if read := _READING.fullmatch(line):
            found.append(_Event("reading", _unescaped(read["file"])))
        elif applied := _APPLYING.match(line):
            found.append(_Event("applying", _unescaped(applied["file"]), int(applied["line"])))
        elif matched := _MATCH.fullmatch(line):
            found.append(_Event("match", yes=matched["no"] is None))
        elif included := _INCLUDING.fullmatch(line):
            file, name = _unescaped(included["file"]), _unescaped(included["name"])
            found.append(_Event("including", file, int(included["line"]), name, included["idle"] is None))
    return found


def _unescaped(text: str) -> str:
    r"""A file name as it is: ssh writes bytes above 127 as `\303\244` (log.c, strnvis)."""
    if "\\" not in text:
        return text
    raw = _OCTAL.sub(lambda found: chr(int(found[1], 8)), text.replace("\\\\", "\\134"))
    return raw.encode("latin-1", "replace").decode("utf-8", "surrogateescape")


def _split(line: str) -> tuple[str, str]:
    """Keyword in lower case and value of a line, ("", "") for a comment (misc.c, strdelim)."""
    text = line.strip()
    if not text or text.startswith("#"):
        return "", ""
    found = re.match(r'"?([A-Za-z0-9]+)"?(?:\s*=\s*|\s+|$)(.*)', text)
    if found is None:
        return "", ""
    try:
        words = shlex.split(found[2], comments=True)
    except ValueError:
        words = found[2].split()
    return found[1].lower(), " ".join(words)
