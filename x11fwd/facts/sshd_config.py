"""sshd's files as sshd reads them, and which line decides a keyword; pure, for facts, checks and steps.

servconf.c: the first value wins, except that the first one in a Match block that holds wins over the global
section; Include puts a file's lines in its own place, and inside a Match block they belong to it.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Connection", "Decision", "SshdLine", "decide", "include_patterns", "parse_sshd_t", "read_lines"]

_SSHDIR = "/etc/ssh"  # pathnames.h; relative Include patterns start here
_MAX_DEPTH = 16  # servconf.c, SERVCONF_MAX_DEPTH
_WORD = re.compile(r'"(?P<quoted>[^"]*)"|(?P<plain>[^\s"]+)')


@dataclass(frozen=True)
class Connection:
    """What Match criteria look at (sshd_config(5), Match); None where it is not known.

    Attributes:
        groups: every group of the user.
        host: the client's name; its address where sshd does not look names up (UseDNS no).
    """

    user: str | None = None
    groups: tuple[str, ...] | None = None
    host: str | None = None
    address: str | None = None
    local_address: str | None = None
    local_port: int | None = None


@dataclass(frozen=True)
class SshdLine:
    """One setting.

    Attributes:
        file, number: where it stands; `str()` is `/etc/ssh/sshd_config:61`.
        keyword: in lower case.
        words: its arguments without quotes and comment.
        text: the line as it stands.
        matches: the criteria of the Match block around it, () in the global section, ("all",) after
            `Match all`. A file included inside a Match block has that block's criteria in front of its own.
    """

    file: str
    number: int
    keyword: str
    words: tuple[str, ...]
    text: str
    matches: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.file}:{self.number}"

    @property
    def value(self) -> str:
        return " ".join(self.words)


@dataclass(frozen=True)
class Decision:
    """Which line decides a keyword.

    Attributes:
        line: the one that decides; None for sshd's own default.
        certain: False where a Match block that may or may not hold could change it; `doubts` are its lines.
        overruled: lines of the same keyword without effect on this connection, in read order.
    """

    line: SshdLine | None
    certain: bool = True
    doubts: tuple[SshdLine, ...] = ()
    overruled: tuple[SshdLine, ...] = ()


def read_lines(
    main: str, files: Mapping[str, str], globs: Mapping[str, Sequence[str]] | None = None
) -> Iterator[SshdLine]:
    """Every setting in the order in which sshd reads them.

    Args:
        main: path of the main file.
        files: path -> text. A file that is not in it is passed over.
        globs: Include pattern -> the files it named there; without it the paths in `files` are matched.
    """
    yield from _read(main, files, globs, (), 0)


def _read(
    name: str,
    files: Mapping[str, str],
    globs: Mapping[str, Sequence[str]] | None,
    outer: tuple[str, ...],
    depth: int,
) -> Iterator[SshdLine]:
    if depth > _MAX_DEPTH:
        return
    matches = outer
    for number, text in enumerate(files.get(name, "").split("\n"), 1):
        keyword, words = _split(text)
        if not keyword:
            continue
        line = SshdLine(name, number, keyword, words, text.strip(), matches)
        if keyword == "match":
            matches = (*outer, line.value)
        elif keyword == "include":
            for pattern in words:
                whole = posixpath.join(_SSHDIR, pattern)
                for found in _glob(whole, files, globs):
                    yield from _read(found, files, globs, matches, depth + 1)
        else:
            yield line


def _glob(pattern: str, files: Mapping[str, str], globs: Mapping[str, Sequence[str]] | None) -> Sequence[str]:
    if globs is not None:
        return globs.get(pattern, ())
    # glob(3) does not let `*` cross a slash, fnmatch does
    return sorted(
        name for name in files if fnmatch.fnmatchcase(name, pattern) and name.count("/") == pattern.count("/")
    )


def _split(text: str) -> tuple[str, tuple[str, ...]]:
    """Keyword in lower case and arguments; `Keyword=value` is allowed, a `#` word ends the line."""
    bare = text.strip()
    if not bare or bare.startswith("#"):
        return "", ()
    head = re.match(r'"?([A-Za-z0-9]+)"?(?:\s*=\s*|\s+|$)', bare)
    if head is None:
        return "", ()
    words: list[str] = []
    for found in _WORD.finditer(bare, head.end()):
        word = found["quoted"] if found["quoted"] is not None else found["plain"]
        if found["plain"] is not None and word.startswith("#"):
            break
        words.append(word)
    return head[1].lower(), tuple(words)


def decide(keyword: str, lines: Sequence[SshdLine], connection: Connection) -> Decision:
    """The line that decides `keyword` for a connection (servconf.c, parse_server_match_config)."""
    about = [line for line in lines if line.keyword == keyword.lower()]
    plain = [line for line in about if not line.matches]
    doubts: list[SshdLine] = []
    winner: SshdLine | None = None
    for line in about:
        holds = _all_hold(line.matches, connection) if line.matches else False
        if holds is None:
            doubts.append(line)
        elif holds:
            winner = line
            break
    certain = not doubts
    winner = winner or (plain[0] if plain else None)
    value = winner.value.lower() if winner else None
    if doubts and all(line.value.lower() == value for line in doubts):
        certain = True  # whichever holds, the value is the same
    overruled = tuple(line for line in about if line is not winner and line not in doubts)
    return Decision(winner, certain, tuple(doubts), overruled)


def _all_hold(matches: Sequence[str], connection: Connection) -> bool | None:
    """True, False, or None where it cannot be told."""
    answers = [_holds(criteria, connection) for criteria in matches]
    if False in answers:
        return False
    return None if None in answers else True


def _holds(criteria: str, connection: Connection) -> bool | None:
    words = re.split(r"[\s=]+", criteria.strip())
    unsure = False
    while words:
        name = words.pop(0).lower()
        if name == "all":
            continue
        if name == "invalid-user":
            return False  # we are logged in
        if not words:
            return None
        answer = _criterion(name, words.pop(0), connection)
        if answer is False:
            return False
        unsure = unsure or answer is None
    return None if unsure else True


def _criterion(name: str, patterns: str, connection: Connection) -> bool | None:
    if name == "user":
        return None if connection.user is None else _pattern_list(patterns, connection.user)
    if name == "group":
        if connection.groups is None:
            return None
        return any(_pattern_list(patterns, group) for group in connection.groups)
    if name == "host":
        # with UseDNS the name is not ours to know; patterns that the address fits are certain all the same
        if connection.host is None:
            return None
        return _pattern_list(patterns.lower(), connection.host.lower())
    if name == "address":
        return None if connection.address is None else _address_list(patterns, connection.address)
    if name == "localaddress":
        return None if connection.local_address is None else _address_list(patterns, connection.local_address)
    if name == "localport":
        return None if connection.local_port is None else patterns == str(connection.local_port)
    return None  # RDomain, Version, and what later releases bring


def _pattern_list(patterns: str, value: str) -> bool:
    """match.c, match_pattern_list: comma-separated, `*` and `?`, a `!` pattern that fits refuses at once."""
    found = False
    for pattern in patterns.split(","):
        if _pattern(pattern.removeprefix("!"), value):
            if pattern.startswith("!"):
                return False
            found = True
    return found


def _pattern(pattern: str, value: str) -> bool:
    # only * and ? are special to sshd; fnmatch would read brackets as a set
    return (
        re.fullmatch("".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern), value, re.DOTALL)
        is not None
    )


def _address_list(patterns: str, value: str) -> bool:
    """addrmatch.c, addr_match_list: networks in CIDR form, or patterns on the text."""
    found = False
    for pattern in patterns.split(","):
        bare = pattern.removeprefix("!")
        if _network(bare, value) or _pattern(bare, value):
            if pattern.startswith("!"):
                return False
            found = True
    return found


def _network(text: str, value: str) -> bool:
    try:
        return ipaddress.ip_address(value.partition("%")[0]) in ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False


def include_patterns(main: str, files: Mapping[str, str]) -> tuple[str, ...]:
    """The Include patterns that a drop-in could use: those of the main file's global section before its own
    X11Forwarding, absolute, in order. What stands later comes too late to be the first value."""
    found: list[str] = []
    for text in files.get(main, "").split("\n"):
        keyword, words = _split(text)
        if keyword in {"match", "x11forwarding"}:
            break
        if keyword == "include":
            found += [posixpath.join(_SSHDIR, word) for word in words]
    return tuple(found)


def parse_sshd_t(text: str) -> dict[str, str]:
    """The output of `sshd -T`: keyword in lower case -> value; of a repeated keyword the values by line."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        keyword, _, value = line.partition(" ")
        if keyword:
            key = keyword.lower()
            found[key] = f"{found[key]}\n{value}" if key in found else value
    return found
