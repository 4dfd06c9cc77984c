"""Files that a script made over there, written here; pipeline/run.py imports it.

What the far side names is not believed: a path has to lie inside the project and to match what was asked for.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from x11fwd.errors import ChangeError, ProbeError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Fetched", "Fetcher", "check_patterns"]

_MOST = 4 << 30  # bytes in all


@dataclass(frozen=True)
class Fetched:
    """One file.

    Attributes:
        path: below the project's root.
        kept: the file of this machine was left as it is; why.
    """

    path: str
    size: int
    kept: str = ""


def check_patterns(patterns: Sequence[str]) -> None:
    """Raises UsageError for one that cannot lie inside the project."""
    for pattern in patterns:
        words = pattern.split("/")
        if not pattern or pattern.startswith("/") or any(word in {"", ".", ".."} for word in words):
            raise UsageError(f"--fetch {pattern}: a pattern is relative, without `.` and `..`")


class Fetcher:
    """Takes the frames of files. Args: folder: where patterns start; begun: when the run began."""

    def __init__(self, root: Path, folder: Path, patterns: Sequence[str], begun: float) -> None:
        self.fetched: list[Fetched] = []
        self._root, self._begun, self._total = root, begun, 0
        prefix = "" if folder == Path() else re.escape(f"{folder.as_posix()}/")
        self._wanted = {pattern: re.compile(prefix + _expression(pattern)) for pattern in patterns}
        self._path: str | None = None
        self._file: int | None = None
        self._temporary = ""
        self._kept = ""
        self._left = self._size = self._mode = 0
        self._inflate = zlib.decompressobj()

    def begin(self, data: bytes) -> None:
        """A file's name and size. Raises ProbeError for one that was not asked for."""
        about = json.loads(data)
        path, size, mode = about.get("path"), about.get("size"), about.get("mode")
        if not isinstance(path, str) or not isinstance(size, int) or not isinstance(mode, int) or size < 0:
            raise ProbeError("the far half named a file that is none")
        words = path.split("/")
        inside = not any(word in {"", ".", "..", ".git"} or "\0" in word for word in words)
        if not inside or not any(one.fullmatch(path) for one in self._wanted.values()):
            raise ProbeError(f"the far half sent {path!r}, which was not asked for; nothing was written")
        self._total += size
        if self._total > _MOST:
            raise ProbeError(
                f"the files to fetch are more than {_MOST >> 30} GB", hint="a narrower `--fetch`"
            )
        self._path, self._left, self._size, self._mode = path, size, size, mode & 0o777
        self._inflate = zlib.decompressobj()
        self._kept = self._reason(path)
        self._open(path)
        if not size:
            self._finish()

    def more(self, data: bytes) -> None:
        """Its bytes."""
        while data and self._path is not None:
            piece = self._inflate.decompress(data, 1 << 20)
            data = self._inflate.unconsumed_tail
            if len(piece) > self._left:
                raise ProbeError(f"{self._path} is longer than announced")
            self._left -= len(piece)
            if self._file is not None:
                try:
                    rest = memoryview(piece)
                    while rest:
                        rest = rest[os.write(self._file, rest) :]
                except OSError as error:
                    raise ChangeError(f"{self._path} could not be written: {error.strerror}") from error
            if not self._left:
                self._finish()

    def unmatched(self) -> list[str]:
        """The patterns for which nothing came."""
        return [
            pattern
            for pattern, wanted in self._wanted.items()
            if not any(wanted.fullmatch(one.path) for one in self.fetched)
        ]

    def close(self) -> None:
        """Drop what is half-written."""
        if self._file is not None:
            os.close(self._file)
            Path(self._temporary).unlink(missing_ok=True)
            self._file = None

    def _reason(self, path: str) -> str:
        full = self._root / path
        for parent in full.relative_to(self._root).parents:
            if (self._root / parent).is_symlink():
                return "its folder here is a symlink"
        if full.is_symlink():
            return "it is a symlink here"
        if full.is_dir():
            return "it is a folder here"
        with suppress(FileNotFoundError):
            if full.stat().st_mtime > self._begun:
                return "the file here was changed since the run began"
        return ""

    def _open(self, path: str) -> None:
        if self._kept:
            return
        full = self._root / path
        try:
            full.parent.mkdir(parents=True, exist_ok=True)
            self._file, self._temporary = tempfile.mkstemp(prefix=f".{full.name[:50]}.", dir=full.parent)
        except OSError as error:
            raise ChangeError(f"{path} could not be written: {error.strerror}") from error

    def _finish(self) -> None:
        if self._path is None:
            return
        if self._file is not None:
            self._kept = self._reason(self._path)  # it may have been saved here while its bytes came
        if self._kept:
            self.close()
        if self._file is not None:
            try:
                os.fchmod(self._file, self._mode | 0o600)
                Path(self._temporary).replace(self._root / self._path)
            except OSError as error:
                raise ChangeError(f"{self._path} could not be written: {error.strerror}") from error
            os.close(self._file)
            self._file = None
        self.fetched.append(Fetched(self._path, self._size, self._kept))
        self._path = None


def _expression(pattern: str) -> str:
    """A glob as a regular expression that does not cross `/` but for `**`."""
    text = ""
    for word in pattern.split("/"):
        if word == "**":
            text += "(?:[^/]+/)*"
            continue
        place = 0
        while place < len(word):
            sign = word[place]
            end = word.find("]", place + 2) if sign == "[" else -1
            if end > 0:
                inner = word[place + 1 : end].replace("\\", "\\\\")
                text += f"[{'^' + inner[1:] if inner[0] == '!' else inner}]"
                place = end
            else:
                text += {"*": "[^/]*", "?": "[^/]"}.get(sign, re.escape(sign))
            place += 1
        text += "/"
    # a last `**` means whatever is below
    return text[:-1] if text.endswith("/") else f"{text}[^/]+"
