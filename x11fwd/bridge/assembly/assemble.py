"""Makes the remote half one program of one file; `pipeline` and the tests import it.

The modules that `main` needs stand in it one after the other, in the order in which they need one another.
They import names of one another as they are called there, so these imports just go.
"""

from __future__ import annotations

import ast
import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from x11fwd.bridge.assembly.strip import AssemblyFault, stripped

if TYPE_CHECKING:
    from collections.abc import Mapping

MAIN = "x11fwd.bridge.remote.main"
PACKAGES = ("x11fwd.bridge.shared", "x11fwd.bridge.remote", "x11fwd.bridge.remote.rules")
LARGEST = 200_000  # bytes
_OURS = "x11fwd."
_CACHE_NAME = "remote-half"


@dataclass(frozen=True)
class Assembled:
    """The program; `main(argv, early)` in it is where it begins.

    Attributes:
        source: Python 3.6 and later, standard library only.
        digest: SHA-256 of it, hexadecimal.
    """

    source: bytes
    digest: str

    @classmethod
    def of(cls, source: bytes) -> Assembled:
        return cls(source, hashlib.sha256(source).hexdigest())


def assemble(cache: str | None = None) -> Assembled:
    """The remote half of this x11fwd.

    Args:
        cache: a folder in which to keep it, as making it takes a while; it may be missing or full.

    Raises:
        AssemblyFault: the modules do not fit together. A mistake of ours, which the tests find.
    """
    files = _files()
    key = _key(files)
    kept = _read(cache, key) if cache else None
    if kept is not None:
        return kept
    texts = {}
    for name, path in files.items():
        with open(path, encoding="utf-8") as file:
            texts[name] = file.read()
    made = Assembled.of(joined(texts, MAIN))
    if cache:
        _keep(cache, key, made)
    return made


def joined(texts: Mapping[str, str], main: str) -> bytes:
    """The program made of the module `main` and those of `texts` (by full name) that it needs.

    Raises:
        AssemblyFault: they do not fit together.
    """
    trees: dict[str, ast.Module] = {}
    order: list[str] = []
    _collect(main, texts, trees, order, ())
    imports: dict[str, str] = {"namedtuple": "from collections import namedtuple"}  # by the name bound
    body: list[ast.stmt] = []
    owners: dict[str, str] = {}
    for name in order:
        for node in trees[name].body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                _add_import(node, name, imports)
                continue
            for defined in defined_names(node):
                if owners.setdefault(defined, name) != name:
                    raise AssemblyFault(f"{defined} is a name of {owners[defined]} and of {name}")
            body.append(node)
    both = set(owners) & set(imports)
    if both:
        raise AssemblyFault(f"{', '.join(sorted(both))}: imported in one module and defined in another")
    text = "\n".join([*sorted(set(imports.values())), ast.unparse(ast.Module(body, [])), ""])
    if len(text) > LARGEST:
        raise AssemblyFault(f"the program has {len(text)} bytes, more than {LARGEST}")
    return text.encode()


def defined_names(node: ast.stmt) -> set[str]:
    """The names that a statement at top level makes."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}


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
        if node.level or any(alias.asname or alias.name == "*" for alias in node.names):
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


def _files() -> dict[str, str]:
    """Path of each module that may be part of the program, by its name."""
    top = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120  pathlib costs 4 ms
    found = {}
    for package in PACKAGES:
        folder = top + package.removeprefix("x11fwd.bridge").replace(".", "/")
        for file in sorted(os.listdir(folder)):  # noqa: PTH208  same
            if file.endswith(".py") and file != "__init__.py":
                found[f"{package}.{file.removesuffix('.py')}"] = f"{folder}/{file}"
    return found


def _key(files: Mapping[str, str]) -> str:
    """What the program depends on: the files, as make sees them, and the Python that writes it out."""
    import sys

    own = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120  same
    seen = [sys.version]
    for path in (*files.values(), f"{own}/assemble.py", f"{own}/strip.py"):
        status = os.stat(path)  # noqa: PTH116  same
        seen.append(f"{path} {status.st_mtime_ns} {status.st_size}")
    return hashlib.sha256("\n".join(seen).encode("utf-8", "surrogateescape")).hexdigest()


def _read(cache: str, key: str) -> Assembled | None:
    try:
        with open(f"{cache}/{_CACHE_NAME}", "rb") as file:
            head, _, source = file.read(2 * LARGEST).partition(b"\n")
    except OSError:
        return None
    made = Assembled.of(source)
    return made if head == f"{key} {made.digest}".encode() else None


def _keep(cache: str, key: str, made: Assembled) -> None:
    temporary = f"{cache}/{_CACHE_NAME}.{os.getpid()}"
    try:
        os.makedirs(cache, mode=0o700, exist_ok=True)  # noqa: PTH103  same
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(f"{key} {made.digest}\n".encode() + made.source)
        os.replace(temporary, f"{cache}/{_CACHE_NAME}")  # noqa: PTH105  same
    except OSError:
        return
