"""Temporary folders and programs, none of which outlives this process; for transports and the pipeline.

A daemon thread meets its end in the middle of anything, without its `finally`, and Ctrl-C can come between
a program's birth and the moment in which anybody knows it. What is noted here is ended by `atexit`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from x11fwd.transports.uninterrupted import Uninterrupted

if TYPE_CHECKING:
    import subprocess  # noqa: TID251  transports are where processes are run
    from collections.abc import Callable, Iterator

__all__ = ["drop_folder", "make_folder", "scratch_folder", "started", "usual_place"]

_lock = threading.Lock()
_folders: set[str] = set()
_programs: dict[int, tuple[subprocess.Popen[bytes], Callable[[subprocess.Popen[bytes]], None]]] = {}
_process = 0  # whose they are: a fork has none of them
_over = False


def make_folder(*, prefix: str = "x11fwd-", place: str | None = None) -> Path:
    """A new folder, mode 0700, that is gone when this process is; `drop_folder` removes it before.

    Raises:
        OSError: there is no such place.
    """
    folder = place or usual_place()
    for _ in range(100):
        path = os.path.join(folder, prefix + os.urandom(4).hex())  # noqa: PTH118
        with _lock:
            _refuse()
            _folders.add(path)  # first: whatever comes in between, it is known
            try:
                os.mkdir(path, 0o700)  # noqa: PTH102
            except FileExistsError:
                _folders.discard(path)
                continue
            except OSError:
                _folders.discard(path)
                raise
        return Path(path)
    raise FileExistsError(f"{folder} has no name left")


def usual_place() -> str:
    """Where temporary things go; Python tries the first time whether a file can be made there.

    Raises:
        OSError: nowhere.
    """
    _begin()
    with Uninterrupted(), _lock:
        _refuse()
        return tempfile.gettempdir()


def drop_folder(path: Path) -> None:
    """Remove it, and all that is in it."""
    shutil.rmtree(path, ignore_errors=True)
    if not path.exists():
        _folders.discard(str(path))


@contextlib.contextmanager
def scratch_folder(*, prefix: str = "x11fwd-") -> Iterator[Path]:
    """A folder that is there meanwhile.

    Raises:
        OSError: there is no place for it.
    """
    path = make_folder(prefix=prefix)
    try:
        yield path
    finally:
        drop_folder(path)


def started(
    start: Callable[[], subprocess.Popen[bytes]], end: Callable[[subprocess.Popen[bytes]], None]
) -> subprocess.Popen[bytes]:
    """Start a program that ends with this process at the latest.

    Args:
        start: does it; Ctrl-C that comes meanwhile waits.
        end: ends one that still runs.

    Raises:
        OSError: it cannot be started.
        Stopped: Ctrl-C came meanwhile; the program is known by then, and ends with this process.
    """
    _begin()
    with Uninterrupted(), _lock:
        _refuse()
        process = start()
        for pid, (one, _) in list(_programs.items()):
            if one.poll() is not None:
                del _programs[pid]
        _programs[process.pid] = process, end
    return process


def _begin() -> None:
    global _process, _over, _lock  # noqa: PLW0603
    if _process == os.getpid():
        return
    import atexit

    _folders.clear()
    _programs.clear()
    _lock = threading.Lock()  # a fork may have it taken by a thread that it does not have
    _process, _over = os.getpid(), False
    atexit.register(_end)


def _refuse() -> None:
    if _over:
        raise InterruptedError("this process is at its end")


def _end() -> None:
    """Nothing is begun any more, and what is there goes."""
    global _over  # noqa: PLW0603
    if _process != os.getpid():
        return
    with _lock:
        _over = True
    for process, end in list(_programs.values()):
        end(process)
    for path in list(_folders):
        shutil.rmtree(path, ignore_errors=True)
