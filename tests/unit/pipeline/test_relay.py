"""ssh as a child: every byte in its order, its end as our end. A script stands in for ssh."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.unit.on_terminal import OnTerminal
from x11fwd.pipeline.ssh.bridge_session import Foreground
from x11fwd.pipeline.ssh.relay import _HANDED_ON, Relay

if TYPE_CHECKING:
    from pathlib import Path

RUN = """
import os, sys
from x11fwd.pipeline.ssh.relay import Relay, end_like
sys.exit(end_like(Relay(sys.argv[1:], os.environ, ("gpu",)).run()))
"""
REFUSED = b"X11 forwarding request failed on channel 0\r\n"


def relayed(
    folder: Path, script: str, *, stdin: int = subprocess.DEVNULL, stderr: int = subprocess.PIPE
) -> subprocess.CompletedProcess[bytes]:
    """Run a shell script in ssh's place; `$LOG` is what `-E` names."""
    ssh = folder / "ssh"
    ssh.write_text(f'#!/bin/sh\n[ "$1" = -E ] || exit 99\nLOG=$2\n{script}\n')
    ssh.chmod(0o755)
    words = [sys.executable, "-c", RUN, str(ssh), "host"]
    return subprocess.run(words, stdin=stdin, stdout=subprocess.PIPE, stderr=stderr, timeout=120, check=False)


def explained(message: bytes) -> bytes:
    """The line that comes under a message."""
    from x11fwd.pipeline.ssh.explanations import explain

    said = explain(message, ("gpu",))
    assert said
    return f"x11fwd: {said.sentence}\r\n".encode()


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="F_SETSIG is Linux's; elsewhere order may differ"
)
def test_messages_and_direct_output_keep_their_order(tmp_path: Path) -> None:
    script = 'for i in $(seq 200); do printf "m$i\\r\\n" >>"$LOG"; printf "d$i\\n" >&2; done'
    done = relayed(tmp_path, script)
    assert done.stderr == b"".join(b"m%d\r\nd%d\n" % (number, number) for number in range(1, 201))


def test_the_last_message_is_written_before_the_end(tmp_path: Path) -> None:
    for _ in range(10):
        with (tmp_path / "err").open("wb") as file:
            done = relayed(tmp_path, 'printf "last words\\r\\n" >>"$LOG"; exit 255', stderr=file.fileno())
        assert (tmp_path / "err").read_bytes() == b"last words\r\n"
        assert done.returncode == 255


@pytest.mark.parametrize("status", [0, 1, 127, 255])
def test_the_exit_status_is_passed_on(status: int, tmp_path: Path) -> None:
    assert relayed(tmp_path, f"exit {status}").returncode == status


@pytest.mark.parametrize("name", ["TERM", "KILL", "INT", "HUP", "SEGV", "PIPE"])
def test_death_by_a_signal_is_passed_on(name: str, tmp_path: Path) -> None:
    assert relayed(tmp_path, f"kill -{name} $$").returncode == -signal.Signals[f"SIG{name}"]


def test_an_explanation_comes_right_under_its_message_and_only_once(tmp_path: Path) -> None:
    script = f"""
        printf 'before\\r\\n' >>"$LOG"
        printf '{REFUSED.decode().strip()}\\r\\n' >>"$LOG"
        printf 'X11 connection rejected because of wrong authentication.\\r\\nafter\\r\\n' >>"$LOG"
        printf 'no end' >>"$LOG"
    """
    rest = b"X11 connection rejected because of wrong authentication.\r\nafter\r\nno end"
    assert relayed(tmp_path, script).stderr == b"before\r\n" + REFUSED + explained(REFUSED) + rest


def test_a_message_that_comes_in_pieces_is_explained_as_well(capfd: pytest.CaptureFixture[str]) -> None:
    relay = Relay(["ssh"], {}, ("gpu",))
    for piece in (REFUSED[:10], REFUSED[10:30], REFUSED[30:] + b"next"):
        relay._show(piece)
    assert capfd.readouterr().err.encode() == REFUSED + explained(REFUSED) + b"next"


def test_standard_streams_are_sshs_own(tmp_path: Path) -> None:
    data = os.urandom(300_000)
    (tmp_path / "in").write_bytes(data)
    with (tmp_path / "in").open("rb") as file:
        done = relayed(tmp_path, "cat; exit 3", stdin=file.fileno())
    assert done.stdout == data
    assert done.returncode == 3


def test_a_stderr_that_does_not_block_loses_nothing(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)  # as ssh makes it where stderr is no terminal
    script = 'for i in $(seq 300); do printf "%0999d\\r\\n" $i >>"$LOG"; done'
    ssh = tmp_path / "ssh"
    ssh.write_text(f"#!/bin/sh\nLOG=$2\n{script}\n")
    ssh.chmod(0o755)
    process = subprocess.Popen([sys.executable, "-c", RUN, str(ssh)], stderr=writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        lines = pipe.read().splitlines()
    assert process.wait(90) == 0
    assert lines == [b"%0999d" % number for number in range(1, 301)]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="PR_SET_PDEATHSIG is Linux's")
def test_ssh_dies_with_us(tmp_path: Path) -> None:
    ssh = tmp_path / "ssh"
    ssh.write_text("#!/bin/sh\necho up; exec sleep 60\n")
    ssh.chmod(0o755)
    process = subprocess.Popen([sys.executable, "-c", RUN, str(ssh)], stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == b"up\n"
    process.kill()
    assert process.stdout.read() == b""  # ends when sleep has lost the pipe as well
    process.wait(90)


def test_an_ssh_that_cannot_be_run_is_named(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(tmp_path / "no-ssh")], capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 255
    assert b"cannot be run: No such file or directory" in done.stderr


# --- when the line is written -------------------------------------------------------------------------------

REJECTED = b"X11 connection rejected because of wrong authentication.\r\n"
RUN_SO = """
import os, sys
from x11fwd.pipeline.ssh.relay import Relay, end_like
shared, forced = (word == "1" for word in sys.argv[1:3])
relay = Relay(sys.argv[3:], os.environ, ("gpu",), shared=shared, forced=forced)
sys.exit(end_like(relay.run()))
"""


def on_terminal(folder: Path, script: str, *, shared: bool = False, forced: bool = False) -> OnTerminal:
    """Run a shell script in ssh's place, on a terminal."""
    ssh = folder / "ssh"
    ssh.write_text(
        f'#!/bin/sh\n[ "$1" = -E ] || exit 99\nLOG=$2\nsay() {{ printf "$1" >>"$LOG"; }}\n{script}\n'
    )
    ssh.chmod(0o755)
    return OnTerminal([sys.executable, "-c", RUN_SO, f"{shared:d}", f"{forced:d}", str(ssh)])


def printf(message: bytes) -> str:
    return message.decode().replace("\r\n", "\\r\\n")


RAW = "stty raw; printf '\\033[?1049h'"  # as ssh with a terminal over there, and vim on it
COOKED = "printf '\\033[?1049l'; stty -raw"


def test_in_a_raw_terminal_the_line_waits_for_the_end_of_ssh(tmp_path: Path) -> None:
    script = f"{RAW}; say '{printf(REJECTED)}'; read key; say 'later\\r\\n'; {COOKED}; exit 3"
    seen = on_terminal(tmp_path, script)
    seen.until(b"wrong authentication")
    seen.send(b"\n")
    assert seen.wait() == 3
    screen, _, after = seen.output.partition(b"\x1b[?1049l")
    assert b"x11fwd:" not in screen
    assert after.count(b"x11fwd:") == 1
    assert b'x11fwd: ssh said "X11 connection rejected because of wrong authentication.": a program' in after


def test_a_refusal_at_login_is_explained_at_once_even_in_a_raw_terminal(tmp_path: Path) -> None:
    script = f"{RAW}; say '{printf(REFUSED)}'; read key; {COOKED}"
    for shared in (False, True):
        seen = on_terminal(tmp_path, script, shared=shared)
        seen.until(b"x11fwd: the server does not let X11 through")
        seen.send(b"\n")
        assert seen.wait() == 0
        assert seen.output.count(b"x11fwd:") == 1


def test_a_warning_that_may_be_another_sessions_waits(tmp_path: Path) -> None:
    warning = b"Warning: No xauth data; using fake authentication data for X11 forwarding.\r\n"
    script = f"{RAW}; say '{printf(warning)}'; read key; {COOKED}"
    seen = on_terminal(tmp_path, script, shared=True)
    seen.until(b"X11 forwarding.")
    seen.send(b"\n")
    assert seen.wait() == 0
    assert b"x11fwd:" not in seen.output.partition(b"\x1b[?1049l")[0]
    assert seen.output.count(b"x11fwd:") == 1


def test_what_was_held_back_is_the_cause_of_what_may_be_said(tmp_path: Path) -> None:
    warning = b"Warning: No xauth data; using fake authentication data for X11 forwarding.\r\n"
    script = f"{RAW}; say '{printf(warning)}'; say '{printf(REFUSED)}'; read key; {COOKED}"
    seen = on_terminal(tmp_path, script, shared=True)
    seen.until(b'x11fwd: ssh said "Warning: No xauth data')
    seen.send(b"\n")
    assert seen.wait() == 0
    assert seen.output.count(b"x11fwd:") == 1


def test_in_line_mode_the_line_comes_at_once_unless_a_terminal_was_forced(tmp_path: Path) -> None:
    script = f"say '{printf(REJECTED)}'; read key; echo over"
    seen = on_terminal(tmp_path, script)
    seen.until(b"x11fwd: a program over there")
    seen.send(b"\n")
    assert seen.wait() == 0
    seen = on_terminal(tmp_path, script, forced=True)
    seen.until(b"wrong authentication")
    seen.send(b"\n")
    assert seen.wait() == 0
    assert b"x11fwd:" not in seen.output.partition(b"over")[0]
    assert b"x11fwd: ssh said" in seen.output.partition(b"over")[2]


def test_a_terminal_that_is_left_raw_gets_no_line(tmp_path: Path) -> None:
    seen = on_terminal(tmp_path, f"{RAW}; say '{printf(REJECTED)}'; kill -9 $$")
    assert seen.wait() == -9
    assert b"x11fwd:" not in seen.output


COPYING = """
import os, socket, sys
from x11fwd.pipeline.ssh.bridge_session import Foreground
ours, theirs = socket.socketpair()
sys.exit(Foreground(ours, os.environ).session(sys.argv[1:], terminal=False, copies=True))
"""
ASKING = """\
exec 3</dev/tty
stty -echo <&3
printf 'password: ' >/dev/tty
sleep 1
IFS= read -r answer <&3
stty echo <&3
exec 3<&-
[ "$answer" = secret ] && echo in && read -r line && echo "got $line" && exit 3
"""


def test_what_answers_ssh_is_not_taken_for_the_sessions_input() -> None:
    """Where the server takes one session for each connection, the session's ssh may have to log in itself."""
    seen = OnTerminal([sys.executable, "-c", COPYING, "/bin/sh", "-c", ASKING])
    seen.until(b"password: ")
    seen.send(b"secret\r")
    seen.until(b"in\r\n")
    seen.send(b"word\r")
    assert seen.wait() == 3
    assert b"got word" in seen.output
    assert b"secret" not in seen.output


def test_what_answers_a_program_of_ssh_s_is_not_taken_for_the_sessions_input() -> None:
    """The ssh that ProxyJump starts asks as well, on the way to the same host."""
    asking, _, after = ASKING.partition("[ ")
    proxy = f'{asking}[ "$answer" = secret ]'
    script = f"/bin/sh -c '{proxy.replace(chr(39), chr(34))}'; [ $? = 0 ] && {after.partition('&& ')[2]}"
    seen = OnTerminal([sys.executable, "-c", COPYING, "/bin/sh", "-c", script])
    seen.until(b"password: ")
    seen.send(b"secret\r")
    seen.until(b"in\r\n")
    seen.send(b"word\r")
    assert seen.wait() == 3
    assert b"got word" in seen.output


def test_a_signal_that_comes_as_ssh_ends_spoils_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """waitpid has told of the end, and the person's Ctrl-C or the closed terminal comes right behind it."""

    def gone(_pid: int, _number: int) -> None:
        raise ProcessLookupError

    relay = Relay(["ssh", "gpu"], {}, ("gpu",))
    ours, _theirs = socket.socketpair()
    before = {one: signal.getsignal(one) for one in (*_HANDED_ON, signal.SIGCHLD)}
    try:
        front = Foreground(ours, {})
    finally:
        signal.set_wakeup_fd(-1)
        for one, old in before.items():
            signal.signal(one, old)
    monkeypatch.setattr(os, "kill", gone)
    relay._pid = front._pid = 4321
    relay._hand_on(signal.SIGINT, None)
    front._hand_on(signal.SIGHUP, None)
    assert front.stopped == signal.SIGHUP
