"""What runs over there instead of our commands; for pipeline and checks, where the probe gave no answer."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from x11fwd.errors import ProbeError, X11fwdError

if TYPE_CHECKING:
    from x11fwd.transports.base import Transport

__all__ = ["SilenceFacts", "gather_silence"]

_LIMIT = 10.0  # seconds
# sshd runs xauth before any of it, and its first words are harmless: "/usr/bin/xauth:  file … does not exist"
_SAID_BY_XAUTH = re.compile(r"^\S*xauth:.*\n?", re.MULTILINE)


@dataclass(frozen=True)
class SilenceFacts:
    """Logged in, and something else than our commands ran.

    Attributes:
        said: what it printed, at most 4 kB.
        reads_stdin: it took our standard input for commands: a start file has put another shell in place.
        remarks: what sshd said about the login (auth-options.c names the key's options).
        hung: it had not ended when our patience did: a start file that hangs, or a program that waits.
    """

    said: str = ""
    reads_stdin: bool = False
    remarks: tuple[str, ...] = ()
    hung: bool = False


def gather_silence(transport: Transport, error: ProbeError) -> SilenceFacts:
    """One more question on the open connection: does a shell run that takes commands from standard input?"""
    if error.hung:
        return SilenceFacts(_SAID_BY_XAUTH.sub("", error.said), remarks=transport.x11.remarks, hung=True)
    mark = f"x11fwd-{secrets.token_hex(8)}"
    reads = False
    try:
        transport.run(["true"], stdin=f"echo {mark[:9]}''{mark[9:]}\n".encode(), timeout=_LIMIT)
    except ProbeError as again:
        reads = mark in again.said
    except X11fwdError:
        reads = False
    return SilenceFacts(_SAID_BY_XAUTH.sub("", error.said), reads, transport.x11.remarks)
