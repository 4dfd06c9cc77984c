"""The way a script's windows take where nobody says it: as `x11fwd ssh` chooses; pipeline/run.py uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.errors import UsageError
from x11fwd.pipeline.ssh import memory, route_of_host, routes
from x11fwd.pipeline.ssh.link import known_round_trip

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from x11fwd.transports.base import Transport

__all__ = ["choose_way", "configured_way"]


def configured_way(host: str, via: str, environ: Mapping[str, str]) -> str:
    """`via`, or where that is `auto` what the person's file of settings has for the host.

    Raises:
        UsageError: the file is wrong.
    """
    if via != routes.AUTO:
        return via
    try:
        return route_of_host.settings_of(host, environ).get("via", (routes.AUTO, ""))[0]
    except routes.ConfigError as error:
        raise UsageError(str(error)) from error


def choose_way(transport: Transport, ask: Callable[[], bool], environ: Mapping[str, str]) -> str:
    """`native` or `bridge` for a connection on which X11 forwarding was requested.

    Args:
        ask: whether the bridge may walk around a refusal of sshd's; the answer is kept.
    """
    granted = transport.x11.granted
    host, port = transport.config.first("hostname"), transport.config.first("port")
    if granted is None or not host or not port:
        return routes.NATIVE
    known = memory.recall(host, port, environ)
    known.granted = granted
    known.round_trip = transport.round_trip or known_round_trip(host, port, environ)
    route = routes.choose(routes.AUTO, "", known)
    consent = (ask() or None) if route.way == routes.ASK else None
    memory.remember(host, port, environ, granted=granted, consent=consent)
    return routes.BRIDGE if consent else route.way.replace(routes.ASK, routes.NATIVE)
