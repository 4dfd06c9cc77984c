"""`when`: true, false, and the third answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.unit.steps.remotes import bare, planned, ready, with_python, with_sshd
from x11fwd.facts.model import RemoteFacts, SystemFacts, Unknown, XauthFacts
from x11fwd.playbook import load_families, load_playbook
from x11fwd.steps.conditions import all_hold, numbers
from x11fwd.steps.planning import Planning, PlanOptions
from x11fwd.steps.questions import Answers

if TYPE_CHECKING:
    from pathlib import Path

TRUE = [
    "system.family is debian",
    "system.id is Debian",
    "system.version >= 12",
    "system.version >= 12.0",
    "system.version < 12.1",
    "system.kernel is Linux",
    "system.init is systemd",
    "user.name is ana",
    "user.root is no",
    "privilege.kind is sudo",
    "manager.name is apt",
    "sshd.version >= 8.2",
    "sshd.version <= 9.2",
    "sshd.version > 9.1.9",
    "xauth.path is missing",
    "xauth.path is not /usr/bin/xauth",
    "python.kind is system",
    "python.tkinter is missing",
    "python.version >= 3.11.2",
    "python.externally_managed is no",
    "matplotlib.version is present",
    "matplotlib.backend is missing",
    "x11.granted is no",
    "sshd.effective.x11forwarding is not yes",
    "sshd.effective.nosuchkeyword is missing",
]
FALSE = [
    "system.id is ubuntu",
    "sshd.version < 8.2",
    "xauth.path is present",
    "python.qt is PyQt5",
    "python.tkinter >= 8.6",
    "python.tkinter < 8.6",
    "sshd.effective.x11forwarding is yes",
]


def answer(text: list[str], host: RemoteFacts, tmp_path: Path) -> bool | Unknown:
    lines = "".join(f"      - {line}\n" for line in text)
    file = tmp_path / "mine.yml"
    file.write_text(
        "schema: x11fwd.playbook/1\nname: mine\ndescription: x\nsteps:\n"
        f"  - name: a\n    when:\n{lines}    packages: [xauth]\n",
        encoding="utf-8",
    )
    step = load_playbook(str(file)).steps[0]
    return all_hold(step.head.when, Planning(host, load_families(), PlanOptions(), Answers()))


@pytest.mark.parametrize("text", TRUE)
def test_it_holds(text: str, tmp_path: Path) -> None:
    assert answer([text], bare(), tmp_path) is True


@pytest.mark.parametrize("text", FALSE)
def test_it_does_not_hold(text: str, tmp_path: Path) -> None:
    assert answer([text], bare(), tmp_path) is False


def test_an_unknown_fact_is_neither_true_nor_false(tmp_path: Path) -> None:
    host = with_sshd(bare(), effective=Unknown("asking sshd needs root"))
    for text in "sshd.effective.x11forwarding is yes", "sshd.effective.x11forwarding is not yes":
        told = answer([text], host, tmp_path)
        assert isinstance(told, Unknown)
        assert "asking sshd needs root" in told.reason
        assert text in told.reason


def test_what_surely_does_not_hold_settles_it(tmp_path: Path) -> None:
    host = with_sshd(bare(), effective=Unknown("asking sshd needs root"))
    assert answer(["sshd.effective.x11forwarding is yes", "system.id is ubuntu"], host, tmp_path) is False


def test_a_step_that_cannot_be_decided_is_left_out_with_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "mine.yml"
    file.write_text(
        "schema: x11fwd.playbook/1\nname: mine\ndescription: x\nsteps:\n"
        "  - name: screen\n    when: [python.tkinter is missing]\n    packages: [xauth]\n",
        encoding="utf-8",
    )
    plan = planned(with_python(bare(), tkinter=Unknown("it hung")), str(file))
    assert plan.empty
    assert plan.warnings == (
        "`screen` is left out: `python.tkinter is missing` could not be decided (it hung)",
    )


def test_missing_matplotlib_has_the_version_of_its_package(tmp_path: Path) -> None:
    assert answer(["matplotlib.version < 3.5"], bare("11"), tmp_path) is True
    assert answer(["matplotlib.version >= 3.5"], bare("12"), tmp_path) is True


def test_nobody_asked_for_x11_is_unknown(tmp_path: Path) -> None:
    host = replace(ready(), x11=replace(ready().x11, granted=None))
    assert isinstance(answer(["x11.granted is yes"], host, tmp_path), Unknown)


def test_a_system_without_family_has_none(tmp_path: Path) -> None:
    host = replace(bare(), system=SystemFacts("Linux", os_id="plan9"), xauth=XauthFacts("/bin/xauth"))
    assert answer(["system.family is missing", "xauth.path is present"], host, tmp_path) is True


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("OpenSSH_9.2p1 Debian-2", (9, 2)), ("8.6.13", (8, 6, 13)), ("PyQt5 5.15.9", (5,)), ("none", None)],
)
def test_versions_are_read_out_of_texts(text: str, wanted: tuple[int, ...] | None) -> None:
    assert numbers(text) == wanted
