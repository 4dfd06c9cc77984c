"""Pictures in the terminal: shown on a pseudo-terminal that answers as one kind does, named elsewhere."""

from __future__ import annotations

import base64
import io
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import x11fwd
from tests.unit.on_terminal import OnTerminal
from x11fwd.ui.pictures import TerminalPictures, in_terminal
from x11fwd.viewer.items import Document, Note, Picture
from x11fwd.x11.image import Image

ROOT = str(Path(x11fwd.__file__).parent.parent)
WIDTH, HEIGHT = 160, 120


def two_halves() -> bytes:
    """A PNG whose left is red and whose right is blue."""
    row = b"\0\0\xff\xff" * (WIDTH // 2) + b"\xff\0\0\xff" * (WIDTH // 2)
    return Image(WIDTH, HEIGHT, 24, 32, 32, "little", (0xFF0000, 0xFF00, 0xFF), row * HEIGHT).png()


def program(tmp_path: Path, environ: dict[str, str]) -> list[str]:
    (tmp_path / "two.png").write_bytes(two_halves())
    (tmp_path / "show.py").write_text(
        f"import os, sys\nsys.path.insert(0, {ROOT!r})\n"
        "from x11fwd.ui import pictures\n"
        "from x11fwd.ui.pictures import TerminalPictures\n"
        "from x11fwd.viewer.items import Picture\n"
        "ask = pictures.ask\n"
        "pictures.ask = lambda terminal: ask(terminal, 90.0)\n"  # a busy machine answers late
        f"data = open({str(tmp_path / 'two.png')!r}, 'rb').read()\n"
        "with TerminalPictures() as shown:\n"
        "    print('found', shown.drawing.value, flush=True)\n"
        "    shown.put(Picture('1', 'Two halves', data, 'png'))\n"
        "print('done')\n"
    )
    env = {"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"], "HOME": str(tmp_path), **environ}
    words = [f"{name}={value}" for name, value in env.items()]
    return ["/usr/bin/env", "-i", *words, sys.executable, str(tmp_path / "show.py")]


def on_terminal(tmp_path: Path, answer: bytes, environ: dict[str, str]) -> bytes:
    one = OnTerminal(program(tmp_path, environ))
    one.until(rb"\x1b\[c")  # the question
    one.send(answer)
    one.until(rb"done")
    assert one.wait() == 0
    return one.output


@pytest.mark.parametrize(
    ("answer", "environ", "kind"),
    [
        (b"\x1b_Gi=31;OK\x1b\\\x1bP>|kitty(0.40)\x1b\\\x1b[?62;c", {"TERM": "xterm-256color"}, b"kitty"),
        (b"\x1bP>|iTerm2 3.6\x1b\\\x1b[?64;4c", {"TERM": "xterm-256color"}, b"iterm2"),
        (b"\x1bP>|XTerm(379)\x1b\\\x1b[?64;1;4;22c", {"TERM": "xterm"}, b"sixel"),
        (b"\x1b[?6c", {"TERM": "xterm-256color", "COLORTERM": "truecolor"}, b"blocks"),
        # tmux takes sixel from every program; what it is shown in may not
        (b"\x1bP>|tmux 3.5a\x1b\\\x1b[?1;2;4c", {"TERM": "tmux-256color"}, b"blocks-256"),
    ],
)
def test_a_terminal_is_shown_what_it_says_it_can_show(
    tmp_path: Path, answer: bytes, environ: dict[str, str], kind: bytes
) -> None:
    output = on_terminal(tmp_path, answer, environ)
    assert b"found " + kind + b"\r\n" in output
    assert b"Two halves" in output
    data = (tmp_path / "two.png").read_bytes()
    if kind == b"kitty":
        pieces = re.findall(rb"\x1b_G[^;]*;([^\x1b]*)\x1b\\", output.partition(b"Two halves")[2])
        assert base64.b64decode(b"".join(pieces)) == data
    elif kind == b"iterm2":
        found = re.search(rb"\x1b\]1337;File=inline=1;size=(\d+);[^:]*:([^\x07]*)\x07", output)
        assert found is not None
        assert (int(found[1]), base64.b64decode(found[2])) == (len(data), data)
    elif kind == b"sixel":
        assert b'\x1bP0;1;0q"1;1;160;120' in output
    elif kind == b"blocks":
        assert b"38;2;255;0;0;48;2;255;0;0m" in output
        assert b"38;2;0;0;255;48;2;0;0;255m" in output
    else:
        assert b"38;5;196;48;5;196m" in output
        assert b"38;5;21;48;5;21m" in output


def test_a_terminal_without_pictures_gets_the_name_of_the_file(tmp_path: Path) -> None:
    environ = {"TERM": "xterm-256color", "LC_ALL": "C", "TMPDIR": str(tmp_path)}
    output = on_terminal(tmp_path, b"\x1b[?6c", environ).replace(b"\r\n", b" ").decode()
    found = re.search(r"Two halves: (\S+/x11fwd-pictures-\S+/Two_halves\.png) \(this terminal", output)
    assert found is not None, output
    assert Path(found[1]).read_bytes() == two_halves()


@pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")
def test_half_blocks_are_what_a_real_tmux_shows(tmp_path: Path) -> None:
    tmux = ["tmux", "-S", str(tmp_path / "socket"), "-f", os.devnull]
    words = " ".join(program(tmp_path, {"TERM": "tmux-256color", "TMUX": "$TMUX"}))
    env = {**os.environ, "LC_ALL": "C.UTF-8"}
    subprocess.run([*tmux, "new-session", "-d", "-x", "80", "-y", "40", f"{words}; cat"], check=True, env=env)
    try:
        end = time.monotonic() + 120
        while True:
            capture = [*tmux, "capture-pane", "-p", "-e"]
            shown = subprocess.run(capture, check=True, capture_output=True, text=True, env=env).stdout
            if "done" in shown:
                break
            assert time.monotonic() < end, shown
            time.sleep(0.05)
    finally:
        subprocess.run([*tmux, "kill-server"], check=True)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
    assert plain[:2] == ["found blocks-256", "Two halves"]
    assert plain[2:32] == ["▀" * 80] * 30
    # tmux writes a colour where it changes
    first = shown.splitlines()[2]
    left, right = first[: first.index("▀")], first[first.index("▀" * 40) + 40 :].partition("▀")[0]
    assert "38;5;196" in left
    assert "48;5;196" in left
    assert "38;5;21" in right
    assert "48;5;21" in right


def test_without_a_terminal_files_are_named_once_and_saved_ones_are_not_written_again(tmp_path: Path) -> None:
    out = io.StringIO()
    data = two_halves()
    with TerminalPictures(out, tmp_path / "made", again=0.0, environ={"TERM": "xterm-kitty"}) as shown:
        shown.put(Picture("1", "Figure 1", data, "png"))
        shown.put(Picture("1", "Figure 1", data, "png"))
        shown.put(Picture("2", "Figure 1", b"<svg/>", "svg"))
        shown.put(Picture("3", "there", data, "png"), saved=tmp_path / "there.png")
        shown.put(Document("4", "../../page", b"<p>"))
        shown.put(Note("5", "gpu1", "connected\x1b[31m again"))
    made = sorted(path.name for path in (tmp_path / "made").iterdir())
    assert made == ["Figure_1-2.svg", "Figure_1.png", "page.html"]
    assert out.getvalue().splitlines() == [
        f"Figure 1: {tmp_path}/made/Figure_1.png (not a terminal)",
        f"Figure 1: {tmp_path}/made/Figure_1-2.svg (a terminal shows no SVG)",
        f"there: {tmp_path}/there.png (not a terminal)",
        f"../../page: {tmp_path}/made/page.html (a terminal shows no HTML)",
        "gpu1: connected\\x1b[31m again",
    ]


def test_of_many_some_are_shown_and_of_one_that_changes_the_last(tmp_path: Path) -> None:
    out = io.StringIO()
    data = two_halves()
    with TerminalPictures(out, tmp_path, every=600.0, again=600.0, environ={}) as shown:
        for number in range(5):
            shown.put(Picture(str(number), f"Figure {number}", data, "png"))
        for state in range(3):
            shown.put(Picture("0", "Figure 0", data + b"%d" % state, "png"))
        assert [path.read_bytes() for path in tmp_path.iterdir()] == [data]
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [data + b"2"]
    assert out.getvalue().splitlines() == [
        f"Figure 0: {tmp_path}/Figure_0.png (not a terminal)",
        "4 more were not shown here",
    ]


def test_the_terminal_is_taken_where_it_is_asked_for_or_no_browser_is(tmp_path: Path) -> None:
    (tmp_path / "firefox").write_text("#!/bin/sh\n")
    (tmp_path / "firefox").chmod(0o755)
    here = {"PATH": str(tmp_path), "DISPLAY": ":1"}
    away = {"PATH": str(tmp_path)}
    assert [in_terminal(terminal=False, browser=True, environ=one) for one in (here, away)] == [False, True]
    assert in_terminal(terminal=True, browser=True, environ=here)
    assert not in_terminal(terminal=False, browser=False, environ=away)  # the address is wanted


def test_figures_of_run_go_into_the_terminal_and_the_last_state_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from x11fwd.pipeline.run_session import Drawn
    from x11fwd.ui.run_pictures import PictureSink

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    data = two_halves()
    with PictureSink("plot.py on gpu1", folder=None, browser=True, terminal=True) as sink:
        for frame in (1, 2, 3):
            sink.put(Drawn("7-1", 1, "Figure 1", "", "png", frame, 0, data + b"%d" % frame))
        sink.linger()  # nothing to wait for
        assert sink.address == ""
    (saved,) = tmp_path.glob("x11fwd-pictures-*/*")
    assert saved.read_bytes() == data + b"3"
    assert capsys.readouterr().err == f"Figure 1: {saved} (not a terminal)\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")], ids=repr)
def test_a_picture_that_is_not_written_leaves_no_part(
    error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from x11fwd.errors import UsageError
    from x11fwd.pipeline.run_session import Drawn
    from x11fwd.ui.run_pictures import PictureSink

    def full(_self: Path, _target: Path) -> Path:
        raise error

    folder = tmp_path / "pictures"
    monkeypatch.setattr(Path, "replace", full)
    with (
        pytest.raises((KeyboardInterrupt, UsageError)),
        PictureSink("plot.py on gpu1", folder=folder, browser=True) as sink,
    ):
        sink.put(Drawn("7-1", 1, "Figure 1", "", "png", 1, 0, two_halves()))
    assert list(folder.iterdir()) == []
