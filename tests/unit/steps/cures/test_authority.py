"""Cures of the authority file, by running what they would run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.unit.steps.cures.ground import here, planned, run, there
from x11fwd.facts.model import AuthorityFile
from x11fwd.steps.cures.authority import close_to_others, move_aside, remove_locks
from x11fwd.steps.plan import RunCommand

if TYPE_CHECKING:
    from pathlib import Path

    from x11fwd.steps.cures.ground import Ground


def actions(ground: Ground) -> list[RunCommand]:
    found = [change.action for change in ground.changes()]
    assert all(isinstance(action, RunCommand) for action in found)
    return found  # type: ignore[return-value]


def undone(argv: tuple[str, ...]) -> bool:
    try:
        run(*argv)
    except AssertionError:
        return True
    return False


def test_locks_are_removed_and_leave_no_trace_for_undo(tmp_path: Path) -> None:
    locks = tuple(str(tmp_path / f".Xauthority{end}") for end in ("-c", "-l"))
    for lock in locks:
        open(lock, "w", encoding="utf-8").close()
    file = AuthorityFile(str(tmp_path / ".Xauthority"), locks=locks)
    (action,) = actions(planned(there(tmp_path, authority=file), remove_locks))
    assert action.undo == ()
    assert undone(action.check)
    run(*action.do)
    run(*action.check)
    assert not any(tmp_path.iterdir())


def test_a_lock_that_somebody_holds_stays(tmp_path: Path) -> None:
    file = AuthorityFile(str(tmp_path / ".Xauthority"), locks=("/x-c",), holders=("/proc/7",))
    ground = planned(there(tmp_path, authority=file), remove_locks)
    assert ground.changes() == ()
    assert ground.notes == ["the locks of ~/.Xauthority stay: a program xauth is at work"]


def test_a_file_is_moved_to_a_name_that_is_free_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / ".Xauthority"
    path.mkdir()
    (tmp_path / ".Xauthority.x11fwd-aside").write_text("older", encoding="utf-8")
    (tmp_path / ".Xauthority.x11fwd-aside2").symlink_to("nowhere")
    file = AuthorityFile(str(path), exists=True, is_directory=True)
    (action,) = actions(planned(there(tmp_path, authority=file), move_aside))
    assert undone(action.check)
    run(*action.do)
    run(*action.check)
    assert (tmp_path / ".Xauthority.x11fwd-aside3").is_dir()
    assert (tmp_path / ".Xauthority.x11fwd-aside").read_text(encoding="utf-8") == "older"
    path.write_text("the next login's", encoding="utf-8")
    run(*action.check)
    run(*action.undo)
    assert path.is_dir()


def test_others_are_locked_out_and_the_mode_comes_back(tmp_path: Path) -> None:
    path = tmp_path / ".Xauthority"
    path.write_text("", encoding="utf-8")
    path.chmod(0o644)
    link = tmp_path / "link"
    link.symlink_to(path)
    file = AuthorityFile(str(link), exists=True, mode=0o100644)
    (action,) = actions(planned(here(tmp_path, authority=file), close_to_others))
    assert undone(action.check)
    run(*action.do)
    run(*action.check)
    assert path.stat().st_mode & 0o777 == 0o600
    run(*action.undo)
    assert path.stat().st_mode & 0o777 == 0o644


def test_without_a_file_nothing_is_planned(tmp_path: Path) -> None:
    for cure in (remove_locks, move_aside, close_to_others):
        assert planned(there(tmp_path, authority=None), cure).changes() == ()
        assert planned(here(tmp_path, authority=None), cure).changes() == ()
