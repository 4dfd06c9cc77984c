"""Does ssh ask the person something at the terminal just now? `bridge_session` imports it.

ssh opens /dev/tty for a question and closes it behind the answer (readpass.c).
"""

from __future__ import annotations

import os

_MOST = 64  # processes below ssh: its ProxyCommand, the ssh that ProxyJump starts, and what those start


def open_again(terminal: int) -> int:
    """The same terminal, in a way in which reading never waits, and nobody else's reading is changed by that.

    Where it cannot be opened (another account's, after su), it itself.
    """
    try:
        return os.open(os.ttyname(terminal), os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return terminal


def echoes(terminal: int) -> bool:
    """What is typed there is shown."""
    import termios

    try:
        return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)
    except termios.error:  # gone
        return True


def asks(ssh: int) -> bool | None:
    """Whether this ssh, or one that it has started, asks; None where nobody can tell."""
    family = [ssh]
    for one in family:
        try:
            opened = os.listdir(f"/proc/{one}/fd")  # noqa: PTH208  pathlib costs 4 ms
        except OSError:
            if one == ssh:
                return None  # no /proc here
            continue  # has just ended, or is another account's
        if any(_leads_to(f"/proc/{one}/fd/{number}", "/dev/tty") for number in opened):
            return True
        if len(family) < _MOST:
            family += _children(one)
    return False


def _children(pid: int) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{pid}/children", "rb") as file:  # proc(5)
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def _leads_to(link: str, path: str) -> bool:
    try:
        return os.readlink(link) == path  # noqa: PTH115  pathlib costs 4 ms
    except OSError:  # closed just now
        return False
