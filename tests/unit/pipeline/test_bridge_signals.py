"""The bridge's session and signals that come between two of its steps; a shell stands in for ssh."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.unit.on_terminal import OnTerminal

if TYPE_CHECKING:
    from pathlib import Path

START = """
import os, signal, socket, sys
from x11fwd.pipeline.ssh.bridge_session import Foreground
ours, theirs = socket.socketpair()
front = Foreground(ours, os.environ)
fork = os.fork
"""
RUN = """
status = front.session(["/bin/sh", "-c", "echo ran; exec sleep 600"], terminal=False)
print(status, front.stopped)
"""


def run(moment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", START + moment + RUN],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=True,
        text=True,
    )
    return done.stdout


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_before_ssh_is_there_keeps_it_from_starting(name: str) -> None:
    number = int(signal.Signals[name])
    assert run(f"os.kill(os.getpid(), {number})") == f"-{number} {number}\n"


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_to_us_as_ssh_is_born_ends_it(name: str) -> None:
    """fork(2) has made the child, and its number is not kept yet."""
    number = int(signal.Signals[name])
    moment = f"""
def late():
    child = fork()
    if child:
        os.kill(os.getpid(), {number})
    return child
os.fork = late
"""
    assert run(moment).splitlines()[-1] == f"-{number} 0"


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_to_a_child_that_is_not_yet_ssh_ends_it(name: str) -> None:
    """As the terminal's Ctrl-C comes to both: the child has our handlers until execve(2)."""
    number = int(signal.Signals[name])
    moment = f"""
def early():
    child = fork()
    if not child:
        os.kill(os.getpid(), {number})
    return child
os.fork = early
"""
    assert run(moment) == f"-{number} 0\n"


def test_what_was_ignored_stays_so_in_ssh() -> None:
    """nohup's HUP."""
    program = START.replace("front =", "signal.signal(signal.SIGHUP, signal.SIG_IGN)\nfront =")
    program += 'front.session(["/bin/sh", "-c", "kill -HUP $$; echo on"], terminal=False)'
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=120, check=True)
    assert done.stdout == b"on\n"


def test_who_waits_for_anothers_prompt_waits_on_once_that_one_is_logged_in() -> None:
    """The bridge may take its time on a thin line or a busy machine, and nobody has to log in twice."""
    program = """
import threading, time
theirs.sendall(b"login\\n")
print(front.wait_for_verdict(0.1) is None)
threading.Timer(1.5, theirs.sendall, [b"ready /m\\t:10.0\\t/a\\n"]).start()
print(front.wait_for_verdict(0.1, after_login=90).display)
front.verdict = None
print(front.wait_for_verdict(0.1, after_login=0.1))
"""
    done = subprocess.run(
        [sys.executable, "-c", START + program], capture_output=True, timeout=120, check=True
    )
    assert done.stdout == b"True\n:10.0\nNone\n"


def test_ctrl_c_ends_a_question_of_ours() -> None:
    program = (
        START + 'print("asked", flush=True)\nprint(front.ask(lambda: bool(os.read(0, 9))), front.stopped)'
    )
    seen = OnTerminal([sys.executable, "-c", program])
    seen.until(b"asked")
    seen.send(b"\x03")
    assert seen.wait() == 0
    assert b"False 2" in seen.output


def test_the_local_half_of_one_who_was_a_guest_before_hears_no_signal_of_it(tmp_path: Path) -> None:
    """A byte for each of them would have been written into whatever has that descriptor now."""
    program = """
from x11fwd.bridge.session import process
from x11fwd.bridge.session.memory import Known
from x11fwd.pipeline.ssh.bridge_folder import Folder
from x11fwd.pipeline.ssh.bridge_half import fork_half
from x11fwd.pipeline.ssh.bridge_route import Call
from x11fwd.pipeline.ssh.command_line import CommandLine

def told(listener, first, task):
    heard = [signal.set_wakeup_fd(-1), signal.getsignal(signal.SIGCHLD), signal.getsignal(signal.SIGTERM)]
    first.sendall(repr(heard == [-1, signal.SIG_DFL, signal.SIG_DFL]).encode())

process.serve = told
folder = Folder(sys.argv[1])
ours, theirs = socket.socketpair()
call = Call(CommandLine(["gpu"]), {}, {"DISPLAY": ":0"}, [], print, trusted=False)
fork_half(call, Known(), folder, folder.listen(), theirs, token="-", control=folder.master, own=True)
theirs.close()
print(ours.recv(9))
"""
    words = [sys.executable, "-c", START + program, str(tmp_path / "f")]
    done = subprocess.run(words, capture_output=True, timeout=120, check=True)
    assert done.stdout == b"b'True'\n"
