"""One paramiko connection up to its key exchange, and what paramiko itself has no way to say.

Only the paramiko transport imports it. A `Link` differs from paramiko.Transport in four things: sshd's debug
messages are kept (they say why X11 was refused), replies to channel requests can be awaited without a round
trip each, a refused request does not close its channel, and a silent peer is noticed.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from typing import TYPE_CHECKING
from weakref import WeakSet

import paramiko  # noqa: TID251  this module is part of the paramiko transport
from paramiko.packet import NeedRekeyException  # noqa: TID251  the same

from x11fwd.errors import ConnectError, ConnectionLost
from x11fwd.transports.known_hosts import HostKey

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from x11fwd.target import SshConfig

__all__ = ["Link", "ParamikoCannotError", "Reply"]

_MSG_DISCONNECT = 1
_MSG_CHANNEL_REQUEST, _MSG_CHANNEL_SUCCESS, _MSG_CHANNEL_FAILURE = 98, 99, 100
_MSG_GLOBAL_REQUEST = 80
_LOOK = 0.2  # seconds between two looks for Ctrl-C and for the end of the connection
_REMARKS = 200  # lines kept of what sshd says; an honest one says a few
_LINE = 1 << 16  # bytes of one line before the key exchange; ssh takes 8 kB


class ParamikoCannotError(ConnectError):
    """The two sides have no algorithm in common, or the like: OpenSSH may still get through."""


class Reply:
    """The answer to one channel request, when it has come."""

    def __init__(self, is_active: Callable[[], bool]) -> None:
        self._is_active = is_active
        self._event = threading.Event()
        self._asked = time.monotonic()
        self.granted: bool | None = None
        self.seconds: float | None = None  # from the question to its answer

    def set(self, granted: bool | None) -> None:
        self.granted = granted
        if granted is not None and self.seconds is None:
            self.seconds = time.monotonic() - self._asked
        self._event.set()

    def wait(self, timeout: float) -> bool | None:
        """True or False; None where the channel, the connection or the time (seconds) ended first."""
        end = time.monotonic() + timeout
        # A question that was put at the moment in which the connection ended is nobody's to answer.
        while not self._event.wait(max(0.0, min(_LOOK, end - time.monotonic()))):
            if time.monotonic() >= end or not self._is_active():
                break
        return self.granted


class Link(paramiko.Transport):
    """See the module. Args: sock: connected; config: which algorithms the user allows."""

    def __init__(self, sock: socket.socket | paramiko.Channel, config: SshConfig) -> None:
        super().__init__(sock)
        # New keys are agreed on behind what is under way, which takes a thin line longer than the usual 30 s;
        # one that is dead is noticed by the keepalive.
        self.clear_to_send_timeout = math.inf
        self.remarks: list[str] = []
        self.exchanges: list[float] = []  # seconds that single questions took
        self.agent_problem = ""  # why the keys of the ssh agent were left out of the login, if they were
        self.lost = ""  # why the connection was given up, once it was
        self._over = False  # nothing more will come
        self._unanswered = 0  # signs of life asked for since anything at all was heard
        self._awaited: dict[int, deque[Reply]] = {}
        self._leaving: WeakSet[paramiko.Channel] = WeakSet()  # sessions that nobody wants any more
        self._ended = threading.Event()
        self._read_packet = self.packetizer.read_message
        self.packetizer.read_message = self._hear  # type: ignore[method-assign]
        self._line = 0  # bytes that came since the last end of a line, before the key exchange
        self._read_greeting = self.packetizer._read_timeout  # type: ignore[attr-defined]
        self.packetizer._read_timeout = self._greet  # type: ignore[attr-defined]
        # paramiko logs its own troubles with tracebacks; they come back as exceptions anyway
        self.logger = logging.Logger("x11fwd.paramiko")
        self.logger.addHandler(logging.NullHandler())
        self._channel_handler_table = {
            **paramiko.Transport._channel_handler_table,  # type: ignore[attr-defined]
            _MSG_CHANNEL_SUCCESS: lambda channel, message: self._on_reply(channel, message, granted=True),
            _MSG_CHANNEL_FAILURE: lambda channel, message: self._on_reply(channel, message, granted=False),
        }
        options = self.get_security_options()
        options.ciphers = _allowed(config, "ciphers", _fast_first(options.ciphers))
        options.digests = _allowed(config, "macs", options.digests)
        options.kex = _allowed(config, "kexalgorithms", options.kex)
        if config.is_yes("compression"):
            self.use_compression(True)

    # what paramiko calls ------------------------------------------------------------------------------

    def _hear(self) -> tuple[int, paramiko.Message]:
        """Any packet is a sign of life, as it is for ssh (ssh_packet_read_poll_seqnr in packet.c)."""
        try:
            packet = self._read_packet()
        except NeedRekeyException:
            raise
        except BaseException:
            self._over = True
            raise
        self._unanswered = 0
        self._over = packet[0] == _MSG_DISCONNECT
        return packet

    def is_active(self) -> bool:
        """See paramiko.Transport.is_active, whose channels end a moment before it says so itself."""
        return not self._over and super().is_active()

    def _greet(self, timeout: float) -> bytes:
        """Some bytes of the lines before the key exchange; paramiko alone would read one without an end."""
        data: bytes = self._read_greeting(timeout)
        self._line = 0 if b"\n" in data else self._line + len(data)
        if self._line > _LINE:
            raise paramiko.SSHException("a line without an end")  # paramiko puts `banner` in front
        return data

    def _parse_debug(self, m: paramiko.Message) -> None:
        """SSH_MSG_DEBUG (RFC 4253 section 11.3): `key options: …`, `No xauth program; …` and their kin."""
        m.get_boolean()
        text = m.get_string().decode("utf-8", "replace")
        lines = [line for line in text.splitlines() if line.strip()]
        self.remarks.extend(lines[: max(0, _REMARKS - len(self.remarks))])

    def _on_reply(self, channel: paramiko.Channel, message: paramiko.Message, *, granted: bool) -> None:
        waiting = self._awaited.get(channel.get_id())
        if waiting:
            waiting.popleft().set(granted)
        elif granted:
            channel._request_success(message)  # type: ignore[attr-defined]
        else:
            channel._request_failed(message)  # type: ignore[attr-defined]

    # what the transport calls ---------------------------------------------------------------------------

    def exchange_keys(self, algorithms: Sequence[str], timeout: float) -> HostKey:
        """Everything before the login; returns the host's key, not yet judged.

        Args:
            algorithms: host key algorithms in the order in which they are wanted.
            timeout: seconds for banner and key exchange together.

        Raises:
            ParamikoCannotError: no common algorithm.
            ConnectError: no ssh server, or it hung up.
        """
        self.banner_timeout = timeout
        self.handshake_timeout = timeout
        self.get_security_options().key_types = algorithms
        done = threading.Event()
        try:
            self.start_client(event=done)
            end = time.monotonic() + timeout
            while not done.wait(max(0.0, min(_LOOK, end - time.monotonic()))) and time.monotonic() < end:
                pass
            failure = self.get_exception()
            if failure is not None:
                raise failure
        except paramiko.ssh_exception.IncompatiblePeer as error:
            raise ParamikoCannotError(
                f"paramiko and the server have no algorithm in common ({error})", hint="`--transport openssh`"
            ) from error
        except (paramiko.SSHException, EOFError, OSError) as error:
            self.close()
            raise self._no_exchange(error) from error
        if not self.is_active() or not self.initial_kex_done:
            heard = bool(self.remote_version)
            self.close()
            raise (
                self._no_exchange(None)
                if heard or done.is_set()
                else ConnectError(
                    f"what answers there sent no ssh banner within {timeout:g} s", hint="is it an ssh server?"
                )
            )
        key = self.get_remote_server_key()
        return HostKey(key.get_name(), key.asbytes())

    def _no_exchange(self, error: Exception | None) -> ConnectError:
        text = str(error or "")
        if "banner" in text or "protocol version" in text:
            return ConnectError(
                "the server hung up, or what answers there is no ssh server",
                hint="sshd does this when too many connections are half-open (MaxStartups) or a firewall "
                "has banned this address",
            )
        return ConnectError(f"the key exchange failed{f' ({text})' if text else ''}")

    @property
    def server_version(self) -> str:
        """The banner without `SSH-2.0-`."""
        return str(self.remote_version).partition("-")[2].partition("-")[2].strip()

    @property
    def signature_algorithms(self) -> frozenset[str] | None:
        """`server-sig-algs` of RFC 8308, None where the server did not say."""
        # paramiko keeps them since 2.9, and not every release of its type stubs knows the attribute
        extensions: dict[str, bytes | str] = getattr(self, "server_extensions", {})
        text = extensions.get("server-sig-algs")
        if text is None:
            return None
        return frozenset((text.decode() if isinstance(text, bytes) else str(text)).split(","))

    def request(self, channel: paramiko.Channel, kind: str, *fields: str | bytes | bool | int) -> Reply:
        """Send a channel request (RFC 4254 section 5.4) without waiting for its answer."""
        message = paramiko.Message()
        message.add_byte(bytes([_MSG_CHANNEL_REQUEST]))
        message.add_int(channel.remote_chanid)
        message.add_string(kind)
        message.add_boolean(True)
        for field in fields:
            if isinstance(field, bool):
                message.add_boolean(field)
            elif isinstance(field, int):
                message.add_int(field)
            else:
                message.add_string(field)
        reply = Reply(self.is_active)
        self._awaited.setdefault(channel.get_id(), deque()).append(reply)
        self._send_user_message(message)  # type: ignore[attr-defined]
        return reply

    def forget(self, channel: paramiko.Channel) -> None:
        """The channel has ended or soon will; numbers of channels are used again."""
        self._leaving.add(channel)
        for reply in self._awaited.pop(channel.get_id(), ()):
            reply.set(None)

    def has_sessions(self) -> bool:
        """Whether a channel of ours is open that is not about to be closed."""
        channels = self._channels.values()  # type: ignore[attr-defined]
        return any(not one.closed and one not in self._leaving for one in channels)

    def accept_x11(self, handler: Callable[[paramiko.Channel], None]) -> None:
        """Let the server open X11 channels from now on."""
        self._set_x11_handler(lambda channel, _origin: handler(channel))  # type: ignore[attr-defined]

    def keep_alive(self, interval: float, count: int) -> None:
        """Ask for a sign of life every `interval` seconds; `count` silences end the connection.

        Counted, not timed, as ssh does (ServerAliveCountMax of ssh_config(5)): an answer that came within a
        millisecond is an answer, however late this side looks for it.
        """
        watcher = threading.Thread(
            target=self._watch, args=(interval, max(1, count)), name="x11fwd-keepalive", daemon=True
        )
        watcher.start()

    def _watch(self, interval: float, count: int) -> None:
        self._unanswered = 0
        while not self._ended.wait(interval) and self.is_active():
            if self._unanswered >= count:
                self.abandon(f"it did not answer for {interval * count:g} s")
                return
            self._unanswered += 1
            # a thread of its own, because sending blocks once the line is frozen and its buffers are full
            threading.Thread(target=self._ask_for_life, daemon=True).start()

    def _ask_for_life(self) -> None:
        message = paramiko.Message()
        message.add_byte(bytes([_MSG_GLOBAL_REQUEST]))
        message.add_string("keepalive@openssh.com")  # any sshd answers, with a failure
        message.add_boolean(True)
        try:
            self._send_user_message(message)  # type: ignore[attr-defined]
        except (paramiko.SSHException, EOFError, OSError):
            return

    def abandon(self, why: str) -> None:
        """Give the connection up: every waiting call ends with ConnectionLost."""
        self.lost = self.lost or why
        self.close()

    def close(self) -> None:
        """See paramiko.Transport.close."""
        self._ended.set()
        super().close()
        for waiting in tuple(self._awaited.values()):
            for reply in tuple(waiting):
                reply.set(None)

    def lost_error(self, place: str) -> ConnectionLost:
        """What to raise once the connection is gone."""
        why = self.lost or str(self.get_exception() or "") or "the server closed it"
        return ConnectionLost(f"the connection to {place} was lost: {why}")


def _fast_first(ciphers: Sequence[str]) -> tuple[str, ...]:
    """AES-GCM needs no second pass for the MAC, which in Python costs more than the cipher."""
    return tuple(sorted(ciphers, key=lambda name: "gcm" not in name))


def _allowed(config: SshConfig, keyword: str, ours: Sequence[str]) -> tuple[str, ...]:
    """Ours, limited to what the user's configuration allows.

    Raises:
        ParamikoCannotError: that leaves nothing.
    """
    text = config.first(keyword)
    if not text:
        return tuple(ours)
    allowed = set(text.split(","))
    found = tuple(name for name in ours if name in allowed)
    if not found:
        raise ParamikoCannotError(
            f"paramiko knows none of the {keyword} that your ssh configuration allows",
            hint="`--transport openssh`",
        )
    return found
