"""The inline backend on the oldest matplotlib that installs here; the newest is in the tests' own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.lab.runs import cache_dir

if TYPE_CHECKING:
    from collections.abc import Iterator

# The oldest release from 3.1 on that has a wheel for this Python (PyPI, 2026).
OLDEST = {
    "3.7": "3.1.0",
    "3.8": "3.1.2",
    "3.9": "3.3.2",
    "3.10": "3.5.0",
    "3.11": "3.6.0",
    "3.12": "3.8.0",
    "3.13": "3.9.2",
}
ROOT = Path(__file__).resolve().parents[2]
# What differs between versions: drawing, blitting, saving, the numbers of every kind of artist.
TESTS = "blocking or killed or blitting or saving or brings or lines or axes or scatter or images or areas"
PYENV = os.environ.get("PYENV_ROOT", "/root/.pyenv")  # read at import: tests have a clean environment


def oldest_python() -> tuple[str, str]:
    """Interpreter and matplotlib for it."""
    for version, matplotlib in OLDEST.items():
        found = sorted(Path(PYENV).glob(f"versions/{version}.*/bin/python3"))
        if found:
            return str(found[0]), matplotlib
    return sys.executable, OLDEST.get("{}.{}".format(*sys.version_info), "3.9.2")


def with_matplotlib() -> Path:
    """The Python of an environment that is made once."""
    python, matplotlib = oldest_python()
    name = "-".join(("matplotlib", matplotlib, Path(python).parts[-3]))
    folder = cache_dir() / name
    inside = folder / "bin/python"
    works = [str(inside), "-c", f"import matplotlib; assert matplotlib.__version__ == {matplotlib!r}"]
    if inside.exists() and subprocess.run(works, check=False, capture_output=True).returncode == 0:
        return inside
    subprocess.run([python, "-m", "venv", "--clear", str(folder)], check=True, capture_output=True)
    wanted = [f"matplotlib=={matplotlib}", "numpy<2", "setuptools<80"]
    words = [str(inside), "-m", "pip", "install", "--quiet", "--only-binary", ":all:", *wanted]
    ran = subprocess.run(words, check=False, capture_output=True, text=True)
    if ran.returncode:
        pytest.skip(f"matplotlib {matplotlib} does not install here: {ran.stderr[-300:]}")
    return inside


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a name so short that sockets fit into it."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="x") as folder:
        yield Path(folder)


def test_figures_of_the_oldest_matplotlib(short: Path) -> None:
    python = with_matplotlib()
    words = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--basetemp",
        str(short / "t"),
    ]
    words += ["-k", f"({TESTS}) and {python.parts[-3]}", "tests/unit/inline"]
    environment = {**os.environ, "X11FWD_TEST_MATPLOTLIBS": str(python)}
    ran = subprocess.run(words, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-4000:]
    assert " passed" in ran.stdout
