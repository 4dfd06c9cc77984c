"""Marked blocks in files of the user's: everything of ours stands between two comments; cures only."""

from __future__ import annotations

__all__ = ["BEGIN", "END", "block", "has_block", "on_top", "wrapped"]

BEGIN = "# BEGIN x11fwd"
END = "# END x11fwd"


def block(name: str, *lines: str) -> str:
    """The text of one block, marks and line ends included."""
    return "\n".join((f"{BEGIN} {name} (`x11fwd undo` takes it away)", *lines, f"{END} {name}")) + "\n"


def has_block(text: str, name: str) -> bool:
    """A block of that name stands there already."""
    return any(line.strip().startswith(f"{BEGIN} {name} ") for line in text.splitlines())


def on_top(text: str, name: str, *lines: str) -> str:
    """The text with the block above everything, a `#!` line excepted; a block of that name is replaced."""
    rest = without(text, name)
    first, newline, tail = rest.partition("\n")
    if first.startswith("#!"):
        return f"{first}\n{block(name, *lines)}{tail if newline else ''}"
    return block(name, *lines) + rest


def without(text: str, name: str) -> str:
    """The text without the block of that name."""
    kept, inside = [], False
    for line in text.splitlines(keepends=True):
        if line.strip().startswith(f"{BEGIN} {name} "):
            inside = True
        if not inside:
            kept.append(line)
        if line.strip() == f"{END} {name}":
            inside = False
    return text if inside else "".join(kept)  # without its end it is not ours to cut


def wrapped(lines: list[str], at: int, name: str, before: str, after: str) -> None:
    """Put line `at` (0-based, with its line end) between two lines of code, in a block."""
    line = lines[at].rstrip("\r\n")
    indent = line[: len(line) - len(line.lstrip())]
    text = block(name, before, line, after)
    parts = text.splitlines(keepends=True)
    lines[at] = "".join(part if part.strip() == line.strip() else f"{indent}{part}" for part in parts)
