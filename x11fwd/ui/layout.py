"""Lines that fit the terminal: a lead (symbol, word, label) and a body that wraps beside it; for ui alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["beside"]

_NARROWEST = 20  # columns for the body, however long the lead is; below that nothing can be read


def beside(lead: Text, body: Text, console: Console) -> Text:
    """`lead` and `body` on one line, and the rest of the body under the body, without trailing blanks.

    A table of rich would fill every line up to its width, which shows in files and when copied.
    """
    width = max(console.width - lead.cell_len, _NARROWEST)
    shown = Text()
    for number, line in enumerate(body.wrap(console, width, overflow="fold")):
        line.rstrip()
        if number:
            shown.append("\n" + " " * lead.cell_len)
        else:
            shown.append_text(lead)
        shown.append_text(line)
    return shown
