"""How long to wait for a machine that says nothing; the transports import it.

What the user says of a silent line (ServerAliveInterval, ServerAliveCountMax) holds for every wait that a
frozen line would make long: ssh itself waits no longer for any packet, during the login too
(ssh_packet_set_timeout in packet.c).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from x11fwd.target import SshConfig

__all__ = ["Patience"]

_INTERVAL = 15  # seconds between two signs of life, where the user has set none
_COUNT = 3  # ssh's own default
_SHELL = 25.0  # seconds for start files, beyond those after which a frozen line is noticed
_LONGEST = 70.0  # seconds for a login shell to begin


@dataclass(frozen=True)
class Patience:
    """What may be silent for how long, in seconds.

    Attributes:
        interval: between two questions for a sign of life.
        count: of them, unanswered, after which the line is given up.
        asked_for: the interval is the user's.
    """

    interval: int = _INTERVAL
    count: int = _COUNT
    asked_for: bool = False

    @classmethod
    def of(cls, config: SshConfig) -> Patience:
        """What the configuration of a machine says."""
        interval = config.number("serveraliveinterval")
        count = config.number("serveralivecountmax") or _COUNT
        return cls(interval or _INTERVAL, count, bool(interval))

    @property
    def line(self) -> int:
        """For a line that may be frozen."""
        return self.interval * self.count

    @property
    def shell(self) -> float:
        """For a login shell to begin with our command: a frozen line shall be noticed before."""
        return min(_LONGEST, self.line + _SHELL)

    def answer(self, usual: float) -> float:
        """For one answer during the login, where nobody set a limit `usual`."""
        return min(usual, self.line) if self.asked_for else usual
