"""A pseudo-terminal with a person's program on it: keys in, text out; person.py makes them."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from typing import TYPE_CHECKING

from tests.lab import runs
from tests.lab.runs import LabError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class Terminal:
    """A program whose standard streams and controlling terminal are a pseudo-terminal held by the test."""

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        cwd: Path,
        rows: int,
        columns: int,
        *,
        owner: int = 0,
    ) -> None:
        self._master, slave = pty.openpty()
        os.fchown(slave, owner, -1)
        self.resize(rows, columns)
        # setsid --ctty makes standard input the controlling terminal, so that Ctrl-C and SIGWINCH arrive.
        self._process = subprocess.Popen(
            ["setsid", "--ctty", *argv], stdin=slave, stdout=slave, stderr=slave, env=dict(env), cwd=cwd
        )
        os.close(slave)
        self.pid = self._process.pid
        self.output = ""  # everything the program has written so far
        self._read_up_to = 0  # where the next read_until starts to look

    def resize(self, rows: int, columns: int) -> None:
        """Change the window's size; the program gets SIGWINCH."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def send(self, text: str) -> None:
        """Type; ``\\r`` is Enter, ``\\x03`` is Ctrl-C."""
        os.write(self._master, text.encode())

    def read_until(self, pattern: str, *, limit: float = 90) -> re.Match[str]:
        """Read until the program has written something that matches, after what the last call matched.

        Raises:
            LabError: not within ``limit`` seconds, or the program ended first; the message holds the output.
        """
        end = time.monotonic() + limit
        while True:
            if match := re.compile(pattern).search(self.output, self._read_up_to):
                self._read_up_to = match.end()
                return match
            left = end - time.monotonic()
            if left <= 0 or not self._read(left):
                why = "the program ended" if left > 0 else f"not within {limit:g} s"
                raise LabError(f"waiting for {pattern!r}: {why}; it wrote:\n{self.output}")

    def wait(self, *, limit: float = 120) -> int:
        """Read until the program ends; returns its exit status (a signal is negative)."""
        end = time.monotonic() + limit
        while self._process.poll() is None:
            if time.monotonic() > end:
                raise LabError(f"the program did not end within {limit:g} s; it wrote:\n{self.output}")
            self._read(0.05)
        while self._read(0):
            pass
        return self._process.returncode

    def close(self) -> None:
        """Hang up: the program gets SIGHUP, then SIGKILL."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=0.5)
        if self._process.poll() is None:
            runs.kill(runs.identity_of(self.pid))
        self._process.wait()

    def _read(self, limit: float) -> bool:
        """Read once; False when there was nothing in time or the last writer has closed the terminal."""
        if not select.select([self._master], [], [], limit)[0]:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError as error:
            if error.errno == errno.EIO:  # Linux: the slave side has no user left
                return False
            raise
        self.output += data.decode("utf-8", "replace")
        return bool(data)
