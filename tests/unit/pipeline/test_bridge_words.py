"""Which words the calls of ssh get for a session over the bridge, and what it runs over there."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.lab.runs import wait_for
from x11fwd.pipeline.ssh import bridge_command as command
from x11fwd.pipeline.ssh import bridge_words as words
from x11fwd.pipeline.ssh.command_line import CommandLine

TOKEN = "ab" * 16


def line(*given: str) -> CommandLine:
    return CommandLine(given)


def test_the_master_has_the_users_options_and_no_session_of_its_own() -> None:
    given = line("-t", "-n", "-A", "-C", "-L", "1:x:1", "-o", "Port=3", "-S", "/x", "-v", "gpu", "-4", "ls")
    made = words.master_words(given, {}, "/run/m", ["-X", "-o", "ForwardX11Trusted=no"])
    assert made[:7] == ["ssh", "-f", "-N", "-M", "-S", "/run/m", "-o"]
    assert made[made.index("-X") :] == [
        *["-X", "-o", "ForwardX11Trusted=no"],
        *["-A", "-C", "-v", "-4", "-L", "1:x:1", "-o", "Port=3", "--", "gpu"],
    ]


def test_a_command_of_the_configuration_is_not_the_masters() -> None:
    config = {"remotecommand": "top"}
    assert "RemoteCommand=none" in words.master_words(line("gpu"), config, "/m", [])
    assert "RemoteCommand=none" in words.session_words(
        line("gpu"), config, "/m", "x", native=False, terminal=True
    )
    assert "RemoteCommand=none" not in words.master_words(line("gpu"), {}, "/m", [])
    assert words.remote_command(line("gpu"), config) == "top"
    assert words.remote_command(line("gpu", "a  b", "c"), config) == "a  b c"


def test_the_session_goes_over_the_master_and_asks_for_no_forward_again() -> None:
    given = line("-X", "-L", "1:x:1", "-e", "none", "-q", "gpu", "ls")
    made = words.session_words(given, {}, "/100%/m", "wrapped", native=False, terminal=False)
    assert made[:3] == ["ssh", "-S", "/100%%/m"]
    assert "ClearAllForwardings=yes" in made
    assert "-x" in made
    assert "-X" not in made
    assert made[-6:] == ["-q", "-e", "none", "--", "gpu", "wrapped"]


@pytest.mark.parametrize(
    ("wanted", "given", "there"),
    [
        ("auto", ["gpu"], True),
        ("auto", ["gpu", "ls"], False),
        ("true", ["gpu", "ls"], True),
        ("yes", ["gpu", "ls"], True),
        ("force", ["gpu", "ls"], True),
        ("false", ["gpu"], False),
        ("no", ["gpu"], False),
    ],
)
def test_a_terminal_is_wanted_as_ssh_decides_it(wanted: str, given: list[str], there: bool) -> None:
    assert words.wants_terminal(line(*given), {"requesttty": wanted}) is there


def test_the_channel_never_asks_and_is_nobodys_session() -> None:
    given = line("-A", "-Y", "-t", "-v", "-E", "log", "-D", "1080", "-p", "7", "gpu", "ls")
    made = words.channel_words(given, {"stdinnull": "yes"}, "/m")
    assert "BatchMode=yes" in made
    assert "StdinNull=no" in made
    assert made[-4:] == ["-p", "7", "--", "gpu"]
    assert not {"-A", "-Y", "-t", "-v", "-E", "-D", "-X"} & set(made)


@pytest.mark.parametrize(
    ("given", "config"),
    [
        (["-M", "gpu"], {}),
        (["-y", "gpu"], {}),
        (["gpu"], {"sessiontype": "none"}),
        (["gpu"], {"remotecommand": "echo %h"}),
    ],
)
def test_what_the_bridge_is_not_for_goes_to_ssh_with_a_reason(
    given: list[str], config: dict[str, str]
) -> None:
    assert words.needs_plain_ssh(line(*given), config)
    assert not words.needs_plain_ssh(line("gpu"), {"sessiontype": "default"})


# --- the command over there ---------------------------------------------------------------------------------


def run(text: str, *, shell: str = "sh", **environ: str) -> subprocess.CompletedProcess[bytes]:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"no {shell} here")
    found = {"PATH": "/usr/bin:/bin", "SHELL": path, **environ}
    argv = [path, "sh", "-c", text] if shell == "busybox" else [path, "-c", text]
    return subprocess.run(argv, env=found, capture_output=True, check=False, timeout=90)


NASTY = "printf '%s|' \"a'b\" '$X' 'x  y' '!' '\\' 'ü' \"$(echo sub)\"\nexit 7"


@pytest.mark.parametrize("shell", ["sh", "bash", "dash", "zsh", "fish", "tcsh", "csh", "busybox"])
def test_a_command_arrives_as_it_was_typed_whatever_the_login_shell(shell: str) -> None:
    wrapped = command.wrapped(command.known("localhost:10.0", "/a b/'c"), NASTY)
    ended = run(wrapped, shell=shell, SHELL="/bin/sh")
    assert ended.stdout.decode() == "a'b|$X|x  y|!|\\|ü|sub|"
    assert ended.returncode == 7


def test_the_display_is_in_the_environment() -> None:
    shown = command.wrapped(command.known("localhost:10.0", "/a b/'c"), 'echo "$DISPLAY $XAUTHORITY"')
    assert run(shown).stdout == b"localhost:10.0 /a b/'c\n"


def test_a_shell_calls_itself_as_sshd_has_it() -> None:
    assert run(command.wrapped("", "echo $0"), shell="bash").stdout == b"bash\n"
    login = run(command.wrapped("", ""), shell="bash", HOME="/nonexistent")
    assert login.returncode == 0


def test_a_session_that_finds_no_place_to_wait_goes_on_or_ends_at_once() -> None:
    nowhere = {"XDG_RUNTIME_DIR": "", "TMPDIR": "relative", "HOME": "/nonexistent"}
    strict = command.meeting(TOKEN, strict=True).replace("x_runtime_folder &&", "false &&")
    assert run(command.wrapped(strict, "echo ran"), **nowhere).returncode == command.NO_DISPLAY
    relaxed = command.meeting(TOKEN, strict=False).replace("x_runtime_folder &&", "false &&")
    assert run(command.wrapped(relaxed, "echo ran"), **nowhere).stdout == b"ran\n"


@pytest.mark.parametrize("shell", ["sh", "bash", "dash", "zsh", "fish", "tcsh", "busybox"])
def test_a_session_waits_for_its_display_and_leaves_no_trace_of_that(shell: str, tmp_path: Path) -> None:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"no {shell} here")
    text = command.wrapped(command.meeting(TOKEN, strict=True), 'read -r l; echo "$l:$DISPLAY:$XAUTHORITY"')
    argv = [path, "sh", "-c", text] if shell == "busybox" else [path, "-c", text]
    found = {"PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "XDG_RUNTIME_DIR": str(tmp_path)}
    process = subprocess.Popen(argv, env=found, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    fifo = tmp_path / f"x11fwd-{os.getuid()}" / TOKEN
    while not fifo.exists():
        assert process.poll() is None
        time.sleep(0.005)
    fifo.write_text("ready localhost:12.0 /a folder/file\n")
    out, _ = process.communicate(b"typed\n", timeout=90)
    assert out == b"typed:localhost:12.0:/a folder/file\n"
    # a watcher that comes when all is over makes a file, and takes it away
    folder = tmp_path / f"x11fwd-{os.getuid()}"
    wait_for(lambda: list(folder.iterdir()) == [], limit=90, what="the end of all traces")


def test_a_watcher_that_comes_when_all_is_over_leaves_no_file(tmp_path: Path) -> None:
    opens = 'exec 3<>"$x_fifo"'
    late = f'while [ -p "$x_fifo" ]; do sleep 0.01; done; {opens}'
    meeting = command.meeting(TOKEN, strict=True)
    assert meeting.count(opens) == 1
    text = command.wrapped(meeting.replace(opens, late), "echo $DISPLAY")
    found = {"PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "XDG_RUNTIME_DIR": str(tmp_path)}
    process = subprocess.Popen(["sh", "-c", text], env=found, stdout=subprocess.PIPE)
    folder = tmp_path / f"x11fwd-{os.getuid()}"
    while not (folder / TOKEN).exists():
        assert process.poll() is None
        time.sleep(0.005)
    (folder / TOKEN).write_text("ready localhost:12.0 /a/file\n")
    assert process.communicate(timeout=90)[0] == b"localhost:12.0\n"
    end = time.monotonic() + 1  # it is the file that would stay
    while time.monotonic() < end and not list(folder.iterdir()):
        time.sleep(0.01)
    while list(folder.iterdir()):
        assert time.monotonic() < end + 90
        time.sleep(0.01)


SSHD = """\
import subprocess, sys
subprocess.Popen(sys.argv[1:])
sys.stdin.read()
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux alone says whose child one is")
@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("shell", ["dash", "bash", "zsh", "busybox"])
def test_a_session_that_nobody_has_any_more_does_not_run_its_command(
    shell: str, strict: bool, tmp_path: Path
) -> None:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"no {shell} here")
    again = f"exec {path} {'sh ' if shell == 'busybox' else ''}-c '"
    meeting = command.meeting(TOKEN, strict=strict)
    assert meeting.count(f"x_wait {command.PATIENCE}") == 1
    meeting = meeting.replace(f"x_wait {command.PATIENCE}", "x_wait 3600")
    text = command.wrapped(meeting, f"touch {tmp_path}/ran")
    argv = [sys.executable, "-c", SSHD, "sh", "-c", text.replace("exec /bin/sh -c '", again, 1)]
    found = {"PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "XDG_RUNTIME_DIR": str(tmp_path)}
    session = subprocess.Popen(argv, env=found, stdin=subprocess.PIPE)
    folder = tmp_path / f"x11fwd-{os.getuid()}"
    wait_for(lambda: (folder / TOKEN).exists(), limit=90, what="the place where it waits")
    session.kill()
    session.wait()
    wait_for(lambda: list(folder.iterdir()) == [], limit=240, what="its end")
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux alone says who is there")
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_a_session_that_its_terminal_has_ended_leaves_nothing(
    shell: str, number: int, tmp_path: Path
) -> None:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"no {shell} here")
    again = f"exec {path} {'sh ' if shell == 'busybox' else ''}-c '"
    begins = 'exec 3<>"$x_fifo"'
    meeting = command.meeting(TOKEN, strict=False).replace(f"x_wait {command.PATIENCE}", "x_wait 3600")
    meeting = meeting.replace(begins, f"{begins}; touch {tmp_path}/watches", 1)
    text = command.wrapped(meeting, f"touch {tmp_path}/ran").replace("exec /bin/sh -c '", again, 1)
    found = {"PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "XDG_RUNTIME_DIR": str(tmp_path)}
    session = subprocess.Popen(["sh", "-c", text], env=found, start_new_session=True)
    watches, folder = tmp_path / "watches", tmp_path / f"x11fwd-{os.getuid()}"
    wait_for(watches.exists, limit=90, what="who watches")
    assert [one.name for one in folder.iterdir()] == [TOKEN]

    def ended() -> bool:
        os.killpg(session.pid, number)  # bash forgets one that comes while it waits for a child
        return session.poll() is not None

    wait_for(ended, limit=90, what="the session's end", every=0.1)
    wait_for(lambda: list(folder.iterdir()) == [], limit=240, what="the end of all traces")
    assert sorted(tmp_path.iterdir()) == sorted([folder, watches])


def test_what_travels_with_a_session_is_only_what_it_calls() -> None:
    functions = command._functions()
    assert "x_tell" not in functions
    assert "x_wait()" in functions
    assert not any(text.startswith("#") for text in functions.splitlines())


def test_no_login_shell_reads_anything_special_in_it() -> None:
    text = command.wrapped(command.meeting(TOKEN, strict=True), NASTY)
    assert text.startswith("exec /bin/sh -c '")
    assert text.count("'") == 2
    assert not {"\n", "!"} & set(text)
    assert text.isascii()
