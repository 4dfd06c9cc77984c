"""What every step promises: a row in the table, an undo, an empty second plan, steady names."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import get_args

from tests.unit.steps.remotes import bare, planned, ready, without_rights
from tests.unit.steps.test_plans import CASES
from x11fwd.facts.model import PackageManager, SystemFacts, Unknown
from x11fwd.playbook import Step, load_families, load_playbook
from x11fwd.playbook.conditions import FACTS
from x11fwd.playbook.load import STEP_KINDS
from x11fwd.steps.conditions import GETTERS
from x11fwd.steps.plan import (
    Change,
    ChangeSshd,
    ControlService,
    InstallInEnvironment,
    InstallPackages,
    Plan,
    RunCommand,
    WriteFile,
)
from x11fwd.steps.planner import PLANNERS, make_plan, questions
from x11fwd.steps.questions import Answers

EVERY_KIND = """\
schema: x11fwd.playbook/1
name: every
description: One of each.
steps:
  - {name: packages, packages: [xauth, tkinter, matplotlib]}
  - {name: sshd, sshd_option: {X11Forwarding: yes}}
  - {name: backend, matplotlibrc: {backend: TkAgg}}
  - {name: file, file: {path: ~/.profile.d/x, content: "x\\n"}}
  - {name: reload, service: {name: sshd, state: reloaded}}
  - {name: start, service: {name: cron, state: started}}
  - {name: enable, service: {name: cron, state: enabled}}
  - {name: command, command: {check: [test, -e, /x], do: [touch, /x], undo: [rm, /x]}}
"""


def every_kind(tmp_path: Path) -> Plan:
    file = tmp_path / "every.yml"
    file.write_text(EVERY_KIND, encoding="utf-8")
    return planned(bare("13"), str(file))


def changes_of_all_cases() -> list[Change]:
    return [
        change
        for case in CASES.values()
        for plan in (case(),)
        for change in plan.changes + plan.left_to_admin
    ]


def test_the_closed_set_is_the_same_in_the_reader_the_model_and_the_planner() -> None:
    assert set(PLANNERS) == set(get_args(Step))
    assert len(STEP_KINDS) == len(PLANNERS)


def test_every_fact_that_a_condition_may_name_is_read_somewhere() -> None:
    assert set(FACTS) == set(GETTERS)


def test_every_kind_of_step_plans_its_change(tmp_path: Path) -> None:
    plan = every_kind(tmp_path)
    assert [change.id for change in plan.changes] == [
        "packages-system",
        "sshd-x11forwarding",
        "matplotlibrc-backend",
        "file-home-ana-profile-d-x",
        "service-ssh-service-reloaded",
        "service-cron-started",
        "service-cron-enabled",
        "command-command",
    ]
    assert [type(change.action) for change in plan.changes] == [
        InstallPackages,
        ChangeSshd,
        WriteFile,
        WriteFile,
        ControlService,
        ControlService,
        ControlService,
        RunCommand,
    ]


def test_every_change_can_be_taken_back(tmp_path: Path) -> None:
    for change in [*changes_of_all_cases(), *every_kind(tmp_path).changes]:
        action = change.action
        if isinstance(action, InstallPackages):
            assert action.commands.remove
            assert action.commands.all_installed
        elif isinstance(action, InstallInEnvironment):
            assert action.prefix
        elif isinstance(action, ControlService):
            assert action.undo or action.state == "reloaded"
        elif isinstance(action, RunCommand):
            assert action.undo
        else:
            assert isinstance(action, WriteFile | ChangeSshd)  # the journal keeps the old bytes


def test_every_change_tells_a_person_what_to_type_and_how_to_take_it_back(tmp_path: Path) -> None:
    for change in [*changes_of_all_cases(), *every_kind(tmp_path).changes]:
        assert change.title
        assert change.diff
        assert change.diff[0].mark == "@"
        assert change.admin_lines
        if not isinstance(change.action, ControlService) or change.action.state != "reloaded":
            assert change.admin_undo
        for line in (*change.admin_lines, *change.admin_undo):
            assert "\n" not in line
            assert "{pid}" not in line
            assert "{service}" not in line


def test_ids_are_kebab_case_and_unique_in_their_plan() -> None:
    for case, make in CASES.items():
        plan = make()
        ids = [change.id for change in plan.changes + plan.left_to_admin]
        assert len(ids) == len(set(ids)), case
        for name in ids:
            assert re.match(r"^[a-z0-9]+(-[a-z0-9]+)*$", name), case


def test_a_host_that_is_set_up_is_asked_nothing_and_changed_in_nothing() -> None:
    book, families = load_playbook(), load_families()
    assert questions(book, families, ready()).empty
    plan = make_plan(book, families, ready())
    assert plan.empty
    assert not plan.warnings
    assert plan.notes


def test_without_rights_nothing_that_needs_root_is_among_the_changes() -> None:
    for version in "11", "12", "13":
        plan = planned(without_rights(bare(version)))
        assert not any(change.become for change in plan.changes)
        assert plan.left_to_admin


def test_a_plan_without_its_answers_leaves_alone_what_it_could_not_see() -> None:
    book, families = load_playbook(), load_families()
    plan = make_plan(book, families, bare("13"), answers=Answers())
    assert "matplotlibrc-backend" not in [change.id for change in plan.changes]
    assert any("not asked yet" in sentence for sentence in plan.warnings)


INVENTED = """\
schema: x11fwd.family/1
name: invented
ids: [invented]
managers:
  pkg:
    installed: [pkg, has]
    all_installed: [pkg, list]
    install: [pkg, add, --quiet]
    remove: [pkg, del]
    by_hand: [[pkg, add]]
    by_hand_remove: [pkg, del]
packages:
  xauth: [x-auth]
  tkinter: [tk-for-python]
  matplotlib:
    - when: [system.version >= 3]
      names: [plots3]
    - names: [plots]
services:
  sshd: {openrc: [sshd]}
states:
  openrc:
    reloaded: {do: [[rc-service, "{service}", reload]]}
  pid:
    reloaded: {do: [[kill, -HUP, "{pid}"]]}
"""


def test_a_new_distribution_is_a_file_and_no_code(tmp_path: Path) -> None:
    (tmp_path / "families").mkdir()
    (tmp_path / "families" / "invented.yml").write_text(INVENTED, encoding="utf-8")
    shipped = Path(load_playbook().file).parent / "environments.yml"
    (tmp_path / "environments.yml").write_text(shipped.read_text(encoding="utf-8"), encoding="utf-8")
    host = replace(
        bare(),
        system=SystemFacts("Linux", os_id="invented", version_id="3.19", init="openrc"),
        package_manager=PackageManager("pkg", "/sbin/pkg"),
        sshd=replace(bare().sshd, service=("openrc", "sshd")),
    )
    plan = make_plan(load_playbook(), load_families(tmp_path), host)
    packages, sshd = plan.changes[0].action, plan.changes[1].action
    assert isinstance(packages, InstallPackages)
    assert packages.names == ("x-auth", "tk-for-python", "plots3")
    assert packages.commands.install == ("pkg", "add", "--quiet")
    assert plan.changes[0].admin_lines == ("pkg add x-auth tk-for-python plots3",)
    assert isinstance(sshd, ChangeSshd)
    assert sshd.reload == (("rc-service", "sshd", "reload"), ("kill", "-HUP", "{pid}"))


def reloads(**sshd: object) -> tuple[tuple[str, ...], ...]:
    host = bare("11")
    plan = planned(replace(host, sshd=replace(host.sshd, **sshd)))  # type: ignore[arg-type]
    (action,) = [change.action for change in plan.changes if isinstance(change.action, ChangeSshd)]
    return action.reload


def test_sshd_is_reloaded_as_its_init_does_it_and_by_its_process_last() -> None:
    hangup = ("kill", "-HUP", "{pid}")
    assert reloads(service=("systemd", "ssh.service")) == (("systemctl", "reload", "ssh.service"), hangup)
    assert reloads(service=("openrc", "sshd")) == (("rc-service", "sshd", "reload"), hangup)
    assert reloads(service=("sysvinit", "ssh")) == (
        ("service", "ssh", "reload"),
        ("/etc/init.d/ssh", "reload"),
        hangup,
    )
    assert reloads(service=("pid", "812")) == (hangup,)
    unknown = reloads(service=Unknown("not asked"))
    assert unknown == (
        ("systemctl", "reload", "ssh.service"),
        ("systemctl", "reload", "sshd.service"),
        hangup,
    )
    each_its_own = reloads(service=("socket", "ssh.socket"), socket_unit="ssh.socket")
    assert each_its_own[0] == ("systemctl", "reload", "ssh.service")
    assert each_its_own[1][:2] == ("sh", "-c")
    assert hangup not in each_its_own
    assert not any("restart" in word for argv in each_its_own for word in argv)


def test_by_hand_the_daemon_of_a_socket_is_stopped_for_the_next_login_to_start_it() -> None:
    host = bare("13")
    sshd = replace(host.sshd, service=("systemd", "ssh.service"), socket_unit="ssh.socket")
    plan = planned(replace(host, sshd=sshd))
    (change,) = [change for change in plan.changes if isinstance(change.action, ChangeSshd)]
    assert change.admin_lines[-1] == "/usr/sbin/sshd -t && systemctl stop ssh.service"
