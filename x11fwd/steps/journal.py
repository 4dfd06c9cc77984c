"""The journal of one host as values: what setup changed, and what undo would do; for engine, pipeline, ui.

The journal itself lies on the remote (steps/engine/20-journal.sh): in /var/lib/x11fwd for what was changed as
root, in the user's state folder for the rest. Root's rights never act on what a user could have written.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from x11fwd.errors import ProbeError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Entry", "EntryKind", "Journal", "Now", "parse_journal"]


class EntryKind(Enum):
    WRITE = "write"
    SSHD = "sshd"
    PACKAGES = "packages"
    ENVIRONMENT = "environment"
    SERVICE = "service"
    COMMAND = "command"


class Now(Enum):
    """What a changed file holds by now."""

    OURS = "ours"
    BEFORE = "before"  # as it was: somebody has taken it back already
    GONE = "gone"
    FOREIGN = "foreign"  # somebody else has changed it since
    NOT_A_FILE = ""


@dataclass(frozen=True)
class Entry:
    """One change that was made.

    Attributes:
        id: its folder's name on the remote, such as `0002-sshd`; later ones sort later.
        as_root: it lies in root's journal.
        state: `done`; `acting` and `pending` were never finished and are settled before anything else.
        time: ISO 8601, UTC, by the remote's clock.
        who: login and address it came from.
        path: the changed file, "" for the other kinds.
        created: the file did not exist before.
        added: packages that were not there before, as the package manager lists them.
        absent: what was not there before and may have come by setup's own logins and test plot.
        now: what the file holds by now.
        difference: `diff -u` lines from ours to what others made of it.
    """

    id: str
    as_root: bool
    kind: EntryKind
    state: str
    change: str = ""
    title: str = ""
    time: str = ""
    who: str = ""
    path: str = ""
    created: bool = False
    added: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    now: Now = Now.NOT_A_FILE
    difference: tuple[str, ...] = ()


@dataclass(frozen=True)
class Journal:
    """What one journal holds.

    Attributes:
        entries: oldest first.
        pending: id of the sshd change that waits for its confirmation.
        root_too: root has a journal on this host (seen from outside, not read).
    """

    entries: tuple[Entry, ...] = ()
    pending: str | None = None
    root_too: bool = False


def parse_journal(lines: Iterable[tuple[str, str]], *, as_root: bool) -> Journal:
    """Read the engine's `list`.

    Args:
        lines: kind and rest of each framed line.

    Raises:
        ProbeError: a line that the engine does not write.
    """
    entries: list[Entry] = []
    pending: str | None = None
    root_too = False
    for kind, rest in lines:
        if kind == "entry":
            entries.append(Entry(rest, as_root, EntryKind.COMMAND, ""))
        elif kind == "field" and entries:
            name, _, value = rest.partition(" ")
            entries[-1] = _with(entries[-1], name, value)
        elif kind == "pending":
            pending = rest
        elif kind == "root-state":
            root_too = True
        else:
            raise ProbeError(f"the journal holds a line that is not understood: {kind} {rest[:80]!r}")
    return Journal(tuple(entries), pending, root_too)


def _with(entry: Entry, name: str, value: str) -> Entry:
    try:
        if name == "kind":
            return replace(entry, kind=EntryKind(value))
        if name == "now":
            return replace(entry, now=Now(value))
    except ValueError:
        raise ProbeError(f"the journal holds an unknown {name}: {value[:80]!r}") from None
    if name == "added":
        return replace(entry, added=(*entry.added, value))
    if name == "absent":
        return replace(entry, absent=(*entry.absent, value) if value else entry.absent)
    if name == "difference":
        return replace(entry, difference=(*entry.difference, value))
    if name == "created":
        return replace(entry, created=value == "yes")
    if name == "state":
        return replace(entry, state=value)
    if name == "change":
        return replace(entry, change=value)
    if name == "title":
        return replace(entry, title=value)
    if name == "time":
        return replace(entry, time=value)
    if name == "who":
        return replace(entry, who=value)
    if name == "path":
        return replace(entry, path=value)
    raise ProbeError(f"the journal holds an unknown field: {name[:40]!r}")
