"""One test per exit code of DESIGN.md's table, through the front door."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.unit.checks.seen import bare
from x11fwd.cli import main
from x11fwd.errors import (
    AuthError,
    ChangeError,
    ConnectError,
    ConnectionLost,
    HostKeyError,
    Interrupted,
    ProbeError,
)

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Scene

Captured = pytest.CaptureFixture[str]


def test_0_all_is_well(scene: Scene, capsys: Captured) -> None:
    assert main(["doctor", "ana@gpu1"]) == 0
    out, err = capsys.readouterr()
    assert "Windows will open here" in out
    assert err == ""


def test_1_problems_were_found(scene: Scene, capsys: Captured) -> None:
    scene.seen = bare()
    assert main(["doctor", "ana@gpu1"]) == 1
    assert "Next: `x11fwd setup ana@gpu1`" in capsys.readouterr().out


def test_1_somebody_else_answers_on_the_remote(scene: Scene, capsys: Captured) -> None:
    scene.probe_trouble = ProbeError("gpu1 swallowed the command", hint="is there a ForceCommand?")
    assert main(["doctor", "ana@gpu1"]) == 1
    assert "Cause: gpu1 swallowed the command" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["doctor", "--nope"],
        ["bogus"],
        ["doctor", "one", "two"],
        ["doctor", "-p", "many", "gpu1"],
        ["doctor", "-p", "70000", "gpu1"],
        ["doctor", "--transport", "pigeon", "gpu1"],
        ["doctor", "--only", "no-such-check"],
        ["doctor", "-p"],
    ],
    ids=" ".join,
)
def test_2_what_was_typed_cannot_be_meant(scene: Scene, capsys: Captured, words: list[str]) -> None:
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert "\nhint: `x11fwd" in err


@pytest.mark.parametrize("target", ["-oProxyCommand=x", "a;b", "a b", "$(id)", "ana@", "", "ssh://"])
def test_2_a_target_that_could_be_something_else_is_refused(
    scene: Scene, capsys: Captured, target: str
) -> None:
    assert main(["doctor", "--", target]) == 2
    assert scene.targets == []


def test_2_a_wrong_file_of_settings_is_named_before_ssh_stumbles_over_it(
    scene: Scene, capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x11fwd").mkdir()
    (tmp_path / "x11fwd/config").write_text("Host gpu*\nVia pigeon\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert main(["doctor", "ana@gpu1"]) == 2
    assert "fig:2: Via is native, bridge or auto, not 'pigeon'" in "".join(
        line.strip() for line in capsys.readouterr().err.splitlines()
    )
    assert main(["doctor", "ana@other"]) == 2


@pytest.mark.parametrize("error", [ConnectError, AuthError, HostKeyError, ConnectionLost])
def test_3_no_connection_and_what_is_known_of_this_machine_is_still_said(
    scene: Scene, capsys: Captured, error: type[ConnectError]
) -> None:
    scene.trouble = error("gpu1 port 22: no", hint="type `ssh-keygen -R gpu1`")
    assert main(["doctor", "ana@gpu1"]) == 3
    out = capsys.readouterr().out
    assert "Cause: gpu1 port 22: no" in out
    assert "Xorg answers at :0" in out
    assert "Next: `ssh-keygen -R gpu1`" in out


def test_3_the_line_breaks_while_looking(scene: Scene, capsys: Captured) -> None:
    scene.probe_trouble = ConnectionLost("gpu1: the line went dead")
    assert main(["doctor", "ana@gpu1"]) == 3


def test_4_a_change_was_refused(scene: Scene, capsys: Captured) -> None:
    scene.trouble = ChangeError("sshd refused the file; it was taken back", hint="`sshd -t` says why")
    assert main(["doctor", "ana@gpu1"]) == 4
    assert capsys.readouterr().err == (
        "error: sshd refused the file; it was taken back\nhint: `sshd -t` says why\n"
    )


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), Interrupted()], ids=["Ctrl-C", "no was answered"])
def test_130_interrupted(scene: Scene, capsys: Captured, stop: BaseException) -> None:
    scene.trouble = stop
    assert main(["doctor", "ana@gpu1"]) == 130
    assert capsys.readouterr().err == "error: interrupted\n"


def test_a_bug_is_a_sentence_and_not_one_of_the_meant_exit_codes(scene: Scene, capsys: Captured) -> None:
    scene.trouble = ZeroDivisionError("division by zero")
    assert main(["doctor", "ana@gpu1"]) == 70
    err = capsys.readouterr().err
    assert err.startswith("error: x11fwd itself failed: ZeroDivisionError: division by zero\n")
    assert "Traceback" not in err


@pytest.mark.parametrize("words", [["--debug", "doctor", "gpu1"], ["doctor", "gpu1", "--debug"]])
def test_debug_raises_again(scene: Scene, words: list[str]) -> None:
    scene.trouble = ChangeError("no")
    with pytest.raises(ChangeError):
        main(words)


def test_debug_raises_a_bug_again(scene: Scene) -> None:
    scene.trouble = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        main(["--debug", "doctor", "gpu1"])


@pytest.mark.parametrize(
    "words", [["--help"], ["-h"], ["doctor", "--help"], ["--version"], ["ssh", "--help"]]
)
def test_0_help_and_version(capfd: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert main(words) == 0
    assert capfd.readouterr().out


def test_2_a_screenshot_that_has_no_place_is_said_before_anybody_connects(
    scene: Scene, capsys: Captured
) -> None:
    assert main(["verify", "--screenshot", "/nope/x.png", "gpu1"]) == 2
    assert capsys.readouterr().err == "error: /nope is no folder\n"
    assert scene.targets == []


def test_a_group_without_a_command_is_a_request_for_help(capsys: Captured) -> None:
    assert main(["playbook"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Usage: x11fwd playbook [OPTIONS] COMMAND")
    assert err == ""


def test_a_word_that_is_not_one_of_those_known_is_said_without_noise(capsys: Captured) -> None:
    assert main(["verify", "--via", "pigeon", "gpu1"]) == 2
    err = " ".join(capsys.readouterr().err.split())
    assert "error: invalid value for '--via': 'pigeon' is not one of 'auto', 'native', 'bridge'" in err


def test_nothing_typed_is_a_request_for_help(capsys: Captured) -> None:
    assert main([]) == 0
    assert "Usage: x11fwd" in capsys.readouterr().out


# --- --json: one document on stdout, the same exit code ----------------------------------------------


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (None, 0),
        (ConnectError("gone"), 3),
        (ChangeError("refused", hint="why"), 4),
        (KeyboardInterrupt(), 130),
        (ZeroDivisionError("oops"), 70),
    ],
    ids=["well", "no connection", "change", "interrupted", "bug"],
)
def test_json_is_one_document_whatever_happens(
    scene: Scene, capsys: Captured, trouble: BaseException | None, code: int
) -> None:
    scene.trouble = trouble
    assert main(["doctor", "--json", "ana@gpu1"]) == code
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert document["exit_code"] == code
    assert document["ok"] is (code == 0)
    assert err == ""


def test_json_of_a_usage_error(capsys: Captured) -> None:
    assert main(["doctor", "--json", "--nope"]) == 2
    out, err = capsys.readouterr()
    assert err == ""
    assert json.loads(out) == {
        "schema": "x11fwd.error/1",
        "command": "doctor",
        "ok": False,
        "exit_code": 2,
        "error": "no such option: --nope",
        "hint": "`x11fwd doctor --help` shows what can be typed",
    }


# --- a real process -----------------------------------------------------------------------------------


def x11fwd(*words: str) -> list[str]:
    return [sys.executable, "-m", "x11fwd", *words]


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    errors = tmp_path / "errors"
    with errors.open("wb") as log:
        done = subprocess.Popen(x11fwd("doctor", "--help"), stdout=subprocess.PIPE, stderr=log)
        assert done.stdout is not None
        done.stdout.close()
        done.wait(120)
    assert errors.read_text() == ""


def test_ascii_locales_never_end_in_a_traceback() -> None:
    environment = {"PATH": "/usr/bin:/bin", "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(x11fwd("doctor", "é\u2028"), capture_output=True, env=environment, check=False)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["doctor", "setup", "setup several", "undo"])
def test_ctrl_c_while_a_server_says_nothing_is_130_at_once(command: str) -> None:
    command, several, _ = command.partition(" ")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        words = [command, *(["--yes"] if command != "doctor" else []), "-p", str(silent.getsockname()[1])]
        process = subprocess.Popen(
            x11fwd(*words, "ana@127.0.0.1", *(["ben@127.0.0.1"] if several else [])),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        silent.settimeout(120)
        connection, _ = silent.accept()
        with connection:
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert errors.splitlines()[-1] == "error: interrupted"


INTERRUPTED = """\
import os, signal, sys
{trap}
from x11fwd.cli import main
sys.exit(main())
"""
IMPORTING = """\
class Trap:
    left = ["x11fwd.cli.door", "x11fwd.ui.message"]
    def find_spec(self, name, path=None, target=None):
        if name in self.left:
            self.left.remove(name)
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Trap())
"""
LEAVING = """\
import atexit
atexit.register(os.kill, os.getpid(), signal.SIGINT)
"""


def interrupted(trap: str, *words: str) -> subprocess.CompletedProcess[str]:
    program = INTERRUPTED.format(trap=trap)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(one for one in sys.path if one)}
    argv = [sys.executable, "-c", program, *words]
    return subprocess.run(argv, capture_output=True, text=True, env=environment, timeout=240, check=False)


def test_ctrl_c_before_it_can_be_heard_is_130() -> None:
    trap = IMPORTING.replace("x11fwd.cli.door", "x11fwd.cli.signals")
    ended = interrupted(trap, "explain", "--list")
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "error: interrupted\n")


def test_ctrl_c_while_the_program_loads_and_again_while_it_says_so_is_130() -> None:
    ended = interrupted(IMPORTING, "explain", "--list")
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "error: interrupted\n")
    ended = interrupted(IMPORTING, "explain", "--list", "--json")
    assert (ended.returncode, json.loads(ended.stdout)["exit_code"], ended.stderr) == (130, 130, "")


def test_ctrl_c_while_ssh_loads_ends_as_ssh_would() -> None:
    trap = IMPORTING.replace("x11fwd.cli.door", "x11fwd.pipeline.ssh_session")
    ended = interrupted(trap, "ssh", "gpu1")
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, "", "")


def test_ctrl_c_behind_the_answer_changes_nothing() -> None:
    ended = interrupted(LEAVING, "explain", "--list")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("words", [["explain", "--list"], ["explain", "--list", "--json"], ["--help"]])
def test_an_answer_that_cannot_be_written_is_a_sentence(words: list[str], buffered: bool) -> None:
    environment = {**os.environ, "PYTHONUNBUFFERED": "" if buffered else "1"}
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            x11fwd(*words), stdout=full, stderr=subprocess.PIPE, text=True, env=environment, check=False
        )
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    said = " ".join(done.stderr.split())
    assert said.endswith(": No space left on device hint: `df -h` shows which disk is full")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_nothing_to_stumble_over(closed: str) -> None:
    command = f'"$0" -m x11fwd explain --list {closed}'
    done = subprocess.run(["/bin/sh", "-c", command, sys.executable], capture_output=True, check=False)
    assert done.returncode == 0
    assert done.stderr == b""
    assert bool(done.stdout) is (closed == "2>&-")


def test_a_deleted_folder_is_a_sentence(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    command = f'cd "{gone}" && rmdir "{gone}" && exec "$0" -c "$1"'
    start = "import sys; from x11fwd.cli import main; sys.exit(main(['run', 'gpu1', '/s.py']))"
    script = ["/bin/sh", "-c", command, sys.executable, start]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(one for one in sys.path if one)}
    done = subprocess.run(script, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 2
    assert "error: the folder that you are in has been deleted\nhint: `cd` into another one" in done.stderr
