"""What `%h`, `~` and `${NAME}` mean in ssh's file names and commands; only the transports import it."""

from __future__ import annotations

import hashlib
import os
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from x11fwd.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from x11fwd.target import SshConfig

__all__ = ["LocalUser", "expand_file", "expand_percent", "tokens"]

_ENVIRONMENT = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class LocalUser:
    """Who runs ssh here: name, number and home as the password database has them, and this machine's name."""

    name: str
    uid: int
    home: str
    host: str

    @classmethod
    def current(cls) -> LocalUser:
        """ssh does not look at $HOME either (misc.c, tilde_expand); it stands in for a missing entry."""
        if not hasattr(os, "getuid"):  # Windows has no password database
            return cls(os.environ.get("USERNAME", ""), -1, str(Path.home()), socket.gethostname())
        import pwd

        uid = os.getuid()
        try:
            entry = pwd.getpwuid(uid)
        except KeyError:
            return cls(str(uid), uid, str(Path.home()), socket.gethostname())
        return cls(entry.pw_name, uid, entry.pw_dir, socket.gethostname())


def tokens(config: SshConfig, typed_host: str, user: LocalUser) -> dict[str, str]:
    """The %-tokens of ssh_config(5), section TOKENS.

    Args:
        typed_host: the host as given on the command line (`%n`).
    """
    jump = config.proxy_jump or ""
    parts = (user.host, config.hostname, str(config.port), config.user, jump)
    return {
        "%": "%",
        "C": hashlib.sha1("".join(parts).encode(), usedforsecurity=False).hexdigest(),  # readconf.c
        "d": user.home,
        "h": config.hostname,
        "i": str(user.uid),
        "j": jump,
        "k": config.host_key_alias or typed_host,
        "L": user.host.partition(".")[0],
        "l": user.host,
        "n": typed_host,
        "p": str(config.port),
        "r": config.user,
        "u": user.name,
    }


def expand_percent(text: str, known: Mapping[str, str]) -> str:
    """Replace the %-tokens.

    Raises:
        UsageError: an unknown token, which ssh refuses as well (misc.c, vdollar_percent_expand).
    """

    def value(match: re.Match[str]) -> str:
        if match[1] not in known:
            raise UsageError(f"the token {match[0]!r} in {text!r} of your ssh configuration is unknown here")
        return known[match[1]]

    return re.sub(r"%(.?)", value, text, flags=re.DOTALL)


def expand_file(text: str, known: Mapping[str, str], environment: Mapping[str, str]) -> str:
    """A file name of ssh_config: environment variables, tokens, and `~` of the local user.

    `~other/` is left alone: the password database is not asked.

    Raises:
        UsageError: a variable is not set, or a token is unknown.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] not in environment:
            raise UsageError(f"{match[0]} in {text!r} of your ssh configuration is not set")
        return environment[match[1]]

    name = expand_percent(_ENVIRONMENT.sub(value, text), known)
    if name == "~" or name.startswith("~/"):
        return known["d"] + name[1:]
    return name
