"""What is sent to the remote runs in every Python that this machine has, alone, and is small."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import x11fwd.bridge.shared

SHARED = Path(x11fwd.bridge.shared.__file__).parent
TESTS = Path(__file__).parent / "shared"
MODULES = sorted(path for path in SHARED.glob("*.py") if path.name != "__init__.py")


def interpreters() -> list[str]:
    """Python 3.6 and later: pyenv's versions, the system's, and the one that runs the tests."""
    folders = [Path(os.environ.get("PYENV_ROOT", "/root/.pyenv")), Path.home() / ".pyenv"]
    found = {str(path) for folder in folders for path in folder.glob("versions/3.*/bin/python3")}
    return [sys.executable, *sorted(found), *map(str, Path("/usr/bin").glob("python3"))]


@pytest.mark.parametrize("python", interpreters())
def test_every_test_of_the_shared_modules_passes(python: str, tmp_path: Path) -> None:
    # the tests may run from a copy beside an installed package
    (tmp_path / "x11fwd").symlink_to(SHARED.parent.parent)
    (tmp_path / "tests").symlink_to(TESTS.parent.parent.parent)
    names = sorted(path.stem for path in TESTS.glob("test_*.py"))
    done = subprocess.run(
        [python, str(TESTS / "anywhere.py"), str(tmp_path), *names],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 5


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_shared_module_imports_the_standard_library_and_shared_modules_only(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            name = node.module or ""
            assert name.startswith("x11fwd.bridge.shared.") or name in sys.stdlib_module_names, name
            # so that who puts the program together can take it out
            assert all(alias.asname is None for alias in node.names)
        elif isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= sys.stdlib_module_names


def test_top_level_names_are_unique_so_that_the_modules_fit_in_one_file() -> None:
    defined: Counter[str] = Counter()
    for path in MODULES:
        own = set()
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                own.add(node.name)
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                own |= {ast.unparse(target) for target in targets}
        defined.update(own)
    assert {name for name, times in defined.items() if times > 1} == set()


def test_all_shared_modules_leave_room_in_the_200_kilobytes() -> None:
    # without comments and docstrings it will be less
    assert sum(path.stat().st_size for path in MODULES) < 150_000
