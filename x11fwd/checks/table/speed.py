"""Section F of the catalogue: slow, and cut off; one row a check, for the table alone."""

from __future__ import annotations

from x11fwd.checks import speed
from x11fwd.checks.check import Check, Link
from x11fwd.checks.report import Side

_R = Side.REMOTE

CHECKS: tuple[Check, ...] = (
    Check("tk-256-round-trips", _R, speed.first_figure),
    Check("tk-update-round-trips", _R, speed.redraw),
    Check("no-compression", _R, speed.compression),
    Check("laptop-sleep", _R, speed.keep_alive),
    Check("x-server-died", _R, speed.server_died, needs=(Link.COOKIE, Link.REACH)),
)
