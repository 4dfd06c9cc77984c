"""Inventories in Ansible's YAML form, and files of variables; imported by this package only.

Ansible docs, "ansible.builtin.yaml inventory": groups at the top, each with `hosts`, `vars` and `children`.
Nodes are composed, never constructed, so no tag can run anything and `yes` stays the word that was written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml  # noqa: TID251  beside `playbook` the one package that may

from x11fwd.inventory.hostnames import host_names
from x11fwd.inventory.model import InventoryError
from x11fwd.inventory.tree import ALL, UNGROUPED, VAULT, Tree, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["parse_variables", "parse_yaml"]

_NULL = "tag:yaml.org,2002:null"
_DEEP = 50  # groups inside one another


def parse_yaml(text: str, file: str) -> Tree:
    """Read one file.

    Raises:
        InventoryError: no YAML, or something in it that cannot be meant.
    """
    tree = Tree(file)
    tree.group(ALL)
    tree.group(UNGROUPED)
    root = _compose(text, file)
    if root is None:
        return tree
    if not isinstance(root, yaml.MappingNode):
        hint = "groups stand at the top, each with `hosts:`, `vars:` or `children:`"
        raise tree.error("an inventory is a mapping of groups", _line(root), hint=hint)
    for key, node in _entries(root, file, "an inventory"):
        if key == "plugin":
            hint = "`--engine ansible` can; or write it out with `ansible-inventory --list --yaml`"
            raise tree.error(
                "this configures an inventory plugin, which only Ansible runs", _line(node), hint=hint
            )
        _group(tree, key, node, 0)
    tree.check()
    return tree


def parse_variables(text: str, file: str) -> dict[str, Value]:
    """A file of `group_vars` or `host_vars`; encrypted as a whole it gives nothing.

    Raises:
        InventoryError: it is no YAML mapping.
    """
    if text.startswith(VAULT):
        return {}
    root = _compose(text, file)
    if root is None:
        return {}
    if not isinstance(root, yaml.MappingNode):
        raise InventoryError("a file of variables is a mapping", file=file, line=_line(root))
    return dict(_values(root, file, "the file"))


def _compose(text: str, file: str) -> yaml.Node | None:
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise InventoryError(f"is not YAML: {error.problem}", file=file, line=line) from None
    except yaml.YAMLError as error:
        position = getattr(error, "position", 0)
        line = text.count("\n", 0, position) + 1 if isinstance(position, int) else 1
        raise InventoryError("is not YAML: holds a forbidden character", file=file, line=line) from None
    except RecursionError:
        raise InventoryError("is nested too deeply", file=file, line=1) from None
    return None if node is None or node.tag == _NULL else node


def _group(tree: Tree, name: str, node: yaml.Node, depth: int) -> None:
    if depth > _DEEP:
        raise tree.error(f"groups are nested more than {_DEEP} deep", _line(node))
    group = tree.group(name)
    if node.tag == _NULL:
        return
    if not isinstance(node, yaml.MappingNode):
        hint = "it holds `hosts:`, `vars:` or `children:`"
        raise tree.error(f"the group `{name}` must be a mapping", _line(node), hint=hint)
    for key, inside in _entries(node, tree.file, f"the group `{name}`"):
        if key not in {"hosts", "vars", "children"}:
            hint = "known are `hosts`, `vars` and `children`; variables belong under `vars:`"
            raise tree.error(f"the group `{name}` has an unknown key `{key}`", _line(inside), hint=hint)
        if inside.tag == _NULL:
            continue
        if not isinstance(inside, yaml.MappingNode):
            hint = "end each name with a colon, without a dash in front" if key != "vars" else ""
            raise tree.error(f"`{key}` of the group `{name}` must be a mapping", _line(inside), hint=hint)
        if key == "vars":
            group.variables.update(_values(inside, tree.file, f"`vars` of `{name}`"))
        elif key == "children":
            for child, below in _entries(inside, tree.file, f"`children` of `{name}`"):
                group.children.setdefault(child, _line(below))
                _group(tree, child, below, depth + 1)
        else:
            _hosts(tree, name, inside)


def _hosts(tree: Tree, group: str, node: yaml.MappingNode) -> None:
    for word, below in _entries(node, tree.file, f"`hosts` of `{group}`"):
        line = _line(below)
        try:
            names, port = host_names(word)
        except ValueError as error:
            raise tree.error(f"{word!r}: {error}", line) from None
        if below.tag != _NULL and not isinstance(below, yaml.MappingNode):
            raise tree.error(f"the variables of `{word}` must be a mapping", line)
        variables = (
            dict(_values(below, tree.file, f"`{word}`")) if isinstance(below, yaml.MappingNode) else {}
        )
        for name in names:
            known = tree.add_host(name, UNGROUPED if group == ALL else group)
            if port is not None:
                known.setdefault("ansible_port", Value(str(port), tree.file, line))
            known.update(variables)


def _entries(node: yaml.MappingNode, file: str, whole: str) -> Iterator[tuple[str, yaml.Node]]:
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.tag == _NULL:
            raise InventoryError(f"a key of {whole} must be one word", file=file, line=_line(key))
        yield str(key.value), value


def _values(node: yaml.MappingNode, file: str, whole: str) -> Iterator[tuple[str, Value]]:
    """The variables that are one word or text; lists and mappings mean nothing to us."""
    for key, value in _entries(node, file, whole):
        if isinstance(value, yaml.ScalarNode) and value.tag != _NULL:
            text = VAULT if value.tag == "!vault" else str(value.value)
            yield key, Value(text, file, _line(value))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
