"""pip, conda and Qt in Tk's place through the exported role: what comes stays only if it imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.hosts.ansible_rig import inventory, through_ansible
from tests.hosts.engine_rig import settle
from tests.hosts.setup_rig import Person, UndoEars, target_of, undo_yes
from tests.hosts.test_pythons_without_tk import (
    CONDA,
    MISSING,
    PLAYBOOK,
    PYTHON,
    QT,
    bring_qt,
    bring_tk,
    made,
    with_conda,
)
from tests.lab.hosts import diff
from x11fwd.pipeline.setup import SetupOptions, SetupStatus
from x11fwd.pipeline.undo import UndoOptions, UndoStatus, run_undo

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.lab.hosts import ChrootHost

RC = "home/ana/.config/matplotlib/matplotlibrc"


def test_wheels_and_condas_packages_come_through_ansible_too_without_root(
    new_chroot_host: Callable[..., ChrootHost], tmp_path: Path
) -> None:
    pyenv, conda = made(new_chroot_host), with_conda(new_chroot_host)
    playbook = tmp_path / "python.yml"
    playbook.write_text(PLAYBOOK, encoding="utf-8")
    options = SetupOptions(playbook=str(playbook))
    file = inventory(
        tmp_path,
        [pyenv, conda],
        {
            pyenv.hostname: f"x11fwd_python={PYTHON}/bin/python3 x11fwd_root=false",
            conda.hostname: f"x11fwd_python={CONDA}/bin/python3 x11fwd_root=false",
        },
    )
    before = {host: host.snapshot() for host in (pyenv, conda)}

    bring_qt(pyenv, MISSING)
    bring_tk(conda, "")
    first, _ = through_ansible(file, options)
    failed, done = first[pyenv.hostname], first[conda.hostname]
    assert failed.status is SetupStatus.FAILED
    assert "libEGL.so.1" in str(failed.error)
    assert not (pyenv.root / RC).exists()
    assert not list((pyenv.root / PYTHON[1:]).rglob("PyQt6"))
    assert (done.status, done.error) == (SetupStatus.DONE, None)
    assert (conda.root / RC).read_text() == "backend: TkAgg\n"
    conda.check([f"{CONDA}/bin/python3", "-Bc", "import _tkinter, tkinter.filedialog, matplotlib"])

    bring_qt(pyenv, "class QApplication: ...\n")
    second, _ = through_ansible(file, options)
    assert {one.status for one in second.values()} == {SetupStatus.DONE, SetupStatus.ALREADY}, second
    assert second[conda.hostname].status is SetupStatus.ALREADY
    assert (pyenv.root / RC).read_text() == "backend: QtAgg\n"
    pyenv.check([f"{PYTHON}/bin/python3", "-c", "import PyQt6.QtWidgets, matplotlib"])

    # our own engine knows what came, and takes it back
    for host in (pyenv, conda):
        target = target_of(host, tmp_path)
        undone = run_undo(target, UndoOptions(), Person(), UndoEars(), undo_yes)
        assert (undone.status, undone.error) == (UndoStatus.DONE, None)
        settle(host)
    (pyenv.root / QT).unlink()
    conda.check(["rm", "-r", "/srv/channel/tk"])
    for host, tree in before.items():
        left = diff(tree, host.snapshot(), ignore=["/home/ana/.ansible", "/home/ana/.Xauthority"])
        assert [str(one) for one in left if "__pycache__" not in one.path] == []
