"""Values as YAML that people like to read, and ansible-lint accepts; for this package only."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

__all__ = ["Value", "document"]

Value: TypeAlias = "str | int | bool | Sequence[Value] | Mapping[str, Value]"

_PLAIN = re.compile(r"^[A-Za-z/][A-Za-z0-9_./-]*")
_WORDS = frozenset({"yes", "no", "on", "off", "true", "false", "null", "y", "n"})
_FOLDS = re.compile(r"^[!-~]+(?: [!-~]+)*")  # single blanks, no tabs, no line ends
_WIDEST = 110


def document(value: Value, *, heading: Sequence[str] = ()) -> str:
    """One YAML document.

    Args:
        heading: comment lines above it.
    """
    lines = ["---", *(f"# {line}".rstrip() for line in heading), *_block(value, 0)]
    return "\n".join(lines) + "\n"


def _block(value: Value, depth: int) -> list[str]:
    pad = " " * depth
    if isinstance(value, Mapping):
        lines: list[str] = []
        for key, inner in value.items():
            name = _scalar(key)
            if isinstance(inner, str) and (folded := _folded(inner, depth + 2)):
                lines += [f"{pad}{name}: >-", *folded]
            elif short := _short(inner, depth + len(name) + 2):
                lines.append(f"{pad}{name}: {short}")
            else:
                lines += [f"{pad}{name}:", *_block(inner, depth + 2)]
        return lines
    if isinstance(value, (str, int)):
        return [pad + _scalar(value)]
    lines = []
    for inner in value:
        if depth == 0 and lines and isinstance(inner, Mapping):
            lines.append("")
        if isinstance(inner, str) and (folded := _folded(inner, depth + 2)):
            lines += [f"{pad}- >-", *folded]
        elif short := _short(inner, depth + 2):
            lines.append(f"{pad}- {short}")
        else:
            first, *rest = _block(inner, depth + 2)
            lines += [f"{pad}- {first.lstrip()}", *rest]
    return lines


def _short(value: Value, column: int) -> str:
    """On one line, "" where that would be too long, or a mapping with something in it."""
    if isinstance(value, (str, int)):
        return _scalar(value)
    if isinstance(value, Mapping):
        return "" if value else "{}"
    parts = []
    for inner in value:
        if not isinstance(inner, (str, int)) or (isinstance(inner, str) and "\n" in inner):
            if isinstance(inner, Sequence) and not isinstance(inner, str) and (nested := _short(inner, 0)):
                parts.append(nested)
                continue
            return ""
        parts.append(_scalar(inner))
    line = f"[{', '.join(parts)}]"
    return line if column + len(line) <= _WIDEST or not parts else ""


def _folded(value: str, depth: int) -> list[str]:
    """A long text over lines, [] for one that is short or that folding would change (YAML 1.2, 8.1.3)."""
    if len(value) + depth <= _WIDEST or not _FOLDS.fullmatch(value):
        return []
    lines = [""]
    for word in value.split(" "):
        choice = word == "else" and value.startswith("{{")  # each on a line of its own
        if lines[-1] and (choice or depth + len(lines[-1]) + 1 + len(word) > _WIDEST):
            lines.append(word)
        else:
            lines[-1] += f" {word}" if lines[-1] else word
    return [" " * depth + line for line in lines]


def _scalar(value: str | int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    # JSON's strings are YAML's double-quoted ones
    return json.dumps(value, ensure_ascii=False)
