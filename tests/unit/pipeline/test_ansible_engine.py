"""What ansible-playbook says becomes our answers; a stand-in plays its part."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from tests.hosts.setup_rig import Ears, Person, yes
from tests.lab.runs import wait_for
from x11fwd.errors import UsageError
from x11fwd.pipeline import ansible_process
from x11fwd.pipeline.ansible_engine import AnsibleSettings, run_with_ansible
from x11fwd.pipeline.ansible_words import BY_HAND_TASK, WARNING_TASK
from x11fwd.pipeline.fleet import Member
from x11fwd.pipeline.setup_model import SetupOptions, SetupResult, SetupStatus
from x11fwd.steps.plan import Outcome
from x11fwd.target import SshOptions, parse_target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from x11fwd.checks.report import Report
    from x11fwd.pipeline.setup_model import Events, Verify
    from x11fwd.steps.plan import Plan
    from x11fwd.target import Target

# Plays ansible-playbook: notes its arguments and its input, then says this call's lines of `script.json`.
STAND_IN = """
import json, os, pathlib, sys
folder = pathlib.Path(os.environ["STAND_IN"])
calls = json.loads((folder / "calls.json").read_text()) if (folder / "calls.json").exists() else []
argv = sys.argv[1:]
read = lambda path: pathlib.Path(path).read_text()
given = [argv[n + 1] for n, word in enumerate(argv) if word == "--inventory"]
limit = next(word for word in argv if word.startswith("@") and word.endswith("limit.txt"))
calls.append({
    "argv": argv,
    "hosts": read(limit[1:]).split(),
    "input": sys.stdin.read() if "--become-password-file" in argv else "",
    "environment": dict(os.environ),
    "inventories": [read(path) for path in given],
    "variables": json.loads(read(argv[argv.index("--extra-vars") + 1][1:])),
})
(folder / "calls.json").write_text(json.dumps(calls))
part = json.loads((folder / "script.json").read_text())[len(calls) - 1]
for line in part["lines"]:
    print(line if isinstance(line, str) else json.dumps(line), flush=True)
import time
if part.get("wait"):
    time.sleep(part["wait"])
if part.get("until"):
    limit = time.monotonic() + 60
    while not (folder / part["until"]).exists():
        if time.monotonic() > limit:
            sys.exit("nobody was told")
        time.sleep(0.02)
    for line in part["after"]:
        print(json.dumps(line), flush=True)
print(part.get("error", ""), file=sys.stderr)
sys.exit(part.get("status", 0))
"""
BEGIN = {"event": "begin", "version": "2.19.1"}
A, B, C = "x11fwd-target-1", "x11fwd-target-2", "x11fwd-target-3"


def end(**sums: dict[str, int]) -> dict[str, object]:
    return {"event": "end", "hosts": {name.replace("_", "-"): one for name, one in sums.items()}}


class Stage:
    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.stop = threading.Event()
        self.told: list[str] = []
        self.ears: dict[str, Ears] = {}
        self.asked: list[tuple[str, Plan]] = []
        self.verify: Verify | None = None
        file = folder / "stand_in.py"
        file.write_text(STAND_IN)
        monkeypatch.setenv("STAND_IN", str(folder))
        monkeypatch.setattr(ansible_process, "program", lambda: (sys.executable, str(file)))

    def play(self, *parts: Mapping[str, object]) -> None:
        (self.folder / "script.json").write_text(json.dumps(parts))

    def finished(self, member: Member, result: SetupResult) -> None:
        del result
        self.told.append(member.name)
        (self.folder / f"told-{member.name}").touch()

    def calls(self) -> list[dict[str, object]]:
        found: list[dict[str, object]] = json.loads((self.folder / "calls.json").read_text())
        return found

    def run(
        self, *targets: str, person: Person | None = None, ask: bool = False, **options: object
    ) -> tuple[SetupResult, ...]:
        def ears(target: object) -> Ears:
            return self.ears.setdefault(str(getattr(target, "typed", "")), Ears())

        def approve(target: str, plan: Plan) -> bool:
            self.asked.append((target, plan))
            return target != "no"

        return run_with_ansible(
            [Member(parse_target(one, SshOptions(options=("Port=2200",)))) for one in targets],
            SetupOptions(**options),  # type: ignore[arg-type]
            AnsibleSettings(None, jobs=7, ask=ask),
            person or Person(),
            ears,
            approve if ask else yes,
            finished=self.finished,
            verify=self.verify,
            stop=self.stop,
        )


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(tmp_path, monkeypatch)


def test_each_host_gets_its_own_answer_with_its_cause(stage: Stage) -> None:
    stage.play(
        {
            "status": 4,
            "lines": [
                BEGIN,
                "a line that is not ours",
                {"event": "start", "host": A, "task": "x11fwd : Look at the host", "action": "command"},
                {"event": "ok", "host": A, "task": "Set in sshd X11Forwarding yes", "changed": True},
                {"event": "ok", "host": B, "task": "Look at the host", "changed": False},
                {
                    "event": "unreachable",
                    "host": C,
                    "task": "Gather what the role needs",
                    "msg": "Failed to connect: ana@c: Permission denied (publickey).",
                },
                {
                    "event": "failed",
                    "host": "x11fwd-target-4",
                    "task": "Stop",
                    "msg": "Action failed: full.",
                },
                end(
                    x11fwd_target_1={},
                    x11fwd_target_2={},
                    x11fwd_target_3={"unreachable": 1},
                    x11fwd_target_4={"failures": 1},
                ),
            ],
        }
    )
    one, two, three, four = stage.run("ana@a", "b", "c", "d")
    assert (one.target, one.status, one.exit_code) == ("ana@a", SetupStatus.DONE, 0)
    assert [(made.change, made.outcome) for made in one.results] == [
        ("Set in sshd X11Forwarding yes", Outcome.DONE)
    ]
    assert (two.status, two.exit_code) == (SetupStatus.ALREADY, 0)
    assert (three.status, three.exit_code) == (SetupStatus.FAILED, 3)
    assert str(three.error) == "c did not let us in: Failed to connect: ana@c: Permission denied (publickey)"
    assert (four.status, four.exit_code) == (SetupStatus.FAILED, 4)
    assert str(four.error) == "d: full (in the task `Stop`)"
    assert one.route == "ansible: ansible-core 2.19.1, the targets as typed"
    # the one that cannot be reached is known at once, the others when Ansible has ended
    assert stage.told == ["c", "ana@a", "b", "d"]
    assert "doing Look at the host" in stage.ears["ana@a"].lines


def through(host: str) -> dict[str, object]:
    return {"event": "ok", "host": host, "task": ansible_process.LAST_TASK}


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_host_is_told_of_when_it_is_through_and_not_when_all_are(stage: Stage, *, dry_run: bool) -> None:
    failed = {"event": "failed", "host": B, "task": "x", "msg": "full"}
    said_again = {"event": "failed", "host": B, "task": "Say that it was put back", "msg": "full; put back"}
    stage.play(
        {
            "status": 4,
            "lines": [
                BEGIN,
                {"event": "ok", "host": A, "task": "y", "changed": True},
                through(A),
                failed,
                said_again,
                through(B),
                {"event": "unreachable", "host": C, "task": "z", "msg": "Connection refused"},
            ],
            "until": "told-c",
            "after": [
                {"event": "ok", "host": "x11fwd-target-4", "task": "y", "changed": True},
                end(x11fwd_target_1={}, x11fwd_target_2={"failures": 1}, x11fwd_target_3={"unreachable": 1}),
            ],
        }
    )
    results = stage.run("a", "b", "c", "d", dry_run=dry_run)
    assert stage.told == ["a", "b", "c", "d"]
    good = SetupStatus.PLANNED if dry_run else SetupStatus.DONE
    assert [one.status for one in results] == [good, SetupStatus.FAILED, SetupStatus.FAILED, good]
    assert str(results[1].error) == "b: full; put back (in the task `Say that it was put back`)"


def test_a_window_that_takes_its_time_keeps_neither_ansible_nor_other_hosts_waiting(stage: Stage) -> None:
    stage.play(
        {
            "lines": [
                BEGIN,
                {"event": "ok", "host": A, "task": "y", "changed": True},
                through(A),
                through(B),
            ],
            "until": "told-b",
            "after": [end(x11fwd_target_1={}, x11fwd_target_2={})],
        }
    )
    report = cast("Report", object())

    def verify(target: Target, events: Events) -> Report:
        del target, events
        wait_for(lambda: (stage.folder / "told-b").exists(), limit=60, what="the other host")
        return report

    stage.verify = verify
    one, two = stage.run("a", "b")
    assert stage.told == ["b", "a"]
    assert (one.status, one.verification is report) == (SetupStatus.DONE, True)
    assert (two.status, two.verification) == (SetupStatus.ALREADY, None)


def test_a_proof_that_raises_is_not_swallowed(stage: Stage) -> None:
    stage.play({"lines": [BEGIN, {"event": "ok", "host": A, "task": "y", "changed": True}, through(A)]})

    def verify(target: Target, events: Events) -> Report:
        raise ZeroDivisionError

    stage.verify = verify
    with pytest.raises(ZeroDivisionError):
        stage.run("a")


def test_the_command_verifies_host_keys_and_carries_targets_and_options(stage: Stage) -> None:
    stage.play({"lines": [BEGIN, {"event": "ok", "host": A, "task": "x"}, end(x11fwd_target_1={})]})
    stage.run("ana@gpu1:22", backend="QtAgg", only_me=True)
    (call,) = stage.calls()
    argv, environment = call["argv"], call["environment"]
    assert isinstance(argv, list)
    assert isinstance(environment, dict)
    assert argv[argv.index("--forks") + 1] == "7"
    assert "--check" not in argv
    assert environment["ANSIBLE_HOST_KEY_CHECKING"] == "True"
    assert call["variables"] == {
        "x11fwd_confirm_seconds": 60,
        "x11fwd_backend": "QtAgg",
        "x11fwd_only_me": True,
    }
    inventories = call["inventories"]
    assert isinstance(inventories, list)
    assert json.loads(inventories[0])["all"]["hosts"] == {
        A: {
            "ansible_host": "gpu1",
            "ansible_user": "ana",
            "ansible_port": 22,
            "ansible_ssh_common_args": "-o Port=2200",
        }
    }
    assert not Path(argv[-1]).exists()  # the temporary folder is gone


def test_a_dry_run_looks_only_and_a_refused_host_is_left_alone(stage: Stage) -> None:
    task = "Would install xauth, python3-tk"
    changed = {"event": "ok", "host": A, "task": task, "changed": True, "become": True}
    sums = end(x11fwd_target_1={}, x11fwd_target_2={})
    look = {"lines": [BEGIN, changed, {"event": "ok", "host": B, "task": "x"}, sums]}
    stage.play(look, look)
    one, two = stage.run("gpu1", "gpu2", dry_run=True)
    assert (one.status, two.status) == (SetupStatus.PLANNED, SetupStatus.ALREADY)
    assert one.plan is not None
    assert [(change.title, change.become) for change in one.plan.changes] == [
        ("Install xauth, python3-tk", True)
    ]
    assert [line.text for line in one.plan.changes[0].diff] == ["xauth", "python3-tk"]
    declined, _ = stage.run("no", "gpu2", ask=True)
    assert declined.status is SetupStatus.DECLINED
    assert [target for target, _ in stage.asked] == ["no"]
    argvs = [call["argv"] for call in stage.calls()]
    assert len(argvs) == 2
    assert all(isinstance(argv, list) and "--check" in argv and "--diff" in argv for argv in argvs)


def test_what_is_left_to_a_person_is_told_beside_what_was_done(stage: Stage) -> None:
    left = {
        "event": "ok",
        "host": A,
        "task": BY_HAND_TASK,
        "msg": "xauth must be installed by hand",
    }
    warned = {"event": "ok", "host": A, "task": WARNING_TASK, "msg": "qt has to be installed by hand"}
    done = {"event": "ok", "host": A, "task": "Set in sshd X11Forwarding yes", "changed": True}
    lines = [BEGIN, left, warned, done, through(A), end(x11fwd_target_1={})]
    stage.play({"lines": lines}, {"lines": [BEGIN, left, through(A), end(x11fwd_target_1={})]})
    (one,) = stage.run("gpu1")
    assert (one.status, one.exit_code) == (SetupStatus.LEFT, 1)
    assert one.note == "xauth must be installed by hand"
    assert one.plan is not None
    assert one.plan.warnings == ("qt has to be installed by hand",)
    assert [made.outcome for made in one.results] == [Outcome.DONE]
    # nothing that we could do: nobody is asked
    (one,) = stage.run("gpu1", ask=True)
    assert (one.status, stage.asked) == (SetupStatus.LEFT, [])


def test_the_role_says_so_in_tasks_of_these_names() -> None:
    role = Path(ansible_process.__file__).parents[1] / "ansible/role/tasks"
    text = "".join(path.read_text(encoding="utf-8") for path in role.glob("*.yml"))
    assert f"- name: {BY_HAND_TASK}\n" in text
    assert f"- name: {WARNING_TASK}\n" in text


def test_sudos_password_is_asked_for_once_and_goes_to_standard_input_alone(stage: Stage) -> None:
    wants = {"event": "failed", "host": A, "task": "x", "msg": "Missing sudo password"}
    stage.play(
        {"status": 2, "lines": [BEGIN, wants, end(x11fwd_target_1={"failures": 1})]},
        {"lines": [BEGIN, {"event": "ok", "host": A, "task": "y", "changed": True}, end(x11fwd_target_1={})]},
    )
    person = Person("s3cret pass")
    (one,) = stage.run("gpu1", person=person)
    assert one.status is SetupStatus.DONE
    assert person.asked == ["[sudo] password on gpu1: "]
    first, second = stage.calls()
    assert second["input"] == "s3cret pass\n"
    for call in (first, second):
        assert "s3cret" not in json.dumps([call["argv"], call["environment"], call["variables"]])


def test_without_anybody_to_ask_the_missing_password_is_named(stage: Stage) -> None:
    wants = {"event": "failed", "host": A, "task": "x", "msg": "Missing sudo password"}
    stage.play({"status": 2, "lines": [BEGIN, wants, end(x11fwd_target_1={"failures": 1})]})
    (one,) = stage.run("gpu1")
    assert one.exit_code == 4
    assert str(one.error) == "sudo on gpu1 asks for a password and nobody has answered"


def test_ansible_that_does_not_start_says_why_once(stage: Stage) -> None:
    stage.play({"status": 1, "lines": [], "error": "[WARNING]: x\n[ERROR]: Invalid inventory"})
    with pytest.raises(UsageError, match="Ansible did not start: Invalid inventory"):
        stage.run("gpu1")


def test_ctrl_c_ends_it_and_says_of_each_host_where_it_stands(stage: Stage) -> None:
    start = {"event": "start", "host": A, "task": "Set", "action": "copy"}
    stage.play({"lines": [BEGIN, start], "wait": 60})

    class Stopping(Ears):
        def doing(self, text: str) -> None:
            super().doing(text)
            stage.stop.set()

    stage.ears["gpu1"] = Stopping()
    one, two = stage.run("gpu1", "gpu2")
    assert (one.status, one.exit_code) == (SetupStatus.FAILED, 130)
    assert "goes back by itself" in str(one.error)
    assert (two.status, two.exit_code) == (SetupStatus.STOPPED, 130)


def test_ctrl_c_before_ansible_has_begun_is_no_fault_of_ansible(stage: Stage) -> None:
    stage.play({"lines": [], "wait": 60})
    stage.stop.set()
    (one,) = stage.run("gpu1")
    assert (one.status, one.exit_code) == (SetupStatus.STOPPED, 130)
    assert str(one.error) == "stopped before anything was changed"


def test_a_missing_ansible_is_one_sentence_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(UsageError, match="there is no ansible-core") as caught:
        ansible_process.program()
    assert caught.value.hint == '`pip install "x11fwd[ansible]"` brings it'
