"""Rows of the truth table about the remote user's account and session."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.hosts.truth.rig import Fault

FAULTS: tuple[Fault, ...] = ()
