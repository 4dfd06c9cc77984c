"""Inventories that only Ansible can read: in a vault, a folder, a program; for `--engine ansible`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from x11fwd.errors import UsageError
from x11fwd.transports.scratch import scratch_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from x11fwd.inventory import Inventory

__all__ = ["reader"]

_WHOLE = {"_meta", "all", "ungrouped"}
_KEPT = {"host", "port", "user", "connection", "ssh_common_args", "ssh_extra_args", "ssh_private_key_file"}
_KEPT_NAMES = {f"ansible_{name}" for name in _KEPT}


def reader(vault: Path | None) -> Callable[[Path], Inventory]:
    """Reads an inventory itself, or has Ansible list what it cannot read.

    Args:
        vault: as `ansible-inventory --vault-password-file`.
    """

    def read(path: Path) -> Inventory:
        from x11fwd.inventory import load_inventory

        try:
            return load_inventory(path)
        except UsageError as ours:
            listed = _listed(path, vault)
            if listed is None:
                raise
            with scratch_folder(prefix="x11fwd-inventory-") as folder:
                file = folder / "inventory.json"
                file.write_text(json.dumps(listed), encoding="utf-8")
                try:
                    return load_inventory(file)
                except UsageError:
                    raise ours from None

    return read


def _listed(path: Path, vault: Path | None) -> dict[str, object] | None:
    """What Ansible makes of it, without its secrets; None where it is not even there.

    Raises:
        UsageError: Ansible cannot read it either.
    """
    from x11fwd.pipeline.ansible_process import program
    from x11fwd.pipeline.ansible_words import last_words
    from x11fwd.transports.local import LocalTransport

    if not path.exists():
        return None
    *words, playbook = program()
    tool = playbook.removesuffix("playbook") + "inventory"
    key = () if vault is None else ("--vault-password-file", str(vault))
    argv = (
        "env",
        "LC_ALL=C.UTF-8",
        "ANSIBLE_NOCOLOR=1",
        "ANSIBLE_INVENTORY_UNPARSED_FAILED=True",  # or it is content with no hosts at all
        *words,
        tool,
        "--inventory",
        str(path),
        "--list",
        *key,
    )
    done = LocalTransport().run(argv, timeout=300.0)
    if done.exit_status != 0:
        raise UsageError(
            f"Ansible cannot read {path} either: {last_words(done.error_text)}",
            hint="" if vault else "`--vault-password-file FILE` opens a vault",
        )
    return _as_ours(json.loads(done.text))


def _as_ours(listed: dict[str, dict[str, object]]) -> dict[str, object]:
    """The answer of `ansible-inventory --list` in the form of an inventory file."""
    variables = listed.get("_meta", {}).get("hostvars", {})
    known = variables if isinstance(variables, dict) else {}
    groups = {name: one for name, one in listed.items() if name not in _WHOLE}
    hosts = {name: {key: one for key, one in of.items() if key in _KEPT_NAMES} for name, of in known.items()}
    for group in listed.values():
        for name in _names(group, "hosts"):
            hosts.setdefault(name, {})
    return {
        "all": {
            "hosts": hosts,
            "children": {
                name: {
                    "hosts": {host: {} for host in _names(group, "hosts")},
                    "children": {child: {} for child in _names(group, "children")},
                }
                for name, group in groups.items()
            },
        }
    }


def _names(group: dict[str, object], kind: str) -> list[str]:
    found = group.get(kind, [])
    return [str(name) for name in found] if isinstance(found, list) else []
