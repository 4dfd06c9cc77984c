"""A command of the user's, run as if nobody watched it, on pipes and on a terminal."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.unit.on_terminal import OnTerminal

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are Unix's")

RUN = """
import os, sys
from x11fwd.transports.watched import run_watched
ran = run_watched(sys.argv[2:])
open(sys.argv[1], "wb").write(ran.words)
sys.exit(ran.exit_status)
"""


def argv(folder: Path, *command: str) -> list[str]:
    return [sys.executable, "-c", RUN, str(folder / "words"), *command]


def piped(folder: Path, *command: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(argv(folder, *command), input=data, capture_output=True, timeout=120, check=False)


def words(folder: Path) -> bytes:
    return (folder / "words").read_bytes()


def test_streams_and_status_are_the_commands_own(tmp_path: Path) -> None:
    data = os.urandom(300_000)
    ran = piped(tmp_path, "sh", "-c", "cat; echo told >&2; exit 7", data=data)
    assert (ran.returncode, ran.stdout, ran.stderr) == (7, data, b"told\n")
    assert words(tmp_path) == b"told\n"


def test_a_lot_of_words_pass_whole_and_the_first_and_last_are_kept(tmp_path: Path) -> None:
    ran = piped(tmp_path, "sh", "-c", "echo first; echo first >&2; seq 2000000 >&2; echo last >&2")
    assert len(ran.stderr) > 14_000_000
    kept = words(tmp_path)
    assert len(kept) <= 4 << 20
    assert kept.startswith(b"first\n1\n")
    assert kept.endswith(b"2000000\nlast\n")


@pytest.mark.parametrize("name", ["TERM", "KILL", "SEGV", "INT"])
def test_a_signal_is_the_status_that_a_shell_gives_it(name: str, tmp_path: Path) -> None:
    assert piped(tmp_path, "sh", "-c", f"kill -{name} $$").returncode == 128 + signal.Signals[f"SIG{name}"]


def test_what_is_sent_to_us_alone_reaches_the_command(tmp_path: Path) -> None:
    process = subprocess.Popen(
        argv(tmp_path, "sh", "-c", "trap 'exit 9' TERM; echo up; while :; do sleep 0.05; done"),
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stdout.readline() == b"up\n"
    process.terminate()
    assert process.wait(120) == 9
    process.stdout.close()


def test_a_command_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    ran = piped(tmp_path, "no-such-program")
    assert b"`no-such-program` cannot be run: No such file or directory" in ran.stderr


def test_what_is_left_in_the_background_keeps_nobody_waiting_and_goes_on_speaking(tmp_path: Path) -> None:
    go, done = tmp_path / "go", tmp_path / "done"
    later = f"while [ ! -e {go} ]; do sleep 0.05; done; echo later >&2; touch {done}"
    process = subprocess.Popen(
        argv(tmp_path, "sh", "-c", f"({later}) >/dev/null & echo now >&2; exit 3"), stderr=subprocess.PIPE
    )
    assert process.wait(120) == 3
    assert words(tmp_path) == b"now\n"
    go.touch()
    assert process.stderr
    assert process.stderr.read() == b"now\nlater\n"
    assert done.exists()
    process.stderr.close()


def test_on_a_terminal_the_other_streams_stay_on_it(tmp_path: Path) -> None:
    script = (
        "import os, sys\n"
        "print([os.isatty(n) for n in (0, 1, 2)], os.tcgetpgrp(0) == os.getpgrp())\n"
        "sys.stdout.flush(); sys.stderr.write('one\\ntwo\\n')"
    )
    seen = OnTerminal(argv(tmp_path, sys.executable, "-c", script))
    assert seen.wait() == 0
    assert seen.output == b"[True, True, False] True\r\none\r\ntwo\r\n"
    assert words(tmp_path) == b"one\ntwo\n"


def test_keys_reach_the_command_and_ctrl_c_ends_only_it(tmp_path: Path) -> None:
    seen = OnTerminal(argv(tmp_path, "sh", "-c", "read line; echo got $line >&2; exec sleep 60"))
    seen.send(b"a word\r")
    seen.until(b"got a word")
    seen.send(b"\x03")
    assert seen.wait() == 130
    assert words(tmp_path) == b"got a word\n"


def test_a_shell_has_its_job_control_and_its_line_editor(tmp_path: Path) -> None:
    seen = OnTerminal(["/usr/bin/env", "PS1=% ", *argv(tmp_path, "bash", "--norc", "-i")])
    seen.until(b"% ")
    seen.send(b"sh -c 'echo u''p; exec sleep 60'\r")
    seen.until(b"up\r\n")
    seen.send(b"\x1a")
    seen.until(rb"\[1\]\+ +Stopped")
    seen.until(rb"Stopped(.|\n|\r)*% ")
    seen.send(b"kill -9 $$\r")
    assert seen.wait() == 137


@pytest.mark.parametrize(
    ("program", "keys"),
    [("less", b"q"), ("vi", b":q\r"), ("sh -c 'less -f words.txt | cat; less words.txt'", b"q")],
)
def test_programs_that_fill_the_screen_have_their_keys(program: str, keys: bytes, tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("".join(f"line {number}\n" for number in range(200)))
    if not shutil.which(program.partition(" ")[0]):
        pytest.skip(f"no {program} here")
    command = f"cd {tmp_path}; {program} {'' if 'words' in program else 'words.txt'}"
    seen = OnTerminal(["/usr/bin/env", "TERM=xterm", *argv(tmp_path, "sh", "-c", command)])
    seen.until(rb"\x1b\[\?1049h")
    seen.send(keys)
    assert seen.wait() == 0
