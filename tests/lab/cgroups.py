"""A cgroup for each booted host, in every hierarchy that systemd uses; hosts.py and runs.py only."""

from __future__ import annotations

import contextlib
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
# Where systemd keeps its tree beside the controllers of version 1 (systemd.io/CGROUP_DELEGATION).
HYBRID = ("unified", "systemd")


def is_unified() -> bool:
    """Whether this machine has version 2 of cgroups alone."""
    return (ROOT / "cgroup.controllers").exists()


def entering(run_dir: Path, host: str) -> list[str]:
    """The argv prefix that runs a program in new cgroups of its own."""
    script = 'while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs"; shift; done; shift; exec "$@"'
    places = []
    for tree in _trees():
        place = tree / _name(run_dir, host)
        place.mkdir(exist_ok=True)
        places.append(str(place))
    return ["sh", "-ec", script, "sh", *places, "--"]


def remove(run_dir: Path, host: str = "*") -> None:
    """Remove the cgroups of a host (default: of all hosts of a run) whose processes have ended."""
    for tree in _trees():
        for place in tree.glob(_name(run_dir, host)):
            # Only folders can be removed from a cgroup tree, the innermost first (cgroups(7)).
            for folder in sorted([place, *(p for p in place.rglob("*") if p.is_dir())], reverse=True):
                with contextlib.suppress(OSError):
                    folder.rmdir()


def _trees() -> list[Path]:
    if is_unified():
        return [ROOT]
    return [ROOT / name for name in HYBRID if (ROOT / name / "cgroup.procs").exists()]


def _name(run_dir: Path, host: str) -> str:
    return f"x11fwd-lab-{run_dir.name}-{host}"
