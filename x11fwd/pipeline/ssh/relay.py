"""ssh as our child: its messages are copied in order and explained, its end becomes ours; `ssh_session` only.

ssh writes its messages with `-E` into a pipe of ours (log.c, log_redirect_stderr_to: one write each, same
bytes as on stderr). Becoming ssh and leaving the copying to a child was tried first: of 160 last messages 4
came after ssh's end, when nobody read any more, and of 15 `Permission denied, please try again.` 12 came
after the password prompt that they belong before, because prompts go to /dev/tty directly. So we stay, as
ssh's parent, and on Linux each message stops ssh until it is copied: the pipe's read end sends SIGSTOP to
its owner (fcntl(2), F_SETSIG and F_SETOWN) from within ssh's own write(2).
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import sys
from typing import TYPE_CHECKING

from x11fwd.pipeline.ssh.explanations import explain
from x11fwd.pipeline.ssh.screen import screen_is_free

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType

_LINUX = sys.platform.startswith("linux")
# Handed on to ssh. The terminal sends INT, QUIT, TSTP, HUP and WINCH to both of us; a second INT is harmless.
_HANDED_ON = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_MOST = 4096  # bytes of one message; OpenSSH's MSGBUFSIZ is 1024


class Pipe:
    """A pipe whose write end has a path, because ssh closes every descriptor above 2 (ssh.c, closefrom)."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._folder = ""
        if _LINUX and os.access("/proc/self/fd", os.X_OK):
            self.read, self._write = os.pipe()
            self.path = f"/proc/{os.getpid()}/fd/{self._write}"
        else:
            base = environ.get("TMPDIR") or "/tmp"  # noqa: S108  ssh itself makes its xauth file there
            self._folder = f"{base.rstrip('/')}/x11fwd-{os.getpid()}-{os.urandom(6).hex()}"
            os.mkdir(self._folder, 0o700)  # noqa: PTH102  pathlib costs 4 ms to import
            self.path = f"{self._folder}/messages"
            os.mkfifo(self.path, 0o600)
            self.read = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
            self._write = os.open(self.path, os.O_WRONLY)  # held open, so that reading never ends early
        os.set_blocking(self.read, False)

    def opens(self) -> bool:
        """Asked by the process that will be ssh; a security module may forbid it (proc(5), /proc/pid/fd)."""
        try:
            os.close(os.open(self.path, os.O_WRONLY | os.O_APPEND))
        except OSError:
            return False
        return True

    def stops_writer(self) -> None:
        """Called by the process that will be ssh: from now on each message stops it until it is copied."""
        if not (_LINUX and hasattr(fcntl, "F_SETSIG")):
            return
        fcntl.fcntl(self.read, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(self.read, fcntl.F_SETSIG, signal.SIGSTOP)
        flags = fcntl.fcntl(self.read, fcntl.F_GETFL)
        fcntl.fcntl(self.read, fcntl.F_SETFL, flags | os.O_ASYNC)

    def take_errors(self) -> None:
        """Called by the process that will be ssh: its standard error goes here too."""
        os.dup2(self._write, 2)

    def close(self) -> None:
        os.close(self.read)
        os.close(self._write)
        if self._folder:
            os.unlink(self.path)  # noqa: PTH108  same
            os.rmdir(self._folder)  # noqa: PTH106  same


class Relay:
    """One run of ssh.

    Args:
        argv: the whole call of ssh, its name first, without `-E`.
        environ: its environment.
        target: what a suggestion names as the host.
        explains: False where the session's one line has been said already.
        shared: other calls of ssh may run their sessions through this connection (ControlMaster).
        forced: there is a terminal over there although there may be none here (`-tt`).
        refused: told when sshd does not forward X11 in this session.
    """

    def __init__(
        self,
        argv: Sequence[str],
        environ: Mapping[str, str],
        target: Sequence[str],
        *,
        explains: bool = True,
        shared: bool = False,
        forced: bool = False,
        refused: Callable[[], None] = lambda: None,
    ) -> None:
        self._argv = list(argv)
        self._environ = dict(environ)
        self._target = tuple(target)
        self._explained = not explains
        self._shared = shared
        self._forced = forced
        self._refused = refused
        self._held: tuple[bytes, str] | None = None  # ssh's line and ours, until it may be written
        self._line = b""
        self._pid = 0

    def run(self) -> int:
        """Run ssh to its end. Returns its exit status, or minus the number of the signal that ended it.

        Raises:
            OSError: no pipe, no process.
        """
        wake, woken = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(woken, False)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)  # only to be woken
        pipe = Pipe(self._environ)
        try:
            self._pid = self._start(pipe)
            for one in _HANDED_ON:
                if signal.getsignal(one) is not signal.SIG_IGN:  # nohup and background jobs keep theirs
                    signal.signal(one, self._hand_on)
            return self._wait(pipe, wake)
        finally:
            signal.set_wakeup_fd(-1)
            pipe.close()
            os.close(wake)
            os.close(woken)

    def _start(self, pipe: Pipe) -> int:
        dies_with_us = death_signal()
        parent = os.getpid()
        child = os.fork()
        if child:
            return child
        try:
            argv = [self._argv[0], *(["-E", pipe.path] if pipe.opens() else []), *self._argv[1:]]
            pipe.stops_writer()
            dies_with_us()
            if os.getppid() != parent:
                os._exit(255)
            for one in (signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(one, signal.SIG_DFL)  # Python ignores them, and ignored ones stay so in ssh
            os.execvpe(argv[0], argv, self._environ)  # noqa: S606  no shell, on purpose
        except OSError as error:
            write_all(2, f"x11fwd: {self._argv[0]} cannot be run: {error.strerror}\r\n".encode())
        finally:
            os._exit(255)

    def _hand_on(self, number: int, _frame: FrameType | None) -> None:
        # a zombie takes it as well, and it is ours until waitpid says that it ended
        try:
            os.kill(self._pid, number)
        except ProcessLookupError:
            return  # it has just said so

    def _wait(self, pipe: Pipe, wake: int) -> int:
        poll = select.poll()
        poll.register(pipe.read, select.POLLIN)
        poll.register(wake, select.POLLIN)
        while True:
            poll.poll()
            try:
                while os.read(wake, 512):
                    pass
            except BlockingIOError:
                pass
            pid, status = os.waitpid(self._pid, os.WNOHANG | os.WUNTRACED)
            self._copy(pipe)
            if not pid:
                continue
            if not os.WIFSTOPPED(status):
                self._explain_late()
                return os.waitstatus_to_exitcode(status)
            if os.WSTOPSIG(status) != signal.SIGSTOP:
                # Ctrl-Z, or ssh's own `~^Z`: the shell waits for us, so we stop as well.
                os.kill(os.getpid(), os.WSTOPSIG(status))
            os.kill(self._pid, signal.SIGCONT)

    def _copy(self, pipe: Pipe) -> None:
        while True:
            try:
                data = os.read(pipe.read, _MOST)
            except BlockingIOError:
                return
            if not data:
                return
            self._show(data)

    def _show(self, data: bytes) -> None:
        *lines, rest = (self._line + data).split(b"\n")
        begun = len(self._line)  # bytes of the first line that were shown before
        for line in lines:
            write_all(2, line[begun:] + b"\n")
            begun = 0
            self._explain(line)
        if rest[begun:]:
            write_all(2, rest[begun:])
        self._line = rest

    def _explain(self, line: bytes) -> None:
        if line.startswith(
            b"X11 forwarding request failed on channel"
        ):  # clientloop.c, client_status_confirm
            self._refused()
        if self._explained:
            return
        said = explain(line, self._target)
        if said is None:
            return
        if (said.opening and (said.own or not self._shared)) or (not self._forced and screen_is_free()):
            self._explained = True
            # what was held back came first, so it is the cause
            tell(_recalled(*self._held) if self._held else said.sentence)
        elif self._held is None:
            self._held = (line, said.sentence)

    def _explain_late(self) -> None:
        """ssh has ended, and with it whatever filled the screen."""
        if self._held and not self._explained and screen_is_free():
            self._explained = True
            tell(_recalled(*self._held))


def _recalled(line: bytes, sentence: str) -> str:
    return f'ssh said "{line.strip().decode("utf-8", "replace")}": {sentence}'


def tell(sentence: str) -> None:
    write_all(2, f"x11fwd: {sentence}\r\n".encode())


def end_like(status: int) -> int:
    """Turn `Relay.run`'s answer into our own end: returns the exit status, or dies by the same signal."""
    if status >= 0:
        return status
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    number = -status
    if number not in {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    return 128 + number  # only a blocked signal comes so far


def write_all(stream: int, data: bytes) -> None:
    """All of it; ssh makes a stderr that is no terminal non-blocking, and that flag is shared with us."""
    while data:
        try:
            data = data[os.write(stream, data) :]
        except BlockingIOError:  # noqa: PERF203
            select.select([], [stream], [])
        except OSError:
            return  # ssh, too, goes on when nobody reads its stderr


def death_signal() -> Callable[[], None]:
    """What the child calls so that ssh is killed when we are killed; nothing where no system call does that.

    It is prepared before fork(2): an import in the child would delay ssh.
    """
    if not _LINUX:
        return lambda: None
    try:
        import ctypes

        prctl = ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):  # a Python without ctypes, a libc without prctl
        return lambda: None
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
