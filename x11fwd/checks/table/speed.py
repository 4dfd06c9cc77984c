"""Section F of the catalogue: slow, and cut off; one row a check, for the table alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from x11fwd.checks.check import Check

CHECKS: tuple[Check, ...] = ()
