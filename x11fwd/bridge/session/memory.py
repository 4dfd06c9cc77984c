"""What is known of a host from its last session over the bridge; light, each login reads it.

The file `bridges` in x11fwd's cache folder has one line per host: `host port user number digest`.
"""

from __future__ import annotations

import os

_KEPT = 200  # hosts
_NOTHING = "-"


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
    rows = [row for row in _read(folder) if tuple(row[:3]) != place][-(_KEPT - 1) :]
    rows.append([*place, str(known.number), known.digest or _NOTHING])
    temporary = f"{folder}/bridges.{os.getpid()}"
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)  # noqa: PTH103  pathlib costs 4 ms to import
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(handle, "".join(" ".join(row) + "\n" for row in rows).encode("utf-8", "replace"))
        finally:
            os.close(handle)
        os.replace(temporary, f"{folder}/bridges")  # noqa: PTH105
    except OSError:
        return


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
