"""The disk of a host: an overlay of a cached tree, with packages shared between hosts; host.py only."""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import TYPE_CHECKING

from tests.lab import trees
from tests.lab.runs import call

if TYPE_CHECKING:
    from pathlib import Path


def mount(place: Path, layers: trees.Layers, disk_mb: int | None) -> None:
    """Mount a fresh copy of a tree at ``place/root``; what it writes goes to ``place/disk/upper``.

    Args:
        place: the host's own folder.
        layers: the cached tree.
        disk_mb: size of a disk of its own in MiB; None writes to this machine's disk.
    """
    root, disk, own = place / "root", place / "disk", place / "archives"
    for folder in (root, disk):
        folder.mkdir()
    if disk_mb:
        call(["mount", "-t", "tmpfs", "-o", f"size={disk_mb}m,mode=755", "x11fwd-lab", str(disk)])
    (disk / "upper").mkdir()
    (disk / "work").mkdir()
    # volatile: no fsync reaches the disk, so dpkg is several times faster.
    # The other two: whatever is changed, its bytes and its folders lie in upper (snapshots.take).
    options = f"lowerdir={layers.lowerdir()},upperdir={disk}/upper,workdir={disk}/work"
    options += ",volatile,redirect_dir=off,metacopy=off"
    call(["mount", "-t", "overlay", "-o", options, "x11fwd-lab", str(root)])
    # Hard links: each host has its own lock and its own list of packages; only the bytes are shared.
    unwanted = shutil.ignore_patterns("partial", "lock", "*.new")
    shutil.copytree(trees.archives(layers.suite), own, copy_function=_link, ignore=unwanted)
    (own / "partial").mkdir()
    call(["mount", "--bind", str(own), str(root / "var/cache/apt/archives")])


def harvest(place: Path, suite: str) -> None:
    """Keep the packages that a host has fetched, for the hosts that come after it."""
    shared = trees.archives(suite)
    for package in (place / "archives").glob("*.deb"):
        kept = shared / package.name
        with contextlib.suppress(FileExistsError, FileNotFoundError):
            if kept.exists() and kept.stat().st_size != package.stat().st_size:
                kept.unlink()  # another version under the same name, or a broken one
            os.link(package, kept)


def _link(source: str, target: str) -> str:
    with contextlib.suppress(FileNotFoundError):  # another process may be tidying up
        os.link(source, target)
    return target
