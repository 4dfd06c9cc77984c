"""The truth table: a row for each failure that can be injected, section by section; see README.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.hosts.truth.rig import Fault

SECTIONS = ("desktop", "client", "sshd", "account", "python", "matplotlib", "speed")


def rows() -> tuple[tuple[str, Fault], ...]:
    """Every row with its section's name, in the order of the chain.

    Raises:
        ValueError: two rows have the same name.
    """
    from importlib import import_module

    found: list[tuple[str, Fault]] = []
    for section in SECTIONS:
        found += [(section, fault) for fault in import_module(f"tests.hosts.truth.{section}").FAULTS]
    names = [fault.name for _, fault in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"rows of the same name (give them a `case`): {', '.join(twice)}")
    return tuple(found)
