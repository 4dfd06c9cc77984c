"""The route of one login: `--via`, the person's file of settings, what is remembered; `ssh_session` asks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from x11fwd.pipeline.ssh import memory, routes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from x11fwd.pipeline.ssh.command_line import CommandLine


def find(
    line: CommandLine,
    config: Mapping[str, str],
    environ: Mapping[str, str],
    via: str | None,
    round_trip: float | None,
) -> routes.Route:
    """NATIVE or BRIDGE; the person is asked where that is needed, and the answer is kept.

    Args:
        via: what `--via` says, None where it was not given.
        round_trip: seconds to the host, None where nobody knows.

    Raises:
        ConfigError: the file of settings is wrong.
    """
    wanted, source = (via, "--via") if via is not None else _setting(line, environ)
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


def _setting(line: CommandLine, environ: Mapping[str, str]) -> tuple[str, str]:
    path = settings_path(environ)
    if path is None:
        return routes.AUTO, ""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read(1 << 20)
    except OSError:
        return routes.AUTO, ""
    host = (line.destination or "").removeprefix("ssh://").rpartition("@")[2]
    return routes.configured(text, path, host) or (routes.AUTO, "")


def _ask(host: str) -> bool | None:
    """On the terminal itself, as ssh asks; None where there is none or the person leaves it open."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return None
    try:
        os.write(
            terminal,
            f"x11fwd: sshd on {host} does not forward X11. The bridge carries windows over the same\r\n"
            "login, past that decision. Use it for this host, now and later? [y/N] ".encode(),
        )
        answer = os.read(terminal, 1024).strip().lower()
    except OSError:
        return None
    finally:
        os.close(terminal)
    return answer in {b"y", b"yes"} if answer in {b"y", b"yes", b"n", b"no"} else None
