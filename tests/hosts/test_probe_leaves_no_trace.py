"""A run of doctor changes nothing on a host: the whole tree before and after, whatever its shell and tools.

Only sshd's own entry in the user's authority file is excepted, which each login with X11 makes.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.hosts.truth.rig import Scene, Setup, Stage
from tests.lab.hosts import diff
from tests.lab.runs import call

if TYPE_CHECKING:
    from contextlib import ExitStack

    from tests.hosts.truth.rig import Diagnosis
    from tests.lab.hosts import Host

SSHD_S_OWN = ("/home/ana/.Xauthority",)
PLOT = Setup(x11_forwarding=True)
BARE = Setup()
# Debian packages whose programs a busybox-only system does not have, but for busybox's own of the same name
REPLACED = (
    "coreutils",
    "diffutils",
    "findutils",
    "gawk",
    "grep",
    "gzip",
    "hostname",
    "iproute2",
    "less",
    "libc-bin",
    "login",
    "mawk",
    "procps",
    "sed",
    "tar",
    "util-linux",
    "util-linux-extra",
    "bash",
    "dash",
)
KEPT = ("ldconfig", "nologin")


def looked_at(scene: Scene) -> Diagnosis:
    """Doctor twice, by either transport, with the tree compared around it."""
    before = scene.host.lab.snapshot()
    for transport in ("openssh", "paramiko"):
        seen = scene.doctor("--transport", transport)
    changes = [str(change) for change in diff(before, scene.host.lab.snapshot(), ignore=SSHD_S_OWN)]
    assert changes == []
    return seen


@pytest.mark.parametrize("variant", ["bare", "plot"])
@pytest.mark.parametrize("suite", ["bullseye", "bookworm", "trixie"])
def test_on_each_debian(lab: ExitStack, suite: str, variant: str) -> None:
    with Scene(Stage(suite=suite, variant=variant, setup=BARE if variant == "bare" else PLOT)) as scene:
        seen = looked_at(scene)
        assert bool(seen.failures) == (variant == "bare"), str(seen)


@pytest.mark.parametrize("shell", ["/bin/dash", "/usr/bin/zsh", "/usr/bin/fish", "/usr/bin/tcsh"])
def test_under_each_login_shell(lab: ExitStack, shell: str) -> None:
    setup = Setup(x11_forwarding=True, login_shell=shell)
    with Scene(Stage(variant="plot-shells", setup=setup)) as scene:
        # fish and zsh make folders of their own when somebody first logs in
        scene.person.run(["ssh", "-T", scene.alias, f"exec {shell} -lic true"])
        looked_at(scene).assert_clean()


def busybox_only(host: Host) -> None:
    """Put busybox in the place of every basic program, and take those away that it has not."""
    root = host.root
    shutil.copy(shutil.which("busybox") or "/bin/busybox", root / "usr/bin/busybox")
    applets = set(call(["busybox", "--list"]).split())
    for package in REPLACED:
        for book in (root / "var/lib/dpkg/info").glob(f"{package}*.list"):
            if book.name.partition(".")[0].partition(":")[0] != package:
                continue
            for line in book.read_text(encoding="utf-8").splitlines():
                path = root / line[1:]
                folder = line.rpartition("/")[0]
                if folder not in {"/bin", "/sbin", "/usr/bin", "/usr/sbin"} or path.name in KEPT:
                    continue
                path.unlink(missing_ok=True)
    for applet in applets:
        place = root / "usr/bin" / applet
        if not place.exists() and not (root / "usr/sbin" / applet).exists():
            place.unlink(missing_ok=True)
            place.symlink_to("/usr/bin/busybox")


def test_with_busybox_alone(lab: ExitStack) -> None:
    with Scene(Stage(setup=Setup(x11_forwarding=True, login_shell="/bin/ash"))) as scene:
        busybox_only(scene.host.lab)
        ran = scene.person.run(["ssh", "-T", scene.alias, "readlink /proc/$$/exe; sed --version 2>&1; bash"])
        assert ran.stdout.startswith("/usr/bin/busybox\n"), ran
        assert "not GNU sed" in ran.stdout, ran
        assert ran.rc == 127, ran
        seen = looked_at(scene)
        seen.assert_clean()
        assert seen.statuses["remote-display-dead"] == "pass", str(seen)
