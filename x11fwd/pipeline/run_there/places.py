"""Folders of a run, and the files that come back from it; part of the far half's text of `run`."""

# Python 3.6 has no `from __future__ import annotations`.

import glob
import os
import shutil
import socket
import tempfile
import zlib
from typing import Any, Dict, List, Tuple

from x11fwd.pipeline.run_there.line import Line
from x11fwd.project.receive import Store, remove_tree, safe_path, sweep_runs


class Places:
    """Folders of a run: `store`, `folder` for the project, `private` for the rest."""

    def __init__(self, name: str, keep: bool) -> None:
        host = socket.gethostname()
        base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
        self.keep = keep
        self.base = os.path.join(base, "x11fwd")
        try:
            os.makedirs(self.base, mode=0o700, exist_ok=True)
            probe = tempfile.mkstemp(dir=self.base)
            os.close(probe[0])
            os.unlink(probe[1])
        except OSError:
            # a home that is missing, full or read-only: nothing is remembered
            self.base = tempfile.mkdtemp(prefix="x11fwd-")
        self.throw_away = not self.base.startswith(base)
        runs = os.path.join(self.base, "runs")
        sweep_runs(runs, host)
        self.store = Store(os.path.join(self.base, "files"))
        self.private = tempfile.mkdtemp(prefix="x11fwd-")  # first: where it fails, nothing is left behind
        own = "%s.%s.%d" % (os.urandom(4).hex(), host, os.getpid())
        self.folder = os.path.join(self.base, "projects", name) if keep else os.path.join(runs, own)
        os.makedirs(self.folder, mode=0o700, exist_ok=True)

    def close(self) -> None:
        shutil.rmtree(self.private, ignore_errors=True)
        if not self.keep:
            remove_tree(self.folder)
        if self.throw_away and not self.keep:
            shutil.rmtree(self.base, ignore_errors=True)
        else:
            self.store.prune()


def matches(folder: str, cwd: str, patterns: "List[str]") -> "List[str]":
    """Plain files below `folder` that match, as paths below it; links out of it are not followed."""
    top = os.path.realpath(folder)
    found = set()
    for pattern in patterns:
        safe_path(pattern)
        for path in glob.iglob(os.path.join(glob.escape(os.path.join(top, cwd)), pattern), recursive=True):
            real = os.path.realpath(path)
            if os.path.isfile(path) and not os.path.islink(path) and real.startswith(top + os.sep):
                found.add(os.path.relpath(real, top))
    return sorted(found)


def stamp(status: "os.stat_result") -> "Tuple[int, int]":
    return status.st_mtime_ns, status.st_size


def stamps(folder: str, entries: "List[Dict[str, Any]]") -> "Dict[str, Tuple[int, int]]":
    """How the files look before the script runs."""
    return {entry["path"]: stamp(os.lstat(os.path.join(folder, entry["path"]))) for entry in entries}


def send_files(
    line: Line, places: Places, settings: "Dict[str, Any]", before: "Dict[str, Tuple[int, int]]"
) -> None:
    """What the script made or changed."""
    for path in matches(places.folder, settings["folder"], settings["fetch"]):
        full = os.path.join(places.folder, path)
        descriptor = os.open(full, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if before.get(path) == stamp(status):
                continue
            size = status.st_size
            line.say(b"G", path=path, size=size, mode=status.st_mode & 0o777)
            deflate = zlib.compressobj(1)
            while size:
                data = file.read(min(size, 1 << 18))
                if not data:
                    break  # cut short by somebody; the other side counts
                size -= len(data)
                line.send(b"D", deflate.compress(data))
            line.send(b"D", deflate.flush())
