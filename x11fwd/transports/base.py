"""The contract every way of reaching a machine fulfils; imported by facts, steps and the pipeline.

A non-zero exit status of a remote command is data (`CommandResult`). A failure of the transport is an
exception (`ConnectError` and its children) and never reads as "no".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from x11fwd.target import SshConfig, Target

__all__ = [
    "ByteStream",
    "CommandResult",
    "HostKeyQuestion",
    "Prompter",
    "Transport",
    "X11Offer",
    "X11Outcome",
    "offered",
]


@dataclass(frozen=True)
class CommandResult:
    """What a command left behind.

    Attributes:
        exit_status: 0 to 255; a command killed by signal N reads 128 + N.
        stdout: the bytes between our markers; what login files print is not in here.
        stderr: bytes; login files may have added to them.
        noise: what login files printed on standard output before the command ran, its first 4 kB.
    """

    exit_status: int
    stdout: bytes = b""
    stderr: bytes = b""
    noise: bytes = b""

    @property
    def ok(self) -> bool:
        return self.exit_status == 0

    @property
    def text(self) -> str:
        """stdout as UTF-8; undecodable bytes survive as surrogates."""
        return self.stdout.decode("utf-8", "surrogateescape")

    @property
    def error_text(self) -> str:
        return self.stderr.decode("utf-8", "surrogateescape")


@dataclass(frozen=True)
class X11Offer:
    """The display a connection offers to the other side (RFC 4254 section 6.3).

    Attributes:
        display: value of DISPLAY on this machine.
        authority: path of the local authority file, None for the default one.
        trusted: False asks for an untrusted cookie (ssh -X), True for full access (ssh -Y).
        xauth: path of the local xauth program, None where there is none.
        cookie: the real cookie of `display` (16 bytes; b"" where the server needs none).
        made: `cookie` is an untrusted one that was made for this offer; else the transport makes its own.
    """

    display: str
    authority: str | None = None
    trusted: bool = True
    xauth: str | None = None
    cookie: bytes = field(default=b"", repr=False)
    made: bool = False


def offered(offer: X11Offer | Callable[[], X11Offer | None] | None) -> X11Offer | None:
    """An offer, waited for where somebody is still looking for the display."""
    return offer() if callable(offer) else offer


@dataclass(frozen=True)
class X11Outcome:
    """What became of the request for X11 forwarding on this connection.

    Attributes:
        requested: False where no display was offered.
        granted: True once sshd accepted `x11-req`; False once refused; None while nobody asked yet.
        remarks: what server and client said about it, oldest first, without the `debug1: Remote: ` in
            front (OpenSSH session.c, auth-options.c, clientloop.c).
    """

    requested: bool = False
    granted: bool | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class HostKeyQuestion:
    """An unknown host key, as ssh shows it before it asks."""

    host: str
    key_type: str
    fingerprint: str  # "SHA256:…"


class Prompter(Protocol):
    """Whoever can ask the person; the ui implements it, tests give fixed answers, scripts refuse."""

    def accept_host_key(self, question: HostKeyQuestion) -> bool:
        """May this key be trusted and written to known_hosts?"""
        ...

    def secret(self, prompt: str) -> str | None:
        """A passphrase, password or one-time code, asked without echo; None where nobody can answer."""
        ...

    def visible(self, prompt: str) -> str | None:
        """An answer that may be echoed (keyboard-interactive with echo on); None where nobody can answer."""
        ...

    def notice(self, text: str) -> None:
        """A banner or an instruction of the server, to be shown as it is."""
        ...


class ByteStream(Protocol):
    """A running remote command as a two-way stream of bytes; stderr is kept apart."""

    def read(self, limit: int, timeout: float | None = None) -> bytes:
        """Up to `limit` bytes; b"" at the end of the stream.

        Raises:
            TimeoutError: nothing came within `timeout` seconds.
            ConnectionLost: the connection died.
        """
        ...

    def write(self, data: bytes) -> None:
        """All of `data`; waits for the far side's window."""
        ...

    def close_write(self) -> None:
        """End of file for the command's standard input."""
        ...

    def stderr(self) -> bytes:
        """What the command has written to stderr so far."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, once the command has ended."""
        ...

    def close(self) -> None: ...


class Transport(Protocol):
    """An open, authenticated connection to one machine; a context manager that closes it."""

    @property
    def name(self) -> str:
        """`paramiko`, `openssh`, `local` or `fake`."""
        ...

    @property
    def reason(self) -> str:
        """Why this transport was chosen, one sentence for `-v`."""
        ...

    @property
    def target(self) -> Target: ...

    @property
    def config(self) -> SshConfig: ...

    @property
    def server_version(self) -> str | None:
        """The banner without `SSH-2.0-`, such as `OpenSSH_9.2p1 Debian-2+deb12u7`; None for local."""
        ...

    @property
    def round_trips(self) -> int:
        """How often, since login, a question was sent and its answer waited for (one per command)."""
        ...

    @property
    def round_trip(self) -> float | None:
        """Seconds that the fastest exchange with the server took so far; None where none could be timed."""
        ...

    @property
    def x11(self) -> X11Outcome: ...

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout: float = 60.0,
        x11: bool = False,
    ) -> CommandResult:
        """Run one command under `/bin/sh` with LC_ALL=C, framed so that talkative login files do no harm.

        Args:
            argv: program and arguments; quoted here and nowhere else.
            stdin: all of standard input; end of file follows.
            timeout: seconds until the command must have ended.
            x11: run it in a session for which X11 forwarding was requested. If the far side refuses
                the request the command still runs, without a display, and `x11.granted` is False.

        Raises:
            ConnectionLost: the line went dead, or `timeout` passed without an end.
            ProbeError: the login shell swallowed the command (no marker came back).
        """
        ...

    def stream(self, argv: Sequence[str], *, x11: bool = False) -> ByteStream:
        """Start a command and talk to it."""
        ...

    def put(self, path: str, data: bytes, *, mode: int = 0o600) -> None:
        """Write one small file (below 1 MB) without sftp, atomically.

        Raises:
            ChangeError: it could not be written; the message holds the remote's own words.
        """
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Transport: ...

    def __exit__(self, *exc: object) -> None: ...
