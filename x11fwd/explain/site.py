"""The pages as a small static site that loads nothing from elsewhere; imported by the pipeline."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from x11fwd.explain.blocks import Items, Listing, Paragraph, blocks_of, spans_of
from x11fwd.explain.catalogue import SECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from x11fwd.explain.blocks import Block, Span
    from x11fwd.explain.pages import Page

__all__ = ["MARK", "site"]

# In every file that is ours; a folder whose files lack it is somebody else's.
MARK = '<meta name="generator" content="x11fwd explain">'
_SCHEMES = ("http://", "https://", "mailto:")

_ABOUT = (
    "Every way in which X11 through ssh, and matplotlib behind it, is known to fail: what it means, "
    "how it is found out, and the cure."
)

_STYLE = """\
:root { color-scheme: light dark; --ink: #1c2024; --paper: #ffffff; --soft: #5b6470; --tint: #f2f4f7;
  --line: #d5dae1; --link: #0b57d0; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e3e6ea; --paper: #14171b; --soft: #9aa4b1; --tint: #1f242b; --line: #343b45;
    --link: #8ab4f8; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 46rem; padding: 1.5rem 1.25rem 4rem; color: var(--ink);
  background: var(--paper); font: 1rem/1.6 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 1rem 0 .5rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; border-bottom: 1px solid var(--line); }
a { color: var(--link); }
code, pre { font: .9em/1.5 ui-monospace, monospace; background: var(--tint); border-radius: .25rem; }
code { padding: .1em .3em; }
pre { padding: .75rem 1rem; overflow-x: auto; }
pre code { padding: 0; background: none; font-size: 1em; }
.about { color: var(--soft); margin: 0 0 1.5rem; }
ul.pages { list-style: none; padding: 0; }
ul.pages li { padding: .35rem 0; border-top: 1px solid var(--line); }
ul.pages small { color: var(--soft); display: block; }
"""


def site(pages: Sequence[Page], found_by: Mapping[str, str]) -> dict[str, str]:
    """File name -> text of every file.

    Args:
        pages: all that there are.
        found_by: for each id a sentence, as Markdown, on how x11fwd finds it out.
    """
    ids = frozenset(page.id for page in pages)
    made = {"index.html": _index(pages), "style.css": _STYLE}
    for page in pages:
        made[f"{page.id}.html"] = _page(page, found_by[page.id], ids)
    return made


def _index(pages: Sequence[Page]) -> str:
    by_id = {page.id: page for page in pages}
    body = [
        "<h1>Why no window comes</h1>",
        f'<p class="about">{_ABOUT}</p>',
    ]
    numbered: set[str] = set()
    for section in SECTIONS:
        chosen = [by_id[one] for one in section.ids if one in by_id]
        numbered |= set(section.ids)
        body += _entries(section.title, chosen)
    body += _entries("More", [page for page in pages if page.id not in numbered])
    return _document("Why no window comes", body)


def _entries(title: str, pages: Sequence[Page]) -> Iterator[str]:
    if not pages:
        return
    yield f"<h2>{escape(title)}</h2>"
    yield '<ul class="pages">'
    for page in pages:
        label = f"{page.code} · {page.id}" if page.code else page.id
        # no links inside a link
        words = "".join(_span(span, frozenset()) for span in spans_of(page.title))
        yield f'<li><a href="{page.id}.html">{words}</a> <small>{escape(label)}</small></li>'
    yield "</ul>"


def _page(page: Page, found_by: str, ids: frozenset[str]) -> str:
    code = f"{page.code} · " if page.code else ""
    others = ids - {page.id}
    body = [
        '<p><a href="index.html">All pages</a></p>',
        f"<h1>{''.join(_span(span, frozenset()) for span in spans_of(page.title))}</h1>",
        f'<p class="about">{escape(code)}<code>{escape(page.id)}</code> · {page.where.words}</p>',
        *_html(blocks_of(page.lead), others),
    ]
    for part in page.parts:
        body.append(f"<h2>{escape(part.title)}</h2>")
        body += _html(blocks_of(part.text), others)
    body += _html(blocks_of(found_by), others)
    return _document("".join(span.text for span in spans_of(page.title)), body)


def _document(title: str, body: Sequence[str]) -> str:
    return "\n".join(
        (
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            MARK,
            f"<title>{escape(title)} · x11fwd</title>",
            '<link rel="stylesheet" href="style.css">',
            "</head>",
            "<body>",
            "<main>",
            *body,
            "</main>",
            "</body>",
            "</html>",
            "",
        )
    )


def _html(blocks: Sequence[Block], ids: frozenset[str]) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, Paragraph):
            name = "h3" if block.heading else "p"
            yield f"<{name}>{''.join(_span(span, ids) for span in block.spans)}</{name}>"
        elif isinstance(block, Listing):
            yield f"<pre><code>{escape(block.text)}</code></pre>"
        else:
            yield from _list(block, ids)


def _list(block: Items, ids: frozenset[str]) -> Iterator[str]:
    name = "ul" if block.first is None else "ol"
    start = f' start="{block.first}"' if block.first not in {None, 1} else ""
    yield f"<{name}{start}>"
    for item in block.items:
        if len(item) == 1 and isinstance(item[0], Paragraph):
            yield f"<li>{''.join(_span(span, ids) for span in item[0].spans)}</li>"
        else:
            yield "<li>"
            yield from _html(item, ids)
            yield "</li>"
    yield f"</{name}>"


def _span(span: Span, ids: frozenset[str]) -> str:
    """An id in `code` leads to its page; addresses lead where they say, if to the web."""
    shown = escape(span.text)
    if span.code:
        shown = f"<code>{shown}</code>"
    if span.strong:
        shown = f"<strong>{shown}</strong>"
    if span.emphasis:
        shown = f"<em>{shown}</em>"
    if span.code and span.text in ids:
        return f'<a href="{span.text}.html">{shown}</a>'
    bare = span.text if span.text.startswith(_SCHEMES) and " " not in span.text and not span.code else ""
    link = span.link or bare
    return f'<a href="{escape(link)}">{shown}</a>' if link.startswith(_SCHEMES) else shown
