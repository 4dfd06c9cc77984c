"""A file of hosts -> Inventory: its form, whose variables count, what they mean; for the package's door."""

from __future__ import annotations

import os
from types import MappingProxyType
from typing import TYPE_CHECKING

from x11fwd.errors import UsageError
from x11fwd.inventory.ini import parse_ini
from x11fwd.inventory.meaning import host_of
from x11fwd.inventory.model import Inventory, InventoryError
from x11fwd.inventory.tree import ALL, UNGROUPED, Value

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from x11fwd.inventory.model import InventoryHost
    from x11fwd.inventory.tree import Tree

__all__ = ["load_inventory"]

_YAML = {".yml", ".yaml", ".json"}
_LARGE = 20_000_000  # bytes


def load_inventory(path: Path) -> Inventory:
    """Read an inventory, and the `group_vars` and `host_vars` beside it.

    Of several definitions of a variable the nearest counts, as in Ansible: `all`, then parents, then children
    (of equally near groups the last name), then the host; a file of `group_vars` beats what the inventory
    says of groups, and `host_vars` all else (Ansible docs, "Understanding variable precedence").

    Raises:
        InventoryError: something in it cannot be meant.
        UsageError: it cannot be read, or only Ansible could.
    """
    text = _text(path)
    if path.suffix.lower() in _YAML or text.startswith("---"):
        from x11fwd.inventory.yaml_form import parse_yaml

        tree = parse_yaml(text, str(path))
    else:
        tree = parse_ini(text, str(path))
    depths = tree.depths()
    members = {name: tree.members(name) for name in tree.groups}
    members[ALL] = dict.fromkeys(tree.hosts)
    grouped: dict[str, list[str]] = {host: [] for host in tree.hosts}
    for name in sorted(tree.groups, key=lambda name: (depths[name], _priority(tree, name), name)):
        if name not in {ALL, UNGROUPED}:
            for host in members[name]:
                grouped[host].append(name)
    members[UNGROUPED] = {host: None for host, groups in grouped.items() if not groups}
    files = _Files(path.parent)
    hosts = tuple(_host(tree, host, groups, files) for host, groups in grouped.items())
    groups = {name: tuple(found) for name, found in members.items()}
    return Inventory(path, hosts, MappingProxyType(groups))


def _text(path: Path) -> str:
    try:
        if path.is_dir():
            raise UsageError(
                f"{path} is a folder of inventories",
                hint="name one file of it, or let `--engine ansible` read it",
            )
        if path.stat().st_size > _LARGE:
            raise UsageError(f"{path} is larger than an inventory can be ({_LARGE // 1_000_000} MB)")
        data = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise UsageError(f"the inventory {path} cannot be read: {reason}") from None
    if data.startswith(b"#!") and os.access(path, os.X_OK):
        hint = "`ansible-inventory -i FILE --list --yaml` writes out what it says; or take `--engine ansible`"
        raise InventoryError("this is a program that prints an inventory", file=str(path), line=1, hint=hint)
    if data.startswith(b"$ANSIBLE_VAULT"):
        hint = "`--engine ansible` can open it"
        raise InventoryError("the file is encrypted by Ansible's vault", file=str(path), line=1, hint=hint)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InventoryError("is not UTF-8 text", file=str(path), line=line) from None


def _priority(tree: Tree, name: str) -> int:
    value = tree.groups[name].variables.get("ansible_group_priority")
    if value is None:
        return 1
    try:
        return int(value.text)
    except ValueError:
        raise value.error("`ansible_group_priority` is a whole number") from None


def _host(tree: Tree, name: str, groups: Sequence[str], files: _Files) -> InventoryHost:
    near = (ALL, *(groups or (UNGROUPED,)))
    merged: dict[str, Value] = {}
    for group in near:
        merged.update(tree.groups[group].variables)
    for group in near:
        merged.update(files.of("group_vars", group))
    merged.update(tree.hosts[name])
    merged.update(files.of("host_vars", name))
    return host_of(name, merged, groups)


class _Files:
    """`group_vars` and `host_vars` beside the inventory; each file is read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[tuple[str, str], dict[str, Value]] = {}
        self._there = {kind for kind in ("group_vars", "host_vars") if (folder / kind).is_dir()}

    def of(self, kind: str, name: str) -> dict[str, Value]:
        if kind not in self._there or "/" in name or name in {".", ".."}:
            return {}
        if (kind, name) not in self._known:
            found: dict[str, Value] = {}
            for file in self._paths(self._folder / kind / name):
                found.update(self._read(file))
            self._known[kind, name] = found
        return self._known[kind, name]

    def _paths(self, base: Path) -> list[Path]:
        if base.is_dir():
            inside = sorted(path for path in base.rglob("*") if path.is_file())
            return [path for path in inside if path.suffix in {"", *_YAML} and not path.name.startswith(".")]
        ends = ("", ".yml", ".yaml", ".json")
        return [file for file in (base.with_name(base.name + end) for end in ends) if file.is_file()][:1]

    def _read(self, file: Path) -> dict[str, Value]:
        from x11fwd.inventory.yaml_form import parse_variables

        try:
            text = file.read_text(encoding="utf-8")
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            raise UsageError(f"{file} cannot be read: {reason}") from None
        except UnicodeDecodeError:
            raise InventoryError("is not UTF-8 text", file=str(file), line=1) from None
        return parse_variables(text, str(file))
