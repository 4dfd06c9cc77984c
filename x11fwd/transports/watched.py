"""A command of the user's, run as if we were not there, its standard error kept; imported by the pipeline.

Standard input, standard output, the process group and the controlling terminal stay what they are, so keys,
pipes, job control and programs that fill the screen work. Standard error comes through us, by a pipe.
A pseudo-terminal in its place would keep colour and progress bars, and was tried: less, and git with it, read
their keys from the terminal on standard error, and bash does its job control there, so both went wrong.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess  # noqa: TID251  transports are where processes are run
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from x11fwd.errors import UsageError
from x11fwd.transports.local import wait_readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

__all__ = ["Watched", "run_watched"]

_HEAD, _TAIL = 1 << 20, 3 << 20  # bytes kept of what a command says: its first words and its last
_GRACE = 0.3  # seconds of silence after which a command that has ended has no more to say


@dataclass(frozen=True)
class Watched:
    """How a command ended.

    Attributes:
        exit_status: as a shell gives it: 128 + N for signal N, 127 and 126 where it could not be started.
        words: what it wrote to standard error; of more than 4 MB the first and the last.
    """

    exit_status: int
    words: bytes


class _Kept:
    """The first and the last bytes of a stream that may be long."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail = bytearray()

    def add(self, data: bytes) -> None:
        room = _HEAD - len(self._head)
        self._head += data[:room] if room > 0 else b""
        self._tail += data[max(room, 0) :]
        if len(self._tail) > 2 * _TAIL:
            del self._tail[:-_TAIL]

    def all(self) -> bytes:
        return bytes(self._head + self._tail[-_TAIL:])


def run_watched(argv: Sequence[str]) -> Watched:
    """Run a command to its end.

    Raises:
        UsageError: it cannot be started.
    """
    reading, writing = os.pipe()
    kept = _Kept()
    signals = _Signals()
    try:
        with signals.taken():
            process = _start(argv, writing)
            signals.hand_to(process)
            ended = _copy(reading, kept, process)
            status = process.wait()
        if not ended:
            _leave(reading)
    finally:
        os.close(reading)
    return Watched(128 - status if status < 0 else status, kept.all())


class _Signals:
    """What we do with signals meanwhile; they are taken before the command starts, so that none is lost.

    The terminal sends Ctrl-C to the whole foreground group: the command decides what it means, and we stay to
    report its end, as a shell does. What is sent to us alone is handed on.
    """

    _IGNORED = ("SIGINT", "SIGQUIT")
    _HANDED_ON = ("SIGTERM", "SIGHUP")  # Windows has no SIGHUP

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []

    def hand_to(self, process: subprocess.Popen[bytes]) -> None:
        """From now on there is somebody to hand them to."""
        self._process = process
        for number in self._early:
            process.send_signal(number)

    def _take(self, number: int, _frame: FrameType | None) -> None:
        # a handler, unlike SIG_IGN, is not inherited by the command
        if signal.Signals(number).name in self._IGNORED:
            return
        if self._process is None:
            self._early.append(number)
        else:
            self._process.send_signal(number)

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """All but those that were ignored from the start (nohup)."""
        before = {}
        try:
            for one in signal.Signals:
                named = one.name in (*self._IGNORED, *self._HANDED_ON)
                if named and signal.getsignal(one) is not signal.SIG_IGN:
                    before[one] = signal.signal(one, self._take)
            yield
        finally:
            for one, old in before.items():
                signal.signal(one, signal.SIG_DFL if old is None else old)


def _start(argv: Sequence[str], writing: int) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(list(argv), stderr=writing)
    except (OSError, ValueError) as error:  # ValueError: a null byte
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"`{argv[0]}` cannot be run: {reason}") from error
    finally:
        os.close(writing)


def _copy(reading: int, kept: _Kept, process: subprocess.Popen[bytes]) -> bool:
    """Copy until nobody holds the other end, or the command has ended and is silent. True for the former."""
    while True:
        if sys.platform != "win32" and not wait_readable(reading, _GRACE):
            if process.poll() is not None:
                return False  # somebody whom it started still holds its standard error
            continue
        data = os.read(reading, 65536)
        if not data:
            return True
        kept.add(data)
        _write(data)


def _write(data: bytes) -> None:
    """All of it; a program that shares the terminal may have made it non-blocking."""
    while data:
        try:
            data = data[os.write(2, data) :]
        except BlockingIOError:  # noqa: PERF203
            select.select([], [2], [])
        except OSError:
            return  # nobody reads it; the command shall end as it would


def _leave(reading: int) -> None:
    """The command has left something running that still speaks: a copy of us goes on copying for it.

    Without one its next word would end it by SIGPIPE, and a shell would not have done that to it.
    """
    if sys.platform == "win32" or os.fork():
        return
    try:
        for one in (0, 1):
            os.close(one)
        while data := os.read(reading, 65536):
            _write(data)
    finally:
        os._exit(0)
