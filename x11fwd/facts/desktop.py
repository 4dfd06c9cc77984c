"""The desktop of this machine: macOS, Wayland, WSL, Windows, ChromeOS; facts for facts/local."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DesktopFacts"]


@dataclass(frozen=True)
class DesktopFacts:
    """What is peculiar to the desktop in front of the user."""
