"""The ssh that leads to the remote half, on pipes; `process` starts and ends it.

Not `subprocess`: that belongs to the transports, and all that is needed is one process with three pipes.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PATIENCE = 2.0  # seconds that ssh has to end by itself once its input has ended
_TICK = 0.01


class Channel:
    """One ssh.

    Attributes:
        read, write: its standard output and input.
        errors: its standard error; whoever reads it closes it.
    """

    def __init__(self, argv: Sequence[str], environ: Mapping[str, str]) -> None:
        """Raises: OSError: no ssh, no pipe."""
        stdin, self.write = os.pipe()
        self.read, stdout = os.pipe()
        self.errors, stderr = os.pipe()
        try:
            self._pid = os.posix_spawnp(
                argv[0],
                list(argv),
                dict(environ),
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, stdin, 0),
                    (os.POSIX_SPAWN_DUP2, stdout, 1),
                    (os.POSIX_SPAWN_DUP2, stderr, 2),
                ],
                setsigdef=[signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGHUP],
            )
        finally:
            for number in (stdin, stdout, stderr):
                os.close(number)

    def close(self) -> int:
        """End it. Returns its exit status, minus a signal's number where it was killed."""
        for number in (self.write, self.read):
            with contextlib.suppress(OSError):
                os.close(number)
        self.write = self.read = -1  # their numbers may be somebody else's by the next call
        return finish(self._pid, _PATIENCE)


def finish(pid: int, patience: float) -> int:
    """Wait for a child, kill it after so many seconds; returns its status as `Channel.close` does."""
    end = time.monotonic() + patience
    while True:
        try:
            done, status = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            return 0
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
            end += 60.0
        time.sleep(_TICK)


def run_quietly(argv: Sequence[str], environ: Mapping[str, str], patience: float) -> int:
    """Run a program to its end with nothing on its streams."""
    null = os.devnull
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, null, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, null, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, null, os.O_WRONLY, 0),
    ]
    return finish(os.posix_spawnp(argv[0], list(argv), dict(environ), file_actions=actions), patience)


def said_by(argv: Sequence[str], environ: Mapping[str, str], patience: float) -> bytes | None:
    """Run a program to its end: its standard error, 64 kB at most; None where it did not end in time."""
    read, write = os.pipe()
    null = os.devnull
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, null, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, null, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_DUP2, write, 2),
    ]
    try:
        pid = os.posix_spawnp(argv[0], list(argv), dict(environ), file_actions=actions)
    finally:
        os.close(write)
    said = b""
    end = time.monotonic() + patience
    try:
        while select.select([read], [], [], max(0.0, end - time.monotonic()))[0]:
            data = os.read(read, 4096)
            if not data:
                return said
            said = (said + data)[:65536]
        return None
    finally:
        os.close(read)
        finish(pid, _PATIENCE)
