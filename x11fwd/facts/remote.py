"""One question to a machine reached through a transport, everything at once; imported by the pipeline.

transport -> probe/*.sh on standard input -> answers -> RemoteFacts
"""

from __future__ import annotations

import re
import secrets
from importlib import resources
from shlex import quote
from typing import TYPE_CHECKING

from x11fwd.errors import ProbeError, UsageError
from x11fwd.facts.answers import parse_answers
from x11fwd.facts.parse import parse_remote

if TYPE_CHECKING:
    from x11fwd.facts.model import RemoteFacts
    from x11fwd.transports.base import Transport

__all__ = ["gather_remote", "probe_text", "python_text"]

# Half of the text is for people, and on a distant link its length counts.
_COMMENT = re.compile(r"^[ \t]*#.*\n", re.MULTILINE)
_DOCSTRING = re.compile(r'^[ \t]*"""[\s\S]*?"""\n', re.MULTILINE)
_INDENT = re.compile(r"^ +", re.MULTILINE)
_OURS = re.compile(r"^from x11fwd\..*\n", re.MULTILINE)
_LIMIT = 120.0  # seconds for all of it; every slow question inside has a shorter limit of its own


def gather_remote(transport: Transport, *, python: str | None = None) -> RemoteFacts:
    """Ask everything in one run, in a session for which X11 forwarding was requested.

    Args:
        python: path or name of the interpreter to look at first, as the user typed it.

    Raises:
        UsageError: `python` holds a character that no path of an interpreter has.
        ConnectionLost: the connection died.
        ProbeError: the answer cannot be understood.
    """
    if python is not None and (
        not python or python.startswith("-") or any(ord(letter) < 32 for letter in python)
    ):
        raise UsageError(f"{python!r} is no path of a Python interpreter")
    nonce = secrets.token_hex(12)
    words = ["/bin/sh", "-s", nonce, *([python] if python else [])]
    result = transport.run(words, stdin=probe_text(), timeout=_LIMIT, x11=True)
    try:
        answers = parse_answers(result.stdout, nonce)
    except ProbeError as error:
        said = [line.strip() for line in result.error_text.splitlines() if line.strip()]
        raise ProbeError(f"{error.message}{f'; it said: {said[-1]}' if said else ''}") from None
    return parse_remote(answers, x11=transport.x11, server_version=transport.server_version)


def probe_text() -> bytes:
    """What is sent: the probe as the value of a variable, so that it can pass itself on to root's shell."""
    folder = resources.files("x11fwd.facts").joinpath("probe")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sh"))
    shell = "".join(folder.joinpath(name).read_text(encoding="utf-8") for name in names)
    # Not words of a command but values of an assignment; the transport quotes no standard input.
    python, shell = quote(python_text()), quote(_INDENT.sub("", _COMMENT.sub("", shell)))
    return f'X11FWD_PYTHON={python}\nX11FWD_PROBE={shell}\neval "$X11FWD_PROBE"\n'.encode()


def python_text() -> str:
    """probe_display.py and probe_python.py as one program."""
    package = resources.files("x11fwd.facts")
    display = package.joinpath("probe_display.py").read_text(encoding="utf-8")
    python = package.joinpath("probe_python.py").read_text(encoding="utf-8")
    text = _DOCSTRING.sub("", _COMMENT.sub("", display + _OURS.sub("", python)))
    return _INDENT.sub(lambda found: " " * (len(found[0]) // 4), text)
