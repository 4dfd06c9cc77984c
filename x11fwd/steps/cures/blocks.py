"""Marked blocks in files of the user's: everything of ours stands between two comments; cures only."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["block", "has_block", "in_blocks", "lines_of", "on_top", "without", "wrapped"]

BEGIN = "# BEGIN x11fwd"
END = "# END x11fwd"


def lines_of(text: str) -> list[str]:
    """Lines with their ends; only `\\n` ends one, as for shells and ssh; str.splitlines knows more."""
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def block(name: str, *lines: str, indent: str = "") -> str:
    """The text of one block, marks and line ends included."""
    marked = (f"{indent}{BEGIN} {name} (`x11fwd undo` takes it away)", *lines, f"{indent}{END} {name}")
    return "\n".join(marked) + "\n"


def has_block(text: str, name: str) -> bool:
    """A block of that name stands there already."""
    return any(line.strip().startswith(f"{BEGIN} {name} ") for line in lines_of(text))


def in_blocks(text: str) -> Iterator[bool]:
    """For each line: it belongs to a block of ours."""
    inside = False
    for line in lines_of(text):
        inside = inside or line.strip().startswith(f"{BEGIN} ")
        yield inside
        inside = inside and not line.strip().startswith(f"{END} ")


def on_top(text: str, name: str, *lines: str) -> str:
    """The text with the block above everything, a `#!` line excepted; an older one of that name goes."""
    if block(name, *lines) in text:
        return text
    rest = without(text, name)
    first, newline, tail = rest.partition("\n")
    if first.startswith("#!"):
        return f"{first}\n{block(name, *lines)}{tail if newline else ''}"
    return block(name, *lines) + rest


def without(text: str, name: str) -> str:
    """The text without the block of that name."""
    kept, inside = [], False
    for line in lines_of(text):
        if line.strip().startswith(f"{BEGIN} {name} "):
            inside = True
        if not inside:
            kept.append(line)
        if line.strip() == f"{END} {name}":
            inside = False
    return text if inside else "".join(kept)  # without its end it is not ours to cut


def wrapped(line: str, name: str, before: str, after: str) -> str:
    """A line with its end, put between two lines of code in a block; the line itself stays as it is."""
    body = line.removesuffix("\n")
    indent = body[: len(body) - len(body.lstrip())]
    return block(name, f"{indent}{before}", body, f"{indent}{after}", indent=indent)
