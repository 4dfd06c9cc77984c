"""The folder of finished pictures: whole files only, and a list of what each was made from; render's own."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from typing import TYPE_CHECKING

from x11fwd.errors import UsageError, X11fwdError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from x11fwd.render.model import Task

__all__ = ["LIST", "Folder"]

LIST = ".x11fwd-render.jsonl"
_FULL = {errno.ENOSPC, errno.EDQUOT}


class Folder:
    """A context manager that holds the folder for one run.

    Raises:
        UsageError: it cannot be made or written to, or another run is at work in it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, tuple[str, int]] = {}
        self._written = 0
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._list = (path / LIST).open("ab+", buffering=0)
        except OSError as error:
            raise self._sentence(error) from None
        try:
            self._lock()
            self._read()
        except OSError as error:
            self._list.close()
            raise self._sentence(error) from None
        except BaseException:
            self._list.close()
            raise

    def _lock(self) -> None:
        import fcntl

        try:
            fcntl.flock(self._list, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"another `x11fwd render` is at work in {self.path}") from None

    def _read(self) -> None:
        self._list.seek(0)
        text = self._list.read()
        for line in text.split(b"\n"):
            with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
                found = json.loads(line)
                self._known[str(found["name"])] = (str(found["key"]), int(found["size"]))
        if text and not text.endswith(b"\n"):
            self._list.write(b"\n")  # the run before was cut off within a line
        for left in self.path.glob(".*.x11fwd-part"):
            left.unlink(missing_ok=True)

    def has(self, task: Task) -> bool:
        """The picture of exactly this task is there, as long as it was."""
        known = self._known.get(task.name)
        if known is None or known[0] != task.key:
            return False
        try:
            return (self.path / task.name).stat().st_size == known[1]
        except OSError:
            return False

    def put(self, task: Task, data: bytes) -> Path:
        """Write a picture, whole or not at all.

        Raises:
            X11fwdError: the disk is full, or the folder cannot be written to any more.
        """
        path = self.path / task.name
        part = self.path / f".{task.index}.x11fwd-part"
        line = json.dumps({"name": task.name, "key": task.key, "size": len(data)}).encode() + b"\n"
        try:
            try:
                part.write_bytes(data)
                part.replace(path)
            except BaseException:
                with contextlib.suppress(OSError):
                    part.unlink()
                raise
            self._list.write(line)
        except OSError as error:
            raise self._sentence(error) from None
        self._known[task.name] = (task.key, len(data))
        self._written += 1
        return path

    def _sentence(self, error: OSError) -> X11fwdError:
        if error.errno in _FULL:
            return X11fwdError(
                f"the disk of {self.path} is full ({self._written} figures were written)",
                hint="make room and run the same again: what is there is not drawn a second time",
            )
        return UsageError(f"{self.path} cannot be written to: {os.strerror(error.errno or 0)}")

    def __enter__(self) -> Folder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._list.close()
