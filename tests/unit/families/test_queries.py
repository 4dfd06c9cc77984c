"""What each manager's queries make of its own words: the shell lines of the family files, run on such output.

Each program below prints what the real one prints: rpm(8), dpkg-query(1), pacman(8) as on hosts of the lab;
apk, xbps-query(1), pkg-query(8) and brew list as their manuals show it.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.unit.families.answers import FAMILIES

if TYPE_CHECKING:
    from pathlib import Path

RPM = """case "$*" in
*-qa*) printf 'bash.x86_64\\nxorg-x11-xauth.x86_64\\ngpg-pubkey.(none)\\nbash.x86_64\\n' ;;
*) echo xorg-x11-xauth; echo 'package python3-tkinter is not installed' ;; esac
exit 1"""
# (family, manager, question) -> the program's stand-in, names asked for, names understood
QUERIES = {
    ("rhel", "dnf", "installed"): ("rpm", RPM, ["xorg-x11-xauth"]),
    ("rhel", "dnf", "all_installed"): ("rpm", RPM, ["bash.x86_64", "xorg-x11-xauth.x86_64"]),
    ("suse", "zypper", "installed"): ("rpm", RPM, ["xorg-x11-xauth"]),
    ("suse", "zypper", "all_installed"): ("rpm", RPM, ["bash.x86_64", "xorg-x11-xauth.x86_64"]),
    ("fedora", "rpm-ostree", "installed"): ("rpm", RPM, ["xorg-x11-xauth"]),
    ("suse", "transactional-update", "installed"): ("rpm", RPM, ["xorg-x11-xauth"]),
    ("debian", "apt", "installed"): (
        "dpkg-query",
        "printf 'installed xorg-x11-xauth\\nconfig-files python3-tkinter\\n'; exit 1",
        ["xorg-x11-xauth"],
    ),
    ("debian", "apt", "all_installed"): (
        "dpkg-query",
        "printf 'installed libc6:amd64\\ninstalled adduser\\nconfig-files old\\n'",
        ["adduser", "libc6:amd64"],
    ),
    ("arch", "pacman", "installed"): (
        "pacman",
        "echo xorg-x11-xauth; echo \"error: package 'python3-tkinter' was not found\" >&2; exit 1",
        ["xorg-x11-xauth"],
    ),
    ("arch", "pacman", "all_installed"): (
        "pacman",
        "printf 'acl\\narchlinux-keyring\\n'",
        ["acl", "archlinux-keyring"],
    ),
    ("alpine", "apk", "installed"): ("apk", "echo xorg-x11-xauth; exit 1", ["xorg-x11-xauth"]),
    ("alpine", "apk", "all_installed"): (
        "apk",
        "echo 'WARNING: opening /var/cache/apk: No such file or directory' >&2; printf 'musl\\nbusybox\\n'",
        ["busybox", "musl"],
    ),
    ("void", "xbps", "installed"): ("xbps-query", '[ "$1" = xorg-x11-xauth ]', ["xorg-x11-xauth"]),
    ("void", "xbps", "all_installed"): (
        "xbps-query",
        "printf 'ii acl-2.3.2_1                Access Control List\\nii xbps-triggers-0.128_1  triggers\\n'",
        ["acl", "xbps-triggers"],
    ),
    ("freebsd", "pkg", "installed"): ("pkg", "echo xorg-x11-xauth; exit 1", ["xorg-x11-xauth"]),
    ("freebsd", "pkg", "all_installed"): ("pkg", "printf 'xauth\\npython311\\n'", ["python311", "xauth"]),
    ("macos", "brew", "installed"): ("brew", "echo 'xorg-x11-xauth 1.1.3 1.1.4'; exit 1", ["xorg-x11-xauth"]),
    ("macos", "brew", "all_installed"): (
        "brew",
        "printf 'python@3.13\\ntcl-tk\\n'",
        ["python@3.13", "tcl-tk"],
    ),
}


@pytest.mark.parametrize("case", QUERIES, ids=" ".join)
def test_a_managers_words_are_understood(case: tuple[str, str, str], tmp_path: Path) -> None:
    family, name, question = case
    program, script, wanted = QUERIES[case]
    (tmp_path / program).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (tmp_path / program).chmod(0o755)
    manager = next(one for one in FAMILIES.members if one.name == family).managers[name]
    argv = manager.installed if question == "installed" else manager.all_installed
    names = ("xorg-x11-xauth", "python3-tkinter") if question == "installed" else ()
    path = f"{tmp_path}:{os.environ['PATH']}"
    ran = subprocess.run((*argv, *names), env={"PATH": path}, capture_output=True, text=True, check=False)
    assert sorted(set(ran.stdout.split())) == wanted


def test_every_manager_that_acts_is_asked_here() -> None:
    acting = {
        (one.name, name) for one in FAMILIES.members for name, manager in one.managers.items() if manager.acts
    }
    alike = {
        ("amazon", "dnf"),
        ("amazon", "yum"),
        ("fedora", "dnf"),
        ("fedora", "microdnf"),
        ("fedora", "yum"),
    }
    alike |= {("rhel", "yum"), ("rhel", "microdnf")}  # the same lines as rhel's dnf
    printing = {("fedora", "rpm-ostree"), ("suse", "transactional-update")}
    assert acting - alike == {(family, name) for family, name, _ in QUERIES} - printing
    rpm = next(one for one in FAMILIES.members if one.name == "rhel").managers["dnf"]
    for family in FAMILIES.members:
        for name, manager in family.managers.items():
            if (family.name, name) in alike:
                assert (manager.installed, manager.all_installed) == (rpm.installed, rpm.all_installed)


def test_portages_folders_are_understood(tmp_path: Path) -> None:
    """portage(5): /var/db/pkg/CATEGORY/NAME-VERSION for each package; names may begin alike."""
    for folder in ("x11-apps/xauth-1.1.3", "dev-lang/python-3.13.9", "dev-lang/python-exec-2.4.10"):
        (tmp_path / folder).mkdir(parents=True)
    manager = next(one for one in FAMILIES.members if one.name == "gentoo").managers["portage"]
    argv = [word.replace("/var/db/pkg", str(tmp_path)) for word in manager.installed]
    names = ["x11-apps/xauth", "dev-lang/python", "dev-python/matplotlib", "dev-lang/tk"]
    ran = subprocess.run([*argv, *names], capture_output=True, text=True, check=False)
    assert ran.stdout.split() == ["x11-apps/xauth", "dev-lang/python"]


@pytest.mark.parametrize(
    ("repository", "offered"),
    [
        ("[baseos]\nname=BaseOS\nenabled=1\n", False),
        ("[epel]\nname=Extra\nenabled=1\n", True),
        ("[baseos]\n\n[epel]\nname=Extra\n", True),
        ("[epel]\nenabled=0\n[epel-debuginfo]\nenabled = 0\n[baseos]\nenabled=1\n", False),
    ],
    ids=["without", "with", "enabled by default", "switched off"],
)
def test_epel_is_seen_where_a_repository_of_it_is_switched_on(
    repository: str, offered: bool, tmp_path: Path
) -> None:
    (tmp_path / "some.repo").write_text(repository, encoding="utf-8")
    manager = next(one for one in FAMILIES.members if one.name == "rhel").managers["dnf"]
    argv = [word.replace("/etc/yum.repos.d", str(tmp_path)) for word in manager.offered]
    ran = subprocess.run([*argv, "python3-matplotlib"], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "python3-matplotlib\n" if offered else "")
