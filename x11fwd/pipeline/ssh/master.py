"""The connection that a login shares: does it forward X11 to this display? `forewarning` imports it.

A master forwards only to the display that it was started with, and only if it has asked for X11 itself
(mux.c, mux_session_confirm), and ssh says nothing of either.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from x11fwd.pipeline.ssh.command_line import CommandLine

if TYPE_CHECKING:
    from collections.abc import Mapping

_WAY = "the open connection that this login goes through"
_RUNNING = b"Master running (pid="  # mux.c, muxclient


def stale(line: CommandLine, environ: Mapping[str, str]) -> str | None:
    """Why no window will come through the master of this call; None where nothing speaks against it.

    A master that has gone to the background (ControlPersist) has overwritten its environment with its title
    (setproctitle), so that nobody can tell; nor is there a /proc elsewhere than on Linux.
    """
    pid = _pid(line, environ)
    if pid is None:
        return None
    words = [os.fsdecode(word) for word in _read(f"/proc/{pid}/cmdline")]
    if not words or words[0].endswith("[mux]"):
        return None
    theirs = CommandLine(words[1:])
    letters = [letter for letter in theirs.flags if letter in "xXY"]
    if letters[-1:] == ["x"] or (not letters and theirs.setting("forwardx11") in {"no", "false"}):
        return f"{_WAY} was made without X11: no window will come"
    variables = dict(word.split(b"=", 1) for word in _read(f"/proc/{pid}/environ") if b"=" in word)
    if not variables:
        return None
    display = os.fsdecode(variables.get(b"DISPLAY", b""))
    if not display:
        return f"{_WAY} was made without a display: no window will come"
    if _plain(display) != _plain(environ.get("DISPLAY", "")):
        return f"{_WAY} leads to the display {display}: windows open there"
    return None


def _pid(line: CommandLine, environ: Mapping[str, str]) -> str | None:
    """`ssh -O check` with the same words."""
    answer, tell = os.pipe()
    words = ["ssh", "-O", "check", *line.words]
    child = os.posix_spawnp(
        "ssh",
        words,
        dict(environ),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_DUP2, tell, 2),
        ],
    )
    os.close(tell)
    said = b""
    while data := os.read(answer, 4096):
        said += data
    os.close(answer)
    os.waitpid(child, 0)
    _, found, rest = said.partition(_RUNNING)
    number = rest.partition(b")")[0]
    return number.decode() if found and number.isdigit() else None


def _read(path: str) -> list[bytes]:
    try:
        with open(path, "rb") as file:
            return [word for word in file.read(1 << 20).split(b"\0") if word]
    except OSError:
        return []


def _plain(display: str) -> str:
    """`:0`, `:0.0` and `unix:0` are one display."""
    return display.removeprefix("unix").removesuffix(".0")
