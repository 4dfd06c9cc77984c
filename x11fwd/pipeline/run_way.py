"""The way windows take where nobody says it: as `x11fwd ssh` chooses; `run`, `verify` and `setup` use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.errors import UsageError
from x11fwd.pipeline.ssh import memory, route_of_host, routes
from x11fwd.pipeline.ssh.link import known_round_trip

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from x11fwd.transports.base import Transport

__all__ = ["choose_route", "choose_way", "configured_way"]


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
    return choose_route(transport, transport.round_trip, ask, environ).way


def choose_route(
    transport: Transport, round_trip: float | None, ask: Callable[[], bool], environ: Mapping[str, str]
) -> routes.Route:
    """NATIVE or BRIDGE, and why, for a connection on which X11 forwarding was requested.

    Args:
        round_trip: seconds to the host as measured just now, None where they were not.
        ask: see `choose_way`.
    """
    granted = transport.x11.granted
    host, port = transport.config.first("hostname"), transport.config.first("port")
    if granted is None or not host or not port:
        return routes.Route(routes.NATIVE, "nobody knows whether its sshd forwards X11")
    known = memory.recall(host, port, environ)
    known.granted = granted
    known.round_trip = round_trip or known_round_trip(host, port, environ)
    route = routes.choose(routes.AUTO, "", known)
    consent = (ask() or None) if route.way == routes.ASK else None
    memory.remember(host, port, environ, granted=granted, consent=consent)
    if route.way != routes.ASK:
        return route
    if consent:
        return routes.Route(routes.BRIDGE, f"{route.reason}, and you allow the bridge")
    return routes.Route(routes.NATIVE, f"{route.reason}, and nobody allowed the bridge")
