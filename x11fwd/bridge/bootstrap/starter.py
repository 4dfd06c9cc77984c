"""Starts the remote half over the standard streams of one command; `pipeline` and `local` import it.

The command is `exec /bin/sh -c …` (start.sh), which finds a Python and has it run loader.py, whose text is in
the command too. The program itself is kept over there by its digest. The streams:

local -> remote: the link's bytes, and among them, at any place, once, a block with the program:
    LF X11FWD-BRIDGE-SOURCE <nonce> <n> LF <n bytes, zlib>
`sent`: the block comes first, unasked, and is always read. `kept`: there is none unless the remote asks.

remote -> local: noise of login files, then any of these, each between two LF:
    X11FWD-BRIDGE-SEND            the program is not kept here (any more): send the block
    X11FWD-BRIDGE-KEPT            the next start can be `kept`
    X11FWD-BRIDGE-UNKEPT          there is no place to keep it; it runs all the same
    X11FWD-BRIDGE-NONE <reason>   the end: a word of `Reason`, then text
    X11FWD-BRIDGE-HELLO           the remote half runs: from here on it is the link's (hello.py)

What the link sent before the block came is given to the program, so the local side needs not wait for
anything. The program is called as `main([runtime folder, display number wanted or 0, token or -], early)`,
`early` being those bytes. It says `ready …` to the session that waits with the token (rendezvous.sh); if it
ends before, or never comes, start.sh says `none …`.
"""

from __future__ import annotations

import os
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from x11fwd.bridge.shared.faults import WireFault
from x11fwd.bridge.shared.hello import NOISE_LIMIT
from x11fwd.transports.quoting import for_any_shell, quote

if TYPE_CHECKING:
    from x11fwd.bridge.assembly.assemble import Assembled

NOBODY: Final = "-"  # the token where no session waits
_MARK = b"\nX11FWD-BRIDGE-"
_HELLO = b"HELLO"
_LONGEST_WORDS = 400  # bytes of what follows _MARK
# For any Python: 2.6 and later parse it. 93 is what start.sh knows.
_STUB = (
    "import sys;sys.version_info<(3,6) and sys.exit(93);import zlib,binascii;"
    "exec(zlib.decompress(binascii.a2b_base64(sys.argv.pop(1))))"
)


class Reason(Enum):
    """Why there is no remote half; the first two mean that there cannot be one."""

    NO_PYTHON = "no-python"
    OLD_PYTHON = "old-python"
    NO_FOLDER = "no-folder"
    DAMAGED = "damaged"
    FAILED = "failed"


class Refused(NamedTuple):  # dataclasses takes 4 ms to import
    """The remote half cannot run; `text` is Python's words for FAILED, else empty."""

    reason: Reason
    text: str = ""

    @property
    def sentence(self) -> str:
        """What to tell the user, without a full stop."""
        return {
            Reason.NO_PYTHON: "there is no Python on the server",
            Reason.OLD_PYTHON: "no Python on the server is 3.6 or later",
            Reason.NO_FOLDER: "no folder on the server takes a file of yours",
            Reason.DAMAGED: "the program arrived damaged",
            Reason.FAILED: f"the server's Python could not run it: {self.text}",
        }[self.reason]


class Fed(NamedTuple):
    """What bytes of the remote meant: `send` is to be written now, `link` belongs to the link."""

    send: bytes = b""
    link: bytes = b""


class Starter:
    """One start of the remote half.

        starter = Starter(program, kept=…)
        stream = … starter.command …; stream.write(starter.first + link.begin())
        while not starter.started and starter.refused is None:
            fed = starter.feed(stream.read()); stream.write(fed.send)
        link.receive(fed.link); remember starter.kept

    `preferred` is the display number to try first (0: any), `nodes` how other computers that may come call
    the one over there, as in x11fwd.bridge.remote.door.

    Attributes:
        command: the text for ssh; every login shell can read it.
        first: to be written before anything else.
        started: the remote half runs; what comes belongs to the link.
        refused: it will not, and why.
        kept: the program is kept over there, as far as known.
    """

    def __init__(
        self,
        program: Assembled,
        *,
        kept: bool,
        preferred: int = 0,
        token: str = NOBODY,
        nonce: str = "",
        nodes: str = "",
    ) -> None:
        self._program = program
        self._nonce = nonce or os.urandom(16).hex()
        display = f"{preferred}@{nodes}" if nodes else str(preferred)
        self.command = for_any_shell(_script(program, kept, self._nonce, display, token).encode())
        self.first = b"" if kept else self._block()
        self.started = False
        self.refused: Refused | None = None
        self.kept = kept
        self._part = b"\n"  # a mark may stand at the very start
        self._noise = 0

    def feed(self, data: bytes) -> Fed:
        """Take what came from the remote.

        Raises:
            WireFault: something else talks.
        """
        if self.started:
            return Fed(link=data)
        send = b""
        self._part += data
        while True:
            at = self._part.find(_MARK)
            if at < 0:
                self._skip(max(0, len(self._part) - len(_MARK)))
                return Fed(send)
            self._skip(at)
            words, newline, rest = self._part[len(_MARK) :].partition(b"\n")
            if not newline:
                if len(words) > _LONGEST_WORDS:
                    raise WireFault("the server's words about the remote half do not end")
                return Fed(send)
            if words == _HELLO:
                self.started = True
                link, self._part = self._part, b""
                return Fed(send, link)
            send += self._learn(words)
            self._part = b"\n" + rest

    def _skip(self, size: int) -> None:
        self._noise += size
        if self._noise > NOISE_LIMIT:
            raise WireFault("the remote half does not begin; the server says something else without end")
        self._part = self._part[size:]

    def _learn(self, words: bytes) -> bytes:
        """What one line means; what is to be sent."""
        word, _, text = words.decode("ascii", "replace").partition(" ")
        if word == "SEND":
            self.kept = False
            return self._block()
        if word in {"KEPT", "UNKEPT"}:
            self.kept = word == "KEPT"
        elif word == "NONE":
            reason, _, text = text.partition(" ")
            known = {one.value: one for one in Reason}
            if reason not in known:
                text = f"{reason} {text}"
            self.refused = Refused(known.get(reason, Reason.FAILED), text)
        return b""

    def _block(self) -> bytes:
        import zlib

        packed = zlib.compress(self._program.source, 9)
        return b"\nX11FWD-BRIDGE-SOURCE %s %d\n%s" % (self._nonce.encode(), len(packed), packed)


def _script(program: Assembled, kept: bool, nonce: str, display: str, token: str) -> str:
    import binascii
    import zlib

    values = {
        "x_digest": program.digest,
        "x_mode": "kept" if kept else "sent",
        "x_nonce": nonce,
        "x_preferred": display,
        "x_token": token,
        "x_stub": _STUB,
        "x_loader": binascii.b2a_base64(zlib.compress(program.loader, 9), newline=False).decode(),
    }
    lines = [f"{name}={quote(value).decode()}" for name, value in values.items()]
    meeting = shell_text("rendezvous.sh", without=("x_wait", "x_last", "x_gone", "x_look"))
    return "\n".join([*lines, meeting, shell_text("start.sh")])


def shell_text(name: str, *, without: tuple[str, ...] = ()) -> str:
    """A script of this package as it travels: no comments, no indentation, not the functions `without`."""
    kept: list[str] = []
    skipping = False
    with open(f"{os.path.dirname(os.path.abspath(__file__))}/{name}", encoding="utf-8") as file:  # noqa: PTH100, PTH120
        lines = file.read().split("\n")
    for line in lines:
        skipping = skipping or line.removesuffix("() {") in without
        text = line.strip()
        if text and not text.startswith("#") and not skipping:
            kept.append(text)
        skipping = skipping and line != "}"
    return "\n".join(kept)
