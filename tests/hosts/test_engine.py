"""The engine on real hosts: files, packages, sshd, journal and undo, each as the person who may do it."""

from __future__ import annotations

import hashlib
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.hosts.engine_rig import (
    APT,
    DROP_IN,
    LIMITS,
    SUDO,
    Heard,
    end_the_watchers_patience,
    engine,
    health,
    packages,
    settle,
    speaks,
    sshd_change,
    write,
)
from tests.lab.hosts import Setup, diff
from tests.lab.runs import wait_for
from x11fwd.steps.engine import EngineError, UndoOutcome
from x11fwd.steps.journal import EntryKind, Now
from x11fwd.steps.plan import (
    Change,
    ControlService,
    InstallInEnvironment,
    InstallPackages,
    Outcome,
    RunCommand,
    WriteFile,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab.hosts import BootedHost, ChrootHost
    from x11fwd.steps.engine import Engine

SUDOERS = Setup(sudo="ana ALL=(ALL) NOPASSWD: ALL")
RC = "/home/ana/.config/matplotlib/matplotlibrc"


def undo_all(client: Engine, *, as_root: bool) -> list[UndoOutcome]:
    outcomes = []
    for entry in reversed(client.journal(as_root=as_root).entries):
        result = client.undo(entry)
        if result.outcome is UndoOutcome.PENDING:
            client.confirm()
        outcomes.append(result.outcome)
    return outcomes


# --- files


def test_a_new_file_and_its_folders_come_and_go_without_a_trace(
    new_chroot_host: Callable[..., ChrootHost],
) -> None:
    host = new_chroot_host()
    before = host.snapshot()
    content = b"backend: TkAgg\n# \xc3\xa9 \\ ' \" %s $HOME `x`\n\0\xff no newline at the end"
    client = engine(host, "ana")
    result = client.apply(write(RC, content, None))
    assert (result.outcome, result.journal) == (Outcome.DONE, ("0001-write",))
    assert (host.root / RC[1:]).read_bytes() == content
    assert host.run(["stat", "-c", "%U %a", RC, "/home/ana/.config"]).stdout == "ana 644\nana 755\n"
    assert client.apply(write(RC, content, None)).outcome is Outcome.UNCHANGED
    (entry,) = client.journal(as_root=False).entries
    assert (entry.kind, entry.path, entry.created, entry.now) == (EntryKind.WRITE, RC, True, Now.OURS)
    assert entry.who == "ana from 127.0.0.1"
    assert undo_all(client, as_root=False) == [UndoOutcome.UNDONE]
    settle(host)
    assert diff(before, host.snapshot()) == []


def test_an_existing_file_keeps_mode_owner_and_symlink_and_comes_back_with_its_time(
    new_chroot_host: Callable[..., ChrootHost],
) -> None:
    host = new_chroot_host()
    old = b"backend: Agg\n"
    host.write("/home/ana/dotfiles/mpl", old, mode=0o640, user="ana")
    script = "touch -d '2020-02-02 02:02:02' dotfiles/mpl; ln -s dotfiles/mpl rc; chgrp 4 dotfiles/mpl"
    host.check(["sh", "-ec", f"cd /home/ana; {script}"])
    before = host.snapshot()
    look = ["stat", "-c", "%a %u %g %Y", "/home/ana/dotfiles/mpl"]
    was = host.run(look).stdout
    client = engine(host)
    client.apply(write("/home/ana/rc", b"backend: TkAgg\n", old))
    assert host.run(["readlink", "/home/ana/rc"]).stdout == "dotfiles/mpl\n"
    assert host.run(["cat", "/home/ana/rc"]).stdout == "backend: TkAgg\n"
    assert host.run(look).stdout.split()[:3] == was.split()[:3]
    assert undo_all(client, as_root=True) == [UndoOutcome.UNDONE]
    assert host.run(look).stdout == was
    settle(host)
    assert diff(before, host.snapshot()) == []


def test_a_file_that_changed_since_it_was_read_is_refused(new_chroot_host: Callable[..., ChrootHost]) -> None:
    host = new_chroot_host()
    host.write(RC, "backend: Agg\n", user="ana")
    before = host.snapshot()
    for expected in (None, b"something else\n"):
        with pytest.raises(EngineError, match="changed by somebody else") as caught:
            engine(host, "ana").apply(write(RC, b"backend: TkAgg\n", expected))
        assert caught.value.code == "changed"
    settle(host)
    assert diff(before, host.snapshot()) == []


def test_a_home_that_cannot_be_written_is_told_with_the_remotes_own_words(
    new_chroot_host: Callable[..., ChrootHost],
) -> None:
    host = new_chroot_host()
    host.check(["chown", "root:root", "/home/ana"])
    before = host.snapshot()
    with pytest.raises(EngineError, match="Permission denied"):
        engine(host, "ana").apply(write(RC, b"backend: TkAgg\n", None))
    assert diff(before, host.snapshot()) == []


# --- packages


def test_packages_leave_no_trace_after_undo_and_those_needed_since_stay(
    new_chroot_host: Callable[..., ChrootHost],
) -> None:
    host = new_chroot_host(setup=SUDOERS)
    before = host.snapshot()
    client = engine(host, "ana", SUDO)
    heard = Heard()
    assert client.apply(packages("xauth", "procps"), heard).outcome is Outcome.DONE
    assert "installing xauth" in heard.text()
    (entry,) = client.journal(as_root=True).entries
    assert {"xauth", "libxau6:amd64"} <= set(entry.added)
    assert "procps" not in entry.added  # it was there
    assert client.apply(packages("xauth")).outcome is Outcome.UNCHANGED

    assert undo_all(client, as_root=True) == [UndoOutcome.UNDONE]
    settle(host)
    assert diff(before, host.snapshot()) == []

    client.apply(packages("xauth"))
    host.check(["apt-get", "-qq", "-y", "--no-install-recommends", "install", "x11-utils"])
    (entry,) = client.journal(as_root=True).entries
    result = client.undo(entry)
    assert result.outcome is UndoOutcome.UNDONE
    assert "libx11-6:amd64" in result.kept
    assert host.run(["sh", "-c", "command -v xdpyinfo; command -v xauth"]).stdout == "/usr/bin/xdpyinfo\n"
    assert host.run(["dpkg", "--audit"]).stdout == ""


def test_packages_may_be_kept_and_the_journal_forgets_them(
    new_chroot_host: Callable[..., ChrootHost],
) -> None:
    host = new_chroot_host(setup=SUDOERS)
    client = engine(host, "ana", SUDO)
    client.apply(packages("xauth"))
    (entry,) = client.journal(as_root=True).entries
    assert client.undo(entry, remove_packages=False).outcome is UndoOutcome.KEPT
    assert host.run(["test", "-x", "/usr/bin/xauth"]).rc == 0
    assert not (host.root / "var/lib/x11fwd").exists()


def test_missing_package_lists_are_fetched_and_an_unknown_package_is_named(
    new_chroot_host: Callable[..., ChrootHost],
) -> None:
    host = new_chroot_host(setup=SUDOERS)
    host.run(["sh", "-c", "rm -rf /var/lib/apt/lists/*"])
    heard = Heard()
    client = engine(host, "ana", SUDO)
    assert client.apply(packages("xauth"), heard).outcome is Outcome.DONE
    assert "bringing the package lists up to date" in heard.text()
    with pytest.raises(EngineError, match="Unable to locate package no-such-thing") as caught:
        client.apply(packages("no-such-thing"))
    assert caught.value.code == "simulate"


def test_nothing_else_is_upgraded_or_removed_for_our_sake(new_chroot_host: Callable[..., ChrootHost]) -> None:
    host = new_chroot_host(setup=SUDOERS)
    before = host.snapshot()
    # an apt that would upgrade and remove: what the simulation says is what counts
    fake = """#!/bin/sh
    case " $* " in *" -s "*) echo "Inst bash [5.2] (5.3 x)"; echo "Remv sudo [1]" ;; *) exit 9 ;; esac
    """
    host.write("/usr/local/bin/fake-apt", fake, mode=0o755)
    commands = replace(APT, install=("/usr/local/bin/fake-apt", "install"))
    change = replace(packages("xauth"), action=InstallPackages(commands, ("xauth",)))
    with pytest.raises(EngineError) as caught:
        engine(host, "ana", SUDO).apply(change)
    assert caught.value.code == "would-change"
    assert caught.value.words == ("upgrade bash", "remove sudo")
    settle(host)
    assert diff(before, host.snapshot(), ignore=["/usr/local/bin/fake-apt"]) == []


def test_pip_adds_to_an_environment_and_changes_nothing_in_it(
    new_chroot_host: Callable[..., ChrootHost],
) -> None:
    host = new_chroot_host()
    # an environment whose pip is a script: what it is asked is what counts here
    host.write(
        "/home/ana/env/bin/python",
        """#!/bin/sh
        cd /home/ana/env
        case " $* " in
        *" list "*) cat packages ;;
        *" install "*)
            grep -q '^numpy==1.0$' "$7" || exit 7
            printf '%s\n' matplotlib==3.11 pillow==9 >>packages ;;
        *" uninstall "*) grep -v -e matplotlib -e pillow packages >rest; mv rest packages ;;
        esac
        """,
        mode=0o755,
        user="ana",
    )
    host.write("/home/ana/env/packages", "numpy==1.0\npip==23\n", user="ana")
    before = host.snapshot()
    action = InstallInEnvironment("/home/ana/env/bin/python", "pip", "/home/ana/env", ("matplotlib>=3.5",))
    client = engine(host, "ana")
    assert client.apply(Change("packages-env", "Install matplotlib", action, False)).outcome is Outcome.DONE
    (entry,) = client.journal(as_root=False).entries
    assert entry.added == ("matplotlib==3.11", "pillow==9")
    assert undo_all(client, as_root=False) == [UndoOutcome.UNDONE]
    settle(host)
    assert diff(before, host.snapshot()) == []


# --- services and commands


def test_a_command_runs_once_and_its_undo_takes_it_back(new_chroot_host: Callable[..., ChrootHost]) -> None:
    host = new_chroot_host()
    before = host.snapshot()
    action = RunCommand(
        ("test", "-e", "/home/ana/it's done"), ("touch", "/home/ana/it's done"), ("rm", "/home/ana/it's done")
    )
    change = Change("command-touch", "Touch", action, False)
    client = engine(host, "ana")
    assert client.apply(change).outcome is Outcome.DONE
    assert client.apply(change).outcome is Outcome.UNCHANGED
    assert undo_all(client, as_root=False) == [UndoOutcome.UNDONE]
    settle(host)
    assert diff(before, host.snapshot()) == []


def test_a_service_is_brought_into_its_state_by_the_first_way_that_works(
    new_chroot_host: Callable[..., ChrootHost],
) -> None:
    host = new_chroot_host()
    ways = (("no-such-init", "start"), ("touch", "/home/ana/started"), ("touch", "/home/ana/twice"))
    action = ControlService("thing", "started", ways, (("rm", "/home/ana/started"),))
    client = engine(host, "ana")
    assert client.apply(Change("service-thing-started", "Start", action, False)).outcome is Outcome.DONE
    assert host.run(["ls", "/home/ana"]).stdout == "started\n"
    undo_all(client, as_root=False)
    assert host.run(["ls", "/home/ana"]).stdout == ""
    with pytest.raises(EngineError, match="no-such-init"):
        client.apply(Change("s", "Start", replace(action, commands=ways[:1]), False))


# --- sshd


def test_a_confirmed_change_of_sshd_stays_and_undo_brings_the_tree_back(
    new_chroot_host: Callable[..., ChrootHost],
) -> None:
    host = new_chroot_host(setup=SUDOERS)
    before = host.snapshot()
    client = engine(host, "ana", SUDO)
    assert client.apply(sshd_change(host)).outcome is Outcome.PENDING
    client.confirm()
    assert health(host) == "new"
    assert host.run(["stat", "-c", "%U %a", DROP_IN]).stdout == "root 644\n"
    assert undo_all(client, as_root=True) == [UndoOutcome.PENDING]
    settle(host)
    assert health(host) == "old"
    assert diff(before, host.snapshot()) == []


def test_an_undo_of_sshd_that_nobody_confirms_brings_our_change_back(
    new_chroot_host: Callable[..., ChrootHost],
) -> None:
    host = new_chroot_host(setup=SUDOERS)
    client = engine(host, "ana", SUDO, limits=replace(LIMITS, undo_confirm=1))
    client.apply(sshd_change(host))
    client.confirm()
    (entry,) = client.journal(as_root=True).entries
    assert client.undo(entry).outcome is UndoOutcome.PENDING
    wait_for(lambda: speaks(host, marked=False), limit=90, what="the old daemon")
    settle(host)
    assert health(host) == "new"
    assert [one.id for one in client.journal(as_root=True).entries] == [entry.id]


def test_the_main_file_is_changed_and_restored_byte_for_byte(
    new_chroot_host: Callable[..., ChrootHost],
) -> None:
    host = new_chroot_host(setup=SUDOERS)
    before = host.snapshot()
    path = "/etc/ssh/sshd_config"
    old = (host.root / path[1:]).read_bytes()
    look = ["stat", "-c", "%i %a %u %g %Y %y", path]
    was = host.run(look).stdout
    new = b"# ours\nX11Forwarding yes\nVersionAddendum x11fwd-test\n" + old
    client = engine(host, "ana", SUDO)
    change = sshd_change(host, file=WriteFile(path, new, hashlib.sha256(old).hexdigest()))
    client.apply(change)
    wait_for(lambda: speaks(host, marked=True), limit=90, what="the new daemon")
    client.rollback()
    assert host.run(look).stdout == was  # the very same file
    wait_for(lambda: speaks(host, marked=False), limit=90, what="the old daemon")
    client.apply(change)
    client.confirm()
    assert undo_all(client, as_root=True) == [UndoOutcome.PENDING]
    assert host.run(look).stdout.split()[1:] == was.split()[1:]
    settle(host)
    assert diff(before, host.snapshot()) == []


def test_no_host_key_and_no_run_folder_are_no_obstacle(new_chroot_host: Callable[..., ChrootHost]) -> None:
    # as on a socket-activated host between two logins (sshd-t-needs-root); the login itself still had them
    host = new_chroot_host(setup=SUDOERS)
    hide = """#!/bin/sh
    if mkdir /tmp/keys 2>/dev/null; then mv /etc/ssh/ssh_host_* /tmp/keys; rmdir /run/sshd; fi
    exec /usr/sbin/sshd "$@"
    """
    host.write("/usr/local/sbin/sshd-hide", hide, mode=0o755)
    client = engine(host)
    reload = ("sh", "-c", "mv /tmp/keys/* /etc/ssh; kill -HUP $1", "sh", "{pid}")
    client.apply(sshd_change(host, reload=(reload,), binary="/usr/local/sbin/sshd-hide"))
    client.confirm()
    assert health(host) == "new"


def test_a_candidate_that_sshd_does_not_accept_is_refused_with_its_line(
    new_chroot_host: Callable[..., ChrootHost],
) -> None:
    host = new_chroot_host(setup=SUDOERS)
    before = host.snapshot()
    bad = replace(sshd_change(host).action.file, content=b"X11Forwarding yes\nX11Fast yes\n")  # type: ignore[union-attr]
    with pytest.raises(EngineError, match=r"00-x11fwd.conf: line 2: Bad configuration option: X11Fast"):
        engine(host).apply(sshd_change(host, file=bad))
    settle(host)
    assert diff(before, host.snapshot()) == []


def test_a_drop_in_that_nothing_includes_is_found_out_and_removed(
    new_chroot_host: Callable[..., ChrootHost],
) -> None:
    host = new_chroot_host(setup=SUDOERS)
    host.check(["sed", "-i", "/^Include/d", "/etc/ssh/sshd_config"])
    before = host.snapshot()
    with pytest.raises(EngineError) as caught:
        engine(host).apply(sshd_change(host))
    assert caught.value.code == "contradicted"
    settle(host)
    assert diff(before, host.snapshot()) == []


@pytest.mark.parametrize("unit", ["ssh.service", "socket"])
def test_systemd_reloads_and_keeps_the_watcher_in_a_unit_of_its_own(
    booted_host: Callable[..., BootedHost], unit: str
) -> None:
    socket = unit == "socket"
    host = booted_host("trixie" if socket else "bookworm", "bare", SUDOERS, socket_activated=socket)
    reload = (("systemctl", "reload", "ssh.service"), ("kill", "-HUP", "{pid}"))
    client = engine(host, "ana", SUDO)
    client.apply(sshd_change(host, reload=reload))
    units = host.run(["systemctl", "list-units", "--plain", "--no-legend", "x11fwd-*"]).stdout
    assert "x11fwd-watch-" in units
    wait_for(lambda: speaks(host, marked=True), limit=90, what="the new daemon")
    end_the_watchers_patience(host)
    settle(host)
    assert health(host) == "old"
    client.apply(sshd_change(host, reload=reload))
    client.confirm()
    settle(host)
    assert health(host) == "new"
    assert undo_all(client, as_root=True) == [UndoOutcome.PENDING]
    settle(host)
    assert health(host) == "old"
    assert host.run(["systemctl", "list-units", "--plain", "--no-legend", "--all", "x11fwd-*"]).stdout == ""


# --- whom root believes


def test_root_does_not_use_a_state_folder_that_belongs_to_somebody_else(
    new_chroot_host: Callable[..., ChrootHost],
) -> None:
    host = new_chroot_host(setup=SUDOERS)
    host.check(["sh", "-c", "mkdir /var/lib/x11fwd; chown ana /var/lib/x11fwd"])
    with pytest.raises(EngineError, match="belongs to somebody else"):
        engine(host, "ana", SUDO).apply(sshd_change(host))
    assert not (host.root / DROP_IN[1:]).exists()


def test_the_journal_is_for_root_alone(new_chroot_host: Callable[..., ChrootHost]) -> None:
    host = new_chroot_host(setup=SUDOERS)
    client = engine(host, "ana", SUDO)
    client.apply(sshd_change(host))
    client.confirm()
    mode = (host.root / "var/lib/x11fwd").stat()
    assert (stat.S_IMODE(mode.st_mode), mode.st_uid) == (0o700, 0)
    open_to_others = host.run(["find", "/var/lib/x11fwd", "-perm", "/077"]).stdout
    assert open_to_others == ""


# --- all shells


@pytest.mark.parametrize("shell", ["/usr/bin/zsh", "/usr/bin/fish", "/usr/bin/tcsh"])
def test_the_login_shell_does_not_matter(new_chroot_host: Callable[..., ChrootHost], shell: str) -> None:
    host = new_chroot_host("bookworm", "shells", Setup(login_shell=shell))
    host.write("/home/ana/.zshenv", "echo talk; umask 077\n", user="ana")
    client = engine(host, "ana")
    assert client.apply(write(RC, b"backend: TkAgg\n", None)).outcome is Outcome.DONE
    assert undo_all(client, as_root=False) == [UndoOutcome.UNDONE]
