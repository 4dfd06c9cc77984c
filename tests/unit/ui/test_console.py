"""NO_COLOR, FORCE_COLOR, pipes, dumb terminals, and text that a terminal must not obey."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.text import Text

from x11fwd.ui.console import answer_console, ascii_only, rich_text, safe, symbols
from x11fwd.ui.layout import beside
from x11fwd.ui.message import show_error

if TYPE_CHECKING:
    import pytest


def printed(text: str, style: str = "fail") -> str:
    out = io.StringIO()
    answer_console(out).print(Text(text, style=style))
    return out.getvalue()


def test_a_pipe_gets_no_colour() -> None:
    assert printed("no") == "no\n"


def test_force_color_colours_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[" in printed("no")


def test_no_color_wins_over_force_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    out = printed("no")
    assert "31" not in out  # bold may stay: NO_COLOR is about colour (no-color.org)


def test_a_dumb_terminal_gets_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert printed("no") == "no\n"


def test_control_characters_are_shown_not_sent() -> None:
    console = answer_console(io.StringIO())
    assert safe("a\x1b[31mb\r\x07\x9b", console) == "a\\x1b[31mb\\x0d\\x07\\x9b"


def test_a_byte_that_was_not_utf8_is_shown_as_the_byte() -> None:
    text = b"caf\xe9".decode("utf-8", "surrogateescape")
    assert safe(text, answer_console(io.StringIO())) == "caf\\xe9"


def test_bidirectional_overrides_are_shown() -> None:
    assert safe("a\u202eb", answer_console(io.StringIO())) == "a\\u202eb"


def test_ascii_gets_words_not_question_marks() -> None:
    console = answer_console(io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert ascii_only(console)
    assert safe("wait … “é”", console) == 'wait ... "\\xe9"'
    assert symbols(console).fail == "x"


def test_backticks_stay_for_those_without_colour() -> None:
    console = answer_console(io.StringIO())
    assert rich_text("type `x11fwd doctor`", console).plain == "type `x11fwd doctor`"


def test_a_long_body_wraps_beside_its_lead() -> None:
    console = answer_console(io.StringIO())
    console.width = 40
    text = beside(Text("error: "), Text("one two three four five six seven eight nine ten"), console).plain
    assert text.splitlines() == [
        "error: one two three four five six seven",
        "       eight nine ten",
    ]


def test_a_word_longer_than_the_line_is_not_lost() -> None:
    console = answer_console(io.StringIO())
    console.width = 40
    text = beside(Text("error: "), Text("/" + "x" * 60), console).plain
    assert text.replace("\n", "").replace(" ", "") == "error:/" + "x" * 60


def test_an_error_is_two_lines() -> None:
    out = io.StringIO()
    show_error("gpu1 port 22: Connection refused", "is `sshd` running there?", answer_console(out))
    assert out.getvalue() == "error: gpu1 port 22: Connection refused\nhint: is `sshd` running there?\n"
