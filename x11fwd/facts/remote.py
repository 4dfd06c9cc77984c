"""One question to a machine reached through a transport, everything at once; imported by the pipeline.

transport -> probe/*.sh on standard input -> answers -> RemoteFacts
"""

from __future__ import annotations

import base64
import functools
import re
import secrets
import zlib
from dataclasses import replace
from importlib import resources
from shlex import quote
from typing import TYPE_CHECKING

from x11fwd.errors import ProbeError, UsageError
from x11fwd.facts.answers import parse_answers
from x11fwd.facts.model import SshdFacts
from x11fwd.facts.parse import NOISE_LIMIT, parse_remote
from x11fwd.facts.place import is_forwarded
from x11fwd.facts.unknown import Unknown
from x11fwd.transports.base import X11Outcome

if TYPE_CHECKING:
    from x11fwd.facts.answers import Answers
    from x11fwd.facts.model import RemoteFacts
    from x11fwd.facts.place import PlaceFacts
    from x11fwd.facts.seen_before import SeenBefore
    from x11fwd.transports.base import Transport

__all__ = ["gather_here", "gather_remote", "probe_text", "python_text"]

# Half of the text is for people, and on a distant link its length counts.
_COMMENT = re.compile(r"^[ \t]*#.*\n", re.MULTILINE)
_DOCSTRING = re.compile(r'^[ \t]*"""[\s\S]*?"""\n', re.MULTILINE)
_INDENT = re.compile(r"^ +", re.MULTILINE)
# typing takes long to import, and nothing asks for the annotations there
_OURS = re.compile(r"^from (?:x11fwd\.\S*|typing) import .*\n", re.MULTILINE)
_LIMIT = 120.0  # seconds for all of it; every slow question inside has a shorter limit of its own


def gather_remote(
    transport: Transport, *, python: str | None = None, seen: SeenBefore | None = None
) -> RemoteFacts:
    """Ask everything in one run, in a session for which X11 forwarding was requested.

    Args:
        python: path or name of the interpreter to look at first, as the user typed it.
        seen: what Python was there before; where nothing has changed since it is not asked again. Only what a
            plan is made from is asked then: nothing about start files, the network and earlier logins.

    Raises:
        UsageError: `python` holds a character that no path of an interpreter has.
        ConnectionLost: the connection died.
        ProbeError: the answer cannot be understood.
    """
    answers, noise = _ask(transport, python, inside=False, stamp=seen.stamp if seen else "")
    if seen is not None:
        answers = seen.complete(answers)
    version = transport.server_version
    facts = parse_remote(answers, x11=transport.x11, server_version=version)
    trip = facts.round_trip if transport.round_trip is None else transport.round_trip
    return replace(facts, banner=version, round_trip=trip, command_noise=noise[:NOISE_LIMIT])


def gather_here(transport: Transport, place: PlaceFacts, *, python: str | None = None) -> RemoteFacts:
    """Ask the machine on which x11fwd itself runs, in a session of ssh, about itself.

    The environment is this process's own: a shell in which something was changed by hand, a pane of tmux or a
    terminal of an editor has another one than a new login would get.

    Args:
        transport: to this machine.
        place: what stands between this process and sshd.
        python: as for `gather_remote`.

    Raises:
        UsageError, ConnectionLost, ProbeError: as `gather_remote`.
    """
    answers, _ = _ask(transport, python, inside=True)
    seen = parse_remote(answers, x11=X11Outcome())
    # sshd sets DISPLAY only after it has granted X11 and listens (session.c, session_setup_x11fwd)
    start = seen.start_environment.get("DISPLAY", "")
    granted = is_forwarded(start) or is_forwarded(place.environment.get("DISPLAY", ""))
    if place.apart:
        elsewhere = Unknown("sshd runs outside of this container")
        network = replace(seen.network, ipv6_loopback=elsewhere, localhost=elsewhere)
        seen = replace(seen, sshd=SshdFacts(None, elsewhere), network=network)
    return replace(seen, place=place, x11=X11Outcome(requested=granted, granted=granted or None))


def _ask(transport: Transport, python: str | None, *, inside: bool, stamp: str = "") -> tuple[Answers, str]:
    """The answers, and what start files printed before them."""
    if python is not None and (
        not python or python.startswith("-") or any(ord(letter) < 32 for letter in python)
    ):
        raise UsageError(f"{python!r} is no path of a Python interpreter")
    nonce = secrets.token_hex(12)
    words = ["/bin/sh", "-s", nonce, *([python] if python else [])]
    text = b"X11FWD_INSIDE=yes\n" + probe_text() if inside else probe_text()
    if stamp:
        text = f"X11FWD_STAMP={quote(stamp)}\nexport X11FWD_STAMP\n".encode() + text
    result = transport.run(words, stdin=text, timeout=_LIMIT, x11=not inside)
    try:
        return parse_answers(result.stdout, nonce), result.noise.decode("utf-8", "replace")
    except ProbeError as error:
        said = [line.strip() for line in result.error_text.splitlines() if line.strip()]
        raise ProbeError(f"{error.message}{f'; it said: {said[-1]}' if said else ''}") from None


@functools.cache
def probe_text() -> bytes:
    """What is sent: the probe as the value of a variable, so that it can pass itself on to root's shell."""
    folder = resources.files("x11fwd.facts").joinpath("probe")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sh"))
    shell = "".join(folder.joinpath(name).read_text(encoding="utf-8") for name in names)
    # Not words of a command but values of an assignment; the transport quotes no standard input.
    python, shell = quote(_packed(python_text())), quote(_INDENT.sub("", _COMMENT.sub("", shell)))
    return f'X11FWD_PYTHON={python}\nX11FWD_PROBE={shell}\neval "$X11FWD_PROBE"\n'.encode()


def _packed(text: str) -> str:
    """A program that unpacks and runs the program: a third of the bytes (its alphabet has no quotes)."""
    packed = base64.b64encode(zlib.compress(text.encode(), 9)).decode("ascii")
    old = "sys.version_info<(3,6)and sys.exit('Python %d.%d is too old'%sys.version_info[:2])"
    # binascii is a part of the interpreter; base64 would import four modules that a short answer needs not
    return f"import sys;{old};import binascii,zlib;exec(zlib.decompress(binascii.a2b_base64('{packed}')))"


def python_text() -> str:
    """The probe_*.py of this folder as one program."""
    package = resources.files("x11fwd.facts")
    names = ("probe_display.py", "probe_toolkits.py", "probe_stamp.py", "probe_python.py")
    text = "".join(package.joinpath(name).read_text(encoding="utf-8") for name in names)
    text = _DOCSTRING.sub("", _COMMENT.sub("", _OURS.sub("", text)))
    return _INDENT.sub(lambda found: " " * (len(found[0]) // 4), text)
