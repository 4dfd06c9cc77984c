"""Setup end to end: bare hosts come to show plots, a second run changes nothing, undo leaves no trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hosts.engine_rig import COOKIES, settle
from tests.hosts.setup_rig import Ears, Person, UndoEars, sit_at, target_of, undo_yes, yes
from tests.lab.hosts import Setup, diff
from x11fwd.pipeline.setup import SetupOptions, SetupStatus, run_setup
from x11fwd.pipeline.undo import UndoOptions, UndoStatus, run_undo
from x11fwd.pipeline.verify import VerifyOptions, run_verify
from x11fwd.steps.plan import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.lab.hosts import BootedHost, ChrootHost
    from tests.lab.screen import Screen
    from x11fwd.steps.plan import Plan


@pytest.mark.parametrize(
    ("suite", "socket_activated"),
    [("bullseye", False), ("bookworm", False), ("trixie", False), ("trixie", True)],
    ids=["Debian 11", "Debian 12", "Debian 13", "Debian 13, socket-activated"],
)
def test_a_bare_host_is_set_up_then_left_alone_and_undo_leaves_the_tree_as_it_was(
    booted_host: Callable[..., BootedHost],
    screen: Screen,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    suite: str,
    socket_activated: bool,
) -> None:
    sit_at(screen, monkeypatch)
    host = booted_host(suite, "bare", socket_activated=socket_activated)
    before = host.snapshot()
    target, person, ears, undo_ears = target_of(host, tmp_path), Person(host.password), Ears(), UndoEars()

    first = run_setup(target, SetupOptions(), person, ears, yes)
    assert first.error is None, (first.error, ears.lines[-20:])
    assert (first.status, first.exit_code) == (SetupStatus.DONE, 0)
    assert {result.outcome for result in first.results} == {Outcome.DONE}
    assert person.asked == [f"[sudo] password on {host.hostname}: "]  # once
    for via in (
        "native",
        "bridge",
    ):  # setup's own proof takes the one or the other
        assert run_verify(target, VerifyOptions(via=via), person, ears.doing).report.ok

    second = run_setup(target, SetupOptions(), person, ears, yes)
    assert (second.status, second.exit_code, second.results) == (SetupStatus.ALREADY, 0, ())
    assert second.logins == 1
    assert second.round_trips <= 3

    undone = run_undo(target, UndoOptions(), Person(host.password), undo_ears, undo_yes)
    assert undone.error is None, (undone.error, undo_ears.lines[-20:])
    assert (undone.status, undone.exit_code) == (UndoStatus.DONE, 0)
    settle(host)
    assert diff(before, host.snapshot(), ignore=COOKIES) == []

    again = run_undo(target, UndoOptions(), Person(host.password), undo_ears, undo_yes)
    assert (again.status, again.exit_code) == (UndoStatus.NOTHING, 0)
    assert diff(before, host.snapshot(), ignore=COOKIES) == []


def test_without_roots_rights_the_rest_is_done_and_a_note_is_written(
    new_chroot_host: Callable[..., ChrootHost],
    screen: Screen,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sit_at(screen, monkeypatch)
    host = new_chroot_host("trixie")
    target, ears = target_of(host, tmp_path, "ben"), Ears()
    result = run_setup(target, SetupOptions(), Person(host.ben_password), ears, yes)
    assert result.error is None, result.error
    assert (result.status, result.exit_code) == (SetupStatus.LEFT, 1)
    assert "apt-get install" in result.note
    assert "X11Forwarding yes" in result.note
    assert result.plan is not None
    assert {change.id for change in result.plan.left_to_admin} == {"packages-system", "sshd-x11forwarding"}
    assert not (host.root / "var/lib/x11fwd").exists()


def test_a_dry_run_and_a_no_change_nothing(
    new_chroot_host: Callable[..., ChrootHost],
    screen: Screen,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sit_at(screen, monkeypatch)
    host = new_chroot_host()
    before = host.snapshot()
    target = target_of(host, tmp_path)

    def never(target: str, plan: Plan) -> bool:
        raise AssertionError(target)

    dry = run_setup(target, SetupOptions(dry_run=True), Person(), Ears(), never)
    assert (dry.status, dry.exit_code) == (SetupStatus.PLANNED, 0)
    assert dry.plan is not None
    assert [change.id for change in dry.plan.changes][:2] == ["packages-system", "sshd-x11forwarding"]
    declined = run_setup(target, SetupOptions(), Person(), Ears(), lambda target, plan: False)
    assert (declined.status, declined.exit_code) == (SetupStatus.DECLINED, 1)
    assert diff(before, host.snapshot()) == []


def test_an_sshd_configuration_that_is_broken_already_is_named_and_left_as_it_is(
    new_chroot_host: Callable[..., ChrootHost],
    screen: Screen,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sit_at(screen, monkeypatch)
    host = new_chroot_host("bookworm", "plot", Setup(sudo="ana ALL=(ALL) NOPASSWD: ALL"))
    host.write("/etc/ssh/sshd_config.d/50-cloud.conf", "X11Forward yes\n")
    result = run_setup(target_of(host, tmp_path), SetupOptions(), Person(), Ears(), yes)
    assert (result.status, result.exit_code) == (SetupStatus.FAILED, 4)
    assert "50-cloud.conf: line 1" in str(result.error)


def test_a_change_that_the_new_login_does_not_confirm_is_taken_back(
    new_chroot_host: Callable[..., ChrootHost],
    screen: Screen,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # authorized_keys forbids X11, which sshd -T knows nothing of: only the login shows it
    sit_at(screen, monkeypatch)
    nopasswd = "ana ALL=(ALL) NOPASSWD: ALL"
    host = new_chroot_host("bookworm", "plot", Setup(sudo=nopasswd, key_prefix="no-X11-forwarding"))
    before = host.snapshot()
    result = run_setup(target_of(host, tmp_path), SetupOptions(), Person(), Ears(), yes)
    settle(host)
    assert "still refuses X11 forwarding" in str(result.error)
    assert "it was taken back" in str(result.error)
    assert (result.status, result.exit_code) == (SetupStatus.FAILED, 4)
    assert not (host.root / "etc/ssh/sshd_config.d/00-x11fwd.conf").exists()
    assert diff(before, host.snapshot()) == []
