"""Cures in `~/.ssh/config`: blocks above everything else, where the first value wins (ssh_config(5))."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from x11fwd.facts.unknown import Unknown
from x11fwd.steps.cures.blocks import has_block, on_top

if TYPE_CHECKING:
    from collections.abc import Callable

    from x11fwd.steps.cures.ground import Ground

__all__ = ["LONGEST", "forward_timeout", "xauth_location"]

LONGEST = "24d"
"""With 0 the X server forgets an untrusted cookie a minute after the last window; from 2^31 ms on it dies."""

# Host takes patterns, and quotes and `#` mean something to ssh's reader (misc.c, argv_split)
_PLAIN_HOST = re.compile(r"[\w.:%-]+")
_FOLDER_THERE = '[ -d "$1" ]'


def xauth_location(ground: Ground) -> None:
    """F15: name the xauth that is there, for every host; above the first Host a line holds for all."""
    local = ground.local
    if local is None or local.xauth.path is None:
        return
    path = local.xauth.path
    if re.search(r"[^\w./+-]", path):
        # clientloop.c, client_x11_get_proto: the path goes to a shell as it is
        ground.note(f"ssh cannot run an xauth whose path has a blank or the like: {path}")
        return
    _first(
        ground,
        "Tell ssh where xauth is",
        lambda text: on_top(text, "xauth", f"XAuthLocation {path}"),
    )


def forward_timeout(ground: Ground) -> None:
    """F34: no 20 minutes for this host."""
    if ground.target is None:
        return
    host = ground.target.host
    if not _PLAIN_HOST.fullmatch(host):
        ground.note(f"no block of ~/.ssh/config can be made for a host called {host!r}")
        return
    name = f"timeout {host}"

    def change(text: str) -> str | None:
        if has_block(text, name):
            return None
        # `Host *` at the end: what stood before the first Host goes on to hold for all
        return on_top(text, name, f"Host {host}", f"    ForwardX11Timeout {LONGEST}", "Host *")

    _first(
        ground,
        f"Let windows of {host} open as long as the login lasts",
        change,
        note="24 days and not 0 (no limit): with 0 the X server forgets the cookie a minute after the last "
        "window is closed",
    )


def _first(ground: Ground, title: str, change: Callable[[str], str | None], note: str = "") -> None:
    """Change the user's file, and make its folder as ssh would."""
    if ground.target is not None and ground.target.options.config_file:
        ground.note(f"~/.ssh/config is left alone: -F names {ground.target.options.config_file} instead")
        return
    folder = f"{ground.home}/.ssh"
    there = ground.command("sh", "-c", _FOLDER_THERE, "sh", folder)
    if not isinstance(there, Unknown) and there.exit_status:
        ground.run(
            "Make the folder ~/.ssh, for you alone",
            ("sh", "-c", _FOLDER_THERE, "sh", folder),
            ("mkdir", "-m", "0700", "--", folder),
            ("sh", "-c", 'rmdir -- "$1" 2>/dev/null || :', "sh", folder),
            shown=(f"mkdir -m 0700 {folder}",),
        )
    ground.edit(f"{folder}/config", title, change, new=True, mode=0o600, note=note)
