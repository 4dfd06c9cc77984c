"""Cure of a Mac whose X server does not run; cures only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.steps.plan import RunCommand

if TYPE_CHECKING:
    from x11fwd.steps.cures.ground import Ground

# it is up when its process is; the wait ends as soon as that is there
_OPEN = (
    "open -a XQuartz; n=0; until pgrep -qx X11.bin; do n=$((n + 1)); [ $n -lt 15 ] || exit 1; sleep 1; done"
)

__all__ = ["start_xquartz"]


def start_xquartz(ground: Ground) -> None:
    """`open -a` returns once the program is there; it stays when x11fwd ends."""
    local = ground.local
    if (
        local is None
        or local.system.kernel != "Darwin"
        or not (local.xauth.path or "").startswith("/opt/X11/")
    ):
        return
    runs = ("sh", "-c", "pgrep -qx Xquartz || pgrep -qx X11.bin")
    ground.run(
        "Start XQuartz",
        RunCommand(runs, ("sh", "-c", _OPEN), ("true",)),
        "open -a XQuartz",
    )
