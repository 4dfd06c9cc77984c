"""`--install`: whole or not at all, with a Python of cardboard."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from x11fwd.notebook.far.installing import install
from x11fwd.notebook.far.starting import FailedError, installed

# makes an environment whose Python does the same as this one
PYTHON = """\
#!/bin/sh
case "$*" in
"-m venv "*) mkdir -p "$3/bin" "$3/lib/python3.9/site-packages" && cp "$0" "$3/bin/python" ;;
*"pip install"*)
    echo "$*" >> "$HOME/asked"
    echo "Collecting jupyterlab"
    %s ;;
*matplotlib*) echo %s ;;
*) echo 4.5.0 ;;
esac
"""


@pytest.fixture
def python(clean_environment: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = clean_environment / "python"
    monkeypatch.setattr(sys, "executable", str(path))
    return path


def pip(path: Path, script: str = "true", old: bool = False) -> None:
    path.write_text(PYTHON % (script, old))
    path.chmod(0o755)


def base() -> Path:
    return Path(os.environ["HOME"], ".local/share/x11fwd/jupyter")


def never() -> bool:
    return False


def test_it_counts_from_the_moment_in_which_the_link_leads_to_it(python: Path) -> None:
    pip(python)
    (base() / "env-broken").mkdir(parents=True)  # of an attempt that was killed
    said: list[str] = []
    install(lambda **about: said.append(about["doing"]), never)
    (place,) = base().glob("env-*")
    assert (base() / "current").readlink() == Path(place.name)
    after = (place / "lib/python3.9/site-packages/x11fwd-after.pth").read_text().splitlines()
    assert after
    assert all(Path(one).name in {"site-packages", "dist-packages"} for one in after)
    found = installed()
    assert found is not None
    assert found.words == [str(base() / "current/bin/python"), "-m", "jupyterlab"]
    assert said[-1] == "installing JupyterLab: collecting jupyterlab"
    assert Path(os.environ["HOME"], "asked").read_text().split()[-1] == "jupyterlab"


def test_with_an_old_matplotlib_plots_still_show(python: Path) -> None:
    pip(python, old=True)
    install(lambda **_about: None, never)
    assert Path(os.environ["HOME"], "asked").read_text().split()[-1] == "matplotlib-inline<0.2"
    config = (base() / "current/etc/ipython/ipython_kernel_config.py").read_text()
    assert config == 'c.IPKernelApp.matplotlib = "inline"\n'


@pytest.mark.parametrize(
    ("script", "problem", "hint"),
    [
        (
            "echo 'ERROR: No matching distribution found for jupyterlab'; exit 1",
            "pip does not install JupyterLab: No matching distribution found for jupyterlab",
            "may not reach PyPI",
        ),
        ("echo 'ERROR: [Errno 28] No space left on device'; exit 1", "No space left", "free some space"),
    ],
)
def test_a_pip_that_fails_leaves_nothing(python: Path, script: str, problem: str, hint: str) -> None:
    pip(python, script)
    with pytest.raises(FailedError) as caught:
        install(lambda **_about: None, never)
    assert problem in caught.value.problem
    assert hint in caught.value.hint
    assert list(base().iterdir()) == []


def test_an_interrupted_one_leaves_nothing_and_no_process(python: Path) -> None:
    pip(python, "sleep 600 & echo $! > ~/pid; wait")
    pid = Path(os.environ["HOME"], "pid")
    with pytest.raises(FailedError, match="interrupted"):
        install(lambda **_about: None, lambda: pid.exists() and bool(pid.read_text()))
    assert list(base().iterdir()) == []
    end = time.monotonic() + 90  # killed it is; a busy machine lets it go when it comes to it
    while runs(pid.read_text().strip()):
        assert time.monotonic() < end
        time.sleep(0.01)


def runs(pid: str) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_without_room_it_does_not_begin(python: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip(python)
    monkeypatch.setattr("x11fwd.notebook.far.installing.NEEDED", 1 << 60)
    with pytest.raises(FailedError, match="MB left"):
        install(lambda **_about: None, never)
    assert list(base().iterdir()) == []


def test_a_python_that_makes_no_environments_is_named(python: Path) -> None:
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    with pytest.raises(FailedError, match="can make no environment") as caught:
        install(lambda **_about: None, never)
    assert "python3-venv" in caught.value.hint
