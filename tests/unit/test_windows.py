"""On a Python of native Windows everything that doctor loads can be loaded, and doctor runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CAPTURES = Path(__file__).parent / "facts/captures/windows"
PROGRAM = Path(__file__).parent / "windows_python.py"
MODULES = (
    "x11fwd.pipeline.doctor",
    "x11fwd.facts.local",
    "x11fwd.facts.remote",
    "x11fwd.facts.place",
    "x11fwd.transports.choose",
    "x11fwd.transports.paramiko_transport",
    "x11fwd.ui.report",
    "x11fwd.checks",
)


def windows(tmp_path: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    answers = tmp_path / "answers.json"
    version = (CAPTURES / "local-ssh-version.txt").read_text(encoding="utf-8")
    settings = (CAPTURES / "local-ssh-g.txt").read_text(encoding="utf-8")
    answers.write_text(json.dumps({"ssh -V": ["", version], "ssh -G localhost": [settings, ""]}))
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "USERPROFILE": str(tmp_path),
        "HOME": str(tmp_path),  # pathlib looks at it here, and at USERPROFILE on Windows
        "USERNAME": "ana",
        **environ,
    }
    return subprocess.run(
        [sys.executable, str(PROGRAM), str(answers), *words],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("module", MODULES)
def test_a_module_that_doctor_loads_needs_nothing_of_unix(module: str, tmp_path: Path) -> None:
    done = windows(tmp_path, "import", module)
    assert done.returncode == 0, done.stderr


def test_doctor_runs_on_windows_and_finds_what_is_wrong(tmp_path: Path) -> None:
    done = windows(tmp_path, "run", "doctor", "--json", DISPLAY=":0")
    document = json.loads(done.stdout)
    assert document["cause"] == "windows-unix-socket", done.stderr
    assert done.returncode == 1
    said = {one["id"]: one for one in document["findings"]}
    assert "OpenSSH_for_Windows_9.5" in said["local-ssh-missing"]["title"]
    assert not [one for one in document["findings"] if "itself failed" in one["title"]]


def test_doctor_on_windows_draws_its_report(tmp_path: Path) -> None:
    done = windows(tmp_path, "run", "doctor", DISPLAY="127.0.0.1:7")
    assert done.returncode == 1, done.stderr
    assert "does not answer" in done.stdout
