"""Ansible inventories (INI, YAML, one host a line) as values, and the patterns that choose hosts of them.

For the pipeline and the cli; Ansible itself is not needed. What only Ansible can know (inventory plugins and
scripts, templates, values in a vault) is named where it is met, and `--engine ansible` does it.
"""

from __future__ import annotations

from x11fwd.inventory.load import load_inventory
from x11fwd.inventory.model import Become, Inventory, InventoryError, InventoryHost
from x11fwd.inventory.patterns import choose_names, select
from x11fwd.inventory.targets import target_for

__all__ = [
    "Become",
    "Inventory",
    "InventoryError",
    "InventoryHost",
    "choose_names",
    "load_inventory",
    "select",
    "target_for",
]
