"""setup and undo of many hosts through the front door, with the line of each host replaced."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.unit.cli.test_setup import REPORTS, RESULTS, Line, line
from tests.unit.golden import assert_golden
from x11fwd.cli import main
from x11fwd.pipeline import undo as undo_line
from x11fwd.ui.prompt import TerminalPrompter

if TYPE_CHECKING:
    from x11fwd.pipeline.undo import UndoApprove, UndoEvents, UndoOptions, UndoReport
    from x11fwd.target import Target
    from x11fwd.transports.base import Prompter

HERE = Path(__file__).parent
Captured = pytest.CaptureFixture[str]
__all__ = ["line"]  # the fixture
FLEET = {
    "gpu1": "done",
    "gpu2": "already",
    "gpu3": "no-connection",
    "gpu4": "failed",
    "gpu5": "left",
    "gpu6": "done",
}


@pytest.fixture
def hosts(line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An inventory of six hosts; each has the result of FLEET."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    line.results = {name: RESULTS[result] for name, result in FLEET.items()}
    file = tmp_path / "lab.ini"
    file.write_text("[rack1]\ngpu[1:3]\n[rack2]\ngpu[4:6]\n[away]\nme ansible_connection=local\n")
    return file


def names(line: Line) -> list[str]:
    return [target.typed for target in line.targets]


def test_the_table_and_the_failures_read_as_they_were_accepted(hosts: Path, capsys: Captured) -> None:
    assert main(["setup", "--yes", "--inventory", "lab.ini", "--jobs", "1"]) == 3
    out, err = capsys.readouterr()
    out = out.replace(str(hosts.parent), "")
    assert_golden(HERE, "fleet-setup.txt", f"{out}--- stderr\n{err}")


def test_a_resumed_run_asks_only_who_was_not_done(line: Line, hosts: Path, capsys: Captured) -> None:
    main(["setup", "--yes", "--inventory", "lab.ini"])
    line.targets.clear()
    line.results = {}
    assert main(["setup", "--yes", "--inventory", str(hosts), "--resume"]) == 0
    assert sorted(names(line)) == ["gpu3", "gpu4", "gpu5"]
    assert re.search(r"6 of 6 hosts are done: 3 set up, 3 in the run of 20", capsys.readouterr().out)
    line.targets.clear()
    assert main(["setup", "--yes", "--inventory", "lab.ini", "--resume"]) == 0
    assert line.targets == []
    assert "6 of 6 hosts are done" in capsys.readouterr().out


def test_json_is_a_line_a_host_and_the_whole_at_the_end(hosts: Path, capsys: Captured) -> None:
    assert main(["setup", "--yes", "--json", "--inventory", "lab.ini", "--limit", "rack1"]) == 3
    out, err = capsys.readouterr()
    assert err == ""
    *each, whole = map(json.loads, out.splitlines())
    assert {(one["schema"], one["target"]) for one in each} == {
        ("x11fwd.setup-host/1", "gpu1"),
        ("x11fwd.setup-host/1", "gpu2"),
        ("x11fwd.setup-host/1", "gpu3"),
    }
    assert [one["target"] for one in whole["hosts"]] == ["gpu1", "gpu2", "gpu3"]
    assert (whole["schema"], whole["exit_code"], whole["skipped"]) == ("x11fwd.setup/1", 3, [])
    assert whole["hosts"][2]["error"]["message"] == "gpu1 port 22: Connection refused"


def test_several_targets_are_a_fleet_too_and_none_is_done_twice(
    line: Line, hosts: Path, capsys: Captured
) -> None:
    assert main(["setup", "--yes", "gpu1", "gpu3", "gpu1"]) == 3
    assert sorted(names(line)) == ["gpu1", "gpu3"]
    out = capsys.readouterr().out
    assert "1 of 2 hosts are done" in out
    assert "`x11fwd setup --resume --yes gpu1 gpu3 gpu1`" in out
    assert main(["setup", "--yes", "gpu1", "gpu3", "--limit", "!gpu3"]) == 0


@pytest.mark.parametrize(("answer", "asked"), [("all", 2), ("yes", 3)])
def test_one_answer_may_stand_for_all_that_need_the_same(
    line: Line, hosts: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch, answer: str, asked: int
) -> None:
    questions = []

    def confirm(self: TerminalPrompter, question: str) -> str:
        questions.append(question)
        return answer

    monkeypatch.setattr(TerminalPrompter, "confirm_for_all", confirm)
    line.results["gpu2"] = RESULTS["left"]
    assert main(["setup", "gpu1", "gpu2", "gpu6", "--jobs", "1"]) == 1
    assert len(questions) == asked
    assert questions[0] == "Change gpu1 like this?"
    assert "gpu1: 3 changes, 2 of them as root" in capsys.readouterr().out


def test_nobody_to_ask_ends_all_with_the_way_out(
    hosts: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TerminalPrompter, "confirm_for_all", lambda *_: None)
    assert main(["setup", "--inventory", "lab.ini", "--limit", "gpu1"]) == 2
    assert "hint: `--yes` goes on without asking" in capsys.readouterr().err


def test_a_dry_run_shows_each_plan_once_and_keeps_no_record(
    line: Line, hosts: Path, capsys: Captured
) -> None:
    line.results = dict.fromkeys(FLEET, RESULTS["planned"])
    assert main(["setup", "--dry-run", "--inventory", "lab.ini"]) == 0
    out = capsys.readouterr().out
    assert out.count("3 changes, 2 of them as root") == 1
    assert "gpu1, gpu2, gpu3, gpu4 and 2 more: 3 changes" in out
    assert not (hosts.parent / "state").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "no host is named"),
        (["--inventory", "lab.ini", "gpu1"], "TARGETs and `--inventory` both name hosts"),
        (["--inventory", "lab.ini", "--limit", "gpu9"], "`--limit` names `gpu9`"),
        (["--inventory", "lab.ini", "--limit", "away"], "none of the hosts of lab.ini is reached by ssh"),
        (["--inventory", "none.ini"], "the inventory none.ini cannot be read: no such file"),
        (["--inventory", "lab.ini", "--ask-become-pass"], "there is no terminal to ask on"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(
    hosts: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.setattr(TerminalPrompter, "secret", lambda *_: None)
    assert main(["setup", "--yes", *words]) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_undo_of_many(hosts: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    results = {"gpu1": "done", "gpu2": "nothing", "gpu3": "failed", "gpu4": "left"}

    def undone(
        target: Target, options: UndoOptions, prompter: Prompter, events: UndoEvents, approve: UndoApprove
    ) -> UndoReport:
        report = replace(REPORTS[results[target.typed]], target=target.typed)
        if report.plan.entries:
            assert approve(target.typed, report.plan).go
        return report

    monkeypatch.setattr(undo_line, "run_undo", undone)
    words = ["undo", "--yes", "--inventory", "lab.ini", "--limit", "gpu1,gpu2,gpu3,gpu4", "--jobs", "1"]
    assert main(words) == 4
    out, err = capsys.readouterr()
    assert_golden(HERE, "fleet-undo.txt", f"{out}--- stderr\n{err}")
