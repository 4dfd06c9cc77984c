"""One person at one screen, one host, one relay between them: where every measurement happens."""

from __future__ import annotations

import contextlib
import dataclasses
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.bridge.pixels import Eye
from tests.bench.bridge.processes import Use, uses
from tests.lab import runs
from tests.lab.hosts import ChrootHost, Setup
from tests.lab.person import Person
from tests.lab.relay import Relay
from tests.lab.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from tests.bench.bridge.links import Link, Route
    from tests.lab.relay_engine import Counts

PROGRAMS = Path(__file__).resolve().parent / "programs"
THERE = "/opt/x11fwd-bench"  # on the host; processes.py knows the program by it
# The clock starts when the command does, not when its account's namespaces are being made.
HOLD = 'read -r _; exec "$@"'


class Desk:
    """The scene; a context manager. `far` is the host behind the relay."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        try:
            self.screen = self._stack.enter_context(Screen("800x700x24", frame_buffer=True))
            self.person = self._stack.enter_context(Person())
            self.person.use_screen(self.screen)
            self.host = self._stack.enter_context(ChrootHost("bookworm", "qt", Setup(x11_forwarding=True)))
            self.relay = self._stack.enter_context(Relay(self.host.port))
            self.person.alias("far", self.host, port=self.relay.port)
            for program in PROGRAMS.glob("*.py"):
                self.host.write(f"{THERE}/{program.name}", program.read_text(encoding="utf-8"))
            self.host.write(f"{THERE}/files/said", "", user="ana")
            self.eye = Eye(self.screen.frame_buffer)
        except BaseException:
            self._stack.close()
            raise

    def move_to(self, link: Link) -> None:
        """Let the host be this far away from now on."""
        self.relay.set_delay(link.one_way, link.one_way)
        self.relay.set_rate(link.rate, link.rate)

    def command(self, route: Route, words: Sequence[str]) -> list[str]:
        """What a user types to run a program on the host by this route; no words: a shell."""
        first = [str(self.person.python.parent / "x11fwd")] if route.words[0] == "x11fwd" else ["ssh"]
        return [*first, *route.words[1:], "far", *words]

    def hold(self, argv: Sequence[str]) -> Held:
        """Get a command ready, to begin at ``Held.begin()``."""
        process = self.person.popen(["sh", "-c", HOLD, "hold", *argv])
        wanted = b"sh\0-c\0" + HOLD.encode()

        def is_ready() -> bool:
            with contextlib.suppress(OSError):
                return Path(f"/proc/{process.pid}/cmdline").read_bytes().startswith(wanted)
            return False

        runs.wait_for(is_ready, limit=20, what="a shell")
        return Held(process)

    def counts(self) -> Counts:
        """The relay's counters, once nothing has passed for a while."""
        limits = 20.0
        end = time.monotonic() + limits
        before = self.relay.counts()
        while time.monotonic() < end:
            time.sleep(0.5)
            now = self.relay.counts()
            if now.bytes_up + now.bytes_down - before.bytes_up - before.bytes_down < 500:
                return now
            before = now
        return before

    def uses(self) -> Mapping[str, Use]:
        """CPU and memory of all parts so far."""
        first = self.host.first_process()
        assert first is not None
        return uses(self.person.uid, first)

    def wait_until_left(self, limit: float = 15) -> float:
        """Wait until no process of the person and no figure is left; the rest is ended. Seconds it took."""
        begun = time.monotonic()
        with contextlib.suppress(runs.LabError):
            runs.wait_for(
                lambda: not self.person.processes() and self.eye.is_clear(),
                limit=limit,
                what="the end of the session",
                every=0.02,
            )
            return time.monotonic() - begun
        left = self.person.processes()
        runs.kill_uid(self.person.uid)
        self.host.run(["pkill", "-KILL", "-u", "ana"])
        print(f"<!-- still there after {limit:g} s, ended: {left} -->", flush=True)
        return limit

    def script(self) -> Script:
        """A new conversation with programs/plot.py."""
        return Script(self.host.root / THERE[1:] / "files")

    def __enter__(self) -> Desk:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


@dataclasses.dataclass
class Held:
    """A command of the person that waits for its beginning."""

    process: subprocess.Popen[bytes]

    def begin(self) -> float:
        """Start it; the moment (time.monotonic)."""
        assert self.process.stdin
        begun = time.monotonic()
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        return begun

    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def end(self, limit: float = 60) -> tuple[int, str, str]:
        """Wait for its end; status, standard output and standard error. Killed after ``limit`` seconds."""
        try:
            out, err = self.process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            runs.kill(runs.identity_of(self.process.pid))
            out, err = self.process.communicate()
        return self.process.returncode, out.decode(errors="replace"), err.decode(errors="replace")


class Script:
    """Orders for programs/plot.py, and what it said, over two files of the host."""

    def __init__(self, folder: Path) -> None:
        self._said, self._order, self._number = folder / "said", folder / "order", 0
        self._said.write_bytes(b"")
        self._order.unlink(missing_ok=True)

    def order(self, verb: str, frames: int = 0, seconds: float = 0.0) -> int:
        """Give an order; its number."""
        self._number += 1
        new = self._order.with_suffix(".new")
        new.write_text(f"{self._number} {verb} {frames} {seconds}\n", encoding="ascii")
        new.rename(self._order)
        return self._number

    def times(self) -> dict[str, float]:
        """``started``, ``imported``, ``drawn``, ``ready``, ``began 1``, ``frame 7``, ``done 1``: when."""
        found = {}
        for line in self._said.read_text(encoding="ascii").splitlines():
            words = line.split()
            if words[0] in {"frame", "began", "done"}:
                found[f"{words[0]} {words[1]}"] = float(words[2])
            elif len(words) > 1:
                found[words[0]] = float(words[1])
        return found

    def counted(self, number: int) -> int:
        """How many frames the program drew for an order that is done."""
        for line in self._said.read_text(encoding="ascii").splitlines():
            if line.startswith(f"done {number} "):
                return int(line.split()[3])
        return 0

    def wait_for(self, what: str, limit: float, held: Held | None = None) -> float:
        """Wait until something was said; when it happened.

        Raises:
            LabError: not in time, or the command ended first.
        """

        def said() -> bool:
            if held is not None and not held.is_alive():
                raise runs.LabError(f"the command ended before {what!r}: {held.end()}")
            return what in self.times()

        runs.wait_for(said, limit=limit, what=f"{what!r} of the program", every=0.02)
        return self.times()[what]
