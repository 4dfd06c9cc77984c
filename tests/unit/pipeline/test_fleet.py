"""A fleet's answers come as they are there, and Ctrl-C leaves no host in between."""

from __future__ import annotations

import json
import resource
import threading
from typing import TYPE_CHECKING

import pytest

from x11fwd.errors import ConnectError, Interrupted, UsageError, X11fwdError
from x11fwd.inventory import Become, InventoryHost
from x11fwd.pipeline.fleet import Fleet, Member, at_once, room_for
from x11fwd.pipeline.fleet_answers import Answering
from x11fwd.pipeline.fleet_means import Here
from x11fwd.pipeline.fleet_state import RunState
from x11fwd.steps.privilege import WrongPasswordError
from x11fwd.target import SshOptions, parse_target

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from x11fwd.transports.base import HostKeyQuestion

LIMIT = 90.0


def members(*names: str) -> tuple[Member, ...]:
    return tuple(Member(parse_target(name)) for name in names)


def fleet_of(*names: str, stopping: Callable[[Sequence[str]], None] = lambda _: None) -> Fleet[str]:
    return Fleet(members(*names), lambda _member, error: f"{type(error).__name__}: {error.message}", stopping)


def test_every_host_answers_once_and_no_more_than_the_jobs_are_at_work() -> None:
    names = [f"n{number}" for number in range(20)]
    fleet, lock = fleet_of(*names), threading.Lock()
    now: set[str] = set()
    most = []

    def work(member: Member) -> str:
        with lock:
            now.add(member.name)
            most.append(len(now))
        with lock:
            now.discard(member.name)
        return member.name.upper()

    found = {member.name: answer for member, answer in fleet.answers(at_once(work, 3))}
    assert found == {name: name.upper() for name in names}
    assert max(most) <= 3


def test_a_fault_of_one_host_is_its_answer_and_what_was_typed_wrong_ends_all() -> None:
    def work(member: Member) -> str:
        if member.name == "a":
            raise ConnectError("a is down")
        if member.name == "b":
            raise ZeroDivisionError
        return "fine"

    found = {member.name: answer for member, answer in fleet_of("a", "b", "c").answers(at_once(work, 2))}
    assert found["a"] == "ConnectError: a is down"
    assert found["b"].startswith("X11fwdError: x11fwd itself failed: ZeroDivisionError")
    assert found["c"] == "fine"

    def wrong(member: Member) -> str:
        raise UsageError("there is nobody to ask")

    with pytest.raises(UsageError):
        list(fleet_of("a", "b").answers(at_once(wrong, 2)))


def test_ctrl_c_waits_for_who_is_being_changed_and_lets_the_others_go() -> None:
    told: list[Sequence[str]] = []
    fleet = fleet_of("changing", "looking", "waiting", stopping=told.append)
    changing, looking, go_on = threading.Event(), threading.Event(), threading.Event()
    refused: list[str] = []

    def work(member: Member) -> str:
        if member.name == "changing":
            fleet.change(member.name)
            changing.set()
            assert go_on.wait(LIMIT)
            return "changed"
        looking.set()
        assert go_on.wait(LIMIT)
        try:
            fleet.change(member.name)  # the plan is there; nothing may be begun any more
        except Interrupted:
            refused.append(member.name)
        return "too late"

    found = {}
    answers = fleet.answers(at_once(work, 2))

    def stop() -> None:
        changing.wait(LIMIT)
        looking.wait(LIMIT)
        fleet.stop()

    threading.Thread(target=stop, daemon=True).start()
    for member, answer in answers:
        found[member.name] = answer
        if len(found) == 2:
            assert told == [("changing",)]
            go_on.set()
    assert found == {
        "changing": "changed",
        "looking": "Interrupted: stopped before anything was changed",
        "waiting": "Interrupted: stopped before its turn",
    }


def test_a_second_ctrl_c_waits_for_nobody() -> None:
    fleet = fleet_of("a")
    changing, never = threading.Event(), threading.Event()

    def work(member: Member) -> str:
        fleet.change(member.name)
        changing.set()
        never.wait(LIMIT)
        return "late"

    def leave() -> None:
        changing.wait(LIMIT)
        fleet.stop()
        fleet.leave()

    threading.Thread(target=leave, daemon=True).start()
    found = list(fleet.answers(at_once(work, 1)))
    never.set()
    assert [answer for _, answer in found] == [
        "Interrupted: left in the middle of a change, which the host ends or takes back by itself"
    ]


def test_more_jobs_than_open_files_are_cut_down_to_what_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limits = [256, 512]
    monkeypatch.setattr(resource, "getrlimit", lambda _: tuple(limits))
    monkeypatch.setattr(resource, "setrlimit", lambda _, new: limits.__setitem__(slice(None), new))
    assert room_for(16) == 16
    assert limits == [256, 512]
    assert room_for(30) == 30
    assert limits[0] > 256
    assert room_for(1000) == 37
    assert limits == [512, 512]


# --- how far it came


def state(folder: Path, command: str = "setup", *, resume: bool = False, keep: bool = True) -> RunState:
    return RunState(command, ("inventory", "/x"), {"XDG_STATE_HOME": str(folder)}, resume=resume, keep=keep)


def test_a_resumed_run_leaves_out_what_ended_well_however_the_first_one_ended(tmp_path: Path) -> None:
    first = state(tmp_path)
    first.record("a", "done", 0)
    first.record("b", "failed", 3)
    first.record("c", "already", 0)
    (file,) = (tmp_path / "x11fwd" / "fleet").iterdir()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert json.loads(file.read_text().splitlines()[0])["schema"] == "x11fwd.fleet/1"
    with file.open("a") as torn:
        torn.write('{"host": "d", "exit_')  # the machine lost its power here
    second = state(tmp_path, resume=True)
    assert second.done == {"a", "c"}
    assert second.began
    second.record("b", "done", 0)
    second.close()
    assert state(tmp_path, resume=True).done == {"a", "b", "c"}


def test_a_new_run_begins_anew_and_undo_makes_the_record_void(tmp_path: Path) -> None:
    state(tmp_path).record("a", "done", 0)
    assert state(tmp_path, resume=True, keep=False).done == {"a"}
    state(tmp_path, "undo")
    assert state(tmp_path, resume=True).done == frozenset()
    state(tmp_path).record("b", "done", 0)
    state(tmp_path, keep=False)  # a dry run
    assert state(tmp_path, resume=True).done == {"b"}
    state(tmp_path)
    assert state(tmp_path, resume=True).done == frozenset()


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "x11fwd").write_text("in the way")
    state(tmp_path).record("a", "done", 0)
    assert state(tmp_path, resume=True).done == frozenset()


# --- one host's ssh


def test_what_ssh_refuses_of_one_host_is_that_hosts_failure(tmp_path: Path) -> None:
    target = parse_target("gpu1", SshOptions(options=("NoSuchOption=yes",)))
    with pytest.raises(ConnectError, match=r"ssh refuses 'gpu1': .*nosuchoption"):
        Here({"HOME": str(tmp_path)}).means().connect(target, Nobody(), "auto", None)
    with pytest.raises(UsageError, match="no transport called telnet"):
        Here({"HOME": str(tmp_path)}).means().connect(target, Nobody(), "telnet", None)


# --- passwords


class Nobody:
    def accept_host_key(self, question: HostKeyQuestion) -> bool:
        return False

    def secret(self, prompt: str) -> str | None:
        return f"typed for {prompt}"

    def visible(self, prompt: str) -> str | None:
        return None

    def notice(self, text: str) -> None: ...


def test_an_inventorys_passwords_are_given_once_and_then_named_as_wrong() -> None:
    host = InventoryHost("gpu1", password="login", become=Become(password="sudo"))
    prompter = Answering(Nobody(), Member(parse_target("gpu1"), host), become="everybody's")
    assert prompter.secret("ana@gpu1's password: ") == "login"
    assert prompter.secret("ana@gpu1's password: ") == "typed for ana@gpu1's password: "
    assert prompter.secret("[sudo] password on gpu1: ") == "sudo"
    with pytest.raises(WrongPasswordError) as raised:
        prompter.secret("[sudo] password on gpu1: ")
    assert "`ansible_become_password`" in raised.value.hint
    assert "sudo" not in repr(prompter)


def test_one_password_for_all_is_given_where_the_inventory_has_none() -> None:
    prompter = Answering(Nobody(), members("gpu1")[0], become="everybody's")
    assert prompter.secret("[sudo] password on gpu1: ") == "everybody's"
    with pytest.raises(X11fwdError):
        prompter.secret("[sudo] password on gpu1: ")
    assert Answering(Nobody(), members("gpu1")[0]).secret("[sudo] password on gpu1: ") is not None
