"""Where a function is, what it is made of, and which files it needs elsewhere; read, never run, over here."""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from x11fwd.errors import UsageError
from x11fwd.render.model import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["find_source", "source_digest"]

_MOST_FILES, _MOST_BYTES = 500, 20 * 1024 * 1024


def find_source(text: str, folders: Sequence[Path], *, travels: bool) -> Source:
    """`MODULE:FUNCTION` or `path/to/file.py:FUNCTION`.

    Args:
        folders: where modules of the user's own are looked for; others are the interpreter's business.
        travels: the module's text, and that of modules of ours it imports, must be sent.

    Raises:
        UsageError: it is not of that form, or the file is not there or not Python.
    """
    module, colon, function = text.rpartition(":")
    if not colon or not module or not all(part.isidentifier() for part in function.split(".")):
        raise UsageError(f"{text!r} is not MODULE:FUNCTION, such as `plots:draw` or `plots.py:draw`")
    if module.endswith(".py"):
        path = Path(module)
        if not path.is_file():
            raise UsageError(f"there is no file {module}")
        root, module = path.resolve().parent, path.stem
    elif all(part.isidentifier() for part in module.split(".")):
        root_or_none = next((one for one in folders if _file(one, module)), None)
        if root_or_none is None:
            # installed somewhere: its version is not looked at
            digest = hashlib.sha256(f"{module}:{function}".encode()).hexdigest()
            return Source(module, function, path=() if travels else tuple(map(str, folders)), digest=digest)
        root = root_or_none.resolve()
    else:
        raise UsageError(f"{module!r} is no name of a module")
    files = dict(_closure(root, module))
    first = _file(root, module)
    if first is not None:
        _check(files[first.relative_to(root).as_posix()], first, function)
    return Source(
        module,
        function,
        path=() if travels else (str(root),),
        files=files if travels else {},
        digest=_digest(files, first.relative_to(root).as_posix() if first else "", function),
    )


def source_digest(path: Path, function: str) -> str:
    """Of a function in a file: what it is made of there, and the modules beside it that it imports."""
    try:
        files = dict(_closure(path.parent, path.stem))
        return _digest(files, path.name, function)
    except (UsageError, KeyError):
        return hashlib.sha256(path.read_bytes() + function.encode()).hexdigest()


def _file(root: Path, module: str) -> Path | None:
    base = root.joinpath(*module.split("."))
    return next((one for one in (base.with_suffix(".py"), base / "__init__.py") if one.is_file()), None)


def _closure(root: Path, module: str) -> Iterator[tuple[str, str]]:
    """The module and every module under `root` that it imports, whichever way, with their texts."""
    todo, seen, size = [module], set[str](), 0
    while todo:
        name = todo.pop()
        parts = name.split(".")
        for length in range(1, len(parts) + 1):
            inner = ".".join(parts[:length])
            path = _file(root, inner)
            if path is None or inner in seen:
                continue
            seen.add(inner)
            text = path.read_bytes().decode("utf-8", "surrogateescape")
            size += len(text)
            if len(seen) > _MOST_FILES or size > _MOST_BYTES:
                raise UsageError(f"{module} imports more than {_MOST_FILES} files or 20 MB of {root}")
            yield path.relative_to(root).as_posix(), text
            package = inner if path.name == "__init__.py" else inner.rpartition(".")[0]
            todo += _imports(_parsed(text, path), package)


def _parsed(text: str, path: Path) -> ast.Module:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise UsageError(f"{path}{f':{line}' if line else ''} is not Python: {error}") from None


def _imports(tree: ast.Module, package: str) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1] if package else []
                base = ".".join([*above, *([base] if base else [])])
            found += [base, *(f"{base}.{alias.name}" for alias in node.names)] if base else []
    return [name for name in found if name]


def _check(text: str, path: Path, function: str) -> None:
    """Say at once that a function is not there, unless something else could have put it there."""
    tree = ast.parse(text)
    first = function.partition(".")[0]
    if first in _names(tree) or any(
        isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)
        for node in ast.walk(tree)
    ):
        return
    raise UsageError(f"there is no {first} in {path.name}")


def _names(tree: ast.AST) -> set[str]:
    found = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).split(".")[0])
    return found


def _digest(files: dict[str, str], first: str, function: str) -> str:
    """Of the statements of its own module that the function uses, and of the other modules as a whole."""
    whole = hashlib.sha256(function.encode())
    for name in sorted(files):
        text = files[name]
        used = _used(text, function.partition(".")[0]) if name == first else text
        whole.update(f"\0{name}\0".encode())
        whole.update(used.encode("utf-8", "surrogateescape"))
    return whole.hexdigest()


def _used(text: str, function: str) -> str:
    """The top-level statements that the function uses, one through another.

    What changes things from outside (`plt.style.use(…)`, `rcParams[…] = …`) counts always; what only runs
    as a program (`if __name__ == "__main__":`) does not, so that a longer loop draws nothing twice.
    """
    tree, lines = ast.parse(text), text.splitlines()
    bound: dict[str, list[ast.stmt]] = {}
    wanted: list[ast.stmt] = []
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            bound.setdefault(node.name, []).append(node)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                bound.setdefault((alias.asname or alias.name).split(".")[0], []).append(node)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and all(
            isinstance(one, ast.Name)
            for one in (node.targets if isinstance(node, ast.Assign) else [node.target])
        ):
            for one in node.targets if isinstance(node, ast.Assign) else [node.target]:
                bound.setdefault(ast.unparse(one), []).append(node)
        elif not (isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)):
            wanted.append(node)
    wanted += bound.get(function, [])
    taken = dict[int, ast.stmt]()
    while wanted:
        node = wanted.pop()
        if id(node) in taken:
            continue
        taken[id(node)] = node
        for name in _names(node):
            wanted += bound.get(name, [])
    parts = []
    for node in sorted(taken.values(), key=lambda one: one.lineno):
        decorators = getattr(node, "decorator_list", [])
        start = min([node.lineno, *(one.lineno for one in decorators)])
        parts.append("\n".join(lines[start - 1 : node.end_lineno]))
    return "\n".join(parts)
