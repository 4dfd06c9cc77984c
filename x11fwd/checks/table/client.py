"""Section B of the catalogue: this machine's ssh and its settings; one row a check, for the table alone."""

from __future__ import annotations

from x11fwd.checks import local_display
from x11fwd.checks.check import Check, Link
from x11fwd.checks.report import Side

_L = Side.LOCAL

CHECKS: tuple[Check, ...] = (
    Check("local-xauth-missing-trusted", _L, local_display.xauth_missing, Link.DISPLAY, shown=True),
)
