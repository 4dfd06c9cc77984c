"""How `doctor --fix` reads: the plan with what is wrong, and what came of it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from tests.unit.golden import assert_golden
from x11fwd.checks.check import Aim
from x11fwd.checks.report import Finding, Report, Side, Status
from x11fwd.errors import ChangeError
from x11fwd.pipeline.fix import PLAYBOOK, FixPlan, FixReport, FixStatus
from x11fwd.steps.plan import Change, ChangeResult, DiffLine, Outcome, Plan, RunCommand, WriteFile
from x11fwd.ui.fix import show_fix, show_fix_plan

HERE = Path(__file__).parent
AIM = Aim("-p 2222 ana@gpu1", "-p 2222 ana@gpu1")
GUARD = Change(
    "cure-bashrc",
    "Guard DISPLAY in ~/.bashrc: not in a session of ssh",
    WriteFile("/home/ana/.bashrc", b"x", None),
    become=False,
    diff=(
        DiffLine("@", "/home/ana/.bashrc"),
        DiffLine("+", 'if [ -z "${SSH_CONNECTION:-}" ]; then'),
        DiffLine(" ", "export DISPLAY=:0"),
        DiffLine("+", "fi"),
    ),
)
LOCK = Change(
    "cure-lock",
    "Remove the stale lock of the authority file",
    RunCommand(("true",), ("true",), ()),
    become=False,
    diff=(DiffLine(" ", "rm /home/ana/.Xauthority-c"),),
    note="no program xauth runs",
)
WRONG = (
    Finding("one", Side.REMOTE, Status.FAIL, "a login file on gpu1 sets DISPLAY=:0", "/home/ana/.bashrc:2"),
    Finding("two", Side.LOCAL, Status.WARN, "other accounts can read your cookie"),
)
PLAN = FixPlan(
    WRONG,
    ("one", "two"),
    Plan(PLAYBOOK, (LOCK,)),
    Plan(PLAYBOOK, (GUARD,), warnings=("~/.profile:28 is left alone: it is `odd`",)),
)
BEFORE = Report("doctor", "gpu1", WRONG, "one", 1, 0.1)
AFTER = Report("doctor", "gpu1", (), None, 0, 0.1)
DONE = (
    ChangeResult("cure-lock", Outcome.DONE),
    ChangeResult("cure-bashrc", Outcome.DONE, journal=("0001-write",)),
)
REPORTS = {
    "well": FixReport("gpu1", FixStatus.WELL, AFTER),
    "beyond": FixReport("gpu1", FixStatus.BEYOND, BEFORE),
    "declined": FixReport("gpu1", FixStatus.DECLINED, BEFORE, PLAN),
    "cured": FixReport("gpu1", FixStatus.DONE, BEFORE, PLAN, AFTER, DONE, took=("one", "two")),
    "left": FixReport("gpu1", FixStatus.DONE, BEFORE, PLAN, BEFORE, DONE, took=("two",), left=("one",)),
    "later": FixReport(None, FixStatus.DONE, BEFORE, PLAN, BEFORE, DONE, later=("one",), session_on="gpu1"),
    "refused": FixReport(
        "gpu1",
        FixStatus.DONE,
        BEFORE,
        PLAN,
        BEFORE,
        (DONE[0], ChangeResult("cure-bashrc", Outcome.FAILED, "it was changed by somebody else")),
        left=("one", "two"),
        error=ChangeError("it was changed by somebody else", hint="run the command again"),
    ),
}


def drawn() -> Console:
    return Console(file=io.StringIO(), width=80, color_system=None, force_terminal=False, highlight=False)


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return "".join(f"{line.rstrip()}\n" for line in console.file.getvalue().splitlines())


def test_the_plan_reads_as_it_was_accepted() -> None:
    console = drawn()
    show_fix_plan(PLAN, console, host="gpu1")
    assert_golden(HERE, "fix-plan.txt", text_of(console))


@pytest.mark.parametrize("name", REPORTS)
def test_the_end_reads_as_it_was_accepted(name: str) -> None:
    answers, messages = drawn(), drawn()
    report = REPORTS[name]
    show_fix(report, answers, messages, host="gpu1", aim=AIM if report.target else None)
    assert_golden(HERE, f"fix-{name}.txt", text_of(answers) + text_of(messages))
    assert all(len(line) <= 80 for line in text_of(answers).splitlines())
