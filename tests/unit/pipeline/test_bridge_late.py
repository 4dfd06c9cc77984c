"""A display that comes too late for the session that waited for it: nobody loses the session."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from x11fwd.bridge.session.memory import Known
from x11fwd.pipeline.ssh import bridge_command as command
from x11fwd.pipeline.ssh import bridge_route
from x11fwd.pipeline.ssh.bridge_session import Verdict
from x11fwd.pipeline.ssh.command_line import CommandLine

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "cd" * 16
READY = "ready /run/m\tlocalhost:12.0\t/a file"


def run(text: str, runtime: Path) -> subprocess.CompletedProcess[bytes]:
    found = {"PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "XDG_RUNTIME_DIR": str(runtime)}
    return subprocess.run(["sh", "-c", text], env=found, capture_output=True, check=False, timeout=90)


def impatient(meeting: str) -> str:
    waits = f"x_wait {command.PATIENCE}"
    assert meeting.count(waits) == 1
    return meeting.replace(waits, "x_wait 0")


def test_the_command_runs_once_with_the_display_that_was_late(tmp_path: Path) -> None:
    first = command.wrapped(impatient(command.meeting(TOKEN, strict=True)), "echo ran")
    ended = run(first, tmp_path)
    assert (ended.returncode, ended.stdout) == (command.NO_DISPLAY, b"")

    second = command.wrapped(
        command.again(TOKEN, "localhost:12.0", "/a file"), "echo $DISPLAY $XAUTHORITY; exit 7"
    )
    ended = run(second, tmp_path)
    assert (ended.returncode, ended.stdout) == (7, b"localhost:12.0 /a file\n")
    assert run(second, tmp_path).returncode == command.NO_DISPLAY
    assert list((tmp_path / f"x11fwd-{os.getuid()}").iterdir()) == []


def test_a_command_that_has_run_is_not_run_again(tmp_path: Path) -> None:
    second = command.wrapped(command.again(TOKEN, "localhost:12.0", "/a file"), "echo ran")
    ended = run(second, tmp_path)
    assert (ended.returncode, ended.stdout, ended.stderr) == (command.NO_DISPLAY, b"", b"")


def test_a_session_that_goes_on_without_a_display_says_so(tmp_path: Path) -> None:
    text = command.wrapped(impatient(command.meeting(TOKEN, strict=False)), "echo ran")
    ended = run(text, tmp_path)
    assert ended.stdout == b"ran\n"
    assert ended.stderr.decode() == (
        f"x11fwd: no display came within {command.PATIENCE} s; no window can open in this session\n"
    )
    mute = command.wrapped(impatient(command.meeting(TOKEN, strict=False, mute=True)), "echo ran")
    ended = run(mute, tmp_path)
    assert (ended.stdout, ended.stderr) == (b"ran\n", b"")


class Front:
    """A session whose display was announced while its ssh ended."""

    stopped = 0
    lost = False

    def __init__(self) -> None:
        self.verdict = Verdict(READY)

    def wait_for_verdict(self, seconds: float) -> Verdict:
        return self.verdict


@pytest.mark.parametrize("second", [0, command.NO_DISPLAY])
def test_a_session_without_its_display_is_begun_again(monkeypatch: pytest.MonkeyPatch, second: int) -> None:
    given = CommandLine(["-n", "gpu", "plot"])
    call = bridge_route.Call(given, {}, {}, [], lambda _note: None, trusted=False)
    seen: list[str] = []
    statuses = [command.NO_DISPLAY, second]

    def ran(_call: object, _front: object, _control: str, remote: str, *, native: bool) -> int:
        assert not native
        seen.append(remote)
        return statuses.pop(0)

    monkeypatch.setattr(bridge_route, "_run", ran)
    front = Front()
    status = bridge_route._session(
        call,
        Known(),
        front,  # type: ignore[arg-type]
        "/run/m",
        "first",
        token=TOKEN,
    )
    assert status == second
    again = command.again(TOKEN, "localhost:12.0", "/a file")
    assert seen == ["first", command.wrapped(again, "plot")]
