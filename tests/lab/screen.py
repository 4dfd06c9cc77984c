"""The screen in front of the person: Xvfb with access control and a cookie of its own; tests use it."""

from __future__ import annotations

import fcntl
import itertools
import os
import secrets
import signal
import struct
import subprocess
from typing import TYPE_CHECKING

from tests.lab import runs
from tests.lab.runs import LabError, cache_dir, current_run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import TextIO

FAMILY_LOCAL = 256  # Xauth.h: FamilyLocal, the address is the host's name
FAMILY_WILD = 65535  # Xauth.h: FamilyWild, matches any address


def authority_entry(family: int, address: bytes, number: str, name: bytes, data: bytes) -> bytes:
    """One entry of an Xauthority file: a big-endian family and four counted strings (libXau, AuWrite.c)."""
    fields = (address, number.encode(), name, data)
    return struct.pack(">H", family) + b"".join(struct.pack(">H", len(f)) + f for f in fields)


def free_numbers() -> Iterator[tuple[str, TextIO]]:
    """Display numbers that no other screen of the tests has, each with the lock that keeps it.

    Xvfb's own ``-displayfd`` would hand the number of a screen that a test killed, and means to start again,
    to the test beside it.
    """
    folder = cache_dir() / "locks"
    folder.mkdir(exist_ok=True)
    for number in itertools.count():
        lock = (folder / f"display-{number}").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
        else:
            yield str(number), lock


class Screen:
    """An Xvfb on a display number of its own choice; no TCP, only who has the cookie gets in."""

    def __init__(
        self,
        size: str = "1280x800x24",
        *,
        noreset: bool = True,
        without: Sequence[str] = (),
        options: Sequence[str] = (),
        frame_buffer: bool = False,
    ) -> None:
        """Start it.

        Args:
            size: ``WIDTHxHEIGHTxDEPTH``.
            noreset: keep generated cookies and atoms when the last client leaves; real desktops never reset.
            without: extensions turned off, for instance ``["SECURITY", "MIT-SHM"]``.
            options: further arguments for Xvfb.
            frame_buffer: map the frame buffer into a file (``.frame_buffer``): looking costs no X request.
        """
        self.dir = current_run().claim("screen")
        self.cookie = secrets.token_hex(16)
        self.authority = self.dir / "Xauthority"
        self._write_authority("0")  # Xvfb reads cookies, not numbers, from its -auth file
        argv = ["-screen", "0", size]
        argv += ["-auth", str(self.authority), "-nolisten", "tcp"]
        argv += ["-noreset"] if noreset else []
        argv += [word for name in without for word in ("-extension", name)]
        argv += ["-fbdir", str(self.dir)] if frame_buffer else []
        self.frame_buffer = self.dir / "Xvfb_screen0"
        self.log = self.dir / "Xvfb.log"
        self._options = [*argv, *options]
        for number, self._lock in free_numbers():
            if self._starts(number):
                break

    def _starts(self, number: str) -> bool:
        """Whether the number was free; somebody else's screen may have it."""
        try:
            self._start(number)
        except LabError as error:
            self._lock.close()
            if "already" in str(error):
                return False
            runs.remove(self.dir)
            raise
        return True

    def _start(self, number: str) -> None:
        reading, writing = os.pipe()
        argv = ["Xvfb", f":{number}", "-displayfd", str(writing), *self._options]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[writing],
                start_new_session=True,
                cwd="/",
            )
        current_run().record(self.process.pid)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            started = pipe.readline().decode().strip()  # ends when Xvfb writes or dies
        if not started:
            said = self.log.read_text(errors="replace")
            self._end()
            raise LabError(f"{' '.join(argv)} did not start: {said}")
        self.display = f":{number}"
        self._write_authority(number)

    def _write_authority(self, number: str) -> None:
        # FamilyWild, so that the file fits whatever this machine (or a test's UTS namespace) is called.
        entry = authority_entry(FAMILY_WILD, b"", number, b"MIT-MAGIC-COOKIE-1", bytes.fromhex(self.cookie))
        self.authority.write_bytes(entry)
        self.authority.chmod(0o600)

    def env(self) -> dict[str, str]:
        """``DISPLAY`` and ``XAUTHORITY`` for a program of root; a person's: ``Person.use_screen``."""
        return {"DISPLAY": self.display, "XAUTHORITY": str(self.authority)}

    def run(self, argv: Sequence[str], *, limit: float = 120) -> subprocess.CompletedProcess[str]:
        """Run an X program of this machine on the screen."""
        env = {"PATH": os.environ["PATH"], "HOME": str(self.dir), **self.env()}
        return subprocess.run(argv, env=env, capture_output=True, text=True, timeout=limit, check=False)

    def windows(self) -> str:
        """The window tree as xwininfo prints it."""
        return self.run(["xwininfo", "-root", "-tree"]).stdout

    def screenshot(self, path: Path) -> Path:
        """Save the whole screen as a picture (PNG by the name's end), for people to look at.

        Raises:
            LabError: xwd or convert failed.
        """
        dump = self.dir / "screen.xwd"
        for argv in (["xwd", "-root", "-silent", "-out", str(dump)], ["convert", f"xwd:{dump}", str(path)]):
            done = self.run(argv)
            if done.returncode:
                raise LabError(f"{argv[0]}: {done.stderr}")
        return path

    def freeze(self) -> None:
        """SIGSTOP: clients connect and hear nothing, as from an X server that hangs."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL: its lock and its socket stay behind, and nobody listens there."""
        self.process.kill()
        self.process.wait()

    def start(self) -> None:
        """Start Xvfb again after `kill`, on the same display with the same cookie."""
        self._start(self.display[1:])

    def stop(self) -> None:
        """End Xvfb; every program on it loses its display."""
        self._end()
        self._lock.close()
        runs.remove(self.dir)

    def _end(self) -> None:
        if self.process.poll() is None:
            self.thaw()
            self.process.terminate()  # it removes its lock and its socket
            try:
                self.process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def __enter__(self) -> Screen:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
