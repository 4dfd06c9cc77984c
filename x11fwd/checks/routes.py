"""Whether the second route is there, too: windows over the bridge; the table imports it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.checks.check import Seen, Verdict, fine, skip

if TYPE_CHECKING:
    from x11fwd.facts.python_model import PythonFacts

OLDEST = (3, 6)  # of Python, for the bridge's remote half


def bridge_pythons(seen: Seen) -> list[PythonFacts]:
    """The interpreters over there that can run the bridge's remote half."""
    return [python for python in seen.there.pythons if _version(python.version) >= OLDEST]


def bridge(seen: Seen) -> Verdict:
    """The remote half needs a Python and nothing else: no sshd option, no xauth, no root."""
    able = bridge_pythons(seen)
    if not able:
        return skip(f"the bridge cannot run on {seen.host}: it needs Python 3.6 or newer there")
    best = able[0]
    return fine(
        f"the bridge can carry windows from {seen.host} as well",
        f"{best.path} is Python {best.version}; `x11fwd ssh --via bridge {seen.destination}`",
    )


def _version(text: str) -> tuple[int, ...]:
    parts = text.split(".")[:2]
    return tuple(int(part) for part in parts) if len(parts) == 2 and all(map(str.isdigit, parts)) else ()
