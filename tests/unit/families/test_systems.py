"""Every system of the table through the probe's parser and the planner: bare, without rights, and set up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.families.answers import FAMILIES, planned, systems
from tests.unit.golden import assert_golden
from tests.unit.steps.remotes import shown
from x11fwd.steps.plan import ByHand, ChangeSshd, InstallPackages, Plan

SYSTEMS = systems()
HERE = Path(__file__).parent


def whole(plan: Plan) -> str:
    """The plan as golden text, with how sshd is reloaded and the lines for a person."""
    lines = [shown(plan).rstrip("\n")]
    lines += [
        f"reload: {' | '.join(' '.join(argv) for argv in change.action.reload)}"
        for change in plan.changes + plan.left_to_admin
        if isinstance(change.action, ChangeSshd)
    ]
    lines += [
        f"by hand: {line}"
        for change in plan.left_to_admin
        if isinstance(change.action, ByHand)
        for line in change.admin_lines
    ]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_bare_system_is_planned_as(name: str) -> None:
    assert_golden(HERE, f"{name}.txt", whole(planned(SYSTEMS[name].facts())))


@pytest.mark.parametrize("name", [name for name, one in SYSTEMS.items() if one.python])
def test_a_system_that_is_set_up_is_left_alone(name: str) -> None:
    plan = planned(SYSTEMS[name].facts(ready=True))
    assert (plan.changes, plan.left_to_admin, plan.warnings) == ((), (), ())


@pytest.mark.parametrize("name", SYSTEMS)
def test_without_rights_nothing_of_roots_is_among_the_changes(name: str) -> None:
    plan = planned(SYSTEMS[name].facts(rights=""))
    assert not any(change.become for change in plan.changes)


def test_every_family_has_a_system_here_and_every_system_its_family() -> None:
    found = {
        name: FAMILIES.find(one.os_id.lower(), tuple(one.os_like.split())) for name, one in SYSTEMS.items()
    }
    assert {family.name for family in found.values() if family} == {
        family.name for family in FAMILIES.members
    }
    assert {name for name, family in found.items() if family is None} == {"flatcar", "openeuler", "slackware"}


def test_names_of_packages_are_whole() -> None:
    for one in SYSTEMS.values():
        for change in planned(one.facts()).changes:
            if isinstance(change.action, InstallPackages):
                assert not any("{" in name or not name for name in change.action.names), one.name


def test_without_epel_matplotlib_comes_from_pip_or_is_named_with_its_repository() -> None:
    plan = planned(SYSTEMS["rocky-9"].facts(), offered=False)
    (install,) = [one.action for one in plan.changes if isinstance(one.action, InstallPackages)]
    assert install.names == ("xorg-x11-xauth", "python3-tkinter")
    assert any("EPEL" in warning for warning in plan.warnings)


def test_a_system_without_xauth_to_be_had_is_confirmed_by_the_login_alone() -> None:
    lacking = {name for name, one in SYSTEMS.items() if "xauth" in planned(one.facts()).lacks}
    images = {name for name, one in SYSTEMS.items() if one.image}
    assert images == {"silverblue-43", "coreos-43", "flatcar", "suse-microos", "opensuse-microos", "steamos"}
    by_hand = {"gentoo", "macos-15", "openeuler", "slackware"}
    assert lacking == {*images, *by_hand, "nixos", "guix"}


@pytest.mark.parametrize("name", sorted(name for name, one in SYSTEMS.items() if one.image))
def test_an_image_is_called_one_once_and_the_bridge_is_named_with_what_it_needs(name: str) -> None:
    plan = planned(SYSTEMS[name].facts())
    said = [
        warning for warning in plan.warnings if "is an image that takes no programs while it runs" in warning
    ]
    assert len(said) == 1
    assert "`x11fwd ssh --via bridge` needs no xauth" in said[0]
    assert ("`uv python install` puts one, with Tk, into your home" in said[0]) is (not SYSTEMS[name].python)
    assert not any("install it by hand" in warning for warning in plan.warnings)
    assert not any(isinstance(change.action, InstallPackages) for change in plan.changes)


@pytest.mark.parametrize("name", ["oracle-7", "rocky-8-python3.11", "amazon-2023", "sles-15", "slackware"])
def test_where_no_package_brings_matplotlib_a_venv_is_named(name: str) -> None:
    plan = planned(SYSTEMS[name].facts(), offered=False)
    (said,) = [one for one in plan.warnings if "`matplotlib` is missing" in one]
    assert "`/usr/bin/python3 -m venv DIR`, then `x11fwd setup --python DIR/bin/python`" in said
