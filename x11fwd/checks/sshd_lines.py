"""The lines of sshd's files that speak of a keyword, for the checks about sshd alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from x11fwd.facts.sshd_config import Connection, SshdLine, read_lines

if TYPE_CHECKING:
    from x11fwd.checks.check import Seen

__all__ = ["connection_of", "lines_about", "scoped", "shown"]

_MAIN = "/etc/ssh/sshd_config"


def lines_about(seen: Seen, keyword: str) -> tuple[SshdLine, ...] | None:
    """Every line about `keyword`, in the order in which sshd reads them; None where they cannot be read."""
    sshd = seen.there.sshd
    if not isinstance(sshd.files, Mapping):
        return None
    main = sshd.config_file if isinstance(sshd.config_file, str) else _MAIN
    lines = read_lines(main, sshd.files, sshd.globs or None)
    return tuple(line for line in lines if line.keyword == keyword)


def connection_of(seen: Seen) -> Connection:
    """What Match blocks would look at; SSH_CONNECTION is "client port server port" (ssh(1), ENVIRONMENT)."""
    remote = seen.there
    words = remote.start_environment.get("SSH_CONNECTION", "").split()
    known = words if len(words) == 4 and words[3].isdigit() else None
    return Connection(
        user=remote.user,
        groups=remote.groups or None,
        address=known[0] if known else None,
        local_address=known[2] if known else None,
        local_port=int(known[3]) if known else None,
    )


def shown(line: SshdLine) -> str:
    inside = f" (inside Match {' / '.join(line.matches)})" if scoped(line) else ""
    return f"{line}: {line.text}{inside}"


def scoped(line: SshdLine) -> bool:
    """True inside a Match block that is not about everybody."""
    return any(one.lower() != "all" for one in line.matches)
