"""Hosts without systemd: setup has the init's own script reload sshd, and undo does the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hosts.engine_rig import settle
from tests.hosts.setup_rig import Ears, Person, UndoEars, sit_at, target_of, undo_yes, yes
from tests.lab.hosts import Setup, diff
from tests.lab.init_hosts import InitHost
from tests.lab.repositories import XAUTH
from x11fwd.pipeline.setup import SetupOptions, SetupStatus, run_setup
from x11fwd.pipeline.undo import UndoOptions, UndoStatus, run_undo

if TYPE_CHECKING:
    from contextlib import ExitStack
    from pathlib import Path

    from tests.lab.screen import Screen

ONLY_SSHD = """\
schema: x11fwd.playbook/1
name: only-sshd
description: Packages are the affair of other tests.
steps:
  - name: X11 forwarding in sshd
    sshd_option: {X11Forwarding: "yes"}
"""
ALPINE = 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.22.1\nPRETTY_NAME="Alpine Linux v3.22"\n'
DEVUAN = 'NAME="Devuan GNU/Linux"\nID=devuan\nID_LIKE=debian\nVERSION_ID="5"\nPRETTY_NAME="Devuan 5"\n'


@pytest.mark.parametrize(
    ("kind", "release", "service"),
    [("openrc", ALPINE, "sshd"), ("sysvinit", DEVUAN, "ssh")],
    ids=["OpenRC", "sysvinit"],
)
def test_sshd_is_reloaded_by_the_script_of_its_init(
    lab: ExitStack,
    screen: Screen,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    release: str,
    service: str,
) -> None:
    del lab
    sit_at(screen, monkeypatch)
    playbook = tmp_path / "only-sshd.yml"
    playbook.write_text(ONLY_SSHD, encoding="utf-8")
    options = SetupOptions(playbook=str(playbook))
    with InitHost(
        kind, Setup(files={"/etc/os-release": release}, sudo="ana ALL=(ALL) NOPASSWD: ALL")
    ) as host:
        for path, text in XAUTH.items():
            host.write(path, text, mode=0o755)
        target, ears = target_of(host, tmp_path), Ears()
        before, calls = host.snapshot(), len(host.calls())

        first = run_setup(target, options, Person(), ears, yes)
        assert first.error is None, (first.error, ears.lines[-20:])
        assert first.status is SetupStatus.DONE  # a new login was granted X11, so the daemon has read it
        assert first.remote is not None
        assert (first.remote.system.init, first.remote.sshd.service) == (kind, (kind, service))
        assert host.calls()[calls:] == ["reload"]

        assert run_setup(target, options, Person(), ears, yes).status is SetupStatus.ALREADY

        undone = run_undo(target, UndoOptions(), Person(), UndoEars(), undo_yes)
        assert (undone.status, undone.error) == (UndoStatus.DONE, None)
        assert host.calls()[calls:] == ["reload", "reload"]
        settle(host)
        assert diff(before, host.snapshot()) == []
        refused = run_setup(target, options, Person(), ears, lambda *_: False)
        assert refused.status is SetupStatus.DECLINED  # and there is something to be done again
