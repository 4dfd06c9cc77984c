"""Pythons without Tk and nobody who is root, on real hosts: what setup brings stays only if it imports."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pip

from tests.hosts.engine_rig import settle
from tests.hosts.setup_rig import Ears, Person, UndoEars, sit_at, target_of, undo_yes, yes
from tests.lab.hosts import Setup, diff
from tests.lab.repositories import TKINTER
from x11fwd.pipeline.setup import SetupOptions, SetupStatus, run_setup
from x11fwd.pipeline.undo import UndoOptions, UndoStatus, run_undo
from x11fwd.playbook import load_families

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from tests.lab.hosts import ChrootHost
    from tests.lab.screen import Screen

PYTHON = "/home/ana/.pyenv/versions/3.11.2"
DEBIANS = "/usr/lib/python3/dist-packages"  # where the lab's own Tk lies
QT = "srv/wheels/PyQt6-9.0-py3-none-any.whl"
PLAYBOOK = """\
schema: x11fwd.playbook/1
name: python
description: Only what concerns Python.
steps:
  - {name: Tk and matplotlib, packages: [tkinter, matplotlib]}
  - {name: the backend, matplotlibrc: {backend: TkAgg}}
"""
MISSING = "raise ImportError('libEGL.so.1: cannot open shared object file: No such file or directory')\n"


def wheel(name: str, files: dict[str, str]) -> bytes:
    """A wheel of version 9.0 (the binary distribution format of packaging.python.org)."""
    info = f"{name}-9.0.dist-info"
    records = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 9.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: x11fwd\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    records[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in (*records, f"{info}/RECORD"))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, text in records.items():
            archive.writestr(path, text)
    return out.getvalue()


def made(new_chroot_host: Callable[..., ChrootHost]) -> ChrootHost:
    """A host whose Python looks like one of pyenv's: no Tk, pip of its own, wheels from a folder."""
    files: dict[str, str | bytes] = {
        "/etc/pip.conf": "[global]\nno-index = true\nfind-links = /srv/wheels\n",
        "/srv/wheels/matplotlib-9.0-py3-none-any.whl": wheel(
            "matplotlib", {"matplotlib/__init__.py": '__version__ = "9.0"\n'}
        ),
        "/etc/profile.d/pyenv.sh": f"PATH={PYTHON}/bin:$PATH\n",
    }
    host = new_chroot_host("bookworm", "bare", Setup(files=files))
    site = f"{PYTHON}/lib/python3/dist-packages"  # where Debian's site.py looks
    local = f"{PYTHON}/local/lib/python3.11/dist-packages"  # and where Debian's pip puts things
    host.check(
        ["sh", "-ec", f"mkdir -p {local} {PYTHON}/bin {PYTHON}/lib; cp -a /usr/lib/python3.11 {PYTHON}/lib/"]
    )
    host.check(
        [
            "sh",
            "-ec",
            f"cp /usr/bin/python3.11 {PYTHON}/bin/python3; rm {PYTHON}/lib/python3.11/EXTERNALLY-MANAGED",
        ]
    )
    folder = Path(pip.__file__).parent
    for path in (*folder.rglob("*.py"), *folder.rglob("*.pem")):
        host.write(f"{site}/pip/{path.relative_to(folder)}", path.read_bytes())
    # any library will do for the linker
    for name in load_families().environments.libraries["qt"][-1].names:
        host.check(["sh", "-ec", f"cd /lib/*-linux-gnu; cp libutil.so.1 {name}"])
    host.check(["sh", "-ec", f"chown -R ana /home/ana/.pyenv; {PYTHON}/bin/python3 -m pip --version"])
    return host


def asked(folder: Path) -> SetupOptions:
    """PLAYBOOK, by a file of its own."""
    playbook = folder / "python.yml"
    playbook.write_text(PLAYBOOK, encoding="utf-8")
    return SetupOptions(playbook=str(playbook))


def bring_qt(host: ChrootHost, text: str) -> None:
    """A wheel of PyQt6 whose one module is `text`."""
    host.write(f"/{QT}", wheel("PyQt6", {"PyQt6/__init__.py": "", "PyQt6/QtWidgets.py": text}))


def test_qt_takes_tks_place_only_if_it_imports(
    new_chroot_host: Callable[..., ChrootHost],
    screen: Screen,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sit_at(screen, monkeypatch)
    host = made(new_chroot_host)
    options, ears = asked(tmp_path), Ears()
    rc = host.root / "home/ana/.config/matplotlib/matplotlibrc"
    before = host.snapshot()

    bring_qt(host, MISSING)
    failed = run_setup(target_of(host, tmp_path), options, Person(), ears, yes)
    assert failed.plan is not None, failed.error
    assert any("`pyenv install --force 3.11.2`" in note for note in failed.plan.notes)
    assert failed.status is SetupStatus.FAILED
    assert failed.error is not None
    assert "libEGL.so.1" in failed.error.message
    assert not rc.exists()

    bring_qt(host, "class QApplication: ...\n")
    result = run_setup(target_of(host, tmp_path), options, Person(), ears, yes)
    assert (result.status, result.error) == (SetupStatus.DONE, None), ears.lines
    assert rc.read_text() == "backend: QtAgg\n"
    host.check([f"{PYTHON}/bin/python3", "-c", "import PyQt6.QtWidgets, matplotlib"])
    undone = run_undo(target_of(host, tmp_path), UndoOptions(), Person(), UndoEars(), undo_yes)
    assert (undone.status, undone.error) == (UndoStatus.DONE, None)
    (host.root / QT).unlink()
    settle(host)
    left = [str(one) for one in diff(before, host.snapshot()) if "__pycache__" not in one.path]
    assert left == []


CONDA = "/home/ana/miniforge3"
CHANNEL = "/srv/channel"
# `conda install --yes --prefix PREFIX --freeze-installed NAME…` copies folders of the channel, with a record
# for each package, conda-meta/NAME-VERSION-BUILD.json; `conda remove --yes --prefix PREFIX NAME…` undoes that
TOOL = f"""#!/bin/sh
verb=$1 prefix=$4; shift 4
[ "$1" != --freeze-installed ] || shift
site=$prefix/lib/python3/dist-packages records=$prefix/conda-meta
for name; do
    cd {CHANNEL}/"$name" 2>/dev/null || {{ echo "PackagesNotFoundError: $name" >&2; exit 1; }}
    case $verb in
    install) cp -r . "$site/"; echo '{{}}' >"$records/$name-9.0-h1_0.json" ;;
    remove)
        find . -type f | while read -r one; do rm -f "$site/$one"; done
        find . -depth -mindepth 1 -type d | while read -r one; do rmdir "$site/$one"; done
        rm -f "$records/$name"-*.json
        ;;
    esac
done
"""
LIBRARY = "raise ImportError('libtk8.6.so: cannot open shared object file: No such file or directory')\n"


def with_conda(new_chroot_host: Callable[..., ChrootHost]) -> ChrootHost:
    """A host whose first Python is one of conda's, with a tool and a channel of its own."""
    host = new_chroot_host(
        "bookworm", "bare", Setup(files={"/etc/profile.d/conda.sh": f"PATH={CONDA}/bin:$PATH\n"})
    )
    make = f"""
    mkdir -p {CONDA}/bin {CONDA}/lib/python3/dist-packages {CONDA}/conda-meta
    cp -a /usr/lib/python3.11 {CONDA}/lib/; rm {CONDA}/lib/python3.11/EXTERNALLY-MANAGED
    cp /usr/bin/python3.11 {CONDA}/bin/python3
    echo '{{}}' >{CONDA}/conda-meta/python-3.11.2-h1_0_cpython.json
    """
    host.check(["sh", "-ec", make])
    host.write(f"{CONDA}/bin/conda", TOOL, mode=0o755)
    host.write(f"{CHANNEL}/matplotlib-base/matplotlib/__init__.py", '__version__ = "9.0"\n')
    host.check(["chown", "-R", "ana", CONDA])
    return host


def bring_tk(host: ChrootHost, module: str) -> None:
    """The channel's package `tk`; `module` is what its library module does."""
    for path, text in {**TKINTER, "_tkinter.py": module or TKINTER[f"{DEBIANS}/_tkinter.py"]}.items():
        host.write(f"{CHANNEL}/tk/{path.removeprefix(DEBIANS).lstrip('/')}", text)


def test_condas_tk_stays_only_if_it_imports(
    new_chroot_host: Callable[..., ChrootHost],
    screen: Screen,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sit_at(screen, monkeypatch)
    host = with_conda(new_chroot_host)
    options, ears = asked(tmp_path), Ears()
    rc = host.root / "home/ana/.config/matplotlib/matplotlibrc"
    before = host.snapshot()

    bring_tk(host, LIBRARY)
    failed = run_setup(target_of(host, tmp_path), options, Person(), ears, yes)
    assert failed.plan is not None, failed.error
    assert failed.plan.changes[0].title == f"Install tk and matplotlib-base in {CONDA}"
    assert failed.status is SetupStatus.FAILED
    assert failed.error is not None
    assert "libtk8.6.so" in failed.error.message
    assert sorted(path.name for path in (host.root / CONDA[1:] / "conda-meta").iterdir()) == [
        "python-3.11.2-h1_0_cpython.json"
    ]
    assert not rc.exists()

    bring_tk(host, "")
    result = run_setup(target_of(host, tmp_path), options, Person(), ears, yes)
    assert (result.status, result.error) == (SetupStatus.DONE, None), ears.lines
    assert rc.read_text() == "backend: TkAgg\n"
    host.check([f"{CONDA}/bin/python3", "-Bc", "import _tkinter, tkinter.filedialog, matplotlib"])
    undone = run_undo(target_of(host, tmp_path), UndoOptions(), Person(), UndoEars(), undo_yes)
    assert (undone.status, undone.error) == (UndoStatus.DONE, None)
    host.check(["rm", "-r", f"{CHANNEL}/tk"])
    settle(host)
    left = [str(one) for one in diff(before, host.snapshot()) if "__pycache__" not in one.path]
    assert left == []
