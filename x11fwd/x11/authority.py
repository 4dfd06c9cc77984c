"""The .Xauthority file and which cookie libXau would choose; anything above `errors` may import it."""

from __future__ import annotations

import os
import socket
import stat
import struct
import tempfile
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from x11fwd.x11.display import DisplayName

MAGIC_COOKIE = "MIT-MAGIC-COOKIE-1"

# libXau, Xauth.h. Other numbers may stand in a file; they are kept and never match.
FAMILY_INTERNET = 0
FAMILY_INTERNET6 = 6
FAMILY_LOCAL = 256
FAMILY_WILD = 65535

LOCK_WAIT = 20.0  # seconds: xauth's 10 tries, 2 seconds apart (XAUTH_DEFAULT_RETRIES, XAUTH_DEFAULT_TIMEOUT)
LOCK_DEAD_AFTER = 600.0  # seconds since ctime after which xauth breaks a lock (XAUTH_DEFAULT_DEADTIME)


@dataclass(frozen=True)
class Cookie:
    """What a program shows the X server; the secret is never part of the repr."""

    data: bytes = field(repr=False)
    name: str = MAGIC_COOKIE

    @classmethod
    def from_hex(cls, text: str, name: str = MAGIC_COOKIE) -> Cookie:
        """The cookie from `xauth list`'s third column. Raises ValueError, which does not quote the text."""
        try:
            return cls(bytes.fromhex(text), name)
        except ValueError:
            raise ValueError("a cookie is an even number of hexadecimal digits") from None


@dataclass(frozen=True)
class Record:
    """One entry of an authority file; `number` is the display number in decimal, `b""` for any display."""

    family: int
    address: bytes
    number: bytes
    name: bytes
    data: bytes = field(repr=False)

    @property
    def cookie(self) -> Cookie:
        return Cookie(self.data, self.name.decode("latin-1"))

    @property
    def display(self) -> str:
        """The display as `xauth list` prints it: `host/unix:0`, `192.0.2.1:0`, `#ffff##:0`."""
        return f"{self._where()}:{self.number.decode('latin-1')}"

    def _where(self) -> str:
        if self.family == FAMILY_LOCAL:
            return f"{self.address.decode('utf-8', 'replace')}/unix"
        if self.family == FAMILY_INTERNET and len(self.address) == 4:
            return socket.inet_ntop(socket.AF_INET, self.address)
        if self.family == FAMILY_INTERNET6 and len(self.address) == 16:
            return f"[{socket.inet_ntop(socket.AF_INET6, self.address)}]"
        return f"#{self.family:04x}#{self.address.hex()}#"


class AuthorityStatus(Enum):
    """What was found where the authority file should be."""

    OK = "ok"
    MISSING = "missing"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    UNREADABLE = "unreadable"
    NOT_A_FILE = "not-a-file"


@dataclass(frozen=True)
class Authority:
    """An authority file as read.

    Attributes:
        records: the whole records before the damage, which are all that libXau sees of a truncated file.
        damaged: number of the record that the file ends in, counted from 1; 0 if it ends well.
        reason: the system's words for an unreadable file, else `""`.
    """

    status: AuthorityStatus
    records: tuple[Record, ...] = ()
    damaged: int = 0
    reason: str = ""


def parse_authority(data: bytes) -> Authority:
    """Read the format of libXau's XauReadAuth: per record a big-endian family and four counted strings."""
    records: list[Record] = []
    offset = 0
    while offset < len(data):
        end = _end_of_record(data, offset)
        if end is None:
            return Authority(AuthorityStatus.TRUNCATED, tuple(records), damaged=len(records) + 1)
        records.append(_record(data, offset))
        offset = end
    return Authority(AuthorityStatus.OK if records else AuthorityStatus.EMPTY, tuple(records))


def _end_of_record(data: bytes, offset: int) -> int | None:
    offset += 2
    for _ in range(4):
        if offset + 2 > len(data):
            return None
        offset += 2 + int.from_bytes(data[offset : offset + 2], "big")
    return offset if offset <= len(data) else None


def _record(data: bytes, offset: int) -> Record:
    family = int.from_bytes(data[offset : offset + 2], "big")
    offset += 2
    parts: list[bytes] = []
    for _ in range(4):
        length = int.from_bytes(data[offset : offset + 2], "big")
        parts.append(data[offset + 2 : offset + 2 + length])
        offset += 2 + length
    return Record(family, *parts)


def read_authority(path: str | Path) -> Authority:
    """Read an authority file; every way in which that can fail is a status, never an exception."""
    if not str(path):
        return Authority(
            AuthorityStatus.MISSING
        )  # XAUTHORITY="": pathlib would take it for the working directory
    try:
        # A named pipe would block, a directory (made by `docker run -v`) has its own cure.
        mode = Path(path).stat().st_mode
        if not stat.S_ISREG(mode):
            kind = "a directory" if stat.S_ISDIR(mode) else "not a regular file"
            return Authority(AuthorityStatus.NOT_A_FILE, reason=kind)
        return parse_authority(Path(path).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return Authority(AuthorityStatus.MISSING)
    except OSError as error:
        return Authority(AuthorityStatus.UNREADABLE, reason=error.strerror or type(error).__name__)


def authority_path(xauthority: str | None, home: str | None) -> str | None:
    """The file that libXau's XauFileName names: `XAUTHORITY` even if empty, else `.Xauthority` in `HOME`."""
    if xauthority is not None:
        return xauthority
    return f"{'' if home == '/' else home}/.Xauthority" if home else None


def lock_paths(path: str | Path) -> tuple[Path, Path]:
    """The two lock files that xauth makes beside the file; left over, they cost `LOCK_WAIT` per login."""
    return Path(f"{path}-c"), Path(f"{path}-l")  # XauLockAuth creates the first and links it to the second


def dump_authority(records: Iterable[Record]) -> bytes:
    """The file content for these records, in their order. Raises ValueError for a field over 65535 bytes."""
    parts: list[bytes] = []
    for record in records:
        parts.append(struct.pack(">H", record.family))
        for value in (record.address, record.number, record.name, record.data):
            if len(value) > 0xFFFF:
                raise ValueError("a field of an authority record holds at most 65535 bytes")
            parts.append(struct.pack(">H", len(value)) + value)
    return b"".join(parts)


def write_authority(path: str | Path, records: Iterable[Record]) -> None:
    """Write an authority file of our own, mode 0600, in one move.

    It takes no lock, so it is not for a user's ~/.Xauthority: that one is xauth's to change.

    Raises:
        OSError: the directory cannot be written or is full.
    """
    target = Path(path)
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(dump_authority(records))
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def local_record(hostname: str, number: int, data: bytes) -> Record:
    """The record for display `number` of this machine, as `xauth add host/unix:N . hex` makes it."""
    return Record(FAMILY_LOCAL, os.fsencode(hostname), str(number).encode(), MAGIC_COOKIE.encode(), data)


def find_record(
    records: Sequence[Record], display: DisplayName, hostname: str, *, peer: str | None = None
) -> Record | None:
    """The record that libxcb would use (`get_authptr` in xcb_auth.c, then XauGetBestAuthByAddr in libXau).

    Only MIT-MAGIC-COOKIE-1 is asked for: it is the only method that today's servers and OpenSSH speak.

    Args:
        hostname: what gethostname() says; FamilyLocal records carry it: a renamed machine loses its cookies.
        peer: the numeric address that the display's host resolves to, for a display on another machine.
    """
    key = _lookup_key(display, hostname, peer)
    number = str(display.number).encode()
    for record in records:
        if record.name != MAGIC_COOKIE.encode() or record.number not in {b"", number}:
            continue
        if record.family == FAMILY_WILD or (record.family, record.address) == key:
            return record
    return None


def find_cookie(
    records: Sequence[Record], display: DisplayName, hostname: str, *, peer: str | None = None
) -> Cookie | None:
    """The cookie of `find_record`, or None where libxcb would connect without one."""
    record = find_record(records, display, hostname, peer=peer)
    return record.cookie if record else None


def _lookup_key(display: DisplayName, hostname: str, peer: str | None) -> tuple[int, bytes] | None:
    local = (FAMILY_LOCAL, os.fsencode(hostname))
    address = peer if peer is not None else display.host.strip("[]")
    if display.is_unix or (peer is None and display.is_local):
        return local
    try:
        packed = socket.inet_pton(socket.AF_INET6, address.partition("%")[0])
    except (OSError, ValueError):
        try:
            packed = socket.inet_pton(socket.AF_INET, address)
        except (OSError, ValueError):
            return None  # a host name that nobody resolved: only a wild record can match
    if len(packed) == 16 and packed.startswith(b"\0" * 10 + b"\xff\xff"):
        packed = packed[12:]  # IPv4 mapped into IPv6 counts as IPv4
    # Loopback means exactly INADDR_LOOPBACK and ::1; 127.0.1.1 is a foreign address to libxcb.
    if packed in {b"\x7f\0\0\1", b"\0" * 15 + b"\1"}:
        return local
    return (FAMILY_INTERNET if len(packed) == 4 else FAMILY_INTERNET6), packed
