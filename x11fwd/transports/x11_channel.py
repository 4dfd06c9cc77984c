"""An X11 channel that the remote opens: fake cookie out, real one in, then bytes to and from the display.

x11_open_helper in OpenSSH's channels.c is the model. The real cookie never leaves this machine.
"""

from __future__ import annotations

import contextlib
import hmac
import secrets
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from x11fwd.x11.authority import Cookie
from x11fwd.x11.display import MalformedDisplayError, parse_display, ssh_addresses
from x11fwd.x11.stream import Deadline, open_address
from x11fwd.x11.wire import ByteOrder, encode_setup, pad4, unpack

if TYPE_CHECKING:
    from collections.abc import Callable

    from x11fwd.transports.base import X11Offer

__all__ = ["Channel", "DisplayDoor", "SetupPrefix", "swap_cookie"]

_MAGIC = b"MIT-MAGIC-COOKIE-1"
_FIXED = 12  # the fixed part of the connection setup (X protocol, appendix B)
_LARGEST_SETUP = _FIXED + 2 * 65536
_CONNECT_SECONDS = 10.0


class Channel(Protocol):
    """The part of a channel that is used here."""

    def recv(self, nbytes: int, /) -> bytes: ...

    def sendall(self, data: bytes, /) -> None: ...

    def shutdown_write(self) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class SetupPrefix:
    """What the first bytes of a program are: more are needed, they are refused, or here they are."""

    data: bytes | None = None
    refused: str = ""


def swap_cookie(start: bytes, fake: bytes, real: bytes) -> SetupPrefix:
    """Judge the first bytes of an X11 connection and replace the fake cookie.

    Args:
        start: what has come so far; bytes behind the setup are kept.
        fake: the cookie given to the remote.
        real: the display's cookie; `b""` where it wants none, then the setup goes on without any.
    """
    if start[:1] not in {b"l", b"B", b""}:
        return SetupPrefix(refused="the first byte is no byte order")
    if len(start) < _FIXED:
        return SetupPrefix()
    order = ByteOrder.LITTLE if start[:1] == b"l" else ByteOrder.BIG
    name_size, data_size = unpack(f"{order.value}HH", start, 6)
    name_end = _FIXED + name_size + pad4(name_size)
    end = name_end + data_size + pad4(data_size)
    if len(start) < end:
        return SetupPrefix()
    if start[_FIXED : _FIXED + name_size] != _MAGIC:
        return SetupPrefix(refused="the program has another kind of authorization, or none")
    if not hmac.compare_digest(start[name_end : name_end + data_size], fake):
        return SetupPrefix(refused="the program's cookie is not the one of this connection")
    setup = encode_setup(order, Cookie(real) if real else None)
    return SetupPrefix(setup[:2] + start[2:6] + setup[6:] + start[end:])


class DisplayDoor:
    """Opens the local display for the channels of one connection.

    Args:
        offer: the display and its real cookie.
        remark: called with a sentence when a channel is refused or the display cannot be reached.
    """

    def __init__(self, offer: X11Offer, remark: Callable[[str], None]) -> None:
        self._offer = offer
        self._remark = remark
        self.fake = secrets.token_bytes(16)
        self.screen = _screen(offer.display)

    def admit(self, channel: Channel) -> None:
        """Serve one channel on threads of its own; returns at once."""
        threading.Thread(target=self._serve, args=(channel,), name="x11fwd-x11", daemon=True).start()

    def _serve(self, channel: Channel) -> None:
        display: socket.socket | None = None
        try:
            start = self._admitted(channel)
            display = self._connect() if start is not None else None
            if start is None or display is None:
                return
            display.sendall(start)
            back = threading.Thread(
                target=_carry_back, args=(display, channel), name="x11fwd-x11", daemon=True
            )
            back.start()
            with contextlib.suppress(OSError, EOFError):
                while data := channel.recv(65536):
                    display.sendall(data)
            with contextlib.suppress(OSError):
                display.shutdown(socket.SHUT_WR)
            back.join()
        except (OSError, EOFError):
            return
        finally:
            if display is not None:
                display.close()
            with contextlib.suppress(OSError, EOFError):
                channel.close()

    def _admitted(self, channel: Channel) -> bytes | None:
        start = b""
        while len(start) <= _LARGEST_SETUP:
            data = channel.recv(65536)
            if not data:
                return None
            start += data
            verdict = swap_cookie(start, self.fake, self._offer.cookie)
            if verdict.data is not None:
                return verdict.data
            if verdict.refused:
                self._remark(f"X11 connection rejected: {verdict.refused}")
                return None
        return None

    def _connect(self) -> socket.socket | None:
        display = self._offer.display
        try:
            parsed = parse_display(display)
        except MalformedDisplayError as error:
            self._remark(str(error))
            return None
        deadline = Deadline(_CONNECT_SECONDS)
        problem = "no address"
        for address in ssh_addresses(parsed) or parsed.addresses():
            try:
                opened = open_address(address, deadline)
            except Exception as error:  # noqa: BLE001, PERF203  a thread of its own: whatever it is, it is told
                problem = f"{address}: {error}"
            else:
                opened.settimeout(None)
                return opened
        self._remark(f"the display {display} cannot be reached ({problem})")
        return None


def _carry_back(display: socket.socket, channel: Channel) -> None:
    with contextlib.suppress(OSError, EOFError):
        while data := display.recv(65536):
            channel.sendall(data)
    with contextlib.suppress(OSError, EOFError):
        channel.close()  # the X server hung up; sshd tells the program


def _screen(display: str) -> int:
    try:
        return parse_display(display).screen
    except MalformedDisplayError:
        return 0
