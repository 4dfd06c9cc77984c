"""The pages: one for each id, the parts in order, safe advice, messages that lead back to them."""

from __future__ import annotations

import re

import pytest

from x11fwd.checks import CHECKS
from x11fwd.explain.blocks import Items, Listing, Paragraph, Span, blocks_of, spans_of
from x11fwd.explain.catalogue import ADVICE, CODES, code_of, id_of, near
from x11fwd.explain.matching import explain_text
from x11fwd.explain.pages import PageError, Where, load_page, page_ids, parse_page

CHECKED = {check.id for check in CHECKS}
IDS = page_ids()
PARTS = ("What you see", "How it is found out", "Cure", "Source")
# What must never be advised, and the words of a sentence that warns of it.
UNSAFE = {
    "xhost +": r"xhost\s+\+",
    "chmod 777": r"chmod\s+(?:-R\s+)?0?777",
    "X11UseLocalhost no": r"X11UseLocalhost\s+no\b",
    "Host * with ForwardX11 yes": r"Host\s+\*[^#]{0,80}?ForwardX11\s+yes",
}
WARNS = re.compile(
    r"\b(not|never|neither|no lock|somebody said|first value|makes every|would offer|says no)\b",
    re.IGNORECASE,
)


def test_every_failure_of_the_catalogue_has_its_page() -> None:
    assert set(CODES.values()) - set(IDS) == set()


def test_every_check_has_its_page() -> None:
    assert CHECKED - set(IDS) == set()


def test_every_page_is_of_a_check_or_says_why_there_is_none() -> None:
    assert set(IDS) - CHECKED - set(ADVICE) == set()
    assert set(ADVICE) & CHECKED == set()
    assert set(ADVICE) - set(IDS) == set()
    for reason in ADVICE.values():
        assert reason
        assert "\n" not in reason
        assert not reason.endswith(".")


@pytest.mark.parametrize("one", IDS)
def test_a_page_has_its_parts_in_order(one: str) -> None:
    page = load_page(one)
    titles = [part.title for part in page.parts]
    assert titles == [title for title in PARTS if title in titles]
    if page.code:
        assert titles == list(PARTS)
    assert page.lead
    assert not page.title.endswith(".")
    assert len(page.title) <= 110
    assert all(part.text for part in page.parts)


@pytest.mark.parametrize("one", IDS)
def test_a_page_stands_where_its_check_looks(one: str) -> None:
    sides = {check.id: check.side.value for check in CHECKS}
    if one in sides:
        assert load_page(one).where.value == sides[one]


@pytest.mark.parametrize("one", [one for one in IDS if load_page(one).messages])
def test_the_messages_of_a_page_lead_back_to_it(one: str) -> None:
    """As a whole and alone; a line that is the sign of many failures leads to them all."""
    page = load_page(one)
    if not any(_first_three(message) for message in page.messages):
        return  # it quotes values, no messages
    told = [*page.messages, "\n".join(page.messages)]
    known = [[candidate.id for candidate in explain_text(text).candidates] for text in told]
    if any(one in _first_three(text) for text in told):
        return
    # lines that many failures have in common: `X11 forwarding request failed on channel 0`
    assert all(len(ids) > 3 for ids in known if ids)
    assert any(one in ids for ids in known), page.messages


def _first_three(text: str) -> list[str]:
    found = explain_text(text)
    noise = [sighting.candidates[0] for sighting in found.noise[:1]]
    return [candidate.id for candidate in (*found.candidates[:3], *noise)]


@pytest.mark.parametrize("one", IDS)
def test_a_page_gives_safe_advice_only(one: str) -> None:
    for paragraph, listing in _advice(one):
        for name, pattern in UNSAFE.items():
            if re.search(pattern, listing):
                raise AssertionError(f"{one} has a listing with {name}")
            if re.search(pattern, paragraph):
                assert WARNS.search(paragraph), f"{one} advises {name}: {paragraph}"


def _advice(one: str) -> list[tuple[str, str]]:
    """Each paragraph, and each listing of the part "Cure"."""
    page = load_page(one)
    found = [(_plain(Paragraph(spans_of(page.lead))), "")]
    for part in page.parts:
        for block in blocks_of(part.text):
            listing = block.text if isinstance(block, Listing) and part.title == "Cure" else ""
            found.append((_plain(block), listing))
    return found


def _plain(block: object) -> str:
    if isinstance(block, Paragraph):
        return "".join(span.text for span in block.spans)
    if isinstance(block, Items):
        return " ".join(_plain(inner) for item in block.items for inner in item)
    return ""


@pytest.mark.parametrize("one", IDS)
def test_a_page_refers_only_to_pages_that_there_are(one: str) -> None:
    page = load_page(one)
    text = "\n".join([page.lead, *(part.text for part in page.parts)])
    for named in re.findall(r"\b[Ss]ee\s+(?:also\s+)?`([a-z0-9]+(?:-[a-z0-9]+)+)`", text):
        assert named in IDS, f"{one} refers to {named}"


@pytest.mark.parametrize("one", IDS)
def test_a_page_names_only_commands_and_ids_that_there_are(one: str) -> None:
    page = load_page(one)
    text = "\n".join([page.lead, *(part.text for part in page.parts)])
    commands = {"doctor", "setup", "ssh", "verify", "undo", "demo", "explain"}
    for command in re.findall(r"`x11fwd ([a-z-]+)", text):
        assert command in commands, f"{one} names x11fwd {command}"
    for named in re.findall(r"--only ([a-z0-9-]+)", text):
        assert named in CHECKED, f"{one} names --only {named}"


# --- the reader itself --------------------------------------------------------------------------------------


def test_a_page_is_taken_apart() -> None:
    page = parse_page(
        "remote-xauth-missing",
        "# A title with `code`\r\n\r\n`F58` · remote\r\n\r\nlead\n\n"
        "## What you see\nx\n\n    one\n\n    two\n    more\n",
    )
    assert (page.code, page.where, page.title) == ("F58", Where.REMOTE, "A title with `code`")
    assert page.lead == "lead"
    assert page.messages == ("one", "two\nmore")
    assert page.part("Cure") is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("no title", "first line"),
        ("# T\n\n`F58` · moon\n", "does not say where"),
        ("# T\n\n`F59` · remote\n", "is F58, and its page says F59"),
        ("# T\n", "does not say where"),
    ],
)
def test_a_page_that_is_not_written_as_pages_are_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(PageError, match=complaint):
        parse_page("remote-xauth-missing", text)


def test_codes_and_ids_name_each_other() -> None:
    assert len(CODES) == 134
    assert code_of("rig-xvfb-regeneration") == "F134"
    assert [id_of(typed) for typed in ("F58", "f58", "F058", " F58 ")] == ["remote-xauth-missing"] * 4
    assert [id_of(typed) for typed in ("F0", "F135", "58", "F", "FF", "F58x")] == [None] * 6


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("remote-xauht-missing", "remote-xauth-missing"),
        ("xauth-missing", "remote-xauth-missing"),
        ("remote_xauth_missing", "remote-xauth-missing"),
        ("tmux", "tmux-stale-display"),
        ("mplbackend", "mpl-mplbackend-wins"),
    ],
)
def test_a_mistyped_id_finds_what_was_meant(typed: str, meant: str) -> None:
    assert meant in near(typed, tuple(CODES.values()))


def test_what_is_like_nothing_finds_nothing() -> None:
    assert near("qqqqqqqq", tuple(CODES.values())) == ()


def test_markdown_becomes_blocks() -> None:
    blocks = blocks_of(
        "a *b* **c** `d <e>`\n[f](http://g) <i>\n\n    code  here\n\n1. one\n2. two\n\n   more\n\n- x"
    )
    assert blocks[0] == Paragraph(
        (
            Span("a "),
            Span("b", emphasis=True),
            Span(" "),
            Span("c", strong=True),
            Span(" "),
            Span("d <e>", code=True),
            Span(" "),
            Span("f", link="http://g"),
            Span(" <i>"),
        )
    )
    assert blocks[1] == Listing("code  here")
    ordered, bullets = blocks[2:]
    assert isinstance(ordered, Items)
    assert ordered.first == 1
    assert ordered.items[1] == (Paragraph((Span("two"),)), Paragraph((Span("more"),)))
    assert isinstance(bullets, Items)
    assert bullets.first is None
