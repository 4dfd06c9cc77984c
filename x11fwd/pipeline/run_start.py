"""A Python program of ours started over there as one of the user's would start; pipeline/ imports it."""

from __future__ import annotations

import contextlib
import re
import secrets
import zlib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from x11fwd.errors import ConnectionLost

if TYPE_CHECKING:
    from collections.abc import Sequence

    from x11fwd.transports.base import ByteStream, Transport

__all__ = ["open_python"]

_COMMENT = re.compile(r"^ *#.*\n", re.MULTILINE)


def open_python(
    transport: Transport,
    text: str,
    python: str,
    *,
    x11: bool = False,
    mark: str = "",
    as_script: str | None = None,
    display: Sequence[str] = (),
) -> ByteStream:
    """Start it; its standard input, behind the program itself, and its output are the stream.

    Args:
        text: the program, for Python 3.6 and later.
        python: the interpreter, `""` for the one that doctor speaks of. Where there is none the exit status
            is 127, where it is older than 3.6 it is 3.
        x11: in a session for which X11 forwarding was requested.
        mark: what nothing else prints; `""` for a new one.
        as_script: everything is as a script of the user's finds it, also a display that a start file sets and
            modules in the folder: the login shell then, `""` for none.
        display: DISPLAY and XAUTHORITY, where they are not those of ssh.

    Raises:
        ConnectionLost: the connection died.
    """
    data = zlib.compress(text.encode(), 9)
    words = ["/bin/sh", "-c", _start(), "x11fwd", mark or secrets.token_hex(12), str(len(data)), python]
    if as_script is not None:
        words += ["no", as_script, *display]
    stream = transport.stream(words, x11=x11)
    # Where it has ended already, as a Python that is too old does at once, its status says more: who reads
    # gets that, or the same error where it was the connection.
    with contextlib.suppress(ConnectionLost):
        stream.write(data)
    return stream


@cache
def _start() -> str:
    """The shell's part: the list of interpreters as the probe makes it, and what comes before the program."""
    facts = resources.files("x11fwd.facts")
    parts = (
        facts.joinpath("probe").joinpath("38-python-list.sh"),
        facts.joinpath("login_environment.sh"),
        resources.files("x11fwd.pipeline").joinpath("run_start.sh"),
    )
    return _COMMENT.sub("", "".join(one.read_text(encoding="utf-8") for one in parts))
