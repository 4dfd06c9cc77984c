"""A transport whose answers are written down beforehand; stands for every system that cannot be booted here.

Tests use it for macOS and rare distributions, and `die_at` for a line that breaks at an exact moment.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from x11fwd.errors import ConnectionLost, ProbeError
from x11fwd.target import SshConfig, Target
from x11fwd.transports.base import CommandResult, X11Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from x11fwd.errors import X11fwdError

__all__ = ["Answer", "Call", "FakeStream", "FakeTransport"]


@dataclass(frozen=True)
class Call:
    """One question that was asked: `kind` is `run`, `stream` or `put` (argv is then the path alone)."""

    kind: str
    argv: tuple[str, ...]
    stdin: bytes = b""
    x11: bool = False
    mode: int | None = None


@dataclass(frozen=True)
class Answer:
    """A scripted answer.

    Attributes:
        result: what the command leaves behind, or an exception to raise, or a function of the call.
        argv: leading words that the call must have; empty matches every command.
        stdin: bytes that must occur in standard input; empty matches everything.
        kind: `run`, `stream` or `put`.
        times: how often it may be given; None for ever.
    """

    result: CommandResult | X11fwdError | Callable[[Call], CommandResult]
    argv: tuple[str, ...] = ()
    stdin: bytes = b""
    kind: str = "run"
    times: int | None = None

    def matches(self, call: Call) -> bool:
        return (
            call.kind == self.kind and call.argv[: len(self.argv)] == self.argv and self.stdin in call.stdin
        )


class FakeTransport:
    """Gives the first scripted answer that matches, and remembers every call.

    Args:
        answers: tried in order. A `put` without an answer is accepted and stored in `files`.
        target, config, server_version, name, reason: what the attributes of the same name say.
        x11: the outcome; `granted` stays None until a command runs with x11=True, then becomes this one's.
        die_at: number of the call (from 1) at which the line breaks; every later one fails as well.
    """

    def __init__(
        self,
        answers: Iterable[Answer] = (),
        *,
        target: Target | None = None,
        config: SshConfig | None = None,
        server_version: str | None = None,
        x11: X11Outcome | None = None,
        die_at: int | None = None,
        name: str = "fake",
        reason: str = "the answers are written down",
    ) -> None:
        self.name = name
        self.reason = reason
        self.target = target or Target(typed="fake", host="fake")
        self.config = config or SshConfig()
        self.server_version = server_version
        self.calls: list[Call] = []
        self.files: dict[str, bytes] = {}
        self.closed = False
        self.round_trip: float | None = None
        self.die_at = die_at
        self._answers = [(answer, [answer.times]) for answer in answers]
        self._x11 = x11 or X11Outcome()
        self._asked_for_x11 = False

    @property
    def round_trips(self) -> int:
        return len(self.calls)

    @property
    def x11(self) -> X11Outcome:
        return self._x11 if self._asked_for_x11 else replace(self._x11, granted=None, remarks=())

    def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout: float = 60.0, x11: bool = False
    ) -> CommandResult:
        """The scripted answer; see `Transport.run`.

        Raises:
            ConnectionLost: the call is `die_at` or a later one.
            ProbeError: no answer matches; the message holds the command.
        """
        del timeout
        return self._answer(Call("run", tuple(argv), stdin, x11))

    def stream(self, argv: Sequence[str], *, x11: bool = False) -> FakeStream:
        """A stream whose output is the answer's stdout, whatever is written to it."""
        return FakeStream(self._answer(Call("stream", tuple(argv), x11=x11)))

    def put(self, path: str, data: bytes, *, mode: int = 0o600) -> None:
        call = Call("put", (path,), data, mode=mode)
        if any(answer.matches(call) for answer, _ in self._answers):
            self._answer(call)
        else:
            self._record(call)
        self.files[path] = data

    def close(self) -> None:
        self.closed = True

    def __enter__(self) -> FakeTransport:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _record(self, call: Call) -> None:
        self.calls.append(call)
        if self.closed:
            raise ConnectionLost("the connection is closed")
        if self.die_at is not None and len(self.calls) >= self.die_at:
            raise ConnectionLost(f"the connection to {self.target.typed} was lost")
        self._asked_for_x11 = self._asked_for_x11 or call.x11

    def _answer(self, call: Call) -> CommandResult:
        self._record(call)
        for answer, left in self._answers:
            if left[0] == 0 or not answer.matches(call):
                continue
            if left[0] is not None:
                left[0] -= 1
            if isinstance(answer.result, Exception):
                raise answer.result
            return answer.result if isinstance(answer.result, CommandResult) else answer.result(call)
        words = " ".join(call.argv)
        raise ProbeError(f"the fake transport has no answer for {call.kind} {words!r} {call.stdin[:200]!r}")


class FakeStream:
    """The stream of a scripted answer; `written` holds what was sent."""

    def __init__(self, result: CommandResult) -> None:
        self._result = result
        self._left = result.stdout
        self.written = bytearray()
        self.write_closed = False
        self.closed = False

    def read(self, limit: int, timeout: float | None = None) -> bytes:
        del timeout
        data, self._left = self._left[:limit], self._left[limit:]
        return data

    def write(self, data: bytes) -> None:
        if self.closed or self.write_closed:
            raise ConnectionLost("the stream is closed")
        self.written += data

    def close_write(self) -> None:
        self.write_closed = True

    def stderr(self) -> bytes:
        return self._result.stderr

    def wait(self, timeout: float | None = None) -> int:
        del timeout
        return self._result.exit_status

    def close(self) -> None:
        self.closed = True
