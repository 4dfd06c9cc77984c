"""Whatever a pickle holds or does, the opener says in words or pictures what became of it."""

from __future__ import annotations

import ast
import json
import pickle
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import x11fwd
from tests.unit.test_layers import SENT
from x11fwd.errors import ProbeError
from x11fwd.inline.texts import figure_data_text
from x11fwd.serialised.opened import Opened, read_opened

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PROGRAM = resources.files("x11fwd.serialised").joinpath("open_remote.py").read_text(encoding="utf-8")


def opened(path: Path, drawing: str = "", most: int = 50_000_000) -> Opened:
    order = {"path": str(path), "drawing": drawing, "points": 20_000, "patience": 60, "most": most}
    argv = [sys.executable, "-c", PROGRAM]
    ran = subprocess.run(
        argv, input=json.dumps(order).encode(), capture_output=True, check=False, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    return read_opened(ran.stdout)


def pickled(path: Path, what: Any) -> Path:
    path.write_bytes(pickle.dumps(what))
    return path


@pytest.fixture(scope="module")
def figure() -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4, 3))
    axes = figure.subplots()
    axes.plot([0, 1, 2], [1, 4, 9], label="squares")
    axes.set_title("growth")
    return figure


def test_a_figure_travels_as_png_svg_and_numbers(tmp_path: Path, figure: Figure) -> None:
    found = opened(pickled(tmp_path / "fig.pickle", figure), figure_data_text())
    forms = {part.form: part for part in found.parts}
    assert set(forms) == {"png", "svg", "numbers"}
    assert forms["png"].data.startswith(b"\x89PNG")
    assert b"<svg" in forms["svg"].data
    assert json.loads(forms["numbers"].data)["data"][0]["y"] == [1, 4, 9]
    assert {part.title for part in found.parts} == {"growth (fig.pickle)"}


def test_figures_axes_and_arrays_in_a_dictionary_come_each(tmp_path: Path, figure: Figure) -> None:
    import numpy

    found = opened(
        pickled(tmp_path / "all.pkl", {"a": figure, "b": figure.axes[0], "c": numpy.arange(3), "d": 1})
    )
    assert [(part.figure, part.form) for part in found.parts] == [
        (0, "png"), (0, "svg"), (1, "png"), (1, "svg"), (2, "npy"),
    ]  # fmt: skip


def test_what_the_pickle_prints_does_no_harm_and_is_not_an_answer(tmp_path: Path) -> None:
    file = tmp_path / "a.pickle"
    file.write_bytes(b'cbuiltins\nprint\n(S\'{"parts": [], "why": "hello"}\'\ntR.')
    assert opened(file).why == "it holds a builtins.NoneType, which is no figure"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"cnot_installed_here\nFigure\n.", "opening it needs the module not_installed_here"),
        (b"cbuiltins\nexit\n(tR.", "opening it over there failed: SystemExit"),
        (b"garbage", "opening it over there failed: UnpicklingError"),
        (b"", "opening it over there failed: EOFError"),
        (b"(lp0\n.", "it holds a builtins.list, which is no figure"),
    ],
)
def test_a_pickle_that_is_no_figure_says_so(tmp_path: Path, data: bytes, why: str) -> None:
    file = tmp_path / "a.pickle"
    file.write_bytes(data)
    found = opened(file)
    assert found.parts == ()
    assert found.why.startswith(why)


def test_what_is_too_large_to_be_sent_is_named(tmp_path: Path, figure: Figure) -> None:
    found = opened(pickled(tmp_path / "fig.pickle", figure), most=1000)
    assert found.parts == ()
    assert "growth (fig.pickle) is too large to be sent as png" in found.notes


def test_json_is_never_unpickled_and_known_by_its_shape(tmp_path: Path) -> None:
    file = tmp_path / "fig.json"
    file.write_text('{"data": [{"type": "bar", "y": [1]}], "layout": {}}', encoding="utf-8")
    assert [part.form for part in opened(file).parts] == ["plotly"]
    file.write_text('{"loss": 1}', encoding="utf-8")
    assert opened(file).why == "it holds no figure of plotly, bokeh or mpld3"


def test_figures_of_plotly_are_opened_from_a_pickle_too(tmp_path: Path) -> None:
    from plotly.graph_objects import Figure  # type: ignore[import-untyped, unused-ignore]

    assert [part.form for part in opened(pickled(tmp_path / "a.pickle", Figure())).parts] == ["plotly"]


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"hello\n",
        b"[" * 10_000,
        b'{"parts": 3}\n',
        b'{"parts": [3]}\n',
        b'{"parts": [{"form": "exe", "size": 0}]}\n',
        b'{"parts": [{"form": "png", "size": 5}]}\nabc',
        b'{"parts": [{"form": "png", "size": -5}]}\nabc',
        b'{"parts": [{"form": "png", "size": "5"}]}\nabcde',
        b'{"parts": [{"form": ["png"], "size": 0}]}\n',
    ],
)
def test_an_answer_that_no_opener_gives_is_a_fault(said: bytes) -> None:
    with pytest.raises(ProbeError):
        read_opened(said)


def test_words_of_an_answer_are_bounded() -> None:
    told = {
        "parts": [{"form": "png", "size": 0, "title": "x" * 9999}],
        "notes": ["y" * 999] * 99,
        "why": "z" * 9999,
    }
    found = read_opened(json.dumps(told).encode() + b"\n")
    assert (len(found.parts[0].title), len(found.notes), len(found.notes[0]), len(found.why)) == (
        300,
        20,
        400,
        600,
    )


def test_nothing_that_show_is_made_of_can_unpickle() -> None:
    """Of its modules only what is sent to the remote imports a module that could."""
    able = {"pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
    root = Path(x11fwd.__file__).parent
    used = [
        root / "cli/show.py",
        root / "ui/show.py",
        root / "ui/pictures.py",
        *root.glob("pipeline/show*.py"),
    ]
    for package in ("serialised", "viewer", "transports"):
        used += (root / package).rglob("*.py")
    found = set()
    for path in used:
        name = path.relative_to(root).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if able & {one.split(".")[0] for one in names}:
                found.add(name)
    assert found == {"serialised/open_remote.py"}
    assert found <= SENT
