"""What a person answered and what hosts were seen to do, kept between logins; `ssh_session` uses it.

The file `hosts` in x11fwd's state folder (XDG Base Directory Specification) has one line per host and port:
`host port granted=yes|no consent=yes|no helpless=WORDS`, blanks in values as `%20`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from x11fwd.pipeline.ssh.routes import KnownHost

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEPT = 500  # hosts
_WORDS = {"yes": True, "no": False}


def state_folder(environ: Mapping[str, str]) -> str | None:
    """x11fwd's own folder, None without a home."""
    base = environ.get("XDG_STATE_HOME", "")
    if not base.startswith("/"):  # the specification: relative paths are to be ignored
        home = environ.get("HOME", "")
        if not home:
            return None
        base = f"{home}/.local/state"
    return f"{base}/x11fwd"


def recall(host: str, port: str, environ: Mapping[str, str]) -> KnownHost:
    """What is known of a host, its distance left open; `host` and `port` as `ssh -G` prints them."""
    values = _read(environ).get((host, port), {})
    return KnownHost(
        granted=_WORDS.get(values.get("granted", "")),
        consent=_WORDS.get(values.get("consent", "")),
        helpless=values.get("helpless", "").replace("%20", " ").replace("%25", "%"),
    )


def remember(
    host: str,
    port: str,
    environ: Mapping[str, str],
    *,
    granted: bool | None = None,
    consent: bool | None = None,
    helpless: str | None = None,
) -> None:
    """Keep what is not None; a folder that cannot be written is no error, one is asked again then.

    Args:
        helpless: a clause; empty where the bridge has run.
    """
    folder = state_folder(environ)
    if folder is None or not host or any(letter.isspace() for letter in host + port):
        return
    hosts = _read(environ)
    old = hosts.pop((host, port), {})
    values = dict(old)
    for key, value in (("granted", granted), ("consent", consent)):
        if value is not None:
            values[key] = "yes" if value else "no"
    if helpless is not None:
        values["helpless"] = helpless.replace("%", "%25").replace(" ", "%20").replace("\n", "%20")
        if not helpless:
            del values["helpless"]
    if values == old:
        return
    hosts[host, port] = values
    lines = []
    for (name, number), row in list(hosts.items())[-_KEPT:]:
        lines.append(" ".join([name, number, *(f"{key}={value}" for key, value in row.items())]) + "\n")
    temporary = f"{folder}/hosts.{os.getpid()}"
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)  # noqa: PTH103  pathlib costs 4 ms to import
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(handle, "".join(lines).encode())
        finally:
            os.close(handle)
        os.replace(temporary, f"{folder}/hosts")  # noqa: PTH105  same
    except OSError:
        return


def _read(environ: Mapping[str, str]) -> dict[tuple[str, str], dict[str, str]]:
    hosts: dict[tuple[str, str], dict[str, str]] = {}
    try:
        with open(f"{state_folder(environ)}/hosts", encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        return hosts
    for line in lines:
        words = line.split()
        if len(words) > 2:
            hosts[words[0], words[1]] = {word.partition("=")[0]: word.partition("=")[2] for word in words[2:]}
    return hosts
