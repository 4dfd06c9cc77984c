"""The control socket of the local half: sessions come, are told of their display, leave; `process` runs it.

Lines of UTF-8 over a socket in a folder that only this account can enter. A session says

    session                          (or nothing: the first one is there from the start)
    login                            the first one: ssh is logged in
    over                             its program over there has ended

and hears

    ready CONTROL TAB DISPLAY TAB AUTHORITY    what to set over there, and the master to go through
    none CONTROL TAB REASON                    there will be no display
    never CONTROL TAB REASON                   the same, and there cannot be one on that host
    login                            ssh is logged in: nobody sits at a prompt any more
    say SENTENCE                     for the person
    leave                            after `over`: nobody waits for this session

A session that hangs up is gone. The local half lives as long as somebody is there; if the first one goes
before its login, the others are hung up on, as there will be none: one of them logs in then.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

_LONGEST = 4096  # bytes of a line
_SAID = 4096  # bytes of what ssh says, kept for a sentence
_LAST_WORDS = 10.0  # seconds for what ssh has said to be taken, once it has ended
_AGAIN = 20  # milliseconds until the lock is tried again
_PLAIN = str.maketrans({"\n": " ", "\r": " ", "\t": " "})


class _Session:
    """One `x11fwd ssh`."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.part = b""
        self.running = True  # its program has not ended
        self.told = False  # it knows the verdict
        self.knows_login = False
        self.left = False  # it was told to leave


class Reception(threading.Thread):
    """Serves the control socket until nobody is there any more.

    Args:
        listener: listens on the control socket.
        first: the connection of the session that started this process.
        try_lock: takes the folder's lock and is true, or false where somebody is just looking.
        unlock: gives it back.
        on_end: called once when the last session has left; the lock is held from then on.
    """

    def __init__(
        self,
        listener: socket.socket,
        first: socket.socket,
        try_lock: Callable[[], bool],
        unlock: Callable[[], None],
        on_end: Callable[[], None],
    ) -> None:
        super().__init__(daemon=True, name="reception")
        self._listener = listener
        self._try_lock, self._unlock = try_lock, unlock
        self._on_end = on_end
        self._wake, self._woken = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._woken, False)
        self._mutex = threading.Lock()
        self._sessions: dict[int, _Session] = {}
        self._verdict = b""
        self._programs = 0
        self._sentences: list[bytes] = []
        self._first = first
        self._forsaken = False  # the one that was to log in has gone
        self._full = False  # no descriptor for one more session now
        self._errors = -1
        self._heard = b""
        self._heard_out = threading.Event()  # nothing more comes from _errors
        self.login = threading.Event()  # set at the login, and at the end
        self.ended = threading.Event()
        listener.setblocking(False)
        self._add(first)

    # From any thread

    def ready(self, control: str, display: str, authority: str) -> None:
        """The display is there. Values with a line end in them were refused by the caller."""
        self._decide(f"ready {control}\t{display}\t{authority}\n")

    def none(self, control: str, reason: str, *, never: bool = False) -> None:
        """There will be no display; nothing happens where there was a verdict already."""
        self._decide(f"{'never' if never else 'none'} {control}\t{reason.translate(_PLAIN)}\n")

    def over(self, control: str, sentence: str) -> None:
        """There is no display any more: a sentence for those who had it, and a verdict for whoever comes."""
        with self._mutex:
            had = self._verdict.startswith(b"ready ")
            if had:
                self._verdict = b""
        if had:
            self.say(sentence)
        self.none(control, sentence)

    def programs(self, count: int) -> None:
        """How many programs are connected now."""
        with self._mutex:
            self._programs = count
        self._ring()

    def say(self, sentence: str) -> None:
        """Every session shows it to its person where there is room."""
        with self._mutex:
            self._sentences.append(f"say {sentence.translate(_PLAIN)}\n".encode("utf-8", "replace"))
        self._ring()

    def listen_to(self, errors: int) -> None:
        """Keep what comes from this descriptor, the standard error of the bridge's ssh."""
        os.set_blocking(errors, False)
        self._errors = errors
        self._ring()

    def heard(self) -> str:
        """The last words of ssh and of the remote half, without empty lines; "" for none. ssh has ended."""
        if self._errors >= 0:
            self._heard_out.wait(_LAST_WORDS)
        lines = [line.strip() for line in self._heard.decode("utf-8", "replace").splitlines()]
        return next((line for line in reversed(lines) if line), "")

    @property
    def decided(self) -> bool:
        return bool(self._verdict)

    def _decide(self, line: str) -> None:
        with self._mutex:
            if not self._verdict:
                self._verdict = line.encode("utf-8", "surrogateescape")
        self._ring()

    def _ring(self) -> None:
        with contextlib.suppress(OSError):
            os.write(self._woken, b"x")

    # The thread's own

    def run(self) -> None:
        while True:
            self._tell_all()
            if (self._forsaken or not self._sessions) and self._over():
                break
            poll = select.poll()
            listener = -1 if self._full else self._listener.fileno()
            for number in (self._wake, listener, *self._sessions, self._errors):
                if number >= 0:
                    poll.register(number, select.POLLIN)
            again = self._forsaken or self._full or not self._sessions
            for number, _ in poll.poll(_AGAIN if again else None):
                self._serve(number)
            if self._full:
                self._accept()
        self._on_end()  # first: who is woken by the others must not begin anything any more
        self.ended.set()
        self.login.set()
        self._listener.close()

    def _over(self) -> bool:
        """Nobody is there, and nobody can come: whoever comes does so under the lock."""
        if not self._try_lock():
            return False
        self._accept()
        if self._forsaken:
            # they look for a local half again, and find the lock until nothing of this one is left
            for session in list(self._sessions.values()):
                self._drop(session)
        if self._sessions:
            self._unlock()
        return not self._sessions

    def _serve(self, number: int) -> None:
        if number == self._wake:
            with contextlib.suppress(BlockingIOError):
                while os.read(self._wake, 512):
                    pass
        elif number == self._errors:
            self._hear()
        elif number == self._listener.fileno():
            self._accept()
        elif number in self._sessions:
            self._read(self._sessions[number])

    def _hear(self) -> None:
        try:
            data = os.read(self._errors, 65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._heard = (self._heard + data)[-_SAID:]
        if not data:
            os.close(self._errors)
            self._errors = -1
            self._heard_out.set()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError as error:
                self._full = not isinstance(error, BlockingIOError)  # it stays readable
                return
            self._add(connection)

    def _add(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._sessions[connection.fileno()] = _Session(connection)

    def _read(self, session: _Session) -> None:
        try:
            data = session.connection.recv(_LONGEST)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        session.part += data
        *lines, session.part = session.part.split(b"\n")
        for line in lines:
            if line == b"login":
                self.login.set()
            elif line == b"over":
                session.running = False
        if not data or len(session.part) > _LONGEST:
            self._drop(session)

    def _drop(self, session: _Session) -> None:
        if session.connection is self._first and not self.login.is_set():
            self._forsaken = True
        del self._sessions[session.connection.fileno()]
        session.connection.close()

    def _tell_all(self) -> None:
        with self._mutex:
            verdict, programs = self._verdict, self._programs
            sentences, self._sentences = b"".join(self._sentences), []
        running = sum(session.running for session in self._sessions.values())
        for session in list(self._sessions.values()):
            lines = sentences
            if verdict and not session.told:
                session.told = True
                lines = verdict + lines
            if self.login.is_set() and not session.knows_login:
                session.knows_login = True
                lines = b"login\n" + lines
            if not session.running and not session.left and (running or not programs):
                session.left = True
                lines += b"leave\n"
            if lines:
                try:
                    session.connection.sendall(lines)  # far less than a socket's buffer
                except OSError:
                    self._drop(session)
