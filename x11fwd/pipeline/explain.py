"""`x11fwd explain`: pages and pasted messages, joined with what `doctor` can look at; imported by the cli."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from x11fwd.errors import UsageError
from x11fwd.explain.catalogue import ADVICE, SECTIONS, id_of, near
from x11fwd.explain.matching import explain_text
from x11fwd.explain.pages import load_page, page_ids

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import BinaryIO

    from x11fwd.checks.report import Side
    from x11fwd.explain.matching import Candidate, Explanation, Sighting
    from x11fwd.explain.pages import Page

__all__ = [
    "Answer",
    "Entry",
    "Meaning",
    "Ran",
    "describe",
    "entries",
    "explain_command",
    "explain_words",
    "meaning",
    "page_of",
    "read_bounded",
    "write_site",
]

SHOWN = 3  # candidates with a title each; what else is possible is only named
_HEAD, _TAIL = 1 << 20, 3 << 20  # bytes of a log that are looked at: its beginning and its end


@dataclass(frozen=True)
class Entry:
    """A page, and how x11fwd finds out what it is about.

    Attributes:
        doctor: the call that looks at it; None where nothing can be looked at.
        reason: why not, "" where it can.
    """

    page: Page
    doctor: str | None
    reason: str = ""


@dataclass(frozen=True)
class Meaning:
    """One thing that a text may mean.

    Attributes:
        entry: its page; None where there is none yet.
        why: one line on why this text speaks for it.
    """

    id: str
    why: str
    entry: Entry | None


@dataclass(frozen=True)
class Answer:
    """What a pasted text means.

    Attributes:
        meanings: what the cause may be, likeliest first.
        others: ids that are possible as well, less likely.
        doctor: the call that decides between them; None where there is nothing to look at.
    """

    cause: Sighting | None
    later: tuple[Sighting, ...]
    noise: tuple[Sighting, ...]
    meanings: tuple[Meaning, ...]
    others: tuple[str, ...]
    doctor: str | None


@dataclass(frozen=True)
class Ran:
    """A command that was run, and what its words mean.

    Attributes:
        exit_status: the command's, as a shell gives it.
    """

    exit_status: int
    answer: Answer


def page_of(typed: str) -> Entry | None:
    """The page for an id or a code as typed; None where it is neither."""
    one = id_of(typed) or typed.strip().lower()
    return describe(one) if one in page_ids() else None


def describe(one: str) -> Entry:
    """A page and how it is found out.

    Raises:
        KeyError: there is no such page.
    """
    page = load_page(one)
    return Entry(page, _doctor((one,)), "" if one in _sides() else ADVICE.get(one, ""))


def entries() -> tuple[Entry, ...]:
    """Every page, in the order of the catalogue; those without a code come last."""
    order = [one for section in SECTIONS for one in section.ids]
    ids = page_ids()
    rest = [one for one in ids if one not in set(order)]
    return tuple(describe(one) for one in (*order, *rest) if one in ids)


def explain_words(words: str) -> Entry | Answer:
    """What was typed: an id, a code, or a message.

    Raises:
        UsageError: one word that is neither; the hint names what is near.
    """
    entry = page_of(words)
    if entry is not None:
        return entry
    answer = meaning(words)
    if answer.cause is not None or answer.noise or any(letter.isspace() for letter in words.strip()):
        return answer
    close = near(words, page_ids())
    quoted = " or ".join(f"`x11fwd explain {one}`" for one in close)
    raise UsageError(
        f"there is no page {words.strip()!r}, and no known message holds it",
        hint=f"did you mean {quoted}?" if close else "`x11fwd explain --list` shows every page",
    )


def meaning(text: str) -> Answer:
    """What a message, traceback or log means."""
    found = explain_text(text)
    if found.cause is None and found.noise:
        return _noise_only(found)
    candidates = found.candidates
    return Answer(
        found.cause,
        found.later,
        found.noise,
        tuple(_meaning(candidate) for candidate in candidates[:SHOWN]),
        tuple(candidate.id for candidate in candidates[SHOWN:]),
        _doctor([candidate.id for candidate in candidates[:SHOWN]]),
    )


def _noise_only(found: Explanation) -> Answer:
    return Answer(
        None,
        (),
        found.noise,
        tuple(_meaning(sighting.candidates[0]) for sighting in found.noise[:1]),
        (),
        None,
    )


def _meaning(candidate: Candidate) -> Meaning:
    entry = describe(candidate.id) if candidate.id in page_ids() else None
    return Meaning(candidate.id, candidate.why, entry)


def _sides() -> dict[str, Side]:
    """What doctor looks at, and on which side."""
    from x11fwd.checks import CHECKS

    return {check.id: check.side for check in CHECKS}


def _doctor(ids: Sequence[str]) -> str | None:
    """The call of doctor that looks at these, None where it looks at none of them."""
    from x11fwd.checks.report import Side

    sides = _sides()
    known = [one for one in ids if one in sides]
    if not known:
        return None
    words = ["x11fwd doctor", *(f"--only {one}" for one in known)]
    if any(sides[one] is not Side.LOCAL for one in known):
        words.append("TARGET")
    return " ".join(words)


def read_bounded(stream: BinaryIO) -> str:
    """All of a stream, but of more than 4 MB only the beginning and the end; never fails on bytes."""
    head = stream.read(_HEAD)
    tail = b""
    while data := stream.read(1 << 18):
        tail = (tail + data)[-_TAIL:] if len(tail) + len(data) > 2 * _TAIL else tail + data
    return _text(head + tail[-_TAIL:])


def _text(data: bytes) -> str:
    """Text of any encoding: Windows' PowerShell writes UTF-16 with a mark in front."""
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return data.decode("utf-16", "replace")
    return data.decode("utf-8", "replace")


def explain_command(argv: Sequence[str]) -> Ran:
    """Run a command as if we were not there, then say what its last words on standard error mean.

    Raises:
        UsageError: it cannot be started.
    """
    from x11fwd.transports.watched import run_watched

    watched = run_watched(argv)
    return Ran(watched.exit_status, meaning(_text(watched.words)))


def write_site(folder: Path) -> int:
    """Write the pages as HTML; returns how many.

    Raises:
        UsageError: the folder holds something that is not ours, or cannot be written.
    """
    from x11fwd.explain.site import MARK, site

    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = sorted(folder.iterdir())
        if there and not _is_ours(folder, MARK):
            raise UsageError(
                f"{folder} is not empty, and what is in it was not written by x11fwd",
                hint="name a folder that is empty or does not exist yet",
            )
        all_entries = entries()
        made = site(
            [entry.page for entry in all_entries], {one.page.id: _found_by(one) for one in all_entries}
        )
        for path in there:
            # of an earlier version; other files of the user's stay
            if (
                path.suffix == ".html"
                and path.name not in made
                and MARK in path.read_text("utf-8", "replace")
            ):
                path.unlink()
        for name, text in made.items():
            new = folder / f".{name}.{os.getpid()}"
            new.write_text(text, encoding="utf-8", newline="\n")
            new.replace(folder / name)
    except OSError as error:
        raise UsageError(f"{error.filename or folder} cannot be written: {error.strerror}") from error
    return len(all_entries)


def _is_ours(folder: Path, mark: str) -> bool:
    index = folder / "index.html"
    return index.is_file() and mark in index.read_text("utf-8", "replace")


def _found_by(entry: Entry) -> str:
    """How x11fwd finds it out, as Markdown."""
    if entry.doctor is None:
        return f"Advice: there is nothing to check{f', {entry.reason}' if entry.reason else ''}."
    return f"Found by `{entry.doctor}`."
