"""What follows a log over there runs on every Python from 3.6, and where there is none in every shell."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from x11fwd.errors import ProbeError
from x11fwd.logs.follow import Follower, Happening, follow_command
from x11fwd.pipeline.feed import SILENT
from x11fwd.transports.local import LocalTransport

if TYPE_CHECKING:
    from collections.abc import Sequence

PYTHON, PLAIN = follow_command()[4:]
SHELLS = ("dash", "bash --posix", "mksh")


def pythons() -> list[str]:
    """Every Python from 3.6 under pyenv's versions, and the one that runs the tests."""
    root = Path(os.environ.get("PYENV_ROOT", "/root/.pyenv")) / "versions"
    found = [str(path) for path in sorted(root.glob("3.*/bin/python3"))] if os.access(root, os.R_OK) else []
    return [*found, sys.executable]


def follow(tmp_path: Path, command: Sequence[str]) -> None:
    log = tmp_path / "train.log"
    log.write_bytes(b"one\n")
    follower = Follower([str(log)])
    follower.attach(LocalTransport().stream(command))
    data, end = b"", time.monotonic() + 90
    while data != b"one\ntwo\nthree\n":
        assert time.monotonic() < end, data
        for arrival in follower.arrivals(90.0):
            data += arrival.data
            if arrival.what is Happening.READ and data == b"one\n":
                with log.open("ab") as file:
                    file.write(b"two\n")
                log.rename(tmp_path / "train.log.1")
                log.write_bytes(b"three\n")
    follower.detach()


@pytest.mark.parametrize("python", pythons())
def test_the_far_half_runs_on_every_python(tmp_path: Path, python: str) -> None:
    follow(tmp_path, (python, "-c", PYTHON))


def test_a_clock_that_is_set_back_hides_no_rotation(tmp_path: Path) -> None:
    backwards = (
        "import itertools, time\nhours = itertools.count()\ntime.time = lambda: 4e9 - 3600 * next(hours)\n"
    )
    follow(tmp_path, (sys.executable, "-c", backwards + PYTHON))


@pytest.mark.parametrize("shell", SHELLS)
def test_the_far_half_runs_in_every_shell(tmp_path: Path, shell: str) -> None:
    if shutil.which(shell.split(maxsplit=1)[0]) is None:
        pytest.skip(f"this machine has no {shell}")
    follow(tmp_path, (*shell.split(), "-c", PLAIN))


def test_busybox_and_six_of_its_tools_are_enough(tmp_path: Path) -> None:
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("this machine has no busybox")
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("ls", "dd", "od", "tr", "sort", "sleep"):
        (tools / name).symlink_to(busybox)
    follow(tmp_path, ("env", "-i", f"PATH={tools}", busybox, "ash", "-c", PLAIN))


def test_a_machine_without_python_is_followed_by_its_shell(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "ls", "dd", "od", "tr", "sort", "sleep"):
        (tools / name).symlink_to(shutil.which(name) or name)
    follow(tmp_path, ("env", "-i", f"PATH={tools}", *follow_command()))


def test_a_shell_that_cannot_says_why(tmp_path: Path) -> None:
    follower = Follower(["x"] * 7)
    follower.attach(LocalTransport().stream(("sh", "-c", PLAIN)))
    with pytest.raises(ProbeError, match="at most 6 logs at once"):
        follower.arrivals(90.0)
    follower.detach()
    tools = tmp_path / "bin"
    tools.mkdir()
    follower.attach(LocalTransport().stream(("env", f"PATH={tools}", shutil.which("sh") or "", "-c", PLAIN)))
    with pytest.raises(ProbeError, match="no /dev/fd"):
        follower.arrivals(90.0)
    follower.detach()


def test_shellcheck_has_nothing_to_say() -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("this machine has no shellcheck")
    done = subprocess.run(
        ["shellcheck", "-s", "sh", "-"], input=PLAIN, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_gives_signs_of_life_also_where_sleep_knows_whole_seconds_only(
    tmp_path: Path, shell: str
) -> None:
    """Without a Python, and with an old sleep: a turn is a second, and nothing is said of a quiet log."""
    if shutil.which(shell.split(maxsplit=1)[0]) is None:
        pytest.skip(f"this machine has no {shell}")
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "sleep").write_text("#!/bin/sh\ncase $1 in *.*) exit 1 ;; esac\necho slept\n")
    (tools / "sleep").chmod(0o755)
    log = tmp_path / "train.log"
    log.write_bytes(b"one\n")
    process = subprocess.Popen(
        [*shell.split(), "-c", PLAIN],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PATH": f"{tools}:{os.environ['PATH']}"},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    path = "".join(f"\\0{byte:03o}" for byte in os.fsencode(log))
    process.stdin.write(f"- 0 - {path}\n\n".encode())
    process.stdin.flush()
    row = longest = slept = 0
    while slept < 40:
        line = process.stdout.readline()
        assert line
        slept += line == b"slept\n"
        row = 0 if line == b"P\n" else row + (line == b"slept\n")
        longest = max(longest, row)
    process.stdin.close()
    process.stdout.close()
    process.terminate()
    process.wait(60)
    assert longest < SILENT / 4
