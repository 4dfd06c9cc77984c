"""Folders and programs end with their process, wherever the threads are that made them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.runs import wait_for

THREAD = """\
import sys, threading
from x11fwd.cli import door, main
from x11fwd.cli.job import Job
from x11fwd.transports.local import LocalTransport
from x11fwd.transports.scratch import scratch_folder

def beside():
    with scratch_folder() as folder:
        (folder / "file").touch()
        LocalTransport().run(("sh", "-c", "echo $$ > $TMPDIR/pid; exec sleep 900"), timeout=900)

def command():
    threading.Thread(target=beside, daemon=True).start()
    print("begun", flush=True)
    sys.stdin.read()
    return 0

door._parse = lambda words: Job(command)
sys.argv[1:] = ["x"]
sys.exit(main())
"""
# Ctrl-C comes when the program runs and subprocess has not given it to anybody yet
BIRTH = """\
import os, signal, subprocess, sys
from x11fwd.cli import door, main
from x11fwd.cli.job import Job
from x11fwd.transports.local import LocalTransport

class Popen(subprocess.Popen):
    def _execute_child(self, *words):
        super()._execute_child(*words)
        with open(os.environ["TMPDIR"] + "/pid", "w") as file:
            file.write(str(self.pid))
        os.kill(os.getpid(), signal.SIGINT)

def command():
    subprocess.Popen = Popen
    LocalTransport().run(("sleep", "900"), timeout=900)

door._parse = lambda words: Job(command)
sys.argv[1:] = ["x"]
sys.exit(main())
"""
# Ctrl-C comes when tempfile has made a file, to see whether it can, and has not removed it
TRIAL = """\
import os, signal, sys
from x11fwd.cli import door, main
from x11fwd.cli.job import Job
from x11fwd.transports.scratch import scratch_folder

unlink = os.unlink
def interrupted(*words, **more):
    os.kill(os.getpid(), signal.SIGINT)
    unlink(*words, **more)

def command():
    os.unlink = interrupted
    with scratch_folder():
        print("not to be reached", flush=True)

door._parse = lambda words: Job(command)
sys.argv[1:] = ["x"]
sys.exit(main())
"""


def start(program: str, folder: Path) -> subprocess.Popen[str]:
    path = os.pathsep.join(one for one in sys.path if one)
    pipe = subprocess.PIPE
    environment = {**os.environ, "PYTHONPATH": path, "TMPDIR": str(folder)}
    return subprocess.Popen(
        [sys.executable, "-c", program], env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    )


def gone(number: int) -> bool:
    """It runs no more; nobody may have collected it where this machine's first process does not."""
    try:
        return ") Z " in Path(f"/proc/{number}/stat").read_text()
    except FileNotFoundError:
        return True


@pytest.mark.parametrize("number", [0, signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_a_thread_holds_goes_with_the_process(number: int, tmp_path: Path) -> None:
    process = start(THREAD, tmp_path)
    pid = tmp_path / "pid"
    wait_for(lambda: pid.exists() and pid.read_text().endswith("\n"), limit=240, what="the program")
    assert len(list(tmp_path.iterdir())) == 2
    if number:
        process.send_signal(number)
    _, err = process.communicate(timeout=240)
    assert err == ("error: interrupted\n" if number else "")
    assert process.returncode == {0: 0, signal.SIGINT: 130}.get(number, -number)
    assert list(tmp_path.iterdir()) == [pid]
    wait_for(lambda: gone(int(pid.read_text())), limit=240, what="the program's end")


def test_ctrl_c_while_tempfile_tries_a_place_leaves_nothing_there(tmp_path: Path) -> None:
    process = start(TRIAL, tmp_path)
    out, err = process.communicate(timeout=240)
    assert (process.returncode, out, err) == (130, "", "error: interrupted\n")
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_while_a_program_is_being_started_does_not_lose_it(tmp_path: Path) -> None:
    process = start(BIRTH, tmp_path)
    _, err = process.communicate(timeout=600)
    assert (process.returncode, err) == (130, "error: interrupted\n")
    number = int((tmp_path / "pid").read_text())
    wait_for(lambda: gone(number), limit=240, what="the program's end")
