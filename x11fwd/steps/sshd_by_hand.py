"""The lines a person would type to change sshd as we would, and to take it back; imported by sshd_option."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from x11fwd.facts.model import Unknown
from x11fwd.steps.sshd_spot import DEFAULT_CONFIG, main_file

if TYPE_CHECKING:
    from x11fwd.steps.planning import Planning
    from x11fwd.steps.sshd_spot import Spot

__all__ = ["by_hand", "undo_by_hand"]

Reload = tuple[tuple[str, ...], ...]


def by_hand(spot: Spot, reload: Reload, planning: Planning) -> tuple[str, ...]:
    """Write the file, have sshd check it, reload; an existing file is copied first, comments are left out."""
    path = shlex.quote(spot.path)
    if spot.before is None:
        bare = [line for line in spot.after.splitlines() if not line.startswith("#")]
        lines = " ".join(shlex.quote(line) for line in bare)
        write: tuple[str, ...] = (f"printf '%s\\n' {lines} > {path}",)
    else:
        backup = shlex.quote(f"{spot.path}.before-x11fwd")
        write = (f"cp -p {path} {backup}", _insertion(spot, backup, path))
    return (*write, _check_and_reload(reload, planning))


def _insertion(spot: Spot, backup: str, path: str) -> str:
    """The new text out of the old one by head and tail around our lines."""
    old, new = (spot.before or "").splitlines(), spot.after.splitlines()
    start = 0
    while start < len(old) and start < len(new) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    lines = " ".join(shlex.quote(line) for line in new[start : len(new) - end])
    parts = [f"head -n {start} {backup}"] if start else []
    parts.append(f"printf '%s\\n' {lines}")
    if end:
        parts.append(f"tail -n {end} {backup}")
    return f"{{ {'; '.join(parts)}; }} > {path}"


def undo_by_hand(spot: Spot, reload: Reload, planning: Planning) -> tuple[str, ...]:
    """Take the file away or put the copy back, and reload."""
    path = shlex.quote(spot.path)
    back = f"rm {path}" if spot.before is None else f"mv {shlex.quote(spot.path + '.before-x11fwd')} {path}"
    return (back, _check_and_reload(reload, planning))


def _check_and_reload(reload: Reload, planning: Planning) -> str:
    config_file = main_file(planning)
    binary = planning.facts.sshd.binary or "/usr/sbin/sshd"
    check = [binary, "-t"] if config_file == DEFAULT_CONFIG else [binary, "-t", "-f", config_file]
    service = planning.facts.sshd.service
    if not isinstance(service, Unknown) and service[0] == "socket":
        return shlex.join(check)  # each login starts a daemon of its own
    if planning.facts.sshd.socket_unit and not isinstance(service, Unknown) and service[0] == "systemd":
        # its reload fails to bind the socket's address again; stopped, the next login starts it anew
        return f"{shlex.join(check)} && systemctl stop {shlex.quote(service[1])}"
    for argv in reload:
        if "{pid}" not in argv:
            return f"{shlex.join(check)} && {shlex.join(argv)}"
    return f'{shlex.join(check)} && kill -HUP "$(cat /run/sshd.pid)"'
