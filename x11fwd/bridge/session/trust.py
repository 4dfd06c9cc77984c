"""What the local half shows the X server: the real cookie, or one made for it by SECURITY; for `process`.

As ssh -X does with `xauth generate`, but without xauth, and the cookie is revoked at the end, which also ends
whoever still uses it. (Security Extension Specification, sections 4.2 and 4.3)
"""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import TYPE_CHECKING

from x11fwd.errors import DisplayError
from x11fwd.x11 import requests as rq
from x11fwd.x11.authority import authority_path, find_cookie, read_authority
from x11fwd.x11.client import connect
from x11fwd.x11.display import parse_display
from x11fwd.x11.faults import RequestError
from x11fwd.x11.stream import Deadline, open_address
from x11fwd.x11.wire import NATIVE_ORDER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from x11fwd.x11.authority import Cookie
    from x11fwd.x11.connection import Connection
    from x11fwd.x11.display import DisplayName

COOKIE = b"MIT-MAGIC-COOKIE-1"
_PATIENCE = 10.0  # seconds for a question to the X server
_GENERATE, _REVOKE = 1, 2  # minor opcodes
_TIMEOUT, _TRUST = 1 << 0, 1 << 1  # the value mask, securproto.h
_NEVER, _UNTRUSTED = 0, 1


class Screen:
    """The X server of this machine, with a connection of our own that stays open.

    A server that resets with its last client would forget its atoms and cookies without it.

    Args:
        display: value of DISPLAY.
        trusted: programs may do what those of this machine may.

    Raises:
        DisplayError: the X server does not let us in.
        MalformedDisplayError: DISPLAY means nothing.
    """

    def __init__(self, display: str, environ: Mapping[str, str], *, trusted: bool) -> None:
        self._display: DisplayName = parse_display(display)
        cookie = _real_cookie(self._display, environ)
        self._connection: Connection = connect(self._display, cookie, _PATIENCE)
        self.name = COOKIE if cookie else b""
        self.data = cookie.data if cookie else b""
        self._made: int | None = None
        self._major = 0
        if not trusted:
            self._generate()

    def open(self) -> socket.socket:
        """A socket to it; raises OSError."""
        problem: OSError | None = None
        for address in self._display.addresses():
            try:
                return open_address(address, Deadline(_PATIENCE))
            except OSError as error:  # noqa: PERF203
                problem = error
            except DisplayError as error:
                problem = OSError(str(error))
        raise problem or OSError("DISPLAY names no address")

    def close(self) -> None:
        """Revoke the cookie and hang up."""
        with contextlib.suppress(DisplayError):
            if self._made is not None:
                words = struct.pack(f"{NATIVE_ORDER.value}BBHI", self._major, _REVOKE, 2, self._made)
                # it has no reply; the one to the question behind it comes with an unexpected number
                self._connection.ask_all([words + rq.encode_get_input_focus(NATIVE_ORDER)])
        self._connection.close()

    def _generate(self) -> None:
        order = NATIVE_ORDER.value
        answer = self._connection.ask_all([rq.encode_query_extension(NATIVE_ORDER, "SECURITY")])[0]
        if isinstance(answer, RequestError) or not answer[8]:
            raise DisplayError("the X server has no SECURITY extension, so it knows no untrusted programs")
        self._major = answer[9]
        name = COOKIE + b"\0" * (-len(COOKIE) % 4)
        body = struct.pack(f"{order}HHI", len(COOKIE), 0, _TIMEOUT | _TRUST) + name
        body += struct.pack(f"{order}II", _NEVER, _UNTRUSTED)
        head = struct.pack(f"{order}BBH", self._major, _GENERATE, 1 + len(body) // 4)
        made = self._connection.ask_all([head + body])[0]
        if isinstance(made, RequestError):
            raise DisplayError("the X server makes no cookie for untrusted programs")
        self._made, size = struct.unpack_from(f"{order}IH", made, 8)
        self.name, self.data = COOKIE, made[32 : 32 + size]


def _real_cookie(display: DisplayName, environ: Mapping[str, str]) -> Cookie | None:
    path = authority_path(environ.get("XAUTHORITY"), environ.get("HOME"))
    if not path:
        return None
    return find_cookie(read_authority(path).records, display, socket.gethostname())
