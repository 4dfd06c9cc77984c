"""Real dnf, zypper and pacman with repositories of their own: setup installs, sees it, and undo removes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.hosts.engine_rig import settle
from tests.hosts.setup_rig import Ears, Person, UndoEars, sit_at, target_of, undo_yes, yes
from tests.lab.hosts import Setup, diff
from tests.lab.repositories import PLACE, TKINTER, XAUTH, pacman_repository, rpm_repository
from x11fwd.errors import ChangeError
from x11fwd.pipeline.setup import SetupOptions, SetupStatus, run_setup
from x11fwd.pipeline.undo import UndoOptions, UndoStatus, run_undo
from x11fwd.steps.engine import EngineLimits
from x11fwd.steps.plan import InstallPackages

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.lab.hosts import ChrootHost
    from tests.lab.screen import Screen
    from x11fwd.pipeline.setup import SetupResult

RPM_REPO = f"[lab]\nname=lab\nbaseurl=file://{PLACE}/rpms\nenabled=1\ngpgcheck=0\n"


@dataclass(frozen=True)
class System:
    """A Debian tree that says it is another system and has that one's package manager.

    Attributes:
        files: its os-release and its manager's configuration.
        repository: makes one.
        packages: what the family file calls things there; the last one is matplotlib's.
        installed: asks the manager for one name.
        lock: holds the manager's lock until a line comes; says one when it does.
        held: what setup says then.
    """

    manager: str
    files: Mapping[str, str]
    repository: Callable[..., None]
    packages: tuple[str, ...]
    installed: tuple[str, ...]
    lock: str
    held: str


# fcntl(2)'s locks, as rpm and libzypp take them
_LOCK = """\
import fcntl, os, sys
held = open(sys.argv[1], "a+")
fcntl.lockf(held, fcntl.LOCK_EX)
held.seek(0); held.truncate(); held.write(str(os.getpid())); held.flush()
print("held", flush=True)
sys.stdin.readline()
"""
_FILE = """\
import os, sys
open(sys.argv[1], "x").close()
print("held", flush=True)
sys.stdin.readline()
os.remove(sys.argv[1])
"""

SYSTEMS = {
    # os-release as rockylinux.org's image rockylinux:10 has it
    "dnf, Rocky Linux 10": System(
        "dnf",
        {
            "/etc/os-release": 'NAME="Rocky Linux"\nVERSION="10.0 (Red Quartz)"\nID="rocky"\n'
            'ID_LIKE="rhel centos fedora"\nVERSION_ID="10.0"\nPRETTY_NAME="Rocky Linux 10.0 (Red Quartz)"\n',
            "/etc/yum.repos.d/epel.repo": RPM_REPO.replace("[lab]", "[epel]"),
        },
        rpm_repository,
        ("xorg-x11-xauth", "python3-tkinter", "python3-matplotlib", "python3-matplotlib-tk"),
        ("rpm", "-q"),
        "/var/lib/rpm/.rpm.lock",
        "/var/lib/rpm/.rpm.lock is held by process",
    ),
    # os-release as registry.opensuse.org's image opensuse/tumbleweed has it
    "zypper, openSUSE Tumbleweed": System(
        "zypper",
        {
            "/etc/os-release": 'NAME="openSUSE Tumbleweed"\nID="opensuse-tumbleweed"\n'
            'ID_LIKE="opensuse suse"\n'
            'VERSION_ID="20250721"\nPRETTY_NAME="openSUSE Tumbleweed"\n',
            "/etc/zypp/repos.d/lab.repo": RPM_REPO.replace("file://", "dir://")
            + "autorefresh=0\ntype=rpm-md\n",
        },
        rpm_repository,
        ("xauth", "python311-tk", "python311-matplotlib", "python311-matplotlib-tk"),
        ("rpm", "-q"),
        "/run/zypp.pid",
        "is held by",
    ),
    # os-release as the image archlinux:latest has it
    "pacman, Arch Linux": System(
        "pacman",
        {
            "/etc/os-release": 'NAME="Arch Linux"\nPRETTY_NAME="Arch Linux"\nID=arch\nBUILD_ID=rolling\n',
            "/etc/pacman.conf": "[options]\nArchitecture = auto\nSigLevel = Never\n"
            f"[lab]\nServer = file://{PLACE}\n",
        },
        pacman_repository,
        ("xorg-xauth", "tk", "python-matplotlib"),
        ("pacman", "-Q"),
        "/var/lib/pacman/db.lck",
        "/var/lib/pacman/db.lck is there",
    ),
}


def made(new_chroot_host: Callable[..., ChrootHost], system: System, *, without: str = "") -> ChrootHost:
    host = new_chroot_host(
        "bookworm", "families", Setup(files=system.files, sudo="ana ALL=(ALL) NOPASSWD: ALL")
    )
    carried = {name: TKINTER if name.endswith(("tkinter", "tk")) else {} for name in system.packages[:2]}
    carried[system.packages[0]] = XAUTH
    packages = {name: carried.get(name, {}) for name in system.packages if name != without}
    system.repository(host, packages)
    return host


def setup(host: ChrootHost, folder: Path, limits: EngineLimits | None = None) -> tuple[SetupResult, Ears]:
    ears = Ears()
    options = SetupOptions(limits=limits or EngineLimits())
    return run_setup(target_of(host, folder), options, Person(), ears, yes), ears


@pytest.mark.parametrize("name", SYSTEMS)
def test_setup_installs_finds_installed_and_undo_removes(
    new_chroot_host: Callable[..., ChrootHost],
    screen: Screen,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    sit_at(screen, monkeypatch)
    system = SYSTEMS[name]
    host = made(new_chroot_host, system)
    before = host.snapshot()

    # a held lock is waited for, and named where it is held too long; nothing was changed
    kind = _FILE if system.manager == "pacman" else _LOCK
    holder = host.popen(["python3", "-c", kind, system.lock])
    assert holder.stdout is not None
    assert holder.stdout.readline().strip() == b"held"
    locked, ears = setup(host, tmp_path, EngineLimits(packages=1))
    holder.communicate(b"\n")
    assert locked.status is SetupStatus.FAILED, ears.lines
    assert isinstance(locked.error, ChangeError)
    assert system.held in locked.error.message, (locked.error.message, ears.lines)
    assert any("waiting for the package manager" in line for line in ears.lines)
    assert host.run([*system.installed, system.packages[0]]).rc != 0

    first, ears = setup(host, tmp_path)
    assert first.error is None, (first.error, ears.lines[-30:])
    assert first.status is SetupStatus.DONE
    assert first.plan is not None
    (install,) = [one.action for one in first.plan.changes if isinstance(one.action, InstallPackages)]
    assert (install.commands.name, install.names) == (system.manager, system.packages)
    for package in system.packages:
        assert host.run([*system.installed, package]).rc == 0
        assert (host.root / f"usr/share/x11fwd-dummies/{package}").read_text() == f"{package}\n"

    # xauth and Tk are seen by themselves; matplotlib's dummy holds no module, so only the manager knows of it
    second, ears = setup(host, tmp_path)
    assert (second.status, second.results) == (SetupStatus.ALREADY, ()), (second.plan, ears.lines)
    assert second.remote is not None
    assert second.remote.python is not None
    assert second.remote.python.tkinter == "8.6.13"
    assert second.plan is not None
    assert any(" is installed, yet " in warning for warning in second.plan.warnings)

    undone = run_undo(target_of(host, tmp_path), UndoOptions(), Person(), UndoEars(), undo_yes)
    assert (undone.status, undone.error) == (UndoStatus.DONE, None)
    settle(host)
    assert host.run([*system.installed, *system.packages]).rc != 0
    left = [one for one in diff(before, host.snapshot()) if not _of_the_manager(one.path)]
    assert [str(one) for one in left] == []


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_package_that_no_repository_has_is_named_and_nothing_stays(
    new_chroot_host: Callable[..., ChrootHost],
    screen: Screen,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    sit_at(screen, monkeypatch)
    system = SYSTEMS[name]
    missing = system.packages[1]
    host = made(new_chroot_host, system, without=missing)
    result, ears = setup(host, tmp_path)
    assert result.status is SetupStatus.FAILED, ears.lines[-30:]
    assert result.error is not None
    assert missing in result.error.message
    assert result.exit_code == 4
    assert host.run([*system.installed, system.packages[0]]).rc != 0


def _of_the_manager(path: str) -> bool:
    """Databases, caches, histories and logs of the managers themselves."""
    return path.startswith(
        (
            "/var/lib/rpm",
            "/var/lib/dnf",
            "/var/cache/",
            "/var/log/",
            "/var/lib/zypp",
            "/var/lib/pacman",
            "/run/",
        )
    )


def test_on_an_unknown_system_the_missing_programs_are_named_and_the_rest_is_done(
    new_chroot_host: Callable[..., ChrootHost],
    screen: Screen,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sit_at(screen, monkeypatch)
    release = {"/etc/os-release": 'NAME="Exherbo"\nID="exherbo"\nPRETTY_NAME="Exherbo Linux"\n'}
    host = new_chroot_host("bookworm", "bare", Setup(files=release, sudo="ana ALL=(ALL) NOPASSWD: ALL"))
    result, ears = setup(host, tmp_path)
    assert (result.status, result.error) == (SetupStatus.DONE, None), ears.lines
    assert result.plan is not None
    assert [change.id for change in result.plan.changes] == ["sshd-x11forwarding"]
    named = " ".join(result.plan.warnings)
    for program in ("`xauth`", "`tkinter`", "`matplotlib`"):
        assert f"{program} is missing: what brings it on Exherbo Linux is not known to x11fwd" in named
    # xauth by hand is then all that is wanted
    for path, text in XAUTH.items():
        host.write(path, text, mode=0o755)
    again, _ = setup(host, tmp_path)
    assert again.remote is not None
    assert again.remote.x11.granted


def test_an_image_takes_no_packages_and_the_bridge_is_named(
    new_chroot_host: Callable[..., ChrootHost],
    screen: Screen,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sit_at(screen, monkeypatch)
    files = {
        "/etc/os-release": 'ID=fedora\nVERSION_ID=43\nPRETTY_NAME="Fedora Linux 43 (CoreOS)"\n',
        "/run/ostree-booted": "",
        "/usr/bin/rpm-ostree": "#!/bin/sh\nexit 1\n",
    }
    host = new_chroot_host("bookworm", "families", Setup(files=files, sudo="ana ALL=(ALL) NOPASSWD: ALL"))
    (host.root / "usr/bin/rpm-ostree").chmod(0o755)
    result, ears = setup(host, tmp_path)
    assert (result.status, result.error) == (SetupStatus.LEFT, None), ears.lines
    assert result.plan is not None
    assert "`x11fwd ssh --via bridge`" in " ".join(result.plan.warnings)
    assert "rpm-ostree install xorg-x11-xauth" in result.note
    assert "systemctl reboot" in result.note
