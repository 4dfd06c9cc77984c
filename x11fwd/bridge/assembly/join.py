"""Joins modules to one program; `assemble` imports it, where the program is not in its cache.

The modules that `main` needs stand in it one after the other, in the order in which they need one another.
They import names of one another as they are called there, so these imports just go. Public names are unique
over all of them; a private name that an earlier module has, too, gets the module's name behind it.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from x11fwd.bridge.assembly.squeeze import shorten_names, without_blanks
from x11fwd.bridge.assembly.strip import AssemblyFault, stripped

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST = 200_000  # bytes
_OURS = "x11fwd."


def loader_text(text: str) -> bytes:
    """loader.py, stripped, with the call that begins it."""
    return f"{without_blanks(ast.unparse(stripped(ast.parse(text))))}\nsys.exit(start(sys.argv[1:]))".encode()


def joined(texts: Mapping[str, str], main: str) -> bytes:
    """The program made of the module `main` and those of `texts` (by full name) that it needs.

    Raises:
        AssemblyFault: they do not fit together.
    """
    trees: dict[str, ast.Module] = {}
    order = needed(texts, main, trees)
    imports: dict[str, str] = {"namedtuple": "from collections import namedtuple"}  # by the name bound
    body: list[ast.stmt] = []
    owners: dict[str, str] = {}
    twice: list[str] = []
    for name in order:
        _rename_private(trees[name], name, set(owners))
        for node in trees[name].body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                _add_import(node, name, imports)
                continue
            names = defined_names(node)
            twice += [
                f"{one} ({owners[one]}, {name})" for one in names if owners.setdefault(one, name) != name
            ]
            body.append(node)
    if twice:
        raise AssemblyFault(f"names of two modules: {', '.join(twice)}")
    both = set(owners) & set(imports)
    if both:
        raise AssemblyFault(f"{', '.join(sorted(both))}: imported in one module and defined in another")
    whole = ast.Module(body, [])
    shorten_names(whole, set(owners) | set(imports))
    text = "\n".join([*sorted(set(imports.values())), without_blanks(ast.unparse(whole)), ""])
    if len(text) > LARGEST:
        raise AssemblyFault(f"the program has {len(text)} bytes, more than {LARGEST}")
    return text.encode()


def needed(texts: Mapping[str, str], main: str, trees: dict[str, ast.Module] | None = None) -> list[str]:
    """The names of the modules that are part of the program, in their order;
    `trees` gets what they become."""
    order: list[str] = []
    _collect(main, texts, {} if trees is None else trees, order, ())
    return order


def _rename_private(tree: ast.Module, name: str, taken: set[str]) -> None:
    """Give top-level names that begin with `_` another one where they are taken.

    Such a name is nothing but a name: where it is an attribute or an argument as well, that is a fault.
    """
    own: set[str] = set().union(*(defined_names(node) for node in tree.body))
    twice = {one for one in own & taken if one.startswith("_")}
    if not twice:
        return
    new = {one: f"{one}_{name.rpartition('.')[2]}" for one in twice}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = new.get(node.id, node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            inner = node.body if isinstance(node, ast.ClassDef) else []
            if any(defined_names(one) & twice for one in inner):
                raise AssemblyFault(
                    f"{name}: {node.name} has an attribute {', '.join(twice)}, taken elsewhere"
                )
            node.name = new.get(node.name, node.name)
        elif isinstance(node, ast.Global):
            node.names = [new.get(one, one) for one in node.names]
        elif isinstance(node, ast.arg | ast.keyword) and node.arg in twice:
            raise AssemblyFault(f"{name}: {node.arg} is an argument, and a name of another module")


def defined_names(node: ast.AST) -> set[str]:
    """The names that a statement at top level makes."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Store) else set()
    if isinstance(node, ast.comprehension | ast.Lambda):
        return set()  # names of its own
    found: set[str] = set()
    return found.union(*(defined_names(one) for one in ast.iter_child_nodes(node)))


def _collect(
    name: str, texts: Mapping[str, str], trees: dict[str, ast.Module], order: list[str], path: tuple[str, ...]
) -> None:
    """Strip the module and those it needs, and put them in order."""
    if name in trees:
        if name in path:
            raise AssemblyFault(f"modules need one another in a circle: {' '.join((*path, name))}")
        return
    try:
        tree = trees[name] = stripped(ast.parse(texts[name]))
    except KeyError:
        raise AssemblyFault(f"{path[-1] if path else 'nobody'} needs {name}, which is not sent") from None
    except AssemblyFault as fault:
        raise AssemblyFault(f"{name}: {fault}") from None
    remover = _OwnImports(name)
    remover.visit(tree)
    for needed, wanted in remover.found:
        _collect(needed, texts, trees, order, (*path, name))
        known: set[str] = set().union(*(defined_names(node) for node in trees[needed].body))
        # a type alias is gone, and so are its uses; what is used and missing shows as undefined
        for one in wanted - known:
            if any(isinstance(node, ast.Name) and node.id == one for node in ast.walk(tree)):
                raise AssemblyFault(f"{name} uses {one} of {needed}, which has no such name when it runs")
    order.append(name)


class _OwnImports(ast.NodeTransformer):
    """Takes out the imports of our own modules, also those inside functions."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.found: list[tuple[str, set[str]]] = []

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom | ast.Pass | None:
        if not (node.module or "").startswith(_OURS):
            return node
        if node.level or any(alias.asname or alias.name[0] in "*_" for alias in node.names):
            raise AssemblyFault(f"{self._name}, line {node.lineno}: such an import cannot be taken out")
        self.found.append((node.module or "", {alias.name for alias in node.names}))
        return ast.Pass() if node.col_offset else None  # a function of nothing else needs a body


def _add_import(node: ast.Import | ast.ImportFrom, name: str, imports: dict[str, str]) -> None:
    for alias in node.names:
        bound = (alias.asname or alias.name).partition(".")[0]
        text = ast.unparse(
            ast.Import([alias]) if isinstance(node, ast.Import) else ast.ImportFrom(node.module, [alias], 0)
        )
        if imports.setdefault(bound, text) != text:
            raise AssemblyFault(f"{name} has `{text}`, another module `{imports[bound]}`")
