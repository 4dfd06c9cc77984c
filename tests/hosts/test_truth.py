"""The truth table: each failure injected for real is named by doctor as just that, and gone when cured."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.hosts.conftest import OPEN_SCREENS, TRUTH
from tests.hosts.truth import rows
from tests.hosts.truth.rig import Scene

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

    from tests.hosts.truth.rig import Fault


def marks(section: str, fault: Fault) -> list[pytest.MarkDecorator]:
    found = [pytest.mark.xfail(reason=fault.pending, strict=True)] if fault.pending else []
    if section == "desktop" or fault.id == "tmux-number-reused":
        found.append(OPEN_SCREENS)
    return found


def params() -> list[object]:
    return [
        pytest.param(section, fault, id=fault.name, marks=marks(section, fault)) for section, fault in rows()
    ]


@pytest.mark.parametrize(("section", "fault"), params())
def test_doctor_names_the_fault_and_is_clean_after_the_cure(
    lab: ExitStack, record_property: Callable[[str, object], None], section: str, fault: Fault
) -> None:
    record_property(TRUTH, json.dumps([section, fault.name]))
    with Scene(fault.stage) as scene:
        fault.inject(scene)
        fault.judge(fault.ask(scene))
        fault.heal(scene)
        healed = fault.ask_cured(scene)
        healed.assert_clean()
        if fault.kind == "note":
            assert not fault.is_said(healed), f"still said: {healed.finding(fault.id)}"
