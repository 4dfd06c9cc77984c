"""Pages and explanations in the terminal; imported by the cli."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from x11fwd.explain.blocks import Listing, Paragraph, blocks_of
from x11fwd.ui.console import rich_text, safe
from x11fwd.ui.layout import beside

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from x11fwd.explain.blocks import Block, Items, Span
    from x11fwd.explain.matching import Sighting
    from x11fwd.pipeline.explain import Answer, Entry, Meaning

__all__ = ["show_answer", "show_entries", "show_entry", "show_ran"]

_WIDEST = 92  # columns of running text; longer lines are hard to read
_INDENT = 2
_ROOM = 45  # columns that a title in the list needs beside the rest
_LISTING = 4  # beyond the text around it


def show_entry(entry: Entry, console: Console) -> None:
    """A whole page."""
    for line in _page(entry, console):
        console.print(line, soft_wrap=True)


def _page(entry: Entry, console: Console) -> Iterator[Text]:
    page = entry.page
    yield _folded(rich_text(page.title, console, "bold"), 0, console)
    yield _folded(rich_text(_label(entry), console, "note"), 0, console)
    yield _folded(rich_text(found_by(entry), console, "note"), 0, console)
    yield Text()
    yield from _blocks(blocks_of(page.lead), 0, console)
    for part in page.parts:
        yield Text()
        yield Text(safe(part.title, console), style="side")
        yield from _blocks(blocks_of(part.text), _INDENT, console)


def _label(entry: Entry) -> str:
    page = entry.page
    return " · ".join(word for word in (page.code, page.id, page.where.words) if word)


def found_by(entry: Entry) -> str:
    """How it is found out, as one sentence."""
    if entry.doctor is not None:
        return f"Found by `{entry.doctor}`"
    return "Advice: nothing to check" + (f" ({entry.reason})" if entry.reason else "")


def _blocks(blocks: Sequence[Block], indent: int, console: Console) -> Iterator[Text]:
    for number, block in enumerate(blocks):
        if number:
            yield Text()
        yield from _block(block, indent, console)


def _block(block: Block, indent: int, console: Console) -> Iterator[Text]:
    if isinstance(block, Paragraph):
        shown = _text(block.spans, console)
        if block.heading:
            shown.stylize("bold")
        yield _folded(shown, indent, console)
    elif isinstance(block, Listing):
        # never folded: lines to be copied or compared
        for line in block.text.split("\n"):
            lead = " " * (indent + _LISTING) if line else ""
            yield Text(f"{lead}{safe(line, console)}", style="command")
    else:
        yield from _items(block, indent, console)


def _items(block: Items, indent: int, console: Console) -> Iterator[Text]:
    """Short items stand close together, as they are written."""
    airy = any(len(item) > 1 for item in block.items)
    for number, item in enumerate(block.items):
        if number and airy:
            yield Text()
        mark = "-" if block.first is None else f"{block.first + number}."
        inner = indent + len(mark) + 1
        lines = list(_blocks(item, inner, console))
        if lines:
            # the mark stands in the first line's margin
            lines[0] = Text(f"{' ' * indent}{mark} ") + lines[0][inner:]
        yield from lines


def _text(spans: Sequence[Span], console: Console) -> Text:
    shown = Text()
    for span in spans:
        words = f"`{span.text}`" if span.code else span.text
        style = "command" if span.code else "bold" if span.strong else "italic" if span.emphasis else ""
        shown.append(safe(words, console), style=style)
        if span.link and span.link != span.text:
            shown.append(safe(f" ({span.link})", console), style="note")
    return shown


def _folded(text: Text, indent: int, console: Console) -> Text:
    """Lines of at most the terminal's width; addresses and paths stay whole, so that they can be copied."""
    width = max(min(console.width, _WIDEST) - indent, 20)
    shown = Text()
    for number, line in enumerate(text.divide(_breaks(text.plain, width))):
        line.rstrip()
        shown.append(("\n" if number else "") + " " * indent)
        shown.append_text(line)
    return shown


def _breaks(text: str, width: int) -> list[int]:
    """Offsets at which lines begin, but for the first; rich's own wrapping would cut long words."""
    offsets: list[int] = []
    start = column = 0
    for word in re.finditer(r"\S+", text):
        wide = cell_len(text[start : word.end()])
        if column and wide > width:
            offsets.append(word.start())
            start = word.start()
        column = word.end()
    return offsets


def show_entries(entries: Sequence[Entry], console: Console) -> None:
    """Every page in a table: id, code, side, whether doctor looks at it, and its title.

    In a terminal a title stands beside the rest where there is room, else under it; in a pipe each page is
    one line, for `grep`.
    """
    widest = max((len(entry.page.id) for entry in entries), default=0)
    for entry in entries:
        page = entry.page
        lead = Text(f"{page.id:<{widest}}  ", style="command")
        found = "doctor" if entry.doctor else "advice"
        lead.append(f"{page.code or '':<4}  {page.where.value:<6}  ", style="note")
        lead.append(f"{found}  ", style="ok" if entry.doctor else "note")
        title = rich_text(page.title, console)
        if not console.is_terminal:
            line = lead + title
        elif console.width - lead.cell_len >= _ROOM:
            line = beside(lead, title, console)
        else:
            lead.rstrip()
            line = lead + Text("\n") + beside(Text(" " * _INDENT), title, console)
        console.print(line, soft_wrap=True)


def show_answer(answer: Answer, console: Console, *, lines: int = 1) -> None:
    """What a pasted text means.

    Args:
        lines: of the text; where there are several, each that is known is named with its number.
    """
    for line in _answer(answer, console, numbered=lines > 1):
        console.print(line, soft_wrap=True)


def show_ran(answer: Answer, console: Console) -> None:
    """What the last words of a command mean, under its own output."""
    console.print()
    console.rule(Text("x11fwd explain", style="note"), align="left", style="note")
    show_answer(answer, console)


def _answer(answer: Answer, console: Console, *, numbered: bool) -> Iterator[Text]:
    if answer.cause is None:
        yield from _noise_only(answer, console)
        return
    yield from _quoted(answer.cause, console, numbered=numbered)
    yield Text()
    if len(answer.meanings) == 1:
        yield from _meaning(answer.meanings[0], "", console)
    else:
        for number, one in enumerate(answer.meanings, start=1):
            yield from _meaning(one, f"{number}. ", console)
    if answer.others:
        words = "Possible as well: " + ", ".join(answer.others)
        yield _folded(rich_text(words, console, "note"), 0, console)
        yield Text()
    for later in answer.later:
        yield beside(
            Text(), rich_text(f"Line {later.number}, after it: {later.line}", console, "note"), console
        )
        words = f"mostly a consequence; alone it would be {later.candidates[0].id}"
        yield _folded(rich_text(words, console, "note"), _INDENT, console)
    for line in answer.noise:
        words = f"Line {line.number} is harmless ({line.candidates[0].why}): {line.line}"
        yield beside(Text(), rich_text(words, console, "note"), console)
    if answer.later or answer.noise:
        yield Text()
    if answer.doctor is not None:
        decides = "Next, to decide between them:" if len(answer.meanings) > 1 else "Next, to be sure:"
        yield Text(decides)
        yield rich_text(f"  `{answer.doctor}`", console)
        if answer.others:
            yield rich_text("and if it is none of these: `x11fwd doctor TARGET`", console)


def _noise_only(answer: Answer, console: Console) -> Iterator[Text]:
    if not answer.noise:
        yield rich_text("None of the messages that x11fwd knows is in this text.", console)
        yield rich_text("Next: `x11fwd doctor TARGET` looks for the cause itself", console)
        return
    for one in answer.noise:
        yield from _quoted(one, console, numbered=len(answer.noise) > 1)
        yield beside(Text("  "), rich_text(f"harmless: {one.candidates[0].why}", console), console)
    yield Text()
    yield rich_text("If a window is missing, it is not because of this: `x11fwd doctor TARGET`", console)


def _quoted(one: Sighting, console: Console, *, numbered: bool) -> Iterator[Text]:
    lead = f"Line {one.number}: " if numbered else ""
    yield beside(Text(lead, style="side"), Text(safe(one.line, console), style="bold"), console)


def _meaning(one: Meaning, lead: str, console: Console) -> Iterator[Text]:
    title = one.entry.page.title if one.entry else one.id
    yield beside(Text(lead, style="side"), rich_text(title, console, "bold"), console)
    under = Text(" " * len(lead))
    yield beside(under, rich_text(one.why, console), console)
    code = f"{one.entry.page.code} · " if one.entry and one.entry.page.code else ""
    more = f"`x11fwd explain {one.id}`" if one.entry else one.id
    yield beside(under, rich_text(f"{code}{more}", console, "note"), console)
    yield Text()
