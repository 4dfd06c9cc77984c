"""The route of one login: `--via`, the person's file of settings, what is remembered; `ssh_session` asks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from x11fwd.pipeline.ssh import memory, routes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from x11fwd.pipeline.ssh.command_line import CommandLine

OWN_NAME = "*"  # what x11fwd.bridge.remote.door takes for the name that the host has for itself


def find(
    line: CommandLine,
    config: Mapping[str, str],
    environ: Mapping[str, str],
    *,
    via: str | None,
    nodes: str | None,
    round_trip: float | None,
) -> tuple[routes.Route, str]:
    """NATIVE or BRIDGE; the person is asked where that is needed, and the answer is kept.

    Args:
        via, nodes: what `--via` and `--nodes` say, None where they were not given.
        round_trip: seconds to the host, None where nobody knows.

    Returns:
        The route, and how the computers of a cluster that may come call that host, empty where none may.

    Raises:
        ConfigError: the file of settings is wrong.
    """
    settings = settings_of(line.destination or "", environ)
    nodes, reason = (nodes, "--nodes") if nodes is not None else settings.get("computenodes", ("no", ""))
    if nodes != "no" and via != routes.NATIVE:
        # ssh's own display is on the host's loopback, where no other computer comes
        found = routes.Route(routes.BRIDGE, f"{reason} lets other computers of the cluster in")
        memory.remember(config.get("hostname", ""), config.get("port", ""), environ, consent=True)
        return found, OWN_NAME if nodes == "yes" else nodes
    wanted, source = (via, "--via") if via is not None else settings.get("via", (routes.AUTO, ""))
    return _route(line, config, environ, (wanted, source), round_trip), ""


def _route(
    line: CommandLine,
    config: Mapping[str, str],
    environ: Mapping[str, str],
    wish: tuple[str, str],
    round_trip: float | None,
) -> routes.Route:
    wanted, source = wish
    host, port = config.get("hostname", ""), config.get("port", "")
    known = memory.recall(host, port, environ)
    known.round_trip = round_trip
    route = routes.choose(wanted, source, known)
    if wanted == routes.BRIDGE and known.consent is None:
        memory.remember(host, port, environ, consent=True)  # who asks for it by name has been asked
    if route.way != routes.ASK:
        return route
    if question(line, config, environ)():
        return routes.Route(routes.BRIDGE, f"{route.reason}, and you allow the bridge")
    return routes.Route(routes.NATIVE, f"{route.reason}, and nobody allowed the bridge (`--via bridge` does)")


def question(line: CommandLine, config: Mapping[str, str], environ: Mapping[str, str]) -> Callable[[], bool]:
    """Asks the person once for each host whether the bridge may walk around sshd's refusal."""

    def ask() -> bool:
        if config.get("batchmode") == "yes" or line.has("q"):
            return False
        answer = _ask(line.destination or "the host")
        if answer is not None:
            memory.remember(config.get("hostname", ""), config.get("port", ""), environ, consent=answer)
        return answer is True

    return ask


def settings_path(environ: Mapping[str, str]) -> str | None:
    """The person's file of settings (XDG Base Directory Specification), None without a home."""
    base = environ.get("XDG_CONFIG_HOME", "")
    if not base.startswith("/"):
        home = environ.get("HOME", "")
        if not home:
            return None
        base = f"{home}/.config"
    return f"{base}/x11fwd/config"


def settings_of(destination: str, environ: Mapping[str, str]) -> Mapping[str, tuple[str, str]]:
    """What that file has for a destination as typed: by keyword (small letters) the value and `path:line`.

    Raises:
        ConfigError: the file is wrong.
    """
    path = settings_path(environ)
    if path is None:
        return {}
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read(1 << 20)
    except OSError:
        return {}
    host = destination.removeprefix("ssh://").rpartition("@")[2]
    return routes.configured(text, path, host)


def _ask(host: str) -> bool | None:
    """On the terminal itself, as ssh asks; None where there is none or the person leaves it open."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return None
    try:
        os.write(
            terminal,
            f"x11fwd: sshd on {host} does not forward X11. The bridge carries windows over\r\n"
            "the same login, past that decision. Use it for this host, now and later? [y/N] ".encode(),
        )
        answer = os.read(terminal, 1024).strip().lower()
    except OSError:
        return None
    finally:
        os.close(terminal)
    return answer in {b"y", b"yes"} if answer in {b"y", b"yes", b"n", b"no"} else None
