"""The remote's loopback: IPv6, listeners of forwarded displays, what localhost means; for facts/parse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from x11fwd.facts.answers import Answers

__all__ = ["NetworkFacts", "parse_network"]


@dataclass(frozen=True)
class NetworkFacts:
    """What sshd finds where it opens a forwarded display (channels.c, x11_create_display_inet)."""


def parse_network(answers: Answers) -> NetworkFacts:
    """From the answers of probe/24-network.sh."""
    del answers
    return NetworkFacts()
