"""`x11fwd ssh --via bridge` beside plain ssh: same bytes, same end; and its display comes and goes."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.lab.hosts import Setup
from tests.lab.runs import wait_for

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Sequence

    from tests.lab.hosts import ChrootHost
    from tests.lab.person import Person
    from tests.lab.terminal import Terminal

pytestmark = pytest.mark.usefixtures("has_bridged")
REFUSING = "X11Forwarding no\nAllowTcpForwarding no\nAllowStreamLocalForwarding no"
WINDOW = "python3 -c 'import tkinter as t; w = t.Tk(); w.update(); print(w.winfo_screenwidth())'"


class Ended(NamedTuple):
    status: int
    out: bytes
    err: bytes


def bridge(person: Person, *words: str) -> list[str]:
    return person.x11fwd("ssh", "--via", "bridge", *words)


def run(person: Person, argv: Sequence[str], data: bytes = b"", limit: float = 240) -> Ended:
    process: subprocess.Popen[bytes] = person.popen(argv)
    try:
        out, err = process.communicate(data, timeout=limit)
    finally:
        process.kill()
        process.communicate()
    return Ended(process.returncode, out, err)


def everything_is_gone(person: Person) -> None:
    """No process, no socket, no folder of the last session."""
    wait_for(lambda: person.processes() == [], limit=90, what="the end of the local half")
    assert not Path(f"/tmp/x11fwd-{person.uid}").exists()


def is_gone(host: ChrootHost, path: str) -> None:
    wait_for(lambda: host.run(["test", "-e", path]).rc != 0, limit=90, what=f"the end of {path}")


@pytest.fixture
def alias(person: Person, chroot_host: Callable[..., ChrootHost]) -> str:
    """A host that refuses X11, under a name in the person's ~/.ssh/config."""
    return person.alias("gpu", chroot_host("bookworm", "plot"))


@pytest.fixture
def refusing(person: Person, new_chroot_host: Callable[..., ChrootHost]) -> str:
    """A host with Tk that refuses every kind of forwarding."""
    return person.alias("gpu", new_chroot_host("bookworm", "plot", Setup(sshd_config=REFUSING)))


def both(person: Person, words: Sequence[str], data: bytes = b"") -> tuple[Ended, Ended]:
    """`ssh -x words…` and the same over the bridge."""
    plain = run(person, ["ssh", "-x", *words], data)
    ours = run(person, bridge(person, *words), data)
    everything_is_gone(person)
    return plain, ours


# --- the same as ssh ----------------------------------------------------------------------------------------

# Each row: a name, and the words after `ssh`; gpu is the alias.
SITUATIONS: list[tuple[str, list[str]]] = [
    ("both streams and a status", ["gpu", "echo out; echo err >&2; exit 3"]),
    ("status 255 of the command", ["gpu", "exit 255"]),
    ("the status that a session without a display has", ["gpu", "exit 94"]),
    ("the command dies by a signal", ["gpu", "kill -9 $$"]),
    ("words are joined by spaces", ["gpu", "printf", "'[%s]'", "a  b", "c"]),
    ("quotes and other bytes", ["gpu", "printf '%s|' \"a'b\" '$HOME!' 'ü\\n' \"`echo x`\"\necho two"]),
    ("options after the host", ["gpu", "-T", "-o", "LogLevel=ERROR", "echo", "hi"]),
    ("a double dash", ["-T", "--", "gpu", "echo", "-n", "hi"]),
    ("clustered flags", ["-TaC", "gpu", "echo hi"]),
    ("a shell's input", ["-T", "gpu"]),
    ("no such option", ["-Z9", "gpu", "true"]),
    ("no host", []),
    ("a bad setting", ["-o", "NoSuchThing=1", "gpu", "true"]),
    ("connection refused", ["-p", "1", "gpu", "true"]),
    ("no such name", ["no-such-host.invalid", "true"]),
    ("permission denied", ["-o", "BatchMode=yes", "-o", "IdentityFile=none", "gpu", "true"]),
    ("unknown key, strict", ["-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=yes", "gpu"]),
    ("quiet", ["-q", "gpu", "echo err >&2; exit 4"]),
    ("quiet and refused", ["-q", "-p", "1", "gpu"]),
    ("a terminal that is not to be had", ["-t", "gpu", "exit 5"]),
    ("a forward that fails", ["-o", "ExitOnForwardFailure=yes", "-L", "127.0.0.1:1:x:1", "gpu", "true"]),
    ("another forward that fails", ["-L", "127.0.0.1:1:x:1", "gpu", "echo hi"]),
    ("a variable", ["-o", "SetEnv=LC_THING=1", "gpu", "echo $LC_THING; umask; pwd; ulimit -c"]),
    ("a command of the configuration", ["-o", "RemoteCommand=echo there; exit 6", "gpu"]),
]


@pytest.mark.parametrize(("name", "words"), SITUATIONS, ids=[name for name, _ in SITUATIONS])
def test_streams_and_status_are_those_of_plain_ssh(
    name: str, words: list[str], person: Person, alias: str
) -> None:
    plain, ours = both(person, words, b"echo from stdin; exit 2\n")
    assert ours == plain
    known = run(person, bridge(person, *words), b"echo from stdin; exit 2\n")  # the host is, now
    everything_is_gone(person)
    assert known == plain
    del name, alias


def test_the_command_has_no_other_variables_children_or_signals_than_over_ssh(
    person: Person, alias: str
) -> None:
    # SigQ counts the waiting signals of all processes of this account, those of other tests' hosts included
    signals = "grep '^Sig[^Q]' /proc/self/status"
    show = f"env | grep -v ^SSH_ | sort; ps -o stat=,args= --ppid $$ | grep -v ps; {signals}"
    for _ in range(2):
        plain, ours = (run(person, [*argv, alias, show]) for argv in (["ssh", "-x"], bridge(person)))
        added = set(ours.out.splitlines()) - set(plain.out.splitlines())
        assert {line.partition(b"=")[0] for line in added} == {b"DISPLAY", b"XAUTHORITY"}, ours
        assert set(plain.out.splitlines()) <= set(ours.out.splitlines())
        everything_is_gone(person)


def test_a_terminal_where_there_is_none_has_the_usual_modes(person: Person, alias: str) -> None:
    _, ours = both(person, ["-tt", alias, "stty size; stty -a; exit 5"])
    assert ours.status == 5
    assert ours.out.startswith(b"0 0\r\n")
    for mode in (b" icanon", b"isig", b" echo ", b"opost", b" onlcr"):
        assert mode in ours.out
    assert ours.err == b"Connection to 127.0.0.1 closed.\r\n"


@pytest.mark.parametrize("shell", ["/bin/bash", "/bin/sh", "/usr/bin/zsh", "/usr/bin/fish", "/usr/bin/tcsh"])
def test_every_login_shell_runs_the_command_as_sshd_would(
    shell: str, person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host("bookworm", "shells", Setup(login_shell=shell))
    alias = person.alias("gpu", host)
    host.write("/home/ana/.zshrc", "", user="ana")  # or zsh asks new people what they want
    name = "" if "csh" in shell else "$0"
    command = f"echo \"a'b\" '$HOME' 'x  y' {name}; no-such-program; /bin/sh -c 'echo $SHELL; exit 3'"
    for _ in range(2):
        plain, ours = both(person, [alias, command])
        assert ours == plain
        shown = run(person, bridge(person, alias, "sh -c 'echo $DISPLAY; test -f $XAUTHORITY && echo there'"))
        assert re.fullmatch(rb"localhost:\d+\.0\nthere\n", shown.out), shown.err
        everything_is_gone(person)
    terminal = person.pty(bridge(person, alias))
    terminal.read_until(r"[$%>#] ?")
    terminal.send('echo "<$DISPLAY>"; exit\r')
    terminal.read_until(r"<localhost:\d+\.0>")
    assert terminal.wait() == 0


def test_large_binary_streams_pass_unchanged_both_ways(person: Person, alias: str) -> None:
    data = os.urandom(6_000_000)
    for _ in range(2):
        ended = run(person, bridge(person, alias, "tee /dev/stderr"), data)
        assert ended.out == data
        assert ended.err == data
        assert ended.status == 0


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_are_no_trouble(closed: str, person: Person, alias: str) -> None:
    plain, ours = (
        run(person, ["sh", "-c", f"{' '.join(argv)} {alias} 'echo hi; echo err >&2; exit 3' {closed}"])
        for argv in (["ssh", "-x"], bridge(person))
    )
    assert ours == plain


def test_the_bridge_keeps_nobody_waiting_for_the_end_of_a_pipe(person: Person, alias: str) -> None:
    script = f"{' '.join(bridge(person, alias))} 'echo hi' 2>&1 | cat"
    assert run(person, ["sh", "-c", script]).out == b"hi\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_a_signal_ends_it_as_it_ends_ssh(number: signal.Signals, person: Person, alias: str) -> None:
    ends = []
    for argv in (["ssh", "-x", alias, "echo up; sleep 500"], bridge(person, alias, "echo up; sleep 500")):
        process = person.popen(argv)
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=90)
        ends.append(Ended(process.returncode, out, err))
    assert ends[1] == ends[0]
    everything_is_gone(person)


# --- a terminal ---------------------------------------------------------------------------------------------


def on_terminals(
    person: Person, words: Sequence[str], talk: Callable[[Terminal], None]
) -> tuple[tuple[int, str], tuple[int, str]]:
    """Status and all that was on the terminal, of `ssh -x words…` and of the same over the bridge."""
    ends = []
    for argv in (["ssh", "-x", *words], bridge(person, *words)):
        terminal = person.pty(argv)
        talk(terminal)
        ends.append((terminal.wait(limit=90), terminal.output))
    return ends[0], ends[1]


def test_an_interactive_shell_has_its_size_its_changes_and_its_interrupts(person: Person, alias: str) -> None:
    def talk(terminal: Terminal) -> None:
        terminal.read_until(r"\$ ")
        terminal.send("PS1='% '\r")
        terminal.read_until(r"\n% ")
        terminal.send("stty size; echo $TERM\r")
        terminal.read_until("24 80")
        terminal.resize(40, 100)
        terminal.read_until("% ")
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


def test_a_login_is_a_login_shell_with_the_message_of_the_day(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host("bookworm", "bare", Setup(files={"/etc/motd": "be kind to the disks\n"}))
    alias = person.alias("gpu", host)
    host.write("/home/ana/.bash_profile", "echo profile\nPS1='% '\n", user="ana")
    for hush in (False, True):
        if hush:
            host.write("/home/ana/.hushlogin", "", user="ana")
        terminal = person.pty(bridge(person, alias))
        terminal.read_until("profile")
        terminal.read_until("% ")
        terminal.send("shopt login_shell; tty; exit 3\r")
        terminal.read_until(r"login_shell\s+on")
        assert terminal.wait() == 3
        assert ("be kind to the disks" in terminal.output) is not hush


def test_the_escape_that_disconnects_works(person: Person, alias: str) -> None:
    def talk(terminal: Terminal) -> None:
        terminal.read_until("up")
        terminal.send("\r~.")

    plain, ours = on_terminals(person, ["-t", alias, "echo up; exec cat"], talk)
    assert ours[0] == plain[0] == 255
    assert "Connection to 127.0.0.1 closed." in ours[1]
    everything_is_gone(person)


def test_ctrl_c_without_a_remote_terminal_ends_it_as_it_ends_ssh(person: Person, alias: str) -> None:
    def talk(terminal: Terminal) -> None:
        terminal.read_until(r"\nup|^up")
        terminal.send("\x03")

    plain, ours = on_terminals(person, [alias, "echo up; sleep 500"], talk)
    assert ours == plain
    everything_is_gone(person)


def test_ctrl_z_and_fg_work_in_a_shell_with_job_control(person: Person, alias: str) -> None:
    for argv in (["ssh", "-x"], bridge(person)):
        terminal = person.pty(["bash", "--norc", "-i"], env={"PS1": "% ", "TERM": "dumb"})
        terminal.read_until("% ")
        terminal.send(" ".join([*argv, alias, "'echo up; read line; echo got $line; exit 9'"]) + "\r")
        terminal.read_until(r"\nup")
        terminal.send("\x1a")
        terminal.read_until(r"\[1\]\+ +Stopped")
        terminal.read_until("% ")
        terminal.send("fg\r")
        terminal.read_until("echo up")
        terminal.send("word\r")
        terminal.read_until(r"\ngot word")
        terminal.read_until("% ")
        terminal.send("echo status $?\r")
        terminal.read_until("status 9")
        terminal.send("exit\r")
        assert terminal.wait() == 0


def test_a_wrong_password_is_refused_before_the_next_prompt(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host("bookworm", "bare", Setup(sshd_config="KbdInteractiveAuthentication no"))
    alias = person.alias("gpu", host, user="ben", lines="PubkeyAuthentication no")

    def talk(terminal: Terminal) -> None:
        for password in ("wrong", "wrong again", host.ben_password):
            terminal.read_until("password: ")
            terminal.send(f"{password}\r")

    for _ in range(2):
        plain, ours = on_terminals(person, [alias, "exit 6"], talk)
        assert ours == plain
        assert ours[0] == 6


def test_hanging_up_the_terminal_leaves_nothing_running(person: Person, alias: str) -> None:
    terminal = person.pty(bridge(person, "-t", alias, "echo up; sleep 300"))
    terminal.read_until("up")
    terminal.close()
    everything_is_gone(person)


def test_f_gives_the_prompt_back_and_goes_on(person: Person, alias: str) -> None:
    ended = run(person, bridge(person, "-f", alias, "sleep 0.2; echo later"))
    assert ended.out == b"later\n"
    assert ended.status == 0
    everything_is_gone(person)


# --- the display --------------------------------------------------------------------------------------------


def test_a_window_opens_where_everything_is_refused(person: Person, refusing: str) -> None:
    for _ in range(2):
        ended = run(person, bridge(person, refusing, WINDOW))
        assert ended == Ended(0, b"1280\n", b"")
        everything_is_gone(person)


def test_the_display_has_the_same_number_again_and_its_cookie_is_private_and_goes(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host("bookworm", "bare", Setup(own_network=True))  # its display numbers are its own
    alias = person.alias("gpu", host)
    seen = set()
    for _ in range(3):
        ended = run(person, bridge(person, alias, "echo $DISPLAY $XAUTHORITY; stat -c %a:%U $XAUTHORITY"))
        display, authority, mode = ended.out.decode().split()
        assert mode == "600:ana"
        seen.add(display)
        everything_is_gone(person)
        is_gone(host, authority)
    assert len(seen) == 1


def test_another_account_of_the_host_gets_nothing(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host("bookworm", "plot")
    alias = person.alias("gpu", host)
    process = person.popen(bridge(person, alias, "echo $DISPLAY $XAUTHORITY; cat"))
    assert process.stdout
    display, authority = process.stdout.readline().decode().split()
    assert host.run(["cat", authority], user="ben").rc != 0
    assert host.run(["ls", authority.rpartition("/")[0]], user="ben").rc != 0
    stolen = host.run(
        ["env", f"DISPLAY={display}", *WINDOW.split(" ", 1)[:1], "-c", WINDOW.split("'")[1]], user="ben"
    )
    assert "1280" not in stolen.stdout
    process.communicate(timeout=90)


def test_two_first_sessions_at_once_share_one_display(person: Person, alias: str) -> None:
    held = [person.popen(bridge(person, alias, "echo $DISPLAY; cat")) for _ in range(3)]
    displays = {process.stdout.readline() for process in held if process.stdout}
    assert len(displays) == 1
    masters = [line for line in person.processes() if "[mux]" in line or " -M " in line]
    assert len(masters) == 1
    for process in held:
        process.communicate(timeout=90)
        assert process.returncode == 0
    everything_is_gone(person)


def test_a_second_session_keeps_the_display_when_the_first_ones_terminal_is_closed(
    person: Person, alias: str
) -> None:
    first = person.pty(bridge(person, alias, "-t", "echo up; sleep 300"))
    first.read_until("up")
    second = person.popen(bridge(person, alias, f"echo up; cat; {WINDOW}"))
    assert second.stdout
    assert second.stdout.readline() == b"up\n"
    first.close()
    out, err = second.communicate(timeout=90)
    assert (second.returncode, out, err) == (0, b"1280\n", b"")
    everything_is_gone(person)


KEPT = """
import time, os, tkinter
w = tkinter.Tk(); w.title("kept"); w.update()
open("up", "w").close()
while not os.path.exists("go"): w.update(); time.sleep(0.02)
"""


@pytest.mark.parametrize("ends", ["by itself", "by Ctrl-C"])
def test_a_program_in_the_background_keeps_the_last_session_until_its_window_closes(
    person: Person, new_chroot_host: Callable[..., ChrootHost], ends: str
) -> None:
    host = new_chroot_host("bookworm", "plot")
    alias = person.alias("gpu", host)
    host.write("/home/ana/kept.py", KEPT, user="ana")
    command = (
        "setsid python3 kept.py >/dev/null 2>&1 </dev/null & until [ -e up ]; do sleep 0.05; done; echo in"
    )
    terminal = person.pty(bridge(person, alias, command))
    terminal.read_until("in")
    wait_for(
        lambda: (
            not any(
                "ssh -S" in one and "ControlMaster" in one and "-T -x -a" not in one
                for one in person.processes()
            )
        ),
        limit=90,
        what="the end of the session",
    )
    assert person.processes() != []
    if ends == "by itself":
        host.write("/home/ana/go", "", user="ana")
        assert terminal.wait(limit=90) == 0
    else:
        terminal.send("\x03")
        assert terminal.wait(limit=90) == 255
    everything_is_gone(person)


def test_a_host_without_python_says_so_once_and_takes_the_native_route(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host("bookworm", "bare", Setup(x11_forwarding=True))
    for path in (host.root / "usr/bin").glob("python3*"):
        path.unlink()
    alias = person.alias("gpu", host)
    terminal = person.pty(bridge(person, alias, "echo in; read line; echo got $line; exit 3"))
    terminal.read_until("x11fwd: no bridge to this host .*Python.*")
    terminal.read_until("in")
    terminal.send("word\r")
    terminal.read_until("got word")
    assert terminal.wait() == 3
    again = run(person, bridge(person, alias, "cat; exit 3"), b"data")
    assert b"x11fwd: no bridge to this host (there is no Python" in again.err
    assert again[:2] == (3, b"data")
    auto = run(person, person.x11fwd("ssh", "-v", alias, "cat; exit 3"), b"data")
    assert b"the bridge cannot run there: there is no Python on the server" in auto.err
    everything_is_gone(person)


def test_a_host_that_has_lost_its_python_still_gets_all_its_input(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host("bookworm", "bare")
    alias = person.alias("gpu", host)
    assert run(person, bridge(person, alias, "cat; exit 3"), b"data") == Ended(3, b"data", b"")
    for path in (host.root / "usr/bin").glob("python3*"):
        path.unlink()
    process = person.popen(bridge(person, alias, "cat; exit 3"))
    assert process.stdin
    assert process.stderr
    process.stdin.write(b"data")
    process.stdin.flush()
    # while the session lasts: one that has ended has nobody to be told
    told = process.stderr.readline()
    assert told.startswith(b"x11fwd: no window can open in this session: there is no Python on the server")
    out, _ = process.communicate(b" and more", timeout=90)
    assert (process.returncode, out) == (3, b"data and more")
    everything_is_gone(person)


def test_a_killed_remote_half_is_told_and_the_session_goes_on(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host("bookworm", "bare")
    alias = person.alias("gpu", host)
    process = person.popen(bridge(person, alias, "echo up; cat; exit 4"))
    assert process.stdout
    assert process.stdout.readline() == b"up\n"
    host.check(["pkill", "-KILL", "-u", "ana", "python3"])
    assert process.stderr
    assert process.stderr.readline().startswith(b"x11fwd: the bridge has ended: ")
    later = run(person, bridge(person, alias, "exit 5"))
    assert later.status == 5
    assert b"x11fwd: no bridge to this host" in later.err
    out, _ = process.communicate(b"more", timeout=90)
    assert (process.returncode, out) == (4, b"more")
    everything_is_gone(person)


def test_one_session_for_each_connection_is_enough_where_no_question_is_asked(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    alias = person.alias("gpu", new_chroot_host("bookworm", "plot", Setup(sshd_config="MaxSessions 1")))
    for _ in range(2):
        ended = run(person, bridge(person, alias, WINDOW))
        assert ended.out == b"1280\n", ended.err
        everything_is_gone(person)


LATE_SESSION = """#!/bin/sh
case " $* " in
*" -S "*x_meet*"echo in"*)
    until pgrep -u "$(id -u)" -f BatchMode=yes >/dev/null; do sleep 0.1; done
    sleep 3
    ;;
esac
exec /usr/bin/ssh "$@"
"""


def test_a_password_is_only_ssh_s_where_the_bridge_got_the_only_session(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    """As on a busy machine: ssh makes another connection by itself, and asks; the session's input is read by
    us, and neither may take what is the other's.
    """
    settings = "KbdInteractiveAuthentication no\nMaxSessions 1\n"
    host = new_chroot_host("bookworm", "bare", Setup(sshd_config=settings))
    alias = person.alias("gpu", host, user="ben", lines="PubkeyAuthentication no")
    person.write("bin/ssh", LATE_SESSION, mode=0o755)
    for typed in ("", "typed\r\x04"):
        terminal = person.pty(
            bridge(person, alias, f"echo in; {'cat; ' * bool(typed)}exit 3"),
            env={"PATH": f"{person.home}/bin:/usr/bin:/bin"},
        )
        for _ in range(2):
            terminal.read_until("password: ")
            terminal.send(f"{host.ben_password}\r")
        terminal.read_until("in\r\n")
        terminal.send(typed)
        assert terminal.wait() == 3
        assert terminal.output.count("typed") == 2 * bool(typed)  # by the terminal, and by cat
        assert host.ben_password not in terminal.output
        everything_is_gone(person)


def test_a_signal_before_login_ends_it_as_it_ends_ssh(person: Person, alias: str) -> None:
    ends = []
    for argv in (["ssh", "-x"], bridge(person)):
        proxy = "ProxyCommand=sh -c 'echo up >&2; exec sleep 500 2>/dev/null'"
        process = person.popen([*argv, "-o", proxy, alias, "true"])
        assert process.stderr
        assert process.stderr.readline() == b"up\n"
        process.send_signal(signal.SIGTERM)
        ends.append(process.wait(timeout=90))
        process.kill()
        process.communicate()
    assert ends[1] == ends[0] == -signal.SIGTERM


def test_nobody_waits_for_ever_for_a_bridge_that_is_refused_or_for_a_person_at_another_prompt(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    # two things that take 15 and 20 s, side by side
    password_only = "KbdInteractiveAuthentication no\n"
    names: list[str] = []
    for settings in ("MaxSessions 1\n", ""):
        host = new_chroot_host("bookworm", "bare", Setup(sshd_config=password_only + settings))
        names.append(person.alias(f"gpu{len(names)}", host, user="ben", lines="PubkeyAuthentication no"))

    # a password, and one session for each connection: a session without a bridge
    alone = person.pty(bridge(person, names[0], "echo in; exit 3"))
    alone.read_until("password: ")
    alone.send(f"{host.ben_password}\r")

    first = person.pty(bridge(person, names[1], "echo $DISPLAY; cat"))
    first.read_until("password: ")
    second = person.pty(bridge(person, names[1], "echo $DISPLAY; cat"))
    second.read_until("password: ")
    for terminal in (second, first):
        terminal.send(f"{host.ben_password}\r")
        terminal.read_until(r"localhost:\d+\.0")
        terminal.send("\x03")
        terminal.wait()

    said = alone.read_until("x11fwd: no bridge to this host .*Permission denied.*|password: ")
    if said.group() == "password: ":
        # on a busy machine the bridge gets the one session, and ssh makes another connection by itself
        alone.send(f"{host.ben_password}\r")
    alone.read_until("in\r")
    assert alone.wait() == 3
    everything_is_gone(person)


def test_a_killed_local_half_is_told_and_the_session_goes_on(person: Person, alias: str) -> None:
    process = person.popen(bridge(person, alias, "echo up; cat; exit 4"))
    assert process.stdout
    assert process.stdout.readline() == b"up\n"
    halves = [
        int(line.split()[0])
        for line in person.processes()
        if "--via bridge" in line and f"{process.pid} " not in line
    ]
    assert len(halves) == 1
    os.kill(halves[0], signal.SIGKILL)
    gone = f"{halves[0]} "
    wait_for(lambda: not any(line.startswith(gone) for line in person.processes()), limit=90, what="its end")
    later = run(person, bridge(person, alias, f"{WINDOW}; exit 5"))
    assert (later.status, later.out) == (5, b"1280\n"), later.err
    out, err = process.communicate(b"more", timeout=90)
    assert (process.returncode, out) == (4, b"more")
    assert err.decode().startswith("x11fwd: ")
    everything_is_gone(person)


def test_the_users_own_open_connection_is_used_and_stays(person: Person, alias: str) -> None:
    person.write(".ssh/config", "ControlPath ~/m\n" + (person.home / ".ssh/config").read_text(), mode=0o600)
    master = person.popen(["ssh", "-x", "-M", "-N", alias])
    try:
        wait_for(lambda: person.run(["ssh", "-O", "check", alias]).rc == 0, limit=90, what="the master")
        ended = run(person, bridge(person, "-v", alias, WINDOW))
        assert ended.out == b"1280\n"
        assert b"over your own open connection" in ended.err
        assert person.run(["ssh", "-O", "check", alias]).rc == 0
    finally:
        master.terminate()
        master.communicate(timeout=90)
    everything_is_gone(person)
