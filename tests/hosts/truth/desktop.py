"""Rows of the truth table about the X server on the desktop."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.hosts.truth.rig import Fault

FAULTS: tuple[Fault, ...] = ()
