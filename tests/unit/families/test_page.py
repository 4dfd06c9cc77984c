"""The page about systems says what the family files say."""

from __future__ import annotations

import re

from tests.unit.families.answers import FAMILIES
from x11fwd.explain.pages import load_page

PAGE = load_page("supported-systems")
# a row's first word -> the family
ROWS = {
    "Debian,": "debian",
    "RHEL,": "rhel",
    "Amazon": "amazon",
    "Fedora": "fedora",
    "openSUSE,": "suse",
    "Arch,": "arch",
    "Alpine": "alpine",
    "Void": "void",
    "FreeBSD": "freebsd",
}
# no row: their managers do not act, or nothing is installed by them
IN_WORDS = {"gentoo": "Gentoo", "nixos": "NixOS", "guix": "Guix", "macos": "A Mac"}


def test_each_row_of_the_table_is_what_the_family_file_says() -> None:
    lines = [line.strip() for line in PAGE.lead.splitlines() if line.startswith("    ")]
    rows = [re.split(r"\s{2,}", line) for line in lines[1:]]
    families = {one.name: one for one in FAMILIES.members}
    assert {ROWS[row[0].split()[0]] for row in rows} | set(IN_WORDS) == set(families)
    for system, managers, xauth, tk in rows:
        family = families[ROWS[system.split()[0]]]
        assert set(managers.split(", ")) <= {one.name for one in family.managers.values() if one.acts}
        assert (xauth,) == family.packages["xauth"][-1].names, system
        assert (tk,) == family.packages["tkinter"][-1].names, system


def test_the_other_families_are_spoken_of() -> None:
    for words in IN_WORDS.values():
        assert words in PAGE.lead


def test_the_managers_that_a_person_looks_for_are_those_that_there_are() -> None:
    part = PAGE.part("How it is found out")
    assert part is not None
    (line,) = [line for line in part.text.splitlines() if "command -v" in line]
    named = set(line.split()[2:])
    programs = {"apt": "apt-get", "xbps": "xbps-install", "portage": "emerge"}
    known = {name for family in FAMILIES.members for name in family.managers}
    left_out = {"microdnf", "rpm-ostree", "transactional-update", "brew"}
    assert named == {programs.get(name, name) for name in known - left_out}
