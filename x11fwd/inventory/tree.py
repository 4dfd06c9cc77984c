"""What the parsers build: groups, hosts and variables, each value with its line; for this package."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from x11fwd.inventory.model import InventoryError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ALL", "UNGROUPED", "VAULT", "Group", "Tree", "Value"]

ALL = "all"
UNGROUPED = "ungrouped"
VAULT = "$ANSIBLE_VAULT"  # what an encrypted value begins with (Ansible docs, vault file format)


@dataclass(frozen=True)
class Value:
    """A variable's text as written, and where that was."""

    text: str
    file: str
    line: int

    def error(self, message: str, *, hint: str = "") -> InventoryError:
        """The error to raise about it."""
        return InventoryError(message, file=self.file, line=self.line, hint=hint)

    def __repr__(self) -> str:
        return f"Value(…, {self.file}:{self.line})"  # may be a password


@dataclass
class Group:
    """One group while its file is read; `children` by name with the line that says so."""

    name: str
    hosts: dict[str, None] = field(default_factory=dict)
    variables: dict[str, Value] = field(default_factory=dict)
    children: dict[str, int] = field(default_factory=dict)


@dataclass
class Tree:
    """One inventory while it is read."""

    file: str
    groups: dict[str, Group] = field(default_factory=dict)
    hosts: dict[str, dict[str, Value]] = field(default_factory=dict)  # in the order of the file

    def group(self, name: str) -> Group:
        """The group, made where it is new."""
        return self.groups.setdefault(name, Group(name))

    def add_host(self, name: str, group: str) -> dict[str, Value]:
        """The host's variables."""
        self.group(group).hosts[name] = None
        return self.hosts.setdefault(name, {})

    def error(self, message: str, line: int, *, hint: str = "") -> InventoryError:
        """The error to raise about a line."""
        return InventoryError(message, file=self.file, line=line, hint=hint)

    def check(self) -> None:
        """Children exist, and nobody is its own ancestor.

        Raises:
            InventoryError: not so.
        """
        for group in self.groups.values():
            for child, line in group.children.items():
                if child not in self.groups:
                    hint = f"give it a section `[{child}]`, or mend its name"
                    raise self.error(
                        f"`{group.name}` has a child `{child}` that is no group", line, hint=hint
                    )
        for group in self.groups.values():
            for line in self._loops(group.name, group.name, set()):
                raise self.error(f"the group `{group.name}` is its own child", line)

    def _loops(self, name: str, start: str, seen: set[str]) -> Iterator[int]:
        for child, line in self.groups[name].children.items():
            if child == start:
                yield line
            elif child not in seen:
                seen.add(child)
                yield from self._loops(child, start, seen)

    def depths(self) -> dict[str, int]:
        """How far each group is from `all`: what a child says counts more than what its parent does."""
        parents: dict[str, list[str]] = {name: [] for name in self.groups}
        for group in self.groups.values():
            for child in group.children:
                parents[child].append(group.name)
        known: dict[str, int] = {}

        def depth(name: str) -> int:
            if name not in known:
                above = [depth(parent) for parent in parents[name] if parent != ALL]
                known[name] = 0 if name == ALL else 1 + max(above, default=0)
            return known[name]

        return {name: depth(name) for name in self.groups}

    def members(self, name: str) -> dict[str, None]:
        """The group's hosts and its children's."""
        found: dict[str, None] = {}
        seen: set[str] = set()
        waiting = [name]
        while waiting:
            one = waiting.pop(0)
            if one not in seen and one in self.groups:
                seen.add(one)
                found.update(self.groups[one].hosts)
                waiting += self.groups[one].children
        return found
