"""An engine on this machine: every shell found here, a home of its own, never root; for tests beside it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from x11fwd.facts.model import Privilege, PrivilegeKind
from x11fwd.steps.engine import Engine, EngineError, EngineLimits
from x11fwd.steps.plan import Change, WriteFile
from x11fwd.target import SshConfig, Target
from x11fwd.transports.base import CommandResult, X11Outcome
from x11fwd.transports.local import LocalStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NOBODY = 65534
SHELLS = {
    name: words
    for name, words in {
        "dash": ("dash",),
        "bash": ("bash",),
        "busybox": ("busybox", "sh"),
        "sh": ("sh",),
    }.items()
    if shutil.which(words[0])
}
if "dash" in SHELLS:
    del SHELLS["sh"]  # it is the same one, or bash
LIMITS = EngineLimits(lock=2, packages=2, silence=20, undo_confirm=60)


class Here:
    """A transport that runs commands on this machine, in a home of its own, as nobody where we are root."""

    name = "local"
    reason = "a test"
    server_version: str | None = None
    round_trip: float | None = None

    def __init__(self, folder: Path, shell: str) -> None:
        self.target = Target(typed="here", host="here")
        self.config = SshConfig()
        self.round_trips = 0
        self.x11 = X11Outcome()
        self.home = folder / "home"
        self.home.mkdir()
        programs = folder / "bin"
        programs.mkdir()
        if shell != "sh":
            # busybox looks at the name it is called by
            (programs / "sh").symlink_to(str(shutil.which(SHELLS[shell][0])))
        self.env = {"HOME": str(self.home), "PATH": f"{programs}:{os.environ['PATH']}", "LC_ALL": "C"}
        self.as_nobody: dict[str, int] = {}
        if os.geteuid() == 0:
            self.as_nobody = {"user": NOBODY, "group": NOBODY}
            for path in (folder, self.home, programs):
                os.chown(path, NOBODY, NOBODY)
        self.last: subprocess.Popen[bytes] | None = None

    @property
    def state(self) -> Path:
        return self.home / ".local/state/x11fwd"

    def start(self, argv: Sequence[str]) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        self.last = subprocess.Popen(
            argv,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            env=self.env,
            cwd="/",
            start_new_session=True,
            **self.as_nobody,  # type: ignore[call-overload]
        )
        return self.last

    def stream(self, argv: Sequence[str], *, x11: bool = False) -> LocalStream:
        self.round_trips += 1
        return LocalStream(self.start(argv))

    def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout: float = 60.0, x11: bool = False
    ) -> CommandResult:
        process = self.start(argv)
        out, err = process.communicate(stdin, timeout)
        return CommandResult(process.returncode, out, err)

    def put(self, path: str, data: bytes, *, mode: int = 0o600) -> None:
        raise NotImplementedError

    def close(self) -> None: ...

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *exc: object) -> None: ...

    def parts(self) -> list[str]:
        """Parts of the engine that still run for this home."""
        lines = []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                lines.append(entry.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        return [line for line in lines if f"{self.state}/" in line and "/engine.sh " in line]

    def tree(self) -> dict[str, bytes | None]:
        """Every entry below the home: bytes of a file, None for a folder."""
        return {
            str(path.relative_to(self.home)): path.read_bytes() if path.is_file() else None
            for path in sorted(self.home.rglob("*"))
        }

    def file(self, name: str, content: bytes) -> str:
        path = self.home / name
        path.write_bytes(content)
        if self.as_nobody:
            os.chown(path, NOBODY, NOBODY)
        return str(path)


@contextmanager
def here(shell: str) -> Iterator[Here]:
    """Not pytest's tmp_path: nobody may not enter a folder of root's."""
    folder = Path(tempfile.mkdtemp(prefix="x11fwd-test-"))
    try:
        yield Here(folder, shell)
    finally:
        shutil.rmtree(folder)


def engine(transport: Here) -> Engine:
    return Engine(transport, Privilege(PrivilegeKind.NONE), limits=LIMITS)


def refusal(client: Engine, change: Change) -> EngineError | None:
    """What the engine says against a change, None where it makes it."""
    try:
        client.apply(change)
    except EngineError as error:
        return error
    return None


def write(path: str, content: bytes, before: bytes | None, *, mode: int = 0o644) -> Change:
    digest = None if before is None else hashlib.sha256(before).hexdigest()
    return Change("file-test", f"Write\n{path}", WriteFile(path, content, digest, mode), become=False)
