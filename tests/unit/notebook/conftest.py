"""The far half on this machine, under any Python, with a JupyterLab of cardboard."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from x11fwd.target import SshConfig, Target
from x11fwd.transports.local import LocalTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from x11fwd.transports.local import LocalStream

FAKE = Path(__file__).parent / "fake"


class HereTransport(LocalTransport):
    """This machine as if it were reached by ssh; the login shell's part is left out."""

    def __init__(self, python: str) -> None:
        super().__init__()
        self.python = python
        self.target = Target("ana@gpu1", "gpu1", "ana")
        self.config = SshConfig({"user": ("ana",), "hostname": ("gpu1",), "port": ("22",)})
        self.streams: list[LocalStream] = []

    def stream(self, argv: Sequence[str], *, x11: bool = False, grace: float = 0.5) -> LocalStream:
        words = ["env", "LC_ALL=C.UTF-8", self.python, "-c", READ, argv[5]]
        self.streams.append(super().stream(words, x11=x11, grace=grace))
        return self.streams[-1]


READ = """
import os, sys, zlib
text, size = b"", int(sys.argv[1])
while len(text) < size:
    text += os.read(0, size - len(text))
exec(compile(zlib.decompress(text), "far", "exec"), {"__name__": "far"})
"""


@pytest.fixture
def home(clean_environment: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home in which JupyterLab can be imported; servers that still run are ended."""
    monkeypatch.setenv("PYTHONPATH", str(FAKE))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    yield clean_environment
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = path.read_bytes().split(b"\0")
            if b"jupyterlab" in words and f"--ServerApp.root_dir={clean_environment}".encode() in words:
                os.kill(int(path.parent.name), signal.SIGKILL)
                for word in words:
                    if word.startswith(b"--ServerApp.sock="):
                        shutil.rmtree(Path(os.fsdecode(word.partition(b"=")[2])).parent)


@pytest.fixture
def here(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[HereTransport]]:
    """Makes every login one to this machine. Returns the list of those that were made."""

    def make(python: str = sys.executable) -> list[HereTransport]:
        made: list[HereTransport] = []

        def connect(*_args: object, **_more: object) -> HereTransport:
            made.append(HereTransport(python))
            return made[-1]

        monkeypatch.setattr("x11fwd.transports.choose.connect", connect)
        return made

    return make
