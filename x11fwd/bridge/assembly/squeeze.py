"""Makes the text of a program shorter without changing what it does; `join` imports it.

Names that nobody outside a function can see get one or two letters, and blanks go where two tokens stand
apart without. The names of functions, classes and attributes stay: a fault's place can still be found.
"""

from __future__ import annotations

import ast
import builtins
import io
import itertools
import keyword
import string
import tokenize
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOOKERS = {"locals", "vars", "eval", "exec"}  # they see the names of variables
_SKIPPED = {tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def shorten_names(tree: ast.Module, public: set[str]) -> None:
    """Rename the variables of functions, and `self`; arguments stay, as they may be given by name.

    Args:
        tree: the whole program; it is changed.
        public: the names that it defines or imports at top level.
    """
    known = public | set(dir(builtins))
    for node in tree.body:
        functions = node.body if isinstance(node, ast.ClassDef) else [node]
        for function in functions:
            if isinstance(function, ast.FunctionDef):
                _shorten(function, known, method=isinstance(node, ast.ClassDef))


def _shorten(function: ast.FunctionDef, known: set[str], *, method: bool) -> None:
    """One function with all that is inside it; a name means the same in all of it, or is left as it is."""
    used: dict[str, int] = {}
    outside = [*function.decorator_list, *function.args.defaults, *filter(None, function.args.kw_defaults)]
    kept = {one.id for node in outside for one in ast.walk(node) if isinstance(one, ast.Name)}
    stored: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Name):
            if node.id in _LOOKERS:
                return
            used[node.id] = used.get(node.id, 0) + 1
            if isinstance(node.ctx, ast.Store):
                stored.add(node.id)
        elif isinstance(node, ast.arg):
            kept.add(node.arg)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            kept.update(node.names)
        elif isinstance(node, ast.ExceptHandler):
            kept.add(node.name or "")
        elif isinstance(node, ast.ClassDef):
            return  # what it stores are attributes
        elif isinstance(node, ast.FunctionDef) and node is not function:
            kept.add(node.name)
        elif isinstance(node, ast.alias):
            kept.add(node.asname or node.name)
    first = function.args.args[0] if function.args.args else None
    hidden = stored - kept - known
    if method and first is not None and first.arg in {"self", "cls"}:
        hidden.add(first.arg)
    letters = _names(known | kept | set(used))
    new = {}
    for name in sorted(hidden, key=lambda one: (-used.get(one, 0) * len(one), one)):
        short = next(letters)
        if len(short) < len(name):
            new[name] = short
    for node in ast.walk(function):
        if isinstance(node, ast.Name):
            node.id = new.get(node.id, node.id)
    if first is not None and method:
        first.arg = new.get(first.arg, first.arg) if first.arg in {"self", "cls"} else first.arg


def _names(taken: set[str]) -> Iterator[str]:
    """a, b, … aa, ab, … that are free."""
    for size in itertools.count(1):
        for letters in itertools.product(string.ascii_lowercase, repeat=size):
            name = "".join(letters)
            if name not in taken and not keyword.iskeyword(name):
                yield name


def without_blanks(text: str) -> str:
    """What `ast.unparse` wrote (one statement per line), as close as Python 3.6 can read it."""
    lines: list[str] = []
    line, depth, before = "", 0, ""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        depth += (token.type == tokenize.INDENT) - (token.type == tokenize.DEDENT)
        if token.type == tokenize.NEWLINE:
            lines.append(line)
            line, before = "", ""
        elif token.type not in _SKIPPED:
            # a word before a string is kept apart, too: it could be read as its prefix
            apart = _is_word(before[-1:]) and (_is_word(token.string[0]) or token.type == tokenize.STRING)
            line = (line or " " * depth) + (" " if apart else "") + token.string
            before = token.string
    return "\n".join(lines)


def _is_word(letter: str) -> bool:
    return letter.isalnum() or letter == "_"
