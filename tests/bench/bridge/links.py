"""Which links and which routes are compared; the rest of this package asks here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Link:
    """A distance: round trip in milliseconds, bits per second in each direction (0: no limit)."""

    name: str
    round_trip_ms: float
    bits: float = 0.0

    @property
    def one_way(self) -> float:
        """Seconds in each direction."""
        return self.round_trip_ms / 2000

    @property
    def rate(self) -> float:
        """Bytes per second in each direction; 0 is no limit."""
        return self.bits / 8


@dataclass(frozen=True)
class Route:
    """A way for windows to travel; `words` stand before the host's name."""

    name: str
    key: str
    words: Sequence[str]

    @property
    def native(self) -> bool:
        """Whether OpenSSH carries X11 by itself."""
        return self.words[0] == "ssh"


LINKS = (
    Link("0 ms", 0),
    Link("20 ms", 20),
    Link("50 ms", 50),
    Link("100 ms", 100),
    Link("200 ms", 200),
    Link("50 ms, 10 Mbit/s", 50, 10e6),
    Link("100 ms, 2 Mbit/s", 100, 2e6),
)
QUICK_LINKS = ("0 ms", "100 ms", "100 ms, 2 Mbit/s")
ROUTES = (
    Route("`ssh -Y`", "Y", ("ssh", "-Y")),
    Route("`ssh -YC`", "YC", ("ssh", "-YC")),
    Route("bridge", "bridge", ("x11fwd", "ssh", "--via", "bridge")),
)
TOOLKITS = ("TkAgg", "QtAgg")


def is_slow(link: Link, route: Route) -> bool:
    """Whether one run there takes a minute or so and is not repeated (its spread is known to be small)."""
    return route.native and link.round_trip_ms >= 100
