"""How far away a host is, remembered between logins; `ssh_session` asks, doctor, setup and verify tell.

The file `links` in x11fwd's cache folder has one line per host and port: `host port seconds when`.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LAN = 0.005  # seconds of round trip above which a link is slower than a LAN, so that compression pays
PATIENCE = 0.15  # seconds that a login waits for a first measurement
_KEPT = 200  # hosts
_VALID = 7 * 86400.0  # seconds: people move between office and home


def cache_folder(environ: Mapping[str, str]) -> str | None:
    """x11fwd's own folder (XDG Base Directory Specification), None without a home."""
    base = environ.get("XDG_CACHE_HOME", "")
    if not base.startswith("/"):  # the specification: relative paths are to be ignored
        home = environ.get("HOME", "")
        if not home:
            return None
        base = f"{home}/.cache"
    return f"{base}/x11fwd"


def known_round_trip(host: str, port: str, environ: Mapping[str, str]) -> float | None:
    """Seconds of round trip as last seen, None where nobody has looked for a week."""
    for name, number, seconds, seen in _read(environ):
        if (name, number) == (host, port) and abs(time.time() - seen) < _VALID:
            return seconds
    return None


def remember_round_trip(host: str, port: str, seconds: float, environ: Mapping[str, str]) -> None:
    """Keep a round trip for the next login; a cache that cannot be written is no error.

    Args:
        host, port: as `ssh -G` prints `hostname` and `port`.
    """
    folder = cache_folder(environ)
    if folder is None or not host or any(letter.isspace() for letter in host):
        return
    from x11fwd.bridge.session.memory import Turn, put  # each login imports this module

    try:
        with Turn(folder):
            rows = [row for row in _read(environ) if row[:2] != (host, port)][-(_KEPT - 1) :]
            rows.append((host, port, seconds, time.time()))
            put(
                f"{folder}/links",
                "".join(f"{name} {number} {took:.6f} {seen:.0f}\n" for name, number, took, seen in rows),
            )
    except OSError:
        return


def measure_round_trip(host: str, port: str, environ: Mapping[str, str]) -> float | None:
    """Seconds that one TCP connection took, None where none came about within `PATIENCE`.

    A child process does it, because the resolver knows no time-out; what comes too late for this login is
    kept for the next one.
    """
    import select

    answer, tell = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(answer)
            _measure(host, port, tell, environ)
        finally:
            os._exit(0)
    os.close(tell)
    os.waitpid(child, 0)  # it ends at once: its own child measures
    try:
        ready, _, _ = select.select([answer], [], [], PATIENCE)
        text = os.read(answer, 64) if ready else b""
    finally:
        os.close(answer)
    return float(text) if text else None


def _measure(host: str, port: str, tell: int, environ: Mapping[str, str]) -> None:
    """In the child: the best of the addresses, as ssh will try them in turn."""
    import socket

    if os.fork():  # a grandchild, so that nobody has to wait for it
        return
    os.setsid()  # Ctrl-C at a password prompt is not meant for it
    # Whoever waits for the end of our output must not wait for this process.
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    for family, kind, protocol, _, address in socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM):
        with socket.socket(family, kind, protocol) as made:
            made.settimeout(3.0)
            start = time.monotonic()
            try:
                made.connect(address)
            except OSError:
                continue
            seconds = time.monotonic() - start
        remember_round_trip(host, port, seconds, environ)
        os.write(tell, f"{seconds:.6f}".encode())  # may fail: nobody waits any more
        return


def _read(environ: Mapping[str, str]) -> list[tuple[str, str, float, float]]:
    folder = cache_folder(environ)
    rows: list[tuple[str, str, float, float]] = []
    try:
        with open(f"{folder}/links", encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        return rows
    for line in lines:
        try:
            host, port, seconds, seen = line.split()
            rows.append((host, port, float(seconds), float(seen)))
        except ValueError:  # noqa: PERF203
            continue  # a damaged line is as good as none
    return rows
