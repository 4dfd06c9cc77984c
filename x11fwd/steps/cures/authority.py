"""Cures of the authority file: stale locks, something else in its place, a mode that is open; cures only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.steps.plan import RunCommand

if TYPE_CHECKING:
    from x11fwd.facts.model import AuthorityFile
    from x11fwd.steps.cures.ground import Ground

__all__ = ["close_to_others", "move_aside", "remove_locks"]

_SH = ("sh", "-c")


def _file(ground: Ground) -> AuthorityFile | None:
    if ground.remote is not None:
        return ground.remote.authority
    return ground.local.authority if ground.local is not None else None


def remove_locks(ground: Ground) -> None:
    """F77: what a killed xauth left behind (libXau, AuLock.c); a running xauth's lock is not touched."""
    file = _file(ground)
    if file is None or not file.locks:
        return
    gone = 'for lock; do [ ! -e "$lock" ] && [ ! -h "$lock" ] || exit 1; done'
    remove = '! pgrep -u "$(id -u)" -x xauth >/dev/null 2>&1 && rm -f -- "$@"'
    ground.run(
        "Remove the stale lock of the authority file",
        RunCommand((*_SH, gone, "sh", *file.locks), (*_SH, remove, "sh", *file.locks), ("true",)),
        *(f"rm {lock}" for lock in file.locks),
    )


def move_aside(ground: Ground) -> None:
    """F76, F78: a rename needs rights over the folder alone; the next login makes a file of the user's."""
    file = _file(ground)
    if file is None or not file.exists:
        return
    remove_locks(ground)  # an xauth that gives up before such a file leaves its locks behind
    aside = f"{file.path}.x11fwd-aside"
    check = '[ -e "$2" ] && { [ ! -e "$1" ] || { [ -f "$1" ] && [ -O "$1" ]; }; }'
    do = '[ ! -e "$2" ] && mv -- "$1" "$2"'
    # what has come since holds the cookies of open sessions, which are nobody's loss after the next login
    undo = 'if [ -f "$1" ] && [ -O "$1" ]; then rm -f -- "$1"; fi; [ ! -e "$1" ] && mv -- "$2" "$1"'
    names = ("sh", file.path, aside)
    ground.run(
        f"Move {file.path} aside",
        RunCommand((*_SH, check, *names), (*_SH, do, *names), (*_SH, undo, *names)),
        f"mv {file.path} {aside}",
    )


def close_to_others(ground: Ground) -> None:
    """Whoever reads the cookie owns the screen; xauth itself makes the file with mode 0600."""
    file = _file(ground)
    if file is None or not file.exists:
        return
    mode = f"{file.mode & 0o7777:04o}"
    check = (
        '[ -z "$(find "$1" -prune \\( -perm -0040 -o -perm -0004 -o -perm -0020 -o -perm -0002 \\) -print)" ]'
    )
    ground.run(
        f"Let nobody else read {file.path}",
        RunCommand((*_SH, check, "sh", file.path), ("chmod", "0600", file.path), ("chmod", mode, file.path)),
        f"chmod 0600 {file.path}",
    )
