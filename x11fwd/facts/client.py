"""This machine's ssh for one target: its settings, where they stand, an open master; for facts/local."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ClientFacts"]


@dataclass(frozen=True)
class ClientFacts:
    """What the user's own `ssh` would do for a target."""
