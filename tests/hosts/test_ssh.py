"""`x11fwd ssh` beside `ssh -X`: the same bytes, the same end, in every situation; then what it adds."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.lab.hosts import Setup
from tests.lab.runs import wait_for
from tests.lab.sandbox_sshd import SandboxSshd
from tests.lab.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import ExitStack

    from tests.lab.hosts import ChrootHost
    from tests.lab.person import Person
    from tests.lab.terminal import Terminal

OURS = re.compile(rb"x11fwd: [^\n]*\n")


class Ended(NamedTuple):
    status: int
    out: bytes
    err: bytes


def both(person: Person, words: Sequence[str], data: bytes = b"", limit: float = 240) -> tuple[Ended, Ended]:
    """`ssh -X words…` and `x11fwd ssh words…`, our own lines taken out of the latter's stderr."""
    plain = run(person, ["ssh", "-X", *words], data, limit)
    ours = run(person, person.x11fwd("ssh", *words), data, limit)
    return plain, ours._replace(err=OURS.sub(b"", ours.err))


def run(person: Person, argv: Sequence[str], data: bytes = b"", limit: float = 240) -> Ended:
    process = person.popen(argv)
    try:
        out, err = process.communicate(data, timeout=limit)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return Ended(process.returncode, out, err)


@pytest.fixture
def alias(person: Person, chroot_host: Callable[..., ChrootHost]) -> str:
    """A host that refuses X11, under a name in the person's ~/.ssh/config."""
    return person.alias("gpu", chroot_host("bookworm", "bare"))


# Each row: a name, and the words after `ssh`; GPU is the alias.
SITUATIONS: list[tuple[str, list[str]]] = [
    ("both streams and a status", ["gpu", "echo out; echo err >&2; exit 3"]),
    ("status 255 of the command", ["gpu", "exit 255"]),
    ("the command dies by a signal", ["gpu", "kill -9 $$"]),
    ("words are joined by spaces", ["gpu", "printf", "'[%s]'", "a  b", "c"]),
    ("options after the host", ["gpu", "-T", "-o", "LogLevel=ERROR", "echo", "hi"]),
    ("a double dash", ["-T", "--", "gpu", "echo", "-n", "hi"]),
    ("clustered flags", ["-TaC", "gpu", "echo hi"]),
    ("no such option", ["-Z9", "gpu", "true"]),
    ("an option without its argument", ["gpu", "-p"]),
    ("no host", []),
    ("a bad setting", ["-o", "NoSuchThing=1", "gpu", "true"]),
    ("connection refused", ["-p", "1", "gpu", "true"]),
    ("no such name", ["no-such-host.invalid", "true"]),
    ("permission denied", ["-o", "BatchMode=yes", "-o", "IdentityFile=none", "gpu", "true"]),
    ("unknown key, strict", ["-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=yes", "gpu"]),
    (
        "unknown key, accepted",
        ["-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=no", "gpu", "id"],
    ),
    ("the key has changed", ["-o", "UserKnownHostsFile=.ssh/wrong", "gpu", "true"]),
    (
        "the key has changed, let pass",
        ["-o", "UserKnownHostsFile=.ssh/wrong", "-o", "StrictHostKeyChecking=no", "gpu", "id"],
    ),
    ("quiet", ["-q", "gpu", "echo err >&2; exit 4"]),
    ("quiet and refused", ["-q", "-p", "1", "gpu"]),
    ("in the background", ["-f", "gpu", "echo later"]),
    ("a terminal where there is none", ["-tt", "gpu", "stty size; exit 5"]),
    ("no X11 asked for", ["-x", "gpu", "echo [$DISPLAY]"]),
    ("the version", ["-V"]),
    ("a forward that fails", ["-o", "ExitOnForwardFailure=yes", "-L", "127.0.0.1:1:x:1", "gpu", "true"]),
]


@pytest.mark.parametrize(("name", "words"), SITUATIONS, ids=[name for name, _ in SITUATIONS])
def test_streams_and_status_are_those_of_plain_ssh(
    name: str, words: list[str], person: Person, alias: str
) -> None:
    known = (person.home / ".ssh/known_hosts").read_text()
    wrong = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3JYXzwUl2N7VZ5Yv5xE5GZkKQdYb0TtJXv3F0sW1fO"
    person.write(".ssh/wrong", "".join(f"{line.split()[0]} {wrong}\n" for line in known.splitlines()))
    plain, ours = both(person, words)
    assert ours == plain
    del name, alias


def test_a_refused_display_adds_one_line_under_sshs_own(person: Person, alias: str) -> None:
    ended = run(person, person.x11fwd("ssh", alias, "echo err >&2"))
    lines = ended.err.decode().splitlines()
    assert lines[0] == "X11 forwarding request failed on channel 0"
    assert lines[1].startswith("x11fwd: the server does not let X11 through")
    assert "`x11fwd doctor gpu`" in lines[1]
    assert lines[2:] == ["err"]


def test_the_suggestion_repeats_the_options_that_lead_to_the_host(person: Person, alias: str) -> None:
    ended = run(person, person.x11fwd("ssh", "-o", "ConnectTimeout=9", "-C", alias, "true"))
    assert b"`x11fwd doctor -o ConnectTimeout=9 gpu`" in ended.err


def test_large_binary_streams_pass_unchanged_both_ways(person: Person, alias: str) -> None:
    data = os.urandom(6_000_000)
    ended = run(person, person.x11fwd("ssh", alias, "tee /dev/stderr"), data)
    assert ended.out == data
    assert ended.err.endswith(data)
    assert ended.status == 0


def test_the_last_message_is_there_when_the_program_has_ended(person: Person, alias: str) -> None:
    words = " ".join(person.x11fwd("ssh", "-p", "1", alias))
    script = f"for i in $(seq 15); do rm -f err; {words} 2>err; [ -s err ] || echo lost; done"
    assert run(person, ["sh", "-c", script]).out == b""


def test_a_call_leaves_no_process_and_no_file_behind(person: Person, alias: str) -> None:
    # updates known_hosts, and this host's refusal to forward X11 is remembered
    run(person, person.x11fwd("ssh", alias, "true"))
    before = sorted(path.name for path in person.home.rglob("*"))
    run(person, person.x11fwd("ssh", alias, "true"))
    assert person.processes() == []
    after = sorted(path.name for path in person.home.rglob("*"))
    assert [name for name in after if name not in before] == []


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_are_no_trouble(closed: str, person: Person, alias: str) -> None:
    plain, ours = (
        run(person, ["sh", "-c", f"{' '.join(argv)} {alias} 'echo hi; echo err >&2; exit 3' {closed}"])
        for argv in (["ssh", "-X"], person.x11fwd("ssh"))
    )
    assert ours._replace(err=OURS.sub(b"", ours.err)) == plain


def test_a_missing_ssh_is_a_sentence(person: Person) -> None:
    ended = run(person, ["env", "PATH=/nowhere", *person.x11fwd("ssh", "gpu")])
    assert ended.err == b"x11fwd: ssh cannot be run: No such file or directory\n"
    assert ended.status == 255


def test_a_master_that_stays_in_the_background_keeps_nobody_waiting(person: Person, alias: str) -> None:
    words = [
        "-o",
        "ControlMaster=auto",
        "-o",
        "ControlPath=~/m",
        "-o",
        "ControlPersist=999",
        alias,
        "echo hi",
    ]
    ended = run(person, person.x11fwd("ssh", *words))
    assert ended.out == b"hi\n"
    assert person.run(["ssh", "-O", "exit", "-o", "ControlPath=~/m", alias]).rc == 0


# --- signals ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL, signal.SIGUSR1]
)
def test_a_signal_ends_it_as_it_ends_ssh(number: signal.Signals, person: Person, alias: str) -> None:
    ends = []
    for argv in (
        ["ssh", "-X", alias, "echo up; sleep 500"],
        person.x11fwd("ssh", alias, "echo up; sleep 500"),
    ):
        process = person.popen(argv)
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=90)  # ends only when nobody holds the pipes any more
        ends.append(Ended(process.returncode, out, OURS.sub(b"", err)))
    assert ends[1] == ends[0]
    wait_for(lambda: person.processes() == [], limit=90, what="the end of ssh")


def test_a_signal_before_login_ends_it_as_it_ends_ssh(person: Person, alias: str) -> None:
    ends = []
    for argv in (
        ["ssh", "-X", "-o", "ProxyCommand=sh -c 'echo up >&2; exec sleep 500 2>/dev/null'", alias, "true"],
        person.x11fwd(
            "ssh", "-o", "ProxyCommand=sh -c 'echo up >&2; exec sleep 500 2>/dev/null'", alias, "true"
        ),
    ):
        process = person.popen(argv)
        assert process.stderr
        assert process.stderr.readline() == b"up\n"
        process.send_signal(signal.SIGTERM)
        ends.append(process.wait(timeout=90))
        process.kill()
        process.communicate()
    assert ends[1] == ends[0] == -signal.SIGTERM


# --- a terminal ---------------------------------------------------------------------------------------------


def on_terminals(
    person: Person,
    words: Sequence[str],
    talk: Callable[[Terminal], None],
    before: Callable[[], object] = lambda: None,
) -> tuple[tuple[int, str], tuple[int, str]]:
    """Status and all that was on the terminal, of `ssh -X words…` and `x11fwd ssh words…`."""
    ends = []
    for argv in (["ssh", "-X", *words], person.x11fwd("ssh", *words)):
        before()
        terminal = person.pty(argv)
        talk(terminal)
        status = terminal.wait(limit=90)
        ends.append((status, re.sub(r"x11fwd: [^\n]*\n", "", terminal.output)))
    return ends[0], ends[1]


def test_an_interactive_shell_has_its_size_its_changes_and_its_interrupts(person: Person, alias: str) -> None:
    def talk(terminal: Terminal) -> None:
        terminal.read_until(r"\$ ")
        terminal.send("PS1='% '\r")
        terminal.read_until(r"\n% ")
        terminal.send("stty size\r")
        terminal.read_until("24 80")
        terminal.resize(40, 100)
        terminal.read_until("% ")
        # the change travels beside the keys
        terminal.send("while [ \"$(stty size)\" != '40 100' ]; do sleep 0.05; done; stty size\r")
        terminal.read_until(r"\n40 100")
        terminal.read_until("% ")
        terminal.send("sh -c 'echo re''ady; exec sleep 60'\r")
        terminal.read_until("ready")
        terminal.send("\x03")
        terminal.read_until("% ")
        terminal.send("exit 7\r")

    plain, ours = on_terminals(person, ["-t", alias, "exec sh -i"], talk)
    assert ours == plain
    assert ours[0] == 7
    assert "Connection to 127.0.0.1 closed." in ours[1]


def test_a_wrong_password_is_refused_before_the_next_prompt(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host("bookworm", "bare", Setup(sshd_config="KbdInteractiveAuthentication no"))
    alias = person.alias("gpu", host, user="ben", lines="PubkeyAuthentication no")
    person.write(".config/x11fwd/config", "Via native\n")  # sshd refuses: it would ask for the bridge

    def talk(terminal: Terminal) -> None:
        for password in ("wrong", "wrong again", host.ben_password):
            terminal.read_until("password: ")
            terminal.send(f"{password}\r")

    for _ in range(3):
        plain, ours = on_terminals(person, [alias, "exit 6"], talk)
        assert ours == plain
        assert ours[0] == 6


def test_an_unknown_key_is_shown_and_asked_for_as_ssh_does(person: Person, alias: str) -> None:
    def talk(terminal: Terminal) -> None:
        terminal.read_until(r"\(yes/no/\[fingerprint\]\)\? ")
        terminal.send("maybe\r")
        terminal.read_until("fingerprint: ")
        terminal.send("yes\r")

    plain, ours = on_terminals(
        person, [alias, "echo in"], talk, lambda: person.write(".ssh/known_hosts", "", mode=0o600)
    )
    assert ours == plain
    assert "Permanently added" in ours[1]


def test_ctrl_c_without_a_remote_terminal_ends_it_as_it_ends_ssh(person: Person, alias: str) -> None:
    def talk(terminal: Terminal) -> None:
        terminal.read_until(r"\nup")
        terminal.send("\x03")

    plain, ours = on_terminals(person, [alias, "echo up; sleep 500"], talk)
    assert ours == plain


def test_ctrl_z_and_fg_work_in_a_shell_with_job_control(person: Person, alias: str) -> None:
    for argv in (["ssh", "-X"], person.x11fwd("ssh")):
        terminal = person.pty(["bash", "--norc", "-i"], env={"PS1": "% "})
        terminal.read_until("% ")
        terminal.send(" ".join([*argv, alias, "'echo up; read line; echo got $line; exit 9'"]) + "\r")
        terminal.read_until(r"\nup")
        terminal.send("\x1a")
        terminal.read_until(r"\[1\]\+ +Stopped")
        terminal.read_until("% ")
        terminal.send("echo $(jobs | wc -l) job; fg\r")
        terminal.read_until(r"1 job\r")
        terminal.read_until("echo up")
        terminal.send("word\r")
        terminal.read_until(r"\ngot word")
        terminal.read_until("% ")
        terminal.send("echo status $?\r")
        terminal.read_until("status 9")
        terminal.send("exit\r")
        assert terminal.wait() == 0


def test_sshs_own_escape_suspends_and_comes_back(person: Person, alias: str) -> None:
    for argv in (["ssh", "-X"], person.x11fwd("ssh")):
        terminal = person.pty(["bash", "--norc", "-i"], env={"PS1": "% "})
        terminal.read_until("% ")
        terminal.send(" ".join([*argv, "-t", alias, "'echo up; cat; exit 9'"]) + "\r")
        terminal.read_until(r"\nup")
        terminal.send("\r~\x1a")
        terminal.read_until(r"\[1\]\+ +Stopped")
        terminal.read_until("% ")
        terminal.send("fg\r")
        terminal.read_until("echo up")
        terminal.send("word\r")
        terminal.read_until(r"word\r+\nword")
        terminal.send("\x04")
        terminal.read_until("% ")
        terminal.send("echo status $?\r")
        terminal.read_until("status 9")
        terminal.send("exit\r")
        assert terminal.wait() == 0


def test_hanging_up_the_terminal_leaves_nothing_running(person: Person, alias: str) -> None:
    terminal = person.pty(person.x11fwd("ssh", "-t", alias, "echo up; sleep 300"))
    terminal.read_until("up")
    terminal.close()
    wait_for(lambda: person.processes() == [], limit=90, what="the end of ssh")


# --- what uses ssh ------------------------------------------------------------------------------------------


@pytest.fixture
def sandbox(person: Person, lab: ExitStack) -> Iterator[SandboxSshd]:
    """An sshd on this machine, where rsync and git are, that refuses X11; `near` is its name."""
    del lab
    with SandboxSshd(person, "X11Forwarding no\nSubsystem sftp internal-sftp") as sshd:
        person.write(".ssh/known_hosts", sshd.known_hosts_line, mode=0o600)
        person.write(".ssh/config", f"Host near\n    HostName 127.0.0.1\n    Port {sshd.port}\n", mode=0o600)
        yield sshd


def check(person: Person, argv: Sequence[str], **env: str) -> Ended:
    """Run a program that must end well."""
    ran = person.run(argv, env=env)
    assert ran.rc == 0, ran.stderr
    return Ended(ran.rc, ran.stdout.encode(), ran.stderr.encode())


@pytest.mark.usefixtures("sandbox")
def test_rsync_copies_there_and_back_over_it(person: Person) -> None:
    data = os.urandom(3_000_000)
    person.write("here/data", data)
    shell = " ".join(person.x11fwd("ssh"))
    sent = check(person, ["rsync", "-a", "-e", shell, "here/", f"near:{person.home}/there/"])
    back = check(person, ["rsync", "-a", "-e", shell, f"near:{person.home}/there/", "again/"])
    assert (person.home / "again/data").read_bytes() == data
    assert sent.err == back.err == b""


@pytest.mark.usefixtures("sandbox")
def test_git_clones_and_pushes_over_it_in_silence(person: Person) -> None:
    shell = {"GIT_SSH_COMMAND": " ".join(person.x11fwd("ssh")), "GIT_CONFIG_GLOBAL": "/dev/null"}
    who = ["-c", "user.name=Lena", "-c", "user.email=lena@example.org"]
    check(person, ["git", "init", "-q", "--bare", "far.git"], **shell)
    check(person, ["git", "clone", "-q", f"near:{person.home}/far.git", "near"], **shell)
    person.write("near/file", "text")
    check(person, ["git", "-C", "near", "add", "file"], **shell)
    check(person, ["git", "-C", "near", *who, "commit", "-q", "-m", "one"], **shell)
    pushed = check(person, ["git", "-C", "near", "push", "-q", "origin", "HEAD"], **shell)
    assert pushed.err == b""
    assert check(person, ["git", "ls-remote", f"near:{person.home}/far.git", "HEAD"], **shell).out != b""


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize("old_protocol", [False, True])
def test_scp_copies_with_it_as_its_program(person: Person, old_protocol: bool) -> None:
    person.write("ssh-by-x11fwd", f'#!/bin/sh\nexec {" ".join(person.x11fwd("ssh"))} "$@"\n', mode=0o755)
    person.write("data", os.urandom(100_000))
    words = ["-O"] if old_protocol else []
    copied = check(person, ["scp", *words, "-q", "-S", f"{person.home}/ssh-by-x11fwd", "data", "near:copy"])
    assert (person.home / "copy").read_bytes() == (person.home / "data").read_bytes()
    assert copied.err == b""


# --- what it adds -------------------------------------------------------------------------------------------


@pytest.fixture
def plotting(person: Person, new_chroot_host: Callable[..., ChrootHost]) -> str:
    """A host that forwards X11 and has Tk."""
    return person.alias("plots", new_chroot_host("bookworm", "plot", Setup(x11_forwarding=True)))


WINDOW = "python3 -c 'import tkinter as t; w = t.Tk(); w.update(); print(w.winfo_screenwidth())'"


def test_windows_come_through_untrusted_without_a_limit_of_time(person: Person, plotting: str) -> None:
    ended = run(person, person.x11fwd("ssh", "-vv", plotting, WINDOW))
    said = ended.err.decode()
    assert ended.out == b"1280\n", said
    assert "x11fwd: untrusted forwarding" in said
    assert re.search(r"generate \S+ MIT-MAGIC-COOKIE-1 untrusted timeout 2073660 2>", said)


def test_windows_come_through_trusted_where_the_x_server_has_no_security_extension(
    person: Person, plotting: str
) -> None:
    with Screen(without=["SECURITY"]) as screen:
        person.use_screen(screen)
        ended = run(person, person.x11fwd("ssh", "-v", plotting, WINDOW))
    assert ended.out == b"1280\n", ended.err
    assert b"x11fwd: trusted forwarding: the X server has no SECURITY extension" in ended.err


def test_an_x_server_that_resets_keeps_the_cookie_as_long_as_the_login_lasts(
    person: Person, plotting: str
) -> None:
    with Screen(noreset=False) as screen:
        person.use_screen(screen)
        ended = run(person, person.x11fwd("ssh", plotting, f"sleep 1; {WINDOW}; {WINDOW}"))
    assert ended.out == b"1280\n1280\n", ended.err


@pytest.mark.parametrize("option", ["-Y", "-oForwardX11Trusted=yes"])
def test_what_the_user_says_of_trust_wins(person: Person, plotting: str, option: str) -> None:
    ended = run(person, person.x11fwd("ssh", "-vv", option, plotting, WINDOW))
    assert ended.out == b"1280\n", ended.err
    assert b"untrusted" not in ended.err


def test_a_display_that_the_shell_lost_is_found(person: Person, plotting: str) -> None:
    del person.environment["DISPLAY"]
    ended = run(person, person.x11fwd("ssh", "-v", plotting, WINDOW))
    assert ended.out == b"1280\n", ended.err
    assert re.search(rb"x11fwd: DISPLAY is not set; :\d+ answers", ended.err)


def test_a_stale_display_is_replaced_by_one_that_answers(person: Person, plotting: str) -> None:
    person.environment["DISPLAY"] = ":931"
    ended = run(person, person.x11fwd("ssh", plotting, WINDOW))
    assert ended.out == b"1280\n", ended.err


def test_a_dead_display_is_explained_under_what_ssh_says_of_it(
    new_person: Callable[..., Person], chroot_host: Callable[..., ChrootHost]
) -> None:
    someone = new_person()
    someone.see_no_screens()
    alias = someone.alias("gpu", chroot_host("bookworm", "bare"))
    someone.environment["DISPLAY"] = ":931"
    ended = run(someone, someone.x11fwd("ssh", alias, "true"))
    lines = ended.err.decode().splitlines()
    assert lines[0].startswith("Warning: No xauth data")
    assert lines[1].startswith("x11fwd: this machine has no cookie")
    assert lines[2:] == ["X11 forwarding request failed on channel 0"]


def test_a_person_without_a_display_is_told_so_at_the_terminal(
    new_person: Callable[..., Person], chroot_host: Callable[..., ChrootHost]
) -> None:
    someone = new_person()
    someone.see_no_screens()
    terminal = someone.pty(someone.x11fwd("ssh", someone.alias("gpu", chroot_host("bookworm", "bare"))))
    terminal.read_until(
        "x11fwd: DISPLAY is not set, and no X server .*; no window can open: see `x11fwd doctor`"
    )
    terminal.read_until(r"\$ ")
    terminal.send("exit 4\r")
    assert terminal.wait() == 4


def test_without_any_display_the_command_still_runs_and_says_nothing(
    new_person: Callable[..., Person], chroot_host: Callable[..., ChrootHost]
) -> None:
    someone = new_person()
    someone.see_no_screens()
    alias = someone.alias("gpu", chroot_host("bookworm", "bare"))
    assert run(someone, someone.x11fwd("ssh", alias, "echo hi; exit 3")) == Ended(3, b"hi\n", b"")


def test_ssh_is_pointed_at_an_xauth_that_exists(person: Person, plotting: str) -> None:
    person.write(".ssh/config", "XAuthLocation /nowhere/xauth\n" + (person.home / ".ssh/config").read_text())
    ended = run(person, person.x11fwd("ssh", "-v", plotting, WINDOW))
    assert ended.out == b"1280\n", ended.err
    assert b"x11fwd: ssh's xauth (/nowhere/xauth) is missing" in ended.err


def test_an_open_master_without_x11_is_not_reused(person: Person, plotting: str) -> None:
    person.write(".ssh/config", "ControlPath ~/m\n" + (person.home / ".ssh/config").read_text(), mode=0o600)
    master = person.popen(["ssh", "-x", "-M", "-N", plotting])
    try:
        wait_for(lambda: person.run(["ssh", "-O", "check", plotting]).rc == 0, limit=90, what="the master")
        plain = run(person, ["ssh", "-X", plotting, "echo [$DISPLAY]"])
        ours = run(person, person.x11fwd("ssh", "-v", plotting, "echo [$DISPLAY]"))
    finally:
        master.terminate()
        master.communicate(timeout=90)
    assert plain.out == b"[]\n"
    assert re.fullmatch(rb"\[localhost:\d+\.0\]\n", ours.out), ours.err
    assert b"a connection is open already" in ours.err


def test_a_far_host_is_reached_with_compression(person: Person, alias: str) -> None:
    port = re.search(r"Port (\d+)", (person.home / ".ssh/config").read_text())
    assert port
    person.write(".cache/x11fwd/links", f"127.0.0.1 {port[1]} 0.080000 {time.time():.0f}\n")
    person.write(".config/x11fwd/config", "Via native\n")
    far = run(person, person.x11fwd("ssh", "-v", alias, "true"))
    assert b"x11fwd: compression: 80 ms of round trip" in far.err
    assert b"compression: zlib@openssh.com" in far.err
    own = run(person, person.x11fwd("ssh", "-v", "-o", "Compression=no", alias, "true"))
    assert b"x11fwd: compression" not in own.err


def test_the_reasons_are_shown_with_v_and_not_without(person: Person, plotting: str) -> None:
    assert b"x11fwd:" in run(person, person.x11fwd("ssh", "-v", plotting, "true")).err
    assert run(person, person.x11fwd("ssh", plotting, "true")).err == b""
    assert b"x11fwd:" not in run(person, person.x11fwd("ssh", "-v", "-q", plotting, "true")).err


def test_a_wrong_cookie_over_there_is_explained(person: Person, plotting: str) -> None:
    ended = run(person, person.x11fwd("ssh", plotting, f"XAUTHORITY=/dev/null {WINDOW}"))
    assert (
        b"X11 connection rejected because of wrong authentication.\r\nx11fwd: a program over there"
        in ended.err
    )
    assert ended.err.count(b"x11fwd:") == 1


# --- one line, and never on a screen that a program fills ---------------------------------------------------

# What an X program with a wrong cookie sends, by hand: byte order, version 11, lengths, name, 16 bytes.
WRONG_COOKIE = """
import os, socket
number = int(os.environ["DISPLAY"].rpartition(":")[2].partition(".")[0])
with socket.create_connection(("127.0.0.1", 6000 + number)) as there:
    name = b"MIT-MAGIC-COOKIE-1"
    there.sendall(b"l\\0\\x0b\\0\\0\\0\\x12\\0\\x10\\0\\0\\0" + name + b"\\0\\0" + bytes(16))
    there.recv(1)
"""
REJECTED = "X11 connection rejected because of wrong authentication."


@pytest.fixture
def forwarding(person: Person, lab: ExitStack) -> Iterator[SandboxSshd]:
    """An sshd on this machine, where vim, less and tmux are, that forwards X11; `near` is its name."""
    del lab
    with SandboxSshd(person, "X11Forwarding yes\n", as_root=True) as sshd:
        person.write(".ssh/known_hosts", sshd.known_hosts_line, mode=0o600)
        person.write(".ssh/config", f"Host near\n    HostName 127.0.0.1\n    Port {sshd.port}\n", mode=0o600)
        person.write("wrong.py", WRONG_COOKIE)
        yield sshd


LATER = "(until [ -e go ]; do sleep 0.05; done; python3 wrong.py; touch done) >/dev/null 2>&1 &"

# The program, what its screen is known by, and the keys that end it.
FULL_SCREENS = [
    ("vim", "vim -u NONE -N .ssh/config", r"\x1b\[\?1049h", ":q\r"),
    ("less", "less .ssh/config", r"\x1b\[\?1049h", "q"),
    ("tmux", "tmux -L lab -f /dev/null new 'exec sh'", r"\x1b\[\?1049h", "exit\r"),
]


@pytest.mark.parametrize(
    ("program", "shown", "keys"), [row[1:] for row in FULL_SCREENS], ids=[row[0] for row in FULL_SCREENS]
)
@pytest.mark.usefixtures("forwarding")
def test_a_line_waits_until_ssh_has_ended_where_a_program_fills_the_screen(
    person: Person, program: str, shown: str, keys: str
) -> None:
    terminal = person.pty(person.x11fwd("ssh", "-t", "near"), env={"TERM": "xterm"})
    terminal.read_until(r"\$ ")
    terminal.send(f"unset HISTFILE; {LATER} {program}\r")
    terminal.read_until(shown)
    person.write("go", "")
    terminal.read_until(REJECTED)
    wait_for((person.home / "done").exists, limit=90, what="the program with a wrong cookie")
    terminal.send(keys)
    terminal.read_until(r"\$ ")
    assert "x11fwd:" not in terminal.output
    terminal.send("exit 5\r")
    assert terminal.wait(limit=90) == 5
    after = terminal.output.partition("Connection to 127.0.0.1 closed.")[2]
    assert f'x11fwd: ssh said "{REJECTED}": a program over there showed a cookie' in after
    assert terminal.output.count("x11fwd:") == 1


@pytest.mark.usefixtures("forwarding")
def test_without_a_terminal_over_there_the_line_comes_at_once(person: Person) -> None:
    terminal = person.pty(person.x11fwd("ssh", "near", "python3 wrong.py; read line; exit 6"))
    terminal.read_until("x11fwd: a program over there showed a cookie")
    terminal.send("\r")
    assert terminal.wait(limit=90) == 6
    assert terminal.output.count("x11fwd:") == 1


@pytest.mark.usefixtures("forwarding")
def test_a_line_is_never_written_on_the_screen_of_a_local_program(person: Person) -> None:
    terminal = person.pty(["bash", "--norc", "-i"], env={"PS1": "% ", "TERM": "xterm"})
    terminal.read_until("% ")
    ours = " ".join([*person.x11fwd("ssh", "-n", "near"), f"'{LATER} wait'"])
    terminal.send(f"{ours} & vim -u NONE -N .ssh/config\r")
    terminal.read_until(r"\x1b\[\?1049h")
    person.write("go", "")
    terminal.read_until(REJECTED)
    wait_for(
        lambda: not any("wrong" in words for words in person.processes()), limit=90, what="the end of the job"
    )
    terminal.send(":q\r")
    terminal.read_until("% ")
    terminal.send("wait; echo waited\r")
    terminal.read_until("(?<!echo )waited")
    terminal.send("exit\r")
    terminal.wait(limit=90)
    assert "x11fwd:" not in terminal.output


@pytest.mark.usefixtures("forwarding")
def test_q_takes_the_line_away(person: Person) -> None:
    loud = run(person, person.x11fwd("ssh", "near", "python3 wrong.py; exit 6"))
    assert b"x11fwd: a program over there" in loud.err
    assert run(person, person.x11fwd("ssh", "-q", "near", "python3 wrong.py; exit 6")) == Ended(6, b"", b"")


@pytest.mark.usefixtures("forwarding")
def test_a_limit_of_time_that_the_person_chose_is_told_before_the_login(person: Person) -> None:
    words = ["-X", "-o", "ForwardX11Trusted=no"]
    terminal = person.pty(person.x11fwd("ssh", *words, "near"))
    terminal.read_until("x11fwd: this login opens windows for its first 20 minutes only")
    terminal.read_until(r"\$ ")
    terminal.send("exit\r")
    assert terminal.wait(limit=90) == 0
    assert run(person, person.x11fwd("ssh", *words, "near", "true")).err == b""
    quiet = person.pty(
        person.x11fwd("ssh", "-X", "-o", "ForwardX11Trusted=no", "-oForwardX11Timeout=9h", "near")
    )
    quiet.read_until(r"\$ ")
    assert "x11fwd:" not in quiet.output
    quiet.send("exit\r")
    assert quiet.wait(limit=90) == 0


@pytest.mark.parametrize("words", [["-x"], ["-X"]], ids=["without X11", "with another display"])
@pytest.mark.usefixtures("forwarding")
def test_a_shared_connection_that_leads_no_window_here_is_told_before_the_login(
    person: Person, words: list[str]
) -> None:
    path = f"{person.home}/m"
    with Screen() as other:
        authority = person.write("other", other.authority.read_bytes(), mode=0o600)
        there = {"DISPLAY": other.display, "XAUTHORITY": str(authority)}
        command = " ".join(f"{name}={value}" for name, value in there.items())
        master = person.popen(["env", *command.split(), "ssh", *words, "-M", "-S", path, "-N", "near"])
        try:
            wait_for(
                lambda: person.run(["ssh", "-S", path, "-O", "check", "near"]).rc == 0,
                limit=90,
                what="the master",
            )
            terminal = person.pty(person.x11fwd("ssh", "-S", path, "near"))
            why = "was made without X11" if words == ["-x"] else f"leads to the display {other.display}"
            terminal.read_until(f"x11fwd: the open connection that this login goes through {why}")
            terminal.read_until(r"\$ ")
            terminal.send("exit\r")
            assert terminal.wait(limit=90) == 0
        finally:
            master.terminate()
            master.communicate(timeout=90)


def test_an_x_server_that_hangs_does_not_keep_anybody_from_logging_in(
    new_person: Callable[..., Person], chroot_host: Callable[..., ChrootHost]
) -> None:
    # `ssh -X -o ForwardX11Trusted=no` itself waits for ever, in the `xauth generate` that it runs
    with Screen() as frozen:
        person = new_person()
        person.use_screen(frozen)
        person.alias("gpu1", chroot_host("bookworm", "plot"), user="ana", lines="ForwardX11Trusted no")
        frozen.freeze()
        try:
            status, out, err = person.run(person.x11fwd("ssh", "gpu1", "echo in; exit 7"), timeout=240)
        finally:
            frozen.thaw()
    assert (status, out, err) == (7, "in\n", "")
