"""What a person reads of systems that x11fwd does not change itself, and of a manager's failure."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console

from tests.unit.families.answers import planned, systems
from x11fwd.checks.install import by_hand
from x11fwd.pipeline import demo_needs
from x11fwd.steps.admin_note import admin_note
from x11fwd.ui.plan import show_plan

if TYPE_CHECKING:
    import pytest

SYSTEMS = systems()


def seen(name: str) -> str:
    out = io.StringIO()
    show_plan(planned(SYSTEMS[name].facts()), Console(file=out, width=80, no_color=True), host=name)
    return out.getvalue()


def test_lines_of_a_generated_system_are_for_the_person_and_no_question_of_rights() -> None:
    assert seen("nixos").startswith("nixos: x11fwd changes nothing itself\n\nLeft to you, by hand:\n")
    assert "nobody here is root" not in seen("gentoo")
    note = admin_note(planned(SYSTEMS["nixos"].facts()), SYSTEMS["nixos"].facts())
    assert note.count("nixos-rebuild switch\n") == 1
    assert note.count("# into /etc/nixos/configuration.nix:") == 1
    assert note.count("nixos-rebuild switch --rollback") == 1


def test_undoing_by_hand_takes_nothing_away_that_was_there_before() -> None:
    (packages,) = planned(SYSTEMS["gentoo"].facts()).by_hand
    assert packages.admin_undo[0] == "emerge --ask --depclean x11-apps/xauth"
    assert not any("--depclean" in line and "dev-lang/python" in line for line in packages.admin_undo)


def test_doctor_names_the_package_on_systems_that_only_the_family_files_know() -> None:
    commands = {
        "void": "sudo xbps-install -S xauth",
        "freebsd-14": "sudo pkg install xauth",
        "gentoo": "sudo emerge --ask --changed-use x11-apps/xauth",
        "rocky-9": "sudo dnf install xorg-x11-xauth",
        "debian-13": "sudo apt-get install --no-install-recommends xauth",
    }
    for name, command in commands.items():
        fix = by_hand("xauth", SYSTEMS[name].facts().system)
        assert fix is not None
        assert fix.command == command
    assert by_hand("xauth", SYSTEMS["nixos"].facts().system) is None


def test_a_demo_knows_the_manager_of_every_family(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, program in (("fedora-43", "dnf"), ("tumbleweed", "zypper"), ("arch", "pacman"), ("gentoo", "")):
        one = SYSTEMS[name]
        release = {"ID": one.os_id, "ID_LIKE": one.os_like}
        monkeypatch.setattr(demo_needs, "_system", lambda release=release: release)
        monkeypatch.setattr(demo_needs, "_which", lambda word, program=program: word == program)
        _, manager = demo_needs._family_and_manager()
        assert (manager.name if manager else "") == program
