"""Cures in `~/.ssh/config`: blocks above everything else, where the first value wins (ssh_config(5))."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.steps.cures.blocks import has_block, on_top

if TYPE_CHECKING:
    from x11fwd.steps.cures.ground import Ground

__all__ = ["LONGEST", "forward_timeout", "xauth_location"]

LONGEST = "24d"
"""With 0 the X server forgets an untrusted cookie a minute after the last window; from 2^31 ms on it dies."""


def xauth_location(ground: Ground) -> None:
    """F15: name the xauth that is there, for every host; what stood before the first Host stays global."""
    local = ground.local
    if local is None or local.xauth.path is None or " " in local.xauth.path:
        return
    lines = ("Host *", f"    XAuthLocation {local.xauth.path}")
    ground.edit(
        f"{ground.home}/.ssh/config",
        "Tell ssh where xauth is",
        lambda text: on_top(text, "xauth", *lines),
        new=True,
        mode=0o600,
    )


def forward_timeout(ground: Ground) -> None:
    """F34: no 20 minutes for this host."""
    if ground.target is None:
        return
    host = ground.target.host
    if any(letter in host for letter in ' "*?!,'):
        return
    name = f"timeout {host}"

    def change(text: str) -> str | None:
        if has_block(text, name):
            return None
        return on_top(text, name, f"Host {host}", f"    ForwardX11Timeout {LONGEST}", "Host *")

    ground.edit(
        f"{ground.home}/.ssh/config",
        f"Let windows of {host} open as long as the login lasts",
        change,
        new=True,
        mode=0o600,
    )
