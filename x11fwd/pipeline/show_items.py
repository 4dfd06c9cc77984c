"""Files, and what was made of pickles over there, as things of the viewer; imported by `show`'s line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from x11fwd.errors import X11fwdError
from x11fwd.serialised.array_views import view_of
from x11fwd.serialised.arrays import ArrayError, read_npy, read_npz
from x11fwd.serialised.complete import finished, kind_of
from x11fwd.serialised.opened import read_opened
from x11fwd.serialised.pages import page_of_html, page_of_plotly
from x11fwd.serialised.tables import read_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from x11fwd.serialised.array_views import ArrayView
    from x11fwd.serialised.arrays import Array
    from x11fwd.serialised.opened import Part
    from x11fwd.viewer.items import Item

__all__ = ["Face", "Shown", "of_file", "of_opened"]

_PICTURES = {"png", "jpeg", "gif", "webp", "svg", "pdf"}


@dataclass(frozen=True)
class Face:
    """What stands round a thing.

    Attributes:
        id: of the file; each of its things has one that begins so.
        title: its name.
        caption: where it is.
        pixels: only PNG can be shown where it goes (a terminal).
    """

    id: str
    title: str
    caption: str
    group: str = ""
    pixels: bool = False

    def words(self, *more: str) -> str:
        return "; ".join(word for word in (*more, self.caption) if word)


@dataclass(frozen=True)
class Shown:
    """What a file became; with nothing in `items`, `why` is the end of a sentence about it."""

    kind: str
    items: Sequence[Item] = ()
    why: str = ""


def of_file(face: Face, name: str, data: bytes) -> Shown:
    """Of a file's bytes."""
    kind = kind_of(name, data)
    if not kind:
        return Shown("", why="is no kind of file that can be shown")
    if not finished(kind, data):
        return Shown(kind, why="is not whole: its end is missing")
    try:
        return Shown(kind, tuple(_items(face, kind, data)))
    except ArrayError as error:
        return Shown(kind, why=str(error))
    except X11fwdError as error:
        return Shown(kind, why=f"cannot be shown: {error.message}")


def of_opened(face: Face, data: bytes) -> Shown:
    """Of what the opener over there said about a pickle."""
    opened = read_opened(data)
    if not opened.parts:
        return Shown("figure", why=opened.why or "holds nothing that can be shown")
    figures: dict[int, list[Part]] = {}
    for part in opened.parts:
        figures.setdefault(part.figure, []).append(part)
    items: list[Item] = []
    problems: list[str] = []
    for number, parts in figures.items():
        own = Face(
            f"{face.id}#{number}",
            parts[0].title or face.title,
            face.words(*opened.notes),
            face.group,
            face.pixels,
        )
        try:
            items += _forms(own, parts)
        except ArrayError as error:
            problems.append(str(error))
        except X11fwdError as error:
            problems.append(f"cannot be shown: {error.message}")
    return Shown("figure", items, "" if items else "; ".join(problems) or "holds nothing that can be shown")


def _forms(face: Face, parts: Sequence[Part]) -> list[Item]:
    """One figure in the best of its forms; the others stand behind it or beside it."""
    from x11fwd.viewer.items import Document, Picture

    items: list[Item] = []
    by_form = {part.form: part.data for part in parts}
    drawn: Literal["svg", "png"] = (
        "svg" if "svg" in by_form and not (face.pixels and "png" in by_form) else "png"
    )
    if drawn in by_form:
        numbers = by_form.get("numbers", b"")
        items.append(
            Picture(face.id, face.title, by_form[drawn], drawn, face.caption, face.group, figure=numbers)
        )
    for part in parts:
        own = Face(f"{face.id}-{part.form}", part.title or face.title, face.caption, face.group, face.pixels)
        if part.form == "plotly":
            page = page_of_plotly(part.data)
            if page is not None:
                items.append(Document(own.id, own.title, page.html, own.caption, own.group))
        elif part.form in {"html", "npy", "csv"}:
            items += _items(own, part.form, part.data)
    return items


def _items(face: Face, kind: str, data: bytes) -> list[Item]:
    from x11fwd.viewer.items import Document, Picture, Table

    if kind in _PICTURES:
        known = cast('Literal["png", "svg", "pdf", "jpeg", "gif", "webp"]', kind)
        return [Picture(face.id, face.title, data, known, face.caption, face.group)]
    if kind == "html":
        page = page_of_html(data)
        return [Document(face.id, face.title, page.html, face.words(page.missing), face.group)]
    if kind == "csv":
        rows = read_rows(data)
        words = f"{_many(len(rows.rows) + rows.left_off, 'row')}, {_many(len(rows.columns), 'column')}"
        return [
            Table(face.id, face.title, rows.columns, rows.rows, face.words(words), face.group, rows.left_off)
        ]
    if kind == "npz":
        return _of_archive(face, read_npz(data))
    return [_of_array(face, view_of(read_npy(data), pixels=face.pixels))]


def _of_archive(face: Face, members: Sequence[tuple[str, Array | ArrayError]]) -> list[Item]:
    from x11fwd.viewer.items import Note

    if not members:
        raise ArrayError("is an archive with nothing in it")
    items: list[Item] = []
    for name, one in members:
        own = Face(f"{face.id}#{name}", f"{face.title}: {name}", face.caption, face.group, face.pixels)
        if isinstance(one, ArrayError):
            items.append(Note(own.id, own.title, str(one), "warning", own.group))
        else:
            items.append(_of_array(own, view_of(one, pixels=face.pixels)))
    return items


def _of_array(face: Face, view: ArrayView) -> Item:
    from x11fwd.viewer.items import Picture, Table

    caption = face.words(view.words)
    if not view.kind:
        return Table(face.id, face.title, view.columns, view.rows, caption, face.group, view.left_off)
    kind = cast('Literal["png", "svg"]', view.kind)
    return Picture(face.id, face.title, view.picture, kind, caption, face.group, figure=view.numbers)


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
