"""The remote half starts on real servers: any login shell, no place for files, no folder for sockets."""

from __future__ import annotations

import os
import select
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from tests.lab.hosts import Setup
from tests.lab.runs import wait_for
from x11fwd.bridge.assembly.assemble import Assembled, assemble
from x11fwd.bridge.bootstrap.starter import NOBODY, Reason, Starter, shell_text
from x11fwd.bridge.shared.hello import HelloReader
from x11fwd.bridge.shared.link import Link
from x11fwd.transports.quoting import for_any_shell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.lab.hosts import BootedHost, ChrootHost
    from tests.lab.person import Person

REFUSING = "X11Forwarding no\nAllowTcpForwarding no\nAllowStreamLocalForwarding no"
TOKEN = "0123456789abcdef"
LIMIT = 180.0


class Begun:
    """What a start came to."""

    def __init__(self, starter: Starter) -> None:
        self.starter = starter
        self.display = ""
        self.authority = ""


@contextmanager
def started(
    person: Person, *, kept: bool = False, program: Assembled | None = None, token: str = NOBODY
) -> Iterator[Begun]:
    """A remote half on the host `gpu`, with a link that has said hello; it must end with the link."""
    begun = Begun(Starter(program or assemble(), kept=kept, token=token))
    starter = begun.starter
    # a login without a terminal, as the bridge's channel is
    with person.popen(["ssh", "-T", "gpu", starter.command]) as process:
        try:
            assert process.stdin
            assert process.stdout
            process.stdin.write(starter.first + Link(token, 1 << 20).begin())
            process.stdin.flush()
            reader = HelloReader()
            said = None
            end = time.monotonic() + LIMIT
            while said is None and starter.refused is None:
                ready, _, _ = select.select([process.stdout], [], [], max(0, end - time.monotonic()))
                data = os.read(process.stdout.fileno(), 65536) if ready else b""
                assert data, process.stderr and process.stderr.read()
                fed = starter.feed(data)
                if fed.send:
                    process.stdin.write(fed.send)
                    process.stdin.flush()
                said = reader.feed(fed.link) if fed.link else None
            if said is not None:
                notes = dict(said[0].notes)
                begun.display, begun.authority = unquote(notes["display"]), unquote(notes["authority"])
            yield begun
            process.stdin.close()
            assert process.wait(LIMIT) == 0
        finally:
            process.kill()


def works(host: ChrootHost | BootedHost, person: Person, *, kept: bool = False, keeps: bool = True) -> Begun:
    """It starts, has a display and an authority file of the user's alone, and leaves nothing of either."""
    with started(person, kept=kept) as begun:
        assert begun.starter.refused is None
        assert begun.starter.kept is keeps
        assert begun.display.startswith(("localhost:", "127.0.0.1:", "[::1]:"))
        assert host.check(["stat", "-c", "%a %U %F", begun.authority]) == "600 ana regular file\n"
    wait_for(lambda: not (host.root / begun.authority.lstrip("/")).exists(), limit=LIMIT, what="the end")
    left = host.check(["sh", "-c", "ls -A /tmp/.X11-unix 2>/dev/null || true"])
    assert left == ""
    return begun


def kept_on(host: ChrootHost) -> str:
    return host.run(["sh", "-c", "ls -d /home/ana/.cache/x11fwd/half-* 2>/dev/null"])[1]


@pytest.mark.parametrize("suite", ["bullseye", "bookworm", "trixie"])
def test_where_everything_is_refused_it_starts_and_is_sent_once(
    suite: str, person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host(suite, setup=Setup(sshd_config=REFUSING))
    person.alias("gpu", host, user="ana")
    works(host, person)
    assert kept_on(host).count("\n") == 1
    works(host, person, kept=True)


def test_on_a_booted_server_the_runtime_folder_of_the_login_is_taken(
    person: Person, booted_host: Callable[..., BootedHost]
) -> None:
    host = booted_host()
    person.alias("gpu", host, user="ana")
    begun = works(host, person)
    login = person.run(["ssh", "gpu", "echo $XDG_RUNTIME_DIR"]).stdout.strip()
    assert begun.authority.startswith(f"{login or '/dev/shm'}/x11fwd-")
    works(host, person, kept=True)


def test_a_lost_connection_leaves_neither_process_nor_file(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host()
    person.alias("gpu", host, user="ana")
    with pytest.raises(AssertionError), started(person, token=TOKEN) as begun:
        raise AssertionError  # which kills ssh
    assert begun.authority
    wait_for(lambda: host.run(["pgrep", "-u", "ana"]).rc == 1, limit=LIMIT, what="the end")
    assert host.check(["sh", "-c", "ls -A /dev/shm/x11fwd-*/"]).strip() == ""


# Connects, shows what a program without the cookie would show, and prints how the answer begins.
STRANGER = """
import socket, struct, sys
to = socket.create_connection(("127.0.0.1", 6000 + int(sys.argv[1])))
name, data = sys.argv[2].encode(), sys.argv[3].encode()
pad = lambda text: text + bytes(-len(text) % 4)
to.sendall(struct.pack("<BxHHHHxx", 0x6C, 11, 0, len(name), len(data)) + pad(name) + pad(data))
answer = to.recv(1000)
print(answer[0], answer[8 : 8 + answer[1]].decode())
"""


def test_another_account_gets_nothing(person: Person, new_chroot_host: Callable[..., ChrootHost]) -> None:
    host = new_chroot_host()
    person.alias("gpu", host, user="ana")
    with started(person) as begun:
        number = begun.display.partition(":")[2].partition(".")[0]
        for name, data, words in (
            ("", "", "no cookie shown"),
            ("MIT-MAGIC-COOKIE-1", "0123456789abcdef", "wrong cookie"),
            ("XDM-AUTHORIZATION-1", "0123456789abcdef", "MIT-MAGIC-COOKIE-1 only"),
        ):
            ran = host.run(["python3", "-c", STRANGER, number, name, data], user="ben")
            assert ran.stdout.startswith("0 x11fwd: "), ran
            assert words in ran.stdout
        assert host.run(["cat", begun.authority], user="ben").rc == 1
        assert host.run(["ls", begun.authority.rpartition("/")[0]], user="ben").rc != 0


@pytest.mark.parametrize("shell", ["/bin/dash", "/usr/bin/zsh", "/usr/bin/fish", "/usr/bin/tcsh"])
def test_every_login_shell_starts_it(
    shell: str, person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host(variant="shells", setup=Setup(login_shell=shell))
    person.alias("gpu", host, user="ana")
    works(host, person)
    works(host, person, kept=True)


def test_talkative_login_files_are_harmless(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host(setup=Setup(files={"/etc/motd": "Be nice.\n"}))
    host.write("/home/ana/.bashrc", "echo Welcome to the cluster; printf 'quota: 12%%'\n", user="ana")
    person.alias("gpu", host, user="ana")
    works(host, person)
    works(host, person, kept=True)


def test_a_home_that_cannot_be_written_to_leaves_the_runtime_folder(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host()
    host.check(["mount", "--bind", "/home/ana", "/home/ana"])
    host.check(["mount", "-o", "remount,ro,bind", "/home/ana"])
    person.alias("gpu", host, user="ana")
    begun = works(host, person)
    folder = begun.authority.rpartition("/")[0]
    assert folder.startswith("/dev/shm/")
    works(host, person, kept=True)
    assert kept_on(host) == ""


def test_a_full_disk_leaves_what_lies_in_memory(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host(setup=Setup(disk_mb=16))
    host.run(["sh", "-c", "cat /dev/zero >/home/ana/fill; cat /dev/zero >>/tmp/fill"])
    person.alias("gpu", host, user="ana")
    works(host, person)
    assert kept_on(host) == ""


def test_without_any_place_for_files_it_says_so(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host()
    for place in ("/dev/shm", "/tmp", "/var/tmp", "/home/ana"):
        host.check(["mount", "--bind", place, place])
        host.check(["mount", "-o", "remount,ro,bind", place])
    person.alias("gpu", host, user="ana")
    with started(person) as begun:
        assert begun.starter.refused is not None
        assert begun.starter.refused.reason is Reason.NO_FOLDER


def test_memory_that_takes_no_source_runs_it_from_standard_input(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host()
    host.check(["mount", "-t", "tmpfs", "-o", "size=64k,mode=1777", "tmpfs", "/dev/shm"])
    host.check(["mount", "--bind", "/home/ana", "/home/ana"])
    host.check(["mount", "-o", "remount,ro,bind", "/home/ana"])
    person.alias("gpu", host, user="ana")
    works(host, person, keeps=False)
    works(host, person, kept=True, keeps=False)


def test_places_mounted_noexec_and_no_folder_for_sockets_do_not_matter(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host()
    for place in ("/tmp", "/dev/shm"):
        host.check(["mount", "-t", "tmpfs", "-o", "noexec,nosuid,mode=1777", "tmpfs", place])
    assert not (host.root / "tmp/.X11-unix").exists()
    person.alias("gpu", host, user="ana")
    works(host, person)
    works(host, person, kept=True)


def test_without_ipv6_and_without_a_name_for_the_loopback_it_has_a_display(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host(setup=Setup(own_network=True))
    host.check(["sysctl", "-q", "-w", "net.ipv6.conf.all.disable_ipv6=1"])
    host.write("/etc/hosts", "127.0.1.1 gpu\n")
    person.alias("gpu", host, user="ana")
    begun = works(host, person)
    assert begun.display == "127.0.0.1:10.0"


def test_without_python_it_says_so_and_the_session_is_told(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host()
    host.check(["sh", "-c", "for f in /usr/bin/python*; do mv $f /root/; done"])
    person.alias("gpu", host, user="ana")
    session = waiting(person)
    with started(person, token=TOKEN) as begun:
        assert begun.starter.refused is not None
        assert begun.starter.refused.reason is Reason.NO_PYTHON
        assert session() == "none no-python"


def test_a_python_too_old_says_so(person: Person, new_chroot_host: Callable[..., ChrootHost]) -> None:
    host = new_chroot_host()
    host.check(["sh", "-c", "for f in /usr/bin/python*; do mv $f /root/; done"])
    # what 3.5 does with the words that look at its version
    host.write("/usr/bin/python3", "#!/bin/sh\nexit 93\n", mode=0o755)
    person.alias("gpu", host, user="ana")
    with started(person) as begun:
        assert begun.starter.refused is not None
        assert begun.starter.refused.reason is Reason.OLD_PYTHON


def test_the_session_is_told_its_display_and_a_number_is_taken_again(
    person: Person, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host()
    person.alias("gpu", host, user="ana")
    for kept in (False, True):
        session = waiting(person)
        with started(person, kept=kept, token=TOKEN) as begun:
            assert session() == f"ready {begun.display} {begun.authority}"
    assert host.check(["sh", "-c", "ls -A /dev/shm/x11fwd-*/"]).strip() == ""


def waiting(person: Person) -> Callable[[], str]:
    """A session that waits for its display; what it has heard."""
    script = (
        shell_text("rendezvous.sh")
        + f'\nx_runtime_folder && x_meet {TOKEN} && x_wait 30; echo "$x_word $x_display $x_authority"'
    )
    process = person.popen(["ssh", "-T", "gpu", for_any_shell(script.encode())])

    def heard() -> str:
        out, _ = process.communicate(timeout=LIMIT)
        return str(out.decode()).strip()

    return heard
