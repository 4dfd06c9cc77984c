"""Ctrl-C, `kill` and a closed terminal, as real processes meet them: all is taken back, the end says why."""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

ENDS = {signal.SIGINT: 130, signal.SIGTERM: -signal.SIGTERM, signal.SIGHUP: -signal.SIGHUP}
# x11fwd, whose only command is what follows
COMMAND = """\
import os, signal, sys, tempfile, time
from x11fwd.cli import door, main
from x11fwd.cli.job import Job

def wait():
    print("begun", flush=True)
    for _ in range(12000):
        time.sleep(0.01)

def me(*numbers):
    for number in numbers:
        os.kill(os.getpid(), number)

{command}

door._parse = lambda words: Job(command)
sys.exit(main())
"""
FOLDER = """\
def command():
    with tempfile.TemporaryDirectory():
        wait()
"""
SLOW = """\
from x11fwd.cli import signals
signals._SAME = 3600.0  # however busy this machine is
def command():
    folder = tempfile.mkdtemp()
    try:
        wait()
    finally:
        print("ending", flush=True)
        sys.stdin.read()
        os.rmdir(folder)
"""
FINALIZER = """\
class Deaf:
    def __del__(self):
        me(signal.SIGINT)
def command():
    Deaf()
    wait()
"""
HANDLED = """\
def command():
    try:
        wait()
    except KeyboardInterrupt:
        print("handled", flush=True)
    return 0
"""
# Ctrl-C comes while rich has noted that a line moves, and has not yet begun to
LINE = """\
from rich.console import Console
from x11fwd.ui.progress import Waiting
from x11fwd.ui.prompt import TerminalPrompter

class Lines(Console):
    def set_live(self, live):
        me(signal.SIGINT)
        return super().set_live(live)
def command():
    console = Lines(force_terminal=True, file=sys.stderr)
    with Waiting(TerminalPrompter(), console) as waiting:
        waiting.now("looking")
        wait()
"""
ORDERLY = """\
from x11fwd.cli.signals import taken
def command():
    heard = []
    with taken(lambda: heard.append(1)):
        print("begun", flush=True)
        while not heard:
            time.sleep(0.01)
        print("in order", flush=True)
    return 130
"""
TERMINAL = """\
import fcntl, termios
fcntl.ioctl(0, termios.TIOCSCTTY)
def command():
    folder = tempfile.mkdtemp()
    try:
        wait()
    finally:
        print("to nobody", flush=True)
        os.rmdir(folder)
"""
IMPORTS = """\
import types
def command():
    name = "x11fwd.transports.uninterrupted"
    sys.modules[name] = types.ModuleType(name)
    me(signal.SIGINT)
"""
BEHIND = """\
import atexit
atexit.register(me, signal.SIGINT)
def command():
    print("begun", flush=True)
    return 0
"""


LOADING = """\
import os, signal, sys
class Trap:
    def find_spec(self, name, path=None, target=None):
        if name == "x11fwd.cli":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Trap())
from x11fwd.__main__ import main
sys.exit(main())
"""


def start(command: str, folder: Path, *before: str, words: tuple[str, ...] = ("x",)) -> subprocess.Popen[str]:
    program = COMMAND.format(command=command)
    path = os.pathsep.join(one for one in sys.path if one)
    return subprocess.Popen(
        [*before, sys.executable, "-c", program, *words],
        env={**os.environ, "PYTHONPATH": path, "TMPDIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("number", ENDS, ids=lambda one: one.name)
def test_what_was_begun_is_taken_back_and_the_end_is_that_signals(
    number: signal.Signals, tmp_path: Path
) -> None:
    process = start(FOLDER, tmp_path)
    assert line(process) == "begun"
    assert list(tmp_path.iterdir())
    process.send_signal(number)
    out, err = process.communicate(timeout=240)
    assert (process.returncode, out, err) == (ENDS[number], "", "error: interrupted\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("second", ENDS, ids=lambda one: one.name)
def test_a_second_signal_does_not_stop_what_is_being_taken_back(
    second: signal.Signals, tmp_path: Path
) -> None:
    process = start(SLOW, tmp_path)
    assert line(process) == "begun"
    process.send_signal(signal.SIGINT)
    assert line(process) == "ending"
    process.send_signal(second)
    _, err = process.communicate(timeout=240)
    assert (process.returncode, err) == (130, "error: interrupted\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [FINALIZER, IMPORTS], ids=["finalizer", "import"])
def test_ctrl_c_that_comes_within_python_itself_is_heard(command: str, tmp_path: Path) -> None:
    process = start(command, tmp_path)
    _, err = process.communicate(timeout=240)
    assert (process.returncode, err) == (130, "error: interrupted\n")


def test_ctrl_c_while_a_moving_line_begins_is_no_fault_of_ours(tmp_path: Path) -> None:
    process = start(LINE, tmp_path, "env", "TERM=xterm")
    out, err = process.communicate(timeout=240)
    assert (process.returncode, out) == (130, "")
    assert err.endswith("error: interrupted\n")
    assert err.count("\x1b[?25l") <= err.count("\x1b[?25h")


@pytest.mark.parametrize("number", ENDS, ids=lambda one: one.name)
def test_a_command_that_ends_well_at_ctrl_c_ends_by_any_other_signal(
    number: signal.Signals, tmp_path: Path
) -> None:
    process = start(HANDLED, tmp_path)
    assert line(process) == "begun"
    process.send_signal(number)
    out, err = process.communicate(timeout=240)
    assert (out, err) == ("handled\n", "")
    assert process.returncode == (0 if number == signal.SIGINT else -number)


@pytest.mark.parametrize("number", ENDS, ids=lambda one: one.name)
def test_a_command_that_ends_in_its_own_order_is_not_torn_from_it(
    number: signal.Signals, tmp_path: Path
) -> None:
    process = start(ORDERLY, tmp_path)
    assert line(process) == "begun"
    process.send_signal(number)
    out, err = process.communicate(timeout=240)
    assert (process.returncode, out, err) == (ENDS[number], "in order\n", "")


def test_a_terminal_that_is_closed_hinders_nobody_from_taking_back(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND.format(command=TERMINAL), "x"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "TMPDIR": str(tmp_path)},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    said = b""
    while b"begun" not in said:
        said += os.read(master, 1024)
    assert list(tmp_path.iterdir())
    os.close(master)
    assert process.wait(240) == -signal.SIGHUP
    assert list(tmp_path.iterdir()) == []


def test_a_signal_that_was_ignored_from_the_start_stays_so(tmp_path: Path) -> None:
    process = start(FOLDER, tmp_path, "env", "--ignore-signal=HUP")
    assert line(process) == "begun"
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=240)
    assert process.returncode == -signal.SIGTERM


def test_ctrl_c_behind_the_end_of_a_command_changes_nothing(tmp_path: Path) -> None:
    process = start(BEHIND, tmp_path)
    out, err = process.communicate(timeout=240)
    assert (process.returncode, out, err) == (0, "begun\n", "")


def test_ctrl_c_while_the_program_loads_is_no_traceback() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(one for one in sys.path if one)}
    argv = [sys.executable, "-c", LOADING, "explain", "--list"]
    done = subprocess.run(argv, capture_output=True, env=environment, timeout=240, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, b"", b"")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_login_that_is_under_way_is_given_up(number: signal.Signals) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        words = ["doctor", "-p", str(silent.getsockname()[1]), "ana@127.0.0.1"]
        process = subprocess.Popen(
            [sys.executable, "-m", "x11fwd", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        silent.settimeout(120)
        connection, _ = silent.accept()
        with connection:
            process.send_signal(number)
            _, err = process.communicate(timeout=240)
    assert process.returncode == -number
    assert err.splitlines()[-1] == "error: interrupted"
