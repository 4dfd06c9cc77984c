"""The program that is sent runs on every Python from 3.6 on, here with a stand-in for matplotlib."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from x11fwd.render.arguments import tasks
from x11fwd.render.drawing import Hello, RenderError, draw
from x11fwd.render.model import Crew, Look, Source
from x11fwd.transports.local import LocalTransport

VERSIONS = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
PYTHONS = [sys.executable, *map(str, sorted(VERSIONS.glob("3.*/bin/python")))]
STAND_IN = {
    "matplotlib/__init__.py": "__version__ = '3.1'\ndef use(name): pass\n",
    "matplotlib/pyplot.py": """
from matplotlib.figure import Figure
rcParams = {}
def figure(): return Figure()
def switch_backend(name): pass
def close(what): pass
def get_fignums(): return []
""",
    "matplotlib/figure.py": """
class Axes:
    def set_title(self, text): pass
class Figure:
    def add_subplot(self, *place): return Axes()
    def savefig(self, out, format, **more): out.write(repr(getattr(self, "drawn", "x")).encode())
""",
    "plots.py": """
import os
from matplotlib.figure import Figure
def draw(number):
    if number == 2: os._exit(7)
    figure = Figure()
    figure.drawn = (number, os.environ["MPLBACKEND"])
    return figure
""",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in STAND_IN.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize("start", ["fork", "spawn"])
@pytest.mark.parametrize("python", PYTHONS)
def test_every_python_draws_in_both_ways(
    folder: Path, python: str, start: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(folder))
    todo = tasks([[1], [2], [3]], "{index}", "", Look())
    crew = Crew(2, start, None, python)  # type: ignore[arg-type]
    greeted: list[Hello] = []
    answers = list(draw(LocalTransport(), Source("plots", "draw"), Look(), crew, todo, hello=greeted.append))
    drawn = {one.task.index: one.data or one.problem for one in answers}
    assert drawn == {0: b"(1, 'Agg')", 1: "the worker ended by itself with exit status 7", 2: b"(3, 'Agg')"}
    assert [one.workers for one in greeted] == [2]


def test_a_python_that_is_not_there_is_a_sentence() -> None:
    todo = tasks([1], "{index}", "", Look())
    with pytest.raises(Exception, match="no-such-python"):
        list(draw(LocalTransport(), Source("plots", "draw"), Look(), Crew(python="/no-such-python"), todo))


def test_a_python_without_matplotlib_is_a_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "matplotlib" / "__init__.py").write_text("raise ImportError(\"No module named 'matplotlib'\")")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    todo = tasks([1], "{index}", "", Look())
    with pytest.raises(RenderError, match="has no matplotlib"):
        list(draw(LocalTransport(), Source("plots", "draw"), Look(), Crew(python=sys.executable), todo))
