"""ssh's login and session as our children, and the local half's news beside them; `bridge_route` runs it.

`relay` tells why ssh's messages go through a pipe of ours while it logs in. The session's standard streams
are its own, but for standard error where there is a terminal over there: nothing but ssh itself writes to it
then, and it calls the connection `shared`, which is not what the person has asked for. Where there is a
terminal here and none over there, its input goes through us as well: over a shared connection it is ssh's
master that reads, which no terminal can stop, and which would take what the person types for the shell after
Ctrl-Z.
"""

from __future__ import annotations

import os
import select
import signal
import time
from typing import TYPE_CHECKING, NoReturn

from x11fwd.pipeline.ssh import questions
from x11fwd.pipeline.ssh.relay import Pipe, death_signal, tell, write_all
from x11fwd.pipeline.ssh.screen import screen_is_free

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import FrameType

_HANDED_ON = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
_MOST = 65536
_SETTLING = 0.5  # seconds: where the line is lost, ssh says so itself
_QUESTION = 0.05  # seconds after which a question of ssh's is looked for again
_NO_MODES = b"mux_master_process_new_session: tcgetattr"  # -tt without a terminal here, see bridge_command
_SHARED, _PLAIN = b"Shared connection to ", b"Connection to "
LOST = 255  # ssh's exit status where the connection or ssh itself failed


class Interrupted(BaseException):
    """A signal that says stop, while `Foreground.ask` runs."""


class Verdict:
    """What the local half said of the display.

    Attributes:
        ready: there is one.
        never: there cannot be one on that host.
        control: socket of the master.
        display, authority: what to set over there.
        reason: why there is none.
    """

    __slots__ = ("authority", "control", "display", "never", "ready", "reason")

    def __init__(self, line: str) -> None:
        kind, _, rest = line.partition(" ")
        self.ready = kind == "ready"
        self.never = kind == "never"
        self.control, _, rest = rest.partition("\t")
        self.display, _, self.authority = rest.partition("\t")
        self.reason = "" if self.ready else rest


class Foreground:
    """One `x11fwd ssh`, from the login to the end of its last window.

    Args:
        link: to the local half.
        on_verdict: called once when the display's fate is known.
        mute: nothing of ours is shown.
    """

    def __init__(
        self,
        link: socket.socket,
        environ: Mapping[str, str],
        on_verdict: Callable[[Verdict], None] = lambda _: None,
        *,
        mute: bool = False,
    ) -> None:
        self.verdict: Verdict | None = None
        self.lost = False  # the local half has gone
        self._link = link
        self._environ = dict(environ)
        self._on_verdict = on_verdict
        self._mute = mute
        self._part = b""
        self._untold = False  # the login
        self._others_login = False  # it has come about
        self._over = False  # our program over there has ended
        self._leaves = False
        self._sentences: list[tuple[float, str]] = []
        self._pid = 0
        self._death: Callable[[], None] | None = None
        self._stopped = 0  # the signal that said so while no ssh ran
        self._asking = False  # and it ends what is under way
        self._log: Pipe | None = None
        self._errors = -1  # the session's standard error, where we read it
        self._keys = 0  # the terminal, where the session's input goes through us
        self._input = -1  # to the session's ssh then
        self._typed = b""  # what waits to be written there
        self._typed_all = False
        self._echoed = True  # what was typed was shown when the session began
        self._asked_until = 0.0  # what is typed is for a question of ssh's, as far as we know
        link.setblocking(False)
        self._wake, woken = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(woken, False)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)  # only to be woken
        for one in _HANDED_ON:
            if signal.getsignal(one) is not signal.SIG_IGN:  # nohup and background jobs keep theirs
                signal.signal(one, self._hand_on)

    def login(self, argv: Sequence[str], *, talks: bool) -> int:
        """Run the master's ssh until it is in the background. Returns its status, minus a signal's number.

        Args:
            talks: a LocalCommand may write to our standard output.

        Raises:
            OSError: no pipe, no process.
        """
        self._log = log = Pipe(self._environ)

        def prepare() -> list[str]:
            log.stops_writer()
            # The banner and the words of a ProxyCommand go there directly. It must not be the person's own,
            # because ssh before 8.5 keeps it in the background, and a caller would wait for its end.
            log.take_errors()
            if not talks:
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, 1)
            return [argv[0], *(["-E", log.path] if log.opens() else []), *argv[1:]]

        return self._run(prepare)

    def session(self, argv: Sequence[str], *, terminal: bool, copies: bool = False) -> int:
        """Run the session's ssh to its end. Returns as `login` does.

        Args:
            terminal: there may be one over there.
            copies: standard input is a terminal and goes through us.

        Raises:
            OSError: no pipe, no process.
        """
        if copies:
            return self._copying(argv)
        if not terminal:
            return self._run(lambda: list(argv))
        self._errors, errors = os.pipe()
        os.set_blocking(self._errors, False)

        def prepare() -> list[str]:
            os.dup2(errors, 2)
            return list(argv)

        try:
            return self._run(prepare)
        finally:
            self._copy(self._errors)
            os.close(errors)
            os.close(self._errors)
            self._errors = -1

    def _copying(self, argv: Sequence[str]) -> int:
        theirs, self._input = os.pipe()
        os.set_blocking(self._input, False)
        self._keys = questions.open_again(0)
        self._echoed = questions.echoes(0)

        def prepare() -> list[str]:
            os.dup2(theirs, 0)
            return list(argv)

        try:
            return self._run(prepare)
        finally:
            os.close(theirs)
            self._end_input()
            if self._keys:
                os.close(self._keys)
            self._keys = 0

    def _end_input(self) -> None:
        if self._input >= 0:
            os.close(self._input)
        self._input, self._typed, self._typed_all = -1, b"", False

    def _copy_input(self, *, readable: bool) -> None:
        """What was typed, to the session's ssh; the terminal stops us where it would stop ssh."""
        if readable:
            if self._ssh_asks():
                self._asked_until = time.monotonic() + _QUESTION
                return
            try:
                data = os.read(self._keys, _MOST)
            except BlockingIOError:  # it was the answer to a question of ssh's
                return
            except OSError:  # hung up
                data = b""
            self._typed += data
            self._typed_all = not data
        try:
            while self._typed:
                self._typed = self._typed[os.write(self._input, self._typed) :]
        except BlockingIOError:
            return
        except OSError:
            self._typed_all, self._typed = True, b""  # nobody reads it any more
        if self._typed_all:
            self._end_input()

    def _ssh_asks(self) -> bool:
        """What is typed is ssh's answer: where a connection has one session (MaxSessions 1) and the bridge
        got it, ssh makes another by itself, and may have to ask.
        """
        known = questions.asks(self._pid)
        if known is None:
            return self._echoed and not questions.echoes(self._keys)  # nothing that it reads is shown
        return known

    def logged_in(self) -> None:
        """Tell the local half so, once the session's ssh is on its way: where a server takes one session for
        each connection (MaxSessions 1), it should be the person's.
        """
        self._untold = True

    def ask(self, question: Callable[[], bool]) -> bool:
        """The answer to a question that takes its time; False where a signal says stop."""
        try:
            try:
                self._asking = True
                return not self._stopped and question()
            finally:
                self._asking = False
        except Interrupted:
            return False

    def wait_for_verdict(self, seconds: float, *, after_login: float = 0.0) -> Verdict | None:
        """The verdict, None where none comes in this time, the local half leaves or the person says stop.

        Args:
            after_login: seconds from the moment on at which another session is seen to have logged in.
        """
        self._tell_login()
        end = time.monotonic() + seconds
        self._turn(0)  # what is there already
        while self.verdict is None and not self.lost and not self._stopped:
            if self._others_login:
                end, after_login = max(end, time.monotonic() + after_login), 0.0
            left = end - time.monotonic()
            if left <= 0:
                break
            self._turn(left)
        return self.verdict

    def linger(self, status: int) -> int:
        """Stay until the last window has closed, as ssh does. Returns the exit status of it all."""
        self._over = True
        self._tell_half(b"over\n")
        while not (self._leaves or self.lost or self._stopped):
            self._turn(None)
        if status != LOST:
            self._show_sentences(late=True)
        return LOST if self._stopped else status

    @property
    def stopped(self) -> int:
        """The signal that said stop while no ssh was there to take it, else 0."""
        return self._stopped

    def _tell_login(self) -> None:
        if self._untold:
            self._untold = False
            self._tell_half(b"login\n")

    def _tell_half(self, line: bytes) -> None:
        try:
            self._link.sendall(line)
        except OSError:
            self.lost = True

    # Children

    def _run(self, prepare: Callable[[], list[str]]) -> int:
        self._death = self._death or death_signal()
        parent = os.getpid()
        # none may come while the child has no number here, or has our handlers and is not yet ssh
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _HANDED_ON)
        try:
            if self._stopped:
                return -self._stopped
            child = os.fork()
            if not child:
                self._become(prepare, parent, before)
            self._pid = child
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self._tell_login()
        try:
            return self._wait()
        finally:
            self._pid = 0

    def _become(self, prepare: Callable[[], list[str]], parent: int, mask: Iterable[int]) -> NoReturn:
        """Be ssh, in the child."""
        try:
            for one in _HANDED_ON:
                if signal.getsignal(one) is not signal.SIG_IGN:
                    signal.signal(one, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            argv = prepare()
            if self._death is not None:
                self._death()
            if os.getppid() != parent:
                os._exit(LOST)
            for one in (signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(one, signal.SIG_DFL)  # Python ignores them, and ignored ones stay so in ssh
            os.execvpe(argv[0], argv, self._environ)  # noqa: S606  no shell, on purpose
        except OSError as error:
            write_all(2, f"x11fwd: ssh cannot be run: {error.strerror}\r\n".encode())
        finally:
            os._exit(LOST)

    def _hand_on(self, number: int, _frame: FrameType | None) -> None:
        if self._pid:
            try:
                os.kill(self._pid, number)  # a zombie takes it as well, and it is ours until waitpid has told
            except ProcessLookupError:
                self._stopped = number  # it has just told
            return
        self._stopped = number
        if self._asking:
            raise Interrupted

    def _wait(self) -> int:
        while True:
            pid, status = os.waitpid(self._pid, os.WNOHANG | os.WUNTRACED)
            if self._log is not None:
                self._copy(self._log.read)
            if pid and not os.WIFSTOPPED(status):
                return os.waitstatus_to_exitcode(status)
            if pid:
                if os.WSTOPSIG(status) != signal.SIGSTOP:
                    # Ctrl-Z, or ssh's own `~^Z`: the shell waits for us, so we stop as well.
                    os.kill(os.getpid(), os.WSTOPSIG(status))
                os.kill(self._pid, signal.SIGCONT)
                continue
            self._turn(None)

    # What comes

    def _turn(self, seconds: float | None) -> None:
        """Wait for anything, and take it."""
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        if not self.lost:
            poll.register(self._link, select.POLLIN)
        if self._log is not None:
            poll.register(self._log.read, select.POLLIN)
        if self._errors >= 0:
            poll.register(self._errors, select.POLLIN)
        if self._input >= 0 and self._typed:
            poll.register(self._input, select.POLLOUT)
        elif self._input >= 0 and (asked := self._asked_until - time.monotonic()) > 0:
            seconds = asked if seconds is None else min(asked, seconds)
        elif self._input >= 0:
            poll.register(self._keys, select.POLLIN)
        if self._sentences:
            due = max(0.0, self._sentences[0][0] - time.monotonic())
            seconds = due if seconds is None else min(due, seconds)
        for number, _ in poll.poll(None if seconds is None else int(seconds * 1000) + 1):
            if number == self._wake:
                try:
                    while os.read(self._wake, 512):
                        pass
                except BlockingIOError:
                    pass
            elif number == self._link.fileno():
                self._hear()
            elif number in {self._keys, self._input}:
                self._copy_input(readable=number == self._keys)
            else:
                self._copy(number)
        self._show_sentences(late=False)

    def _copy(self, number: int) -> None:
        """ssh's messages to standard error, as they are but for one word."""
        while True:
            try:
                data = os.read(number, _MOST)
            except BlockingIOError:
                return
            if not data:
                return
            if number == self._errors:
                data = data.replace(_SHARED, _PLAIN)  # one write of ssh's, so one read
            elif _NO_MODES in data:
                data = b"".join(line for line in data.splitlines(keepends=True) if _NO_MODES not in line)
            write_all(2, data)

    def _hear(self) -> None:
        try:
            data = self._link.recv(_MOST)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.lost = True
            if not self._over:
                self.tell_later("the bridge's process here is gone: windows close, this session stays")
            return
        *lines, self._part = (self._part + data).split(b"\n")
        for line in lines:
            text = line.decode("utf-8", "surrogateescape")
            if text == "leave":
                self._leaves = True
            elif text == "login":
                self._others_login = True
            elif text.startswith("say "):
                self.tell_later(text[4:])
            elif self.verdict is None:
                self.verdict = Verdict(text)
                self._on_verdict(self.verdict)

    def tell_later(self, sentence: str) -> None:
        """Show a line as soon as it spoils nothing; not where the line to the host is lost just now."""
        if not self._mute:
            self._sentences.append((time.monotonic() + _SETTLING, sentence))

    def tell_now(self, sentence: str) -> None:
        """Show a line; no session is running."""
        if not self._mute:
            tell(sentence)

    def _show_sentences(self, *, late: bool) -> None:
        now = time.monotonic()
        if not self._sentences or not (late or self._sentences[0][0] <= now):
            return
        if screen_is_free():
            for _, sentence in self._sentences:
                tell(sentence)
            self._sentences = []
        elif not late:
            # when the session has ended, if not before
            self._sentences = [(now + 1.0, sentence) for _, sentence in self._sentences]
