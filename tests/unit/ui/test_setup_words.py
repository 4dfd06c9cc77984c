"""What a person reads after setup, where not everything could be done."""

from __future__ import annotations

import io

import pytest

from tests.unit.checks.seen import bare
from x11fwd.checks import diagnose, root_cause
from x11fwd.checks.check import Aim
from x11fwd.checks.report import Report
from x11fwd.pipeline.setup import SetupStatus
from x11fwd.pipeline.setup_model import SetupResult
from x11fwd.pipeline.verify import VerifyResult
from x11fwd.ui.console import answer_console
from x11fwd.ui.setup import show_setup


@pytest.mark.parametrize("note", ["", "Subject: X11 forwarding\n"])
def test_setup_is_not_the_next_command_after_a_setup_that_needs_an_administrator(note: str) -> None:
    findings = diagnose(bare())
    report = Report("verify", "ana@gpu1", findings, root_cause(findings), 1, 0.5)
    out = io.StringIO()
    result = SetupResult("ana@gpu1", SetupStatus.LEFT, note=note, verification=report)
    show_setup(
        result,
        answer_console(out),
        answer_console(out),
        aim=Aim("ana@gpu1", "ana@gpu1"),
        proof=VerifyResult(report),
    )
    assert ("Next: `x11fwd setup ana@gpu1`" in out.getvalue()) is not bool(note)
    assert ("Next: `x11fwd doctor -v ana@gpu1` shows what was seen" in out.getvalue()) is bool(note)
