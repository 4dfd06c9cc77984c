"""Figures of a Python of its own as plotly's JSON: what is in it, what is bounded, what is missing."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.inline.test_backend import PYTHONS
from x11fwd.inline.texts import figure_data_text
from x11fwd.viewer.figure import checked_figure, described_figure

if TYPE_CHECKING:
    from pathlib import Path

FIGURES = {
    "lines": "x = n.linspace(0, 9, 50); plt.plot(x, n.sin(x), 'o--', label=r'$\\sigma^2$ <b>')\n"
    "plt.legend()\n"
    "plt.plot([1, n.nan, 3], [1, 2, 3]); plt.axhline(0.5); plt.xlabel('time'); plt.grid(True)",
    "log": "plt.loglog([1, 10, 100], [1, 100, 1000]); plt.text(10, 100, 'here')",
    "dates": "plt.plot([datetime.datetime(2024, 1, day) for day in (1, 2, 3)], [1, 2, 3])",
    "scatter": "s = plt.scatter([1, 2, 3], [3, 2, 1], c=[1, 2, 3], s=[10, 20, 30], marker='s')\n"
    "plt.colorbar(s)",
    "bars": "plt.bar(['a', 'b'], [3, -1], yerr=[1, 1], color=['r', 'g'])",
    "lying": "plt.barh([0, 1, 2], [3, 2, 5], left=1)",
    "image": "plt.imshow(n.arange(12.0).reshape(3, 4), extent=(0, 4, 0, 3), cmap='gray')",
    "pixels": "plt.imshow(n.zeros((5, 6, 3), 'uint8'))",
    "mesh": "plt.pcolormesh(n.arange(5), n.arange(4), "
    "n.arange(12.0).reshape(3, 4), norm=colors.LogNorm(1, 12))",
    "areas": "plt.fill_between([1, 2, 3], [1, 2, 3]); plt.hist([1, 1, 2, 5], histtype='stepfilled')\n"
    "plt.contourf([[1, 2], [3, 5]]); plt.vlines([1, 2], 0, 1)",
    "pie": "plt.pie([1, 2], labels=['p', 'q'])",
    "twin": "f, a = plt.subplots(); a.plot([1, 2]); a.twinx().plot([5, 9])",
    "shared": "f, a = plt.subplots(2, 2, sharex=True); a[0, 0].plot([1, 2])",
    "much": "plt.subplot(121); plt.plot(n.random.RandomState(0).randn(300000))\n"
    "plt.subplot(122); plt.imshow(n.zeros((900, 900)))",
    "odd": "plt.subplot(121, polar=True).plot([1, 2]); plt.subplot(122); plt.plot([1])\n"
    "plt.quiver([1], [1], [1], [1])",
    "broken": "class Odd(lines.Line2D):\n    def get_markevery(self): raise OSError\n"
    "plt.gca().add_line(Odd([1, 2], [1, 2])); plt.plot([1, 2])",
    "crowd": "[plt.plot([number]) for number in range(500)]",
    "empty": "plt.figure()",
}
SCRIPT = """
import datetime, json, sys
import matplotlib; matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as n
from matplotlib import colors, lines
from figure_data import figure_data
told = {}
for name, text in json.loads(sys.argv[1]).items():
    plt.close("all")
    exec(text)
    figure = plt.gcf()
    figure.canvas.draw()
    told[name] = figure_data(figure, 20000)
print(json.dumps(told, allow_nan=False))
"""


@pytest.fixture(scope="module", params=PYTHONS)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What is said of each figure, through the check that guards the page."""
    folder: Path = tmp_path_factory.mktemp("figures")
    (folder / "figure_data.py").write_text(figure_data_text(), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    ran = subprocess.run(
        [str(request.param), "-c", SCRIPT, json.dumps(FIGURES)],
        env={**environment, "PYTHONPATH": str(folder), "MPLCONFIGDIR": str(folder / "config")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    for name, figure in found.items():
        checked = checked_figure(json.dumps(figure).encode())
        assert bool(checked) == bool(figure["data"]), f"{name} does not pass the viewer's check"
        if checked:
            assert described_figure(checked) == ("part" if figure["missing"] else "all")
    return found


def test_lines_have_their_numbers_their_look_and_their_words(told: dict[str, Any]) -> None:
    figure = told["lines"]
    first, second = figure["data"]
    assert (first["mode"], first["line"]["dash"], first["marker"]["symbol"]) == (
        "lines+markers",
        "dash",
        "circle",
    )
    assert (len(first["x"]), first["name"], first["showlegend"]) == (50, "σ² <b>", True)
    assert second["x"] == [1, None, 3]
    assert figure["layout"]["xaxis"]["title"]["text"] == "time"
    assert figure["layout"]["xaxis"]["showgrid"] is True
    assert [one["xref"] for one in figure["layout"]["shapes"] if one["type"] == "line"] == ["x domain"]
    assert "legend" in figure["layout"]
    assert (figure["missing"], figure["thinned"], figure["points"]) == ([], False, 53)


def test_axes_keep_their_scale(told: dict[str, Any]) -> None:
    log, dates = told["log"]["layout"], told["dates"]
    assert (log["xaxis"]["type"], log["yaxis"]["type"]) == ("log", "log")
    assert log["xaxis"]["range"][1] == pytest.approx(2.1, abs=0.2)
    assert [(one["x"], one["y"]) for one in log["annotations"]] == [(1, 2)]
    assert dates["layout"]["xaxis"]["type"] == "date"
    assert [one[:10] for one in dates["data"][0]["x"]] == ["2024-01-01", "2024-01-02", "2024-01-03"]
    assert told["image"]["layout"]["yaxis"]["scaleanchor"] == "x"
    assert told["shared"]["layout"]["xaxis3"]["matches"] == "x"


def test_scatter_bars_and_their_colours(told: dict[str, Any]) -> None:
    (dots,) = told["scatter"]["data"]
    assert dots["marker"]["symbol"] == "square"
    assert dots["marker"]["color"] == [1, 2, 3]
    assert len(dots["marker"]["size"]) == 3
    assert dots["marker"]["showscale"] is True
    bars = told["bars"]["data"][0]
    assert (bars["type"], bars["orientation"], bars["y"], bars["base"]) == ("bar", "v", [3, -1], [0, 0])
    assert bars["marker"]["color"] == ["rgba(255,0,0,1)", "rgba(0,128,0,1)"]
    assert told["bars"]["layout"]["xaxis"]["ticktext"] == ["a", "b"]
    lying = told["lying"]["data"][0]
    assert (lying["orientation"], lying["x"], lying["base"], lying["y"]) == (
        "h",
        [3, 2, 5],
        [1, 1, 1],
        [0, 1, 2],
    )


def test_images_and_meshes_have_their_values(told: dict[str, Any]) -> None:
    (image,) = told["image"]["data"]
    assert (image["type"], image["z"][0], image["x0"], image["dx"]) == ("heatmap", [0, 1, 2, 3], 0.5, 1)
    assert (image["y0"], image["dy"]) == (2.5, -1)
    assert told["pixels"]["data"][0]["source"].startswith("data:image/png;base64,iVBOR")
    (mesh,) = told["mesh"]["data"]
    assert (len(mesh["x"]), len(mesh["y"]), mesh["hovertext"][2][3]) == (5, 4, "11")
    assert mesh["z"][2][3] == pytest.approx(0.965, abs=0.001)


def test_areas_are_outlines_filled(told: dict[str, Any]) -> None:
    fills = [one.get("fill") for one in told["areas"]["data"]]
    assert fills.count("toself") > 2
    assert None in fills
    assert [one["text"] for one in told["pie"]["layout"]["annotations"]] == ["p", "q"]
    assert told["pie"]["missing"] == told["areas"]["missing"] == []


def test_a_twin_lies_over_its_brother(told: dict[str, Any]) -> None:
    layout, data = told["twin"]["layout"], told["twin"]["data"]
    assert (layout["yaxis2"]["overlaying"], layout["yaxis2"]["side"]) == ("y", "right")
    assert [(one["xaxis"], one["yaxis"]) for one in data] == [("x", "y"), ("x", "y2")]
    assert "xaxis2" not in layout


def test_many_points_are_thinned_and_keep_their_extremes(told: dict[str, Any]) -> None:
    figure = told["much"]
    assert figure["thinned"]
    assert figure["points"] <= 25_000
    (line,) = [one for one in figure["data"] if one["type"] == "scatter"]
    assert max(line["y"]) > 4
    assert min(line["y"]) < -4
    assert len(told["crowd"]["data"]) == 400
    assert told["crowd"]["missing"] == ["100 of 500 things drawn"]


def test_what_cannot_be_said_is_named_and_stops_nothing(told: dict[str, Any]) -> None:
    assert told["odd"]["missing"] == ["polar axes", "Quiver"]
    assert len(told["odd"]["data"]) == 1
    assert told["broken"]["missing"] == ["Odd"]
    assert len(told["broken"]["data"]) == 1
    assert told["empty"]["data"] == []
