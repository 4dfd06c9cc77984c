"""A Python interpreter with x11fwd that an ordinary account may run; person.py uses it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import re
import stat
import subprocess
import sys
from pathlib import Path

from tests.lab.runs import LabError, cache_dir

CHECKOUT = Path(__file__).resolve().parents[2]


def readable_python() -> Path:
    """The interpreter the tests are run for: ``X11FWD_TEST_PYTHON``, else one in the cache, on the checkout.

    Raises:
        LabError: no interpreter an ordinary account may run; the message says which folder is closed.
    """
    if named := os.environ.get("X11FWD_TEST_PYTHON"):
        path = Path(named)
        if closed := closed_folder(path):
            raise LabError(f"X11FWD_TEST_PYTHON={path}: other accounts may not enter {closed}")
        return path
    if closed := closed_folder(CHECKOUT / "x11fwd"):
        raise LabError(
            f"other accounts may not read {closed}; `sh tests/run` installs a wheel where they can"
        )
    return _from_checkout()


def closed_folder(path: Path) -> Path | None:
    """The first folder on the way to ``path``, links followed, that other accounts may not enter."""
    for start in {path.absolute(), path.resolve()}:
        for folder in reversed(start.parents):
            if not folder.stat().st_mode & stat.S_IXOTH:
                return folder
    return None


def _from_checkout() -> Path:
    text = (CHECKOUT / "pyproject.toml").read_text(encoding="utf-8")
    section = re.search(r"(?ms)^dependencies = \[(.*?)^\]", text)
    needs = re.findall(r'^\s*"([^"]+)"', section.group(1), re.MULTILINE) if section else []
    base = next((p for p in _candidates() if closed_folder(p) is None), None)
    if base is None:
        raise LabError(
            "no Python 3.10 or newer that other accounts may run: apt install python3 python3-venv"
        )
    digest = hashlib.sha256("\n".join([str(base), str(CHECKOUT), *needs]).encode()).hexdigest()[:10]
    place = cache_dir() / "python" / digest
    with (cache_dir() / "python.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "done").exists():
            _make(base, place, needs)
    return place / "bin/python"


def _candidates() -> list[Path]:
    found = [Path("/usr/bin/python3"), *sorted(Path("/usr/bin").glob("python3.[0-9]*")), Path(sys.executable)]
    good = []
    for path in found:
        if path.exists() and not path.name.endswith("config"):
            code = "import sys, venv; sys.exit(sys.version_info < (3, 10))"
            if subprocess.run([str(path), "-c", code], capture_output=True, check=False).returncode == 0:
                good.append(path)
    return good


def _make(base: Path, place: Path, needs: list[str]) -> None:
    # Without pip inside, for which Debian's venv needs another package: this interpreter's pip installs.
    steps = [
        [str(base), "-m", "venv", "--clear", "--without-pip", str(place)],
        [sys.executable, "-m", "pip", "--python", str(place / "bin/python"), "install", "-q", *needs],
    ]
    for argv in steps:
        # A test's HOME is empty; pip's settings are in the real one.
        env = {**os.environ, "HOME": pwd.getpwuid(os.getuid()).pw_dir}
        done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise LabError(f"{' '.join(argv)}: {done.stderr[-1500:]}")
    libraries = next(place.glob("lib/python3*/site-packages"))
    (libraries / "x11fwd-checkout.pth").write_text(f"{CHECKOUT}\n", encoding="utf-8")
    (place / "done").touch()
