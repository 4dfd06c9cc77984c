"""The JSON documents of `x11fwd explain`; imported by the command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.pipeline.explain import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from x11fwd.explain.matching import Sighting
    from x11fwd.pipeline.explain import Entry

__all__ = ["explain_document", "pages_document", "site_document"]

SCHEMA = "x11fwd.explain/1"


def _document(exit_code: int = 0) -> dict[str, object]:
    return {"schema": SCHEMA, "command": "explain", "ok": exit_code == 0, "exit_code": exit_code}


def pages_document(entries: Sequence[Entry]) -> dict[str, object]:
    """`x11fwd explain --list --json`: every page without its text."""
    return {**_document(), "pages": [_head(entry) for entry in entries]}


def site_document(folder: Path, number: int) -> dict[str, object]:
    """`x11fwd explain --html DIR --json`."""
    return {**_document(), "site": {"folder": str(folder), "pages": number}}


def explain_document(found: Sequence[Entry | Answer], exit_code: int) -> dict[str, object]:
    """`x11fwd explain --json`: pages with their Markdown, or what a text means."""
    document = _document(exit_code)
    for one in found:
        if isinstance(one, Answer):
            document |= _answer(one)
    entries = [one for one in found if not isinstance(one, Answer)]
    if entries:
        document["pages"] = [_page(entry) for entry in entries]
    return document


def _head(entry: Entry) -> dict[str, object]:
    page = entry.page
    return {
        "id": page.id,
        "code": page.code,
        "side": page.where.value,
        "title": page.title,
        "doctor": entry.doctor,
        "advice": entry.reason or None,
    }


def _page(entry: Entry) -> dict[str, object]:
    page = entry.page
    parts = [{"title": part.title, "text": part.text} for part in page.parts]
    return {**_head(entry), "lead": page.lead, "messages": list(page.messages), "parts": parts}


def _answer(answer: Answer) -> dict[str, object]:
    return {
        "cause": _sighting(answer.cause) if answer.cause else None,
        "candidates": [
            {
                "id": one.id,
                "code": one.entry.page.code if one.entry else None,
                "side": one.entry.page.where.value if one.entry else None,
                "title": one.entry.page.title if one.entry else None,
                "why": one.why,
            }
            for one in answer.meanings
        ],
        "others": list(answer.others),
        "doctor": answer.doctor,
        "later": [_sighting(one) for one in answer.later],
        "noise": [_sighting(one) for one in answer.noise],
    }


def _sighting(one: Sighting) -> dict[str, object]:
    return {"line": one.number, "text": one.line, "ids": [candidate.id for candidate in one.candidates]}
