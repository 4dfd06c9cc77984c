"""The same contract on the system's own ssh, for what paramiko cannot follow; imported by `choose` only."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess  # noqa: TID251  transports are where processes are run
import time
from typing import TYPE_CHECKING

from x11fwd.errors import ConnectError, ConnectionLost
from x11fwd.transports.base import CommandResult, X11Outcome
from x11fwd.transports.framing import Collector, Frame, Opening
from x11fwd.transports.local import LocalStream, kill_group
from x11fwd.transports.openssh_master import Master
from x11fwd.transports.patience import Patience
from x11fwd.transports.remote_file import put_through_shell
from x11fwd.transports.scratch import started
from x11fwd.transports.ssh_words import server_version, x11_refused, x11_remarks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from x11fwd.target import SshConfig, Target
    from x11fwd.transports.base import Prompter, X11Offer
    from x11fwd.transports.framing import Framed
    from x11fwd.transports.hops import Hop

__all__ = ["OpensshTransport", "open_openssh", "ride"]

_ENDING = 10.0  # seconds for a session to end that has closed its streams


class OpensshTransport:
    """See `Transport`; opened by `open_openssh` or `ride`.

    Args:
        master: the private master, None when riding on one that the user has open.
        control: the master's socket.
    """

    name = "openssh"
    round_trip: float | None = None  # ssh's debug lines have no times

    def __init__(
        self, hop: Hop, master: Master | None, control: str, offer: X11Offer | None, reason: str
    ) -> None:
        self.reason = reason
        self.round_trips = 0
        self._hop = hop
        self._patience = Patience.of(hop.config)
        self._master = master
        self._control = control
        self._offer = offer
        self._refused = ""  # what a session said when its request for X11 was refused
        self._asking: OpensshStream | None = None  # the last session for X11, where it is a stream
        self._closed = False

    @property
    def target(self) -> Target:
        return self._hop.target

    @property
    def config(self) -> SshConfig:
        return self._hop.config

    @property
    def server_version(self) -> str | None:
        """None also when riding: the user's master does not tell."""
        return None if self._master is None else server_version(self._master.log())

    @property
    def x11(self) -> X11Outcome:
        if self._offer is None or self._master is None:
            return X11Outcome()
        if self._asking is not None:
            # its refusal comes on another pipe than its output, and may be there later
            self.note_x11(self._asking.all_errors())
        log = self._master.log()
        refused = self._refused or x11_refused(log)
        said = (*x11_remarks(log), *x11_remarks(self._refused))
        return X11Outcome(True, None if refused is None else not refused, said)

    def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout: float = 60.0, x11: bool = False
    ) -> CommandResult:
        """See `Transport.run`."""
        frame = Frame.random()
        self.round_trips += 1
        output = Collector(frame)
        process = self._session(frame.command(argv), x11=x11)
        try:
            framed = self._collect(process, stdin, output, timeout)
        finally:
            _end(process)
        self.note_x11(bytes(output.stderr))
        return CommandResult(framed.exit_status, framed.stdout, framed.stderr, framed.noise)

    def stream(self, argv: Sequence[str], *, x11: bool = False) -> OpensshStream:
        """See `Transport.stream`."""
        frame = Frame.random()
        self.round_trips += 1
        made = OpensshStream(self._session(frame.stream_command(argv), x11=x11), frame, self)
        if x11:
            self._asking = made
        return made

    def put(self, path: str, data: bytes, *, mode: int = 0o600) -> None:
        """See `Transport.put`."""
        put_through_shell(self.run, path, data, mode)

    def close(self) -> None:
        """End the private master; the user's own stays."""
        self._closed = True
        if self._master is not None:
            self._master.close()

    def __enter__(self) -> OpensshTransport:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _session(self, command: str, *, x11: bool) -> subprocess.Popen[bytes]:
        if self._closed:
            raise ConnectionLost(f"the connection to {self._hop.place} is closed")
        forward = "yes" if x11 and self._offer is not None else "no"
        if forward == "yes":
            # what was said to an earlier session is not the answer to this one
            self._refused, self._asking = "", None
        # No configuration file: the master has followed it already. Without a master ssh would connect by
        # itself; the ProxyCommand stops that.
        words = ["-F", "none", "-S", self._control.replace("%", "%%"), "-T"]
        for option in ("ControlMaster=no", "ProxyCommand=false", "BatchMode=yes", "LogLevel=ERROR"):
            words += ["-o", option]
        words += ["-o", f"ForwardX11={forward}", "--", "x11fwd", command]
        try:
            return started(
                lambda: subprocess.Popen(
                    ["ssh", *words],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env={**os.environ, "LC_ALL": "C"},
                    start_new_session=True,
                ),
                kill_group,
            )
        except OSError as error:
            raise ConnectError(f"ssh cannot be started: {error.strerror}") from error

    def _collect(
        self, process: subprocess.Popen[bytes], stdin: bytes, output: Collector, timeout: float
    ) -> Framed:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise ValueError("a session needs three pipes")
        begun = time.monotonic()
        deadline = begun + timeout
        streams = {process.stdout.fileno(): output.add_stdout, process.stderr.fileno(): output.add_stderr}
        watch = select.poll()
        for descriptor in streams:
            watch.register(descriptor, select.POLLIN | select.POLLHUP | select.POLLERR)
        # The pipe has its other end in the master, not in the session that we could end: never block on it.
        feed = process.stdin.fileno()
        os.set_blocking(feed, False)
        watch.register(feed, select.POLLOUT)
        rest = memoryview(stdin)
        while streams and not output.complete:
            left = deadline - time.monotonic()
            if left <= 0:
                raise ConnectionLost(
                    f"{self._hop.place} gave no answer within {timeout:g} s",
                    hint="the line may be frozen, or the command hangs",
                )
            if not output.begun:
                left = min(left, begun + self._patience.shell - time.monotonic())
                if left <= 0:
                    raise output.never_began(self._patience.shell)
            for descriptor, _ in watch.poll(left * 1000):
                if descriptor == feed:
                    rest = _write_some(feed, rest)
                    if not rest:
                        watch.unregister(feed)
                        process.stdin.close()
                    continue
                data = os.read(descriptor, 1 << 20)
                if data:
                    streams[descriptor](data)
                else:
                    watch.unregister(descriptor)
                    del streams[descriptor]
        if not output.complete:
            self.check(process, output.errors())
        return output.result()

    def note_x11(self, stderr: bytes) -> None:
        """A master tells of a refused X11 request on the session's stderr (client_status_confirm)."""
        for line in stderr.splitlines():
            if line.startswith(b"X11 forwarding request failed"):
                self._refused = line.decode("ascii", "replace")

    def check(self, process: subprocess.Popen[bytes], stderr: bytes) -> None:
        """Called when a session ended early.

        Raises:
            ConnectionLost: the master is gone.
            ConnectError: it lives, and the server allows no more sessions.
        """
        text = stderr.decode("utf-8", "replace")
        if "session request failed" in text or "Session open refused" in text:
            raise ConnectError(
                f"{self._hop.place} lets in, but refuses a session",
                hint="MaxSessions in its sshd_config may be too small",
            )
        status = _status(process)
        # the session ends before its master's process does, and after the master's socket: that one tells
        alive = self._master is None or self._master.alive
        if not alive or (status == 255 and not _listens(self._control)):
            lines = text.strip().splitlines() or ["ssh ended"]
            raise ConnectionLost(f"the connection to {self._hop.place} was lost: {lines[-1]}")


class OpensshStream:
    """See `ByteStream`: the three pipes of an ssh session."""

    def __init__(self, process: subprocess.Popen[bytes], frame: Frame, owner: OpensshTransport) -> None:
        self._process = process
        self._pipes = LocalStream(process)
        self._frame = frame
        self._opening = Opening(frame)
        self._ready = b""
        self._owner = owner

    def read(self, limit: int, timeout: float | None = None) -> bytes:
        """See `ByteStream.read`. Raises ProbeError where the command never began."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._ready:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            try:
                data = self._pipes.read(65536, left)
            except TimeoutError:
                raise TimeoutError(f"nothing came within {timeout:g} s") from None
            if not data:
                _status(self._process)  # it may have closed its output and not ended yet
                self._owner.check(self._process, self._pipes.stderr())
                if not self._opening.begun:
                    raise self._opening.swallowed()
                return b""
            self._ready = self._opening.feed(data)
        data, self._ready = self._ready[:limit], self._ready[limit:]
        return data

    def write(self, data: bytes) -> None:
        """See `ByteStream.write`. Raises ConnectionLost."""
        self._pipes.write(data)

    def close_write(self) -> None:
        self._pipes.close_write()

    def all_errors(self) -> bytes:
        """What has come on standard error, also before the command began."""
        return self._pipes.stderr()

    def stderr(self) -> bytes:
        errors = self._pipes.stderr()
        rest = self._frame.after_begin(errors)
        return errors if rest is None else rest

    def wait(self, timeout: float | None = None) -> int:
        """See `ByteStream.wait`. Raises TimeoutError, ConnectionLost."""
        status = self._pipes.wait(timeout)
        if status == 255:
            self._owner.check(self._process, self._pipes.stderr())
        return status

    def close(self) -> None:
        self._pipes.close()


def _write_some(descriptor: int, data: memoryview) -> memoryview:
    """What is left to write; nothing once the command reads no more."""
    try:
        return data[os.write(descriptor, data) :]
    except BlockingIOError:
        return data
    except OSError:
        return data[:0]


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)  # the end marks come a moment before the end
    kill_group(process)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError, ValueError):
                pipe.close()


def _status(process: subprocess.Popen[bytes]) -> int | None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        return process.wait(_ENDING)
    return None


def _listens(control: str) -> bool:
    with socket.socket(socket.AF_UNIX) as made:
        try:
            made.connect(control)
        except OSError:
            return False
    return True


def master_runs(control: str, *, timeout: float = 5.0) -> bool:
    """True if a ControlMaster answers at a socket (`ssh -O check`)."""
    try:
        answer = subprocess.run(
            ["ssh", "-F", "none", "-S", control.replace("%", "%%"), "-O", "check", "--", "x11fwd"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def open_openssh(
    hop: Hop, *, prompter: Prompter, offer: X11Offer | None, reason: str, timeout: float
) -> OpensshTransport:
    """Log in by a private master.

    Raises:
        ConnectError, HostKeyError, AuthError: see errors.
    """
    master = Master.start(hop, prompter, offer, timeout)
    return OpensshTransport(hop, master, master.control, offer, reason)


def ride(hop: Hop, control: str, *, reason: str) -> OpensshTransport:
    """Use a master that the user has open; never with a display: it was opened without ours (F37)."""
    return OpensshTransport(hop, None, control, None, reason)
