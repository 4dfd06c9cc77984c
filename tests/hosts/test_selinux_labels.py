"""Where SELinux is on, every file that is put somewhere gets that place's label, on the way there and back.

No kernel of a test machine has SELinux; two programs stand for it, as their manuals have them:
selinuxenabled(8) says by its exit status whether it is on, restorecon(8) gives files the policy's labels.
A renamed file has the label of where it was made (a temporary name, the journal): it needs the new place's.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.hosts.engine_rig import LIMITS, MARK, SUDO, engine, settle, speaks, sshd_change, write
from tests.lab.hosts import Setup, diff
from tests.lab.runs import wait_for
from x11fwd.steps.engine import UndoOutcome
from x11fwd.steps.plan import Outcome, WriteFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab.hosts import ChrootHost

SUDOERS = Setup(sudo="ana ALL=(ALL) NOPASSWD: ALL")
ASKED = "/srv/restorecon"
ON = "/srv/selinux-is-on"
MAIN = "/etc/ssh/sshd_config"
RC = "/home/ana/.config/matplotlib/matplotlibrc"
FOLDERS = ["/home/ana/.config", "/home/ana/.config/matplotlib"]


def stand_ins(host: ChrootHost, *, on: bool) -> None:
    host.write("/usr/sbin/selinuxenabled", f"#!/bin/sh\ntest -e {ON}\n", mode=0o755)
    host.write("/usr/sbin/restorecon", f'#!/bin/sh\nprintf "%s\\n" "$@" >>{ASKED}\n', mode=0o755)
    if on:
        host.write(ON, "")
    host.write(ASKED, "", mode=0o666)


def asked(host: ChrootHost) -> list[str]:
    """What was labelled since the last look."""
    found = (host.root / ASKED[1:]).read_text(encoding="utf-8").split()
    host.write(ASKED, "", mode=0o666)
    return found


def test_files_are_labelled_when_they_come_and_when_they_come_back(
    new_chroot_host: Callable[..., ChrootHost],
) -> None:
    host = new_chroot_host(setup=SUDOERS)
    stand_ins(host, on=True)
    before = host.snapshot()
    client = engine(host, "ana", SUDO, limits=replace(LIMITS, undo_confirm=60))

    # a file of the person's, with the folders that came into being for it; then another content
    client.apply(write(RC, b"backend: TkAgg\n", None))
    assert sorted(asked(host)) == [*FOLDERS, RC]
    client.apply(write(RC, b"backend: QtAgg\n", b"backend: TkAgg\n"))
    assert asked(host) == [RC]
    newest, oldest = reversed(client.journal(as_root=False).entries)
    assert client.undo(newest).outcome is UndoOutcome.UNDONE
    assert asked(host) == [RC]  # the content that was kept in the journal has come back
    assert client.undo(oldest).outcome is UndoOutcome.UNDONE
    assert asked(host) == []  # a file that goes needs no label

    # sshd's own file, there and back
    old = (host.root / MAIN[1:]).read_bytes()
    new = b"X11Forwarding yes\nVersionAddendum " + MARK.encode() + b"\n" + old
    wanted = WriteFile(MAIN, new, hashlib.sha256(old).hexdigest())
    change = sshd_change(host, file=wanted, confirm_seconds=60)

    def apply() -> None:
        assert client.apply(change).outcome is Outcome.PENDING
        wait_for(lambda: speaks(host, marked=True), limit=90, what="the new daemon")
        assert asked(host) == [MAIN]

    def came_back() -> None:
        wait_for(lambda: speaks(host, marked=False), limit=90, what="the old daemon")
        settle(host)

    apply()
    client.confirm()
    (entry,) = client.journal(as_root=True).entries
    assert client.undo(entry).outcome is UndoOutcome.PENDING
    wait_for(lambda: speaks(host, marked=False), limit=90, what="the old daemon")
    assert asked(host) == [MAIN]
    client.confirm()

    # what the watcher renames back has the label that it had; what it copies out of the journal needs one
    apply()
    client.rollback()
    came_back()
    assert asked(host) == []
    apply()
    host.check(["sh", "-c", "rm /etc/ssh/.x11fwd-old-*"])
    client.rollback()
    came_back()
    assert asked(host) == [MAIN]
    assert [str(one) for one in diff(before, host.snapshot())] == []


def test_where_selinux_is_off_nobody_is_asked_for_labels(new_chroot_host: Callable[..., ChrootHost]) -> None:
    host = new_chroot_host(setup=SUDOERS)
    stand_ins(host, on=False)
    client = engine(host, "ana", SUDO)
    client.apply(write(RC, b"backend: TkAgg\n", None))
    client.apply(sshd_change(host, confirm_seconds=60))
    wait_for(lambda: speaks(host, marked=True), limit=90, what="the new daemon")
    client.rollback()
    settle(host)
    assert asked(host) == []
