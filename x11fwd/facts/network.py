"""The remote's loopback: IPv6, listeners of forwarded displays, what localhost means; for facts/parse."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from x11fwd.facts.unknown import Unknown

if TYPE_CHECKING:
    from x11fwd.facts.answers import Answers

__all__ = ["FIRST_PORT", "Listener", "NetworkFacts", "parse_network"]

FIRST_PORT = 6000  # X Window System Protocol: display N is TCP port 6000 + N


@dataclass(frozen=True)
class Listener:
    """A listening TCP socket in the range of forwarded displays.

    Attributes:
        address: as it is bound: `127.0.0.1`, `::1`, `0.0.0.0`, `::`.
        uid: its owner; sshd binds it as the user who has logged in.
    """

    address: str
    port: int
    uid: int

    @property
    def display(self) -> int:
        """The display number that it would serve."""
        return self.port - FIRST_PORT


@dataclass(frozen=True)
class NetworkFacts:
    """What sshd finds where it opens a forwarded display (channels.c, x11_create_display_inet).

    Attributes:
        ipv6_loopback: `::1` is on lo; None where the kernel has no IPv6 at all, which sshd puts up with.
        localhost: the addresses that the name means to a program; () where it means none.
        display_host: the host part of DISPLAY where that is no localhost; None otherwise.
        display_host_found: that name can be looked up.
        listeners: in the range of display numbers 10 and up, this machine's whole list.
    """

    ipv6_loopback: bool | Unknown | None = Unknown("not asked")
    localhost: tuple[str, ...] | Unknown = Unknown("not asked")
    display_host: str | None = None
    display_host_found: bool | Unknown = Unknown("not asked")
    listeners: tuple[Listener, ...] | Unknown = Unknown("not asked")

    def serving(self, display: int) -> tuple[Listener, ...]:
        """The listeners of one display number; () where there are none or nobody could look."""
        if isinstance(self.listeners, Unknown):
            return ()
        return tuple(one for one in self.listeners if one.display == display)


def parse_network(answers: Answers) -> NetworkFacts:
    """From the answers of probe/24-network.sh."""
    ipv6 = answers.first("net.ipv6_loopback")
    loopback: bool | Unknown | None = {"yes": True, "no": False, "none": None}.get(
        ipv6 or "", answers.why("net.ipv6_loopback") or Unknown("not asked")
    )
    names = answers.text("net.localhost")
    localhost: tuple[str, ...] | Unknown = answers.why("net.localhost") or Unknown("not asked")
    if names is not None or answers.first("net.localhost"):
        localhost = tuple((names or "").split())
    found = answers.first("net.display_host_found")
    return NetworkFacts(
        ipv6_loopback=loopback,
        localhost=localhost,
        display_host=answers.first("net.display_host"),
        display_host_found=Unknown("there is no getent") if found is None else found == "yes",
        listeners=_listeners(answers),
    )


def _listeners(answers: Answers) -> tuple[Listener, ...] | Unknown:
    text = answers.text("net.listeners")
    if text is None:
        if answers.all("net.listeners"):  # an empty text is said as an empty value
            return ()
        return Unknown("this system has no /proc/net/tcp")
    found = []
    for line in text.splitlines():
        place, _, owner = line.partition(" ")
        address, _, port = place.partition(":")
        if len(address) in {8, 32} and owner.isdigit():
            found.append(Listener(_address(address), int(port, 16), int(owner)))
    return tuple(dict.fromkeys(found))


def _address(digits: str) -> str:
    """proc(5), /proc/net/tcp: words of 32 bits in the machine's byte order, little-endian where we come."""
    words = [bytes.fromhex(digits[start : start + 8])[::-1] for start in range(0, len(digits), 8)]
    return str(ipaddress.ip_address(b"".join(words)))
