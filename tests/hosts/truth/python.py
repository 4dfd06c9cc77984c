"""Rows of the truth table about Python, its toolkits and matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.hosts.truth.rig import Fault

FAULTS: tuple[Fault, ...] = ()
