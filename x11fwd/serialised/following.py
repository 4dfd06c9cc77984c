"""Files here or there, whole, each time they have changed; the pipeline opens the streams."""

from __future__ import annotations

import enum
import json
import zlib
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING

from x11fwd.errors import ConnectionLost, ProbeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from x11fwd.transports.base import ByteStream

__all__ = [
    "ENDINGS",
    "LARGEST",
    "PICKLED",
    "FileFollower",
    "FileNews",
    "Happened",
    "Wanted",
    "follow_command",
]

LARGEST = 64_000_000  # bytes of a file that travels; what the viewer takes of one thing
HEAVIEST = 1_000_000_000  # bytes of a pickle: it is opened where it lies
POINTS = 50_000  # of a figure's numbers
PICKLED = (".pickle", ".pkl", ".pck", ".p")
_FIGURES = (*PICKLED, ".json")
ENDINGS = (
    ".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".pdf", ".html", ".htm", ".csv", ".tsv", ".npy", ".npz",
    *PICKLED, ".json",
)  # fmt: skip
_LONGEST_HEAD = 20_000
_CHUNK = 1 << 20


class Happened(enum.Enum):
    """What became of a file, or of what was asked for."""

    FILE = "file"
    OPENED = "opened"  # `data` is what the opener said; serialised/opened.py reads it
    OPENING = "opening"
    REFUSED = "refused"
    GONE = "gone"
    NONE = "none"  # nothing there has that name
    MANY = "many"
    READ = "read"  # all there is has been told


@dataclass(frozen=True)
class FileNews:
    """One message.

    Attributes:
        wanted: number of the path or pattern that it belongs to, -1 where it is about none.
        size: bytes of the file there.
        why: a sentence's end, such as `it is empty`.
    """

    what: Happened
    wanted: int = -1
    path: str = ""
    data: bytes = field(default=b"", repr=False)
    size: int = 0
    why: str = ""


@dataclass(frozen=True)
class Wanted:
    """What is asked of one machine.

    Attributes:
        paths: files, folders and patterns.
        python: the interpreter that opens pickles; "" for the login shell's.
        drawing: the text of `figure_data`, "" for no numbers.
        unopened: why pickles are not to be opened; "" where they are.
        patience: seconds for opening one.
    """

    paths: Sequence[str]
    python: str = ""
    drawing: str = field(default="", repr=False)
    unopened: str = ""
    patience: float = 120.0


def follow_command() -> tuple[str, ...]:
    """What to start on the machine with the files; needs a Python 3.6 there, leaves nothing behind."""
    return ("/bin/sh", "-c", _read("follow_start.sh"), "sh", _read("follow_remote.py"))


class FileFollower:
    """What is asked of one machine, what is known of its files, and the stream that brings their changes."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self.known: dict[str, str] = {}
        self._stream: ByteStream | None = None
        self._buffer = bytearray()
        self._head: dict[str, object] | None = None

    def attach(self, stream: ByteStream) -> None:
        """Go on over a new stream: what has not changed meanwhile does not come again."""
        wanted = self._wanted
        asked = {
            "wanted": list(wanted.paths),
            "known": self.known,
            "endings": ENDINGS,
            "pickled": _FIGURES,
            "unopened": wanted.unopened,
            "largest": LARGEST,
            "heaviest": HEAVIEST,
            "python": wanted.python,
            "start": _read("login_environment.sh", "x11fwd.facts") + _read("open_start.sh"),
            "opener": _read("open_remote.py"),
            "drawing": wanted.drawing,
            "points": POINTS,
            "patience": wanted.patience,
        }
        self._stream, self._head = stream, None
        self._buffer.clear()
        stream.write(json.dumps(asked).encode("ascii") + b"\n")

    def detach(self) -> None:
        """Close the stream; what is known stays."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def news(self, timeout: float) -> list[FileNews]:
        """What has come; empty where only a sign of life or a piece of a file did.

        Raises:
            TimeoutError: nothing at all came within `timeout` seconds; the far half speaks every 3 s.
            ConnectionLost: the stream has ended.
            ProbeError: what came is not ours to understand.
        """
        if self._stream is None:
            raise ConnectionLost("there is no connection to the files")
        data = self._stream.read(_CHUNK, timeout)
        if not data:
            said = self._stream.stderr().decode("utf-8", "replace").strip()
            raise ConnectionLost("the connection to the files ended", hint=said[-300:])
        self._buffer += data
        found: list[FileNews] = []
        while (one := self._next()) is not None:
            if one:
                found.append(one[0])
        return found

    def _next(self) -> tuple[FileNews, ...] | None:
        """One message, none (a sign of life), or None where more bytes are needed."""
        if self._head is None:
            end = self._buffer.find(b"\n", 0, _LONGEST_HEAD)
            if end < 0:
                if len(self._buffer) >= _LONGEST_HEAD:
                    raise _strange(self._buffer)
                return None
            self._head = _object(bytes(self._buffer[:end]))
            del self._buffer[: end + 1]
        head = self._head
        size = head.get("size", 0)
        if not isinstance(size, int) or not 0 <= size <= LARGEST + _CHUNK:
            raise _strange(json.dumps(head).encode())
        if len(self._buffer) < size:
            return None
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._head = None
        return self._understood(head, data)

    def _understood(self, head: dict[str, object], data: bytes) -> tuple[FileNews, ...]:
        word = head.get("e")
        if word == "alive":
            return ()
        if word == "python":
            raise ProbeError(
                "there is no Python 3.6 or later on that machine to look after files with",
                hint="copy the file here (`scp`) and show it from here",
            )
        try:
            what = Happened(word)
        except ValueError:
            raise _strange(json.dumps(head).encode()) from None
        path, number, sign = _text(head, "path"), head.get("n", -1), _text(head, "sign")
        if not isinstance(number, int) or not -1 <= number < len(self._wanted.paths):
            raise _strange(json.dumps(head).encode())
        if head.get("packed") and data:
            data = _unpacked(data)
        if what in {Happened.FILE, Happened.OPENED, Happened.REFUSED}:
            self.known[path] = sign
        elif what is Happened.GONE:
            self.known.pop(path, None)
        size = head.get("bytes", 0)
        why = _text(head, "why")
        if what is Happened.MANY:
            why = f"{_whole(head, 'count')} files; the first {_whole(head, 'most')} are shown"
        return (FileNews(what, number, path, data, size if isinstance(size, int) else 0, why),)


def _text(head: dict[str, object], name: str) -> str:
    value = head.get(name, "")
    return value[:5000] if isinstance(value, str) else ""


def _whole(head: dict[str, object], name: str) -> int:
    value = head.get(name, 0)
    return value if isinstance(value, int) else 0


def _unpacked(data: bytes) -> bytes:
    """Never more than was allowed, whatever the far side packed."""
    try:
        unpacking = zlib.decompressobj()
        found = unpacking.decompress(data, LARGEST + _CHUNK)
    except zlib.error:
        raise _strange(data) from None
    if not unpacking.eof:
        raise ProbeError("what came of a file is larger than was allowed")
    return found


def _object(line: bytes) -> dict[str, object]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        raise _strange(line) from None
    if not isinstance(found, dict):
        raise _strange(line)
    return found


def _strange(said: bytes | bytearray) -> ProbeError:
    text = bytes(said[:200]).decode("utf-8", "replace")
    return ProbeError("what looks after the files over there answered something else", said=text)


def _read(name: str, package: str = "x11fwd.serialised") -> str:
    return resources.files(package).joinpath(name).read_text(encoding="utf-8")
