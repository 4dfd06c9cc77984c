"""Sockets with a deadline: connecting, sending and reading whole pieces; client and connection import it."""

from __future__ import annotations

import errno
import queue
import socket
import threading
import time
from typing import TYPE_CHECKING

from x11fwd.x11.display import Address, AddressKind
from x11fwd.x11.faults import DisplayLostError, DisplayTimeoutError

if TYPE_CHECKING:
    from types import TracebackType


class Deadline:
    """A moment in monotonic time, `seconds` from now; all waiting of one operation counts against it."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds left, more than 0. Raises DisplayTimeoutError when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise DisplayTimeoutError(f"the X server did not answer within {self.seconds:g} s")
        return left


class Stream:
    """A connected socket that reads and writes whole pieces before a deadline."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, data: bytes, deadline: Deadline) -> None:
        try:
            self._socket.settimeout(deadline.left())
            self._socket.sendall(data)
        except TimeoutError:
            raise DisplayTimeoutError(f"the X server took no request within {deadline.seconds:g} s") from None
        except OSError as error:
            raise DisplayLostError("the X server closed the connection") from error

    def read(self, size: int, deadline: Deadline) -> bytes:
        """Exactly `size` bytes.

        Raises:
            DisplayTimeoutError: they did not come in time.
            DisplayLostError: the connection ended before them.
        """
        data = bytearray(size)
        view = memoryview(data)
        got = 0
        while got < size:
            try:
                self._socket.settimeout(deadline.left())
                count = self._socket.recv_into(view[got:])
            except TimeoutError:
                raise DisplayTimeoutError(
                    f"the X server did not answer within {deadline.seconds:g} s"
                ) from None
            except OSError as error:
                raise DisplayLostError("the X server closed the connection") from error
            if not count:
                raise DisplayLostError("the X server closed the connection")
            got += count
        return bytes(data)

    def close(self) -> None:
        self._socket.close()


def open_address(address: Address, deadline: Deadline) -> socket.socket:
    """Connect to one address.

    Raises:
        OSError: the system's own error (FileNotFoundError, ConnectionRefusedError, socket.gaierror …).
        TimeoutError, DisplayTimeoutError: not in time.
    """
    if address.kind is not AddressKind.TCP:
        if not hasattr(socket, "AF_UNIX"):
            raise FileNotFoundError(errno.ENOENT, "this Python has no sockets of that kind")
        path = f"\0{address.path}" if address.kind is AddressKind.ABSTRACT else address.path
        return _connect(socket.AF_UNIX, path, deadline)
    failure: OSError = OSError(f"{address.host} has no address")
    for family, target in _resolve(address.host, address.port, deadline):
        try:
            return _connect(family, target, deadline)
        except OSError as error:  # noqa: PERF203  a name's first address is often not the one that listens
            failure = error
    raise failure


_Target = tuple[str, int] | tuple[str, int, int, int] | str


def _connect(family: int, target: _Target, deadline: Deadline) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.settimeout(deadline.left())
        made.connect(target)
        if family in {socket.AF_INET, socket.AF_INET6}:
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        made.close()
        raise
    return made


def _resolve(host: str, port: int, deadline: Deadline) -> list[tuple[int, _Target]]:
    # getaddrinfo() has no time-out and may hang on a dead resolver; the thread is left behind then.
    answers: queue.SimpleQueue[list[tuple[int, _Target]] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put([(one[0], _target(one[4])) for one in found])
        except UnicodeError:  # a label of more than 63 characters
            answers.put(socket.gaierror(socket.EAI_NONAME, "not a host name"))
        except OSError as error:
            answers.put(error)

    threading.Thread(target=ask, name="x11-resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=deadline.left())
    except queue.Empty:
        raise TimeoutError(f"the name {host} was not resolved in time") from None
    if isinstance(answer, OSError):
        raise answer
    return answer


def _target(found: tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]) -> _Target:
    if isinstance(found[0], str):
        return found
    raise OSError("the address is of an unknown family")
