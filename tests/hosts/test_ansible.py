"""One playbook, two engines: what Ansible does with the exported playbook is what our own engine does."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.hosts.engine_rig import COOKIES, PlainSsh, settle
from tests.hosts.setup_rig import Ears, Person, UndoEars, target_of, undo_yes, yes
from tests.lab.hosts import ChrootHost, Setup, diff
from tests.lab.runs import wait_for
from x11fwd.inventory import load_inventory, target_for
from x11fwd.pipeline.ansible_engine import AnsibleSettings, run_with_ansible
from x11fwd.pipeline.export import export_for_ansible
from x11fwd.pipeline.fleet import Member
from x11fwd.pipeline.setup import SetupOptions, SetupStatus, run_setup
from x11fwd.pipeline.undo import UndoOptions, UndoStatus, run_undo
from x11fwd.steps.plan import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.lab.snapshots import Node, Tree
    from x11fwd.pipeline.setup import SetupResult

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

    def inventory(self, host: ChrootHost) -> Path:
        known = self.folder / f"known-{host.port}"
        known.write_text(f"[{host.address}]:{host.port} {host.host_key()}\n", encoding="utf-8")
        file = self.folder / f"hosts-{host.port}.ini"
        words = (
            f"{host.hostname} ansible_host={host.address} ansible_port={host.port} ansible_user=ana",
            f"ansible_ssh_private_key_file={host.key_path} ansible_python_interpreter=/usr/bin/python3",
            f"ansible_ssh_common_args='-F none -o IdentitiesOnly=yes -o UserKnownHostsFile={known}'",
        )
        file.write_text(" ".join(words) + "\n", encoding="utf-8")
        return file


def ansible(
    pair: Pair, host: ChrootHost, *more: str, playbook: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """The real ansible-playbook over real ssh."""
    settings = {"ANSIBLE_PIPELINING": "1", "ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8"}
    file = (playbook or pair.exported) / "x11fwd.yml"
    return subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", "-i", str(pair.inventory(host)), *more, str(file)],
        env={**os.environ, **settings, "ANSIBLE_HOME": str(pair.folder / "home")},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


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

    looked = ansible(pair, pair.ansible, "--check", "--diff")
    assert looked.returncode == 0, looked.stdout[-3000:] + looked.stderr
    assert "+X11Forwarding yes" in looked.stdout
    assert "Would install hello" in looked.stdout
    assert recap(looked)["changed"] >= 4
    assert diff(ansible_before, pair.ansible.snapshot(), ignore=(APART[0], *COOKIES)) == []

    by_us = run_setup(target_of(pair.native, tmp_path), options, Person(), Ears(), yes)
    assert (by_us.status, by_us.error) == (SetupStatus.DONE, None)
    by_ansible = ansible(pair, pair.ansible)
    assert by_ansible.returncode == 0, by_ansible.stdout[-3000:] + by_ansible.stderr
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

    # through `setup --engine ansible`, which runs the same exported playbook
    after, ears = fleet(pair, pair.native, options)
    assert (after.status, after.exit_code, after.results, after.error) == (SetupStatus.ALREADY, 0, (), None)
    assert "doing Look at the Python" in ears.lines
    again = run_setup(target_of(pair.ansible, tmp_path), options, Person(), Ears(), yes)
    # a command of root's has its check asked over there, at the moment when it would be run
    assert [(one.change, one.outcome) for one in again.results] == [("command-a-command", Outcome.UNCHANGED)]

    undone = run_undo(target_of(pair.ansible, tmp_path), UndoOptions(), Person(), UndoEars(), undo_yes)
    assert undone.status is UndoStatus.DONE, undone.error
    settle(pair.ansible)
    assert diff(ansible_before, pair.ansible.snapshot(), ignore=(APART[0], *COOKIES)) == []


def fleet(
    pair: Pair, host: ChrootHost, options: SetupOptions, *, ask: bool = False
) -> tuple[SetupResult, Ears]:
    """`setup --engine ansible` for one host of an inventory."""
    (listed,) = load_inventory(pair.inventory(host)).hosts
    member = Member(target_for(listed), listed)
    ears = Ears()
    told: list[tuple[str, SetupResult]] = []
    (result,) = run_with_ansible(
        [member],
        options,
        AnsibleSettings(pair.inventory(host), jobs=5, ask=ask),
        Person(),
        lambda _: ears,
        yes,
        finished=lambda one, answer: told.append((one.name, answer)),
        stop=threading.Event(),
    )
    assert told == [(host.hostname, result)]
    return result, ears


def test_a_change_that_locks_out_is_restored_by_the_watcher_and_a_contradiction_is_refused(
    pair: Pair,
) -> None:
    host = pair.ansible
    before = host.snapshot()
    locking = pair.folder / "locking.yml"
    locking.write_text(
        "schema: x11fwd.playbook/1\nname: locking\ndescription: Nobody may log in.\n"
        "steps:\n  - name: nobody\n    sshd_option:\n      AllowUsers: nobody\n",
        encoding="utf-8",
    )
    pending = host.root / "var/lib/x11fwd/pending"

    def hasten() -> None:
        """Shortens the count that begins at the reload; before it a busy machine may take its time."""
        wait_for(lambda: any(pending.glob("*/undecided")), limit=300, what="the watcher's folder")
        next(pending.glob("*/seconds")).write_text("15\n")

    with ThreadPoolExecutor() as beside:
        hastened = beside.submit(hasten)
        result, _ = fleet(pair, host, SetupOptions(playbook=str(locking), confirm_seconds=600))
        hastened.result()
    assert result.status is SetupStatus.FAILED
    assert result.exit_code in {3, 4}
    # the daemon had read it; with a busy machine the next login may come only after the watcher's work
    assert "not allowed because not listed in AllowUsers" in host.sshd_log(), result.error
    drop_in = host.root / "etc/ssh/sshd_config.d/00-x11fwd.conf"
    wait_for(lambda: not drop_in.exists(), limit=60, what="the watcher")
    settle(host)
    assert PlainSsh(host, "ana").run(("true",)).exit_status == 0
    assert diff(before, host.snapshot(), ignore=(APART[0], *COOKIES)) == []

    decides = "/etc/ssh/sshd_config.d/00-a.conf"
    host.write(decides, "X11Forwarding no\n")
    with_line = host.snapshot()
    options = SetupOptions(playbook="default")
    refused, _ = fleet(pair, host, options)
    (host.root / decides.removeprefix("/")).unlink()
    assert (refused.status, refused.exit_code) == (SetupStatus.FAILED, 4)
    assert f"{decides}:1: X11Forwarding no" in str(refused.error)
    assert refused.error is not None
    assert host.hostname in refused.error.message
    settle(host)
    assert diff(with_line, host.snapshot(), ignore=APART[:1]) == [
        change for change in diff(with_line, host.snapshot()) if change.path == decides
    ]


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
