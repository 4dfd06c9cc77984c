"""Builds and caches Debian trees for the hosts of the lab; hosts only.

A tree is a list of overlayfs layers, the topmost first. ``bare`` is debootstrapped once per suite and
machine; ``plot`` and ``shells`` are layers of packages on top of it. Building is atomic (a rename) under a
file lock, so that several test processes may ask at once.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab import aptsource, snapshots
from tests.lab.runs import LabError, cache_dir, call, unmount_below

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SUITES = ("bullseye", "bookworm", "trixie")
PASSWORD = "correct horse"
BEN_PASSWORD = "battery staple"
BARE = (
    "openssh-server,sudo,python3,procps,systemd,systemd-sysv,dbus,libpam-systemd,iproute2,ca-certificates,"
    "dash,bash,less,netbase"
)
LAYERS = {
    "bare": (),
    "plot": ("xauth", "python3-tk", "python3-matplotlib"),
    "shells": ("zsh", "fish", "tcsh"),
    "plot-shells": ("xauth", "python3-tk", "python3-matplotlib", "zsh", "fish", "tcsh"),
    "tmux": ("xauth", "python3-tk", "python3-matplotlib", "tmux", "screen"),
    "qt": ("xauth", "python3-tk", "python3-matplotlib", "python3-pyqt5"),
    # package managers and inits of other families: real programs on a Debian that says it is another
    "families": (
        *("dnf", "zypper", "pacman-package-manager", "createrepo-c", "rpm", "sysvinit-core", "openrc"),
    ),
    "toolkits": (
        *("xauth", "python3-tk", "python3-matplotlib", "python3-pyqt5", "python3-gi-cairo", "gir1.2-gtk-3.0"),
        *("librsvg2-common", "xterm", "x11-apps", "tk8.6", "openjdk-17-jdk-headless", "openjdk-17-jre"),
    ),
    "slurm": ("slurmctld", "slurmd", "slurm-client", "munge"),
}
# a layer of packages on another one; all else lies on "bare"
UPON = {"slurm": "plot", "plot-shells": "plot", "tmux": "plot", "qt": "plot", "toolkits": "qt"}
RECIPE = "3"  # raise it when a tree would come out differently: old trees are then rebuilt
MAX_AGE = (
    14 * 86400
)  # seconds; an archive changes under a tree, and installs in tests then fetch what is gone

# What takes most of the work of an installation and nobody looks at, as images for containers leave it out:
# headers (14,000 of Boost, which Debian 12's matplotlib brings), documentation, bytecode of what matplotlib
# does not import (dpkg(1), --path-exclude; py3compile(1)). No tree is built anew for it: old ones hold more.
SPARING = {
    "etc/dpkg/dpkg.cfg.d/lab": "".join(
        f"path-exclude=/usr/{folder}/*\n" for folder in ("include", "share/doc", "share/man", "share/locale")
    ),
    "usr/share/python3/bcep/lab": "".join(
        f"dir|3.0-|/usr/lib/python3/dist-packages/{package}\n"
        for package in ("sympy", "mpmath", "scipy", "pythran", "fontTools")
    ),
}

# Mounts and processes of what follows end with it.
ALONE = ("unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child", "--mount-proc")

# Runs inside a fresh tree. Accounts and passwords are in the tree, keys are added per host.
ACCOUNTS = f"""set -eu
useradd --create-home --uid 2001 --shell /bin/bash --groups sudo ana
useradd --create-home --uid 2002 --shell /bin/bash ben
printf '%s\\n' 'ana:{PASSWORD}' 'ben:{BEN_PASSWORD}' | chpasswd
sed -i 's/^#*X11Forwarding .*/X11Forwarding no/' /etc/ssh/sshd_config
grep -q '^X11Forwarding no' /etc/ssh/sshd_config
# Timers that would take apt's lock, or change the tree, at a random time of a test.
for unit in apt-daily apt-daily-upgrade dpkg-db-backup e2scrub_all fstrim man-db; do
    ln -sf /dev/null "/etc/systemd/system/$unit.timer"
done
"""


@dataclass(frozen=True)
class Layers:
    """One cached tree: folders for overlayfs, the topmost first; ``index.json`` beside each has digests."""

    suite: str
    variant: str
    folders: tuple[Path, ...]

    def lowerdir(self) -> str:
        """The value of overlayfs' ``lowerdir=`` option."""
        return ":".join(str(folder) for folder in self.folders)


def tree(suite: str, variant: str = "bare") -> Layers:
    """The cached tree of a suite, built when it is missing or older than two weeks.

    Raises:
        LabError: the suite cannot be had from this machine's mirror; the message names both.
    """
    if variant not in LAYERS:
        raise LabError(f"no variant {variant!r} of a tree; there are {', '.join(LAYERS)}")
    with _lock(f"tree-{suite}"):
        return Layers(suite, variant, tuple(place / "layer" for place in _places(suite, variant)))


def archives(suite: str) -> Path:
    """The folder of .deb files that hosts of a suite share."""
    path = cache_dir() / "archives" / suite
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextlib.contextmanager
def _lock(name: str) -> Iterator[None]:
    folder = cache_dir() / "locks"
    folder.mkdir(exist_ok=True)
    with (folder / name).open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _place(suite: str, variant: str, recipe: object) -> Path:
    digest = hashlib.sha256(json.dumps([RECIPE, recipe], default=str).encode()).hexdigest()[:10]
    return cache_dir() / "trees" / f"{suite}-{variant}-{digest}"


def _is_fresh(place: Path) -> bool:
    return (place / "done").exists() and time.time() - (place / "done").stat().st_mtime < MAX_AGE


def _places(suite: str, variant: str) -> tuple[Path, ...]:
    """The folders of a tree's layers, the topmost first; what is missing of them is built."""
    if not LAYERS[variant]:
        return (_base(suite),)
    below = _places(suite, UPON.get(variant, "bare"))
    return (_layer(suite, variant, below), *below)


def _base(suite: str) -> Path:
    mirror = aptsource.mirror()
    place = _place(suite, "bare", [BARE, ACCOUNTS, mirror])
    if _is_fresh(place):
        return place
    return _build(place, lambda work: _debootstrap(suite, mirror, work / "layer"))


def _layer(suite: str, variant: str, below: tuple[Path, ...]) -> Path:
    place = _place(suite, variant, [LAYERS[variant], below[0].name, (below[0] / "done").stat().st_mtime])
    if _is_fresh(place):
        return place
    return _build(place, lambda work: _install(suite, variant, below, work))


def _build(place: Path, make: Callable[[Path], None]) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    # the digest is spelt out: an old `plot` must not take a fresh `plot-shells` away with it
    for old in place.parent.glob(f"{place.name.rpartition('-')[0]}-{'[0-9a-f]' * 10}*"):
        if old.suffix == ".new":
            unmount_below(old)  # its builder is dead: it would hold the lock
        _remove_unused(old)
    if place.exists():
        return place  # outdated, but the host of a living run is on it
    work = place.with_name(f"{place.name}.{time.time_ns()}.new")
    work.mkdir()
    started = time.monotonic()
    try:
        make(work)
        (work / "index.json").write_text(json.dumps(snapshots.digests(work / "layer")), encoding="utf-8")
        (work / "done").write_text(f"{time.monotonic() - started:.1f}\n")
        work.rename(place)
    finally:
        if work.exists():
            unmount_below(work)
            shutil.rmtree(work, ignore_errors=True)
    return place


def _remove_unused(old: Path) -> None:
    """Delete an outdated tree unless a mount of this machine still shows it."""
    if str(old) + "/" in Path("/proc/self/mounts").read_text(encoding="utf-8", errors="surrogateescape"):
        return
    shutil.rmtree(old, ignore_errors=True)


def _debootstrap(suite: str, mirror: aptsource.Mirror, root: Path) -> None:
    argv = [
        *ALONE,
        "debootstrap",
        "--variant=minbase",
        f"--include={BARE}",
        f"--cache-dir={archives(suite)}",
        suite,
        str(root),
    ]
    if mirror.main:
        argv.append(mirror.main)
    done = subprocess.run(argv, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        raise LabError(
            f"Debian {suite} cannot be had from {mirror.main or 'the default mirror of debootstrap'}"
            f" (X11FWD_LAB_MIRROR names another):\n{(done.stdout + done.stderr)[-1500:]}"
        )
    configure_apt(root, suite, mirror)
    chroot(root, ["sh", "-c", ACCOUNTS])
    # Installs in tests must bring only what they ask for, not upgrades of a tree behind its archive.
    chroot(root, ["apt-get", "-qq", "-y", "dist-upgrade"])
    spare(root)


def spare(root: Path) -> None:
    """Have installations into a tree, or on a host, do what matters of their work (`SPARING`)."""
    for name, text in SPARING.items():
        if not (root / name).exists():
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
            (root / name).chmod(0o644)


def _install(suite: str, variant: str, below: tuple[Path, ...], work: Path) -> None:
    for name in ("layer", "work", "merged"):
        (work / name).mkdir()
    lower = ":".join(str(place / "layer") for place in below)
    options = f"lowerdir={lower},upperdir={work / 'layer'},workdir={work / 'work'},volatile"
    merged = work / "merged"
    call(["mount", "-t", "overlay", "-o", options, "x11fwd-lab", str(merged)])
    call(["mount", "--bind", str(archives(suite)), str(merged / "var/cache/apt/archives")])
    chroot(merged, ["apt-get", "-qq", "-y", "--no-install-recommends", "install", *LAYERS[variant]])
    unmount_below(merged)
    shutil.rmtree(work / "work")
    merged.rmdir()


def chroot(root: Path, argv: list[str]) -> str:
    """Run a command of a tree with /proc and /dev, as package scripts need."""
    script = 'mount -t proc proc "$1/proc"; mount --rbind /dev "$1/dev"; exec chroot "$@"'
    environment = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8"]
    quiet = ["DEBIAN_FRONTEND=noninteractive"]
    return call([*ALONE, "sh", "-ec", script, "sh", str(root), *environment, *quiet, *argv], limit=1200)


def configure_apt(root: Path, suite: str, mirror: aptsource.Mirror) -> None:
    """Give a tree what apt needs on this machine: sources, options, CA bundle, names. Lists are fetched."""
    for path in ("/etc/resolv.conf", "/etc/hosts"):
        shutil.copyfile(path, root / path[1:])
    for option in sorted(Path("/etc/apt/apt.conf.d").glob("*")):
        text = option.read_text(encoding="utf-8", errors="replace")
        # docker-clean deletes the shared archives; hooks of this machine's programs do not exist in the tree.
        if option.name != "docker-clean" and "-Invoke" not in text and "Pre-Install-Pkgs" not in text:
            (root / "etc/apt/apt.conf.d" / option.name).write_text(text, encoding="utf-8")
    own = ['APT::Keep-Downloaded-Packages "true";', 'Acquire::Check-Valid-Until "false";']
    proxies = {scheme: os.environ.get(f"{scheme}_proxy") for scheme in ("http", "https")}
    own += [f'Acquire::{scheme}::Proxy "{proxy}";' for scheme, proxy in proxies.items() if proxy]
    (root / "etc/apt/apt.conf.d/99lab").write_text("\n".join(own) + "\n", encoding="utf-8")
    bundle = Path("/etc/ssl/certs/ca-certificates.crt")
    if bundle.exists():
        shutil.copyfile(bundle, root / "etc/ssl/certs/ca-certificates.crt")
        (root / "etc/pip.conf").write_text(f"[global]\ncert = {bundle}\n", encoding="utf-8")
    first = (root / "etc/apt/sources.list").read_text(encoding="utf-8").splitlines()[0]
    uri = mirror.main or first.split()[1]
    wanted = [f"deb {uri} {suite} main"]
    optional = [f"deb {uri} {suite}-updates main"]
    if mirror.security:
        optional.append(f"deb {mirror.security} {suite}-security main")
    update = ["apt-get", "-qq", "-o", "APT::Update::Error-Mode=any", "update"]
    sources = root / "etc/apt/sources.list"
    for line in optional:
        sources.write_text("\n".join([*wanted, line]) + "\n", encoding="utf-8")
        try:
            chroot(root, update)
        except LabError:
            continue
        wanted.append(line)
    sources.write_text("\n".join(wanted) + "\n", encoding="utf-8")
    chroot(root, ["apt-get", "-qq", "update"])
