"""Errors and notes on stderr, or as one JSON document; imported by the cli."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich.text import Text

from x11fwd.ui.console import rich_text
from x11fwd.ui.layout import beside

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["error_json", "note", "show_error"]


def show_error(message: str, hint: str, console: Console) -> None:
    """`error: …` and, where there is something to do, `hint: …` on a line of its own."""
    console.print(beside(Text("error: ", style="fail"), rich_text(message, console), console), soft_wrap=True)
    if hint:
        console.print(beside(Text("hint: ", style="side"), rich_text(hint, console), console), soft_wrap=True)


def note(text: str, console: Console) -> None:
    """One sentence beside the answer."""
    console.print(rich_text(text, console, "note"))


def error_json(command: str, message: str, hint: str, exit_code: int) -> str:
    """The document that `--json` prints where there is no report (schema `x11fwd.error/1`)."""
    document = {
        "schema": "x11fwd.error/1",
        "command": command,
        "ok": False,
        "exit_code": exit_code,
        "error": message,
        "hint": hint,
    }
    return json.dumps(document, indent=2)
