"""What is known of a host from its last session over the bridge; light, each login reads it.

The file `bridges` in x11fwd's cache folder has one line per host: `host port user number digest`.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

_KEPT = 200  # hosts
_NOTHING = "-"
_PATIENCE = 2.0  # seconds for others that change a file; one that is stopped must not stop every login
_AGAIN = 0.01


class Turn:
    """While a file of a folder is read, changed and put in place: nobody else does so.

        with Turn(folder): ...

    The folder is made. Where it takes no lock (a network's file system) all goes on without one.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._handle = -1

    def __enter__(self) -> None:
        """Wait for the turn. Raises OSError where there is no such folder."""
        os.makedirs(self._folder, mode=0o700, exist_ok=True)  # noqa: PTH103  pathlib costs 4 ms to import
        end = time.monotonic() + _PATIENCE
        self._handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        while not self._taken() and time.monotonic() < end:
            time.sleep(_AGAIN)

    def _taken(self) -> bool:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # no locks here
            return True
        return True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._handle)


class Known:
    """One host.

    Attributes:
        number: of its display, 0 where there was none yet.
        digest: of the remote half that lies there, "" for none.
    """

    __slots__ = ("digest", "number")

    def __init__(self, number: int = 0, digest: str = "") -> None:
        self.number = number
        self.digest = digest

    @property
    def ran(self) -> bool:
        """The bridge has run there."""
        return self.number > 0


def recall(folder: str | None, place: tuple[str, str, str]) -> Known:
    """What was remembered.

    Args:
        folder: x11fwd's cache, None without one.
        place: hostname, port and user as `ssh -G` prints them.
    """
    for row in _read(folder):
        if tuple(row[:3]) == place:
            return Known(int(row[3]), "" if row[4] == _NOTHING else row[4])
    return Known()


def remember(folder: str | None, place: tuple[str, str, str], known: Known) -> None:
    """Keep it for the next session; a cache that cannot be written is no error."""
    if folder is None or any(not word or any(one.isspace() for one in word) for word in place):
        return
    try:
        with Turn(folder):
            rows = [row for row in _read(folder) if tuple(row[:3]) != place][-(_KEPT - 1) :]
            rows.append([*place, str(known.number), known.digest or _NOTHING])
            put(f"{folder}/bridges", "".join(" ".join(row) + "\n" for row in rows))
    except OSError:
        return


def put(path: str, text: str) -> None:
    """Replace a file as a whole. Raises OSError, and the old one stays."""
    temporary = f"{path}.{os.getpid()}"
    data = text.encode("utf-8", "replace")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            while data:
                data = data[os.write(handle, data) :]
        finally:
            os.close(handle)
        os.replace(temporary, path)  # noqa: PTH105  pathlib costs 4 ms to import
    except OSError:
        with suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108  same
        raise


def _read(folder: str | None) -> list[list[str]]:
    rows: list[list[str]] = []
    if folder is None:
        return rows
    try:
        with open(f"{folder}/bridges", encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        return rows
    for line in lines:
        row = line.split()
        if len(row) == 5 and row[3].isdigit() and len(row[3]) < 6:
            rows.append(row)  # a damaged line is as good as none
    return rows
