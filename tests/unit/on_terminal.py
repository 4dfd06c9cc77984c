"""A program on a pseudo-terminal, which is its controlling terminal; for tests of what meets a person."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class OnTerminal:
    """Keys in, bytes out."""

    def __init__(self, command: Sequence[str]) -> None:
        self.pid, self.terminal = pty.fork()
        if not self.pid:
            os.execv(command[0], list(command))
        self.output = b""

    def send(self, keys: bytes) -> None:
        os.write(self.terminal, keys)

    def until(self, pattern: bytes, limit: float = 90) -> None:
        end = time.monotonic() + limit
        while not re.search(pattern, self.output):
            if not select.select([self.terminal], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError(self.output)
            data = os.read(self.terminal, 65536)
            self.output += data

    def wait(self) -> int:
        end = time.monotonic() + 90
        while time.monotonic() < end:
            try:
                if select.select([self.terminal], [], [], 0.05)[0]:
                    self.output += os.read(self.terminal, 65536)
            except OSError:  # noqa: PERF203
                break
        else:
            os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        os.close(self.terminal)
        return os.waitstatus_to_exitcode(status)
