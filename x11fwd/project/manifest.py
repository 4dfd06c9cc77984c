"""What a project consists of, by content; the pipeline imports it."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from x11fwd.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["Entry", "Manifest", "digest", "read_manifest"]

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Entry:
    """One file or symlink.

    Attributes:
        path: below the root, with `/`.
        mode: permission bits of a file.
        size: bytes of a file.
        content: hash of a file's content, `""` for a symlink.
        link: target of a symlink.
    """

    path: str
    mode: int = 0o644
    size: int = 0
    content: str = ""
    link: str = ""


@dataclass(frozen=True)
class Manifest:
    """All of a project.

    Attributes:
        left_off: paths of symlinks that lead out of the project.
    """

    root: Path
    entries: tuple[Entry, ...]
    left_off: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return sum(entry.size for entry in self.entries)

    def contents(self) -> dict[str, Entry]:
        """One entry for each content."""
        return {entry.content: entry for entry in self.entries if entry.content}

    def chunks(self, contents: Iterable[str]) -> Iterator[bytes]:
        """The bytes of these contents, one after the other.

        Raises:
            UsageError: a file is no longer what it was.
        """
        known = self.contents()
        for content in contents:
            entry = known[content]
            seen, size = digest(), 0
            try:
                with (self.root / entry.path).open("rb") as file:
                    while data := file.read(_CHUNK):
                        size += len(data)
                        if size > entry.size:
                            break
                        seen.update(data)
                        yield data
            except OSError as error:
                raise UsageError(f"{entry.path} cannot be read: {error.strerror}") from error
            if size != entry.size or seen.hexdigest() != content:
                raise UsageError(f"{entry.path} changed while it was being sent", hint="run it again")


def digest() -> hashlib.blake2b:
    """Hash of a content; run_agent.py computes the same."""
    return hashlib.blake2b(digest_size=20)


def read_manifest(root: Path, paths: Iterable[str]) -> Manifest:
    """Look at every file.

    Raises:
        UsageError: one cannot be read.
    """
    entries: list[Entry] = []
    left_off: list[str] = []
    for path in paths:
        full = root / path
        try:
            status = full.lstat()
            if stat.S_ISLNK(status.st_mode):
                link = str(full.readlink())
                if _inside(path, link):
                    entries.append(Entry(path, link=link))
                else:
                    left_off.append(path)
            elif stat.S_ISREG(status.st_mode):
                entries.append(_file(full, path))
        except FileNotFoundError:
            continue  # deleted since it was listed
        except OSError as error:
            raise UsageError(
                f"{path} cannot be read: {error.strerror}", hint="a line in .gitignore leaves it off"
            ) from error
    return Manifest(root, tuple(entries), tuple(left_off))


def _file(full: Path, path: str) -> Entry:
    seen, size = digest(), 0
    with full.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        while data := file.read(_CHUNK):
            seen.update(data)
            size += len(data)
    return Entry(path, mode & 0o777, size, seen.hexdigest())


def _inside(path: str, link: str) -> bool:
    """A relative link that stays below the root, word by word."""
    if link.startswith("/"):
        return False
    depth = path.count("/")
    for word in link.split("/"):
        depth += -1 if word == ".." else 0 if word in {"", "."} else 1
        if depth < 0:
            return False
    return True
