"""What the role would do on a host is what our own engine plans for it, on every system that is known."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.unit.ansible_role.templating import on
from tests.unit.families.answers import FAMILIES, NONCE, planned, systems
from x11fwd.facts.answers import parse_answers
from x11fwd.facts.pythons import parse_pythons
from x11fwd.steps.plan import InstallInEnvironment, InstallPackages, WriteFile

if TYPE_CHECKING:
    from tests.unit.ansible_role.templating import Role
    from x11fwd.steps.plan import Plan

SYSTEMS = systems()


def wished(plan: Plan) -> tuple[tuple[str, set[str]] | None, list[str], str]:
    """The manager with its packages, what goes into the Python, the backend that is written."""
    manager: tuple[str, set[str]] | None = None
    environment: list[str] = []
    backend = ""
    for change in plan.changes:
        if isinstance(change.action, InstallPackages):
            manager = (change.action.commands.name, set(change.action.names))
        elif isinstance(change.action, InstallInEnvironment):
            environment = list(change.action.names)
        elif isinstance(change.action, WriteFile):
            backend = change.action.content.decode().strip()
    return manager, environment, backend


def wished_by(role: Role, backend: str) -> tuple[tuple[str, set[str]] | None, list[str], str]:
    """The same of the role."""
    role.variables["x11fwd_step_backend"] = backend
    names, acts = role["x11fwd_system_names"], role["x11fwd_manager_acts"]
    written = role["x11fwd_rc_wanted and not x11fwd_rc_by_package"]
    return (
        (str(role["x11fwd_manager_name"]), {str(name) for name in names}) if names and acts else None,
        [str(name) for name in role["x11fwd_environment_names"]],
        f"backend: {role['x11fwd_rc_backend']}" if written else "",
    )


# Each family, and what a family's file tells apart; templating takes a tenth of a second for each.
ASKED = [
    *("debian-13", "centos-7", "rocky-9", "amazon-2", "silverblue-43", "tumbleweed", "arch", "alpine-3.23"),
    *("void", "gentoo", "freebsd-14", "macos-15", "nixos", "guix", "slackware"),
]
WITHOUT_ROOT = ["debian-13", "oracle-9-python3.12", "macos-15"]
WITHOUT_EXTRA = ["rocky-9", "sles-15"]


@pytest.mark.parametrize(
    ("names", "playbook", "rights", "extra"),
    [
        (ASKED, "default", True, True),
        (WITHOUT_ROOT, "default", False, True),
        (WITHOUT_ROOT[1:2], "qt", False, True),
        (WITHOUT_EXTRA, "default", True, False),
        (["centos-7", "alpine-3.20"], "qt", True, True),
    ],
    ids=["root", "no root", "no root, qt", "without EPEL and Package Hub", "qt"],
)
def test_both_engines_install_the_same(names: list[str], playbook: str, *, rights: bool, extra: bool) -> None:
    backend = {"default": "TkAgg", "qt": "QtAgg"}[playbook]
    differ = {}
    for name in names:
        system = SYSTEMS[name]
        facts = system.facts(rights="sudo" if rights else "")
        ours = wished(planned(facts, playbook, offered=extra))
        theirs = wished_by(on(system, playbook, offered=extra, rights=rights), backend)
        if ours != theirs:
            differ[name] = (ours, theirs)
    assert differ == {}


def test_every_family_is_among_them() -> None:
    found = [FAMILIES.find(SYSTEMS[name].os_id, tuple(SYSTEMS[name].os_like.split())) for name in ASKED]
    assert {one.name for one in FAMILIES.members} == {one.name for one in found if one}


PYENV = "/home/ana/.pyenv/versions/3.12.4"
UV = "/home/ana/.local/share/uv/python/cpython-3.12.4-linux-x86_64-gnu"
STANDALONE = {
    "executable": "/home/ana/env/bin/python",
    "version": "3.12.4",
    "prefix": PYENV,
    "base_prefix": PYENV,
    "managed": False,
    "pip": True,
    "conda": False,
}
PYTHONS: dict[str, dict[str, object]] = {
    "conda": {"conda": True},
    "pyenv without Tk": {"prefix": PYENV, "base_prefix": PYENV},
    "pyenv without Tk and without pip": {"prefix": PYENV, "base_prefix": PYENV, "pip": False},
    "a venv of the distribution's": {"base_prefix": "/usr"},
    "a venv of uv's": {"base_prefix": UV},
    "uv's own, externally managed": {"prefix": UV, "base_prefix": UV, "managed": True},
    "one of somebody's": {"prefix": "/opt/python", "base_prefix": "/opt/python"},
}


@pytest.mark.parametrize("libraries", [True, False], ids=["", "without Qt's libraries"])
@pytest.mark.parametrize("name", PYTHONS)
def test_both_engines_bring_the_same_into_a_python(name: str, *, libraries: bool) -> None:
    python = {**STANDALONE, "prefix": "/home/ana/env", "base_prefix": "/home/ana/env", **PYTHONS[name]}
    facts = SYSTEMS["rocky-9"].facts()
    answer = {**python, "tk": {"problem": "x"}, "qt": {"problem": ""}, "matplotlib": {}, "platform": "linux"}
    line = f"=python.full\tlogin shell\t/home/ana/env/bin/python\t{json.dumps(answer)}"
    found = parse_answers(f"{line}\n.{NONCE}\n".encode(), NONCE)
    facts = replace(facts, pythons=parse_pythons(found).pythons)
    ours = wished(planned(facts, libraries=libraries))
    assert wished_by(on(SYSTEMS["rocky-9"], libraries=libraries, python=python), "TkAgg") == ours


def test_a_second_step_of_packages_is_worked_out_anew() -> None:
    role = on(SYSTEMS["rocky-9"], python=STANDALONE, libraries=False)
    assert role["x11fwd_environment_names"] == ["PyQt6", "matplotlib"]
    assert "xcb-util-cursor" in role["x11fwd_system_names"]
    role.variables["x11fwd_packages"] = ["matplotlib"]
    role.choose()
    assert (role["x11fwd_system_names"], role["x11fwd_environment_names"]) == ([], ["matplotlib"])
    assert "tkinter" in role["x11fwd_replaced_so_far"]
