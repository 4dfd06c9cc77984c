"""Which way windows travel: ssh's own forwarding or the bridge, and why; pure, `ssh_session` imports it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NATIVE, BRIDGE, AUTO, ASK = "native", "bridge", "auto", "ask"
WAYS = (NATIVE, BRIDGE, AUTO)
# Seconds of round trip from which on the bridge is quicker: Tk's first window takes 385 waits natively and a
# dozen over the bridge, whose own start costs 0.1 to 0.2 s.
FAR = 0.010


class KnownHost:
    """What earlier logins have shown of a host.

    Attributes:
        round_trip: seconds, None where nobody knows.
        granted: whether its sshd forwards X11 for this account; None where nobody has asked.
        consent: what the person said to the bridge there, None where nobody has asked.
        helpless: why the bridge cannot run there, "" where it can or nobody has tried.
    """

    __slots__ = ("consent", "granted", "helpless", "round_trip")

    def __init__(
        self,
        round_trip: float | None = None,
        *,
        granted: bool | None = None,
        consent: bool | None = None,
        helpless: str = "",
    ) -> None:
        self.round_trip = round_trip
        self.granted = granted
        self.consent = consent
        self.helpless = helpless


class Route:
    """NATIVE, BRIDGE, or ASK where the person must be asked before the bridge is taken; and why, a clause.

    `probes` says that sshd is to be asked first whether it forwards X11, because nobody knows yet.
    """

    __slots__ = ("probes", "reason", "way")

    def __init__(self, way: str, reason: str, *, probes: bool = False) -> None:
        self.way = way
        self.reason = reason
        self.probes = probes


def choose(wanted: str, source: str, known: KnownHost) -> Route:
    """The route of one login.

    Args:
        wanted: NATIVE, BRIDGE or AUTO.
        source: who wants it, a clause like `--via` or `/home/ana/.config/x11fwd/config:3`.
    """
    if wanted == NATIVE:
        return Route(NATIVE, f"{source} says native")
    if wanted == BRIDGE:
        return Route(BRIDGE, f"{source} says bridge")
    if known.helpless:
        return Route(NATIVE, f"the bridge cannot run there: {known.helpless}")
    if known.granted is False:
        refuses = "its sshd does not forward X11 for this account"
        if known.consent is None:
            return Route(ASK, refuses)
        if known.consent:
            return Route(BRIDGE, f"{refuses}, and you allowed the bridge")
        return Route(NATIVE, f"{refuses}, and you did not want the bridge")
    if known.round_trip is None:
        return Route(NATIVE, "nobody knows yet how far away it is")
    milliseconds = f"{known.round_trip * 1000:.3g} ms of round trip"
    if known.round_trip < FAR:
        return Route(NATIVE, f"{milliseconds} is near enough for ssh's own forwarding")
    return Route(BRIDGE, f"{milliseconds} is far", probes=known.granted is None and known.consent is None)


class ConfigError(Exception):
    """The person's own file of settings is wrong; the message names the line."""


def configured(text: str, path: str, host: str) -> dict[str, tuple[str, str]]:
    """What a file of settings has for a host: by keyword (small letters) the value and `path:line`.

    The file is read as ssh_config is: `Host` lines with patterns, the first value wins, `#` begins a comment.

    Args:
        text: what is in the file.
        host: as typed on the command line, without the user.

    Raises:
        ConfigError: a line that means nothing.
    """
    applies = True
    found: dict[str, tuple[str, str]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.replace("=", " ", 1).split()
        if not words or words[0].startswith("#"):
            continue
        keyword, values = words[0].lower(), words[1:]
        if keyword == "host" and values:
            applies = matches(host, values)
        elif keyword not in _MEANINGS:
            raise ConfigError(f"{path}:{number}: {words[0]!r} is not known; Host, Via and ComputeNodes are")
        elif len(values) != 1 or not _MEANINGS[keyword][1](values[0]):
            raise ConfigError(f"{path}:{number}: {_MEANINGS[keyword][0]}, not {' '.join(values)!r}")
        elif applies:
            found.setdefault(keyword, (values[0], f"{path}:{number}"))
    return found


def is_name(text: str) -> bool:
    """The name or the IPv4 address of a computer, as DISPLAY can hold it."""
    return 0 < len(text) < 256 and text[0] not in "-." and all(one.isalnum() or one in "-._" for one in text)


_MEANINGS: dict[str, tuple[str, Callable[[str], bool]]] = {
    "via": ("Via is native, bridge or auto", WAYS.__contains__),
    "computenodes": ("ComputeNodes is no, yes, or how the nodes call that host", is_name),
}


def matches(host: str, patterns: Sequence[str]) -> bool:
    """As ssh_config(5), PATTERNS: one must match, and none with a `!` in front."""
    found = False
    for pattern in patterns:
        if pattern.startswith("!"):
            if _matches(host.lower(), pattern[1:].lower()):
                return False
        elif _matches(host.lower(), pattern.lower()):
            found = True
    return found


def _matches(text: str, pattern: str) -> bool:
    """`*` and `?` only; every position is looked at once for each star."""
    ends = {0}  # how much of `text` the pattern so far may have taken
    for one in pattern:
        if one == "*":
            ends = set(range(min(ends), len(text) + 1)) if ends else ends
        else:
            ends = {at + 1 for at in ends if at < len(text) and one in {text[at], "?"}}
    return len(text) in ends
