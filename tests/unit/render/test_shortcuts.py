"""Figures drawn with the shortcuts have the pixels of a serial loop; functions of scripts go as they are."""

from __future__ import annotations

import importlib
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from x11fwd.render import render
from x11fwd.render.sent import shortcuts

if TYPE_CHECKING:
    from pathlib import Path

KINDS = r'''
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.markers import MarkerStyle

X = np.linspace(0, 10, 200)

def lines(ax, n):
    ax.plot(X, np.sin(X * (1 + n)), "o-", markevery=20, label="sin %d" % n)
    ax.plot(X, np.cos(X), "^--", fillstyle="left", markevery=(5, 30), label=r"$\cos(x)^{%d}$" % n)
    ax.legend()
    ax.grid()

def bars(ax, n):
    ax.bar(["one", "two", "väl"], [1, n, 3], hatch="/")
    ax.set_title("two\nlines %d" % n, rotation=3)
    ax.tick_params(axis="x", rotation=40, labelsize=7.5)

def scatter(ax, n):
    turned = mpl.transforms.Affine2D().rotate(n)
    ax.scatter(X, X ** 2 + n, c=X, s=X * 9, marker=MarkerStyle("s", transform=turned))
    ax.set_yscale("log")
    arrow = {"arrowstyle": "->"}
    ax.annotate("AVAVA fi %d" % n, (5, 25), (2, 3), arrowprops=arrow, fontfamily="serif", weight="bold")

def image(ax, n):
    ax.figure.colorbar(ax.imshow(np.arange(100).reshape(10, 10) * n), ax=ax, label="µm")
    ax.text(1, 1, "tilted", rotation=n * 33, antialiased=n % 2 == 0)

def words(ax, n):
    for at, (ha, va) in enumerate([("left", "top"), ("right", "baseline"), ("center", "center_baseline")]):
        for mode in ("default", "anchor"):
            ax.text(at / 3, 0.2, "Ag\njj %d" % at, ha=ha, va=va, rotation=20 * n, rotation_mode=mode)
    ax.text(0.5, 0.8, "one line\nthe other", linespacing=n, multialignment="right")
    ax.text(0.1, 0.6, "many words that go on and on " * n, wrap=True, fontsize=7)
    ax.text(0.1, 0.4, "a$b", parse_math=n == 1) if n < 3 else None
    ax.text(0.5, 0.5, "turned", rotation=30, transform_rotates_text=True)
    ax.set_aspect(n)
    text = ax.set_title("small")
    ax.figure.canvas.draw()
    text.get_fontproperties().set_size(6 + 3 * n)  # in place

def settings(ax, n):
    with plt.rc_context({"font.family": "monospace" if n % 2 else "serif", "mathtext.fontset": "stix"}):
        ax.set_title(r"one $\alpha_%d$" % n)
        ax.plot([1, n])
        ax.figure.canvas.draw()
    ax.set_xlabel("other %d" % n, size=8 + n)
    line, = ax.plot([n, 1], marker=MarkerStyle("d").rotated(deg=10 * n))
    line.set_fillstyle("none")

def draw(kind, n):
    if n == 2:
        mpl.rcParams["font.sans-serif"].insert(0, "DejaVu Serif")  # in place: nobody is told
    figure, axes = plt.subplots(figsize=(3, 2), layout="constrained" if n == 1 else None)
    globals()[kind](axes, n)
    return figure

def saving(folder, n):
    """As blog posts write it."""
    figure, axes = plt.subplots(figsize=(3, 2))
    lines(axes, n)
    figure.savefig("%s/%d.png" % (folder, n), dpi=80, bbox_inches="tight")
    plt.close(figure)

def saving_with_pyplot(folder, n):
    plt.figure(figsize=(2, 2))
    plt.plot([0, n])
    plt.savefig("%s/p%d.png" % (folder, n))

def elsewhere(n):
    plt.figure(figsize=(2, 2))
    plt.plot([0, n])
    plt.savefig(__import__("io").BytesIO(), format="pdf")
    plt.close("all")
'''
SERIAL = """
import sys
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import kinds
rc = dict(plt.rcParams)
fonts = list(rc["font.sans-serif"])
for number, (kind, n) in enumerate(ARGS):
    kinds.draw(kind, n).savefig("serial/%04d.png" % number)
    plt.close("all")
    dict.update(plt.rcParams, rc)
    plt.rcParams["font.sans-serif"][:] = fonts
"""


@pytest.fixture
def kinds(place: Path) -> Path:
    (place / "kinds.py").write_text(KINDS)
    sys.modules.pop("kinds", None)
    return place


def pixels(path: Path) -> object:
    return shortcuts.taken_apart(path.read_bytes())


def test_pixels_and_words_are_those_of_a_serial_loop(kinds: Path) -> None:
    sets = [
        (kind, n) for n in (1, 2, 3) for kind in ("lines", "bars", "scatter", "image", "words", "settings")
    ]
    (kinds / "serial").mkdir()
    program = SERIAL.replace("ARGS", repr(sets))
    subprocess.run([sys.executable, "-c", program], check=True, cwd=kinds)
    done = render(importlib.import_module("kinds").draw, sets, folder="figures", workers=2)
    assert [one.problem for one in done.failed] == []
    different = [
        sets[number]
        for number in range(len(sets))
        if pixels(kinds / f"serial/{number:04d}.png") != pixels(kinds / f"figures/{number:04d}.png")
    ]
    assert different == []


def test_a_function_that_saves_and_closes_itself_gives_the_file_that_it_wrote(kinds: Path) -> None:
    module = importlib.import_module("kinds")
    (kinds / "own").mkdir()
    done = render(module.saving, [("own", 1), ("own", 2)], folder="figures")
    done2 = render(module.saving_with_pyplot, [("own", 1)], folder="figures2")
    assert done.ok
    assert done2.ok
    for number in (1, 2):
        assert (kinds / f"figures/{number - 1:04d}.png").read_bytes() == (
            kinds / f"own/{number}.png"
        ).read_bytes()
    assert (kinds / "figures2/0000.png").read_bytes() == (kinds / "own/p1.png").read_bytes()
    assert render(module.elsewhere, [1], folder="figures3").ok  # drawn anew from the closed figure


def test_where_a_shortcut_changes_a_pixel_matplotlib_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    before = FigureCanvasAgg.print_png
    packed = shortcuts.packed

    def wrong(buffer: object, dpi: float) -> bytes:
        return packed(_changed(buffer), dpi)

    def _changed(buffer: object) -> object:
        import numpy

        copied = numpy.array(buffer)
        copied[5, 5, 0] ^= 1
        return copied

    monkeypatch.setattr(shortcuts, "PROVEN", [])
    monkeypatch.setattr(shortcuts, "packed", wrong)
    assert shortcuts.install() is False
    assert FigureCanvasAgg.print_png is before
    assert shortcuts.install() is False
