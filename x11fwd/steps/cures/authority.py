"""Cures of the authority file: stale locks, something else in its place, a mode that is open; cures only."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from x11fwd.facts.unknown import Unknown

if TYPE_CHECKING:
    from x11fwd.facts.model import AuthorityFile
    from x11fwd.steps.cures.ground import Ground

__all__ = ["close_to_others", "move_aside", "remove_locks"]

_SH = ("sh", "-c")
_LOCKS_GONE = 'for lock; do [ ! -e "$lock" ] && [ ! -h "$lock" ] || exit 1; done'
_REMOVE_LOCKS = '! pgrep -u "$(id -u)" -x xauth >/dev/null 2>&1 && rm -f -- "$@"'
# a name that is free: PATH.x11fwd-aside, PATH.x11fwd-aside2, …
_FREE = 'n=; while [ -e "$1$n" ] || [ -h "$1$n" ]; do n=$((${n:-1} + 1)); done; printf %s "$1$n"'
_ASIDE = '[ -e "$2" ] && { [ ! -e "$1" ] || { [ -f "$1" ] && [ -O "$1" ]; }; }'
_MOVE = '[ ! -e "$2" ] && mv -- "$1" "$2"'
# what has come since holds the cookies of open sessions, which are nobody's loss after the next login
_MOVE_BACK = 'if [ -f "$1" ] && [ -O "$1" ]; then rm -f -- "$1"; fi; [ ! -e "$1" ] && mv -- "$2" "$1"'
_OPEN_BITS = r"\( -perm -0040 -o -perm -0004 -o -perm -0020 -o -perm -0002 \)"
_CLOSED = f'[ -z "$(find -L "$1" -prune {_OPEN_BITS} -print)" ]'


def _file(ground: Ground) -> AuthorityFile | None:
    if ground.remote is not None:
        return ground.remote.stored_in or ground.remote.authority  # where sshd's xauth writes
    return ground.local.authority if ground.local is not None else None


def remove_locks(ground: Ground) -> None:
    """F77: what a killed xauth left behind (libXau, AuLock.c); a running xauth's lock is not touched."""
    file = _file(ground)
    if file is None or not file.locks:
        return
    if file.holders:
        ground.note(f"the locks of {ground.short(file.path)} stay: a program xauth is at work")
        return
    ground.run(
        "Remove the stale lock of the authority file",
        (*_SH, _LOCKS_GONE, "sh", *file.locks),
        (*_SH, _REMOVE_LOCKS, "sh", *file.locks),
        shown=tuple(f"rm {quote(lock)}" for lock in file.locks),
    )


def move_aside(ground: Ground) -> None:
    """F76, F78: a rename needs rights over the folder alone; the next login makes a file of the user's."""
    file = _file(ground)
    if file is None or not file.exists:
        return
    found = ground.command(*_SH, _FREE, "sh", f"{file.path}.x11fwd-aside")
    remove_locks(ground)  # an xauth that gives up before such a file leaves its locks behind
    if isinstance(found, Unknown) or not found.stdout.startswith(file.path):
        return
    aside = found.stdout
    names = ("sh", file.path, aside)
    ground.run(
        f"Move {ground.short(file.path)} aside",
        (*_SH, _ASIDE, *names),
        (*_SH, _MOVE, *names),
        (*_SH, _MOVE_BACK, *names),
        shown=(f"mv {quote(file.path)} {quote(aside)}",),
        note="nothing in it is lost; the next login makes a new file",
    )


def close_to_others(ground: Ground) -> None:
    """Whoever reads the cookie owns the screen; xauth itself makes the file with mode 0600."""
    file = _file(ground)
    if file is None or not file.exists:
        return
    ground.run(
        f"Let nobody else read {ground.short(file.path)}",
        (*_SH, _CLOSED, "sh", file.path),
        ("chmod", "0600", file.path),
        ("chmod", f"{file.mode & 0o7777:04o}", file.path),
        shown=(f"chmod 0600 {quote(file.path)}",),
    )
