"""What a busy machine lets happen to the engine: two runs in one moment, a late end, a lost answer."""

from __future__ import annotations

import os
import shlex
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from tests.unit.engine.rig import NOBODY, SHELLS, Here, engine, here, write
from tests.unit.engine.test_work import Daemon, wait_for
from x11fwd.steps.engine import EngineError, UndoOutcome
from x11fwd.steps.plan import Change, InstallPackages, Outcome, PackageCommands
from x11fwd.steps.script import engine_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def remote() -> Iterator[Here]:
    """Under a shell whose mkdir, mv and rm are programs, which a test can hold up."""
    with here(next(iter(SHELLS))) as transport:
        yield transport


@pytest.fixture
def daemon(remote: Here) -> Daemon:
    return Daemon(remote)


def instead(remote: Here, program: str, before: str) -> None:
    """Put lines of shell in front of a program that the engine calls; `real` is the program itself.

    `first NAME` holds once for each name, whoever asks.
    """
    place = remote.home.parent / "bin" / program
    notes = remote.home.parent / "notes"
    notes.mkdir(exist_ok=True)
    if remote.as_nobody:
        os.chown(notes, NOBODY, NOBODY)
    real = subprocess.run(["which", program], capture_output=True, text=True, check=True).stdout.strip()
    place.write_text(
        f"#!/bin/sh\nreal={real} notes={notes} home={remote.home} state={remote.state}\n"
        f'first() {{ /bin/mkdir "$notes/$1" 2>/dev/null; }}\n{before}\nexec "$real" "$@"\n'
    )
    place.chmod(0o755)


def note(remote: Here, name: str) -> Path:
    return remote.home.parent / "notes" / name


# --- the empty folder of one run is cleared away by another one

LEAVES = 'case "$*" in */journal/.new-*) if first left; then rmdir "$state/journal"; fi ;; esac'
# all that another run has made, as it goes when that one ends
LEAVES_EARLY = """
case "$*" in */x11fwd/run*)
    if first left; then rm "$state/made"; rmdir "$state" "${state%/*}" "${state%/*/*}"; fi ;;
esac
"""


def test_a_journal_folder_that_is_cleared_away_just_now_is_made_once_more(remote: Here) -> None:
    instead(remote, "mkdir", LEAVES)
    assert engine(remote).apply(write(f"{remote.home}/rc", b"ours\n", None)).outcome is Outcome.DONE
    assert note(remote, "left").exists()


def test_whatever_is_cleared_away_at_its_beginning_a_run_leaves_nothing_of_its_own(remote: Here) -> None:
    folders = [remote.home / ".local", remote.home / ".local/state", remote.state]
    for folder in folders:
        folder.mkdir(mode=0o700)
    (remote.state / "made").write_text("".join(f"{folder}\n" for folder in folders))
    if remote.as_nobody:
        for path in (*folders, remote.state / "made"):
            os.chown(path, NOBODY, NOBODY)
    instead(remote, "mkdir", LEAVES_EARLY)
    client = engine(remote)
    assert client.apply(write(f"{remote.home}/rc", b"ours\n", None)).outcome is Outcome.DONE
    assert note(remote, "left").exists()
    client.undo(client.journal(as_root=False).entries[0])
    wait_for(lambda: not remote.parts())
    assert remote.tree() == {}


def test_who_begins_while_another_run_leaves_keeps_the_note_of_what_was_made(remote: Here) -> None:
    # another run's folder is there just before the state's own would go, and goes as that run would
    begins = f'case "$*" in "$state") if first began; then mkdir -p "$state/run/{"0" * 16}"; fi ;; esac'
    instead(remote, "rmdir", begins)
    client = engine(remote)
    client.journal(as_root=False)
    assert note(remote, "began").exists()
    (remote.state / "run" / ("0" * 16)).rmdir()
    client.journal(as_root=False)
    assert remote.tree() == {}


def test_a_run_that_only_looks_leaves_nothing_of_what_another_one_has_taken_back_meanwhile(
    remote: Here,
) -> None:
    client, looker = engine(remote), engine(remote)
    client.apply(write(f"{remote.home}/rc", b"ours\n", None))
    (entry,) = client.journal(as_root=False).entries
    # it has seen the journal, so it means to take its own folder away and nothing else
    held = 'if first held; then until [ -e "$notes/go" ]; do sleep 0.05; done; fi'
    instead(remote, "rm", f'case "$*" in */x11fwd/run/*) {held} ;; esac')
    looking = threading.Thread(target=looker.journal, kwargs={"as_root": False})
    looking.start()
    try:
        wait_for(note(remote, "held").exists)
        assert client.undo(entry).outcome is UndoOutcome.UNDONE
    finally:
        note(remote, "go").mkdir(exist_ok=True)
        looking.join(120)
    wait_for(lambda: not remote.parts())
    assert remote.tree() == {}


# --- what another run sees of one that is at its last lines

# the folder of what is pending goes, file by file; the mark that it is confirmed is one of the first
HELD = """
for last; do :; done
case "$last" in */pending/*)
    if [ -e "$last/entry" ] && first held; then
        /bin/rm -f "$last/confirmed" "$last/armed"
        until [ -e "$notes/go" ]; do sleep 0.05; done
    fi ;;
esac
"""


def test_a_second_run_never_takes_back_what_is_being_confirmed(remote: Here, daemon: Daemon) -> None:
    instead(remote, "rm", HELD)
    first, second = engine(remote), engine(remote)
    first.apply(daemon.change())
    confirming = threading.Thread(target=first.confirm)
    confirming.start()
    try:
        wait_for(note(remote, "held").exists)
        assert second.apply(daemon.change()).outcome is Outcome.UNCHANGED
    finally:
        note(remote, "go").mkdir(exist_ok=True)
        confirming.join(120)
    assert daemon.loaded.startswith(b"X11Forwarding yes\n")
    assert [one.state for one in first.journal(as_root=False).entries] == ["done"]


def test_who_dies_while_an_entry_goes_leaves_no_half_of_it(remote: Here) -> None:
    client = engine(remote)
    client.apply(write(f"{remote.home}/rc", b"ours\n", None))
    dies = 'case "$*" in */journal/*0001-write*) if first died; then for last; do :; done; '
    dies += '/bin/rm -f "$last/kind" "$last"/state-*; kill -9 "$PPID"; exit; fi ;; esac'
    instead(remote, "rm", dies)
    with pytest.raises(EngineError) as caught:
        client.undo(client.journal(as_root=False).entries[0])
    assert caught.value.code == "died"
    assert client.journal(as_root=False).entries == ()
    client.recover(as_root=False)
    wait_for(lambda: not remote.parts())
    assert remote.tree() == {}


# --- the answer to a confirmation is lost with its line


def test_a_confirmation_whose_answer_was_lost_is_given_again(remote: Here, daemon: Daemon) -> None:
    client = engine(remote)
    for undo in (False, True):
        if undo:
            assert client.undo(client.journal(as_root=False).entries[0]).outcome is UndoOutcome.PENDING
        else:
            client.apply(daemon.change())
        open_still = client._pending
        client.confirm()
        client._pending = open_still
        client.confirm()
        client._pending = open_still
        assert client.rollback() is False
        assert daemon.loaded.count(b"yes") == (0 if undo else 1)
    assert daemon.settled() == daemon.before


def test_a_change_that_went_back_is_not_taken_for_a_confirmed_one(remote: Here, daemon: Daemon) -> None:
    client = engine(remote)
    client.apply(daemon.change())
    client.confirm()
    (entry,) = client.journal(as_root=False).entries
    client.undo(entry)
    open_still = client._pending
    assert client.rollback() is True
    client._pending = open_still
    with pytest.raises(EngineError) as caught:
        client.confirm()
    assert caught.value.code == "too-late"
    assert [one.id for one in client.journal(as_root=False).entries] == [entry.id]


def test_a_file_that_others_wrote_meanwhile_was_confirmed_by_nobody(remote: Here, daemon: Daemon) -> None:
    client = engine(remote)
    client.apply(daemon.change())
    remote.file("etc/d/00-x11fwd.conf", b"X11Forwarding no\n")
    open_still = client._pending
    assert client.rollback() is True
    client._pending = open_still
    with pytest.raises(EngineError) as caught:
        client.confirm()
    assert caught.value.code == "too-late"


# --- the watcher


def test_a_reload_that_begins_in_the_watchers_last_second_has_all_its_time(
    remote: Here, daemon: Daemon
) -> None:
    # its only second lasts until the reload has begun, its second one until the test is through
    long = """
    [ "$1" = 1 ] || exec "$real" "$@"
    if first second; then until ls "$state"/pending/*/reloading >/dev/null 2>&1; do "$real" 0.05; done
    else until [ -e "$notes/go" ]; do "$real" 0.05; done
    fi
    exit
    """
    instead(remote, "sleep", long)
    client = engine(remote)
    try:
        assert client.apply(daemon.change(confirm_seconds=1)).outcome is Outcome.PENDING
        client.confirm()
    finally:
        note(remote, "go").mkdir(exist_ok=True)
    wait_for(lambda: not remote.parts())
    assert daemon.loaded.startswith(b"X11Forwarding yes\n")


# --- a part that starts late


def test_a_part_that_has_begun_and_is_slow_to_show_it_is_waited_for(remote: Here) -> None:
    # the work has claimed its run, and gets on only when whoever started it has lost patience
    slow = """
    case $1 in */unclaimed)
        if first claimed; then
            "$real" "$@"
            until [ -e "$notes/asked" ] || [ ! -d "${1%/*}" ]; do sleep 0.05; done
            exit 0
        fi
        /bin/mkdir "$notes/asked" ;;
    esac
    """
    instead(remote, "mv", slow)
    instead(remote, "sleep", "case $1 in 0.05) set -- 0.005 ;; esac")
    assert engine(remote).apply(write(f"{remote.home}/rc", b"ours\n", None)).outcome is Outcome.DONE
    assert (remote.home / "rc").read_bytes() == b"ours\n"


def test_a_part_that_has_not_begun_in_time_never_does_anything(remote: Here) -> None:
    instead(remote, "setsid", 'until [ -e "$notes/go" ]; do sleep 0.05; done')
    instead(remote, "sleep", "case $1 in 0.05) set -- 0.005 ;; esac")
    with pytest.raises(EngineError, match="could not be started"):
        engine(remote).apply(write(f"{remote.home}/rc", b"ours\n", None))
    note(remote, "go").mkdir()
    wait_for(lambda: not remote.parts())
    assert remote.tree() == {}


# --- single functions


def said(shell: str, folder: Path, script: str) -> str:
    """What lines of shell say that have the engine's functions."""
    functions = engine_text().partition("\nengine=$0\n")[0]
    for name in ("run", "state"):
        (folder / name).mkdir()
    text = f"{functions}\nx_nonce=mark run={folder}/run state={folder}/state who=me\n{script}\n"
    words = [*SHELLS[shell], "-c", text]
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("shell", SHELLS)
def test_a_work_that_has_closed_its_run_and_is_slow_to_say_so_has_not_died(
    shell: str, tmp_path: Path
) -> None:
    # what it came to is in the log; its folder, and its process's number with it, has gone already
    follow = """
    printf '@mark outcome done 0001-write\n@mark closing\n' >"$run/log"
    exec 3<"$run/log"
    nap() { :; }
    follow
    """
    lines = [line for line in said(shell, tmp_path, follow).splitlines() if line != "@mark alive"]
    assert lines == ["@mark outcome done 0001-write", "@mark closing", "@mark end 0"]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_lock_that_changes_hands_is_no_full_disk(shell: str, tmp_path: Path) -> None:
    # each time somebody has it, and each second time he has just given it back when his name is looked up
    busy = """
    x_lock_seconds=100 turns=0 held="$(identity $$) 2026-01-01T00:00:00Z ben"
    nap() { :; }
    sleep() { :; }
    take_lock() {
        turns=$((turns + 1))
        [ "$turns" -lt 60 ] || { rm -f "$state/lock"; ln "$run/lock" "$state/lock"; return; }
        if [ $((turns % 2)) -eq 0 ]; then rm -f "$state/lock"; else echo "$held" >"$state/lock"; fi
        return 1
    }
    lock
    echo "taken after $turns"
    """
    assert said(shell, tmp_path, busy).splitlines()[-1] == "taken after 60"


@pytest.mark.parametrize("shell", SHELLS)
def test_a_lock_whose_maker_died_before_he_signed_it_is_broken(shell: str, tmp_path: Path) -> None:
    unsigned = """
    touch -t 202601010000 "$state/lock"
    x_lock_seconds=0
    lock
    echo taken
    """
    assert said(shell, tmp_path, unsigned).splitlines()[-1] == "taken"


@pytest.mark.parametrize("shell", SHELLS)
def test_a_lock_that_cannot_be_signed_is_not_left_behind(shell: str, tmp_path: Path) -> None:
    # a file system without link(2), and the name's writer comes to nothing, as on a full disk
    nothing = """
    ln() { return 1; }
    take_lock || echo "none $(ls -A "$state")"
    """
    assert "none \n" in said(shell, tmp_path, nothing)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_reload_is_over_when_the_daemon_has_written_its_pid_file_again(shell: str, tmp_path: Path) -> None:
    # sshd takes the file away before it executes itself anew, and writes it once it listens
    reloading = """
    pid_file=$state/sshd.pid pid=$$ unit=
    echo $$ >"$pid_file"
    rr_mark=$(pid_file_mark)
    rm "$pid_file"
    naps=0
    nap() {
        naps=$((naps + 1))
        [ "$naps" -ne 7 ] || echo $$ >"$pid_file"
    }
    sshd_came_back && echo "back after $naps"
    """
    assert said(shell, tmp_path, reloading).splitlines()[-1] == "back after 7"


# --- two package managers

BOOKS = """
case $1 in
list) cat {home}/installed ;;
install)
    if mkdir {home}/first 2>/dev/null; then
        echo theirs >>{home}/installed # whoever has the lock goes on meanwhile
        echo 'E: Could not get lock'
        exit 100
    fi
    echo ours >>{home}/installed ;;
remove) grep -v -x -e "$2" {home}/installed >{home}/left; cat {home}/left >{home}/installed ;;
esac
"""


def test_what_another_package_manager_installs_while_we_wait_is_not_ours(remote: Here) -> None:
    remote.file("installed", b"old\n")
    books = remote.file("books", BOOKS.format(home=shlex.quote(str(remote.home))).encode())
    manager = PackageCommands(
        name="own",
        installed=("true",),
        all_installed=("sh", books, "list"),
        refresh=(),
        install=("sh", books, "install"),
        remove=("sh", books, "remove"),
        lock_words=("could not get lock",),
    )
    client = engine(remote)
    change = Change("packages-system", "Install", InstallPackages(manager, ("ours",)), become=False)
    assert client.apply(change).outcome is Outcome.DONE
    (entry,) = client.journal(as_root=False).entries
    assert entry.added == ("ours",)
    client.undo(entry)
    assert (remote.home / "installed").read_text() == "old\ntheirs\n"
