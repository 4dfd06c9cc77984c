"""Pictures in the terminal, and the browser that is started: what is written and what is run."""

from __future__ import annotations

import base64
import io
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path

import pytest

from x11fwd.viewer.browser import open_browser
from x11fwd.viewer.items import ItemError
from x11fwd.viewer.png import read_png
from x11fwd.viewer.terminal import QUESTION, Drawing, ask, detect, draw

UTF8 = {"LC_ALL": "C.UTF-8"}


def png(rows: list[bytes], width: int, colour: int, *, extra: bytes = b"") -> bytes:
    """A PNG of rows that begin with the number of their filter."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, len(rows), 8, colour, 0, 0, 0)
    body = chunk(b"IHDR", head) + (chunk(b"PLTE", extra) if extra else b"")
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IDAT", zlib.compress(b"".join(rows))) + chunk(b"IEND", b"")


RED_BLUE = png([b"\0" + b"\xff\0\0" * 20, b"\0" + b"\0\0\xff" * 20] * 10, 20, 2)


def test_every_filter_of_a_png_is_undone() -> None:
    rows = [
        b"\0\x0a\x14\x1e",
        b"\x01\x0a\x0a\x0a",
        b"\x02\x01\x01\x01",
        b"\x03\x0a\x0a\x0a",
        b"\x04\x01\x01\x01",
    ]
    image = read_png(png(rows, 3, 0))
    grey = [[image.pixel(x, y)[0] for x in range(3)] for y in range(5)]
    assert grey == [[10, 20, 30], [10, 20, 30], [11, 21, 31], [15, 28, 39], [16, 29, 40]]


def test_transparency_palettes_and_grey_are_read() -> None:
    assert read_png(png([b"\0\xff\0\0\x00"], 1, 6)).pixel(0, 0) == (255, 255, 255)
    assert read_png(png([b"\0\xff\0\0\xff"], 1, 6)).pixel(0, 0) == (255, 0, 0)
    assert read_png(png([b"\0\x01"], 1, 3, extra=b"\0\0\0\x01\x02\x03")).pixel(0, 0) == (1, 2, 3)
    assert read_png(png([b"\0\x07\xff"], 1, 4)).pixel(0, 0) == (7, 7, 7)


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a", RED_BLUE[:40], RED_BLUE[:60], RED_BLUE[:24] + b"\x10" + RED_BLUE[25:]]
)
def test_a_damaged_or_rare_png_is_a_sentence(data: bytes) -> None:
    with pytest.raises(ItemError):
        draw(data, Drawing.BLOCKS)


def test_a_png_that_says_it_is_huge_is_refused() -> None:
    with pytest.raises(ItemError):
        read_png(RED_BLUE[:16] + struct.pack(">II", 1 << 30, 1 << 30) + RED_BLUE[24:])


@pytest.mark.parametrize(
    ("environ", "answer", "expected"),
    [
        ({"TERM": "xterm-kitty"}, b"", Drawing.KITTY),
        ({"TERM": "xterm-256color"}, b"\x1b_Gi=31;OK\x1b\\\x1b[?62;c", Drawing.KITTY),
        ({"TERM": "xterm-kitty"}, b"\x1b[?62;c", Drawing.BLOCKS_256),  # asked, and did not say yes
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, b"", Drawing.ITERM2),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, b"", Drawing.ITERM2),
        ({"TERM": "tmux-256color", "LC_TERMINAL": "iTerm2"}, b"", Drawing.BLOCKS_256),
        ({"TERM": "xterm"}, b"\x1b[?63;1;2;4;6c", Drawing.SIXEL),
        ({"TERM": "xterm"}, b"\x1b[?64;14;c", Drawing.NONE),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, b"", Drawing.BLOCKS),
        ({"TERM": "xterm-256color", "LC_ALL": "C"}, b"", Drawing.NONE),
        ({"TERM": "dumb"}, b"", Drawing.NONE),
        ({}, b"", Drawing.NONE),
    ],
)
def test_the_best_way_is_found(environ: dict[str, str], answer: bytes, expected: Drawing) -> None:
    if expected is Drawing.BLOCKS_256 and "kitty" in environ["TERM"]:
        environ = {**environ, "TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}
    assert detect({**UTF8, **environ}, answer) is expected


def test_kitty_gets_the_file_in_pieces() -> None:
    data = RED_BLUE + os.urandom(9000)
    text = draw(data, Drawing.KITTY, 80, 24)
    pieces = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", text)
    assert base64.b64decode("".join(piece for _, piece in pieces)) == data
    assert [head.endswith("m=1") for head, _ in pieces] == [True] * (len(pieces) - 1) + [False]
    assert all(len(piece) <= 4096 for _, piece in pieces)


def test_iterm2_gets_the_file() -> None:
    text = draw(RED_BLUE, Drawing.ITERM2)
    assert base64.b64decode(text.rpartition(":")[2].rstrip("\x07\n")) == RED_BLUE


def test_sixel_paints_each_row_in_its_colour() -> None:
    text = draw(RED_BLUE, Drawing.SIXEL)
    assert text.startswith('\x1bP0;1;0q"1;1;20;20')
    assert text.rstrip("\n").endswith("\x1b\\")
    assert "#180;2;100;0;0" in text
    assert "#180!20T" in text  # rows 1, 3, 5 of a band: bits 0, 2, 4 = 21 = 'T'


def painted(text: str) -> list[list[tuple[int, int, int]]]:
    """What a terminal paints for a sixel stream (DEC STD 070, chapter 9), on black; strict about its form."""
    whole = re.fullmatch(r'\x1bP0;1;0q"1;1;(\d+);(\d+)(.*)\x1b\\\n', text, re.DOTALL)
    assert whole is not None
    width, height = int(whole[1]), int(whole[2])
    rows = [[(0, 0, 0)] * width for _ in range(-(-height // 6) * 6)]
    palette: dict[int, tuple[int, int, int]] = {}
    x = top = 0
    colour = (0, 0, 0)
    at = 0
    step = re.compile(r"#(\d+);2;(\d+);(\d+);(\d+)|#(\d+)|!(\d+)([?-~])|([?-~])|([$])|(-)")
    while at < len(whole[3]):
        found = step.match(whole[3], at)
        assert found is not None, whole[3][at : at + 20]
        at = found.end()
        if found[1]:
            assert all(int(found[n]) <= 100 for n in (2, 3, 4))
            assert int(found[1]) < 256
            palette[int(found[1])] = tuple(round(int(found[n]) * 2.55) for n in (2, 3, 4))  # type: ignore[assignment]
        elif found[5]:
            colour = palette[int(found[5])]
        elif found[9]:
            x = 0
        elif found[10]:
            x, top = 0, top + 6
        else:
            bits = ord(found[7] or found[8]) - 63
            end = x + int(found[6] or 1)
            for bit in range(6):
                if bits >> bit & 1:
                    rows[top + bit][x:end] = [colour] * (end - x)
            x = end
            assert x <= width
    assert top == len(rows)
    return rows[:height]


@pytest.mark.parametrize(("columns", "size"), [(80, (61, 47)), (5, (45, 34))])
def test_sixel_gives_the_picture_back(columns: int, size: tuple[int, int]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(0.61, 0.47), dpi=100)
    figure.subplots().plot([0, 2, 1], color="#cc3300")
    out = io.BytesIO()
    figure.savefig(out)
    image = read_png(out.getvalue())
    rows = painted(draw(out.getvalue(), Drawing.SIXEL, columns, 24))
    assert (len(rows[0]), len(rows)) == size
    expected = image.scaled(*size)
    # six levels of each colour: at most half a level (25.5) and the rounding of per cent away
    for row, wanted in zip(rows, expected, strict=True):
        for pixel, want in zip(row, wanted, strict=True):
            assert all(abs(one - two) <= 29 for one, two in zip(pixel, want, strict=True))


def test_thin_lines_stay_visible_in_half_blocks() -> None:
    line = b"\0" + b"\xff\xff\xff" * 8 + b"\0\0\0" + b"\xff\xff\xff" * 71
    text = draw(png([line] * 80, 80, 2), Drawing.BLOCKS, 10, 10)
    found = re.search(r"38;2;(\d+);\d+;\d+", text.partition("▀")[2])
    assert found is not None
    assert int(found[1]) < 128  # the mean of the eight columns is 223


def test_half_blocks_have_both_colours_and_fit() -> None:
    text = draw(RED_BLUE, Drawing.BLOCKS, 2, 10)
    assert text.count("▀") <= 20
    assert text.endswith("\x1b[0m\n")
    assert draw(RED_BLUE, Drawing.BLOCKS_256, 80, 24).count("\n") <= 24
    assert draw(RED_BLUE, Drawing.NONE) == ""


def test_a_terminal_is_asked_and_its_settings_come_back() -> None:
    ours, theirs = pty.openpty()
    import termios

    before = termios.tcgetattr(theirs)

    def answer() -> None:
        heard = b""
        while QUESTION not in heard:
            heard += os.read(ours, 100)
        os.write(ours, b"\x1b_Gi=31;OK\x1b\\\x1b[?62;4c")

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    assert detect({"TERM": "xterm"}, ask(theirs, 90.0)) is Drawing.KITTY
    thread.join(90)
    assert termios.tcgetattr(theirs) == before
    began = time.monotonic()
    assert ask(theirs, 0.05) == b""
    assert time.monotonic() - began < 60
    os.close(ours)
    os.close(theirs)


def test_no_terminal_answers_nothing(tmp_path: Path) -> None:
    with open(tmp_path / "file", "w+b") as file:
        assert ask(file.fileno()) == b""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def program(folder: Path, name: str, body: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)


ADDRESS = "http://127.0.0.1:8000/secret-token/"


def test_a_browser_is_started_without_the_token_among_its_arguments(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("x11fwd.viewer.browser._REFUSES_WITHIN", 90.0)  # until the script has ended
    program(programs, "xdg-open", f'echo noise; echo noise >&2; echo "$@" > {tmp_path}/asked')
    assert open_browser(ADDRESS, {"PATH": f"{programs}:/usr/bin:/bin", "DISPLAY": ":1"})
    asked = (tmp_path / "asked").read_text().strip()
    assert "secret-token" not in asked
    assert asked.startswith("file://")
    page = Path(asked.removeprefix("file://"))
    assert ADDRESS in page.read_text()
    assert page.stat().st_mode & 0o077 == 0
    assert capfd.readouterr() == ("", "")


def test_there_is_no_browser_without_a_screen_or_a_program(programs: Path, tmp_path: Path) -> None:
    assert not open_browser(ADDRESS, {"PATH": str(programs), "DISPLAY": ":1"})
    program(programs, "xdg-open", "exit 0")
    assert not open_browser(ADDRESS, {"PATH": str(programs)})


def test_a_browser_that_refuses_leaves_no_file(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(
        "x11fwd.viewer.browser._REFUSES_WITHIN", 90.0
    )  # however late a busy machine starts it
    program(programs, "xdg-open", "exit 3")
    assert not open_browser(ADDRESS, {"PATH": f"{programs}:/bin", "DISPLAY": ":1"})
    assert list(tmp_path.glob("*.html")) == []


@pytest.mark.parametrize(("status", "words"), [(3, 1), (0, 0)])
def test_a_browser_that_refuses_late_is_told(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, words: int
) -> None:
    """A busy machine: xdg-open looks through all it knows, and has nothing to open with in the end."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("x11fwd.viewer.browser._REFUSES_WITHIN", 0.05)
    monkeypatch.setattr("x11fwd.viewer.browser._REFUSES_LATE", 600.0)
    threads: list[threading.Thread] = []
    start = threading.Thread.start

    def started(thread: threading.Thread) -> None:
        threads.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", started)
    program(programs, "xdg-open", f"until [ -e {tmp_path}/go ]; do sleep 0.05; done; exit {status}")
    told: list[int] = []
    environ = {"PATH": f"{programs}:/usr/bin:/bin", "DISPLAY": ":1"}
    assert open_browser(ADDRESS, environ, refused=lambda: told.append(1))
    assert told == []
    (tmp_path / "go").touch()
    threads[0].join(90)
    assert len(told) == words


def test_ctrl_c_while_the_browser_starts_leaves_no_file_with_the_token(
    programs: Path, tmp_path: Path
) -> None:
    program(programs, "xdg-open", f"echo $# > {tmp_path}/asked; kill -INT $PPID")
    environ = {"PATH": f"{programs}:/bin", "DISPLAY": ":1"}
    script = f"from x11fwd.viewer.browser import open_browser; open_browser({ADDRESS!r}, {environ!r})"
    path = os.pathsep.join(one for one in sys.path if one)
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": path},
        capture_output=True,
        timeout=240,
        check=False,
    )
    assert (tmp_path / "asked").read_text() == "1\n"
    assert ended.returncode == -signal.SIGINT
    assert list(tmp_path.glob("*.html")) == []


def test_a_browser_inside_the_terminal_is_not_started(programs: Path) -> None:
    program(programs, "w3m", "exit 0")
    assert not open_browser(ADDRESS, {"PATH": str(programs), "DISPLAY": ":1", "BROWSER": "w3m"})
