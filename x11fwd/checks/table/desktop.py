"""Section A of the catalogue: the X server on this machine; one row a check, for the table alone."""

from __future__ import annotations

from x11fwd.checks import local_display
from x11fwd.checks.check import Check, Link
from x11fwd.checks.report import Side

_L = Side.LOCAL

CHECKS: tuple[Check, ...] = (
    Check("local-ssh-missing", _L, local_display.ssh_missing),
    Check("local-display-unset", _L, local_display.unset, Link.DISPLAY),
    Check("local-display-bad-chars", _L, local_display.bad_chars, Link.DISPLAY),
    Check("local-display-malformed", _L, local_display.malformed, Link.DISPLAY),
    Check("local-display-tcp-not-listening", _L, local_display.tcp_not_listening),
    Check(
        "local-display-dead",
        _L,
        local_display.dead,
        Link.DISPLAY,
        needs=("local-display-bad-chars", "local-display-malformed", "local-display-tcp-not-listening"),
        shown=True,
    ),
    Check("x-server-client-limit", _L, local_display.client_limit, Link.DISPLAY),
    Check("local-xauthority-wrong", _L, local_display.xauthority_wrong, Link.DISPLAY, shown=True),
)
