"""Undo on real hosts: what others have touched since stays theirs, and a second undo has nothing to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.hosts.engine_rig import SUDO, engine, health, packages, settle, sshd_change, write
from tests.hosts.setup_rig import Person, UndoEars, target_of, undo_yes
from tests.lab.hosts import Setup, diff
from x11fwd.pipeline.undo import UndoAnswer, UndoOptions, UndoStatus, run_undo
from x11fwd.steps.engine import UndoOutcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.lab.hosts import ChrootHost, Host
    from x11fwd.pipeline.undo import UndoPlan, UndoReport

SUDOERS = Setup(sudo="ana ALL=(ALL) NOPASSWD: ALL")
RC = "/home/ana/.config/matplotlib/matplotlibrc"
BACKEND = b"backend: TkAgg\n"


def undo(host: Host, folder: Path, *, keep_packages: bool = False, user: str = "ana") -> UndoReport:
    options = UndoOptions(keep_packages=keep_packages)
    return run_undo(target_of(host, folder, user), options, Person(), UndoEars(), undo_yes)


def test_a_host_without_a_journal_has_nothing_to_undo(
    new_chroot_host: Callable[..., ChrootHost], tmp_path: Path
) -> None:
    host = new_chroot_host()
    before = host.snapshot()
    report = undo(host, tmp_path)
    assert (report.status, report.exit_code, report.results) == (UndoStatus.NOTHING, 0, ())
    assert diff(before, host.snapshot()) == []


def test_everything_goes_back_in_one_undo_newest_first(
    new_chroot_host: Callable[..., ChrootHost], tmp_path: Path
) -> None:
    host = new_chroot_host(setup=SUDOERS)
    before = host.snapshot()
    client = engine(host, "ana", SUDO)
    client.apply(packages("xauth"))
    client.apply(write(RC, b"backend: Agg\n", None))
    client.apply(write(RC, BACKEND, b"backend: Agg\n"))
    client.apply(sshd_change(host))
    client.confirm()
    report = undo(host, tmp_path)
    assert (report.status, report.exit_code) == (UndoStatus.DONE, 0)
    assert [result.entry.kind.value for result in report.results] == ["sshd", "write", "write", "packages"]
    settle(host)
    assert health(host) == "old"
    assert diff(before, host.snapshot()) == []


def test_a_file_that_others_changed_is_left_alone_and_shown_and_the_rest_goes_back(
    new_chroot_host: Callable[..., ChrootHost], tmp_path: Path
) -> None:
    host = new_chroot_host(setup=SUDOERS)
    before = host.snapshot()
    client = engine(host, "ana", SUDO)
    client.apply(write(RC, BACKEND, None))
    client.apply(packages("xauth"))
    client.apply(sshd_change(host))
    client.confirm()
    theirs = BACKEND + b"figure.dpi: 200\n"
    host.write(RC, theirs, user="ana")
    for _ in range(2):  # the second undo says so again
        report = undo(host, tmp_path)
        assert (report.status, report.exit_code) == (UndoStatus.LEFT, 1)
        (entry,) = report.plan.foreign
        assert entry.path == RC
        assert "+figure.dpi: 200" in entry.difference
    assert health(host) == "old"
    host.write(RC, BACKEND, user="ana")
    assert undo(host, tmp_path).status is UndoStatus.DONE
    settle(host)
    assert diff(before, host.snapshot()) == []


def test_a_file_that_changes_while_the_person_thinks_is_left_alone_too(
    new_chroot_host: Callable[..., ChrootHost], tmp_path: Path
) -> None:
    host = new_chroot_host()
    engine(host, "ana").apply(write(RC, BACKEND, None))

    def slow(target: str, plan: UndoPlan) -> UndoAnswer:
        host.write(RC, "theirs\n", user="ana")
        return UndoAnswer(go=True)

    report = run_undo(target_of(host, tmp_path), UndoOptions(), Person(), UndoEars(), slow)
    assert report.status is UndoStatus.LEFT
    assert report.results[0].outcome is UndoOutcome.FOREIGN
    assert report.results[0].difference == ("@@ -1 +1 @@", "-backend: TkAgg", "+theirs")
    assert (host.root / RC[1:]).read_text() == "theirs\n"


def test_a_file_that_is_gone_or_as_it_was_is_no_trouble(
    new_chroot_host: Callable[..., ChrootHost], tmp_path: Path
) -> None:
    host = new_chroot_host()
    host.write("/home/ana/a", "old\n", user="ana")
    before = host.snapshot()
    client = engine(host, "ana")
    client.apply(write("/home/ana/a", b"new\n", b"old\n"))
    client.apply(write("/home/ana/b", b"new\n", None))
    host.write("/home/ana/a", "old\n", user="ana")
    host.run(["rm", "/home/ana/b"])
    assert undo(host, tmp_path).status is UndoStatus.DONE
    settle(host)
    assert diff(before, host.snapshot()) == []


def test_packages_stay_where_the_person_wants_them(
    new_chroot_host: Callable[..., ChrootHost], tmp_path: Path
) -> None:
    host = new_chroot_host(setup=SUDOERS)
    engine(host, "ana", SUDO).apply(packages("xauth"))
    report = undo(host, tmp_path, keep_packages=True)
    assert (report.status, report.exit_code) == (UndoStatus.DONE, 0)
    assert "xauth" in report.plan.packages
    assert host.run(["test", "-x", "/usr/bin/xauth"]).rc == 0
    assert not (host.root / "var/lib/x11fwd").exists()


def test_somebody_without_rights_hears_that_roots_journal_is_out_of_reach(
    new_chroot_host: Callable[..., ChrootHost], tmp_path: Path
) -> None:
    host = new_chroot_host(setup=SUDOERS)
    engine(host, "ana", SUDO).apply(packages("xauth"))
    report = undo(host, tmp_path, user="ben")
    assert (report.status, report.exit_code) == (UndoStatus.LEFT, 1)
    assert report.plan.out_of_reach


def test_the_root_user_has_one_journal(new_chroot_host: Callable[..., ChrootHost], tmp_path: Path) -> None:
    host = new_chroot_host()
    before = host.snapshot()
    client = engine(host)
    client.apply(write("/root/.config/matplotlib/matplotlibrc", BACKEND, None))
    client.apply(sshd_change(host))
    client.confirm()
    report = undo(host, tmp_path, user="root")
    assert (report.status, len(report.results)) == (UndoStatus.DONE, 2)
    settle(host)
    assert diff(before, host.snapshot()) == []


def test_an_unconfirmed_change_of_a_dead_host_is_settled_first_and_said(
    new_chroot_host: Callable[..., ChrootHost], tmp_path: Path
) -> None:
    host = new_chroot_host(setup=SUDOERS)
    before = host.snapshot()
    client = engine(host, "ana", SUDO)
    client.apply(sshd_change(host, confirm_seconds=100))
    armed = next((host.root / "var/lib/x11fwd/pending").iterdir()) / "armed"
    host.check(["kill", "-9", armed.read_text().split()[0]])
    report = undo(host, tmp_path)
    assert report.settled == ("an unconfirmed change of sshd was taken back",)
    assert report.exit_code == 0
    settle(host)
    assert health(host) == "old"
    assert diff(before, host.snapshot()) == []
