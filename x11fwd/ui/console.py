"""The two consoles: stdout for the answer, stderr for all else; imported by ui and by the cli's commands.

rich honours NO_COLOR, FORCE_COLOR, TERM=dumb, COLUMNS and pipes by itself (rich.readthedocs.io, Console API);
what it does not do is here: characters that the locale cannot write, and control characters in foreign text.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text
from rich.theme import Theme

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

__all__ = [
    "Symbols",
    "answer_console",
    "ascii_only",
    "cursor_back",
    "message_console",
    "rich_text",
    "safe",
    "symbols",
]

_THEME = Theme(
    {
        "ok": "green",
        "fail": "bold red",
        "warn": "yellow",
        "unknown": "magenta",
        "skip": "dim",
        "side": "bold",
        "note": "dim",
        "command": "bold cyan",
        "added": "green",
        "removed": "red",
    },
    inherit=True,
)


@dataclass(frozen=True)
class Symbols:
    """One character per answer; the word stands beside it, so that neither colour nor font matters."""

    ok: str = "✓"
    fail: str = "✗"
    warn: str = "!"
    unknown: str = "?"
    skip: str = "·"


_ASCII = Symbols(ok="+", fail="x", warn="!", unknown="?", skip="-")
# What our own sentences hold beyond ASCII, and what stands for it where it cannot be written.
_PLAIN = str.maketrans(
    {
        "…": "...",
        "–": "-",
        "—": "-",
        "→": "->",
        "’": "'",
        "“": '"',
        "”": '"',
        "«": '"',
        "»": '"',
        "×": "x",
        "·": "-",
    }
)


def answer_console(file: TextIO | None = None) -> Console:
    """For the answer: stdout."""
    return _console(file or sys.stdout)


def message_console(file: TextIO | None = None) -> Console:
    """For all else: stderr."""
    return _console(file or sys.stderr)


def _console(file: TextIO) -> Console:
    # no emoji codes, no markup, no guessing of paths and numbers: text from a remote is shown as it is
    return Console(file=file, theme=_THEME, highlight=False, markup=False, emoji=False, soft_wrap=False)


@contextmanager
def cursor_back(console: Console) -> Iterator[None]:
    """While a moving line is drawn or put away: Ctrl-C there would leave the terminal without a cursor.

    rich itself would be left with a line that is half there, and fail at putting it away.
    """
    from x11fwd.transports.uninterrupted import Uninterrupted

    try:
        with Uninterrupted():
            yield
    except BaseException:
        with suppress(OSError, ValueError):  # a terminal that was closed
            console.show_cursor()
        raise


def ascii_only(console: Console) -> bool:
    """True where the locale's encoding has no check mark (LANG=C, old Windows code pages)."""
    try:
        "✓✗…·▀".encode(console.encoding)
    except (UnicodeEncodeError, LookupError):
        return True
    return False


def symbols(console: Console) -> Symbols:
    """The symbols this console can write."""
    return _ASCII if ascii_only(console) else Symbols()


def safe(text: str, console: Console) -> str:
    """`text` without anything that a terminal would obey or the locale cannot write.

    Remote files and banners may hold escape sequences; they are shown as `\\x1b`, never sent.
    """
    shown = "".join(char if char.isprintable() or char in "\n\t" else _escaped(char) for char in text)
    if ascii_only(console):
        shown = shown.translate(_PLAIN)
        return shown.encode(console.encoding, "backslashreplace").decode(console.encoding)
    return shown


def _escaped(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8, kept by surrogateescape
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def rich_text(text: str, console: Console, style: str = "") -> Text:
    """A sentence in which `commands in backticks` stand out; the backticks stay, for those without colour."""
    shown = Text(safe(text, console), style=style)
    shown.highlight_regex(r"`[^`\n]+`", "command")
    return shown
