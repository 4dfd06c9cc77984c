"""The fault battery on real hosts: whatever dies in between, sshd stays valid and lets its user in."""

from __future__ import annotations

import os
import re
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.hosts.engine_rig import (
    DROP_IN,
    LIMITS,
    ROOT,
    STEPS,
    SUDO,
    SUDO_PASSWORD,
    Heard,
    PlainSsh,
    end_the_watchers_patience,
    engine,
    gated,
    health,
    open_gate,
    packages,
    replace_before,
    settle,
    speaks,
    sshd_change,
    wait_at_gate,
    workers,
    write,
)
from tests.lab.hosts import Setup, diff
from tests.lab.relay import Relay
from tests.lab.runs import start_time, wait_for
from x11fwd.errors import ChangeError, ConnectError, ConnectionLost
from x11fwd.steps.engine import Engine, EngineError, NoRightsError
from x11fwd.steps.plan import Outcome
from x11fwd.steps.privilege import WrongPasswordError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.hosts.conftest import Battery
    from tests.lab.hosts import ChrootHost, Host

SUDOERS = "ana ALL=(ALL) NOPASSWD: ALL"
STATE = "var/lib/x11fwd"


class Client:
    """A client process of its own that applies one change and does nothing afterwards; made to be killed."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.pid = os.fork()
        if self.pid == 0:
            try:
                work()
                signal.pause()
            finally:
                os._exit(0)

    def kill(self) -> None:
        """SIGKILL the client and its ssh at once, as the kernel does when a machine goes down."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        for pid in (self.pid, *map(int, children)):
            if start_time(pid) is not None:
                os.kill(pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def kill_inside(host: Host, lines: list[str]) -> None:
    """SIGKILL processes of a host by what `workers` said."""
    for line in lines:
        host.run(["kill", "-9", line.split()[0]])


# --- the client dies


def test_a_client_killed_before_the_reload_leaves_the_old_configuration(
    new_chroot_host: Callable[..., ChrootHost], battery: Battery
) -> None:
    # all at once: each waits until its watcher gives up
    steps = (1, 2, 5, 7, 8)
    hosts = {step: new_chroot_host(setup=Setup(sudo=SUDOERS)) for step in steps}
    clients = {step: Client(applying(host, step)) for step, host in hosts.items()}
    for step, host in hosts.items():
        wait_at_gate(host)
        clients[step].kill()
        open_gate(host)
    for step, host in hosts.items():
        with battery.case("client killed before the reload", STEPS[step]) as ended:
            settle(host)
            ended.append(f"{health(host)} restored")
            assert ended == ["old restored"]


def applying(host: Host, step: int) -> Callable[[], object]:
    """What a client does that comes to this gate."""
    change = sshd_change(host, **gated(host, step), confirm_seconds=2)
    return lambda: engine(host, "ana", SUDO).apply(change)


def test_a_client_killed_after_the_reload_leaves_the_old_configuration(
    new_chroot_host: Callable[..., ChrootHost], battery: Battery
) -> None:
    host = new_chroot_host(setup=Setup(sudo=SUDOERS))
    with battery.case("client killed after the reload") as ended:
        client = Client(lambda: engine(host, "ana", SUDO).apply(sshd_change(host, confirm_seconds=2)))
        wait_for(
            # the second reload is the watcher's: on a busy machine it may be over before this looks
            lambda: (
                any((host.root / STATE).glob("journal/*/state-pending"))
                or host.sshd_log().count("Received SIGHUP") > 1
            ),
            limit=90,
            what="the reload",
        )
        client.kill()
        settle(host)
        ended.append(f"{health(host)} restored")
        assert ended == ["old restored"]


def test_a_client_killed_during_an_installation_leaves_it_finished(
    new_chroot_host: Callable[..., ChrootHost], battery: Battery
) -> None:
    host = new_chroot_host(setup=Setup(sudo=SUDOERS))
    with battery.case("client killed while dpkg runs") as ended:
        client = Client(lambda: engine(host, "ana", SUDO).apply(packages("xauth")))
        wait_for(
            lambda: bool(list((host.root / STATE).glob("journal/*/state-acting"))),
            limit=90,
            what="the journal",
        )
        client.kill()
        settle(host)
        assert host.run(["dpkg", "--audit"]).stdout == ""
        assert host.run(["test", "-x", "/usr/bin/xauth"]).rc == 0
        (entry,) = engine(host).journal(as_root=True).entries
        assert entry.state == "done"
        assert "xauth" in entry.added
        ended.append("new confirmed")


# --- the network freezes


def side_by_side(work: Callable[[int, Host], None], cases: Sequence[int], hosts: Sequence[Host]) -> None:
    """Cases that wait rather than work, each on its own host; all come to their end, then the first error."""
    with ThreadPoolExecutor(len(cases)) as pool:
        ended = [pool.submit(work, case, host) for case, host in zip(cases, hosts, strict=True)]
    for one in ended:
        one.result()


def wait_at_gate_while(client: threading.Thread, host: Host) -> bool:
    """Wait until the engine is at the gate, or both halves of it have ended before."""

    def is_there() -> bool:
        return (host.root / "tmp/stopped").exists()

    ended = "the engine at the gate"
    wait_for(
        lambda: is_there() or not (client.is_alive() or workers(host)), limit=240, what=ended, every=0.05
    )
    return is_there()


@pytest.mark.parametrize("steps", [(1, 2, 3), (4, 5, 6), (7, 8, 9)])
def test_a_frozen_network_ends_in_the_old_configuration(
    new_chroot_host: Callable[..., ChrootHost], battery: Battery, steps: tuple[int, ...]
) -> None:
    def freeze_at(step: int, host: Host) -> None:
        relay = Relay(host.port)
        with battery.case("network frozen", STEPS.get(step, "before the confirmation")) as ended:
            change = sshd_change(host, **gated(host, step if step in STEPS else 0), confirm_seconds=2)
            limits = replace(LIMITS, silence=3)
            client = engine(host, "ana", SUDO, port=relay.port, limits=limits)
            caught: list[Exception] = []

            def work() -> None:
                try:
                    client.apply(change)
                    relay.freeze()
                    client.confirm()
                except Exception as error:
                    caught.append(error)

            thread = threading.Thread(target=work)
            thread.start()
            if step in STEPS:
                # a busy machine's login may take longer than this client is patient
                while not wait_at_gate_while(thread, host):
                    assert isinstance(caught.pop(), ConnectionLost)
                    thread = threading.Thread(target=work)
                    thread.start()
                relay.freeze()
                open_gate(host)
            thread.join(240)
            assert isinstance(caught[0], ConnectionLost), caught
            settle(host)
            ended.append(f"{health(host)} restored")
            assert ended == ["old restored"]

    side_by_side(freeze_at, steps, [new_chroot_host(setup=Setup(sudo=SUDOERS)) for _ in steps])


@pytest.mark.parametrize("turns", [(1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12)])
def test_a_network_cut_at_each_turn_of_the_conversation_ends_in_old_or_new(
    new_chroot_host: Callable[..., ChrootHost], battery: Battery, turns: tuple[int, ...]
) -> None:
    def cut_at(turn: int, host: Host) -> None:
        relay = Relay(host.port)
        with battery.case("network cut", f"turn {turn}") as ended:
            relay.cut_at(turn)
            client = engine(host, "ana", SUDO, port=relay.port)
            try:
                client.apply(sshd_change(host, confirm_seconds=2))
                client.confirm()
            except (ConnectError, ChangeError):
                pass
            settle(host)
            state = health(host)
            ended.append(f"{state} {'confirmed' if state == 'new' else 'restored'}")

    side_by_side(cut_at, turns, [new_chroot_host(setup=Setup(sudo=SUDOERS)) for _ in turns])


# --- the disk is full


def small_disk(host: Host, where: str, spare: int, *, files: bool = False) -> None:
    """Put a disk over a folder of the host that has room for `spare` more pages, or files."""
    limit = "nr_inodes=$((nodes + SPARE))" if files else "size=$(( (pages + SPARE) * 4096 ))"
    script = f"""
    test -d {where} || {{ mkdir -m 700 {where}; : >/tmp/made; }}
    mkdir /tmp/keep && cp -a {where}/. /tmp/keep/
    set -- $(stat -c 'mode=%a,uid=%u,gid=%g' {where})
    mount -t tmpfs -o size=64m,$1 small {where}
    cp -a /tmp/keep/. {where}/ && rm -rf /tmp/keep
    echo a size of 0 would mean no limit >{where}/.filler
    pages=$(df --output=used -B 4096 {where} | tail -n 1)
    nodes=$(df --output=iused {where} | tail -n 1)
    mount -o remount,{limit} {where}
    """
    host.check(["sh", "-ec", script.replace("SPARE", str(spare))])


def big_disk(host: Host, where: str) -> None:
    """Take it away again, with what was written onto it."""
    host.check(["sh", "-ec", f"umount {where}; if [ -e /tmp/made ]; then rmdir {where}; rm /tmp/made; fi"])


def sweep(attempt: Callable[[int], str]) -> None:
    """Try with more and more room until there is enough; `attempt` says which write failed, "" for none.

    Where the same one fails again and again, as a file of many pages does, up to three counts are left out,
    and tried after all where another write fails behind them.
    """
    last, room, same = "", 0, 0
    while room < 100:
        failed = attempt(room)
        if failed != last:
            for left_out in range(room - step(same) + 1, room):
                attempt(left_out)
        if not failed:
            return
        same = same + 1 if failed == last else 0
        last = failed
        room += step(same)
    raise AssertionError("the sweep ended before there was room enough")


def step(same: int) -> int:
    """How far to go on where the same write has failed so many times more."""
    return 1 if same < 2 else 2 if same < 4 else 4


def which_write(failed: EngineError | None) -> str:
    """The failed write in the remote's words, without the random parts of names."""
    return "" if failed is None else re.sub(r"[0-9a-f]{16}", "*", f"{failed.code} {failed.words}")


def try_on_a_small_disk(
    host: Host, line: PlainSsh, where: str, spare: int, *, files: bool
) -> tuple[str, str]:
    """One try of the whole change; what the host has come to, and which write failed."""
    small_disk(host, where, spare, files=files)
    client = Engine(line, SUDO, limits=LIMITS)
    failed: EngineError | None = None
    try:
        client.apply(sshd_change(host, confirm_seconds=2))
        client.confirm()
    except EngineError as error:
        failed = error
    assert failed is None or failed.words or failed.code in {"too-late", "died", "watcher"}, failed
    settle(host)
    state = health(host)
    big_disk(host, where)
    if state == "new":  # what was on the small disk has gone with it
        host.run(["rm", "-rf", DROP_IN, f"/{STATE}"])
        host.run(["sh", "-c", "kill -HUP $(cat /run/sshd.pid)"])
        wait_for(lambda: speaks(host, marked=False), limit=90, what="the old daemon")
    return state, which_write(failed)


@pytest.mark.parametrize("files", [False, True], ids=["pages", "files"])
@pytest.mark.parametrize("where", ["/etc/ssh/sshd_config.d", "/var/lib/x11fwd"])
def test_a_disk_that_fills_at_any_write_leaves_the_old_configuration_or_the_whole_new_one(
    new_chroot_host: Callable[..., ChrootHost], battery: Battery, where: str, files: bool
) -> None:
    host = new_chroot_host(setup=Setup(sudo=SUDOERS))
    before = host.snapshot()

    def attempt(spare: int) -> str:
        with battery.case(
            f"disk full, {where}", f"room for {spare} {'files' if files else 'pages'}"
        ) as ended:
            state, failed = try_on_a_small_disk(host, line, where, spare, files=files)
            ended.append("new confirmed" if state == "new" else "old restored")
        assert diff(before, host.snapshot()) == []
        assert failed or state == "new"
        return failed

    with PlainSsh(host, "ana", one_connection=True) as line:
        sweep(attempt)


def test_the_watcher_restores_an_existing_file_on_a_disk_that_is_full_by_then(
    new_chroot_host: Callable[..., ChrootHost], battery: Battery
) -> None:
    # the drop-in exists and says no, so the old bytes have to come back
    host = new_chroot_host(setup=Setup(sudo=SUDOERS, files={DROP_IN: "X11Forwarding no\n"}))
    before = host.snapshot()
    with battery.case("disk full, when the watcher restores") as ended:
        for where in ("/etc/ssh/sshd_config.d", "/var/lib/x11fwd"):
            small_disk(host, where, 200)
        change = sshd_change(host, file=replace_before(host, DROP_IN))
        assert engine(host, "ana", SUDO).apply(change).outcome is Outcome.PENDING
        for where in ("/etc/ssh/sshd_config.d", "/var/lib/x11fwd"):
            filled = host.run(["dd", "if=/dev/zero", f"of={where}/.fill", "bs=4096"])
            assert "No space left" in filled.stderr
        end_the_watchers_patience(host)
        settle(host)
        wait_for(lambda: speaks(host, marked=False), limit=90, what="the old daemon")
        assert host.run(["cat", DROP_IN]).stdout == "X11Forwarding no\n"
        assert host.run(["sh", "-c", "ls -A /etc/ssh/sshd_config.d; ls /var/lib/x11fwd"]).stdout.split() == [
            ".fill",
            ".filler",
            "00-x11fwd.conf",
        ]
        for where in ("/var/lib/x11fwd", "/etc/ssh/sshd_config.d"):
            host.run(["umount", where])
        ended.append("old restored")
    host.run(["rmdir", "/var/lib/x11fwd"])
    assert diff(before, host.snapshot()) == []


@pytest.mark.parametrize("files", [False, True], ids=["pages", "files"])
def test_a_home_that_fills_at_any_write_keeps_the_old_file_or_has_the_whole_new_one(
    new_chroot_host: Callable[..., ChrootHost], battery: Battery, files: bool
) -> None:
    old = b"backend: Agg\n" + b"# a comment that takes room\n" * 300
    new = old.replace(b"Agg", b"TkAgg")
    path = "/home/ana/.config/matplotlib/matplotlibrc"
    host = new_chroot_host()
    host.write(path, old, user="ana")
    before = host.snapshot()

    def attempt(spare: int) -> str:
        with battery.case("disk full, home", f"room for {spare} {'files' if files else 'pages'}") as ended:
            small_disk(host, "/home/ana", spare, files=files)
            outcome, failed = None, None
            try:
                outcome = Engine(line, ROOT, limits=LIMITS).apply(write(path, new, old)).outcome
            except EngineError as error:
                failed = error
            assert failed is None or failed.words or failed.code == "died", failed
            settle(host)
            content = host.run(["cat", path]).stdout.encode()
            left = host.run(["sh", "-c", "find /home/ana/.config -name '.x11fwd-*'; ls -A /home/ana"]).stdout
            assert ".x11fwd-" not in left
            # a file that is new although its outcome could not be told is in the journal, and can be undone
            assert content == (new if ".local" in left else old), failed
            big_disk(host, "/home/ana")
            ended.append("new confirmed" if content == new else "old restored")
        assert diff(before, host.snapshot()) == []
        assert failed or outcome is Outcome.DONE
        return which_write(failed)

    with PlainSsh(host, "ana", one_connection=True) as line:
        sweep(attempt)


def test_a_disk_that_fills_during_an_installation_ends_without_half_installed_packages(
    new_chroot_host: Callable[..., ChrootHost], battery: Battery
) -> None:
    host = new_chroot_host(setup=Setup(sudo=SUDOERS, disk_mb=7))
    with battery.case("disk full, during an installation") as ended:
        with pytest.raises(EngineError) as caught:
            engine(host, "ana", SUDO).apply(packages("xauth", "python3-tk"))
        assert "space" in " ".join(caught.value.words)
        settle(host)
        assert host.run(["dpkg", "--audit"]).stdout == ""
        assert health(host) == "old"
        ended.append("old restored")


# --- the configuration is somebody else's


BROKEN = Setup(sudo=SUDOERS, files={"/etc/ssh/sshd_config.d/50-cloud.conf": "X11Forward yes\n"})
FIRST = Setup(sudo=SUDOERS, files={"/etc/ssh/sshd_config.d/00-a.conf": "PrintMotd no\nX11Forwarding no\n"})
MATCH = Setup(sudo=SUDOERS, sshd_config="Match User ana\n    X11Forwarding no")
MATCH_DROP_IN = Setup(
    sudo=SUDOERS, files={"/etc/ssh/sshd_config.d/90-hard.conf": "Match Address *\n\tX11Forwarding no\n"}
)


def test_a_broken_foreign_drop_in_is_named_with_file_and_line_and_nothing_is_changed(
    new_chroot_host: Callable[..., ChrootHost], battery: Battery
) -> None:
    host = new_chroot_host()
    host.write("/etc/sudoers.d/lab", SUDOERS + "\n", mode=0o440)
    host.write("/etc/ssh/sshd_config.d/50-cloud.conf", "X11Forward yes\n")
    before = host.snapshot()
    with battery.case("broken foreign drop-in already there") as ended:
        with pytest.raises(EngineError) as caught:
            engine(host, "ana", SUDO).apply(sshd_change(host))
        assert caught.value.code == "sshd-broken"
        assert "50-cloud.conf: line 1: Bad configuration option: X11Forward" in caught.value.words[0]
        settle(host)
        assert diff(before, host.snapshot()) == []
        host.run(["rm", "/etc/ssh/sshd_config.d/50-cloud.conf"])
        assert health(host) == "old"
        ended.append("old restored")


@pytest.mark.parametrize(
    ("setup", "decides"),
    [
        (FIRST, "/etc/ssh/sshd_config.d/00-a.conf:2: X11Forwarding no"),
        (MATCH, "X11Forwarding no  (under `Match User ana`)"),
        (MATCH_DROP_IN, "/etc/ssh/sshd_config.d/90-hard.conf:2: X11Forwarding no  (under `Match Address *`)"),
    ],
    ids=["earlier drop-in", "Match block", "Match block in a later drop-in"],
)
def test_a_line_that_contradicts_is_named_and_nothing_is_changed(
    new_chroot_host: Callable[..., ChrootHost],
    battery: Battery,
    request: pytest.FixtureRequest,
    setup: Setup,
    decides: str,
) -> None:
    host = new_chroot_host(setup=setup)
    before = host.snapshot()
    with battery.case("a line that contradicts", request.node.callspec.id) as ended:
        with pytest.raises(EngineError) as caught:
            engine(host, "ana", SUDO).apply(sshd_change(host))
        assert caught.value.code == "contradicted"
        assert "sshd answers `x11forwarding no`" in caught.value.words[0]
        assert any(decides in line for line in caught.value.words), caught.value.words
        settle(host)
        assert diff(before, host.snapshot()) == []
        assert health(host) == "old"
        ended.append("old restored")


# --- the reload


@pytest.mark.parametrize(
    "reload",
    [
        (("false",), ("sh", "-c", "echo cannot reload >&2; exit 3")),
        (("sh", "-c", 'kill -9 "$1"; sleep 0.2', "sh", "{pid}"),),
    ],
    ids=["refused", "the daemon dies of it"],
)
def test_a_reload_that_fails_is_taken_back(
    new_chroot_host: Callable[..., ChrootHost],
    battery: Battery,
    request: pytest.FixtureRequest,
    reload: tuple[tuple[str, ...], ...],
) -> None:
    host = new_chroot_host(setup=Setup(sudo=SUDOERS))
    before = host.snapshot()
    with battery.case("sshd reload failing", request.node.callspec.id) as ended:
        with pytest.raises(EngineError) as caught:
            engine(host, "ana", SUDO).apply(sshd_change(host, reload=reload))
        assert caught.value.code == "reload"
        assert caught.value.words
        settle(host)
        assert health(host) == "old"
        assert diff(before, host.snapshot()) == []
        ended.append("old restored")


def test_a_change_that_nobody_confirms_goes_back_and_a_late_confirmation_is_told_so(
    new_chroot_host: Callable[..., ChrootHost], battery: Battery
) -> None:
    host = new_chroot_host(setup=Setup(sudo=SUDOERS))
    before = host.snapshot()
    with battery.case("nobody confirms") as ended:
        client = engine(host, "ana", SUDO)
        assert client.apply(sshd_change(host, confirm_seconds=6)).outcome is Outcome.PENDING
        settle(host)
        assert host.sshd_log().count("Received SIGHUP") == 2  # there, and back
        with pytest.raises(EngineError, match="too late"):
            client.confirm()
        assert health(host) == "old"
        assert diff(before, host.snapshot()) == []
        ended.append("old restored")


def test_a_file_that_somebody_else_writes_meanwhile_is_not_clobbered(
    new_chroot_host: Callable[..., ChrootHost], battery: Battery
) -> None:
    host = new_chroot_host(setup=Setup(sudo=SUDOERS))
    with battery.case("somebody else writes the file while it is pending") as ended:
        client = engine(host, "ana", SUDO)
        client.apply(sshd_change(host))
        host.write(DROP_IN, "# theirs\nX11Forwarding no\n")
        end_the_watchers_patience(host)
        settle(host)
        assert (host.root / DROP_IN[1:]).read_text() == "# theirs\nX11Forwarding no\n"
        wait_for(lambda: speaks(host, marked=False), limit=90, what="the old daemon")
        host.run(["rm", "-rf", DROP_IN, "/var/lib/x11fwd"])
        assert health(host) == "old"
        ended.append("theirs kept")


def test_the_watcher_does_not_reload_a_daemon_into_what_others_have_broken_meanwhile(
    new_chroot_host: Callable[..., ChrootHost], battery: Battery
) -> None:
    # SIGHUP makes sshd execute itself again: with a broken configuration nobody would be at the door
    host = new_chroot_host(setup=Setup(sudo=SUDOERS))
    with battery.case("somebody else breaks the files while it is pending") as ended:
        engine(host, "ana", SUDO).apply(sshd_change(host))
        host.write("/etc/ssh/sshd_config.d/50-theirs.conf", "X11Forward yes\n")
        end_the_watchers_patience(host)
        settle(host)
        assert not (host.root / DROP_IN[1:]).exists()
        assert host.sshd_pid() is not None
        assert PlainSsh(host, "ana").run(("true",)).exit_status == 0
        host.check(["sh", "-c", "rm /etc/ssh/sshd_config.d/50-theirs.conf; kill -HUP $(cat /run/sshd.pid)"])
        wait_for(lambda: speaks(host, marked=False), limit=90, what="the reload")
        assert health(host) == "old"
        ended.append("old restored")


# --- the remote's own end


@pytest.mark.parametrize("step", [*STEPS, 9])
def test_a_remote_that_loses_power_is_put_in_order_by_the_next_run(
    new_chroot_host: Callable[..., ChrootHost], battery: Battery, step: int
) -> None:
    host = new_chroot_host(setup=Setup(sudo=SUDOERS))
    before = host.snapshot()
    with battery.case("remote loses power", STEPS.get(step, "before the confirmation")) as ended:
        change = sshd_change(host, **gated(host, step if step in STEPS else 0), confirm_seconds=100)
        client = Client(lambda: engine(host, "ana", SUDO).apply(change))
        if step in STEPS:
            wait_at_gate(host)
        else:
            wait_for(
                lambda: bool(list((host.root / STATE).glob("journal/*/state-pending"))),
                limit=90,
                what="the reload",
            )
        kill_inside(host, workers(host))  # worker and watcher, as a power cut would
        client.kill()
        open_gate(host)
        settle(host)
        assert host.run(["/usr/sbin/sshd", "-t"]).rc == 0  # it would start again
        host.check(["sh", "-c", "kill $(cat /run/sshd.pid)"])
        wait_for(lambda: host.sshd_pid() is None, limit=90, what="the end of sshd")
        host.start_sshd()
        settled = engine(host, "ana", SUDO).recover(as_root=True)
        settle(host)
        assert health(host) == "old"
        assert bool(settled) == (step >= 5), settled
        assert diff(before, host.snapshot(), ignore=["/usr/local/sbin/sshd-gate"]) == []
        ended.append("old restored")


# --- the package manager's lock

HOLD = """
import fcntl, sys
lock = open("/var/lib/dpkg/lock-frontend", "w")
fcntl.lockf(lock, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_held_package_lock_is_waited_for_with_a_word_and_then_refused_with_a_sentence(
    new_chroot_host: Callable[..., ChrootHost], battery: Battery
) -> None:
    host = new_chroot_host(setup=Setup(sudo=SUDOERS))
    before = host.snapshot()
    heard, later = Heard(), Heard()
    holder = host.popen(["python3", "-c", HOLD])
    assert holder.stdout
    assert holder.stdout.readline() == b"held\n"
    with battery.case("package manager's lock held", "for longer than we wait") as ended:
        with pytest.raises(EngineError, match=r"lock-frontend is held by process .*python3") as caught:
            engine(host, "ana", SUDO, limits=replace(LIMITS, packages=2)).apply(packages("xauth"), heard)
        assert caught.value.code == "manager-locked"
        assert "waiting for the package manager" in heard.text()
        assert diff(before, host.snapshot()) == []
        ended.append("old restored")
    with battery.case("package manager's lock held", "for a while") as ended:
        with ThreadPoolExecutor(1) as pool:
            applied = pool.submit(engine(host, "ana", SUDO).apply, packages("xauth"), later)
            word = "waiting for the package manager"
            wait_for(lambda: word in later.text() or applied.done(), limit=90, what=word)
            holder.communicate()
            assert applied.result(240).outcome is Outcome.DONE
        assert word in later.text()
        assert host.run(["test", "-x", "/usr/bin/xauth"]).rc == 0
        ended.append("new confirmed")
    assert health(host) == "old"


# --- sudo


def test_a_wrong_sudo_password_is_asked_for_three_times_and_changes_nothing(
    new_chroot_host: Callable[..., ChrootHost], battery: Battery
) -> None:
    host = new_chroot_host()
    before = host.snapshot()
    cases: list[tuple[str, list[str | None], type[ChangeError]]] = [
        ("wrong three times", ["nope", "no\\pe ", "echo pwned"], WrongPasswordError),
        ("nobody answers", [None], NoRightsError),
    ]
    for name, words, error in cases:
        with battery.case("wrong sudo password", name) as ended:
            answers = list(words)
            client = engine(host, "ana", SUDO_PASSWORD, password=lambda _, left=answers: left.pop(0))
            with pytest.raises(error):
                client.apply(sshd_change(host))
            assert answers == []
            settle(host)
            assert health(host) == "old"
            assert diff(before, host.snapshot()) == []
            ended.append("old restored")


def test_the_right_password_after_a_wrong_one_is_taken_and_kept_off_every_record(
    new_chroot_host: Callable[..., ChrootHost], battery: Battery
) -> None:
    host = new_chroot_host()
    with battery.case("wrong sudo password", "right the second time") as ended:
        answers = iter(["nope", host.password])
        client = engine(host, "ana", SUDO_PASSWORD, password=lambda _: next(answers))
        assert client.apply(sshd_change(host)).outcome is Outcome.PENDING
        client.confirm()
        assert health(host) == "new"
        found = host.run(
            ["grep", "-r", "-l", "-F", host.password, "/var/lib/x11fwd", "/var/log", "/tmp", "/home"]
        )
        assert found.stdout == ""
        ended.append("new confirmed")


def test_somebody_who_is_not_in_sudoers_is_told_so(
    new_chroot_host: Callable[..., ChrootHost], battery: Battery
) -> None:
    host = new_chroot_host()
    before = host.snapshot()
    with battery.case("wrong sudo password", "not in sudoers") as ended:
        client = engine(host, "ben", SUDO_PASSWORD, password=lambda _: host.ben_password)
        with pytest.raises(NoRightsError, match="ben"):
            client.apply(sshd_change(host))
        settle(host)
        assert health(host) == "old"
        assert diff(before, host.snapshot()) == []
        ended.append("old restored")


# --- two at once


def test_of_two_setups_at_once_the_second_waits_and_then_finds_it_done(
    new_chroot_host: Callable[..., ChrootHost], battery: Battery
) -> None:
    host = new_chroot_host(setup=Setup(sudo=SUDOERS))
    with battery.case("two setups at once", "the first confirms") as ended:
        first, second = engine(host, "ana", SUDO), engine(host, "root", ROOT)
        first.apply(sshd_change(host, confirm_seconds=100))
        outcomes: list[object] = []
        heard = Heard()

        def work() -> None:
            outcomes.append(second.apply(sshd_change(host), heard).outcome)

        thread = threading.Thread(target=work)
        thread.start()
        wait_for(
            lambda: "waiting for an unconfirmed change" in heard.text(), limit=90, what="the second to wait"
        )
        first.confirm()
        thread.join(240)
        assert outcomes == [Outcome.UNCHANGED]
        settle(host)
        assert health(host) == "new"
        ended.append("new confirmed")


def test_a_second_setup_names_who_holds_the_lock(
    new_chroot_host: Callable[..., ChrootHost], battery: Battery
) -> None:
    host = new_chroot_host(setup=Setup(sudo=SUDOERS))
    with battery.case("two setups at once", "the first takes long") as ended:
        change = sshd_change(host, **gated(host, 5), confirm_seconds=2)
        client = Client(lambda: engine(host, "ana", SUDO).apply(change))
        wait_at_gate(host)
        with pytest.raises(EngineError, match=r"process \d+ of ana since 20\d\d-") as caught:
            engine(host, limits=replace(LIMITS, lock=1)).apply(sshd_change(host))
        assert caught.value.code == "locked"
        open_gate(host)
        client.kill()
        settle(host)
        assert health(host) == "old"
        ended.append("old restored")


def test_the_lock_of_a_dead_setup_is_broken(
    new_chroot_host: Callable[..., ChrootHost], battery: Battery
) -> None:
    host = new_chroot_host(setup=Setup(sudo=SUDOERS))
    with battery.case("two setups at once", "the first is dead") as ended:
        dead = "1 0 nonsense 2026-01-01T00:00:00Z ana"
        host.check(["sh", "-c", f"mkdir -m 700 /var/lib/x11fwd; echo {dead} >/var/lib/x11fwd/lock"])
        client = engine(host, "ana", SUDO)
        client.apply(sshd_change(host))
        client.confirm()
        assert health(host) == "new"
        ended.append("new confirmed")
