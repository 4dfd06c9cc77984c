"""A running remote command as a two-way stream over a paramiko channel; for the paramiko transport only."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING

import paramiko  # noqa: TID251  this module is part of the paramiko transport

from x11fwd.errors import ConnectionLost
from x11fwd.transports.framing import Opening
from x11fwd.transports.local import wait_readable

if TYPE_CHECKING:
    from collections.abc import Callable

    from x11fwd.transports.framing import Frame

__all__ = ["ParamikoStream"]

_LOOK = 1.0  # seconds between two looks, see paramiko_transport
_SAYING = 1.0  # seconds for a message that says only that we are through
_ERRORS = (paramiko.SSHException, EOFError, OSError)


class ParamikoStream:
    """See `ByteStream`. Args: translate: makes our exception of paramiko's, None for a lost connection."""

    def __init__(
        self, channel: paramiko.Channel, frame: Frame, translate: Callable[[Exception | None], Exception]
    ) -> None:
        self._channel = channel
        self._frame = frame
        self._opening = Opening(frame)
        self._translate = translate
        self._ready = bytearray()
        self._errors = bytearray()

    def read(self, limit: int, timeout: float | None = None) -> bytes:
        """See `ByteStream.read`.

        Raises:
            ProbeError: the stream ended and the command never began.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._opening.begun:
            data = self._receive(65536, deadline, timeout)
            if not data:
                raise self._opening.swallowed()
            self._ready += self._opening.feed(data)
        if self._ready:
            data = bytes(self._ready[:limit])
            del self._ready[:limit]
            return data
        return self._receive(limit, deadline, timeout)

    def _receive(self, limit: int, deadline: float | None, timeout: float | None) -> bytes:
        while True:
            ended = self._channel.eof_received or self._channel.closed
            self._drain_errors()
            if self._channel.recv_ready() or ended:
                break
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise TimeoutError(f"nothing came within {timeout:g} s")
            wait_readable(self._channel.fileno(), _LOOK if left is None else min(left, _LOOK))
        try:
            data = self._channel.recv(limit)
        except _ERRORS as error:
            raise self._translate(error) from error
        if not data and not self._channel.eof_received:
            raise self._translate(None)
        return data

    def _drain_errors(self) -> None:
        # both streams share one window: unread stderr would bring stdout to a halt
        while self._channel.recv_stderr_ready():
            self._errors += self._channel.recv_stderr(65536)

    def write(self, data: bytes) -> None:
        """See `ByteStream.write`. Raises ConnectionLost."""
        self._channel.settimeout(None)
        try:
            self._channel.sendall(data)
        except _ERRORS as error:
            if self._channel.closed and self._channel.eof_received:
                raise ConnectionLost("the command does not read its standard input any more") from error
            raise self._translate(error) from error

    def close_write(self) -> None:
        self._say(self._channel.shutdown_write)

    @staticmethod
    def _say(word: Callable[[], None]) -> None:
        """Send a short message; on a frozen line even that may block, until the line is given up."""

        def send() -> None:
            with contextlib.suppress(*_ERRORS):
                word()

        saying = threading.Thread(target=send, name="x11fwd-close", daemon=True)
        saying.start()
        saying.join(_SAYING)

    def stderr(self) -> bytes:
        self._drain_errors()
        rest = self._frame.after_begin(bytes(self._errors))
        return bytes(self._errors) if rest is None else rest

    def wait(self, timeout: float | None = None) -> int:
        """See `ByteStream.wait`. Raises TimeoutError, ConnectionLost."""
        if not self._channel.status_event.wait(timeout):
            raise TimeoutError(f"the command had not ended after {timeout:g} s")
        status = self._channel.recv_exit_status()
        if status < 0:
            raise self._translate(None)
        return status

    def close(self) -> None:
        self._say(self._channel.close)
