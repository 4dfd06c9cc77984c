"""The connection and what became of the request for X11; one row a check, for the table alone."""

from __future__ import annotations

from x11fwd.checks import connection
from x11fwd.checks.check import Check, Link
from x11fwd.checks.report import Side

_C = Side.LINK

CHECKS: tuple[Check, ...] = (
    Check("ssh-connection", _C, connection.connected, Link.CONNECTION, shown=True),
    Check(
        "probe-unanswered",
        _C,
        connection.unanswered,
        Link.CONNECTION,
        needs=("forced-command", "no-shell-account", "start-file-execs-shell"),
    ),
    Check("key-no-x11", _C, connection.key_options, Link.GRANT),
    Check("server-not-openssh", _C, connection.not_openssh, Link.GRANT),
    Check(
        "x11-request-refused",
        _C,
        connection.refused,
        needs=(Link.DISPLAY, Link.REQUEST, Link.SWITCH, Link.GRANT, Link.RELOAD),
        shown=True,
    ),
)
