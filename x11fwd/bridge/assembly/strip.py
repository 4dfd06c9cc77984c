"""Takes out of a module what only readers and type checkers need; `assemble` and `bootstrap` import it.

What it gives runs on Python 3.6, as the module does: docstrings, annotations and names of `typing` are gone,
and a NamedTuple class is a `collections.namedtuple`, as `typing` takes longer to import than all the rest.
"""

from __future__ import annotations

import ast

_TYPING = "typing"


class AssemblyFault(Exception):
    """A module has something that the assembled program cannot have; a mistake of ours."""


def stripped(tree: ast.Module) -> ast.Module:
    """The module without docstrings, annotations, `typing` and what uses it; `tree` is changed.

    Raises:
        AssemblyFault: it uses a name of `typing`, or an alias made of one, when it runs.
    """
    gone = {"TYPE_CHECKING"}  # names that exist for a type checker only
    tree.body = [node for node in tree.body if not _leaves(node, gone)]
    _Stripper(gone).visit(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in gone:
            raise AssemblyFault(f"line {node.lineno} uses {node.id} when it runs")
        if isinstance(node, ast.JoinedStr | ast.NamedExpr):
            raise AssemblyFault(f"line {node.lineno} has an f-string or `:=`")
    return ast.fix_missing_locations(tree)


def _leaves(node: ast.stmt, gone: set[str]) -> bool:
    """A statement at top level that goes; names that go with it are added to `gone`."""
    if isinstance(node, ast.ImportFrom) and node.module == _TYPING:
        gone.update(alias.asname or alias.name for alias in node.names)
        return True
    if isinstance(node, ast.Import) and [alias.name for alias in node.names] == [_TYPING]:
        gone.add(_TYPING)
        return True
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        for inner in node.body:
            if isinstance(inner, ast.Import | ast.ImportFrom):
                gone.update(alias.asname or alias.name for alias in inner.names)
        return True
    if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test):
        return True
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        if names == ["__all__"]:
            return True
        # an alias of types: Key = Tuple[str, int]
        if node.value is not None and _is_alias(node.value, gone):
            gone.update(names)
            return True
    return False


def _is_alias(value: ast.expr, gone: set[str]) -> bool:
    if isinstance(value, ast.Subscript):
        value = value.value
    elif isinstance(value, ast.Call):
        value = value.func  # TypeVar(...), NewType(...)
        if isinstance(value, ast.Name) and value.id == "cast":
            return False
    if isinstance(value, ast.Attribute):
        value = value.value
    return isinstance(value, ast.Name) and value.id in gone


class _Stripper(ast.NodeTransformer):
    def __init__(self, gone: set[str]) -> None:
        self._gone = gone

    def _body(self, node: ast.Module | ast.ClassDef | ast.FunctionDef) -> None:
        self.generic_visit(node)
        node.body = [one for one in node.body if not (isinstance(one, ast.Expr) and _is_text(one.value))]
        if not node.body and not isinstance(node, ast.Module):
            node.body = [ast.Pass()]

    def visit_Module(self, node: ast.Module) -> ast.Module:
        self._body(node)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef | None:
        if any(isinstance(one, ast.Name) and one.id == "overload" for one in node.decorator_list):
            return None
        node.returns = None
        self._body(node)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.Assign | None:
        self.generic_visit(node)
        if node.value is None:
            return None
        return ast.Assign(targets=[node.target], value=node.value)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "cast" and "cast" in self._gone:
            return node.args[1]
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.stmt | list[ast.stmt]:
        if not any(isinstance(base, ast.Name) and base.id == "NamedTuple" for base in node.bases):
            self._body(node)
            return node
        fields = [one for one in node.body if isinstance(one, ast.AnnAssign)]
        names = [one.target.id for one in fields if isinstance(one.target, ast.Name)]
        defaults = [self.visit(one.value) for one in fields if one.value is not None]
        node.body = [one for one in node.body if not isinstance(one, ast.AnnAssign)]
        self._body(node)
        made: ast.expr = ast.Call(
            ast.Name("namedtuple", ast.Load()), [ast.Constant(node.name), ast.Constant(" ".join(names))], []
        )
        found: list[ast.stmt]
        if any(not isinstance(one, ast.Pass) for one in node.body):
            slots = ast.Assign([ast.Name("__slots__", ast.Store())], ast.Tuple([], ast.Load()))
            node.bases = [made]
            node.body.insert(0, slots)
            found = [node]
        else:
            found = [ast.Assign([ast.Name(node.name, ast.Store())], made)]
        if defaults:
            # namedtuple(defaults=…) came with Python 3.7
            target = ast.Attribute(
                ast.Attribute(ast.Name(node.name, ast.Load()), "__new__", ast.Load()),
                "__defaults__",
                ast.Store(),
            )
            found.append(ast.Assign([target], ast.Tuple(defaults, ast.Load())))
        return found


def _is_text(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and isinstance(value.value, str)
