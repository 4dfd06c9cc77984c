"""The two file trees of a scene, with a memory of how they were before; rig.py only."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from tests.lab.runs import call, current_run

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.lab.host import Host, Ran
    from tests.lab.person import Person


class Memory:
    """What files were before they were first touched."""

    def __init__(self) -> None:
        self.dir = current_run().claim("memory")
        self._before: dict[Path, Path | None] = {}  # path -> its copy, None where there was nothing

    def note(self, path: Path) -> None:
        """Keep a copy of a file, link or folder (or that there is none), the first time only."""
        if path in self._before or any(parent in self._before for parent in path.parents):
            return
        above = path
        while not os.path.lexists(above.parent):  # folders that will be made go with what is made in them
            above = above.parent
        if above in self._before:
            return
        if not os.path.lexists(above):
            self._before[above] = None
            return
        copy = self.dir / str(len(self._before))
        call(["cp", "-a", str(above), str(copy)])
        self._before[above] = copy

    def restore(self) -> list[Path]:
        """Put back everything; the paths that were touched."""
        touched = list(self._before)
        for path, copy in reversed(self._before.items()):
            erase(path)
            if copy:
                call(["cp", "-a", str(copy), str(path)])
        self._before.clear()
        return touched


def erase(path: Path) -> None:
    """Delete a file, link or folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


class HostSide:
    """The host of a scene: paths are absolute, as on the host."""

    def __init__(self, lab: Host) -> None:
        self.lab = lab  # tests.lab.hosts.Host: everything that this class does not have
        self.memory = Memory()

    def path(self, path: str) -> Path:
        """Where a path of the host lies on this machine."""
        return self.lab.root / path.lstrip("/")

    def keep(self, path: str) -> None:
        """Remember a path before a command (`chown`, `apt`, …) changes it, so that `restore` knows it."""
        self.memory.note(self.path(path))

    def read(self, path: str) -> str:
        """A file's text, empty where there is none."""
        place = self.path(path)
        return place.read_text(encoding="utf-8") if place.exists() else ""

    def write(self, path: str, content: str | bytes, *, mode: int = 0o644, user: str = "root") -> None:
        """Write a file and the folders above it."""
        self.keep(path)
        self.lab.write(path, content, mode=mode, user=user)

    def append(self, path: str, text: str) -> None:
        """Add text at the end of a file (made where it is missing)."""
        self._edit(path, lambda old: old + text)

    def prepend(self, path: str, text: str) -> None:
        """Add text before a file's first line: what is read first wins in sshd_config and ssh_config."""
        self._edit(path, lambda old: text + old)

    def replace(self, path: str, old: str, new: str) -> None:
        """Replace text that must be there."""
        assert old in self.read(path), f"{path} has no {old!r}"
        self._edit(path, lambda text: text.replace(old, new))

    def _edit(self, path: str, change: Callable[[str], str]) -> None:
        self.keep(path)
        place = self.path(path)
        owner = place.stat() if place.exists() else None
        self.lab.write(path, change(self.read(path)), mode=owner.st_mode & 0o7777 if owner else 0o644)
        if owner:
            os.chown(place, owner.st_uid, owner.st_gid)

    def remove(self, path: str) -> None:
        """Delete a file, link or folder."""
        self.keep(path)
        erase(self.path(path))

    def run(
        self, script: str, *, user: str = "root", env: Mapping[str, str] | None = None, limit: float = 240
    ) -> Ran:
        """Run shell text inside, without ssh; a non-zero exit is an error."""
        ran = self.lab.run(["sh", "-c", script], user=user, env=env, limit=limit)
        assert ran.rc == 0, f"{script}: exit {ran.rc}\n{ran.stdout}{ran.stderr}"
        return ran

    def start(self, script: str, *, user: str = "root") -> subprocess.Popen[bytes]:
        """Start shell text inside; its standard input is a pipe, and it ends with the host at the latest."""
        return self.lab.popen(["sh", "-c", script], user=user)


class PersonSide:
    """The person of a scene: paths are relative to the home."""

    def __init__(self, lab: Person) -> None:
        self.lab = lab  # tests.lab.person.Person
        self.memory = Memory()

    def path(self, path: str) -> Path:
        """Where a path below the home lies."""
        return self.lab.home / path

    def keep(self, path: str) -> None:
        """Remember a path before something changes it."""
        self.memory.note(self.path(path))

    def read(self, path: str) -> str:
        """A file's text, empty where there is none."""
        place = self.path(path)
        return place.read_text(encoding="utf-8") if place.exists() else ""

    def write(self, path: str, content: str | bytes, *, mode: int = 0o600) -> Path:
        """Write a file below the home; returns its path."""
        self.keep(path)
        return self.lab.write(path, content, mode=mode)

    def remove(self, path: str) -> None:
        """Delete a file, link or folder."""
        self.keep(path)
        erase(self.path(path))

    def config(self, lines: str, *, alias: str = "gpu1") -> None:
        """Add lines to the alias' block of ~/.ssh/config, where they come first."""
        old = self.read(".ssh/config")
        head = f"Host {alias}\n"
        assert head in old, f"~/.ssh/config has no Host {alias}"
        block = "".join(f"    {line}\n" for line in lines.splitlines())
        self.write(".ssh/config", old.replace(head, head + block, 1))

    def config_before(self, lines: str) -> None:
        """Put lines at the top of ~/.ssh/config, for every host."""
        self.write(".ssh/config", lines.rstrip("\n") + "\n" + self.read(".ssh/config"))

    def run(self, argv: list[str], *, env: Mapping[str, str] | None = None, timeout: float = 240) -> Ran:
        """Run a program of this machine as the person."""
        return self.lab.run(argv, env=env, timeout=timeout)
