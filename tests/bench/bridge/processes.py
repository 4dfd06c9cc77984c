"""CPU seconds and memory of those who carry windows, by part: proc(5), stat fields 14 and 15, VmHWM."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab import runs

if TYPE_CHECKING:
    from collections.abc import Iterator

TICK = os.sysconf("SC_CLK_TCK")
PARTS = ("local half", "remote half", "ssh", "sshd", "program")


@dataclass(frozen=True)
class Use:
    """CPU seconds (user and system) so far, and the most memory ever resident, in megabytes."""

    cpu: float = 0.0
    memory: float = 0.0


def uses(person_uid: int, host_init: int) -> dict[str, Use]:
    """What lives now, by part; processes that have ended are not in it.

    Args:
        person_uid: the person at the screen, all whose processes are looked at.
        host_init: the host's first process; all in its PID namespace are looked at.
    """
    found = {part: Use() for part in PARTS}
    for pid, part in _parts(person_uid, host_init):
        with contextlib.suppress(OSError, ValueError, StopIteration):
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
            fields = stat.rpartition(")")[2].split()
            status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
            peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
            old = found[part]
            cpu = (int(fields[11]) + int(fields[12])) / TICK
            found[part] = Use(old.cpu + cpu, old.memory + peak / 1000)
    return found


def _parts(person_uid: int, host_init: int) -> Iterator[tuple[int, str]]:
    for pid in runs.pids_of(person_uid):
        name = _name(pid)
        if name == "ssh":
            yield pid, "ssh"
        elif name.startswith(("python", "x11fwd")):
            yield pid, "local half"
    namespace = _namespace(Path(f"/proc/{host_init}"))
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _namespace(entry) == namespace:
            pid = int(entry.name)
            words = runs.command_line(pid)
            if words.startswith("sshd"):
                yield pid, "sshd"
            elif "x11fwd-bench/" in words:
                yield pid, "program"
            elif _name(pid).startswith("python"):
                yield pid, "remote half"


def _name(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text(encoding="ascii", errors="replace").strip()
    return ""


def _namespace(entry: Path) -> str:
    with contextlib.suppress(OSError):
        return str((entry / "ns/pid").readlink())
    return ""
