"""Inventories in Ansible's INI form, which one host a line is the simplest case of; imported by `load` only.

Ansible docs, "ansible.builtin.ini inventory": sections `[group]`, `[group:children]`, `[group:vars]`; host
lines are split as a shell does, and `#` after a blank begins a comment there.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from x11fwd.inventory.hostnames import host_names
from x11fwd.inventory.tree import ALL, UNGROUPED, Tree, Value

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["parse_ini"]

_SECTION = re.compile(r"\[([^:\]\s]+)(?::(\w+))?\]\s*(?:[#;].*)?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def parse_ini(text: str, file: str) -> Tree:
    """Read one file.

    Raises:
        InventoryError: a line that cannot be meant.
    """
    tree = Tree(file)
    tree.group(ALL)
    tree.group(UNGROUPED)
    group, kind = UNGROUPED, "hosts"
    awaited: dict[str, int] = {}  # groups that got variables before anybody has said what they are
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if line.startswith("[") and _is_section(line):
            found = _SECTION.fullmatch(line)
            if found is None:
                hint = "sections are `[group]`, `[group:children]` and `[group:vars]`"
                raise tree.error(f"{line!r} is no section", number, hint=hint)
            group, kind = found[1], found[2] or "hosts"
            if kind not in {"hosts", "children", "vars"}:
                raise tree.error(f"a section is `:children` or `:vars`, not `:{kind}`", number)
            if kind == "vars" and group not in tree.groups:
                awaited.setdefault(group, number)
            elif kind != "vars":
                tree.group(group)
            continue
        if kind == "vars":
            key, value = _variable(tree, line, number)
            (tree.group(group)).variables[key] = value
        elif kind == "children":
            name = _without_comment(line)
            tree.group(group).children.setdefault(name, number)
        else:
            _host(tree, line, number, group)
    declared = {child for one in tree.groups.values() for child in one.children}
    for name, number in awaited.items():
        one = tree.groups.get(name)
        if one is not None and not one.hosts and not one.children and name not in declared:
            raise tree.error(
                f"`{name}` has variables and is no group", number, hint=f"is there a `[{name}]`?"
            )
    for name in declared & awaited.keys():
        tree.group(name)
    tree.check()
    return tree


def _is_section(line: str) -> bool:
    """A bracket in front may also begin an IPv6 address with a port, `[2001:db8::1]:22`."""
    inside = line[1:].partition("]")[0]
    return inside.count(":") < 2


def _host(tree: Tree, line: str, number: int, group: str) -> None:
    try:
        words = shlex.split(line, comments=True)
    except ValueError as error:
        raise tree.error(f"{str(error).lower()} in {_short(line)}", number) from None
    if not words:
        return
    variables = dict(_pairs(tree, words[1:], number))
    try:
        names, port = host_names(words[0])
    except ValueError as error:
        raise tree.error(f"{words[0]!r}: {error}", number) from None
    for name in names:
        known = tree.add_host(name, group)
        if port is not None:
            known.setdefault("ansible_port", Value(str(port), tree.file, number))
        known.update(variables)


def _pairs(tree: Tree, words: Iterable[str], number: int) -> Iterable[tuple[str, Value]]:
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or not _NAME.fullmatch(key):
            hint = "one host a line; variables follow it as `name=value`"
            raise tree.error(f"{word.partition('=')[0]!r} after a host is no `name=value`", number, hint=hint)
        yield key, Value(text, tree.file, number)


def _variable(tree: Tree, line: str, number: int) -> tuple[str, Value]:
    key, equals, text = line.partition("=")
    key, text = key.strip(), text.strip()
    if not equals or not _NAME.fullmatch(key):
        raise tree.error(f"{key!r} is no `name=value`", number)
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1]
    else:
        text = re.sub(r"\s#.*$", "", text)
    return key, Value(text, tree.file, number)


def _without_comment(line: str) -> str:
    return line.partition(" #")[0].partition("\t#")[0].strip()


def _short(line: str) -> str:
    return repr(line.split(maxsplit=1)[0])  # what follows may be a password
