"""`x11fwd render` as a program: exit codes, Ctrl-C, what stays behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import x11fwd
from x11fwd.pipeline.render import RenderOptions, _Order, run_render
from x11fwd.render.model import Outcome, Status

if TYPE_CHECKING:
    from x11fwd.render.drawing import Hello

pytestmark = pytest.mark.usefixtures("place")
ENVIRON = {"PYTHONPATH": str(Path(x11fwd.__file__).parent.parent)}


def start(*words: str, stdin: str = "") -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "x11fwd", "render", *words],
        env={**os.environ, **ENVIRON},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(stdin)
    process.stdin.close()
    process.stdin = None
    return process


def run(*words: str, stdin: str = "") -> tuple[int, str, str]:
    process = start(*words, stdin=stdin)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def test_json_lines_from_stdin_become_pictures(place: Path) -> None:
    code, out, err = run("plots:draw", "-", "--json", stdin='{"number": 1}\n{"number": 2}\n')
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert told["schema"] == "x11fwd.render/1"
    assert told["counts"] == {"drawn": 2, "skipped": 0, "failed": 0}


def test_a_failure_is_told_with_its_arguments_and_the_exit_code_is_1(place: Path) -> None:
    (place / "args.csv").write_text("number\n1\n3\n")
    code, out, err = run("plots.py:trouble", "args.csv", "-o", "out", "--name", "n{number}")
    assert code == 1
    assert "n3.png: ValueError: three is bad (" in " ".join(err.split())
    assert 'with {"number": 3}' in err
    assert "out: 1 drawn, 1 failed" in out
    assert (place / "out" / "n1.png").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["plots", "-"], "'plots' is not MODULE:FUNCTION"),
        (["plots:gone", "-"], "there is no gone in plots.py"),
        (["gone.py:draw", "-"], "there is no file gone.py"),
        (["no_such:draw", "-"], "No module named 'no_such'"),
        (["plots:draw", "gone.jsonl"], "gone.jsonl cannot be read"),
    ],
)
def test_what_cannot_be_meant_is_a_sentence(words: list[str], said: str) -> None:
    code, out, err = run(*words, stdin='{"number": 1}\n')
    assert (code, out) == (2, "")
    assert said in " ".join(err.split())


def test_ctrl_c_ends_at_once_with_130_and_leaves_neither_workers_nor_parts(place: Path) -> None:
    process = start("plots:slow", "-", "-o", "out", stdin='{"number": 1}\n{"number": 2}\n')
    end = time.monotonic() + 240
    while not (place / "began").exists():
        assert time.monotonic() < end
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    assert process.returncode == 130
    assert [one.name for one in (place / "out").iterdir()] == [".x11fwd-render.jsonl"]
    end = time.monotonic() + 90  # killed they are; a busy machine lets them go when it comes to them
    while [one for one in Path("/proc").glob("[0-9]*") if at_work_in(one, place)]:
        assert time.monotonic() < end
        time.sleep(0.01)


def at_work_in(process: Path, place: Path) -> bool:
    try:
        return (process / "cwd").readlink() == place and int(process.name) != os.getpid()
    except OSError:
        return False


def test_pictures_are_in_the_viewer_as_they_finish_and_ctrl_c_puts_it_away(place: Path) -> None:
    pytest.importorskip("uvicorn")
    process = start("plots:draw", "-", "--view", "--no-browser", stdin='{"number": 1}\n{"number": 2}\n')
    assert process.stdout is not None
    assert process.stderr is not None
    address = process.stderr.readline().removeprefix("the pictures: ").strip()
    assert address.startswith("http://127.0.0.1:")
    assert "2 drawn" in process.stdout.readline()
    with urllib.request.urlopen(address, timeout=90) as page:
        assert page.status == 200
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    assert process.returncode == 0


INTERRUPTED = """\
import os, signal
import x11fwd.ui.render as ui
show = ui.show_render
def interrupted(*words):
    show(*words)
    os.kill(os.getpid(), signal.SIGINT)
ui.show_render = interrupted
from x11fwd.cli import main
raise SystemExit(main())
"""


def test_ctrl_c_right_behind_the_summary_puts_the_page_away_as_later(place: Path) -> None:
    pytest.importorskip("uvicorn")
    words = ["render", "plots:draw", "-", "--view", "--no-browser"]
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, *words],
        env={**os.environ, **ENVIRON},
        input='{"number": 1}\n',
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert "1 drawn" in ended.stdout
    assert ended.returncode == 0, ended.stderr


def test_the_gallery_gets_every_picture_and_its_arguments(place: Path) -> None:
    from x11fwd.viewer.items import Item, Picture

    class Told:
        def started(self, hello: Hello, host: str) -> None:
            assert hello.workers == 1

        def ended(self, outcome: Outcome, done: int, of: int) -> None:
            assert of == 2

        def waiting(self, text: str) -> None:
            raise AssertionError(text)

    shown: list[Item] = []

    class Gallery:
        def put(self, item: Item) -> None:
            shown.append(item)

    options = RenderOptions("plots:trouble", place / "out", workers=1, python=sys.executable)
    summary = run_render([{"number": 1}, {"number": 3}], options, Told(), gallery=Gallery())
    assert not summary.ok
    (one,) = shown
    assert isinstance(one, Picture)
    assert (one.title, one.caption) == ("0000.png", '{"number": 1}')


def test_pictures_are_shown_in_order_but_do_not_wait_for_one_for_ever() -> None:
    order = _Order()

    def shown(*numbers: int, status: Status = Status.DRAWN) -> list[int]:
        return [
            one.index for number in numbers for one in order.after(Outcome(number, f"{number}.png", status))
        ]

    assert shown(3, 4, status=Status.SKIPPED) == []
    assert shown(1, 0, 5, 2) == [0, 1, 2, 3, 4, 5]
    assert shown(*range(7, 57)) == []
    assert shown(57, 59) == list(range(7, 58))  # 6 takes too long
    assert shown(6, 58) == [6, 58, 59]
