"""A display that works, seen in a millisecond; `ssh_session` imports it and takes the long road otherwise.

`x11fwd.x11.client` does the same with a verdict for every fault, and costs 40 ms to import. Here anything
that is not a plain yes is None. A unit test holds both to the same answers.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

_FAMILY_LOCAL = 256  # libXau, Xauth.h
_FAMILY_WILD = 65535
_COOKIE_NAME = b"MIT-MAGIC-COOKIE-1"
_QUERY_EXTENSION = 98  # X Window System Protocol, appendix B
_SECURITY = b"SECURITY"
_MOST = 1 << 20  # bytes of a setup answer: that of a server with a hundred visuals is 10 kB


class Display:
    """A display that answered.

    Attributes:
        security: it has the SECURITY extension, so it can tell untrusted programs from trusted ones.
        connection: the open connection; a server that resets when its last client leaves does not, while it
            is held, and so keeps the untrusted cookie that ssh has made (X server's man page, `-noreset`).
    """

    __slots__ = ("connection", "security")

    def __init__(self, connection: socket.socket, *, security: bool) -> None:
        self.connection = connection
        self.security = security


def look(display: str, environ: Mapping[str, str], timeout: float = 1.0) -> Display | None:
    """Shake hands with `display` as libxcb would; None for anything but a plain success.

    Args:
        timeout: seconds for each wait; on this machine the answer takes well below a millisecond.
    """
    place = _place(display)
    if place is None:
        return None
    addresses, number = place
    connection = _connect(addresses, timeout)
    if connection is None:
        return None
    try:
        if _greet(connection, _cookie(environ, number)):
            return Display(connection, security=_has_security(connection))
    except (OSError, ValueError):
        pass
    connection.close()
    return None


def _place(display: str) -> tuple[tuple[str | tuple[str, int], ...], bytes] | None:
    """Where ssh would connect, and the number under which the cookie is filed; None for rarer forms."""
    if display.startswith("/"):
        return ((display,), b"0") if sys.platform == "darwin" else None
    host, colon, rest = display.rpartition(":")
    number = rest.partition(".")[0]
    if not colon or not number.isdecimal() or int(number) > 59535:
        return None
    if host in {"", "unix"}:
        path = f"/tmp/.X11-unix/X{number}"  # noqa: S108  where every X server on Unix listens
        abstract = (f"\0{path}",) if sys.platform.startswith("linux") else ()
        return (*abstract, path), number.encode()
    return (((host, 6000 + int(number)),), number.encode()) if host in {"localhost", "127.0.0.1"} else None


def _connect(addresses: tuple[str | tuple[str, int], ...], timeout: float) -> socket.socket | None:
    import socket

    for address in addresses:
        made = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        made.settimeout(timeout)
        try:
            made.connect(address)
        except OSError:
            made.close()
            continue
        return made
    return None


def _cookie(environ: Mapping[str, str], number: bytes) -> bytes:
    """The cookie that XauGetBestAuthByAddr would choose for a display of this machine, b"" without one."""
    path = environ.get("XAUTHORITY")
    if path is None:
        path = f"{environ.get('HOME', '')}/.Xauthority"
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        return b""
    here = os.fsencode(os.uname().nodename)
    at = 0
    while at + 2 <= len(data):
        family = int.from_bytes(data[at : at + 2], "big")
        at += 2
        parts = []
        for _ in range(4):
            size = int.from_bytes(data[at : at + 2], "big")
            parts.append(data[at + 2 : at + 2 + size])
            at += 2 + size
        address, filed, name, secret = parts
        ours = family == _FAMILY_WILD or (family == _FAMILY_LOCAL and address == here)
        if ours and name == _COOKIE_NAME and filed in {b"", number} and at <= len(data):
            return secret
    return b""


def _greet(connection: socket.socket, cookie: bytes) -> bool:
    """X Window System Protocol, section 8, connection setup."""
    name = _COOKIE_NAME if cookie else b""
    head = b"l\0" + (11).to_bytes(2, "little") + b"\0\0"
    lengths = len(name).to_bytes(2, "little") + len(cookie).to_bytes(2, "little") + b"\0\0"
    connection.sendall(head + lengths + _padded(name) + _padded(cookie))
    answer = _read(connection, 8)
    rest = 4 * int.from_bytes(answer[6:8], "little")
    if answer[0] != 1 or rest > _MOST:
        return False
    _read(connection, rest)
    return True


def _has_security(connection: socket.socket) -> bool:
    words = (2 + len(_padded(_SECURITY)) // 4).to_bytes(2, "little")
    size = len(_SECURITY).to_bytes(2, "little")
    connection.sendall(bytes([_QUERY_EXTENSION, 0]) + words + size + b"\0\0" + _padded(_SECURITY))
    while True:
        packet = _read(connection, 32)
        if packet[0] == 0:
            return False
        if packet[0] == 1:
            return packet[8] == 1  # anything else is an event, such as MappingNotify


def _read(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ValueError("the connection ended")
        data += more
    return data


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
