"""Packages' names: each with its source, and the right one for each release."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.families.answers import FAMILIES, planned, systems
from tests.unit.families.test_pythons import host
from x11fwd.facts.model import PythonKind, SystemFacts
from x11fwd.steps.plan import InstallInEnvironment, InstallPackages

SYSTEMS = systems()
# names of these families are pieces of a language, blanks and all
PIECES = {"guix", "nixos"}


def sources() -> dict[str, dict[str, str]]:
    """names.txt: family -> name -> source."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for line in (Path(__file__).parent / "names.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        family, names, source = (word.strip() for word in line.split("|"))
        assert source, line
        one = [names] if family in PIECES and names.startswith("(") else names.split()
        assert not found[family].keys() & set(one), line
        found[family].update(dict.fromkeys(one, source))
    return found


@pytest.mark.parametrize("family", FAMILIES.members, ids=lambda family: family.name)
def test_every_name_of_a_family_has_its_source_and_nothing_else_has(family: object) -> None:
    used = {
        name
        for one in FAMILIES.members
        if one is family
        for choices in one.packages.values()
        for choice in choices
        for name in choice.names
    }
    assert set(sources()[family.name]) == used  # type: ignore[attr-defined]


# what the playbook `qt` installs by the system's manager, beside xauth and matplotlib
QT = {
    "debian-11": ["python3-pyqt5"],
    "debian-13": ["python3-pyqt6", "qt6-qpa-plugins"],
    "ubuntu-22.04": ["python3-pyqt5"],
    "ubuntu-24.04": ["python3-pyqt6", "qt6-qpa-plugins"],
    "mint-21": ["python3-pyqt5"],
    "mint-22": ["python3-pyqt6", "qt6-qpa-plugins"],
    "lmde-6": ["python3-pyqt5"],
    "raspbian-12": ["python3-pyqt5"],
    "devuan-5": ["python3-pyqt5"],
    "pop-22.04": ["python3-pyqt5"],
    "rhel-9": ["python3-qt5"],
    "alma-10": ["python3-pyside6"],
    "fedora-43": ["python3-pyqt6"],
    "leap-15.6": ["python3-qt5"],
    "sles-16": ["python313-PyQt6"],
    "tumbleweed": ["python311-PyQt6"],
    "arch": ["python-pyqt6"],
    "alpine-3.20": ["py3-qt6"],
    "void": ["python3-pyqt6-gui", "python3-pyqt6-widgets"],
    "freebsd-14": ["py311-qt6-pyqt"],
}


@pytest.mark.parametrize("name", QT)
def test_qt_has_the_name_that_it_has_there(name: str) -> None:
    plan = planned(SYSTEMS[name].facts(), "qt")
    (install,) = [one.action for one in plan.changes if isinstance(one.action, InstallPackages)]
    assert [one for one in install.names if "qt" in one.lower() or "pyside" in one] == QT[name]


@pytest.mark.parametrize(
    ("name", "glib"),
    [
        ("debian-12", "libglib2.0-0"),
        ("raspberry-pi-os-12", "libglib2.0-0"),
        ("mint-21", "libglib2.0-0"),
        ("lmde-6", "libglib2.0-0"),
        ("pop-22.04", "libglib2.0-0"),
        ("raspbian-12", "libglib2.0-0"),
        ("devuan-5", "libglib2.0-0"),
        ("mint-22", "libglib2.0-0t64"),
        ("ubuntu-24.04", "libglib2.0-0t64"),
        ("debian-13", "libglib2.0-0t64"),
        ("kali-2025.4", "libglib2.0-0t64"),
    ],
)
def test_a_derivative_gets_the_libraries_of_the_release_that_it_is_made_from(name: str, glib: str) -> None:
    base = "/home/ana/.pyenv/versions/3.12.4"
    facts = host(name, kind=PythonKind.PYENV, prefix=base, base_prefix=base)
    plan = planned(facts, libraries=False)
    (install,) = [one.action for one in plan.changes if isinstance(one.action, InstallPackages)]
    assert [one for one in install.names if one.startswith("libglib")] == [glib]
    assert any(isinstance(one.action, InstallInEnvironment) for one in plan.changes)


def test_nixos_names_xauth_as_its_release_does() -> None:
    facts = SYSTEMS["nixos"].facts()
    later = replace(facts, system=replace(facts.system, version_id="26.05"))
    assert "pkgs.xorg.xauth" in planned(facts).left_to_admin[0].title
    assert "Add pkgs.xauth and" in planned(later).left_to_admin[0].title


# ID and ID_LIKE of systems that no family file names (github.com/chef/os_release); the closest comes first
LIKE = {
    ("antergos", "arch"): "arch",
    ("clearos", "rhel fedora"): "rhel",
    ("cumulus-linux", "debian"): "debian",
    ("suse-microos", "suse"): "suse",
    ("xcp-ng", "centos rhel fedora"): "rhel",
    ("azurelinux", ""): "",
    ("openwrt", "lede openwrt"): "",
    ("photon", ""): "",
}


@pytest.mark.parametrize("one", LIKE, ids=" ".join)
def test_derivatives_are_known_by_what_they_are_like(one: tuple[str, str]) -> None:
    system = SystemFacts("Linux", os_id=one[0], os_like=tuple(one[1].split()))
    family = FAMILIES.find(system.os_id, system.os_like)
    assert (family.name if family else "") == LIKE[one]
