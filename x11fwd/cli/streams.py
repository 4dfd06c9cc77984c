"""Streams that are closed or full, disks that are full, folders that are gone; imported by the door."""

from __future__ import annotations

import errno
import os
import sys

__all__ = ["folder_is_gone", "give_up_stdout", "no_room", "open_closed_streams", "printed"]

_NAMES = ("stdin", "stdout", "stderr")
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def open_closed_streams() -> None:
    """Let a standard stream that came closed (`>&-`) be /dev/null, as ssh does (sanitise_stdfd in misc.c).

    Otherwise the next file or socket that is opened gets its number, and an answer would be written into it.
    """
    for number, name in enumerate(_NAMES):
        try:
            os.fstat(number)
        except OSError:
            # takes the lowest free number, which is this one, also for what this program starts
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False))


def no_room(error: OSError) -> str:
    """A sentence where `error` says that something is full, standard output or a disk; else an empty text."""
    try:
        sys.stdout.flush()  # what could not be written is still in the buffer, and meets the same refusal
    except OSError as again:
        give_up_stdout()
        return f"the answer could not be written to standard output: {again.strerror}"
    if error.errno not in _FULL:
        return ""
    return f"{error.filename or 'the answer, or a file,'} cannot be written: {error.strerror}"


def folder_is_gone() -> bool:
    """Whether the folder that this program was started in has been deleted meanwhile."""
    try:
        os.getcwd()  # noqa: PTH109  pathlib is slow to import
    except FileNotFoundError:
        return True
    return False


def printed(text: str) -> bool:
    """Print it; False where standard output does not take it."""
    try:
        print(text, flush=True)
    except OSError:
        give_up_stdout()
        return False
    return True


def give_up_stdout() -> None:
    """Point stdout at nothing, so that Python does not complain at exit about what it could not write."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
