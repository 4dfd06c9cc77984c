"""What a person answered and what hosts were seen to do, kept between logins; `ssh_session` uses it.

The file `hosts` in x11fwd's state folder (XDG Base Directory Specification) has one line per host and port:
`host port granted=yes|no consent=yes|no helpless=WORDS`, blanks in values as `%20`.
"""

from __future__ import annotations

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
    told = {
        key: "yes" if value else "no"
        for key, value in (("granted", granted), ("consent", consent))
        if value is not None
    }
    if helpless is not None:
        told["helpless"] = helpless.replace("%", "%25").replace(" ", "%20").replace("\n", "%20")
    old = _read(environ).get((host, port), {})
    if _with(old, told) == old:
        return  # as nearly always
    from x11fwd.bridge.session.memory import Turn, put  # each login imports this module

    try:
        with Turn(folder):
            hosts = _read(environ)
            old = hosts.pop((host, port), {})
            hosts[host, port] = _with(old, told)
            lines = []
            for (name, number), row in list(hosts.items())[-_KEPT:]:
                words = (f"{key}={value}" for key, value in row.items())
                lines.append(" ".join([name, number, *words]) + "\n")
            put(f"{folder}/hosts", "".join(lines))
    except OSError:
        return


def _with(old: Mapping[str, str], told: Mapping[str, str]) -> dict[str, str]:
    """A host with what is told of it; an empty value takes the old one away."""
    return {key: value for key, value in {**old, **told}.items() if value}


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
