"""User authentication (RFC 4252, RFC 4256) over a paramiko connection; for its transport only.

paramiko's own handler asks for the service again before each attempt, cannot ask whether a key would be taken
before its passphrase is known, and gives a person 30 seconds to type. This one sends one service request
together with the first attempt, and leaves what to try next to `login`.
"""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import paramiko  # noqa: TID251  this module is part of the paramiko transport

from x11fwd.errors import AuthError, ConnectionLost

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Accepted", "KeyWelcome", "Questions", "Rejected", "Reply", "UserAuth"]

_SERVICE_REQUEST, _SERVICE_ACCEPT = 5, 6
_REQUEST, _FAILURE, _SUCCESS, _BANNER = 50, 51, 52, 53
_METHOD_SPECIFIC, _INFO_RESPONSE = 60, 61  # 60 is PK_OK, INFO_REQUEST or PASSWD_CHANGEREQ, by method


@dataclass(frozen=True)
class Accepted:
    """Logged in."""


@dataclass(frozen=True)
class Rejected:
    """Not logged in: `methods` can go on; `partial` means that this one succeeded and more are needed."""

    methods: tuple[str, ...]
    partial: bool


@dataclass(frozen=True)
class KeyWelcome:
    """The server would take the key that was asked about (SSH_MSG_USERAUTH_PK_OK)."""


@dataclass(frozen=True)
class Questions:
    """keyboard-interactive: prompts with whether the answer may be echoed."""

    name: str
    instruction: str
    prompts: tuple[tuple[str, bool], ...]


Reply = Accepted | Rejected | KeyWelcome | Questions


class UserAuth:
    """Stands where paramiko keeps its AuthHandler: messages come in on its thread, replies go out by a queue.

    Args:
        link: a connection after its key exchange.
        user: login name.
        on_banner: called with each banner, on the thread that asks.
    """

    def __init__(self, link: paramiko.Transport, user: str, on_banner: Callable[[str], None]) -> None:
        self._link = link
        self._user = user
        self._on_banner = on_banner
        self._replies: queue.SimpleQueue[Reply | str | None] = queue.SimpleQueue()
        self._method = ""
        self._service_asked = False
        self._authenticated = threading.Event()
        self.banner: str | None = None
        self.exchange: float | None = None  # seconds from the service request to its answer
        self._asked_at = 0.0

    # what paramiko.Transport calls, on its own thread ---------------------------------------------

    @property
    def _handler_table(self) -> dict[int, Callable[[paramiko.Message], None]]:
        return {
            _SERVICE_ACCEPT: self._on_service,
            _SUCCESS: self._on_success,
            _FAILURE: self._on_failure,
            _BANNER: self._on_banner_message,
            _METHOD_SPECIFIC: self._on_method_specific,
        }

    def is_authenticated(self) -> bool:
        return self._authenticated.is_set()

    def get_username(self) -> str:
        return self._user

    def abort(self) -> None:
        """The connection is gone."""
        self._replies.put(None)

    def _on_service(self, message: paramiko.Message) -> None:
        # sshd answers this one without any work (auth2.c, input_service_request), so it times the way
        del message
        self.exchange = time.monotonic() - self._asked_at

    def _on_success(self, message: paramiko.Message) -> None:
        del message
        self._authenticated.set()
        self._link._auth_trigger()  # type: ignore[attr-defined]
        self._replies.put(Accepted())

    def _on_failure(self, message: paramiko.Message) -> None:
        methods = message.get_text().split(",")
        self._replies.put(Rejected(tuple(filter(None, methods)), message.get_boolean()))

    def _on_banner_message(self, message: paramiko.Message) -> None:
        self._replies.put(message.get_string().decode("utf-8", "replace"))

    def _on_method_specific(self, message: paramiko.Message) -> None:
        if self._method == "publickey":
            self._replies.put(KeyWelcome())
            return
        if self._method != "keyboard-interactive":
            # RFC 4252 section 8: the password has expired; changing it is the person's business
            self._replies.put(Questions("", "password change", ()))
            return
        name, instruction, _ = message.get_text(), message.get_text(), message.get_text()
        prompts = tuple((message.get_text(), message.get_boolean()) for _ in range(message.get_int()))
        self._replies.put(Questions(name, instruction, prompts))

    # what `login` calls -----------------------------------------------------------------------------

    def none(self, timeout: float) -> Reply:
        """Ask which methods there are."""
        return self._try("none", b"", timeout)

    def may_use_key(self, algorithm: str, blob: bytes, timeout: float) -> bool | Rejected:
        """True if the server would take the key, otherwise its refusal."""
        message = self._request("publickey")
        message.add_boolean(False)
        message.add_string(algorithm)
        message.add_string(blob)
        reply = self._send(message, "publickey", timeout)
        return reply if isinstance(reply, Rejected) else isinstance(reply, KeyWelcome)

    def key(self, algorithm: str, blob: bytes, sign: Callable[[bytes], bytes], timeout: float) -> Reply:
        """Log in with a key; `sign` gets the data of RFC 4252 section 7."""
        message = self._request("publickey")
        message.add_boolean(True)
        message.add_string(algorithm)
        message.add_string(blob)
        signed = paramiko.Message()
        signed.add_string(self._link.session_id or b"")
        message.add_string(sign(signed.asbytes() + message.asbytes()))
        return self._send(message, "publickey", timeout)

    def password(self, secret: str, timeout: float) -> Reply:
        """Log in with a password. Raises AuthError where it has expired."""
        message = self._request("password")
        message.add_boolean(False)
        message.add_string(secret)
        reply = self._send(message, "password", timeout)
        if isinstance(reply, Questions):
            raise AuthError("the password has expired", hint="log in once with `ssh` to change it")
        return reply

    def interactive(self, timeout: float) -> Reply:
        """Begin keyboard-interactive."""
        message = self._request("keyboard-interactive")
        message.add_string("")
        message.add_string("")
        return self._send(message, "keyboard-interactive", timeout)

    def answer(self, answers: Sequence[str], timeout: float) -> Reply:
        """Answer the prompts of the last `Questions`."""
        message = paramiko.Message()
        message.add_byte(bytes([_INFO_RESPONSE]))
        message.add_int(len(answers))
        for text in answers:
            message.add_string(text)
        return self._send(message, "keyboard-interactive", timeout)

    def _try(self, method: str, rest: bytes, timeout: float) -> Reply:
        message = self._request(method)
        message.add_bytes(rest)
        return self._send(message, method, timeout)

    def _request(self, method: str) -> paramiko.Message:
        message = paramiko.Message()
        message.add_byte(bytes([_REQUEST]))
        message.add_string(self._user)
        message.add_string("ssh-connection")
        message.add_string(method)
        return message

    def _send(self, message: paramiko.Message, method: str, timeout: float) -> Reply:
        self._method = method
        if not self._service_asked:
            # RFC 4253 section 10 does not ask us to wait for the answer; a refused service
            # ends the connection
            self._service_asked = True
            self._asked_at = time.monotonic()
            service = paramiko.Message()
            service.add_byte(bytes([_SERVICE_REQUEST]))
            service.add_string("ssh-userauth")
            self._out(service)
        self._out(message)
        while True:
            try:
                reply = self._replies.get(timeout=timeout)
            except queue.Empty:
                raise ConnectionLost(f"the server did not answer the login within {timeout:g} s") from None
            if reply is None:
                raise self._ended()
            if not isinstance(reply, str):
                return reply
            self.banner = reply
            self._on_banner(reply)

    def _out(self, message: paramiko.Message) -> None:
        """Send; on a line that has gone in between paramiko's own sending ends in one of these."""
        try:
            self._link._send_user_message(message)  # type: ignore[attr-defined]
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise self._ended() from error

    def _ended(self) -> AuthError:
        return AuthError(
            "the server closed the connection during the login",
            hint="too many keys may have been offered: `-o IdentitiesOnly=yes -i KEY` offers one",
        )
