"""The processes above this one, as the kernel or ps(1) shows them; for facts/place."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from x11fwd.errors import X11fwdError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from x11fwd.transports.base import Transport

__all__ = ["Process", "by_proc", "by_ps", "run_here", "sshd_runs"]

_PS_LIMIT = 5.0  # seconds

# What an ancestor is, by the name of its process (comm: 15 letters), first match.
_BY_NAME = (
    (re.compile(r"sshd(-\w+|:.*)?$|dropbear"), "sshd"),
    (re.compile(r"mosh-server$"), "mosh"),
    (re.compile(r"et(terminal|server)$"), "et"),
    (re.compile(r"tmux"), "tmux"),
    (re.compile(r"(?i:screen)$"), "screen"),
    (re.compile(r"(sudo|su|su-l|doas|runuser|pkexec|sudo-rs|run0)$"), "user"),
    (
        re.compile(r"(slurmstepd|slurmd|slurm_script|pbs_mom|sge_\w+|sbatchd|condor_starter)$"),
        "batch",
    ),
    (re.compile(r"(conmon|containerd-shim\S*|lxc-start|docker-init)$"), "container"),
    (re.compile(r"jupyter(hub)?(-\S*)?$"), "jupyter"),
)
# The same by its command line, for programs that an interpreter runs.
_BY_COMMAND = (
    (re.compile(r"/\.(vscode|cursor|windsurf|vscodium|positron)-server(-\w+)?/|/code-server/"), "ide"),
    (re.compile(r"\bipykernel|\bjupyter(hub|lab)?([-/]|\b)"), "jupyter"),
    (re.compile(r"\bSCREEN\b"), "screen"),
)


@dataclass(frozen=True)
class Process:
    """One ancestor of this process.

    Attributes:
        name: as the kernel has it, at most 15 letters.
        kind: `sshd`, `mosh`, `et`, `tmux`, `screen`, `user` (sudo, su), `batch`, `container`, `jupyter`,
            `ide`; empty for all else.
        uid: whose it is; -1 where that cannot be told.
    """

    pid: int
    name: str
    kind: str = ""
    uid: int = -1


def _kind(name: str, command: str) -> str:
    for pattern, kind in _BY_NAME:
        if pattern.match(name):
            return kind
    for pattern, kind in _BY_COMMAND:
        if pattern.search(command):
            return kind
    return ""


def by_proc(proc: Path, pid: int) -> tuple[Process, ...]:
    """Up to process 1, which belongs to the machine and not to the session."""
    found: list[Process] = []
    while pid > 1 and len(found) < 100:
        try:
            status = (proc / str(pid) / "status").read_text(encoding="utf-8", errors="replace")
        except OSError:
            break
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        command = ""
        with contextlib.suppress(OSError):
            raw = (proc / str(pid) / "cmdline").read_bytes()[:4096]
            command = raw.replace(b"\0", b" ").decode("utf-8", "replace")
        name = fields.get("Name", "")
        uid = fields.get("Uid", "").split()
        found.append(Process(pid, name, _kind(name, command), int(uid[1]) if len(uid) > 1 else -1))
        pid = int(fields.get("PPid", "0"))
    return tuple(found)


def by_ps(local: Transport | None, pid: int) -> tuple[Process, ...]:
    """macOS and the BSDs have no /proc; ps(1) lists everybody's processes."""
    text = run_here(local, ("ps", "-A", "-o", "pid=,ppid=,uid=,command="))
    table: dict[int, tuple[int, int, str]] = {}
    for line in text.splitlines():
        words = line.split(None, 3)
        if len(words) == 4 and all(word.isdigit() for word in words[:3]):
            table[int(words[0])] = (int(words[1]), int(words[2]), words[3])
    found: list[Process] = []
    while pid > 1 and pid in table and len(found) < 100:
        parent, uid, command = table[pid]
        # `sshd: ana@ttys001`, `/usr/libexec/sshd-session -R`, `-zsh`
        first = command.split(None, 1)[0].rpartition("/")[2].lstrip("-").rstrip(":")
        found.append(Process(pid, first[:15], _kind(first, command), uid))
        pid = parent
    return tuple(found)


def run_here(local: Transport | None, words: Sequence[str]) -> str:
    """What a program of this machine prints; nothing where it cannot be run."""
    if local is None:
        from x11fwd.transports.local import LocalTransport

        local = LocalTransport()
    try:
        result = local.run(words, timeout=_PS_LIMIT)
    except X11fwdError:
        return ""
    return result.text if result.ok else ""


def sshd_runs(proc: Path) -> bool:
    """Among all processes that can be seen."""
    for process in proc.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            name = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
            if _kind(name, "") == "sshd":
                return True
    return False
