"""A folder with a module of plots, and the command in it; the tests of this folder use it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

PLOTS = """
import os, sys, time
import matplotlib.pyplot as plt

COLOUR = "red"

def draw(number, figure):
    figure.subplots().plot([0, number, 1], color=COLOUR)

def quick(number, figure):
    figure.set_size_inches(1, 1)
    figure.add_artist(plt.Line2D([0, 1], [0, number % 7 / 7]))

def trouble(number, figure):
    if number == 3:
        raise ValueError("three is bad")
    if number == 5:
        os._exit(7)
    if number == 6:
        os.kill(os.getpid(), 9)
    if number == 7:
        sys.exit(2)
    if number == 8:
        time.sleep(600)
    if number == 9:
        os.closerange(3, 64)
        time.sleep(600)
    draw(number, figure)

def on_axes(number, ax):
    ax.plot([0, number])

def by_pyplot(number):
    plt.rcParams["lines.linewidth"] = 20 if number == 0 else plt.rcParams["lines.linewidth"]
    plt.plot([0, number, 1])

def returned(number):
    figure, axes = plt.subplots()
    axes.plot([0, number, 1])
    return figure

def untidy(number, figure):
    figure.set_size_inches(2, 2) if number == 0 else None
    figure.suptitle(str(number)) if number == 0 else None
    figure.subplots().plot([0, 1])

def nothing(number):
    return number

def slow(number, figure):
    open("began", "a").close()
    time.sleep(600)
"""


@pytest.fixture
def place(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with plots.py in it."""
    (tmp_path / "plots.py").write_text(PLOTS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("plots", None)
    # one font cache for all tests of a worker
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path_factory.getbasetemp() / "matplotlib"))
    return tmp_path
