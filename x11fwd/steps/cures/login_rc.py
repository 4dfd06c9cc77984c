"""Cure of an `~/.ssh/rc` that leaves the cookie of the login unread (F80); cures only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.steps.cures.blocks import has_block, on_top

if TYPE_CHECKING:
    from x11fwd.steps.cures.ground import Ground

__all__ = ["take_cookie"]

# sshd(8), SSHRC: protocol and cookie come on standard input, and xauth is this file's business. printf is a
# builtin, so the cookie is in nobody's list of arguments.
_LINES = (
    'if [ -n "${DISPLAY:-}" ] && read -r x11fwd_protocol x11fwd_cookie; then',
    "    case $DISPLAY in",
    "    localhost:*) x11fwd_name=unix:${DISPLAY#localhost:} ;;",
    "    *) x11fwd_name=$DISPLAY ;;",
    "    esac",
    '    printf \'add %s %s %s\\n\' "$x11fwd_name" "$x11fwd_protocol" "$x11fwd_cookie" | xauth -q -',
    "    unset x11fwd_protocol x11fwd_cookie x11fwd_name",
    "fi",
)


def take_cookie(ground: Ground) -> None:
    """Only the user's own file: /etc/ssh/sshrc is the administrator's."""
    path = f"{ground.home}/.ssh/rc"
    if ground.remote is None or ground.remote.ssh_rc != path:
        return

    def change(text: str) -> str | None:
        return None if has_block(text, "cookie") else on_top(text, "cookie", *_LINES)

    ground.edit(path, "Let ~/.ssh/rc store the cookie of the login", change)
