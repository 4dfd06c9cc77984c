"""Rows of the truth table about speed and disconnects."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.hosts.truth.rig import Fault

FAULTS: tuple[Fault, ...] = ()
