"""`x11fwd doctor` through the front door: options, JSON, what goes where."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.unit.checks.seen import bare
from tests.unit.golden import assert_golden
from x11fwd.cli import main
from x11fwd.errors import ConnectError
from x11fwd.target import SshOptions

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Scene

HERE = Path(__file__).parent
Captured = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("name", "words"),
    [("bare", ["ana@gpu1"]), ("healthy", ["ana@gpu1"]), ("here", [])],
)
def test_the_json_document_is_as_it_was_accepted(
    scene: Scene, capsys: Captured, name: str, words: list[str]
) -> None:
    if name == "bare":
        scene.seen = bare()
    main(["doctor", "--json", *words])
    text = re.sub(r'"seconds": [0-9.e-]+', '"seconds": 0.0', capsys.readouterr().out)
    assert_golden(HERE, f"doctor-{name}.json", text)


def test_the_document_has_exactly_the_keys_of_the_design(scene: Scene, capsys: Captured) -> None:
    scene.seen = bare()
    main(["doctor", "--json", "ana@gpu1"])
    document = json.loads(capsys.readouterr().out)
    assert list(document) == [
        "schema",
        "command",
        "target",
        "ok",
        "exit_code",
        "cause",
        "findings",
        "seconds",
    ]
    assert document["schema"] == "x11fwd.report/1"
    assert {frozenset(finding) for finding in document["findings"]} == {
        frozenset({"id", "side", "status", "title", "evidence", "cause", "fix"})
    }
    fixes = [finding["fix"] for finding in document["findings"] if finding["fix"]]
    assert {frozenset(fix) for fix in fixes} == {frozenset({"command", "by"})}


def test_only_reports_one_finding_with_its_evidence(scene: Scene, capsys: Captured) -> None:
    scene.seen = bare()
    assert main(["doctor", "--only", "remote-xauth-missing", "ana@gpu1"]) == 1
    out = capsys.readouterr().out
    assert "Cause: xauth is missing on gpu1" in out
    assert "sshd on gpu1" not in out


def test_only_a_symptom_still_names_its_cause(scene: Scene, capsys: Captured) -> None:
    scene.seen = bare()
    assert main(["doctor", "--json", "--only", "x11-request-refused", "ana@gpu1"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["cause"] == "sshd-x11forwarding-no"
    assert [finding["id"] for finding in document["findings"]] == ["x11-request-refused"]


def test_only_what_holds_is_success(scene: Scene, capsys: Captured) -> None:
    scene.seen = bare()
    assert main(["doctor", "--only", "home-read-only", "ana@gpu1"]) == 0
    assert capsys.readouterr().out.endswith(
        "\n\nOnly this was asked; `x11fwd doctor ana@gpu1` asks everything.\n"
    )


def test_only_never_promises_windows(scene: Scene, capsys: Captured) -> None:
    scene.seen = bare()
    assert main(["doctor", "--only", "home-read-only", "ana@gpu1"]) == 0
    assert "Windows will open" not in capsys.readouterr().out


def test_the_next_command_looks_at_the_same_python(scene: Scene, capsys: Captured) -> None:
    scene.seen = bare()
    main(["doctor", "--python", "/opt/my py", "ana@gpu1"])
    assert "\nNext: `x11fwd setup --python '/opt/my py' ana@gpu1`\n" in capsys.readouterr().out


def test_ssh_options_reach_the_target(scene: Scene) -> None:
    words = ["-p", "2222", "-i", "a", "-i", "b", "-J", "jump", "-F", "conf", "-l", "bob", "-o", "X=y"]
    main(["doctor", *words, "--transport", "openssh", "--python", "/opt/py", "gpu1"])
    assert scene.targets[0].options == SshOptions(
        port=2222, identity_files=("a", "b"), jump="jump", config_file="conf", login="bob", options=("X=y",)
    )
    assert scene.choices == ["openssh"]
    assert scene.pythons == ["/opt/py"]


def test_capital_p_is_a_port_too(scene: Scene) -> None:
    main(["doctor", "-P", "2222", "gpu1"])
    assert scene.targets[0].options.port == 2222


def test_without_a_target_nobody_connects(scene: Scene) -> None:
    assert main(["doctor"]) == 0
    assert scene.targets == []


def test_an_unknown_id_is_refused_before_anybody_connects(scene: Scene) -> None:
    assert main(["doctor", "--only", "nonsense", "gpu1"]) == 2
    assert scene.targets == []


def test_the_next_command_has_the_options_of_this_one(scene: Scene, capsys: Captured) -> None:
    main(["doctor", "-i", "my key", "ana@gpu1:2222"])
    assert capsys.readouterr().out.endswith("Next: `x11fwd ssh -i 'my key' -p 2222 ana@gpu1`\n")
    scene.seen = bare()
    main(["doctor", "-i", "my key", "ana@gpu1:2222"])
    assert capsys.readouterr().out.endswith("Next: `x11fwd setup -i 'my key' ana@gpu1:2222`\n")


def test_a_connection_that_fails_is_looked_at_with_ssh_itself(scene: Scene, capsys: Captured) -> None:
    scene.trouble = ConnectError("gpu1 port 2222: Connection refused")
    main(["doctor", "-p", "2222", "ana@gpu1"])
    assert capsys.readouterr().out.endswith("Next: `ssh -v -p 2222 ana@gpu1`\n")
