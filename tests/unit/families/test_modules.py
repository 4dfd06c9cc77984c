"""Environment modules: the list that Lmod and Environment Modules print, and which one really brings Tk."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from importlib import resources
from typing import TYPE_CHECKING

import pytest

from tests.unit.families.answers import FAMILIES, NONCE, planned, systems
from x11fwd.facts.answers import parse_answers
from x11fwd.playbook import load_playbook
from x11fwd.steps.planner import make_plan, questions
from x11fwd.steps.questions import Answers, CommandAnswer

if TYPE_CHECKING:
    from pathlib import Path

SYSTEMS = systems()
# captured on Debian 12: `sh -t avail` of lmod 8.6.19 and of environment-modules 5.2.0, both on standard error
LISTS = {
    "lmod": "/opt/modules:\\ngcc/\\ngcc/12\\nmatplotlib/3.4.2\\nmatplotlib/3.7.2-gfbf-2023a(default)\\n",
    "modulecmd.tcl": "/opt/modules:\\ngcc/12\\nmatplotlib/3.4.2\\nmatplotlib/3.7.2-gfbf-2023a(default)\\n",
}
PROGRAM = """#!/bin/sh
case $* in
*avail*) printf '{lines}' >&2 ;;
*3.7.2*) echo 'PYTHONPATH={folder}; export PYTHONPATH' ;;
*) echo 'false;' ;;
esac
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder that one module puts in front of Python's path: Tk and matplotlib are there."""
    (tmp_path / "tkinter").mkdir()
    for name in ("_tkinter.py", "tkinter/__init__.py", "tkinter/filedialog.py", "matplotlib.py"):
        (tmp_path / name).write_text("", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("name", LISTS)
def test_the_list_is_read_and_the_module_that_imports_is_named(name: str, site: Path) -> None:
    command = site / name
    command.write_text(PROGRAM.format(lines=LISTS[name], folder=site), encoding="utf-8")
    command.chmod(0o755)
    environment = {"PATH": os.environ["PATH"], "LMOD_CMD": str(command), "HOME": str(site)}
    probe = resources.files("x11fwd.facts") / "probe"
    text = "".join(
        (probe / piece).read_text(encoding="utf-8") for piece in ("10-answers.sh", "36-modules.sh")
    )
    shell = f"{text}\nx_timeout=yes; x_modules; printf '.%s\\n' {NONCE}"
    said = subprocess.run(["sh", "-c", shell], env=environment, capture_output=True, check=True).stdout
    modules = tuple((parse_answers(said, NONCE).text("modules") or "").split())
    assert modules == ("matplotlib/3.4.2", "matplotlib/3.7.2-gfbf-2023a")

    facts = replace(
        SYSTEMS["rocky-9"].facts(rights=""),
        modules=modules,
        login_environment={"LMOD_CMD": str(command), "MODULEPATH": "/opt/modules"},
    )
    book = load_playbook()
    asked = questions(book, FAMILIES, facts)
    (trial,) = [argv for argv in asked.commands if "modules" in argv[3:4]]
    ran = subprocess.run(trial, env=environment, capture_output=True, text=True, check=False)
    answers = dict.fromkeys(asked.commands, CommandAnswer(0))
    answers[trial] = CommandAnswer(ran.returncode, ran.stdout)
    plan = make_plan(book, FAMILIES, facts, answers=Answers(dict.fromkeys(asked.files), answers))
    assert any(
        "`module load matplotlib/3.7.2-gfbf-2023a` brings tkinter and matplotlib" in n for n in plan.notes
    )


def test_without_modules_nothing_is_asked() -> None:
    assert not any("module load" in note for note in planned(SYSTEMS["rocky-9"].facts(rights="")).notes)
