"""Pictures in the terminal."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from x11fwd.ui.console import answer_console
from x11fwd.ui.picture import picture, picture_size

if TYPE_CHECKING:
    import pytest

WHITE, BLACK, RED = (255, 255, 255), (0, 0, 0), (255, 0, 0)


def drawn(rows: list[list[tuple[int, int, int]]]) -> str:
    out = io.StringIO()
    console = answer_console(out)
    console.print(picture(rows, console))
    return out.getvalue()


def test_without_colour_dark_pixels_are_dark_characters() -> None:
    assert drawn([[BLACK, RED, WHITE]]) == "@#\n"


def test_in_colour_each_character_is_two_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert drawn([[RED], [WHITE]]) == "\x1b[38;2;255;0;0;48;2;255;255;255m▀\x1b[0m\n"


def test_256_colours_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLORTERM", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    # other colours than above: rich keeps the codes of a style it has rendered once
    assert "38;5;" in drawn([[(1, 200, 3)], [(4, 5, 200)]])


def test_the_size_keeps_the_shape_of_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    assert picture_size(640, 480, answer_console(io.StringIO())) == (72, 27)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert picture_size(640, 480, answer_console(io.StringIO())) == (72, 54)


def test_a_narrow_terminal_gets_a_small_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "22")
    assert picture_size(640, 480, answer_console(io.StringIO()))[0] == 20
