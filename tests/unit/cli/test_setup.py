"""`x11fwd setup`, `undo` and `verify` through the front door, with the pipelines replaced."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.unit.checks.seen import bare, healthy, healthy_remote
from tests.unit.golden import assert_golden
from tests.unit.ui.test_plan import PACKAGES, PLANS, RC, SSHD
from x11fwd.checks import diagnose, root_cause
from x11fwd.checks.report import Report
from x11fwd.cli import main
from x11fwd.errors import ChangeError, ConnectError
from x11fwd.pipeline import setup as setup_line
from x11fwd.pipeline import undo as undo_line
from x11fwd.pipeline import verify as verify_line
from x11fwd.pipeline.setup import Approve, Events, SetupOptions, SetupResult, SetupStatus, Verify
from x11fwd.pipeline.undo import (
    UndoApprove,
    UndoEvents,
    UndoOptions,
    UndoPlan,
    UndoReport,
    UndoStatus,
)
from x11fwd.pipeline.verify import VerifyOptions, VerifyResult
from x11fwd.steps.engine import UndoOutcome, UndoResult
from x11fwd.steps.journal import Entry, EntryKind, Now
from x11fwd.steps.plan import ChangeResult, Outcome
from x11fwd.ui.prompt import TerminalPrompter

if TYPE_CHECKING:
    from collections.abc import Callable

    from x11fwd.pipeline.doctor import Means
    from x11fwd.playbook import Playbook
    from x11fwd.target import Target
    from x11fwd.transports.base import Prompter

HERE = Path(__file__).parent
Captured = pytest.CaptureFixture[str]

DONE = (
    ChangeResult("packages-system", Outcome.DONE),
    ChangeResult("sshd-x11forwarding", Outcome.DONE),
    ChangeResult("matplotlibrc", Outcome.UNCHANGED),
)
RESULTS = {
    "done": SetupResult("ana@gpu1", SetupStatus.DONE, PLANS["all"], DONE, seconds=3.0),
    "already": SetupResult("ana@gpu1", SetupStatus.ALREADY, PLANS["nothing"], seconds=1.0),
    "declined": SetupResult("ana@gpu1", SetupStatus.DECLINED, PLANS["all"]),
    "planned": SetupResult("ana@gpu1", SetupStatus.PLANNED, PLANS["all"]),
    "left": SetupResult(
        "ana@gpu1",
        SetupStatus.LEFT,
        PLANS["no-root"],
        (ChangeResult("matplotlibrc", Outcome.DONE),),
        note="Subject: X11 forwarding\n\nHello,\n\n    apt-get install xauth\n",
    ),
    "failed": SetupResult(
        "ana@gpu1",
        SetupStatus.FAILED,
        PLANS["all"],
        (
            DONE[0],
            ChangeResult("sshd-x11forwarding", Outcome.FAILED, "line 7: Bad configuration option: X11"),
        ),
        error=ChangeError("sshd on gpu1 did not accept the file; it was taken back", hint="mend line 7"),
    ),
    "no-connection": SetupResult(
        "ana@gpu1",
        SetupStatus.FAILED,
        error=ConnectError("gpu1 port 22: Connection refused", hint="is sshd running there?"),
    ),
}


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    made = Line()
    monkeypatch.setattr(setup_line, "run_setup", made)
    return made


class Line:
    """Stands for `run_setup`: shows the host's plan, asks, and gives the result that was prepared."""

    def __init__(self) -> None:
        self.results: dict[str, SetupResult] = {}
        self.targets: list[Target] = []
        self.options: SetupOptions | None = None
        self.verify: Verify | None = None

    def __call__(
        self,
        target: Target,
        options: SetupOptions,
        prompter: Prompter,
        events: Events,
        approve: Approve,
        *,
        verify: Verify | None = None,
        means: Means | None = None,
        playbook: Playbook | None = None,
    ) -> SetupResult:
        self.targets.append(target)
        self.options, self.verify = options, verify
        result = replace(self.results.get(target.typed, RESULTS["done"]), target=target.typed)
        events.doing(f"connecting to {target.host}")
        if result.plan and not result.plan.empty:
            events.planned(result.plan, healthy_remote())
            if not options.dry_run and result.plan.changes and not approve(target.typed, result.plan):
                return replace(RESULTS["declined"], target=target.typed)
        return result


@pytest.mark.parametrize("name", [name for name in RESULTS if name != "declined"])
def test_the_answer_reads_as_it_was_accepted(line: Line, capsys: Captured, name: str) -> None:
    line.results["ana@gpu1"] = RESULTS[name]
    words = ["--dry-run"] if name == "planned" else ["--yes"]
    assert main(["setup", *words, "ana@gpu1"]) == RESULTS[name].exit_code
    out, err = capsys.readouterr()
    assert_golden(HERE, f"setup-{name}.txt", f"{out}--- stderr\n{err}")


@pytest.mark.parametrize("name", ["done", "failed", "left"])
def test_the_document_is_as_it_was_accepted(line: Line, capsys: Captured, name: str) -> None:
    line.results["ana@gpu1"] = RESULTS[name]
    code = main(["setup", "--yes", "--json", "ana@gpu1"])
    out, err = capsys.readouterr()
    assert err == ""
    document = json.loads(out)
    assert document["exit_code"] == code
    assert_golden(HERE, f"setup-{name}.json", re.sub(r'"seconds": [0-9.]+', '"seconds": 0.0', out))


@pytest.mark.parametrize(("answer", "code"), [(True, 0), (False, 1)])
def test_the_plan_is_shown_before_the_question(
    line: Line, capsys: Captured, monkeypatch: pytest.MonkeyPatch, answer: bool, code: int
) -> None:
    asked = []

    def confirm(self: TerminalPrompter, question: str, *, default: bool = False) -> bool:
        asked.append((question, capsys.readouterr().out))
        return answer

    monkeypatch.setattr(TerminalPrompter, "confirm", confirm)
    assert main(["setup", "ana@gpu1"]) == code
    (question, shown), *more = asked
    assert question == "Change ana@gpu1 like this?"
    assert "ana@gpu1: 3 changes, 2 of them as root" in shown
    assert more == []


def test_nobody_to_ask_is_a_usage_error_with_the_way_out(
    line: Line, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TerminalPrompter, "confirm", lambda *_args, **_more: None)
    assert main(["setup", "ana@gpu1"]) == 2
    assert "hint: `--yes` goes on without asking" in capsys.readouterr().err


def test_every_option_reaches_the_pipeline(line: Line) -> None:
    words = ["--only-me", "--playbook", "qt", "--backend", "QtAgg", "--sshd-config", "/x", "--python", "/py"]
    main(["setup", "--dry-run", "--no-verify", *words, "--transport", "openssh", "gpu1"])
    assert line.options == SetupOptions(
        transport="openssh",
        python="/py",
        playbook="qt",
        backend="QtAgg",
        only_me=True,
        sshd_config="/x",
        dry_run=True,
    )
    assert line.verify is None


def test_setup_ends_with_a_proof_unless_told_otherwise(line: Line) -> None:
    main(["setup", "--yes", "gpu1"])
    assert line.verify is not None


def test_a_plan_for_a_dry_run_as_json_is_the_document_alone(line: Line, capsys: Captured) -> None:
    line.results["gpu1"] = RESULTS["planned"]
    assert main(["setup", "--dry-run", "--json", "gpu1"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert [one["id"] for one in json.loads(out)["hosts"][0]["changes"]] == [
        PACKAGES.id,
        SSHD.id,
        RC.id,
    ]


# --- undo ---------------------------------------------------------------------------------------------


SSHD_ENTRY = Entry(
    "0002-sshd",
    as_root=True,
    kind=EntryKind.SSHD,
    state="done",
    title="Allow X11 forwarding in sshd",
    path="/etc/ssh/sshd_config.d/00-x11fwd.conf",
    created=True,
    now=Now.OURS,
)
PACKAGE_ENTRY = Entry(
    "0001-packages",
    as_root=True,
    kind=EntryKind.PACKAGES,
    state="done",
    title="Install xauth and python3-tk",
    added=("xauth", "libxmuu1", "python3-tk", "tk8.6-blt2.5", "libtk8.6", "blt"),
)
FOREIGN_ENTRY = Entry(
    "0003-write",
    as_root=False,
    kind=EntryKind.WRITE,
    state="done",
    title="Let matplotlib open windows",
    path="/home/ana/.config/matplotlib/matplotlibrc",
    now=Now.FOREIGN,
    difference=("-backend: TkAgg", "+backend: QtAgg"),
)
UNDO_PLAN = UndoPlan((SSHD_ENTRY, PACKAGE_ENTRY), (FOREIGN_ENTRY,))
UNDONE = (
    UndoResult(SSHD_ENTRY, UndoOutcome.UNDONE),
    UndoResult(PACKAGE_ENTRY, UndoOutcome.UNDONE, kept=("libtk8.6",)),
)
REPORTS = {
    "done": UndoReport("ana@gpu1", UndoStatus.DONE, UndoPlan(UNDO_PLAN.entries), UNDONE),
    "left": UndoReport("ana@gpu1", UndoStatus.LEFT, UNDO_PLAN, UNDONE),
    "nothing": UndoReport("ana@gpu1", UndoStatus.NOTHING),
    "planned": UndoReport("ana@gpu1", UndoStatus.PLANNED, UNDO_PLAN),
    "failed": UndoReport(
        "ana@gpu1",
        UndoStatus.FAILED,
        UNDO_PLAN,
        UNDONE[:1],
        error=ChangeError(
            "apt-get on gpu1 failed: E: dpkg was interrupted", hint="`sudo dpkg --configure -a`"
        ),
    ),
}


class Undone:
    """Stands for `run_undo`."""

    def __init__(self) -> None:
        self.report = REPORTS["done"]
        self.options: UndoOptions | None = None
        self.removed: bool | None = None

    def __call__(
        self,
        target: Target,
        options: UndoOptions,
        prompter: Prompter,
        events: UndoEvents,
        approve: UndoApprove,
    ) -> UndoReport:
        self.options = options
        events.doing(f"connecting to {target.host}")
        if self.report.plan.entries and not options.dry_run:
            answer = approve(target.typed, self.report.plan)
            self.removed = answer.remove_packages
            if not answer.go:
                return UndoReport(target.typed, UndoStatus.DECLINED, self.report.plan)
        return self.report


@pytest.fixture
def undone(monkeypatch: pytest.MonkeyPatch) -> Undone:
    made = Undone()
    monkeypatch.setattr(undo_line, "run_undo", made)
    return made


@pytest.mark.parametrize("name", REPORTS)
def test_undo_reads_as_it_was_accepted(undone: Undone, capsys: Captured, name: str) -> None:
    undone.report = REPORTS[name]
    words = ["--dry-run"] if name == "planned" else ["--yes"]
    assert main(["undo", *words, "ana@gpu1"]) == REPORTS[name].exit_code
    out, err = capsys.readouterr()
    assert_golden(HERE, f"undo-{name}.txt", f"{out}--- stderr\n{err}")


def test_undo_as_json(undone: Undone, capsys: Captured) -> None:
    undone.report = REPORTS["left"]
    assert main(["undo", "--yes", "--json", "ana@gpu1"]) == 1
    out, err = capsys.readouterr()
    assert err == ""
    assert_golden(HERE, "undo-left.json", out)


@pytest.mark.parametrize("remove", [True, False])
def test_packages_are_asked_for_on_their_own(
    undone: Undone, capsys: Captured, monkeypatch: pytest.MonkeyPatch, remove: bool
) -> None:
    asked = []

    def confirm(self: TerminalPrompter, question: str, *, default: bool = False) -> bool:
        asked.append(question)
        return remove if "packages" in question else True

    monkeypatch.setattr(TerminalPrompter, "confirm", confirm)
    assert main(["undo", "ana@gpu1"]) == 0
    assert asked == ["Take this back on ana@gpu1?", "Remove the packages too?"]
    assert undone.removed is remove


def test_keep_packages_does_not_ask_for_them(
    undone: Undone, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TerminalPrompter, "confirm", lambda *_args, **_more: True)
    assert main(["undo", "--keep-packages", "ana@gpu1"]) == 0
    assert undone.options is not None
    assert undone.options.keep_packages


# --- verify -------------------------------------------------------------------------------------------


def verified(ok: bool) -> VerifyResult:
    findings = diagnose(healthy() if ok else bare())
    report = Report("verify", "ana@gpu1", findings, root_cause(findings), 0 if ok else 1, 2.0)
    return VerifyResult(
        report,
        backend="TkAgg" if ok else "",
        version="3.6.3",
        display="localhost:10.0",
        round_trip=0.0123,
        seconds=0.84,
        forwarding="untrusted: the X server has SECURITY",
    )


@pytest.mark.parametrize("ok", [True, False])
def test_verify_reads_as_it_was_accepted(capsys: Captured, monkeypatch: pytest.MonkeyPatch, ok: bool) -> None:
    seen: list[VerifyOptions] = []

    def run(target: Target, options: VerifyOptions, *_more: object, **_named: object) -> VerifyResult:
        seen.append(options)
        return verified(ok)

    monkeypatch.setattr(verify_line, "run_verify", run)
    assert main(["verify", "--screenshot", "x.png", "ana@gpu1"]) == (0 if ok else 1)
    out, err = capsys.readouterr()
    assert err == ""
    assert_golden(HERE, f"verify-{'ok' if ok else 'fail'}.txt", out)
    assert seen == [VerifyOptions(screenshot=Path("x.png"))]


def test_verify_as_json_has_the_report_and_what_was_measured(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify_line, "run_verify", lambda *_args, **_named: verified(True))
    assert main(["verify", "--json", "ana@gpu1"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "x11fwd.report/1"
    assert document["plot"] == {
        "backend": "TkAgg",
        "matplotlib": "3.6.3",
        "display": "localhost:10.0",
        "via": "native",
        "forwarding": "untrusted: the X server has SECURITY",
        "round_trip_seconds": 0.0123,
        "window_seconds": 0.84,
        "screenshot": None,
        "warnings": [],
    }


def test_with_keep_the_answer_is_given_once_while_the_window_is_open(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*_args: object, shown: Callable[[VerifyResult], None], **_named: object) -> VerifyResult:
        shown(verified(True))
        assert "a plot from gpu1 arrived" in capsys.readouterr().out
        return verified(True)

    monkeypatch.setattr(verify_line, "run_verify", run)
    assert main(["verify", "--keep", "ana@gpu1"]) == 0
    assert capsys.readouterr().out == ""
