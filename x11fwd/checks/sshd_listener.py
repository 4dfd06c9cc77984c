"""Where sshd listens for a forwarded display, and why it cannot: F60 to F65 of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping

from x11fwd.checks.check import Seen, Verdict, bad, fine, odd, skip
from x11fwd.checks.connection import KEY_OPTIONS, NO_XAUTH, OLD_KEY_OPTIONS, said
from x11fwd.checks.report import Fix, FixBy
from x11fwd.checks.sshd import comment_out
from x11fwd.checks.sshd_lines import connection_of, lines_about, shown
from x11fwd.facts.network import FIRST_PORT
from x11fwd.facts.sshd_config import SshdLine, decide
from x11fwd.facts.unknown import Unknown

# channels.c: MAX_DISPLAYS, and an offset that would leave the range of ports is refused for each login
_DISPLAYS = 1000
_HIGHEST_OFFSET = 65535 - FIRST_PORT - _DISPLAYS
_BRIDGE_FILE = "/x11fwd/authority-"  # x11fwd.bridge.remote.authority, authority_path
_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104  what is looked for, not bound


def refused_without_a_word(seen: Seen) -> bool:
    """sshd refused X11 and gave no reason, as it does for all that goes wrong after its settings are read."""
    refused = seen.there.x11.granted is False
    return refused and not said(seen, KEY_OPTIONS, OLD_KEY_OPTIONS, NO_XAUTH)


def setting(seen: Seen, keyword: str, default: str) -> tuple[str | None, SshdLine | None]:
    """The value for this user and the line that decides it; (None, None) where nobody can tell."""
    sshd = seen.there.sshd
    lines = lines_about(seen, keyword)
    decision = None if lines is None else decide(keyword, lines, connection_of(seen))
    line = decision.line if decision else None
    if isinstance(sshd.effective, Mapping):
        value = sshd.effective.get(keyword, default).lower()
        return value, line if line is not None and line.value.lower() == value else None
    if decision is None or not decision.certain:
        return None, None
    return (line.value.lower() if line else default), line


def _where(line: SshdLine | None, keyword: str, value: str) -> str:
    return shown(line) if line else f"sshd -T says {keyword} {value}"


def ipv6_off(seen: Seen) -> Verdict:
    """F60: sshd binds both addresses of localhost or none (channels.c, x11_create_display_inet)."""
    network = seen.there.network
    holds = f"sshd on {seen.host} can bind the loopback addresses"
    if seen.there.x11.granted or network.ipv6_loopback is not False:
        return fine(holds)
    family, _ = setting(seen, "addressfamily", "any")
    if family == "inet":
        return fine(holds)
    if not refused_without_a_word(seen) and seen.there.x11.granted is False:
        return fine(holds)
    return bad(
        f"IPv6 is switched off on {seen.host}, and so sshd can open no display at all",
        "::1 is missing in /proc/net/if_inet6, and sshd asks for both addresses of localhost (addressfamily "
        f"{family or 'any'}); its log says: Failed to allocate internet-domain X11 display socket",
        Fix("sudo sysctl net.ipv6.conf.lo.disable_ipv6=0", FixBy.ADMIN),
    )


def ports_exhausted(seen: Seen) -> Verdict:
    """F62: every display number that sshd may take is taken."""
    network = seen.there.network
    holds = f"there are display numbers left on {seen.host}"
    if not refused_without_a_word(seen) or isinstance(network.listeners, Unknown):
        return fine(holds) if seen.there.x11.granted else skip("another reason is known")
    first = _offset(seen)
    taken = {one.display for one in network.listeners}
    if first >= _DISPLAYS or any(number not in taken for number in range(first, _DISPLAYS)):
        return fine(holds)
    return bad(
        f"no display number is left on {seen.host}: all of its X11 ports are taken",
        f"listeners on every port from {FIRST_PORT + first} to {FIRST_PORT + _DISPLAYS - 1}, "
        f"{len(taken)} in all; old sessions hold them",
        Fix("sudo ss -ltnp 'sport >= :6010 and sport <= :7009'", FixBy.ADMIN),
    )


def _offset(seen: Seen) -> int:
    value, _ = setting(seen, "x11displayoffset", "10")
    return int(value) if value and value.isdigit() else 10


def offset_out_of_range(seen: Seen) -> Verdict:
    """F63: refused at each login, and not by `sshd -t`."""
    value, line = setting(seen, "x11displayoffset", "10")
    if value is None or not value.isdigit() or int(value) <= _HIGHEST_OFFSET:
        return fine(f"sshd's first display number on {seen.host} is in range")
    return bad(
        f"sshd on {seen.host} starts to count displays at {value}, beyond the last port there is",
        f"{_where(line, 'x11displayoffset', value)}; at most {_HIGHEST_OFFSET} leaves room, 10 is usual",
        without(seen, line),
    )


def localhost_elsewhere(seen: Seen) -> Verdict:
    """F61: the listener is on one address of localhost, and the name means another one there."""
    remote = seen.there
    display = remote.start_environment.get("DISPLAY", "")
    name, _, rest = display.rpartition(":")
    number = rest.partition(".")[0]
    holds = f"localhost on {seen.host} leads to sshd's listener"
    if name != "localhost" or not number.isdigit():
        return skip("no forwarded display at localhost")
    bound = {one.address for one in remote.network.serving(int(number))}
    if isinstance(remote.network.localhost, Unknown) or not bound:
        return skip("the listener, or what localhost means, cannot be seen")
    if bound & {*remote.network.localhost, *_EVERYWHERE}:
        return fine(holds)
    means = ", ".join(remote.network.localhost) or "nothing at all"
    return bad(
        f"localhost does not mean {' or '.join(sorted(bound))} on {seen.host}, where sshd listens",
        f"DISPLAY={display}; getent ahosts localhost says {means}; DISPLAY={min(bound)}:{rest} works",
        Fix("echo '127.0.0.1 localhost' | sudo tee -a /etc/hosts", FixBy.ADMIN),
    )


def hostname_unknown(seen: Seen) -> Verdict:
    """F64: with X11UseLocalhost no the host's name is in DISPLAY, and xauth has to look it up."""
    network = seen.there.network
    if network.display_host is None:
        return fine(f"DISPLAY on {seen.host} needs no name looked up")
    if network.display_host_found is not False:
        return fine(f"{seen.host} can look up {network.display_host}, which is in its DISPLAY")
    value, line = setting(seen, "x11uselocalhost", "yes")
    if value == "yes":
        return skip("DISPLAY is not sshd's")
    return bad(
        f"{seen.host} cannot look up its own name {network.display_host}, which sshd puts into DISPLAY",
        f"{_where(line, 'x11uselocalhost', value or 'no')}; getent finds no {network.display_host}",
        without(seen, line),
    )


def exposed(seen: Seen) -> Verdict:
    """F65: the forwarded display can be reached from the network; only the cookie keeps others out."""
    remote = seen.there
    holds = f"the forwarded display is reached from {seen.host} alone"
    value, line = setting(seen, "x11uselocalhost", "yes")
    if value is None and remote.x11.granted is None:
        return skip("nobody can tell")
    number = remote.start_environment.get("DISPLAY", "").rpartition(":")[2].partition(".")[0]
    open_to_all = [
        one
        for one in (remote.network.serving(int(number)) if number.isdigit() else ())
        if one.address in _EVERYWHERE
    ]
    if value != "no" and not open_to_all:
        return fine(holds)
    if value != "no" and _BRIDGE_FILE in remote.start_environment.get("XAUTHORITY", ""):
        return fine("this display is the bridge's, open to other computers as `--nodes` says")
    listener = f"; it listens on {open_to_all[0].address}:{open_to_all[0].port}" if open_to_all else ""
    return odd(
        f"sshd on {seen.host} offers forwarded displays to the whole network (X11UseLocalhost no)",
        f"{_where(line, 'x11uselocalhost', value or 'no')}{listener}; only the cookie keeps others out",
        without(seen, line),
    )


def without(seen: Seen, line: SshdLine | None) -> Fix | None:
    """Take the line out of effect; None where it is not known."""
    return None if line is None else comment_out(line, seen.there.sshd)
