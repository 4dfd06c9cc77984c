"""The test plot running on the remote, as events on this side; verify imports it."""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from x11fwd.errors import ConnectionLost, X11fwdError
from x11fwd.pipeline.run_start import open_python

if TYPE_CHECKING:
    from collections.abc import Mapping

    from x11fwd.transports.base import ByteStream, Transport

__all__ = ["COLOURS", "PlotEvent", "PlotSession"]

# plot.py's, left to right; a unit test holds them together.
COLOURS = ((214, 39, 40), (44, 160, 44), (31, 119, 180), (255, 187, 0))
_CHUNK = 65536


@dataclass(frozen=True)
class PlotEvent:
    """One line of the plot's.

    Attributes:
        name: `hello`, `pong`, `figure`, `drawn`, `failed`, `closed`; `end` once there will be no more.
        backend, interactive, version, display, mplbackend, rc_file, warnings: of `figure`.
        problem: of `failed`, the last line of the traceback.
        by: of `closed`: `user` or `us`.
        number: of `pong`.
        python: of `hello`.
        exit_status: of `end`; 128 + N after signal N, None where the connection ended without one.
    """

    name: str
    backend: str = ""
    interactive: bool = False
    version: str = ""
    display: str | None = None
    mplbackend: str | None = None
    rc_file: str = ""
    warnings: tuple[str, ...] = ()
    problem: str = ""
    by: str = ""
    number: str = ""
    python: str = ""
    exit_status: int | None = None


class PlotSession:
    """A running plot; a context manager that closes it.

    Args:
        transport: an open connection with X11 offered.
        python: the interpreter.
        shell: the login shell, whose environment the plot gets; "" for none.
        title: of the window.
        display: DISPLAY and XAUTHORITY of the bridge, None for those of ssh's own forwarding.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        python: str,
        shell: str,
        title: str,
        display: tuple[str, str] | None = None,
    ) -> None:
        self._mark = f"x11fwd-{secrets.token_hex(8)}"
        settings = {"mark": self._mark, "title": title}
        text = _resource("plot.py").decode("ascii") + f"\nraise SystemExit(main({settings!r}))\n"
        self._rest = b""
        self._events: list[PlotEvent] = []
        self._ended = False
        self._stream: ByteStream = open_python(
            transport,
            text,
            python,
            x11=display is None,
            mark=self._mark,
            as_script=shell,
            display=display or (),
        )

    def __enter__(self) -> PlotSession:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def event(self, timeout: float) -> PlotEvent | None:
        """The next event; None where none came in `timeout` seconds; after `end` always `end` again.

        Raises:
            ConnectionLost: the connection died.
        """
        end = time.monotonic() + timeout
        while not self._events:
            if self._ended:
                return PlotEvent("end", exit_status=self._status())
            try:
                data = self._stream.read(_CHUNK, max(0.0, end - time.monotonic()))
            except TimeoutError:
                return None
            self._feed(data)
        return self._events.pop(0)

    def round_trips(self, count: int, timeout: float) -> tuple[float, ...]:
        """Seconds of `count` echoes, one after the other, over the same channel; fewer where time ran out."""
        samples: list[float] = []
        waiting: list[PlotEvent] = []
        end = time.monotonic() + timeout
        for number in range(count):
            sent = time.monotonic()
            self._say(f"ping {number}\n".encode())
            while True:
                event = self.event(max(0.0, end - time.monotonic()))
                if event is None or event.name == "end":
                    self._events[:0] = waiting
                    return tuple(samples)
                if event.name == "pong" and event.number == str(number):
                    samples.append(time.monotonic() - sent)
                    break
                waiting.append(event)
        self._events[:0] = waiting
        return tuple(samples)

    def go(self) -> None:
        """Let the drawing begin."""
        self._say(b"go\n")

    def _say(self, data: bytes) -> None:
        # a plot that has ended meanwhile takes nothing, and the next event says how it ended
        with contextlib.suppress(ConnectionLost):
            self._stream.write(data)

    def last_words(self, lines: int = 3) -> str:
        """The end of what it wrote to stderr, without empty lines."""
        said = self._stream.stderr().decode("utf-8", "replace").splitlines()
        return "\n".join([line.strip() for line in said if line.strip()][-lines:])

    def close(self, patience: float = 5.0) -> None:
        """Close the window, and end the program where it does not end by itself in `patience` seconds."""
        with contextlib.suppress(X11fwdError, OSError):
            if not self._ended:
                self._stream.write(b"close\n")
                self._stream.close_write()
                self._stream.wait(patience)
        self._stream.close()

    def _feed(self, data: bytes) -> None:
        if not data:
            self._ended = True
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        mark = self._mark.encode() + b" "
        for line in lines:
            # a start file of Python's may print as well; what has no mark is not ours
            if line.startswith(mark):
                with contextlib.suppress(ValueError):
                    self._events.append(_event(json.loads(line[len(mark) :])))

    def _status(self) -> int | None:
        try:
            return self._stream.wait(30.0)  # on a busy machine a while behind the last output
        except (TimeoutError, ConnectionLost):
            return None


def _event(values: Mapping[str, object]) -> PlotEvent:
    """From the plot's JSON; what has the wrong type is taken for not said."""

    def text(name: str) -> str:
        value = values.get(name)
        return value if isinstance(value, str) else ""

    warnings = values.get("warnings")
    return PlotEvent(
        name=text("event"),
        backend=text("backend"),
        interactive=values.get("interactive") is True,
        version=text("matplotlib"),
        display=text("display") or None,
        mplbackend=text("mplbackend") or None,
        rc_file=text("rc_file"),
        warnings=tuple(str(one) for one in warnings) if isinstance(warnings, list) else (),
        problem=text("problem"),
        by=text("by"),
        number=text("number"),
        python=text("python"),
    )


def _resource(name: str) -> bytes:
    return resources.files("x11fwd.pipeline").joinpath(name).read_bytes()
