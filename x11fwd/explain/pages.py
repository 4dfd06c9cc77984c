"""The pages in `x11fwd/pages`: one Markdown file per id, taken apart; imported by the pipeline."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from x11fwd.explain.catalogue import code_of

if TYPE_CHECKING:
    from importlib.abc import Traversable

__all__ = ["SEEN", "Page", "PageError", "Part", "Where", "load_page", "page_ids", "parse_page"]

SEEN = "What you see"
_SUFFIX = ".md"


class PageError(ValueError):
    """A page that is not written as pages are; a bug of ours."""


class Where(Enum):
    """Where the thing stands that a page is about; the values are those of a finding's side."""

    LOCAL = "local"
    LINK = "link"
    REMOTE = "remote"

    @property
    def words(self) -> str:
        """As the pages themselves say it."""
        return {"local": "this machine", "link": "connection", "remote": "remote"}[self.value]


@dataclass(frozen=True)
class Part:
    """What stands under one `##` of a page, as Markdown."""

    title: str
    text: str


@dataclass(frozen=True)
class Page:
    """One page.

    Attributes:
        id: slug of the failure catalogue, or of a topic.
        code: `F58`; None where the catalogue has no number for it.
        title: one sentence; may hold `code`.
        lead: what stands before the first `##`, as Markdown.
    """

    id: str
    code: str | None
    where: Where
    title: str
    lead: str
    parts: tuple[Part, ...]

    def part(self, title: str) -> Part | None:
        """The part with this title."""
        return next((part for part in self.parts if part.title == title), None)

    @property
    def messages(self) -> tuple[str, ...]:
        """The verbatim messages that the page quotes under "What you see"."""
        part = self.part(SEEN)
        found: list[list[str]] = []
        fresh = True
        for line in part.text.split("\n") if part else ():
            if line.startswith("    "):
                if fresh:
                    found.append([])
                found[-1].append(line[4:])
            fresh = not line.startswith("    ")
        return tuple("\n".join(lines) for lines in found)


def parse_page(one: str, text: str) -> Page:
    """Take a page apart.

    Raises:
        PageError: no title, no line that says where, or a code that is not the id's.
    """
    head, *rest = re.split(r"^## +", text.replace("\r\n", "\n").strip() + "\n", flags=re.MULTILINE)
    title, _, lead = head.partition("\n")
    if not title.startswith("# "):
        raise PageError(f"{one}: the first line is not `# a sentence`")
    said, _, lead = lead.strip().partition("\n")
    words = [word.strip().strip("`") for word in said.split("·")]
    code = words.pop(0) if re.fullmatch(r"F\d{2,3}", words[0]) else None
    where = next((where for where in Where if words and where.words == words[0]), None)
    if where is None:
        raise PageError(f"{one}: the third line does not say where: {said!r}")
    if code != code_of(one):
        raise PageError(f"{one} is {code_of(one)}, and its page says {code}")
    parts = []
    for part in rest:
        name, _, body = part.partition("\n")
        parts.append(Part(name.strip(), body.strip("\n")))
    return Page(one, code, where, title[2:].strip(), lead.strip("\n"), tuple(parts))


def _folder() -> Traversable:
    return files("x11fwd") / "pages"


@cache
def page_ids() -> tuple[str, ...]:
    """Every id that has a page, in the order of the alphabet."""
    folder = _folder()
    names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))


def load_page(one: str) -> Page:
    """The page of an id.

    Raises:
        KeyError: there is no such page.
        PageError: it is not written as pages are.
    """
    if one not in page_ids():
        raise KeyError(one)
    return parse_page(one, (_folder() / f"{one}{_SUFFIX}").read_text(encoding="utf-8"))
