"""What is sent to the remote runs in every Python that this machine has, alone, and is small.

In the Python that runs the tests, pytest runs the same tests as modules; they tell more where one fails.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import x11fwd.bridge.shared
from x11fwd.bridge.assembly.assemble import MAIN, files
from x11fwd.bridge.assembly.join import joined, needed

BRIDGE = Path(x11fwd.bridge.shared.__file__).parent.parent
TESTS = Path(__file__).parent
SHARED = sorted(path for path in (BRIDGE / "shared").glob("*.py") if path.name != "__init__.py")
REMOTE = sorted(path for path in (BRIDGE / "remote").rglob("*.py") if path.name != "__init__.py")


def interpreters() -> list[str]:
    """One of each from Python 3.6 on: the one that runs the tests, and pyenv's of the other versions."""
    folders = [Path(os.environ.get("PYENV_ROOT", "/root/.pyenv")), Path.home() / ".pyenv"]
    found = sorted({str(path) for folder in folders for path in folder.glob("versions/3.*/bin/python3")})
    own = f"/3.{sys.version_info[1]}."
    return [sys.executable, *(path for path in found if own not in path)]


@pytest.fixture(scope="module")
def sent() -> bytes:
    """The program, behind the names of its modules."""
    texts = {name: Path(path).read_text() for name, path in files().items()}
    return f"# {' '.join(needed(texts, MAIN))}\n".encode() + joined(texts, MAIN)


@pytest.mark.parametrize("package", ["shared", "remote"])
@pytest.mark.parametrize("python", interpreters())
def test_every_test_of_what_is_sent_passes(python: str, package: str, sent: bytes, tmp_path: Path) -> None:
    # the tests may run from a copy beside an installed package
    (tmp_path / "x11fwd").symlink_to(BRIDGE.parent)
    (tmp_path / "x11fwd_half.py").write_bytes(sent)
    (tmp_path / "tests").symlink_to(TESTS.parent.parent)
    paths = sorted((TESTS / package).rglob("test_*.py"))
    names = [".".join(path.relative_to(TESTS).with_suffix("").parts) for path in paths]
    done = subprocess.run(
        [python, str(TESTS / "shared" / "anywhere.py"), str(tmp_path), *names],
        env={**os.environ, "X11FWD_TEST_SHARE": "1" if python == sys.executable else "4"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 5


@pytest.mark.parametrize("path", [*SHARED, *REMOTE], ids=lambda path: path.stem)
def test_what_is_sent_imports_the_standard_library_and_what_is_sent_only(path: Path) -> None:
    allowed: tuple[str, ...] = ("x11fwd.bridge.shared.",)
    if path in REMOTE:
        allowed = (*allowed, "x11fwd.bridge.remote.")
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            name = node.module or ""
            assert name.startswith(allowed) or name in sys.stdlib_module_names, name
            # so that who puts the program together can take it out
            assert all(alias.asname is None for alias in node.names)
        elif isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= sys.stdlib_module_names
