"""What to write for a PNG in a terminal: kitty's and iTerm2's protocols, sixel, half blocks."""

from __future__ import annotations

import base64
import contextlib
import enum
import os
import select
import time
from typing import TYPE_CHECKING

from x11fwd.viewer.png import read_png, size_of_png

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from x11fwd.x11.image import Image

__all__ = ["QUESTION", "Drawing", "ask", "detect", "draw"]

# Kitty's question whether it would show a picture (a=q), then “what are you?” (DA1), which every terminal
# answers: so the end of the answers is known without waiting long.
QUESTION = b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[c"
_LONGEST_ANSWER = 4096
_CELL = (9, 18)  # pixels of a character, where the terminal does not say
_LEVELS = 6  # of each colour in a sixel picture: 216 colours, as many as every terminal takes


class Drawing(enum.Enum):
    """How a terminal shows a picture."""

    KITTY = "kitty"
    ITERM2 = "iterm2"
    SIXEL = "sixel"
    BLOCKS = "blocks"  # half a character each pixel, in 24-bit colour
    BLOCKS_256 = "blocks-256"
    NONE = "none"


def detect(environ: Mapping[str, str], answer: bytes = b"") -> Drawing:
    """The best way for this terminal.

    Args:
        environ: TERM, TERM_PROGRAM, COLORTERM, …
        answer: what `ask` heard; worth more than the environment, which ssh, sudo and tmux change.
    """
    term, program = environ.get("TERM", ""), environ.get("TERM_PROGRAM", "")
    if term in {"", "dumb"}:
        return Drawing.NONE
    multiplexed = "TMUX" in environ or term.startswith(("tmux", "screen"))
    if b"_Gi=31;OK" in answer:
        return Drawing.KITTY
    if not multiplexed:
        if program in {"iTerm.app", "WezTerm", "mintty"} or environ.get("LC_TERMINAL") == "iTerm2":
            return Drawing.ITERM2
        if not answer and (term in {"xterm-kitty", "xterm-ghostty"} or "KITTY_WINDOW_ID" in environ):
            return Drawing.KITTY
    if "4" in _attributes(answer):
        return Drawing.SIXEL
    if "UTF-8" not in _charset(environ):
        return Drawing.NONE
    if environ.get("COLORTERM") in {"truecolor", "24bit"} or "direct" in term:
        return Drawing.BLOCKS
    return Drawing.BLOCKS_256 if "256color" in term or multiplexed else Drawing.NONE


def ask(terminal: int, limit: float = 0.5) -> bytes:
    """Ask the terminal what it can do. Returns what it answered, b"" where it is no terminal or says nothing.

    Args:
        terminal: a descriptor of the terminal open for both directions, such as of /dev/tty.
        limit: seconds.
    """
    try:
        import termios
        import tty
    except ImportError:  # Windows
        return b""
    try:
        before = termios.tcgetattr(terminal)
    except termios.error:
        return b""
    heard = b""
    try:
        tty.setraw(terminal, termios.TCSANOW)
        os.write(terminal, QUESTION)
        end = time.monotonic() + limit
        while len(heard) < _LONGEST_ANSWER and not _attributes(heard):
            ready, _, _ = select.select([terminal], [], [], max(0.0, end - time.monotonic()))
            data = os.read(terminal, 1024) if ready else b""
            if not data:
                break
            heard += data
    except OSError:
        return heard
    finally:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(terminal, termios.TCSANOW, before)
    return heard


def draw(png: bytes, drawing: Drawing, columns: int = 80, rows: int = 24) -> str:
    """What to write to the terminal, at most so many characters wide and high, with a line end behind it.

    Raises:
        ItemError: not a PNG that can be drawn; never with `Drawing.NONE`, which gives "".
    """
    if drawing is Drawing.NONE:
        return ""
    width, height = size_of_png(png)
    wide, high = _cells(width, height, columns, rows)
    if drawing is Drawing.KITTY:
        return "".join(_kitty(png, wide, high)) + "\n"
    if drawing is Drawing.ITERM2:
        how = f"inline=1;size={len(png)};width={wide};height={high};preserveAspectRatio=1"
        return f"\x1b]1337;File={how}:{base64.b64encode(png).decode()}\x07\n"
    image = read_png(png)
    if drawing is Drawing.SIXEL:
        across = min(width, wide * _CELL[0])
        return "".join(_sixel(image, across, max(1, height * across // width))) + "\n"
    return "".join(_blocks(image, wide, high, deep=drawing is Drawing.BLOCKS))


def _cells(width: int, height: int, columns: int, rows: int) -> tuple[int, int]:
    """Characters across and down for a picture of this shape, never more than its own size."""
    wide = max(1, min(columns, -(-width // _CELL[0])))
    high = max(1, round(wide * _CELL[0] * height / max(width, 1) / _CELL[1]))
    if high > max(rows, 1):
        wide, high = max(1, wide * rows // high), max(rows, 1)
    return wide, high


def _kitty(png: bytes, columns: int, rows: int) -> Iterator[str]:
    """In pieces of at most 4096 characters (kitty's graphics protocol); q=2: it answers nothing."""
    text = base64.b64encode(png).decode()
    for at in range(0, len(text), 4096):
        more = int(at + 4096 < len(text))
        first = f"a=T,f=100,q=2,c={columns},r={rows}," if not at else "q=2,"
        yield f"\x1b_G{first}m={more};{text[at : at + 4096]}\x1b\\"


def _sixel(image: Image, width: int, height: int) -> Iterator[str]:
    """DEC's sixel: bands of six rows, one run-length line for each colour in the band."""
    top = _LEVELS - 1
    pixels = [
        [
            ((red * top + 127) // 255 * _LEVELS + (green * top + 127) // 255) * _LEVELS
            + (blue * top + 127) // 255
            for red, green, blue in row
        ]
        for row in image.scaled(width, height)
    ]
    yield f'\x1bP0;1;0q"1;1;{width};{height}'
    for colour in sorted({one for row in pixels for one in row}):
        red, green, blue = colour // _LEVELS**2, colour // _LEVELS % _LEVELS, colour % _LEVELS
        yield f"#{colour};2;{red * 100 // top};{green * 100 // top};{blue * 100 // top}"
    for start in range(0, height, 6):
        band = pixels[start : start + 6]
        masks: dict[int, list[int]] = {}
        for bit, row in enumerate(band):
            for x, colour in enumerate(row):
                masks.setdefault(colour, [0] * width)[x] |= 1 << bit
        yield "$".join(f"#{colour}{_runs(line)}" for colour, line in masks.items()) + "-"
    yield "\x1b\\"


def _runs(line: list[int]) -> str:
    parts, at = [], 0
    while at < len(line):
        end = at
        while end < len(line) and line[end] == line[at]:
            end += 1
        sign = chr(63 + line[at])
        parts.append(f"!{end - at}{sign}" if end - at > 3 else sign * (end - at))
        at = end
    return "".join(parts)


def _blocks(image: Image, columns: int, rows: int, *, deep: bool) -> Iterator[str]:
    """Each character is two pixels: the upper one its colour, the lower one its ground."""
    colour = _deep if deep else _of_256
    lines = image.scaled(columns, 2 * rows)
    for upper, lower in zip(lines[0::2], lines[1::2], strict=True):
        for above, below in zip(upper, lower, strict=True):
            yield f"\x1b[38;{colour(above)};48;{colour(below)}m▀"
        yield "\x1b[0m\n"


def _deep(pixel: tuple[int, int, int]) -> str:
    return f"2;{pixel[0]};{pixel[1]};{pixel[2]}"


def _of_256(pixel: tuple[int, int, int]) -> str:
    red, green, blue = ((value * 5 + 127) // 255 for value in pixel)
    return f"5;{16 + 36 * red + 6 * green + blue}"


def _attributes(answer: bytes) -> list[str]:
    """The numbers of a DA1 answer, `ESC [ ? 62 ; 4 c`; empty until it is there."""
    _, found, rest = answer.partition(b"\x1b[?")
    numbers, end, _ = rest.partition(b"c")
    return numbers.decode("ascii", "replace").split(";") if found and end else []


def _charset(environ: Mapping[str, str]) -> str:
    value = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    return value.upper().replace("UTF8", "UTF-8")
