"""That the lab itself is real: bare hosts lack what they should, differences are seen, delays hold."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.lab import runs
from tests.lab.hosts import Setup, diff
from tests.lab.reach import banner
from tests.lab.relay import Relay
from tests.lab.sandbox_sshd import SandboxSshd
from tests.lab.screen import Screen
from tests.lab.snapshots import take_all
from tests.lab.trees import SUITES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.lab.hosts import BootedHost, ChrootHost
    from tests.lab.person import Person

suites = pytest.mark.parametrize("suite", SUITES)


@suites
def test_a_bare_host_has_no_xauth_and_refuses_x11(
    suite: str, chroot_host: Callable[..., ChrootHost], person: Person
) -> None:
    host = chroot_host(suite)
    assert host.run(["sh", "-c", "command -v xauth"]).rc != 0
    assert host.run(["python3", "-c", "import tkinter"]).rc == 1
    ran = person.run(["ssh", "-X", person.alias("bare", host), "echo [$DISPLAY]"])
    assert ran.rc == 0
    assert ran.stdout == "[]\n"
    assert "X11 forwarding request failed" in ran.stderr


@suites
def test_a_plot_host_opens_a_window_on_the_screen(
    suite: str, new_chroot_host: Callable[..., ChrootHost], person: Person, screen: Screen
) -> None:
    host = new_chroot_host(suite, "plot", Setup(x11_forwarding=True))
    code = "import tkinter as t; w = t.Tk(); w.title('seen from afar'); w.update(); print(flush=1); input()"
    process = person.popen(["ssh", "-X", person.alias("plot", host), f'python3 -c "{code}"'])
    assert process.stdout
    assert process.stdout.readline() == b"\n"
    assert "seen from afar" in screen.windows()
    process.communicate(b"\n", timeout=90)
    assert process.returncode == 0


@suites
@pytest.mark.parametrize("socket_activated", [False, True])
def test_a_booted_host_answers_systemctl_and_sudo(
    suite: str, socket_activated: bool, booted_host: Callable[..., BootedHost], person: Person
) -> None:
    host = booted_host(suite, socket_activated=socket_activated)
    listening = "ssh.socket" if socket_activated else "ssh.service"
    assert host.run(["systemctl", "is-active", listening]).stdout == "active\n"
    assert host.run(["systemctl", "is-enabled", listening]).stdout == "enabled\n"
    alias = person.alias("booted", host)
    assert person.run(["ssh", alias, "sudo -S id -u"], input=f"{host.password}\n").stdout == "0\n"
    assert person.run(["ssh", "-l", "ben", alias, "sudo -S id -u"], input=f"{host.ben_password}\n").rc == 1
    if not socket_activated:  # sshd started by its socket does not survive SIGHUP on Debian 12 and 13
        assert host.run(["systemctl", "reload", "ssh.service"]).rc == 0
    # a reload closes the listening socket for a moment
    runs.wait_for(
        lambda: person.run(["ssh", alias, "true"]).rc == 0, limit=90, what="a login after the reload"
    )
    assert "Accepted publickey for ana" in host.sshd_log()


def test_a_booted_host_changes_nothing_by_itself_that_a_snapshot_shows(
    booted_host: Callable[..., BootedHost], person: Person
) -> None:
    host = booted_host("bookworm")
    before = host.snapshot()
    assert person.run(["ssh", person.alias("idle", host), "sudo -S true"], input=f"{host.password}\n").rc == 0
    assert host.run(["systemctl", "restart", "ssh.service"]).rc == 0
    assert [str(change) for change in diff(before, host.snapshot())] == []


def test_a_snapshot_shows_one_changed_byte_one_mode_and_one_removed_file(
    new_chroot_host: Callable[..., ChrootHost],
) -> None:
    host = new_chroot_host()
    before = host.snapshot()
    assert before["/etc/ssh/sshd_config"].kind == "file"
    text = (host.root / "etc/ssh/sshd_config").read_bytes()
    host.write("/etc/ssh/sshd_config", text.replace(b"X11Forwarding no", b"X11Forwarding n0"))
    (host.root / "etc/hostname").chmod(0o600)
    (host.root / "etc/issue").unlink()
    (host.root / "home/ana/link").symlink_to("/etc")
    assert [str(change) for change in diff(before, host.snapshot())] == [
        "changed /etc/hostname (mode)",
        "removed /etc/issue",
        "changed /etc/ssh/sshd_config (content)",
        "added   /home/ana/link",
    ]


@suites
def test_packages_installed_and_purged_by_name_leave_no_trace(
    suite: str, new_chroot_host: Callable[..., ChrootHost]
) -> None:
    host = new_chroot_host(suite)
    before, names = host.snapshot(), installed(host)
    host.check(["apt-get", "-qq", "-y", "--no-install-recommends", "install", "xauth", "python3-tk"])
    assert host.run(["sh", "-c", "command -v xauth"]).stdout == "/usr/bin/xauth\n"
    new = installed(host) - names
    assert "xauth" in new
    assert diff(before, host.snapshot())
    host.check(["apt-get", "-qq", "-y", "purge", *new])
    assert [str(change) for change in diff(before, host.snapshot())] == []
    assert list((host.dir / "archives").glob("xauth_*.deb")), "apt's archives are kept for other hosts"


def installed(host: ChrootHost) -> set[str]:
    """The names of the installed packages."""
    return set(host.check(["dpkg-query", "-W", "-f", "${binary:Package}\n"]).split())


def test_two_booted_hosts_do_not_touch_each_other(booted_host: Callable[..., BootedHost]) -> None:
    first, second = booted_host("bookworm"), booted_host("bookworm")
    show = ["systemctl", "show", "-P", "MainPID", "ssh.service"]
    pid = second.check(show)
    first.check(["systemctl", "stop", "ssh.service"])
    assert first.run(["systemctl", "is-active", "ssh.service"]).stdout == "inactive\n"
    assert second.check(show) == pid != "0\n"
    assert banner(first.address, first.port) == ""
    assert banner(second.address, second.port).startswith("SSH-2.0-")


def test_two_hosts_of_a_suite_use_apt_at_the_same_time(new_chroot_host: Callable[..., ChrootHost]) -> None:
    hosts = [new_chroot_host("bookworm"), new_chroot_host("bookworm")]
    results: list[int] = []

    def install(host: ChrootHost) -> None:
        results.append(host.run(["apt-get", "-qq", "-y", "--no-install-recommends", "install", "xauth"]).rc)

    threads = [threading.Thread(target=install, args=[host]) for host in hosts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [0, 0]


def test_a_small_disk_is_full_when_it_is_full(new_chroot_host: Callable[..., ChrootHost]) -> None:
    host = new_chroot_host(setup=Setup(disk_mb=16))
    ran = host.run(["dd", "if=/dev/zero", "of=/home/ana/big", "bs=1M", "count=32"])
    assert ran.rc == 1
    assert "No space left on device" in ran.stderr


def test_options_of_a_host_reach_it(new_chroot_host: Callable[..., ChrootHost], person: Person) -> None:
    setup = Setup(
        login_shell="/usr/bin/fish",
        key_prefix='environment="LAB=yes",no-pty',
        sshd_config="PermitUserEnvironment yes",
        files={"/etc/ssh/sshd_config.d/50-cloud.conf": "ClientAliveInterval 7\n"},
        sudo="ana ALL=(ALL) NOPASSWD: ALL",
    )
    host = new_chroot_host("trixie", "shells", setup)
    alias = person.alias("fish", host)
    assert person.run(["ssh", alias, "echo $version; echo $LAB; sudo -n id -u"]).stdout.splitlines()[1:] == [
        "yes",
        "0",
    ]
    assert "clientaliveinterval 7" in host.run(["/usr/sbin/sshd", "-T"]).stdout
    assert "fish" in person.run(["ssh", alias, "status fish-path; echo $FISH_VERSION fish"]).stdout


def test_the_screen_refuses_who_has_no_cookie(screen: Screen, person: Person) -> None:
    assert person.run(["xdpyinfo"]).rc == 0
    assert person.run(["xdpyinfo"], env={"XAUTHORITY": "/nonexistent"}).rc == 1
    assert screen.run(["xdpyinfo"]).returncode == 0
    number = int(screen.display[1:])
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", 6000 + number)) != 0, "no TCP"


def test_a_screen_without_security_lacks_the_extension(tmp_path: Path, lab: object) -> None:
    with Screen("640x480x24", without=["SECURITY", "MIT-SHM"], frame_buffer=True) as other:
        listed = other.run(["xdpyinfo"]).stdout
        assert "640x480 pixels" in listed
        assert "SECURITY" not in listed
        assert "MIT-SHM" not in listed
        assert other.frame_buffer.stat().st_size > 640 * 480 * 4
        assert other.screenshot(tmp_path / "screen.png").read_bytes().startswith(b"\x89PNG")


@pytest.fixture
def echo_port() -> Iterator[int]:
    """A server that sends back what it gets."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer(client: socket.socket) -> None:
            with client:
                try:
                    while data := client.recv(4096):
                        client.sendall(data)
                except ConnectionResetError:
                    pass

        def serve() -> None:
            while True:
                try:
                    client = listener.accept()[0]
                except OSError:
                    return
                threading.Thread(target=answer, args=[client], daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def test_a_relay_charges_its_delay_and_counts_round_trips(echo_port: int, lab: object) -> None:
    with (
        Relay(echo_port, delay=0.02) as relay,
        socket.create_connection((relay.address, relay.port)) as client,
    ):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        started = time.monotonic()
        client.sendall(b"0")
        client.recv(1)
        assert time.monotonic() - started >= 0.08, "two round trips: the handshake and the first answer"
        before = relay.counts()
        fastest = 9.0

        def round_trip() -> None:
            nonlocal fastest
            started = time.monotonic()
            client.sendall(b"ab")
            assert client.recv(2) == b"ab"
            fastest = min(fastest, time.monotonic() - started)

        for _ in range(9):
            round_trip()
        after = relay.counts()
        assert after.round_trips - before.round_trips == 9
        assert after.turns - before.turns == 9
        assert after.bytes_up - before.bytes_up == after.bytes_down - before.bytes_down == 18
        for _ in range(500):  # a busy machine is late, but not every time
            if fastest < 0.044:
                break
            round_trip()
        assert 0.04 <= fastest < 0.044


def test_requests_sent_without_waiting_are_one_round_trip(echo_port: int, lab: object) -> None:
    with (
        Relay(echo_port, delay=0.02) as relay,
        socket.create_connection((relay.address, relay.port)) as client,
    ):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(5):
            client.sendall(b"x")
        received = 0
        while received < 5:
            received += len(client.recv(5))
        assert relay.counts().round_trips == 1


def test_a_frozen_relay_passes_nothing_and_a_cut_one_resets(echo_port: int, lab: object) -> None:
    with (
        Relay(echo_port) as relay,
        socket.create_connection((relay.address, relay.port), timeout=90) as client,
    ):
        client.sendall(b"a")
        assert client.recv(1) == b"a"
        relay.freeze_at(1)
        client.sendall(b"b")
        runs.wait_for(relay.is_frozen, limit=90, what="the freeze")
        client.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(90)
        relay.thaw()
        assert client.recv(1) == b"b"
        relay.cut()
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_a_person_on_a_terminal_types_and_interrupts(person: Person) -> None:
    terminal = person.pty(["sh", "-c", "stty size; exec cat"], rows=33, columns=77)
    terminal.read_until("33 77")
    terminal.send("hello\r")
    terminal.read_until("hello\r\nhello")  # the terminal's echo, then cat's
    terminal.send("\x03")
    assert terminal.wait() == -signal.SIGINT
    assert person.processes() == []


def test_a_sandbox_sshd_lets_its_person_in(person: Person) -> None:
    with SandboxSshd(person, "X11Forwarding no") as sshd:
        person.write(".ssh/known_hosts", sshd.known_hosts_line)
        ran = person.run(["ssh", "-p", str(sshd.port), sshd.address, "id -un; echo $XAUTHORITY"])
        assert ran.stdout.splitlines()[0] == person.name
        assert ran.stdout.splitlines()[1].endswith("/Xauthority")


def test_a_killed_run_leaves_nothing_behind(lab: object) -> None:
    code = (
        "from tests.lab.hosts import ChrootHost; from tests.lab.screen import Screen\n"
        "from tests.lab.runs import current_run\n"
        "host = ChrootHost(); screen = Screen(); print(current_run().dir, host.port, flush=True); input()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        cwd=Path(__file__).parents[2], env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert child.stdout
    folder, port = child.stdout.readline().split()
    assert runs.mounts_below(Path(folder))
    child.send_signal(signal.SIGKILL)
    child.communicate()
    runs.wait_for(lambda: not Path(folder).exists(), limit=90, what="the guardian")
    assert runs.mounts_below(Path(folder)) == []
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(port))) != 0


def test_a_host_with_its_own_network_is_reached_and_its_network_is_the_tests_to_change(
    new_chroot_host: Callable[..., ChrootHost], person: Person
) -> None:
    host = new_chroot_host("bookworm", "bare", Setup(own_network=True))
    assert person.run(["ssh", person.alias("apart", host), "echo here"]).stdout == "here\n"
    host.check(["sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1"])
    assert "::1" not in host.check(["ip", "address", "show", "lo"])
    assert "::1" in runs.call(["ip", "address", "show", "lo"])
    link = host.link
    assert link
    assert link.is_up()
    host.stop()
    assert not Path("/sys/class/net", link.name).exists()


def test_a_user_of_a_host_may_make_namespaces(chroot_host: Callable[..., ChrootHost]) -> None:
    ran = chroot_host("bookworm").run(["unshare", "-Urn", "id", "-u"], user="ana")
    assert ran.stdout == "0\n", ran.stderr


def test_a_person_sees_this_machine_as_the_test_wants_it(person: Person) -> None:
    looks = ["sh", "-c", "command -v xauth; cat /mnt/there/it /proc/version; command -v ssh"]
    person.hide("/usr/bin/xauth")
    person.show("/mnt/there/it", "is\n")
    person.show("/proc/version", "another\n")
    assert person.run(looks).stdout == "is\nanother\n/usr/bin/ssh\n"
    assert Path("/usr/bin/xauth").exists()
    assert not Path("/mnt/there").exists()
    person.unveil()
    assert person.run(looks).stdout.splitlines()[0] == "/usr/bin/xauth"


def test_a_host_may_have_x11fwd_itself(new_chroot_host: Callable[..., ChrootHost]) -> None:
    host = new_chroot_host("trixie", "bare", Setup(x11fwd=True))
    before = host.snapshot()
    assert host.run(["x11fwd", "--version"], user="ana").stdout.startswith("x11fwd ")
    assert diff(before, host.snapshot()) == []


def test_a_killed_screen_starts_again_on_its_number(person: Person) -> None:
    with Screen() as screen:
        person.use_screen(screen)
        screen.kill()
        assert person.run(["xdpyinfo"]).rc != 0
        screen.start()
        assert person.run(["xdpyinfo"]).rc == 0
        screen.freeze()
        with pytest.raises(subprocess.TimeoutExpired):
            person.run(["xdpyinfo"], timeout=1)
        screen.thaw()
        assert person.run(["xdpyinfo"]).rc == 0


CHANGES = """
rm /etc/motd; rm -r /usr/share/doc/adduser; mkdir -p /usr/share/doc/adduser/anew
rm -r /etc/pam.d; mkdir /etc/pam.d; cp /etc/hostname /etc/pam.d/sshd
rm -r /etc/skel; echo a file >/etc/skel; ln -sfn /nowhere /etc/localtime
rm /etc/hostname; mkdir -p /etc/hostname/in/it; touch /etc/hostname/in/it/too
mv /etc/default /etc/defaults; mv /usr/share/perl5 /usr/share/perl
chmod 700 /var/spool; chown ana /usr/share/misc; mkfifo /opt/pipe; mknod /opt/null c 1 3
echo >>/usr/bin/ldd; touch /usr/bin/sort; sed -i s/hosts/HOSTS/ /etc/nsswitch.conf
"""


@pytest.mark.parametrize("variant", ["bare", "plot"])
def test_a_snapshot_looks_into_what_was_written_only_and_shows_what_a_look_at_everything_shows(
    new_chroot_host: Callable[..., ChrootHost], variant: str
) -> None:
    host = new_chroot_host("bookworm", variant)
    before = host.snapshot()
    assert before.nodes == take_all(host.root, host.upper, host.layers.folders).nodes
    host.check(["sh", "-euc", CHANGES])
    after = host.snapshot()
    assert after.nodes == take_all(host.root, host.upper, host.layers.folders).nodes
    assert len(diff(before, after)) > 100
