"""render() draws with real workers and a real matplotlib."""

from __future__ import annotations

import importlib
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import x11fwd
from x11fwd.errors import UsageError
from x11fwd.render import Status, render

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("place")
ROOT = str(Path(x11fwd.__file__).parent.parent)
PNG = b"\x89PNG\r\n\x1a\n"


def plot(name: str) -> Callable[..., object]:
    found: Callable[..., object] = getattr(importlib.import_module("plots"), name)
    return found


def numbers(count: int) -> list[dict[str, int]]:
    return [{"number": number} for number in range(count)]


def test_300_figures_are_drawn_and_none_of_them_twice(place: Path) -> None:
    told: list[tuple[int, int]] = []
    done = render(
        plot("quick"), numbers(300), workers=2, dpi=30, progress=lambda _one, n, of: told.append((n, of))
    )
    assert done.ok
    assert [one.index for one in done.outcomes] == list(range(300))
    assert told == [(number, 300) for number in range(1, 301)]
    assert all((place / "figures" / f"{n:04d}.png").read_bytes().startswith(PNG) for n in range(300))
    again = render(plot("quick"), numbers(301), workers=2, dpi=30)
    assert (again.count(Status.SKIPPED), again.count(Status.DRAWN)) == (300, 1)


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_failures_and_dead_workers_are_told_and_the_others_drawn(start: str) -> None:
    done = render(plot("trouble"), numbers(12), workers=2, limit=6, start=start)  # type: ignore[arg-type]
    problems = {one.index: one.problem for one in done.failed}
    assert sorted(problems) == [3, 5, 6, 7, 8, 9]
    assert problems[3] == "ValueError: three is bad"
    assert "exit status 7" in problems[5]
    assert "signal 9" in problems[6]
    assert problems[7] == "SystemExit: 2"
    assert "within 6 s" in problems[8]
    assert "signal 9" in problems[9]  # it can say nothing any more, and would not end
    assert done.failed[0].arguments == '{"number": 3}'
    assert "plots.py:" in done.failed[0].where
    assert done.count(Status.DRAWN) == 6


def test_what_is_changed_is_drawn_again_and_what_is_beside_it_is_not(place: Path) -> None:
    render(plot("draw"), numbers(3), workers=1)
    text = (place / "plots.py").read_text()
    (place / "plots.py").write_text(text + "\n\ndef another():\n    pass\n")
    assert render(plot("draw"), numbers(3), workers=1).count(Status.SKIPPED) == 3
    (place / "plots.py").write_text(text.replace('COLOUR = "red"', 'COLOUR = "blue"'))
    assert render(plot("draw"), numbers(3), workers=1).count(Status.DRAWN) == 3
    (place / "figures" / "0001.png").unlink()
    assert render(plot("draw"), numbers(3), workers=1).count(Status.DRAWN) == 1
    assert render(plot("draw"), numbers(3), workers=1, force=True).count(Status.DRAWN) == 3
    assert render(plot("draw"), numbers(3), workers=1, dpi=50).count(Status.DRAWN) == 3


@pytest.mark.parametrize("name", ["draw", "on_axes", "by_pyplot", "returned"])
def test_every_way_of_drawing_gives_a_picture(name: str) -> None:
    assert render(plot(name), numbers(2), workers=1).ok


def test_a_function_that_draws_nothing_is_told_so() -> None:
    done = render(plot("nothing"), numbers(1), workers=1)
    assert "drew nothing" in done.failed[0].problem


@pytest.mark.parametrize("name", ["untidy", "by_pyplot"])
def test_a_figure_used_again_shows_nothing_of_the_one_before(place: Path, name: str) -> None:
    render(plot(name), numbers(2), workers=1, folder="both")
    render(plot(name), numbers(2)[1:], workers=1, folder="alone", name="one")
    assert (place / "both" / "0001.png").read_bytes() == (place / "alone" / "one.png").read_bytes()


@pytest.mark.parametrize(("kind", "begins"), [("svg", b"<?xml"), ("pdf", b"%PDF-")])
def test_other_formats_are_what_they_say(place: Path, kind: str, begins: bytes) -> None:
    render(plot("draw"), numbers(1), workers=1, format=kind, name="p-{number}")  # type: ignore[arg-type]
    assert (place / "figures" / f"p-0.{kind}").read_bytes().startswith(begins)


def test_objects_that_json_has_no_word_for_are_pickled() -> None:
    done = render(plot("on_axes"), [{"number": 1 + 0j}, (2.5,), 3], workers=1)
    assert [one.status for one in done.outcomes][1:] == [Status.DRAWN, Status.DRAWN]


def test_what_cannot_be_pickled_is_a_sentence() -> None:
    with pytest.raises(UsageError, match="arguments of figure 0 cannot be sent to a worker"):
        render(plot("draw"), [{"number": io.TextIOWrapper(io.BytesIO())}])


def test_a_function_no_worker_can_import_is_a_sentence() -> None:
    with pytest.raises(UsageError, match="cannot be imported by a worker"):
        render(lambda number: number, [1])


def test_a_module_that_cannot_be_loaded_is_a_sentence(place: Path) -> None:
    function = plot("draw")
    (place / "plots.py").write_text("import no_such_module\ndef draw(number): pass\n")
    with pytest.raises(UsageError, match="cannot be loaded: ModuleNotFoundError: No module named 'no_such_m"):
        render(function, numbers(1))


def test_a_folder_that_is_a_file_is_a_sentence(place: Path) -> None:
    (place / "taken").write_text("")
    with pytest.raises(UsageError, match="taken cannot be written to"):
        render(plot("draw"), numbers(1), folder="taken")


SCRIPT = """
from x11fwd.render import render

def draw(number, ax):
    ax.plot([0, number])

{guard}render(draw, [[1], [2]], workers=1)
"""


def test_a_script_draws_with_its_own_function(place: Path) -> None:
    (place / "script.py").write_text(SCRIPT.format(guard='if __name__ == "__main__": '))
    done = subprocess.run(
        [sys.executable, "script.py"],
        env={**os.environ, "PYTHONPATH": ROOT},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (place / "figures" / "0001.png").exists()


def test_a_script_without_a_guard_is_told_what_is_missing(place: Path) -> None:
    (place / "script.py").write_text(SCRIPT.format(guard=""))
    done = subprocess.run(
        [sys.executable, "script.py"],
        env={**os.environ, "PYTHONPATH": ROOT},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "render() was called while a worker loads the script" in done.stderr
