"""`x11fwd explain` on what real programs say: ssh, sshd, xauth and Tk, and a command behind `--`."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.lab.hosts import Setup
from tests.lab.sandbox_sshd import SandboxSshd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import ExitStack

    from tests.lab.hosts import ChrootHost
    from tests.lab.person import Person


def ids(person: Person, log: bytes) -> list[str]:
    """The candidates for a log, piped into `x11fwd explain`."""
    process = person.popen(person.x11fwd("explain", "--json"))
    out, err = process.communicate(log, timeout=400)
    assert process.returncode == 0, (out, err, log)
    return [one["id"] for one in json.loads(out)["candidates"]]


def said(person: Person, argv: Sequence[str]) -> bytes:
    """What a program writes to standard error."""
    process = person.popen(argv, stdin=subprocess.DEVNULL)
    return process.communicate(timeout=400)[1]


@pytest.fixture
def refusing(person: Person, chroot_host: Callable[..., ChrootHost]) -> str:
    """A host whose sshd says no."""
    return person.alias("gpu", chroot_host("bookworm", "bare"))


@pytest.fixture
def sandbox(person: Person, lab: ExitStack) -> Iterator[Callable[..., str]]:
    """Starts an sshd on this machine with these lines and this key, and gives its name."""
    del lab
    started: list[SandboxSshd] = []

    def start(lines: str, key_prefix: str = "") -> str:
        sshd = SandboxSshd(person, lines, key_prefix=key_prefix)
        started.append(sshd)
        person.write(".ssh/known_hosts", sshd.known_hosts_line, mode=0o600)
        person.write(".ssh/config", f"Host near\n    HostName 127.0.0.1\n    Port {sshd.port}\n", mode=0o600)
        return "near"

    yield start
    for sshd in started:
        sshd.stop()


VERBOSE = ["ssh", "-v", "-S", "none"]


def test_a_log_of_a_server_that_says_no(person: Person, refusing: str) -> None:
    log = said(person, [*VERBOSE, "-X", refusing, "true"])
    assert ids(person, log)[0] == "sshd-x11forwarding-no"


def test_a_log_of_a_server_without_xauth(person: Person, sandbox: Callable[..., str]) -> None:
    near = sandbox("X11Forwarding yes\nXAuthLocation /nowhere/xauth")
    log = said(person, [*VERBOSE, "-X", near, "true"])
    assert ids(person, log)[:2] == ["remote-xauth-missing", "sshd-xauthlocation"]


def test_a_log_of_a_key_that_may_not(person: Person, sandbox: Callable[..., str]) -> None:
    near = sandbox("X11Forwarding yes", "no-X11-forwarding")
    assert ids(person, said(person, [*VERBOSE, "-X", near, "true"])) == ["key-no-x11"]


def test_a_log_in_which_x11_was_never_asked_for(person: Person, refusing: str) -> None:
    assert ids(person, said(person, [*VERBOSE, refusing, "true"]))[0] == "ssh-no-x11-request"


def test_a_log_of_a_display_with_odd_characters(person: Person, refusing: str) -> None:
    log = said(person, ["env", "DISPLAY=[::1]:99", *VERBOSE, "-X", refusing, "true"])
    assert ids(person, log) == ["local-display-bad-chars"]


def test_a_log_without_a_display(person: Person, refusing: str) -> None:
    log = said(person, ["env", "-u", "DISPLAY", *VERBOSE, "-X", refusing, "true"])
    assert ids(person, log)[0] == "local-display-unset"


def test_a_log_without_a_cookie(person: Person, refusing: str) -> None:
    # in a folder of the person's: xauth waits 20 s for a lock where it may make none
    lost = f"XAUTHORITY={person.home}/lost"
    log = said(person, ["env", lost, *VERBOSE, "-Y", refusing, "true"])
    assert ids(person, log)[0] == "local-xauthority-wrong"


def test_a_log_of_an_untrusted_cookie_that_could_not_be_made(person: Person, refusing: str) -> None:
    words = ["-X", "-o", "ForwardX11Trusted=no", refusing, "true"]
    log = said(person, ["env", "XAUTHORITY=/nonexistent", *VERBOSE, *words])
    assert ids(person, log)[0] == "untrusted-no-xauth-data"


def test_a_log_of_a_session_through_a_master(person: Person, refusing: str) -> None:
    path = f"{person.home}/m"
    words = ["-o", "ControlMaster=auto", "-o", f"ControlPath={path}", "-o", "ControlPersist=20"]
    assert person.run(["ssh", "-x", *words, refusing, "true"]).rc == 0
    try:
        log = said(person, ["ssh", "-v", "-X", "-S", path, refusing, "true"])
    finally:
        person.run(["ssh", "-S", path, "-O", "exit", refusing])
    assert ids(person, log)[0] == "mux-master-without-x11"


PLOT = "MPLBACKEND=TkAgg python3 -c 'import tkinter; tkinter.Tk()'"


def test_a_command_behind_two_dashes_is_ssh_itself(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    plots = person.alias("plots", new_chroot_host("bookworm", "plot", Setup(x11_forwarding=True)))
    ran = person.run(person.x11fwd("explain", "--", "ssh", "-x", plots, f"echo out; {PLOT}"))
    assert ran.rc == 1
    assert ran.stdout == "out\n"
    traceback, _, explained = ran.stderr.partition("x11fwd explain")
    assert "no display name and no $DISPLAY environment variable" in traceback
    assert "`x11fwd explain ssh-no-x11-request`" in explained
    ran = person.run(person.x11fwd("explain", "--", "ssh", "-X", plots, f"XAUTHORITY=/dev/null {PLOT}"))
    assert "X11 connection rejected because of wrong authentication." in ran.stderr
    assert "`x11fwd explain xauthority-env-override`" in ran.stderr


def test_a_password_is_asked_for_on_the_terminal_and_the_words_are_explained(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host("bookworm", "bare", Setup(sshd_config="KbdInteractiveAuthentication no"))
    alias = person.alias("gpu", host, user="ben", lines="PubkeyAuthentication no")
    terminal = person.pty(person.x11fwd("explain", "--", "ssh", "-X", "-t", alias, "stty size; exit 6"))
    terminal.read_until("password: ")
    terminal.send(f"{host.ben_password}\r")
    terminal.read_until("24 80")
    assert terminal.wait(limit=180) == 6
    assert "X11 forwarding request failed on channel 0" in terminal.output
    assert "x11fwd explain remote-xauth-missing" in terminal.output
