"""A distant link in front of a host, a process of its own steered by ``Relay``; tests and benchmarks use it.

``python tests/lab/relay.py HOST PORT --up 0.025 --down 0.025`` prints ``{"port": N}`` and then takes one
command a line from standard input: freeze, thaw, cut, counts, freeze-at N, cut-at N, delay UP DOWN,
rate UP DOWN. The answer is the counters as JSON. The process ends with its standard input.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.lab.relay_engine import Counts, Engine, Limits
from tests.lab.runs import LabError, current_run

if TYPE_CHECKING:
    from types import TracebackType


class Relay:
    """A link of a given delay in front of a server; connect to ``relay.address`` and ``relay.port``."""

    def __init__(
        self,
        port: int,
        address: str = "127.0.0.1",
        *,
        delay: float = 0.0,
        up: float | None = None,
        down: float | None = None,
        rate: float = 0.0,
        rate_up: float | None = None,
        rate_down: float | None = None,
    ) -> None:
        """Start it.

        Args:
            port: the real host's port.
            address: the real host's address.
            delay: seconds in each direction; a round trip takes twice as long.
            up: seconds from client to server, where the directions differ.
            down: seconds from server to client.
            rate: bytes per second in each direction, all connections together; 0 is no limit.
            rate_up: bytes per second from client to server, where the directions differ.
            rate_down: bytes per second from server to client.
        """
        argv = [sys.executable, __file__, address, str(port)]
        argv += ["--rate-up", str(rate if rate_up is None else rate_up)]
        argv += ["--rate-down", str(rate if rate_down is None else rate_down)]
        argv += ["--up", str(delay if up is None else up), "--down", str(delay if down is None else down)]
        self.process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/"
        )
        current_run().record(self.process.pid)
        self.address = "127.0.0.1"
        self.port: int = json.loads(self._line())["port"]

    def freeze(self) -> None:
        """Let no byte pass; connections stay open, new ones are accepted and hear nothing."""
        self._command("freeze")

    def thaw(self) -> None:
        """Let bytes pass again, those held first."""
        self._command("thaw")

    def cut(self) -> None:
        """Reset every connection at both ends; new ones are served."""
        self._command("cut")

    def freeze_at(self, turns: int) -> None:
        """Freeze when the client begins its ``turns``-th turn from now; that turn's bytes are held back."""
        self._command(f"freeze-at {turns}")

    def cut_at(self, turns: int) -> None:
        """Cut when the client begins its ``turns``-th turn from now; that turn's bytes are lost."""
        self._command(f"cut-at {turns}")

    def set_delay(self, up: float, down: float) -> None:
        """Change the delay (seconds) of what is sent from now on."""
        self._command(f"delay {up} {down}")

    def set_rate(self, up: float, down: float) -> None:
        """Change the bytes per second of what is sent from now on; 0 is no limit."""
        self._command(f"rate {up} {down}")

    def counts(self) -> Counts:
        """What has passed since the start; subtract two to see what passed in between."""
        return self._command("counts")[0]

    def is_frozen(self) -> bool:
        """Whether bytes are held back now (``freeze_at`` may have done it)."""
        return self._command("counts")[1]

    def stop(self) -> None:
        """End the process; its connections are closed by the kernel."""
        if self.process.stdin:
            self.process.stdin.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()

    def _command(self, line: str) -> tuple[Counts, bool]:
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        answer = json.loads(self._line())
        return Counts(**answer["counts"]), bool(answer["frozen"])

    def _line(self) -> str:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise LabError(f"the relay ended with status {self.process.wait()}")
        return line

    def __enter__(self) -> Relay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def main(argv: list[str]) -> int:
    """The relay's own process."""
    parser = argparse.ArgumentParser(description="a distant link in front of a server")
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--up", type=float, default=0.0, help="seconds from client to server")
    parser.add_argument("--down", type=float, default=0.0, help="seconds from server to client")
    parser.add_argument(
        "--rate-up", type=float, default=0.0, help="bytes per second to the server, 0: no limit"
    )
    parser.add_argument("--rate-down", type=float, default=0.0, help="bytes per second to the client")
    options = parser.parse_args(argv)
    limits = Limits(options.up, options.down, options.rate_up, options.rate_down)
    engine = Engine((options.host, options.port), limits)
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    threading.Thread(target=engine.serve, args=[listener], daemon=True).start()
    for line in sys.stdin:
        obey(engine, line.split())
        with engine.lock:
            answer = {"counts": dataclasses.asdict(engine.counts), "frozen": not engine.open.is_set()}
        print(json.dumps(answer), flush=True)
    return 0


def obey(engine: Engine, words: list[str]) -> None:
    """Carry out one command line of the control channel."""
    match words:
        case ["freeze"]:
            engine.open.clear()
        case ["thaw"]:
            engine.open.set()
        case ["cut"]:
            engine.cut()
        case ["freeze-at" | "cut-at" as action, turns]:
            engine.arm(action.removesuffix("-at"), int(turns))
        case ["delay", up, down]:
            engine.limits.up, engine.limits.down = float(up), float(down)
        case ["rate", up, down]:
            engine.limits.rate_up, engine.limits.rate_down = float(up), float(down)
        case ["counts"]:
            pass
        case _:
            raise SystemExit(f"relay: no such command: {' '.join(words)}")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
