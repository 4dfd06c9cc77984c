"""One handshake with an X server and its verdict, or an open connection; all above `errors` may import it."""

from __future__ import annotations

import contextlib
import socket
import time
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from x11fwd.errors import DisplayError
from x11fwd.x11.connection import Connection
from x11fwd.x11.display import Address, AddressKind, DisplayName
from x11fwd.x11.faults import DisplayLostError, DisplayTimeoutError, MalformedAnswerError
from x11fwd.x11.stream import Deadline, Stream, open_address
from x11fwd.x11.wire import (
    NATIVE_ORDER,
    SETUP_PREFIX_SIZE,
    ByteOrder,
    Refused,
    Setup,
    encode_setup,
    parse_setup,
    setup_rest,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from x11fwd.x11.authority import Cookie
    from x11fwd.x11.requests import AccessControl


class HandshakeStatus(Enum):
    """How far a handshake came; each value has its own cure."""

    OK = "ok"
    NO_SOCKET = "no-socket"  # nothing has that path, or DISPLAY names nothing that could be tried
    CONNECTION_REFUSED = "connection-refused"  # the socket is left over, or nobody listens on the port
    NOT_PERMITTED = "not-permitted"  # the socket belongs to somebody else
    UNKNOWN_HOST = "unknown-host"  # the name does not resolve
    UNREACHABLE = "unreachable"  # any other error of connect()
    TIMEOUT = "timeout"  # nothing came in time; the reason says at which point
    NO_COOKIE = "no-cookie"  # refused: authorization required, none (or no usable one) given
    WRONG_COOKIE = "wrong-cookie"  # refused: the cookie is not this server's
    SERVER_FULL = "server-full"  # refused: maximum number of clients reached
    REJECTED = "rejected"  # refused in other words, see the reason
    CLOSED = "closed"  # end of file instead of an answer: through ssh, a wrong cookie
    NOT_X11 = "not-x11"  # something else answers there
    NO_SCREEN = (
        "no-screen"  # the server is well, but has no screen of the number in DISPLAY; Xlib gives up then
    )


@dataclass(frozen=True)
class Attempt:
    """One address that was tried, and the system's words if it failed."""

    address: Address
    error: str = ""


@dataclass(frozen=True)
class Handshake:
    """The verdict on one handshake.

    Attributes:
        status: see HandshakeStatus.
        reason: the server's or the system's own words; `""` on success.
        seconds: from the first connect() to the whole answer, the extension question not counted.
        address: where the connection was made, if one was.
        attempts: every address that was tried, in order.
        setup: what the server said of itself, on success.
        extensions: those of the names asked for that are present; None if not asked or not answered.
        access: who is let in without a cookie; None if not asked or not answered.
    """

    status: HandshakeStatus
    reason: str = ""
    seconds: float = 0.0
    address: Address | None = None
    attempts: tuple[Attempt, ...] = ()
    setup: Setup | None = field(default=None, repr=False)
    extensions: frozenset[str] | None = None
    access: AccessControl | None = None

    @property
    def ok(self) -> bool:
        return self.status is HandshakeStatus.OK

    @property
    def vendor(self) -> str:
        return self.setup.vendor if self.setup else ""

    @property
    def release(self) -> int:
        return self.setup.release if self.setup else 0


class HandshakeError(DisplayError):
    """`connect` failed; `handshake` has the verdict."""

    def __init__(self, display: DisplayName, handshake: Handshake) -> None:
        words = handshake.reason or handshake.status.value
        super().__init__(f"the X server at {display} cannot be used: {words}")
        self.handshake = handshake


def handshake(
    display: DisplayName,
    cookie: Cookie | None,
    timeout: float,
    *,
    extensions: Sequence[str] = (),
    access: bool = False,
    order: ByteOrder = NATIVE_ORDER,
) -> Handshake:
    """Connect, show the cookie, read the answer, hang up. Never raises for anything that the display does.

    Args:
        cookie: what to show; None tries without.
        timeout: seconds for all of it, name resolution included.
        extensions: names to ask for with QueryExtension, such as SECURITY, MIT-SHM, RENDER.
        access: ask for the list of those who need no cookie.
    """
    deadline = Deadline(timeout)
    stream, verdict = _open(display, cookie, deadline, order)
    if stream is None or verdict.setup is None:
        return verdict
    found, hosts = None, None
    with Connection(stream, verdict.setup, order, timeout) as connection, contextlib.suppress(DisplayError):
        if extensions:
            found = connection.extensions_present(extensions, timeout=deadline.left())
        if access:
            hosts = connection.access_control(timeout=deadline.left())
    return replace(verdict, extensions=found, access=hosts)


def connect(
    display: DisplayName, cookie: Cookie | None, timeout: float, *, order: ByteOrder = NATIVE_ORDER
) -> Connection:
    """An open connection, to be closed by the caller (it is a context manager).

    Args:
        timeout: seconds for connecting, and later for each question unless told otherwise.

    Raises:
        HandshakeError: with the verdict.
    """
    stream, verdict = _open(display, cookie, Deadline(timeout), order)
    if stream is None or verdict.setup is None:
        raise HandshakeError(display, verdict)
    return Connection(stream, verdict.setup, order, timeout, screen=display.screen)


def _open(
    display: DisplayName, cookie: Cookie | None, deadline: Deadline, order: ByteOrder
) -> tuple[Stream | None, Handshake]:
    start = time.monotonic()
    attempts: list[Attempt] = []
    failures: list[tuple[Address, HandshakeStatus, str]] = []
    for address in display.addresses():
        try:
            stream = Stream(open_address(address, deadline))
        except (OSError, DisplayTimeoutError) as error:
            status, reason = _connect_failure(error, deadline)
            failures.append((address, status, reason))
            attempts.append(Attempt(address, reason))
            continue
        attempts.append(Attempt(address))
        status, reason, setup = _shake(stream, cookie, deadline, order)
        if setup and display.screen >= len(setup.screens):
            status, setup = HandshakeStatus.NO_SCREEN, None
            reason = f"there is no screen {display.screen}"
        took = time.monotonic() - start
        if setup is None:
            stream.close()
        verdict = Handshake(status, reason, took, address, tuple(attempts), setup)
        return (stream if setup else None), verdict
    status, reason = _worst(failures)
    return None, Handshake(status, reason, time.monotonic() - start, attempts=tuple(attempts))


def _shake(
    stream: Stream, cookie: Cookie | None, deadline: Deadline, order: ByteOrder
) -> tuple[HandshakeStatus, str, Setup | None]:
    try:
        # A full server answers and hangs up before it has read anything: its answer still counts.
        with contextlib.suppress(DisplayLostError):
            stream.send(encode_setup(order, cookie), deadline)
        prefix = stream.read(SETUP_PREFIX_SIZE, deadline)
        answer = parse_setup(order, prefix + stream.read(setup_rest(order, prefix), deadline))
    except DisplayTimeoutError:
        seconds = f"{deadline.seconds:g} s"
        return HandshakeStatus.TIMEOUT, f"it took the connection and did not answer within {seconds}", None
    except DisplayLostError:
        return HandshakeStatus.CLOSED, "it closed the connection without an answer", None
    except MalformedAnswerError as error:
        return HandshakeStatus.NOT_X11, error.message, None
    if isinstance(answer, Refused):
        return _refusal(answer), answer.reason, None
    return HandshakeStatus.OK, "", answer


def _refusal(answer: Refused) -> HandshakeStatus:
    # The words of Xorg's os/connection.c, os/mitauth.c and dix/dispatch.c; XQuartz and VcXsrv share them.
    words = answer.reason.lower()
    if "authorization required" in words or "no protocol specified" in words or "not authorized" in words:
        return HandshakeStatus.NO_COOKIE
    if "invalid" in words and "key" in words:
        return HandshakeStatus.WRONG_COOKIE
    if "maximum number of clients" in words:
        return HandshakeStatus.SERVER_FULL
    return HandshakeStatus.REJECTED


def _connect_failure(error: OSError | DisplayTimeoutError, deadline: Deadline) -> tuple[HandshakeStatus, str]:
    if isinstance(error, (TimeoutError, DisplayTimeoutError)):
        return HandshakeStatus.TIMEOUT, f"no connection within {deadline.seconds:g} s"
    words = error.strerror or str(error)
    if isinstance(error, socket.gaierror):
        return HandshakeStatus.UNKNOWN_HOST, words
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return HandshakeStatus.NO_SOCKET, words
    if isinstance(error, ConnectionRefusedError):
        return HandshakeStatus.CONNECTION_REFUSED, words
    if isinstance(error, PermissionError):
        return HandshakeStatus.NOT_PERMITTED, words
    return HandshakeStatus.UNREACHABLE, words


def _worst(failures: Sequence[tuple[Address, HandshakeStatus, str]]) -> tuple[HandshakeStatus, str]:
    """The failure that tells most: that of the socket file where there is one to try, else the last."""
    if not failures:
        return HandshakeStatus.NO_SOCKET, "DISPLAY asks for a protocol that has no host to go to"
    files = [one for one in failures if one[0].kind is AddressKind.UNIX]
    _, status, reason = (files or list(failures))[-1]
    return status, reason
