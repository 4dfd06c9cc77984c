"""The authority file of the display that the remote half opens; `door` imports it (Xauth(3), libXau)."""

import errno
import os
import struct
from typing import Sequence, Tuple

COOKIE_NAME = b"MIT-MAGIC-COOKIE-1"
COOKIE_SIZE = 16  # bytes
FAMILY_INTERNET, FAMILY_LOCAL, FAMILY_WILD = 0, 256, 65535


def authority_path(folder: str, number: int) -> str:
    """Where it is: for the same number the same, so that what runs in tmux finds its cookie.

    The host's name is in it, because a home may be that of many hosts.
    """
    host = "".join(one if one.isalnum() and one < "\x7f" else "-" for one in os.uname().nodename)
    return "%s/authority-%s-%d" % (folder, host[:64], number)


def _entry(family: int, address: bytes, number: int, cookie: bytes) -> bytes:
    """One entry: the family and four counted strings, big-endian (libXau, AuWrite.c)."""
    parts = (address, b"%d" % number, COOKIE_NAME, cookie)
    return struct.pack(">H", family) + b"".join(struct.pack(">H", len(part)) + part for part in parts)


def write_authority(
    path: str, number: int, cookie: bytes, addresses: "Sequence[bytes]" = ()
) -> "Tuple[int, int, int]":
    """Put the file there; what it is known by.

    FamilyWild fits whatever way a library asks; FamilyLocal is what some others look for only. `addresses`
    are IPv4 addresses that DISPLAY leads to: without one, `srun --x11` (Slurm, x11_util.c) sees no cookie.
    """
    name = os.fsencode(os.uname().nodename)
    data = _entry(FAMILY_LOCAL, name, number, cookie)
    data += b"".join(_entry(FAMILY_INTERNET, address, number, cookie) for address in addresses)
    data += _entry(FAMILY_WILD, b"", number, cookie)
    temporary = "%s.%d" % (path, os.getpid())
    remove_file(temporary)  # of a process of this number that was killed
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        if os.write(descriptor, data) != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)  # noqa: TRY301  cleaned up below
        mark = _mark_of(os.fstat(descriptor))
        os.rename(temporary, path)
    except BaseException:
        remove_file(temporary)
        raise
    finally:
        os.close(descriptor)
    return mark


def remove_authority(path: str, mark: "Tuple[int, int, int]") -> None:
    """Remove the file that `write_authority` made, unless somebody has put another one there."""
    try:
        if _mark_of(os.stat(path)) == mark:
            os.unlink(path)
    except OSError:
        pass


def _mark_of(status: os.stat_result) -> "Tuple[int, int, int]":
    return status.st_dev, status.st_ino, status.st_mtime_ns  # inodes are used again


def remove_file(path: str) -> None:
    """Remove it if it is there and that is possible."""
    try:
        os.unlink(path)
    except OSError:
        pass
