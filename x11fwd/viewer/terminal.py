"""What to write for a PNG in a terminal: kitty's and iTerm2's protocols, sixel, half blocks."""

from __future__ import annotations

import base64
import contextlib
import enum
import functools
import os
import re
import select
import struct
import time
from itertools import pairwise
from typing import TYPE_CHECKING

from x11fwd.viewer.items import ItemError
from x11fwd.viewer.png import read_png, size_of_png

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from x11fwd.x11.image import Image

__all__ = ["CELL", "QUESTION", "Drawing", "ask", "cell_of", "detect", "draw", "worth_asking"]

# Kitty's question whether it would show a picture (a=q), the terminal's name (XTVERSION, xterm's control
# sequences), then “what are you?” (DA1), which every terminal answers: so the end of the answers is known
# without waiting long.
QUESTION = b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[>q\x1b[c"
_LONGEST_ANSWER = 4096
CELL = (9, 18)  # pixels of a character, where the terminal does not say
_LEVELS = 6  # of each colour in a sixel picture: 216 colours, as many as every terminal takes
_CUBE = (0, 95, 135, 175, 215, 255)  # xterm's 256 colours: 16 + 36 r + 6 g + b, then 24 greys from 8 in tens


class Drawing(enum.Enum):
    """How a terminal shows a picture."""

    KITTY = "kitty"
    ITERM2 = "iterm2"
    SIXEL = "sixel"
    BLOCKS = "blocks"  # half a character each pixel, in 24-bit colour
    BLOCKS_256 = "blocks-256"
    NONE = "none"


def worth_asking(environ: Mapping[str, str]) -> bool:
    """Whether this terminal takes the question as one; Apple's and the Linux console print part of it."""
    term = environ.get("TERM", "")
    if term in {"", "dumb", "linux"} or term.startswith(("vt", "cons")):
        return False
    return environ.get("TERM_PROGRAM") != "Apple_Terminal" and "INSIDE_EMACS" not in environ


def detect(environ: Mapping[str, str], answer: bytes = b"", outer: str = "") -> Drawing:
    """The best way for this terminal.

    Args:
        environ: TERM, TERM_PROGRAM, COLORTERM, …
        answer: what `ask` heard; worth more than the environment, which ssh, sudo and tmux change.
        outer: inside tmux, what it says of the terminal it is shown in (`client_termfeatures`): it takes
            sixel pictures from every program, but shows them only where that terminal can.
    """
    term, program, name = environ.get("TERM", ""), environ.get("TERM_PROGRAM", ""), _name(answer)
    if term in {"", "dumb"}:
        return Drawing.NONE
    multiplexed = "TMUX" in environ or term.startswith(("tmux", "screen")) or name.startswith("tmux")
    if not multiplexed:
        if b"_Gi=31;OK" in answer:
            return Drawing.KITTY
        if name.startswith(("iTerm2", "WezTerm", "mintty")) or environ.get("LC_TERMINAL") == "iTerm2":
            return Drawing.ITERM2
        if program in {"iTerm.app", "WezTerm", "mintty"}:
            return Drawing.ITERM2
        if not answer and (term in {"xterm-kitty", "xterm-ghostty"} or "KITTY_WINDOW_ID" in environ):
            return Drawing.KITTY
    features = outer.strip().split(",")
    if "4" in _attributes(answer) and (not multiplexed or "sixel" in features):
        return Drawing.SIXEL
    if "UTF-8" not in _charset(environ):
        return Drawing.NONE
    if environ.get("COLORTERM") in {"truecolor", "24bit"} or "direct" in term or "RGB" in features:
        return Drawing.BLOCKS
    return Drawing.BLOCKS_256 if "256color" in term or multiplexed else Drawing.NONE


def cell_of(terminal: int) -> tuple[int, int]:
    """Width and height of a character in pixels, as the terminal says, or a usual size."""
    try:
        import fcntl
        import termios

        rows, columns, width, height = struct.unpack(
            "HHHH", fcntl.ioctl(terminal, termios.TIOCGWINSZ, bytes(8))
        )
    except (ImportError, OSError):
        return CELL
    found = (width // columns, height // rows) if rows and columns else (0, 0)
    return found if 3 <= found[0] <= 200 and 3 <= found[1] <= 400 else CELL


def ask(terminal: int, limit: float = 1.0) -> bytes:
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
        if _in_background(terminal):
            return b""
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


def _in_background(terminal: int) -> bool:
    """Whether changing the terminal would stop this process (SIGTTOU); False where it is not ours at all."""
    try:
        return os.tcgetpgrp(terminal) != os.getpgrp()
    except OSError:
        return False


def draw(
    png: bytes, drawing: Drawing, columns: int = 80, rows: int = 24, cell: tuple[int, int] = CELL
) -> str:
    """What to write to the terminal, at most so many characters wide and high, with a line end behind it.

    Args:
        cell: of a character, in pixels; see `cell_of`.

    Raises:
        ItemError: not a PNG that can be drawn; never with `Drawing.NONE`, which gives "".
    """
    if drawing is Drawing.NONE:
        return ""
    width, height = size_of_png(png)
    if not width or not height:
        raise ItemError("this PNG file is empty")
    if drawing in {Drawing.BLOCKS, Drawing.BLOCKS_256}:
        cell = (1, 2)  # of the picture's pixels at most
    wide, high = _cells(width, height, columns, rows, cell)
    if drawing is Drawing.KITTY:
        return "".join(_kitty(png, wide, high)) + "\n"
    if drawing is Drawing.ITERM2:
        how = f"inline=1;size={len(png)};width={wide};height={high};preserveAspectRatio=1"
        return f"\x1b]1337;File={how}:{base64.b64encode(png).decode()}\x07\n"
    image = read_png(png)
    if drawing is Drawing.SIXEL:
        across = min(width, wide * cell[0])
        return "".join(_sixel(image, across, max(1, height * across // width))) + "\n"
    return "".join(_blocks(image, wide, high, deep=drawing is Drawing.BLOCKS))


def _cells(width: int, height: int, columns: int, rows: int, cell: tuple[int, int]) -> tuple[int, int]:
    """Characters across and down for a picture of this shape, never more than its own size."""
    wide = max(1, min(columns, -(-width // cell[0])))
    high = max(1, round(wide * cell[0] * height / width / cell[1]))
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
    planes = image.planes
    if (width, height) != (image.width, image.height):
        rows = image.scaled(width, height)
        planes = tuple(bytes(pixel[at] for row in rows for pixel in row) for at in range(3))  # type: ignore[assignment]
    # whole pictures as long integers: the three parts of a colour's number add up to 215, so nothing carries
    numbers = sum(
        int.from_bytes(
            plane.translate(bytes((value * top + 127) // 255 * weight for value in range(256))), "big"
        )
        for plane, weight in zip(planes, (_LEVELS**2, _LEVELS, 1), strict=True)
    )
    pixels = numbers.to_bytes(width * height, "big")
    yield f'\x1bP0;1;0q"1;1;{width};{height}'
    for colour in sorted(set(pixels)):
        red, green, blue = colour // _LEVELS**2, colour // _LEVELS % _LEVELS, colour % _LEVELS
        yield f"#{colour};2;{red * 100 // top};{green * 100 // top};{blue * 100 // top}"
    for start in range(0, height, 6):
        band = [pixels[y * width : (y + 1) * width] for y in range(start, min(start + 6, height))]
        lines = []
        for colour in sorted(set(b"".join(band))):
            mask = 0
            for bit, row in enumerate(band):
                mask |= int.from_bytes(row.translate(_only(colour, 1 << bit)), "big")
            signs = mask.to_bytes(width, "big").translate(_SIGNS)
            lines.append(f"#{colour}{_RUN.sub(_counted, signs.rstrip(b'?')).decode('ascii')}")
        yield "$".join(lines) + "-"
    yield "\x1b\\"


_SIGNS = bytes(63 + value % 64 for value in range(256))  # of the six bits of a column
_RUN = re.compile(rb"(.)\1{3,}")


def _counted(run: re.Match[bytes]) -> bytes:
    return b"!%d%b" % (len(run[0]), run[1])


@functools.lru_cache(maxsize=6 * _LEVELS**3)
def _only(colour: int, bit: int) -> bytes:
    """The table that makes this colour's pixels `bit` and all others nothing."""
    return bytes(bit if value == colour else 0 for value in range(256))


def _blocks(image: Image, columns: int, rows: int, *, deep: bool) -> Iterator[str]:
    """Each character is two pixels: the upper one its colour, the lower one its ground."""
    colour = _deep if deep else _of_256
    lines = _shrunk(image, columns, 2 * rows)
    for upper, lower in zip(lines[0::2], lines[1::2], strict=True):
        before = ""
        for above, below in zip(upper, lower, strict=True):
            now = f"\x1b[38;{colour(above)};48;{colour(below)}m"
            yield "▀" if now == before else f"{now}▀"
            before = now
        yield "\x1b[0m\n"


def _shrunk(image: Image, width: int, height: int) -> list[list[tuple[int, int, int]]]:
    """Means of boxes drawn towards what differs most from the ground in each: thin lines would fade away."""
    means = image.scaled(width, height)
    if image.width < 3 * width:
        return means
    light = sum(image.pixel(0, 0)) > 3 * 127  # the corner is the figure's ground
    most = min if light else max
    lefts = [at * image.width // width for at in range(width + 1)]
    tops = [at * image.height // height for at in range(height + 1)]
    rows = []
    for row, (top, bottom) in zip(means, pairwise(tops), strict=True):
        channels = []
        for number, plane in enumerate(image.planes):
            lines = [plane[y * image.width : (y + 1) * image.width] for y in range(top, max(bottom, top + 1))]
            inks = (most(most(line[left:right]) for line in lines) for left, right in pairwise(lefts))
            channels.append([(pixel[number] + ink) // 2 for pixel, ink in zip(row, inks, strict=True)])
        rows.append(list(zip(*channels, strict=True)))
    return rows


def _deep(pixel: tuple[int, int, int]) -> str:
    return f"2;{pixel[0]};{pixel[1]};{pixel[2]}"


@functools.lru_cache(maxsize=4096)
def _of_256(pixel: tuple[int, int, int]) -> str:
    """The nearest of the cube's colours and the greys."""
    steps = [min(range(6), key=lambda step: abs(_CUBE[step] - value)) for value in pixel]
    grey = max(0, min(23, (sum(pixel) // 3 - 3) // 10))
    far_cube = sum((_CUBE[step] - value) ** 2 for step, value in zip(steps, pixel, strict=True))
    far_grey = sum((8 + 10 * grey - value) ** 2 for value in pixel)
    if far_grey < far_cube:
        return f"5;{232 + grey}"
    return f"5;{16 + 36 * steps[0] + 6 * steps[1] + steps[2]}"


def _name(answer: bytes) -> str:
    """What the terminal calls itself, `ESC P > | tmux 3.4 ESC \\`; "" where it did not say."""
    _, found, rest = answer.partition(b"\x1bP>|")
    name, end, _ = rest.partition(b"\x1b\\")
    return name.decode("ascii", "replace") if found and end else ""


def _attributes(answer: bytes) -> list[str]:
    """The numbers of a DA1 answer, `ESC [ ? 62 ; 4 c`; empty until it is there."""
    _, found, rest = answer.partition(b"\x1b[?")
    numbers, end, _ = rest.partition(b"c")
    return numbers.decode("ascii", "replace").split(";") if found and end else []


def _charset(environ: Mapping[str, str]) -> str:
    value = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    return value.upper().replace("UTF8", "UTF-8")
