"""SELinux's labels, packages of Python that have to prove themselves, conda's records: the engine itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.unit.engine.rig import SHELLS, Here, engine, here, write
from x11fwd.steps.engine import EngineError, UndoOutcome
from x11fwd.steps.plan import Change, InstallInEnvironment, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=list(SHELLS))
def remote(request: pytest.FixtureRequest) -> Iterator[Here]:
    with here(str(request.param)) as transport:
        yield transport


@pytest.fixture
def one_remote() -> Iterator[Here]:
    with here(next(iter(SHELLS))) as transport:
        yield transport


def program(remote: Here, name: str, script: str) -> Path:
    """A program that the engine finds before any of this machine's."""
    path = remote.home.parent / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_where_selinux_is_on_every_written_file_and_folder_gets_its_label(remote: Here) -> None:
    log = remote.home.parent / "home/labels"
    program(remote, "selinuxenabled", "exit 0")
    program(remote, "restorecon", f'echo "$@" >>{log}')
    client = engine(remote)
    client.apply(write(f"{remote.home}/a/b/rc", b"new\n", None))
    assert log.read_text().split() == [f"{remote.home}/{name}" for name in ("a", "a/b", "a/b/rc")]
    log.unlink()
    client.apply(write(f"{remote.home}/a/b/rc", b"newer\n", b"new\n"))
    newest = max(client.journal(as_root=False).entries, key=lambda entry: entry.id)
    assert client.undo(newest).outcome is UndoOutcome.UNDONE
    assert log.read_text().split() == [f"{remote.home}/a/b/rc"] * 2


def test_where_selinux_is_off_nothing_is_labelled(one_remote: Here) -> None:
    log = one_remote.home / "labels"
    program(one_remote, "selinuxenabled", "exit 1")
    program(one_remote, "restorecon", f'echo "$@" >>{log}')
    assert engine(one_remote).apply(write(f"{one_remote.home}/rc", b"new\n", None)).outcome is Outcome.DONE
    assert not log.exists()


# pip and conda of an environment that is a folder of names
PIP = """case "$*" in
*" list "*) cat "$HOME/env/names" ;;
*" install "*) echo numpy==2.0 >>"$HOME/env/names"; echo pyqt6==6.7 >>"$HOME/env/names" ;;
*" uninstall "*) shift 6; for n; do sed -i "/^$n=/d" "$HOME/env/names"; done ;;
*) exec python3 "$@" ;;
esac"""


def environment(remote: Here, proof: str) -> Change:
    folder = remote.home / "env"
    folder.mkdir()
    (folder / "names").write_text("pip==24.0\n", encoding="utf-8")
    python = program(remote, "python-of-env", PIP)
    if remote.as_nobody:
        for path in (folder, folder / "names"):
            os.chown(path, remote.as_nobody["user"], remote.as_nobody["group"])
    action = InstallInEnvironment(str(python), "pip", str(folder), ("PyQt6",), proof=proof)
    return Change("packages-python", "Install PyQt6", action, become=False)


def test_what_does_not_import_after_its_install_goes_again_and_says_why(one_remote: Here) -> None:
    change = environment(
        one_remote, "raise ImportError('libxcb-cursor.so.0: cannot open shared object file')"
    )
    with pytest.raises(EngineError, match="does not work there") as raised:
        engine(one_remote).apply(change)
    assert raised.value.code == "proof"
    assert "libxcb-cursor.so.0" in raised.value.message
    assert (one_remote.home / "env/names").read_text() == "pip==24.0\n"
    assert engine(one_remote).journal(as_root=False).entries == ()


def test_what_imports_stays_and_undo_removes_all_that_came(one_remote: Here) -> None:
    client = engine(one_remote)
    assert client.apply(environment(one_remote, "import json\nimport os.path")).outcome is Outcome.DONE
    assert (one_remote.home / "env/names").read_text() == "pip==24.0\nnumpy==2.0\npyqt6==6.7\n"
    (entry,) = client.journal(as_root=False).entries
    assert client.undo(entry).outcome is UndoOutcome.UNDONE
    assert (one_remote.home / "env/names").read_text() == "pip==24.0\n"


@pytest.mark.parametrize("tool", ["conda", "micromamba"])
def test_any_of_condas_tools_installs_and_the_records_tell_what_came(tool: str) -> None:
    with here(next(iter(SHELLS))) as remote:
        records = remote.home / "env/conda-meta"
        records.mkdir(parents=True)
        (records / "python-3.12.4-h194c7f8_0_cpython.json").write_text("{}")
        (records / "history").write_text("")
        install = f'cd {records}; case $1 in install) echo "{{}}" >tk-8.6.13-noxft_h4845f30_101.json ;; '
        program(
            remote,
            tool,
            f'{install} remove) shift 4; for n; do rm -f "$n"-[0-9]*.json; done ;; *) exit 9 ;; esac',
        )
        if remote.as_nobody:
            for path in (records.parent, records, *records.iterdir()):
                os.chown(path, remote.as_nobody["user"], remote.as_nobody["group"])
        prefix = str(records.parent)
        action = InstallInEnvironment("python3", "conda", prefix, ("tk",), tool=tool, proof="import json")
        client = engine(remote)
        assert (
            client.apply(Change("packages-python", "Install tk", action, become=False)).outcome
            is Outcome.DONE
        )
        (entry,) = client.journal(as_root=False).entries
        assert (records / "tk-8.6.13-noxft_h4845f30_101.json").exists()
        assert client.undo(entry).outcome is UndoOutcome.UNDONE
        assert sorted(path.name for path in records.iterdir()) == [
            "history",
            "python-3.12.4-h194c7f8_0_cpython.json",
        ]
