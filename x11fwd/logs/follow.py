"""Growing files, here or there, as bytes without gap or repeat; the pipeline opens the streams."""

from __future__ import annotations

import enum
import os
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING

from x11fwd.errors import ConnectionLost, ProbeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from x11fwd.transports.base import ByteStream

__all__ = ["Arrival", "Follower", "Happening", "Position", "follow_command"]

_CHECK = 64  # bytes before the offset that must be the same when we come back
_LONGEST_HEAD = 200
_LARGEST = 1 << 20


class Happening(enum.Enum):
    """What became of a file."""

    DATA = "data"
    BEGUN = "begun"  # its first byte comes next
    TRUNCATED = "truncated"  # it was emptied and begins again
    ROTATED = "rotated"  # the next file in the row of rotation begins
    LOST = "lost"  # what we were reading is gone; its successor begins, and something may lie between
    MISSING = "missing"
    READ = "read"  # all there is at the moment


_BEGINNINGS = {
    "start": Happening.BEGUN,
    "truncated": Happening.TRUNCATED,
    "rotated": Happening.ROTATED,
    "replaced": Happening.ROTATED,
    "lost": Happening.LOST,
}


@dataclass(frozen=True)
class Arrival:
    """One message about one file, by its number in the list of paths."""

    file: int
    what: Happening
    data: bytes = b""


@dataclass
class Position:
    """How far a file has been read: which one, bytes, and the bytes just before."""

    path: str
    ident: str = ""
    offset: int = 0
    check: bytes = field(default=b"", repr=False)


def follow_command() -> tuple[str, ...]:
    """What to start on the machine with the files: needs a Python 3.6 or a shell, leaves nothing behind."""
    folder = resources.files("x11fwd.logs")
    start, program, plain = (
        (folder / name).read_text(encoding="utf-8")
        for name in ("follow_start.sh", "follow_remote.py", "follow_remote.sh")
    )
    return ("/bin/sh", "-c", start, "sh", program, plain)


class Follower:
    """The positions of some files of one machine, and the stream that brings what comes after them."""

    def __init__(self, paths: Sequence[str]) -> None:
        self.positions = [Position(path) for path in paths]
        self._stream: ByteStream | None = None
        self._buffer = bytearray()

    def attach(self, stream: ByteStream) -> None:
        """Go on over a new stream, from where the last one ended."""
        wanted = [
            f"{one.ident or '-'} {one.offset} {one.check.hex() or '-'} "
            + "".join(f"\\0{byte:03o}" for byte in os.fsencode(one.path))
            for one in self.positions
        ]
        self._stream = stream
        self._buffer.clear()
        stream.write("".join(f"{line}\n" for line in [*wanted, ""]).encode("ascii"))

    def detach(self) -> None:
        """Close the stream; the positions stay."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def arrivals(self, timeout: float) -> list[Arrival]:
        """What has come; empty where only a sign of life did.

        Raises:
            TimeoutError: nothing at all came within `timeout` seconds; the far half speaks every 3 s.
            ConnectionLost: the stream has ended.
            ProbeError: what came is not ours to understand.
        """
        if self._stream is None:
            raise ConnectionLost("there is no connection to the log")
        found = self._parse()
        if found:
            return found
        data = self._stream.read(_LARGEST, timeout)
        if not data:
            said = self._stream.stderr().decode("utf-8", "replace").strip()
            raise ConnectionLost("the connection to the log ended", hint=said[-300:])
        self._buffer += data
        return self._parse()

    def _parse(self) -> list[Arrival]:
        found: list[Arrival] = []
        at = 0
        while (end := self._buffer.find(b"\n", at, at + _LONGEST_HEAD)) >= 0:
            words = bytes(self._buffer[at:end]).decode("ascii", "replace").split(" ")
            start = end + 1
            if words[0] == "D" and len(words) == 5:
                size = _whole(words[4], _LARGEST)
                if len(self._buffer) < start + size:
                    break
                data = bytes(self._buffer[start : start + size])
                self._advance(self._number(words[1]), words[2], _whole(words[3], 1 << 62), data)
                found.append(Arrival(self._number(words[1]), Happening.DATA, data))
                start += size
            elif words[0] == "U":
                raise ProbeError(_unable(" ".join(words[1:])))
            elif words[0] != "P":
                found.append(self._news(words))
            at = start
        if at:
            del self._buffer[:at]
        elif len(self._buffer) > _LONGEST_HEAD and self._buffer.find(b"\n", 0, _LONGEST_HEAD) < 0:
            raise _strange(self._buffer)
        return found

    def _advance(self, number: int, ident: str, offset: int, data: bytes) -> None:
        position = self.positions[number]
        if ident != position.ident or offset != position.offset:
            raise ProbeError(f"bytes of {position.path} came out of their order")
        position.offset += len(data)
        position.check = (position.check + data)[-_CHECK:]

    def _news(self, words: list[str]) -> Arrival:
        if words[0] == "N" and len(words) == 4 and words[3] in _BEGINNINGS:
            number = self._number(words[1])
            position = self.positions[number]
            position.ident, position.offset, position.check = words[2], 0, b""
            return Arrival(number, _BEGINNINGS[words[3]])
        if words[0] in {"I", "M"} and len(words) == 2:
            return Arrival(self._number(words[1]), Happening.READ if words[0] == "I" else Happening.MISSING)
        raise _strange(" ".join(words).encode())

    def _number(self, word: str) -> int:
        return _whole(word, len(self.positions) - 1)


def _unable(why: str) -> str:
    if "at most" in why:
        return "that machine has no Python, and its shell alone can follow at most 6 logs at once"
    return "that machine has no Python 3.6 or later, and its shell cannot follow a log (no /dev/fd, or no od)"


def _whole(word: str, most: int) -> int:
    if not word.isdecimal() or int(word) > most:
        raise _strange(word.encode())
    return int(word)


def _strange(said: bytes | bytearray) -> ProbeError:
    text = bytes(said[:200]).decode("utf-8", "replace")
    return ProbeError("what follows the log over there answered something else", said=text)
