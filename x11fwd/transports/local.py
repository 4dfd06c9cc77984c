"""This machine as a transport: `ssh -G`, xauth and launchctl run here; imported by facts and the pipeline."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess  # noqa: TID251  transports are where processes are run
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from x11fwd.errors import ChangeError, ConnectError, ConnectionLost, UsageError
from x11fwd.target import SshConfig, Target, parse_ssh_g
from x11fwd.transports.base import CommandResult, X11Outcome
from x11fwd.transports.scratch import started

if TYPE_CHECKING:
    from collections.abc import Sequence

    from x11fwd.transports.base import Transport

__all__ = ["LocalStream", "LocalTransport", "kill_group", "resolve", "resolve_aloud", "wait_readable"]

_HEARD = 0.25  # seconds after which a waiting main thread has heard a signal
_CLOSED = 0.2  # seconds after which a writer that waits sees that the stream was closed
_GRACE = 0.5  # seconds between the polite signal and the other one


class LocalTransport:
    """Runs programs of this machine; nothing is framed, because no login shell is in between."""

    name = "local"
    reason = "this machine needs no connection"
    server_version: str | None = None
    round_trip: float | None = None

    def __init__(self) -> None:
        self.target = Target(typed="", host="localhost")
        self.config = SshConfig()
        self.round_trips = 0
        self.x11 = X11Outcome()

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout: float = 60.0,
        x11: bool = False,
    ) -> CommandResult:
        """Run a program with LC_ALL=C; see `Transport.run`. `x11` means nothing here.

        A program that is not there gives 127, one that may not be run 126, as in a shell.

        Raises:
            ConnectionLost: it had not ended after `timeout` seconds; its process group was killed.
        """
        del x11
        self.round_trips += 1
        try:
            process = _start(argv)
        except OSError as error:
            return _not_started(argv[0], error)
        try:
            stdout, stderr = process.communicate(stdin, timeout)
        except subprocess.TimeoutExpired:
            raise ConnectionLost(
                f"`{argv[0]}` on this machine had not ended after {timeout:g} s", hint=""
            ) from None
        finally:
            kill_group(process)
        return CommandResult(_shell_status(process.returncode), stdout, stderr)

    def stream(self, argv: Sequence[str], *, x11: bool = False, grace: float = _GRACE) -> LocalStream:
        """Start a program and talk to it.

        Args:
            grace: seconds in which it may clean up once it is to end, before it is killed.

        Raises:
            ConnectError: it cannot be started.
        """
        del x11
        self.round_trips += 1
        try:
            return LocalStream(_start(argv, grace), grace)
        except OSError as error:
            raise ConnectError(_not_started(argv[0], error).error_text) from None

    def put(self, path: str, data: bytes, *, mode: int = 0o600) -> None:
        """Write a file atomically; see `Transport.put`."""
        import tempfile

        self.round_trips += 1
        target = Path(path)
        try:
            handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                    os.fchmod(file.fileno(), mode)
                    file.flush()
                    os.fsync(file.fileno())
                Path(temporary).replace(target)
            except BaseException:
                with contextlib.suppress(OSError):
                    Path(temporary).unlink()
                raise
        except OSError as error:
            raise ChangeError(f"{path} could not be written: {error.strerror}") from error

    def close(self) -> None:
        """Nothing is open."""

    def __enter__(self) -> LocalTransport:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class LocalStream:
    """A running program's three streams; also what the openssh transport talks through.

    Any thread may write while another one reads, and any may close it meanwhile: what the program does not
    take holds up nobody but its writer, and that one only until `close`.
    """

    def __init__(self, process: subprocess.Popen[bytes], grace: float = _GRACE) -> None:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise ValueError("a stream needs a process with three pipes")
        self._process, self._grace = process, grace
        self._stdin, self._stdout, self._stderr = process.stdin, process.stdout, process.stderr
        self._errors = bytearray()
        self._reading = threading.Lock()
        self._taking = threading.Lock()  # of what stands in the pipe of standard error
        self._writing = threading.Lock()
        self._no_more = self._closing = False
        # our ends only: the program's have flags of their own
        for pipe in (self._stdin, self._stderr):
            os.set_blocking(pipe.fileno(), False)
        self._drain = threading.Thread(target=self._read_errors, name="x11fwd-stderr", daemon=True)
        self._drain.start()

    def _read_errors(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while self._take_errors():
                wait_readable(self._stderr.fileno(), None)

    def _take_errors(self) -> bool:
        """All that has come of standard error; False once nothing more will."""
        with self._taking, contextlib.suppress(BlockingIOError):
            while not self._stderr.closed:
                data = os.read(self._stderr.fileno(), 65536)
                if not data:
                    return False
                self._errors += data
            return False
        return True

    def read(self, limit: int, timeout: float | None = None) -> bytes:
        """See `ByteStream.read`."""
        with contextlib.suppress(ValueError):  # closed meanwhile
            if not wait_readable(self._stdout.fileno(), timeout):
                raise TimeoutError(f"nothing came within {timeout:g} s")
            # a number that was closed is soon somebody else's
            with self._reading:
                return os.read(self._stdout.fileno(), limit)
        return b""

    def write(self, data: bytes) -> None:
        """See `ByteStream.write`.

        Raises:
            ConnectionLost: the program reads no more, or the stream was closed.
        """
        rest = memoryview(data)
        try:
            with self._writing:
                while rest:
                    if self._closing:
                        raise ConnectionLost("the stream was closed")
                    try:
                        rest = rest[os.write(self._stdin.fileno(), rest) :]
                    except BlockingIOError:
                        _wait_writable(self._stdin.fileno(), _CLOSED)
        except (OSError, ValueError) as error:
            raise ConnectionLost("the command does not read its standard input any more") from error
        finally:
            self._settle()

    def close_write(self) -> None:
        """See `ByteStream.close_write`; behind what is being written, which is not waited for."""
        self._no_more = True
        self._settle()

    def _settle(self) -> None:
        # whoever writes comes by here afterwards
        if self._no_more and self._writing.acquire(blocking=False):
            try:
                with contextlib.suppress(OSError):
                    self._stdin.close()
            finally:
                self._writing.release()

    def stderr(self) -> bytes:
        """See `ByteStream.stderr`; of a program that has ended all of it."""
        with contextlib.suppress(OSError, ValueError):
            self._take_errors()
        return bytes(self._errors)

    def wait(self, timeout: float | None = None) -> int:
        """See `ByteStream.wait`. Raises TimeoutError."""
        try:
            return _shell_status(self._process.wait(timeout))
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"the command had not ended after {timeout:g} s") from None

    def interrupt(self) -> None:
        """Ctrl-C for the program and what it started; it ends as it likes."""
        if self._process.poll() is None and hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGINT)

    def close(self) -> None:
        """See `ByteStream.close`."""
        self._closing = True
        self.close_write()
        kill_group(self._process, self._grace)
        self.stderr()
        for lock, pipe in ((self._reading, self._stdout), (self._taking, self._stderr)):
            with lock, contextlib.suppress(OSError):
                pipe.close()


def wait_readable(descriptor: int, timeout: float | None) -> bool:
    """True once there is something to read or the other end is closed (poll() has no limit of 1024 files).

    In steps where signals are heard: one that comes just before a long wait would not end it.
    """
    import select

    watch = select.poll()
    watch.register(descriptor, select.POLLIN | select.POLLHUP | select.POLLERR)
    end = None if timeout is None else time.monotonic() + timeout
    hears = threading.current_thread() is threading.main_thread()
    while True:
        left = None if end is None else max(0.0, end - time.monotonic())
        step = left if not hears else _HEARD if left is None else min(left, _HEARD)
        if watch.poll(None if step is None else round(step * 1000)):
            return True
        if left is not None and left <= _HEARD:
            return False


def _wait_writable(descriptor: int, timeout: float) -> None:
    """Until it takes something, its other end is closed, or the time has passed."""
    import select

    watch = select.poll()
    watch.register(descriptor, select.POLLOUT)
    watch.poll(round(timeout * 1000))


def kill_group(process: subprocess.Popen[bytes], grace: float = _GRACE) -> None:
    """End a process that leads its own group, and what it started: politely, then for good."""
    if process.poll() is not None:
        return
    if not hasattr(os, "killpg"):  # Windows has neither groups nor polite signals
        process.kill()
        process.wait()
        return
    for number, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
        if process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        deadline = time.monotonic() + seconds
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))


def _start(argv: Sequence[str], grace: float = _GRACE) -> subprocess.Popen[bytes]:
    # a session of its own: Ctrl-C reaches us and not the child, and the whole group can be ended
    return started(
        lambda: subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "LC_ALL": "C"},
            start_new_session=True,
        ),
        lambda process: _end(process, grace),
    )


def _end(process: subprocess.Popen[bytes], grace: float) -> None:
    """We are at our end, and so is the program's input: a shell that waits for `cat` hears no signal."""
    if process.stdin is not None:
        # whatever still writes to it writes to nothing, and its number becomes nobody else's
        with contextlib.suppress(OSError, ValueError):
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, process.stdin.fileno(), inheritable=False)
            os.close(nothing)
    kill_group(process, grace)


def _not_started(program: str, error: OSError) -> CommandResult:
    status = 126 if isinstance(error, PermissionError) else 127
    return CommandResult(status, b"", f"{program}: {error.strerror or 'cannot be run'}".encode())


def _shell_status(status: int) -> int:
    """subprocess says -N for a signal, a shell 128 + N."""
    return 128 - status if status < 0 else status


def resolve(target: Target, local: Transport, *, timeout: float = 15.0) -> SshConfig:
    """What ssh_config means for a target, asked of `ssh -G`.

    Args:
        timeout: seconds; `Match exec` may run the user's own commands.

    Raises:
        UsageError: ssh does not accept the options or the configuration; the message is ssh's own.
        ConnectError: there is no ssh on this machine.
        ConnectionLost: ssh did not answer in time.
    """
    return _ask_ssh(target, local, (), timeout)[0]


def resolve_aloud(target: Target, local: Transport, *, timeout: float = 15.0) -> tuple[SshConfig, str]:
    """The same with `-vvv`: also the lines in which ssh says what it read, and which blocks it applied.

    The level that is printed as LogLevel is then ssh's own for `-vvv`, not the configured one.

    Raises:
        UsageError, ConnectError, ConnectionLost: as `resolve`.
    """
    return _ask_ssh(target, local, ("-vvv",), timeout)


def _ask_ssh(
    target: Target, local: Transport, words: tuple[str, ...], timeout: float
) -> tuple[SshConfig, str]:
    answer = local.run(("ssh", *words, "-G", *target.ssh_argv()), timeout=timeout)
    if answer.exit_status in {126, 127} and not answer.stdout:
        raise ConnectError(
            "there is no `ssh` program on this machine",
            hint="install the OpenSSH client (Debian, Ubuntu: `apt install openssh-client`)",
        )
    if not answer.ok:
        lines = [line.strip() for line in answer.error_text.splitlines() if line.strip()]
        lines = [line for line in lines if not line.startswith(("debug1: ", "debug2: ", "debug3: "))]
        # readconf.c ends with a count of the lines that it has named before
        named = [line for line in lines if ": terminating, " not in line] or lines
        raise UsageError(f"ssh refuses {target.typed!r}: {named[-1] if named else 'without a word'}")
    return parse_ssh_g(answer.text), answer.error_text
