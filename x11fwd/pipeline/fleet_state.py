"""How far a run over many hosts came, kept so that `--resume` can go on; for the cli.

In x11fwd's state folder, `fleet/<command>-<digest>.jsonl`: a first line with when it began, then one line a
host, added as it ends. A line that a crash cut short counts as not written.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from x11fwd.pipeline.ssh.memory import state_folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["RunState"]

_SCHEMA = "x11fwd.fleet/1"
# After one of these the other's record says nothing any more.
_OPPOSITE = {"setup": "undo", "undo": "setup"}


class RunState:
    """One run's record.

    Attributes:
        done: hosts that an earlier run has brought to a good end; empty unless resumed.
        began: when that was, `2026-11-21 10:20`; "" where there is no earlier run.

    Args:
        command: `setup` or `undo`.
        identity: what makes two runs the same one: inventory or targets, and the options that say what to do.
        resume: go on where the earlier run with this identity has ended.
        keep: False writes nothing (`--dry-run`).
    """

    def __init__(
        self,
        command: str,
        identity: Sequence[str],
        environ: Mapping[str, str],
        *,
        resume: bool,
        keep: bool = True,
    ) -> None:
        folder = state_folder(environ)
        digest = hashlib.sha256(json.dumps([command, *identity]).encode()).hexdigest()[:16]
        self._folder = Path(folder) / "fleet" if folder else None
        self._file = self._folder / f"{command}-{digest}.jsonl" if self._folder else None
        self._handle: int | None = None
        self.done: frozenset[str] = frozenset()
        self.began = ""
        if resume:
            self._read()
        if keep:
            self._open(command, resume=resume and bool(self.began))

    def record(self, name: str, status: str, exit_code: int) -> None:
        """Keep what came of a host, at once."""
        self._write({"host": name, "status": status, "exit_code": exit_code})

    def close(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _read(self) -> None:
        try:
            lines = self._file.read_text(encoding="utf-8").splitlines() if self._file else []
        except (OSError, UnicodeDecodeError):
            return
        codes: dict[str, int] = {}
        for line in lines:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if not isinstance(entry, dict):
                continue
            if entry.get("schema") == _SCHEMA:
                self.began = self.began or str(entry.get("began", ""))
            elif isinstance(entry.get("host"), str) and isinstance(entry.get("exit_code"), int):
                codes[entry["host"]] = entry["exit_code"]
        self.done = frozenset(name for name, code in codes.items() if code == 0)

    def _open(self, command: str, *, resume: bool) -> None:
        """A folder that cannot be written is no error: `--resume` then looks at every host again."""
        if self._folder is None or self._file is None:
            return
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for old in self._folder.glob(f"{_OPPOSITE[command]}-*.jsonl"):
                old.unlink(missing_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | (0 if resume else os.O_TRUNC)
            self._handle = os.open(self._file, flags, 0o600)
        except OSError:
            return
        if resume:
            os.write(self._handle, b"\n")  # behind a line that was cut short
        else:
            self._write({"schema": _SCHEMA, "began": time.strftime("%Y-%m-%d %H:%M")})

    def _write(self, entry: dict[str, object]) -> None:
        if self._handle is None:
            return
        try:
            os.write(self._handle, (json.dumps(entry) + "\n").encode())
        except OSError:  # a full disk; what is written so far still counts
            self.close()
