"""Where playbooks are found, and what a good one becomes."""

from __future__ import annotations

from pathlib import Path

import pytest

from x11fwd.errors import UsageError
from x11fwd.playbook import (
    CommandStep,
    FileStep,
    MatplotlibrcStep,
    Operator,
    PackagesStep,
    ServiceState,
    ServiceStep,
    SshdOptionStep,
    load,
    load_families,
    load_playbook,
    playbook_names,
    playbooks_folder,
)
from x11fwd.playbook.load import STEP_KINDS

EVERYTHING = """\
schema: x11fwd.playbook/1
name: everything
description: >
  One step of
  each kind.
steps:
  - name: some packages
    when: [python.kind is system, "sshd.version >= 8.2", sshd.effective.x11forwarding is  not yes]
    packages: [xauth, fonts-noto]
  - name: sshd
    sshd_option: {X11Forwarding: yes, X11DisplayOffset: 20}
  - name: the backend
    matplotlibrc: {backend: tkagg}
  - name: a file
    become: yes
    file:
      path: /etc/profile.d/plots.sh
      mode: 0755
      content: |
        # nothing
  - name: a service
    service: {name: cron, state: enabled}
  - name: a command
    command: {check: [test, -e, /x], do: [touch, /x], undo: [rm, /x]}
"""


def test_every_kind_of_step_is_read(tmp_path: Path) -> None:
    file = tmp_path / "everything.yml"
    file.write_text(EVERYTHING, encoding="utf-8")
    playbook = load_playbook(str(file))
    assert (playbook.name, playbook.description) == ("everything", "One step of each kind.")
    packages, sshd, backend, written, service, command = playbook.steps
    assert isinstance(packages, PackagesStep)
    assert packages.names == ("xauth", "fonts-noto")
    assert [str(condition) for condition in packages.head.when] == [
        "python.kind is system",
        "sshd.version >= 8.2",
        "sshd.effective.x11forwarding is not yes",
    ]
    assert packages.head.when[2].operator is Operator.IS_NOT
    assert isinstance(sshd, SshdOptionStep)
    # a word is what was written: YAML's own idea of `yes` never comes in between
    assert sshd.options == (("X11Forwarding", "yes"), ("X11DisplayOffset", "20"))
    assert isinstance(backend, MatplotlibrcStep)
    assert backend.backend == "TkAgg"
    assert isinstance(written, FileStep)
    assert (written.path, written.content, written.mode) == ("/etc/profile.d/plots.sh", "# nothing\n", 0o755)
    assert isinstance(service, ServiceStep)
    assert service.state is ServiceState.ENABLED
    assert isinstance(command, CommandStep)
    assert command.undo == ("rm", "/x")
    assert [step.head.become for step in playbook.steps] == [True, True, False, True, True, False]
    assert len(playbook.steps) == len(STEP_KINDS)


def test_the_shipped_playbooks_and_families_are_good() -> None:
    assert playbook_names() == ("default", "qt")
    for name in playbook_names():
        playbook = load_playbook(name)
        assert playbook.name == name
        assert playbook.steps
    assert {"debian", "ubuntu"} <= {os_id for family in load_families().members for os_id in family.ids}


def test_playbooks_are_found_inside_an_installed_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site-packages" / "x11fwd"
    (package / "playbooks").mkdir(parents=True)
    (package / "playbooks" / "default.yml").write_text("", encoding="utf-8")
    monkeypatch.setattr(load, "__file__", str(package / "playbook" / "load.py"))
    assert playbooks_folder() == package / "playbooks"


def test_playbooks_are_found_beside_the_package_in_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "playbooks" / "default.yml").write_text("", encoding="utf-8")
    monkeypatch.setattr(load, "__file__", str(tmp_path / "x11fwd" / "playbook" / "load.py"))
    assert playbooks_folder() == tmp_path / "playbooks"


def test_missing_playbooks_are_an_error_with_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "__file__", str(tmp_path / "x11fwd" / "playbook" / "load.py"))
    with pytest.raises(UsageError) as raised:
        playbooks_folder()
    assert "--playbook" in raised.value.hint


def test_a_word_is_a_name_and_anything_else_is_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "qt").write_text(EVERYTHING, encoding="utf-8")
    (tmp_path / "own.yml").write_text(EVERYTHING, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert load_playbook("qt").name == "qt"
    assert load_playbook("./qt").name == "everything"
    assert load_playbook("own.yml").name == "everything"
    assert Path(load_playbook("own.yml").file).name == "own.yml"
