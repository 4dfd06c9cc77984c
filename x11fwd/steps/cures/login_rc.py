"""Cure of an `~/.ssh/rc` that leaves the cookie of the login unread (F80); cures only."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from x11fwd.steps.cures.blocks import has_block, on_top

if TYPE_CHECKING:
    from x11fwd.steps.cures.ground import Ground

__all__ = ["take_cookie"]

# sshd(8), SSHRC: protocol and cookie come on standard input, and xauth is this file's business. printf is a
# builtin, so the cookie is in nobody's list of arguments. sshd runs the file with /bin/sh, whatever its `#!`.
_LINES = (
    'if [ -n "${DISPLAY:-}" ] && read -r x11fwd_protocol x11fwd_cookie; then',
    "    case $DISPLAY in",
    "    localhost:*) x11fwd_name=unix:${DISPLAY#localhost:} ;;",
    "    *) x11fwd_name=$DISPLAY ;;",
    "    esac",
    '    printf \'add %s %s %s\\n\' "$x11fwd_name" "$x11fwd_protocol" "$x11fwd_cookie" | XAUTH -q -',
    "    unset x11fwd_protocol x11fwd_cookie x11fwd_name",
    "fi",
)


def take_cookie(ground: Ground) -> None:
    """Only the user's own file: /etc/ssh/sshrc is the administrator's."""
    path = f"{ground.home}/.ssh/rc"
    if ground.remote is None or ground.remote.ssh_rc != path:
        return
    xauth = quote(ground.remote.xauth.path or "xauth")  # PATH is sshd's own there, and may not have it
    lines = tuple(line.replace("XAUTH", xauth) for line in _LINES)

    def change(text: str) -> str | None:
        return None if has_block(text, "cookie") else on_top(text, "cookie", *lines)

    ground.edit(path, "Let ~/.ssh/rc store the cookie of the login", change)
