"""A page's Markdown as paragraphs, lists and listings, read by markdown-it; for ui and for the site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token  # noqa: TID251  the same

__all__ = ["Block", "Items", "Listing", "Paragraph", "Span", "blocks_of", "spans_of"]


@dataclass(frozen=True)
class Span:
    """A stretch of text of one kind.

    Attributes:
        link: address it leads to, "" where it leads nowhere.
    """

    text: str
    code: bool = False
    strong: bool = False
    emphasis: bool = False
    link: str = ""


@dataclass(frozen=True)
class Paragraph:
    """Text that is folded to the width there is; `heading` where it stands over what follows."""

    spans: tuple[Span, ...]
    heading: bool = False


@dataclass(frozen=True)
class Listing:
    """Lines that are shown as they are."""

    text: str


@dataclass(frozen=True)
class Items:
    """A list; `first` is the number of its first item, None where items have none."""

    items: tuple[tuple[Block, ...], ...]
    first: int | None = None


Block = Paragraph | Listing | Items


def blocks_of(markdown: str) -> tuple[Block, ...]:
    """Read CommonMark; raw HTML in it is text."""
    return tuple(_blocks(iter(_read(markdown))))


def spans_of(markdown: str) -> tuple[Span, ...]:
    """Read one line of Markdown, such as a title."""
    found = [block.spans for block in blocks_of(markdown) if isinstance(block, Paragraph)]
    return found[0] if found else ()


def _read(markdown: str) -> list[Token]:
    from markdown_it import MarkdownIt  # noqa: TID251  this package is the one that may

    return MarkdownIt("commonmark", {"html": False}).parse(markdown)


def _blocks(tokens: Iterator[Token]) -> Iterator[Block]:
    """Up to the end of the tokens or of the container that they are in."""
    heading = False
    for token in tokens:
        if token.type == "inline":
            yield Paragraph(tuple(_spans(token.children or [])), heading)
        elif token.type in {"heading_open", "heading_close"}:
            heading = token.nesting == 1
        elif token.type in {"code_block", "fence"}:
            yield Listing(token.content.rstrip("\n"))
        elif token.type in {"bullet_list_open", "ordered_list_open"}:
            first = token.attrGet("start")
            yield Items(tuple(_items(tokens)), _number(first) if token.type.startswith("ordered") else None)
        elif token.type == "blockquote_open":
            yield from _blocks(tokens)
        elif token.nesting == -1 and token.type in {"list_item_close", "blockquote_close"}:
            return


def _items(tokens: Iterator[Token]) -> Iterator[tuple[Block, ...]]:
    for token in tokens:
        if token.type == "list_item_open":
            yield tuple(_blocks(tokens))
        else:
            return


def _number(start: object) -> int:
    return int(str(start)) if start is not None else 1


def _spans(children: list[Token]) -> Iterator[Span]:
    strong = emphasis = 0
    link = ""
    for token in children:
        if token.type in {"strong_open", "strong_close"}:
            strong += token.nesting
        elif token.type in {"em_open", "em_close"}:
            emphasis += token.nesting
        elif token.type in {"link_open", "link_close"}:
            link = str(token.attrGet("href") or "") if token.nesting == 1 else ""
        else:
            text = " " if token.type in {"softbreak", "hardbreak"} else token.content
            if text:
                code = token.type == "code_inline"
                yield Span(text, code, strong > 0, emphasis > 0, link)
