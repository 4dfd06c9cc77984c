"""One playbook, two engines: what Ansible does with the exported playbook is what our own engine does."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.hosts.ansible_rig import command, inventory, through_ansible
from tests.hosts.engine_rig import COOKIES, PlainSsh, settle
from tests.hosts.setup_rig import Ears, Person, UndoEars, target_of, undo_yes, yes
from tests.lab.hosts import ChrootHost, Setup, diff
from tests.lab.runs import wait_for
from x11fwd.pipeline.export import export_for_ansible
from x11fwd.pipeline.setup import SetupOptions, SetupStatus, run_setup
from x11fwd.pipeline.undo import UndoOptions, UndoStatus, run_undo
from x11fwd.steps.plan import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.lab.snapshots import Node, Tree

PLAYBOOK = """
schema: x11fwd.playbook/1
name: everything
description: One step of each kind that a host without an init can take.
steps:
  - name: packages, those of the host and a small one that is missing
    packages: [xauth, tkinter, matplotlib, hello]
  - name: X11 forwarding in sshd
    sshd_option:
      X11Forwarding: "yes"
  - name: the backend
    matplotlibrc:
      backend: GTK3Agg
  - name: a file of the user's
    when: [user.root is no, python.version >= 3.6]
    file:
      path: ~/notes/plots.txt
      content: |
        {{ not a template }}
        it's "quoted" $HOME
  - name: never
    when: [python.kind is conda]
    file:
      path: /etc/never
      content: "never\\n"
    become: yes
  - name: a command
    command:
      check: [test, -e, /etc/x11fwd-flag]
      do: [touch, /etc/x11fwd-flag]
      undo: [rm, /etc/x11fwd-flag]
    become: yes
"""
# What differs between the two engines, and why.
APART = (
    "/home/ana/.ansible",  # Ansible's own folder for its modules
    "/var/lib/x11fwd",  # both keep the same journal; times, marks and what is meant for people differ in it
    "/home/ana/.local/state/x11fwd",  # same
    "/home/ana/.Xauthority",  # our engine proves the change by a login with X11, for which sshd runs xauth
)


@dataclass
class Pair:
    """Two equal hosts and the exported playbook."""

    native: ChrootHost
    ansible: ChrootHost
    folder: Path
    playbook: Path
    exported: Path


def recap(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    line = done.stdout.partition("PLAY RECAP")[2].strip().splitlines()[-1]
    return {name: int(value) for name, _, value in (word.partition("=") for word in line.split()[2:])}


def changed(before: Tree, after: Tree) -> dict[str, Node | None]:
    return {change.path: change.after for change in diff(before, after, ignore=APART)}


def entries(host: ChrootHost) -> list[str]:
    """Both journals: what was changed, oldest first."""
    about = "$(cat $e/kind $e/change $e/path 2>/dev/null) $(ls $e | grep state-)"
    script = f"cd $1; for e in journal/*; do echo {about}; done"
    found: list[str] = []
    for state in ("/var/lib/x11fwd", "/home/ana/.local/state/x11fwd"):
        found += host.check(["sh", "-c", script, "entries", state]).splitlines()
    return found


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("ansible")
    playbook = folder / "everything.yml"
    playbook.write_text(PLAYBOOK, encoding="utf-8")
    export_for_ansible(str(playbook), folder / "exported")
    setup = Setup(sudo="ana ALL=(ALL) NOPASSWD: ALL")
    with ChrootHost("trixie", "plot", setup) as native, ChrootHost("trixie", "plot", setup) as other:
        # what Ansible's module for apt needs; it would install it where it is missing
        install = "apt-get -qq update && apt-get -qq -y --no-install-recommends install python3-apt"
        with ThreadPoolExecutor() as both:
            list(both.map(lambda host: host.check(["sh", "-c", install]), (native, other)))
        yield Pair(native, other, folder, playbook, folder / "exported")


def test_both_engines_leave_equal_trees_and_find_nothing_to_do_after_each_other(
    pair: Pair, tmp_path: Path
) -> None:
    options = SetupOptions(playbook=str(pair.playbook))
    native_before, ansible_before = pair.native.snapshot(), pair.ansible.snapshot()

    def look() -> subprocess.CompletedProcess[str]:
        file = inventory(pair.folder, [pair.ansible])
        argv, environment = command(pair.folder, file, pair.exported, "--check", "--diff")
        return subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=900, check=False)

    with ThreadPoolExecutor() as beside:
        looking = beside.submit(look)
        by_us = run_setup(target_of(pair.native, tmp_path), options, Person(), Ears(), yes)
        looked = looking.result()
    assert (by_us.status, by_us.error) == (SetupStatus.DONE, None)
    assert looked.returncode == 0, looked.stdout[-3000:] + looked.stderr
    assert "+X11Forwarding yes" in looked.stdout
    assert "Would install hello" in looked.stdout
    assert recap(looked)["changed"] >= 4
    assert diff(ansible_before, pair.ansible.snapshot(), ignore=(APART[0], *COOKIES)) == []

    # one run on both hosts, through `setup --engine ansible`, which runs the same role: where our own engine
    # was at work there is nothing to be done
    results, ears = through_ansible(inventory(pair.folder, [pair.ansible, pair.native]), options)
    by_ansible, after = results[pair.ansible.hostname], results[pair.native.hostname]
    assert (by_ansible.status, by_ansible.error) == (SetupStatus.DONE, None)
    assert (after.status, after.exit_code, after.results, after.error) == (SetupStatus.ALREADY, 0, (), None)
    assert "doing Look at the Python" in ears[pair.native.hostname].lines
    settle(pair.native)
    settle(pair.ansible)
    ours, theirs = (
        changed(native_before, pair.native.snapshot()),
        changed(ansible_before, pair.ansible.snapshot()),
    )
    assert ours == theirs
    assert "/etc/ssh/sshd_config.d/00-x11fwd.conf" in ours
    assert "/usr/bin/hello" in ours
    assert entries(pair.native) == entries(pair.ansible)

    again = run_setup(target_of(pair.ansible, tmp_path), options, Person(), Ears(), yes)
    # a command of root's has its check asked over there, at the moment when it would be run
    assert [(one.change, one.outcome) for one in again.results] == [("command-a-command", Outcome.UNCHANGED)]

    undone = run_undo(target_of(pair.ansible, tmp_path), UndoOptions(), Person(), UndoEars(), undo_yes)
    assert undone.status is UndoStatus.DONE, undone.error
    settle(pair.ansible)
    assert diff(ansible_before, pair.ansible.snapshot(), ignore=(APART[0], *COOKIES)) == []


def test_a_change_that_locks_out_is_restored_by_the_watcher_and_a_contradiction_is_refused(
    pair: Pair,
) -> None:
    locked, contradicted = pair.ansible, pair.native
    decides = "/etc/ssh/sshd_config.d/00-a.conf"
    contradicted.write(decides, "X11Forwarding no\n")
    before, with_line = locked.snapshot(), contradicted.snapshot()
    locking = pair.folder / "locking.yml"
    locking.write_text(
        "schema: x11fwd.playbook/1\nname: locking\ndescription: Nobody may log in.\n"
        "steps:\n  - name: nobody\n    sshd_option:\n      X11Forwarding: 'yes'\n      AllowUsers: nobody\n",
        encoding="utf-8",
    )
    pending = locked.root / "var/lib/x11fwd/pending"

    refusal = "not allowed because not listed in AllowUsers"

    def hasten() -> None:
        """Ends the watcher's count once the daemon has refused the login that was to confirm."""
        wait_for(lambda: refusal in locked.sshd_log(), limit=600, what="a login that is refused")
        (next(pending.glob("*/undecided")).parent / "now").touch()

    with ThreadPoolExecutor() as beside:
        hastened = beside.submit(hasten)
        options = SetupOptions(playbook=str(locking), confirm_seconds=600)
        results, _ = through_ansible(inventory(pair.folder, [locked, contradicted]), options)
        hastened.result()

    result = results[locked.hostname]
    assert result.status is SetupStatus.FAILED
    assert result.exit_code in {3, 4}
    assert refusal in locked.sshd_log(), result.error
    drop_in = locked.root / "etc/ssh/sshd_config.d/00-x11fwd.conf"
    wait_for(lambda: not drop_in.exists(), limit=60, what="the watcher")
    settle(locked)
    assert PlainSsh(locked, "ana").run(("true",)).exit_status == 0
    assert diff(before, locked.snapshot(), ignore=(APART[0], *COOKIES)) == []

    refused = results[contradicted.hostname]
    assert (refused.status, refused.exit_code) == (SetupStatus.FAILED, 4)
    assert refused.error is not None
    assert f"{decides}:1: X11Forwarding no" in str(refused.error)
    assert contradicted.hostname in refused.error.message
    settle(contradicted)
    assert diff(with_line, contradicted.snapshot(), ignore=(APART[0], *COOKIES)) == []


def test_the_exported_playbook_passes_ansible_lint_in_its_production_profile(pair: Pair) -> None:
    lint = [sys.executable, "-m", "ansiblelint", "--offline", "--nocolor", "--profile", "production"]
    done = subprocess.run(
        lint,
        cwd=pair.exported,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8", "ANSIBLE_HOME": str(pair.folder / "home")},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Passed: 0 failure(s), 0 warning(s)" in done.stdout + done.stderr
