"""Ansible's patterns of hosts (`web:&europe:!old`, `gpu*`, `~n\\d+`, `rack[0:3]`, `@file`).

For the pipeline and the cli. Ansible docs, "Patterns: targeting hosts and groups". Other than there, a plain
name that nothing has is an error: `!reitred` would otherwise change exactly what was to be left out.
"""

from __future__ import annotations

import difflib
import fnmatch
import ipaddress
import re
from pathlib import Path
from typing import TYPE_CHECKING

from x11fwd.errors import UsageError
from x11fwd.inventory.tree import ALL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from x11fwd.inventory.model import Inventory, InventoryHost

__all__ = ["choose_names", "select"]

_SUBSCRIPT = re.compile(r"(.+)\[(?:(-?\d+)|(\d+)?[:-](-?\d+)?)\]")
_PIECE = re.compile(r"(?:[^\s:\[\]]|\[[^\]]*\])+")


def select(inventory: Inventory, pattern: str) -> tuple[InventoryHost, ...]:
    """The hosts of an inventory that a pattern names, in the order of the file.

    Raises:
        UsageError: it names none, or a name in it is not there.
    """
    names = [host.name for host in inventory.hosts]
    chosen = set(choose_names(names, inventory.groups, pattern))
    return tuple(host for host in inventory.hosts if host.name in chosen)


def choose_names(names: Sequence[str], groups: Mapping[str, Sequence[str]], pattern: str) -> tuple[str, ...]:
    """The names that a pattern stands for, in the order of `names`.

    Raises:
        UsageError: as `select`.
    """
    known = dict(groups)
    known.setdefault(ALL, tuple(names))
    terms = _terms(pattern)
    plain = [term for term in terms if term[0] not in "!&"]
    # unions first, then what must be in both, then what is left out, in whatever order they were written
    found = set(known[ALL]) if not plain else set()
    for term in plain:
        found |= _match(term, names, known)
    for term in terms:
        if term[0] == "&":
            found &= _match(term[1:], names, known)
    for term in terms:
        if term[0] == "!":
            found -= _match(term[1:], names, known)
    if not found:
        raise UsageError(f"no host is left by `--limit {pattern}`", hint=_known(known))
    return tuple(name for name in names if name in found)


def _terms(pattern: str) -> list[str]:
    found: list[str] = []
    for term in _split(pattern):
        if not term.startswith("@"):
            found.append(term)
            continue
        file = Path(term[1:]).expanduser()
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            raise UsageError(f"the file {file} of `--limit` cannot be read: {reason}") from None
        except UnicodeDecodeError:
            raise UsageError(f"the file {file} of `--limit` is not UTF-8 text") from None
        for line in lines:
            if line.strip() and not line.lstrip().startswith("#"):
                found += _split(line.strip())
    terms = [term for term in found if term not in {"", "!", "&"}]
    if not terms:
        raise UsageError(f"`--limit {pattern}` names nothing")
    return terms


def _split(pattern: str) -> list[str]:
    """By commas where there are any, else by colons outside of brackets; an IPv6 address stays whole."""
    if "," in pattern:
        return [word.strip() for word in pattern.split(",") if word.strip()]
    bare = pattern.strip().lstrip("!&")
    if bare.startswith(("~", "@")) or _is_address(bare):
        # a regular expression may hold colons: it is a term of its own unless commas part it
        return [pattern.strip()]
    return _PIECE.findall(pattern)


def _is_address(word: str) -> bool:
    try:
        ipaddress.ip_address(word)
    except ValueError:
        return False
    return True


def _match(term: str, names: Sequence[str], groups: Mapping[str, Sequence[str]]) -> set[str]:
    if term.startswith("~"):
        try:
            wanted = re.compile(term[1:])
        except re.error as error:
            raise UsageError(f"`{term}` is no regular expression: {error}") from None
        # Ansible anchors it at the beginning only (re.match)
        return _by(lambda name: wanted.match(name) is not None, names, groups)[0]
    subscript = _SUBSCRIPT.fullmatch(term)
    if subscript is not None:
        return _some(term, subscript, names, groups)
    found, met = _by(lambda name: fnmatch.fnmatchcase(name, term), names, groups)
    if not met and not any(letter in term for letter in "*?["):
        raise _unknown(term, names, groups)
    return found


def _by(
    wanted: Callable[[str], bool], names: Sequence[str], groups: Mapping[str, Sequence[str]]
) -> tuple[set[str], bool]:
    """Hosts by their own names and by their groups', and whether any name was met."""
    found = {name for name in names if wanted(name)}
    met = bool(found)
    for group, members in groups.items():
        if wanted(group):
            found.update(members)
            met = True
    return found, met


def _some(
    term: str, subscript: re.Match[str], names: Sequence[str], groups: Mapping[str, Sequence[str]]
) -> set[str]:
    """`rack[0]`, `rack[-1]`, `rack[0:3]` (both ends belong to it), `rack[2:]`."""
    chosen = _match(subscript[1], names, groups)
    ordered = list(groups.get(subscript[1], ())) or [name for name in names if name in chosen]
    if subscript[2] is not None:
        at = int(subscript[2])
        if not -len(ordered) <= at < len(ordered):
            raise UsageError(f"`{term}` asks for a host beyond the {len(ordered)} of `{subscript[1]}`")
        return {ordered[at]}
    begin, end = int(subscript[3] or 0), int(subscript[4] or -1)
    stop = len(ordered) + end + 1 if end < 0 else end + 1
    return set(ordered[begin:stop])


def _unknown(term: str, names: Sequence[str], groups: Mapping[str, Sequence[str]]) -> UsageError:
    close = difflib.get_close_matches(term, [*groups, *names], 1)
    return UsageError(
        f"`--limit` names `{term}`, which is neither a host nor a group",
        hint=f"did you mean `{close[0]}`?" if close else _known(groups),
    )


def _known(groups: Mapping[str, Sequence[str]]) -> str:
    shown = sorted(name for name in groups if groups[name])
    more = ", …" if len(shown) > 8 else ""
    return f"groups are {', '.join(shown[:8])}{more}" if shown else ""
