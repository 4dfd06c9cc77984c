"""What a DISPLAY value means to libxcb and to OpenSSH, as pure values; all above `errors` may import it."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from enum import Enum

TCP_PORT_BASE = 6000  # X Window System Protocol, appendix B: display n listens on TCP port 6000+n
UNIX_SOCKET_PREFIX = "/tmp/.X11-unix/X"  # noqa: S108  the rendezvous directory that every X server on Unix uses

# clientloop.c, SSH_X11_VALID_DISPLAY_CHARS; isalnum() there runs in the C locale, so only ASCII counts.
_SSH_ALLOWED = re.compile(r"[A-Za-z0-9:/.\-_]*")
_NUMBERS = re.compile(r"(?P<number>[0-9]+)(?:\.(?P<screen>[0-9]+))?")
_PATH_SCREEN = re.compile(r"(?P<path>.+)\.(?P<screen>[1-9][0-9]*)")
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1", "[::1]"})


class MalformedDisplayError(ValueError):
    """A DISPLAY value that no X program can use; `reason` says which part, `text` is the value."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"DISPLAY {text!r}: {reason}")
        self.text = text
        self.reason = reason


class AddressKind(Enum):
    """How a display is reached."""

    ABSTRACT = "abstract"
    UNIX = "unix"
    TCP = "tcp"


@dataclass(frozen=True)
class Address:
    """One place to connect to. `path` for sockets of the Unix kind, `host` and `port` for TCP."""

    kind: AddressKind
    path: str = ""
    host: str = ""
    port: int = 0

    def __str__(self) -> str:
        if self.kind is AddressKind.TCP:
            return f"{self.host} port {self.port}"
        return f"@{self.path}" if self.kind is AddressKind.ABSTRACT else self.path


@dataclass(frozen=True)
class DisplayName:
    """A parsed DISPLAY.

    Attributes:
        protocol: the word before `/` (`tcp`, `inet`, `inet6`, `unix`) or `""`.
        host: host as written, brackets of an IPv6 address kept; `""` for this machine.
        number, screen: display and screen number; libxcb takes display 0 for a socket path.
        socket_path: where DISPLAY is a path (launchd on macOS), the socket, without a `.screen` at its end.
        text: the value as it was given.
    """

    protocol: str
    host: str
    number: int
    screen: int
    socket_path: str = ""
    text: str = ""

    def __str__(self) -> str:
        """The shortest value that means the same: `:0`, `localhost:10`, `tcp/host:1.2`."""
        screen = f".{self.screen}" if self.screen else ""
        if self.socket_path:
            return f"{self.socket_path}{screen}"
        protocol = f"{self.protocol}/" if self.protocol else ""
        return f"{protocol}{self.host}:{self.number}{screen}"

    @property
    def is_unix(self) -> bool:
        """True where libxcb tries a socket of this machine first (`_xcb_open` in xcb_util.c)."""
        return bool(self.socket_path) or self.protocol == "unix" or self.host in {"", "unix"}

    @property
    def is_local(self) -> bool:
        """True for this machine, by socket or loopback; such displays have their cookie under FamilyLocal."""
        return self.is_unix or self.host.lower() in _LOOPBACK_NAMES

    def addresses(self, *, abstract: bool | None = None) -> tuple[Address, ...]:
        """Where libxcb would connect, in its order; empty where it would not try at all (`tcp/:0`).

        Args:
            abstract: whether the system has abstract sockets; by default, whether this is Linux.
        """
        if abstract is None:
            abstract = sys.platform.startswith("linux")
        if self.socket_path:
            # libxcb looks whether the whole value is a socket before it takes ".1" off as a screen.
            whole = (
                (Address(AddressKind.UNIX, path=f"{self.socket_path}.{self.screen}"),) if self.screen else ()
            )
            return (*whole, Address(AddressKind.UNIX, path=self.socket_path))
        if not self.is_unix:
            return (self._tcp(self.host),)
        if self.protocol not in {"", "unix"}:
            return ()
        path = f"{UNIX_SOCKET_PREFIX}{self.number}"
        found = [Address(AddressKind.ABSTRACT, path=path)] if abstract else []
        found.append(Address(AddressKind.UNIX, path=path))
        if not self.protocol and not self.host and self.number <= 65535 - TCP_PORT_BASE:
            found.append(self._tcp("localhost"))  # the last resort of _xcb_open, only for ":n"
        return tuple(found)

    def _tcp(self, host: str) -> Address:
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        return Address(AddressKind.TCP, host=bare, port=TCP_PORT_BASE + self.number)


def parse_display(text: str) -> DisplayName:
    """Parse DISPLAY as `_xcb_parse_display` in libxcb's xcb_util.c does, without looking at the file system.

    Two differences: signs and spaces that C's `strtoul` lets pass are refused, and so is a number whose TCP
    port would not fit in 16 bits.

    Raises:
        MalformedDisplayError: with the part that is wrong.
    """
    if not text:
        raise MalformedDisplayError(text, "it is empty")
    if "\0" in text:
        raise MalformedDisplayError(text, "it has a NUL character")
    path = text.removeprefix("unix:")
    if path.startswith("/"):
        return _parse_path(text, path)
    protocol, slash, rest = text.rpartition("/")
    if slash and not protocol:
        raise MalformedDisplayError(text, "there is no protocol before the slash")
    if slash and protocol not in {"tcp", "inet", "inet6", "unix"}:
        raise MalformedDisplayError(text, f"{protocol!r} is no protocol (tcp, inet, inet6, unix)")
    host, colon, numbers = rest.rpartition(":")
    if not colon:
        raise MalformedDisplayError(text, "there is no colon before a display number")
    found = _NUMBERS.fullmatch(numbers)
    if not found:
        raise MalformedDisplayError(text, f"{numbers!r} is no display number")
    number = int(found["number"])
    parsed = DisplayName(protocol, host, number, int(found["screen"] or 0), text=text)
    if number > (2**31 - 1 if parsed.is_unix else 65535 - TCP_PORT_BASE):
        raise MalformedDisplayError(text, f"display number {number} is too large")
    return parsed


def _parse_path(text: str, path: str) -> DisplayName:
    if path.endswith("/"):
        raise MalformedDisplayError(text, "it is a directory, not a socket")
    found = _PATH_SCREEN.fullmatch(path)
    if found:
        return DisplayName("unix", "", 0, int(found["screen"]), socket_path=found["path"], text=text)
    return DisplayName("unix", "", 0, 0, socket_path=path, text=text)


def ssh_accepts(text: str) -> bool:
    """True if OpenSSH's client would take this DISPLAY (`client_x11_display_valid` in clientloop.c)."""
    return bool(text) and _SSH_ALLOWED.fullmatch(text) is not None


def ssh_xauth_name(text: str) -> str:
    """The name that OpenSSH's client gives to `xauth list` (`client_x11_get_proto` in clientloop.c)."""
    return f"unix:{text[len('localhost:') :]}" if text.startswith("localhost:") else text


def ssh_addresses(
    display: DisplayName, *, abstract: bool | None = None, launchd: bool | None = None
) -> tuple[Address, ...]:
    """Where OpenSSH's client connects for windows (`x11_connect_display` in channels.c); empty if nowhere.

    It knows fewer forms than libxcb: no `tcp/`, no brackets, no fall-back to TCP, socket paths on macOS only.

    Args:
        abstract: whether the system has abstract sockets; by default, whether this is Linux.
        launchd: whether ssh was built with launchd support; by default, whether this is macOS.
    """
    if not ssh_accepts(display.text):
        return ()
    if display.socket_path:
        on_mac = sys.platform == "darwin" if launchd is None else launchd
        return display.addresses(abstract=abstract) if on_mac and not display.text.startswith("unix:") else ()
    if display.protocol:
        return ()
    if display.text.startswith((":", "unix:")):
        return tuple(one for one in display.addresses(abstract=abstract) if one.kind is not AddressKind.TCP)
    # It cuts at the first colon, so a bare IPv6 address is not understood.
    return () if ":" in display.host else display.addresses(abstract=abstract)
