"""The table of all checks, one module a section, in the order of the chain; `checks` alone imports it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.checks.table import account, client, desktop, link, python, speed, sshd

if TYPE_CHECKING:
    from x11fwd.checks.check import Check

__all__ = ["CHECKS"]

CHECKS: tuple[Check, ...] = (
    *desktop.CHECKS,
    *client.CHECKS,
    *link.CHECKS,
    *sshd.CHECKS,
    *account.CHECKS,
    *python.CHECKS,
    *speed.CHECKS,
)
