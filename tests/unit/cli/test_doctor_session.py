"""`x11fwd doctor` without a target, in a session of ssh: JSON, table, what goes where."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.unit.checks.test_session import BASH, SSHD, SUDO, inside
from tests.unit.golden import assert_golden
from x11fwd.cli import main
from x11fwd.errors import ProbeError
from x11fwd.facts.place_ancestors import Process

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Scene
    from x11fwd.checks.check import Seen

HERE = Path(__file__).parent
ONLY = ("--only", "ssh-connection", "--only", "sudo-loses-cookie", "--only", "remote-display-dead")
Captured = pytest.CaptureFixture[str]


def put(scene: Scene, seen: Seen) -> None:
    scene.seen = seen
    assert seen.there.place is not None
    scene.place = seen.there.place


@pytest.fixture
def sudo(scene: Scene) -> Scene:
    put(scene, inside(*SUDO, shake="the connection was closed", start="localhost:11.0", uid=0))
    return scene


def test_the_json_document_is_as_it_was_accepted(sudo: Scene, capsys: Captured) -> None:
    assert main(["doctor", "--json", *ONLY]) == 1
    text = re.sub(r'"seconds": [0-9.e-]+', '"seconds": 0.0', capsys.readouterr().out)
    assert_golden(HERE, "doctor-session.json", text)


def test_only_the_connection_and_the_remote_are_judged(sudo: Scene, capsys: Captured) -> None:
    main(["doctor", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert (document["target"], document["cause"]) == (None, "sudo-loses-cookie")
    assert {one["side"] for one in document["findings"]} == {"link", "remote"}


def test_the_table_says_that_it_is_about_this_session(sudo: Scene, capsys: Captured) -> None:
    main(["doctor", *ONLY])
    assert_golden(HERE, "doctor-session.txt", capsys.readouterr().out)


def test_nobody_connects_and_a_named_interpreter_is_looked_at(sudo: Scene) -> None:
    main(["doctor", "--python", "/opt/py"])
    assert (sudo.targets, sudo.pythons) == ([], ["/opt/py"])


def test_with_a_target_the_session_is_this_machine(sudo: Scene, capsys: Captured) -> None:
    main(["doctor", "ana@gpu1"])
    assert len(sudo.targets) == 1
    assert "this session" not in capsys.readouterr().out.lower()


def test_a_session_that_works_says_where_its_windows_open(scene: Scene, capsys: Captured) -> None:
    put(scene, inside(BASH, *SSHD, shake="ok", start="localhost:11.0"))
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.endswith(
        "Windows of this session will open on the screen that you came from.\n"
    )


def test_what_has_to_be_typed_elsewhere_says_so(scene: Scene, capsys: Captured) -> None:
    put(scene, inside(BASH, Process(40, "mosh-server", "mosh", 1000), display=""))
    assert main(["doctor"]) == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("Next, where the screen is: `")


def test_a_probe_that_ends_early_is_a_finding(sudo: Scene, capsys: Captured) -> None:
    sudo.probe_trouble = ProbeError("the answer ended early")
    assert main(["doctor", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["cause"] == "probe-unanswered"
