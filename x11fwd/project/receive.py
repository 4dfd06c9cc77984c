"""The far half of a project: a bounded store of contents and the folder built from it; sent as text.

Part of the program that pipeline/run_start.sh starts; runs on Python 3.6 and imports nothing of ours.
"""

# Python 3.6 has no `from __future__ import annotations`.

import fcntl
import hashlib
import os
import shutil
import tempfile
import time
import zlib
from typing import Callable, Dict, List, Tuple

KEEP_BYTES = 500 << 20  # what the store holds at most after a run
KEEP_SECONDS = 30 * 86400.0  # what nobody used for so long goes
CHUNK = 1 << 20


class RefusedError(Exception):
    """What was sent cannot be meant."""


def safe_path(path: str) -> str:
    """A relative path that stays below where it starts."""
    words = path.split("/")
    if not path or path.startswith("/") or "\0" in path or any(word in ("", ".", "..") for word in words):
        raise RefusedError("%r is no path inside a project" % path)
    return path


class Store:
    """Contents by their hash, in a folder of this user; until `release` no other run takes any away."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self.handle = os.open(folder, os.O_RDONLY)
        self.lock(fcntl.LOCK_SH)

    def lock(self, how: int) -> bool:
        """False where others hold it; True also where nothing can be locked."""
        try:
            fcntl.flock(self.handle, how)
        except BlockingIOError:
            return False
        except OSError:
            pass
        return True

    def release(self) -> None:
        """What was found and added has been used."""
        self.lock(fcntl.LOCK_UN)

    def path(self, content: str) -> str:
        if len(content) != 40 or content.strip("0123456789abcdef"):
            raise RefusedError("%r is no hash" % content)
        return os.path.join(self.folder, content[:2], content)

    def has(self, content: str, size: int) -> bool:
        """Whether it is there; marks it as used."""
        try:
            path = self.path(content)
            if os.stat(path).st_size != size:
                return False
            os.utime(path)
        except OSError:
            return False
        return True

    def add(self, content: str, size: int, more: "Callable[[int], bytes]") -> None:
        """Take `size` bytes from `more(limit)`; nothing half-written is ever seen under its name."""
        path = self.path(content)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=self.folder)
        try:
            seen = hashlib.blake2b(digest_size=20)
            with os.fdopen(handle, "wb") as file:
                while size:
                    data = more(min(size, CHUNK))
                    size -= len(data)
                    seen.update(data)
                    file.write(data)
            if seen.hexdigest() != content:
                raise RefusedError("a file arrived damaged")
            os.replace(temporary, path)
        except BaseException:
            try:
                os.unlink(temporary)
            except OSError:
                pass
            raise

    def prune(self) -> None:
        """Forget what was not used for long, and the oldest of what is too much.

        Nothing while others build from it: the last of them does it.
        """
        if not self.lock(fcntl.LOCK_EX | fcntl.LOCK_NB):
            return
        found: List[Tuple[float, int, str]] = []
        for folder, _folders, names in os.walk(self.folder):
            for name in names:
                path = os.path.join(folder, name)
                try:
                    status = os.lstat(path)
                except OSError:
                    continue
                found.append((status.st_mtime, status.st_size, path))
        total = sum(size for _when, size, _path in found)
        for when, size, path in sorted(found):
            if total <= KEEP_BYTES and time.time() - when < KEEP_SECONDS:
                break
            try:
                os.unlink(path)
            except OSError:
                continue
            total -= size
        self.release()


class Inflater:
    """Bytes out of the compressed chunks that `more()` brings, never more at once than asked for."""

    def __init__(self, more: "Callable[[], bytes]") -> None:
        self.more = more
        self.inflate = zlib.decompressobj()

    def read(self, limit: int) -> bytes:
        while True:
            data = self.inflate.decompress(self.inflate.unconsumed_tail, limit)
            while not data:
                data = self.inflate.decompress(self.more(), limit)
            return data


def build(folder: str, entries: "List[Dict[str, object]]", store: Store) -> None:
    """Make `folder` hold exactly these files; links come last, so nothing is written through one."""
    wanted = {safe_path(str(entry["path"])) for entry in entries}
    clear(folder, wanted)
    for entry in sorted(entries, key=lambda one: bool(one.get("link"))):
        path = os.path.join(folder, str(entry["path"]))
        os.makedirs(os.path.dirname(path), mode=0o777, exist_ok=True)
        if os.path.islink(path) or os.path.isfile(path):
            os.unlink(path)
        elif os.path.isdir(path):
            shutil.rmtree(path)
        link = str(entry.get("link") or "")
        if link:
            os.symlink(link, path)
            continue
        # a copy: the script may write to it, and what is in the store must stay what it is
        shutil.copyfile(store.path(str(entry["content"])), path)
        os.chmod(path, int(str(entry["mode"])) & 0o777)


def clear(folder: str, wanted: "set[str]") -> None:
    """Take away links that an earlier run left where files or folders shall be (`--keep`)."""
    for path in wanted:
        words = path.split("/")
        for count in range(1, len(words)):
            parent = os.path.join(folder, *words[:count])
            if os.path.islink(parent) or os.path.isfile(parent):
                os.unlink(parent)


def remove_tree(folder: str) -> None:
    """All of it, also what the script made read-only."""

    def again(call: "Callable[[str], object]", path: str, _error: object) -> None:
        try:
            os.chmod(os.path.dirname(path), 0o700)
            call(path)
        except OSError:
            pass

    shutil.rmtree(folder, onerror=again)


def sweep_runs(folder: str, host: str) -> None:
    """Remove folders of runs of this machine whose program is gone (killed, power cut)."""
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        words = name.split(".")
        if len(words) < 3 or ".".join(words[1:-1]) != host or not words[-1].isdigit():
            continue
        try:
            os.kill(int(words[-1]), 0)
        except ProcessLookupError:
            remove_tree(os.path.join(folder, name))
        except OSError:
            continue
