"""Cure of a Mac whose X server does not run; cures only."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from x11fwd.steps.cures.ground import Ground

__all__ = ["start_xquartz"]

_RUNS = "pgrep -qx Xquartz || pgrep -qx X11.bin"
# `open` returns before the X server is there; the wait ends as soon as its process is
_OPEN = (
    f"open -a XQuartz || exit 1; n=0; until {_RUNS}; do n=$((n + 1)); [ $n -lt 15 ] || exit 1; sleep 1; done"
)


def start_xquartz(ground: Ground) -> None:
    """It stays when x11fwd ends, and `x11fwd undo` does not stop it."""
    local = ground.local
    if (
        local is None
        or local.system.kernel != "Darwin"
        or not (local.xauth.path or "").startswith("/opt/X11/")
    ):
        return
    ground.run("Start XQuartz", ("sh", "-c", _RUNS), ("sh", "-c", _OPEN), shown=("open -a XQuartz",))
