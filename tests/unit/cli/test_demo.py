"""`x11fwd demo` through the front door, with the pipeline replaced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.unit.golden import assert_golden
from x11fwd.cli import main
from x11fwd.pipeline import demo as demo_line
from x11fwd.pipeline.demo import DemoEvents, DemoOptions, DemoResult, DemoStep
from x11fwd.pipeline.demo_needs import Missing
from x11fwd.ui.prompt import TerminalPrompter

if TYPE_CHECKING:
    from collections.abc import Callable

    from x11fwd.transports.base import Prompter

HERE = Path(__file__).parent
Captured = pytest.CaptureFixture[str]

STEPS = (
    DemoStep("needs", "everything that is needed is here", ok=True),
    DemoStep("sandbox", "started an sshd with X11 off, and took the screen :0", ok=True),
    DemoStep(
        "doctor",
        "doctor found the cause: sshd on x11fwd-demo has X11 forwarding switched off",
        ok=True,
        detail="sshd_config:14: X11Forwarding no",
        command="x11fwd doctor HOST",
    ),
    DemoStep("setup", "Set X11Forwarding yes in sshd", ok=True, command="x11fwd setup HOST"),
)
MISSING = Missing(("Xvfb", "xauth"), ("xvfb", "xauth"), "sudo apt-get install xvfb xauth", "about 30 MB")


class Demo:
    """Stands for `run_demo`."""

    def __init__(self) -> None:
        self.steps: tuple[DemoStep, ...] = STEPS
        self.missing: Missing | None = None
        self.options: DemoOptions | None = None

    def __call__(
        self,
        options: DemoOptions,
        prompter: Prompter,
        events: DemoEvents,
        approve: Callable[[Missing], bool],
    ) -> DemoResult:
        self.options = options
        events.doing("looking at this machine")
        if self.missing and not approve(self.missing):
            return DemoResult((), self.missing)
        for step in self.steps:
            events.finished(step)
        return DemoResult(self.steps, seconds=6.1)


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Demo:
    made = Demo()
    monkeypatch.setattr(demo_line, "run_demo", made)
    monkeypatch.setattr(TerminalPrompter, "confirm", lambda *_args, **_more: None)
    return made


def test_each_step_is_told_with_what_to_type_on_a_real_server(line: Demo, capsys: Captured) -> None:
    assert main(["demo"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert_golden(HERE, "demo-well.txt", out)


def test_a_step_that_fails_is_told_with_what_was_seen(line: Demo, capsys: Captured) -> None:
    line.steps = (*STEPS, DemoStep("ssh", "x11fwd ssh failed", ok=False, detail="ssh: no\nroute"))
    assert main(["demo"]) == 1
    assert "✗ fail x11fwd ssh failed\n       ssh: no\n       route\n" in capsys.readouterr().out


def test_what_is_missing_is_named_with_its_command_and_not_installed_unasked(
    line: Demo, capsys: Captured
) -> None:
    line.missing = MISSING
    assert main(["demo"]) == 1
    out, err = capsys.readouterr()
    assert_golden(HERE, "demo-missing.txt", f"{out}--- stderr\n{err}")


def test_yes_installs_it(line: Demo, capsys: Captured) -> None:
    line.missing = MISSING
    assert main(["demo", "--yes"]) == 0


def test_json_is_one_document(line: Demo, capsys: Captured) -> None:
    assert main(["demo", "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    document = json.loads(out)
    assert document["schema"] == "x11fwd.demo/1"
    assert [step["id"] for step in document["steps"]] == ["needs", "sandbox", "doctor", "setup"]


def test_the_picture_goes_where_it_is_told(line: Demo) -> None:
    main(["demo", "--screenshot", "x.png"])
    assert line.options == DemoOptions(Path("x.png"))
