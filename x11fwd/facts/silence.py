"""What runs over there instead of our commands; for pipeline and checks, where the probe gave no answer."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from x11fwd.errors import ProbeError, X11fwdError

if TYPE_CHECKING:
    from x11fwd.transports.base import Transport

__all__ = ["SilenceFacts", "gather_silence"]

_LIMIT = 10.0  # seconds


@dataclass(frozen=True)
class SilenceFacts:
    """Logged in, and something else than our commands ran.

    Attributes:
        said: what it printed, at most 4 kB.
        reads_stdin: it took our standard input for commands: a start file has put another shell in place.
        remarks: what sshd said about the login (auth-options.c names the key's options).
    """

    said: str = ""
    reads_stdin: bool = False
    remarks: tuple[str, ...] = ()


def gather_silence(transport: Transport, error: ProbeError) -> SilenceFacts:
    """One more question on the open connection: does a shell run that takes commands from standard input?"""
    mark = f"x11fwd-{secrets.token_hex(8)}"
    reads = False
    try:
        transport.run(["true"], stdin=f"echo {mark[:9]}''{mark[9:]}\n".encode(), timeout=_LIMIT)
    except ProbeError as again:
        reads = mark in again.said
    except X11fwdError:
        reads = False
    return SilenceFacts(error.said, reads, transport.x11.remarks)
