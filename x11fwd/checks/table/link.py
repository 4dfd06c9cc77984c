"""The connection and what became of the request for X11; one row a check, for the table alone."""

from __future__ import annotations

from x11fwd.checks import client_config, connection, routes
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
    Check(
        "ssh-no-x11-request",
        _C,
        client_config.no_request,
        Link.REQUEST,
        needs=(Link.SWITCH, Link.GRANT),
    ),
    Check("ssh-background-race", _C, client_config.background_race, Link.REACH),
    Check("sendenv-display", _C, client_config.sendenv_display, Link.REACH),
    Check("jump-second-hop", _C, connection.second_hop),
    Check("key-no-x11", _C, connection.key_options, Link.GRANT),
    Check("gateway-not-passing-x11", _C, connection.gateway, Link.GRANT),
    Check(
        "server-not-openssh",
        _C,
        connection.not_openssh,
        Link.GRANT,
        needs=("gateway-not-passing-x11",),
    ),
    Check(
        "x11-request-refused",
        _C,
        connection.refused,
        needs=(Link.DISPLAY, Link.REQUEST, Link.SWITCH, Link.GRANT, Link.RELOAD),
        shown=True,
    ),
    Check("bridge-route", _C, routes.bridge, shown=True),
)
