"""The engine's shell, run for real under every shell of this machine: files, journal, lock, sshd."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.unit.engine.rig import SHELLS, Here, engine, here, refusal, write
from x11fwd.facts.model import Privilege, PrivilegeKind
from x11fwd.steps.engine import EngineError, LineKind, SpokenLine, UndoOutcome
from x11fwd.steps.journal import Now
from x11fwd.steps.plan import Change, ChangeSshd, Outcome, RunCommand, WriteFile
from x11fwd.steps.privilege import boot
from x11fwd.steps.script import script_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

AWKWARD = bytes(range(256)) + b"\n'\"\\ %s %% \\n \\0123 $HOME `id` $(id)\n" + "é\n".encode() + b"no newline"


@pytest.fixture(params=list(SHELLS))
def remote(request: pytest.FixtureRequest) -> Iterator[Here]:
    with here(str(request.param)) as transport:
        yield transport


@pytest.fixture
def one_remote() -> Iterator[Here]:
    """Under one shell, for what takes seconds."""
    with here(next(iter(SHELLS))) as transport:
        yield transport


def wait_for(condition: Callable[[], bool], limit: float = 90) -> None:
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)


def test_any_bytes_arrive_and_undo_leaves_no_trace(remote: Here) -> None:
    client = engine(remote)
    path = f"{remote.home}/a folder/it's/rc"
    result = client.apply(write(path, AWKWARD, None, mode=0o640))
    assert (result.outcome, result.journal) == (Outcome.DONE, ("0001-write",))
    written = remote.home / "a folder/it's/rc"
    assert written.read_bytes() == AWKWARD
    assert written.stat().st_mode & 0o777 == 0o640
    assert client.apply(write(path, AWKWARD, None)).outcome is Outcome.UNCHANGED
    (entry,) = client.journal(as_root=False).entries
    assert (entry.path, entry.title, entry.now) == (path, f"Write {path}", Now.OURS)
    assert client.undo(entry).outcome is UndoOutcome.UNDONE
    assert remote.tree() == {}


def test_an_existing_file_keeps_its_mode_and_comes_back_with_its_time(remote: Here) -> None:
    path = remote.file("rc", b"old\n")
    (remote.home / "rc").chmod(0o600)
    os.utime(path, (1_000_000_000, 1_000_000_000))
    client = engine(remote)
    client.apply(write(path, b"new\n", b"old\n"))
    assert (remote.home / "rc").stat().st_mode & 0o777 == 0o600
    (entry,) = client.journal(as_root=False).entries
    client.undo(entry)
    restored = (remote.home / "rc").stat()
    assert (restored.st_mode & 0o777, restored.st_mtime) == (0o600, 1_000_000_000)
    assert remote.tree() == {"rc": b"old\n"}


def test_the_empty_file_and_a_large_one_are_files_like_others(remote: Here) -> None:
    client = engine(remote)
    large = b"# a line of matplotlibrc, and there are many of them\n" * 2000
    client.apply(write(f"{remote.home}/empty", b"", None))
    client.apply(write(f"{remote.home}/large", large, None))
    assert (remote.home / "large").read_bytes() == large
    assert (remote.home / "empty").read_bytes() == b""


def test_symlinks_are_followed_and_kept(remote: Here) -> None:
    remote.file("real", b"old\n")
    (remote.home / "one").symlink_to("real")
    (remote.home / "two").symlink_to(remote.home / "one")
    (remote.home / "loop").symlink_to("loop")
    client = engine(remote)
    client.apply(write(f"{remote.home}/two", b"new\n", b"old\n"))
    assert (remote.home / "two").is_symlink()
    assert (remote.home / "real").read_bytes() == b"new\n"
    with pytest.raises(EngineError, match="loop of symlinks"):
        client.apply(write(f"{remote.home}/loop", b"new\n", None))


@pytest.mark.parametrize("before", [None, b"what the plan was made from\n"])
def test_a_file_that_changed_since_it_was_read_is_refused(remote: Here, before: bytes | None) -> None:
    path = remote.file("rc", b"theirs\n")
    with pytest.raises(EngineError) as caught:
        engine(remote).apply(write(path, b"ours\n", before))
    assert caught.value.code == "changed"
    assert remote.tree() == {"rc": b"theirs\n"}


def test_a_folder_that_cannot_be_written_is_told_in_the_remotes_words(remote: Here) -> None:
    if os.geteuid() != 0:
        pytest.skip("somebody else's folder needs root to make")
    (remote.home / "shut").mkdir(mode=0o755)
    with pytest.raises(EngineError, match="Permission denied"):
        engine(remote).apply(write(f"{remote.home}/shut/rc", b"ours\n", None))
    assert remote.tree() == {"shut": None}


def test_a_home_that_takes_no_file_is_told_before_anything_is_done(remote: Here) -> None:
    if os.geteuid() != 0:
        pytest.skip("somebody else's folder needs root to make")
    os.chown(remote.home, 0, 0)
    with pytest.raises(EngineError, match=r"cannot be made on here.*Permission denied"):
        engine(remote).apply(write(f"{remote.home}/rc", b"ours\n", None))
    assert remote.tree() == {}


def test_a_script_that_did_not_arrive_whole_does_nothing(remote: Here) -> None:
    nonce = "0123456789abcdef"
    start = boot(nonce, Privilege(PrivilegeKind.NONE), become=False)
    variables = dict.fromkeys(("plan", "entry", "pending", "traces"), "") | {
        "op": "write",
        "lock_seconds": "1",
    }
    script = script_for(nonce, variables, write(f"{remote.home}/rc", b"ours\n", None))
    for share in (0.1, 0.5, 0.999):
        answer = remote.run(start.argv, stdin=start.preamble + script[: int(len(script) * share)])
        assert f"@{nonce} fail cut".encode() in answer.stdout
        assert remote.tree() == {}


def test_what_stands_before_the_marked_line_is_not_run(remote: Here) -> None:
    # sudo may leave the password unread in front of the script
    nonce = "0123456789abcdef"
    start = boot(nonce, Privilege(PrivilegeKind.NONE), become=False)
    touch = f"touch {remote.home}/oops; exit\n".encode()
    answer = remote.run(start.argv, stdin=touch + start.preamble + b"garbage")
    assert b"fail cut" in answer.stdout
    assert remote.tree() == {}


def test_progress_and_output_are_told_apart_and_a_check_decides(remote: Here) -> None:
    done = f"{remote.home}/done"
    change = Change(
        "command-x",
        "Do",
        RunCommand(
            ("test", "-e", done), ("sh", "-c", f"echo working; echo oops >&2; : >{done}"), ("rm", done)
        ),
        become=False,
    )
    heard: list[SpokenLine] = []
    client = engine(remote)
    assert client.apply(change, heard.append).outcome is Outcome.DONE
    assert [line.text for line in heard if line.kind is LineKind.OUTPUT] == ["working", "oops"]
    assert client.apply(change).outcome is Outcome.UNCHANGED
    (entry,) = client.journal(as_root=False).entries
    client.undo(entry)
    assert remote.tree() == {}


def test_a_command_that_fails_is_undone_and_forgotten(remote: Here) -> None:
    change = Change(
        "command-x",
        "Do",
        RunCommand(
            ("false",), ("sh", "-c", f"touch {remote.home}/half; echo why not"), ("rm", f"{remote.home}/half")
        ),
        become=False,
    )
    with pytest.raises(EngineError, match="why not"):
        engine(remote).apply(change)
    assert remote.tree() == {}


def test_the_work_goes_on_when_the_client_is_gone(one_remote: Here) -> None:
    remote = one_remote
    gate, done = f"{remote.home}/gate", f"{remote.home}/done"
    # ends by itself should the test fail half-way
    wait = f"n=0; until [ -e {gate} ] || [ $((n += 1)) -gt 4000 ]; do sleep 0.05; done; mv {gate} {done}"
    change = Change(
        "command-x", "Do", RunCommand(("test", "-e", done), ("sh", "-c", wait), ("rm", done)), False
    )
    nonce = "fedcba9876543210"
    client = engine(remote)
    run = {**client._variables("command"), "traces": ""}
    start = boot(nonce, Privilege(PrivilegeKind.NONE), become=False)
    process = remote.start(start.argv)
    assert process.stdin is not None
    process.stdin.write(start.preamble + script_for(nonce, run, change))
    process.stdin.close()
    wait_for(lambda: bool(list(remote.state.glob("journal/*/state-acting"))))
    os.killpg(process.pid, signal.SIGKILL)  # everything in the connection's own session
    process.wait()
    with pytest.raises(
        EngineError, match=r"another x11fwd is changing this host \(process \d+ of .* since 2"
    ):
        client.apply(write(f"{remote.home}/rc", b"ours\n", None))
    remote.file("gate", b"")
    wait_for(lambda: bool(list(remote.state.glob("journal/*/state-done"))))
    wait_for(lambda: not (remote.state / "lock").exists())
    assert client.apply(change).outcome is Outcome.UNCHANGED
    client.undo(client.journal(as_root=False).entries[0])
    assert remote.tree() == {}


def worker(remote: Here) -> int:
    (pid,) = remote.state.glob("run/*/pid")
    return int(pid.read_text().split()[0])


def test_a_worker_that_is_killed_is_told_and_the_next_run_settles_its_lock_and_entry(
    one_remote: Here,
) -> None:
    remote = one_remote
    change = Change("command-x", "Do", RunCommand(("false",), ("sleep", "60"), ("true",)), become=False)
    client = engine(remote)
    caught: list[BaseException] = []

    import threading

    def work() -> None:
        try:
            client.apply(change)
        except EngineError as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    wait_for(lambda: bool(list(remote.state.glob("journal/*/state-acting"))))
    os.killpg(worker(remote), signal.SIGKILL)  # it leads a session of its own
    thread.join(120)
    assert isinstance(caught[0], EngineError)
    assert caught[0].code == "died"
    assert (remote.state / "lock").exists()
    assert client.apply(write(f"{remote.home}/rc", b"ours\n", None)).outcome is Outcome.DONE
    assert not (remote.state / "lock").exists()


@pytest.mark.parametrize(
    ("now", "left"), [(b"old\n", 0), (b"new\n", 1), (b"theirs\n", 1)], ids=["before", "after", "foreign"]
)
def test_an_unfinished_write_is_judged_by_what_the_file_holds(remote: Here, now: bytes, left: int) -> None:
    path = remote.file("rc", b"old\n")
    client = engine(remote)
    client.apply(write(path, b"new\n", b"old\n"))
    (entry,) = remote.state.glob("journal/*")
    (entry / "state-done").rename(entry / "state-acting")  # as if power had gone before the end
    remote.file("rc", now)
    remote.file(f".x11fwd-new-{(entry / 'nonce').read_text().strip()}", b"half")
    client.recover(as_root=False)
    assert len(client.journal(as_root=False).entries) == left
    assert (remote.home / "rc").read_bytes() == now
    assert not list(remote.home.glob(".x11fwd-*"))


def test_what_others_changed_is_left_alone_and_shown(remote: Here) -> None:
    client = engine(remote)
    path = f"{remote.home}/rc"
    client.apply(write(path, b"one\ntwo\n", None))
    remote.file("rc", b"one\nTWO\n")
    (entry,) = client.journal(as_root=False).entries
    assert entry.now is Now.FOREIGN
    assert entry.difference == ("@@ -1,2 +1,2 @@", " one", "-two", "+TWO")
    result = client.undo(entry)
    assert (result.outcome, result.difference) == (UndoOutcome.FOREIGN, entry.difference)
    assert (remote.home / "rc").read_bytes() == b"one\nTWO\n"
    assert [one.id for one in client.journal(as_root=False).entries] == [entry.id]


def test_a_state_folder_of_somebody_elses_is_not_used(remote: Here) -> None:
    if os.geteuid() != 0:
        pytest.skip("somebody else's folder needs root to make")
    remote.state.mkdir(parents=True)
    remote.state.chmod(0o777)
    with pytest.raises(EngineError, match="belongs to somebody else"):
        engine(remote).apply(write(f"{remote.home}/rc", b"ours\n", None))
    assert not (remote.home / "rc").exists()


# --- sshd, with a program that stands for it: what a user's own daemon (demo) needs, and every way out

SSHD = """#!/bin/sh
# accepts what has not the word broken in it, answers for X11Forwarding as its files say: the first value
mode= file={main}
while [ $# -gt 0 ]; do
    case $1 in -t | -T) mode=$1 ;; -f) file=$2; shift ;; -C | -h) shift ;; esac
    shift
done
lines=$(while IFS= read -r line; do
    case $line in
    Include*) cat $(printf '%s' "${{line#Include }}" | tr -d '"') 2>/dev/null ;;
    *) printf '%s\\n' "$line" ;;
    esac
done <"$file")
case $lines in *broken*) echo "$file: line 1: Bad configuration option: broken" >&2; exit 255 ;; esac
[ "$mode" = -T ] || exit 0
echo "pidfile {pid}"
printf '%s\\n' "$lines" | sed -n 's/^X11Forwarding /x11forwarding /p' | head -n 1
"""


class Daemon:
    """A configuration with a drop-in folder, and a reload that copies what is there into `loaded`."""

    def __init__(self, remote: Here) -> None:
        self.remote = remote
        home = remote.home
        for folder in ("etc", "etc/d"):
            (home / folder).mkdir()
            if remote.as_nobody:
                os.chown(home / folder, 65534, 65534)
        remote.file("etc/config", f"Include {home}/etc/d/*.conf\nX11Forwarding no\n".encode())
        remote.file("sshd", SSHD.format(main=f"{home}/etc/config", pid=f"{home}/pid").encode())
        (home / "sshd").chmod(0o755)
        self.before = remote.tree()

    def change(self, content: bytes = b"X11Forwarding yes\n", **more: object) -> Change:
        home = self.remote.home
        options: dict[str, object] = {
            "file": WriteFile(f"{home}/etc/d/00-x11fwd.conf", content, None),
            "binary": f"{home}/sshd",
            "config_file": f"{home}/etc/config",
            "custom_config": True,
            "expect": (("x11forwarding", "yes"),),
            "connection": "user=me,host=here,addr=127.0.0.1,laddr=127.0.0.1,lport=22",
            "reload": (
                ("sh", "-c", f"cat {home}/etc/d/*.conf {home}/etc/config >{home}/loaded 2>/dev/null; :"),
            ),
            "confirm_seconds": 600,
            **more,
        }
        return Change("sshd-x11forwarding", "Allow", ChangeSshd(**options), become=False)  # type: ignore[arg-type]

    def settled(self) -> dict[str, bytes | None]:
        """The tree once nothing is open any more, without the note of what was loaded."""
        wait_for(lambda: not self.remote.parts())
        return {name: content for name, content in self.remote.tree().items() if name != "loaded"}

    @property
    def loaded(self) -> bytes:
        return (self.remote.home / "loaded").read_bytes()


@pytest.fixture
def daemon(remote: Here) -> Daemon:
    return Daemon(remote)


def test_a_confirmed_change_stays_and_its_undo_leaves_no_trace(remote: Here, daemon: Daemon) -> None:
    client = engine(remote)
    waits = [client.waits]
    assert client.apply(daemon.change()).outcome is Outcome.PENDING
    waits.append(client.waits)
    client.confirm()
    assert [*waits, client.waits] == [False, True, False]
    assert daemon.loaded.startswith(b"X11Forwarding yes\n")
    (entry,) = client.journal(as_root=False).entries
    assert client.undo(entry).outcome is UndoOutcome.PENDING
    client.confirm()
    assert daemon.settled() == daemon.before
    assert daemon.loaded.count(b"yes") == 0


def test_nobody_confirms_and_the_watcher_takes_it_back(remote: Here, daemon: Daemon) -> None:
    client = engine(remote)
    while (refused := refusal(client, daemon.change(confirm_seconds=4))) is not None:
        assert refused.code == "watcher"  # a busy machine did not come to the reload in its time
    assert daemon.settled() == daemon.before
    assert daemon.loaded.count(b"yes") == 0
    with pytest.raises(EngineError) as caught:
        client.confirm()
    assert caught.value.code == "too-late"


def test_a_rollback_needs_no_patience(remote: Here, daemon: Daemon) -> None:
    client = engine(remote)
    client.apply(daemon.change())
    client.rollback()
    assert daemon.settled() == daemon.before
    assert daemon.loaded.count(b"yes") == 0


def test_a_broken_configuration_is_refused_in_sshds_words(remote: Here, daemon: Daemon) -> None:
    remote.file("etc/d/50-theirs.conf", b"broken\n")
    before = remote.tree()
    with pytest.raises(EngineError, match="line 1: Bad configuration option: broken") as caught:
        engine(remote).apply(daemon.change())
    assert caught.value.code == "sshd-broken"
    assert daemon.settled() == before


def test_a_candidate_that_sshd_does_not_take_never_gets_there(remote: Here, daemon: Daemon) -> None:
    with pytest.raises(EngineError) as caught:
        engine(remote).apply(daemon.change(b"broken\n"))
    assert caught.value.code == "sshd-candidate"
    assert caught.value.words == (
        f"{remote.home}/etc/d/00-x11fwd.conf: line 1: Bad configuration option: broken",
    )
    assert daemon.settled() == daemon.before


def test_a_line_that_is_read_earlier_is_named(remote: Here, daemon: Daemon) -> None:
    remote.file("etc/d/00-a.conf", b"# theirs\nX11Forwarding no\n")
    before = remote.tree()
    with pytest.raises(EngineError) as caught:
        engine(remote).apply(daemon.change())
    assert caught.value.code == "contradicted"
    assert caught.value.words[0] == "wanted `x11forwarding yes`, sshd answers `x11forwarding no`"
    assert f"{remote.home}/etc/d/00-a.conf:2: X11Forwarding no" in caught.value.words
    assert daemon.settled() == before
    assert not (remote.home / "loaded").exists()  # found out before anything was installed


def test_a_reload_that_fails_is_taken_back_with_its_words(remote: Here, daemon: Daemon) -> None:
    reload = (("sh", "-c", "echo no init here >&2; exit 1"), ("false",))
    listener = subprocess.Popen(["/usr/sbin/sshd", "60"], executable="/bin/sleep")  # only its name matters
    try:
        remote.file("pid", f"{listener.pid}\n".encode())
        before = remote.tree()
        with pytest.raises(EngineError) as caught:
            engine(remote).apply(daemon.change(reload=reload))
        assert caught.value.code == "reload"
        assert "no init here" in caught.value.words
        assert daemon.settled() == before
    finally:
        listener.kill()
        listener.wait()


def test_the_work_has_the_logins_home_and_proxies(remote: Here) -> None:
    remote.env |= {"https_proxy": "http://it's:a$b@proxy:3128", "NO_PROXY": "localhost", "OTHER": "no"}
    show = f'printf "%s\\n" "$https_proxy" "$NO_PROXY" "$HOME" >{remote.home}/seen'
    done = RunCommand(("test", "-e", f"{remote.home}/seen"), ("sh", "-c", show), ("true",))
    engine(remote).apply(Change("command-x", "Do", done, become=False))
    seen = (remote.home / "seen").read_text().splitlines()
    assert seen == ["http://it's:a$b@proxy:3128", "localhost", str(remote.home)]
