"""Framing of remote commands; only the transports import it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from x11fwd.errors import ProbeError
from x11fwd.transports.quoting import for_any_shell, quote

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Collector", "Frame", "Framed", "Opening", "quote"]

_SAID = 4096  # bytes of what another program says, kept for whoever wants to know which one
_MOST = 32 << 20  # bytes of a whole answer: many times the longest honest one


@dataclass(frozen=True)
class Framed:
    """A command's output, cut out of what the login shell printed around it.

    Attributes:
        exit_status: of the command itself; a command killed by signal N reads 128 + N (POSIX shells).
        stdout, stderr: the bytes between the marks.
        noise: what start files printed on standard output before them, its first 4 kB.
    """

    exit_status: int
    stdout: bytes
    stderr: bytes
    noise: bytes = b""


@dataclass(frozen=True)
class Frame:
    """Random marks around the output of one command.

    Each mark is written in two halves, so that a login shell that echoes the command does not print it.
    """

    first: str
    second: str

    @classmethod
    def random(cls) -> Frame:
        return cls(f"x11fwd-{os.urandom(8).hex()}", os.urandom(8).hex())

    @property
    def begin(self) -> bytes:
        return f"{self.first}{self.second}:".encode()

    @property
    def end(self) -> bytes:
        return f"{self.second}{self.first}:".encode()

    def command(self, argv: Sequence[str]) -> str:
        """The text for ssh that runs `argv` to its end, marks on both streams, status in the last.

        The command runs in a subshell: `exec` and `exit` as its first word do not lose the end marks.
        """
        words = b" ".join(quote(word) for word in argv)
        a, b = self.first.encode(), self.second.encode()
        script = (
            b"LC_ALL=C; export LC_ALL; printf %s%s: "
            + a
            + b" "
            + b
            + b"; printf %s%s: "
            + a
            + b" "
            + b
            + b" >&2; "
            b"(" + words + b"); s=$?; "
            b"printf %s%s:%s: " + b + b" " + a + b" $s; printf %s%s: " + b + b" " + a + b" >&2; exit $s"
        )
        return for_any_shell(script)

    def stream_command(self, argv: Sequence[str]) -> str:
        """The text for ssh that starts `argv` as a two-way stream: begin marks, no end marks.

        The shell stays in between, so that a command killed by a signal still leaves 128 + N.
        """
        words = b" ".join(quote(word) for word in argv)
        a, b = self.first.encode(), self.second.encode()
        script = (
            b"LC_ALL=C; export LC_ALL; printf %s%s: "
            + a
            + b" "
            + b
            + b"; printf %s%s: "
            + a
            + b" "
            + b
            + b" >&2; "
            b"(" + words + b"); exit $?"
        )
        return for_any_shell(script)

    def after_begin(self, data: bytes) -> bytes | None:
        """What follows the begin mark, None while it has not come."""
        _, mark, rest = data.partition(self.begin)
        return rest if mark else None

    def cut(self, stdout: bytes, stderr: bytes) -> Framed:
        """Take the output apart.

        Raises:
            ProbeError: a mark is missing.
        """
        body = self.after_begin(stdout)
        if body is None:
            raise _swallowed(stdout, stderr)
        text, mark, rest = body.rpartition(self.end)
        status, colon, _ = rest.partition(b":")
        if not mark or not colon or not status.isdigit():
            raise ProbeError(
                f"the remote shell ended before our command did; it printed {_excerpt(text or rest, stderr)}"
            )
        noise = stdout.partition(self.begin)[0][:_SAID]
        return Framed(int(status), text, self.cut_errors(stderr), noise)

    def cut_errors(self, stderr: bytes) -> bytes:
        """Between the marks; all of it where somebody redirected stderr: it is still worth showing."""
        errors = self.after_begin(stderr)
        if errors is None:
            return stderr
        text, mark, rest = errors.rpartition(self.end)
        return text if mark else rest


class Opening:
    """Takes what the login shell printed off the front of a stream."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._before = b""
        self.begun = False

    def feed(self, data: bytes) -> bytes:
        """What of `data` belongs to the command."""
        if self.begun:
            return data
        self._before += data
        rest = self._frame.after_begin(self._before)
        if rest is None:
            return b""
        self.begun, self._before = True, b""
        return rest

    def swallowed(self) -> ProbeError:
        """What to raise when the stream ended before it began."""
        return _swallowed(self._before, b"")


class Collector:
    """Output of one framed command as it arrives; looks at each byte once."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.begun = False  # the login shell has come to run the command
        self._out_end = -1  # where the status begins, once the end mark has come
        self._err_ended = False

    def add_stdout(self, data: bytes) -> None:
        """Take more of it. Raises ProbeError where it is more than anybody's answer."""
        if self._out_end < 0:
            mark = self._frame.end
            start = max(0, len(self.stdout) - len(mark))
            self.stdout += data
            self.begun = self.begun or self.stdout.find(self._frame.begin, start) >= 0
            found = self.stdout.find(mark, start)
            self._out_end = found + len(mark) if found >= 0 else -1
        else:
            self.stdout += data
        self._check_size()

    def add_stderr(self, data: bytes) -> None:
        """Take more of it. Raises ProbeError where it is more than anybody's answer."""
        mark = self._frame.end
        start = max(0, len(self.stderr) - len(mark))
        self.stderr += data
        self._err_ended = self._err_ended or self.stderr.find(mark, start) >= 0
        self._check_size()

    def _check_size(self) -> None:
        if len(self.stdout) + len(self.stderr) > _MOST:
            who = "the remote command" if self.begun else "the login shell or a forced command"
            said = bytes(self.stdout[:_SAID]), bytes(self.stderr[:_SAID])
            raise ProbeError(
                f"{who} printed more than {_MOST >> 20} MB without an end: {_excerpt(*said)} …",
                said="" if self.begun else _said(*said),
            )

    def never_began(self, seconds: float) -> ProbeError:
        """What to raise when the login shell has not come to run the command in this time."""
        said = bytes(self.stdout[:_SAID]), bytes(self.stderr[:_SAID])
        return ProbeError(
            f"logged in, and our command did not begin within {seconds:g} s: a start file or a forced "
            f"command hangs; it printed {_excerpt(*said)}",
            said=_said(*said),
            hung=True,
        )

    def errors(self) -> bytes:
        """What stderr holds so far, without our marks."""
        return self._frame.cut_errors(bytes(self.stderr))

    @property
    def complete(self) -> bool:
        """True once both end marks and the status have come, even if someone still holds the streams open."""
        return self._err_ended and self._out_end >= 0 and self.stdout.find(b":", self._out_end) >= 0

    def result(self) -> Framed:
        """The output, cut out. Raises ProbeError where a mark is missing."""
        return self._frame.cut(bytes(self.stdout), bytes(self.stderr))


def _swallowed(stdout: bytes, stderr: bytes) -> ProbeError:
    return ProbeError(
        f"the login shell or a forced command swallowed our command; it printed {_excerpt(stdout, stderr)}",
        hint="try `ssh TARGET true`: a login that runs no commands cannot be used",
        said=_said(stdout, stderr),
    )


def _said(stdout: bytes, stderr: bytes) -> str:
    return (stderr[:_SAID] + b"\n" + stdout[:_SAID]).decode("utf-8", "replace").strip()[:_SAID]


def _excerpt(stdout: bytes, stderr: bytes) -> str:
    """The first line that says something, for a message."""
    for line in (*stderr.splitlines(), *stdout.splitlines()):
        text = line.decode("utf-8", "replace").strip()
        # the first words of sshd's xauth in a new home directory, before anything else runs
        if text and not text.endswith("/.Xauthority does not exist"):
            return repr(text[:120])
    return "nothing"
