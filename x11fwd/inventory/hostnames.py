"""The first word of a host line: a name, a range, an address, a port or a user with it; for the parsers."""

from __future__ import annotations

import ipaddress
import re

from x11fwd.inventory.ranges import expand

__all__ = ["host_names"]

_PORT = re.compile(r"(.+):(\d{1,5})")
_GOOD = re.compile(r"[^\s:,;&!~*?/\\'\"`$|<>(){}\[\]]+")


def host_names(word: str) -> tuple[list[str], int | None]:
    """The names a word stands for, and the port that it ends with.

    `ana@gpu1` and `ssh://ana@gpu1:2222` are names as they stand: targets, as on our command line.

    Raises:
        ValueError: it is no name; the message is a clause.
    """
    if word.startswith("ssh://"):
        return [word], None
    if _is_address(word):
        return [word], None
    if word.startswith("["):
        inside, _, rest = word[1:].partition("]")
        if _is_address(inside):
            if rest and not re.fullmatch(r":\d{1,5}", rest):
                raise ValueError("behind the brackets of an address comes `:port`, or nothing")
            return [inside], _port(rest[1:]) if rest else None
    port = None
    found = _PORT.fullmatch(word)
    if found is not None and not found[1].endswith(":") and "[" not in found[2]:
        word, port = found[1], _port(found[2])
    names = expand(word)
    for name in names:
        if not _GOOD.fullmatch(name) or name.startswith("-"):
            raise ValueError("this is no name of a host")
    return names, port


def _is_address(word: str) -> bool:
    try:
        return ipaddress.ip_address(word.partition("%")[0]).version == 6
    except ValueError:
        return False


def _port(digits: str) -> int:
    if not 1 <= int(digits) <= 65535:
        raise ValueError(f"{digits} is no port number (1 to 65535)")
    return int(digits)
