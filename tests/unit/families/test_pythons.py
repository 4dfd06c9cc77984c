"""Pythons that the system's packages do not help: what each gets, and what a person reads of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.unit.families.answers import planned, systems
from x11fwd.facts.model import MatplotlibFacts, PythonFacts, PythonKind
from x11fwd.steps.plan import InstallInEnvironment, WriteFile

if TYPE_CHECKING:
    from x11fwd.facts.model import RemoteFacts
    from x11fwd.steps.plan import Plan

SYSTEMS = systems()
MISSING = "ModuleNotFoundError: No module named '_tkinter'"


def host(name: str, *, rights: str = "sudo", **changes: object) -> RemoteFacts:
    """A host whose first Python is of another kind."""
    facts = SYSTEMS[name].facts(rights=rights)
    python = PythonFacts(
        "/home/ana/env/bin/python",
        "login shell",
        executable="/home/ana/env/bin/python",
        version="3.12.4",
        prefix="/home/ana/env",
        base_prefix="/home/ana/env",
        has_pip=True,
        tkinter=None,
        tkinter_problem=MISSING,
        qt=None,
        matplotlib=MatplotlibFacts(None),
    )
    return replace(facts, pythons=(replace(python, **changes),))  # type: ignore[arg-type]


def installed(plan: Plan) -> InstallInEnvironment:
    (action,) = [one.action for one in plan.changes if isinstance(one.action, InstallInEnvironment)]
    return action


def backend(plan: Plan) -> str:
    (action,) = [one.action for one in plan.changes if one.id == "matplotlibrc-backend"]
    assert isinstance(action, WriteFile)
    return action.content.decode()


@pytest.mark.parametrize("tool", ["/opt/conda/bin/conda", "/home/ana/bin/micromamba", None])
def test_conda_gets_tk_from_its_own_channel_and_it_must_import(tool: str | None) -> None:
    plan = planned(host("rocky-9", rights="", kind=PythonKind.CONDA, tool=tool))
    action = installed(plan)
    assert (action.installer, action.tool, action.names) == ("conda", tool, ("tk", "matplotlib-base"))
    assert "import _tkinter" in action.proof
    assert backend(plan) == "backend: TkAgg\n"


# the package of Tk's headers and how it is installed, per family, then pyenv's own line
HEADERS = {
    "debian-13": "apt-get install --no-install-recommends tk-dev",
    "rocky-9": "dnf install tk-devel",
    "amazon-2": "yum install tk-devel",
    "fedora-43": "dnf install tk-devel",
    "tumbleweed": "zypper install --no-recommends tk-devel",
    "arch": "pacman -S --needed tk",
    "alpine-3.23": "apk add tk-dev",
    "void": "xbps-install -S tk-devel",
    "gentoo": "emerge --ask --changed-use dev-lang/tk",
    "freebsd-14": "pkg install tk86",
    "macos-15": "brew install tcl-tk",
}


@pytest.mark.parametrize("name", HEADERS)
def test_pyenv_without_tk_gets_qt_and_the_lines_that_build_it_anew(name: str) -> None:
    base = "/home/ana/.pyenv/versions/3.12.4"
    plan = planned(host(name, kind=PythonKind.PYENV, prefix=base, base_prefix=base))
    sudo = "" if name == "macos-15" else "sudo "
    assert any(f"`{sudo}{HEADERS[name]}`, then `pyenv install --force 3.12.4`" in note for note in plan.notes)
    assert installed(plan).names == ("PyQt6", "matplotlib")
    assert "QtWidgets" in installed(plan).proof
    assert backend(plan) == "backend: QtAgg\n"


def test_a_uv_python_has_tkinter_and_needs_only_matplotlib() -> None:
    base = "/home/ana/.local/share/uv/python/cpython-3.12.4-linux-x86_64-gnu"
    plan = planned(host("rocky-9", rights="", kind=PythonKind.VENV, base_prefix=base, tkinter="8.6.14"))
    assert installed(plan).names == ("matplotlib",)
    assert backend(plan) == "backend: TkAgg\n"


def test_a_uv_python_whose_tkinter_is_broken_is_told_of_newer_builds() -> None:
    base = "/home/ana/.local/share/uv/python/cpython-3.12.4-linux-x86_64-gnu"
    plan = planned(host("rocky-9", rights="", kind=PythonKind.VENV, base_prefix=base))
    assert any("uv python install --reinstall 3.12" in note for note in plan.notes)
    assert installed(plan).names == ("PyQt6", "matplotlib")


def test_the_systems_python_without_root_gets_qts_wheels_into_the_users_own_folder() -> None:
    facts = SYSTEMS["oracle-9-python3.12"].facts(rights="")
    plan = planned(facts)
    action = installed(plan)
    assert (action.user, action.names) == (True, ("PyQt6", "matplotlib"))
    assert backend(plan) == "backend: QtAgg\n"
    assert [change.id for change in plan.left_to_admin] == ["packages-system", "sshd-x11forwarding"]


def test_old_pythons_get_the_qt_that_has_wheels_for_them() -> None:
    plan = planned(SYSTEMS["centos-7"].facts(rights=""))
    assert installed(plan).names == ("PyQt5", "matplotlib")


def test_a_python_of_the_distributions_that_pip_must_not_touch_is_left_to_the_administrator() -> None:
    plan = planned(SYSTEMS["debian-13"].facts(rights=""))
    assert not any(isinstance(one.action, InstallInEnvironment) for one in plan.changes)
    assert plan.left_to_admin


def test_wheels_whose_libraries_are_missing_are_not_installed_in_vain() -> None:
    base = "/home/ana/.pyenv/versions/3.12.4"
    facts = host("rocky-9", rights="", kind=PythonKind.PYENV, prefix=base, base_prefix=base)
    plan = planned(facts, libraries=False)
    assert installed(plan).names == ("matplotlib",)
    assert any("libxcb-cursor.so.0" in warning for warning in plan.warnings)
    assert "tkinter" in plan.lacks


def test_with_root_the_libraries_that_the_wheels_need_are_installed_too() -> None:
    base = "/home/ana/.pyenv/versions/3.12.4"
    facts = host("rocky-9", kind=PythonKind.PYENV, prefix=base, base_prefix=base)
    plan = planned(facts, libraries=False)
    assert "xcb-util-cursor" in plan.changes[0].title
    assert installed(plan).names == ("PyQt6", "matplotlib")
