"""The default transport: paramiko, without a second process; imported by `choose` only."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import paramiko  # noqa: TID251  this is paramiko's transport

from x11fwd.errors import ConnectError, ConnectionLost, DisplayError, ProbeError
from x11fwd.transports.base import CommandResult, X11Offer, X11Outcome, offered
from x11fwd.transports.framing import Collector, Frame, Framed
from x11fwd.transports.local import wait_readable
from x11fwd.transports.paramiko_link import ParamikoCannotError
from x11fwd.transports.paramiko_login import open_link
from x11fwd.transports.paramiko_stream import ParamikoStream
from x11fwd.transports.patience import Patience
from x11fwd.transports.remote_file import put_through_shell
from x11fwd.transports.x11_channel import DisplayDoor
from x11fwd.transports.x11_cookie import untrusted_cookie

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from x11fwd.target import SshConfig, Target
    from x11fwd.transports.base import Prompter, Transport
    from x11fwd.transports.hops import Hop
    from x11fwd.transports.paramiko_link import Link, Reply
    from x11fwd.transports.route import Route

__all__ = ["ParamikoCannotError", "ParamikoTransport", "open_paramiko"]

_INLINE = 32_768  # one packet; more goes out on a thread, so that both directions keep flowing
_PATIENCE = 1.0  # seconds for a session that is refused while others of ours run
_LEAVING = 15.0  # and where one before it may still be on its way out, over a slow line or on a busy machine
_HELD = 15.0  # seconds beyond its limit after which a call is one of paramiko's that is held up
_LOOK = 1.0  # seconds between two looks: paramiko's pipe for both streams can lose a wake-up (OrPipe)
_ERRORS = (paramiko.SSHException, EOFError, OSError)


class ParamikoTransport:
    """See `Transport`; opened by `open_paramiko`."""

    name = "paramiko"

    def __init__(
        self,
        hop: Hop,
        link: Link,
        *,
        way: contextlib.ExitStack,
        reason: str,
        offer: X11Offer | Callable[[], X11Offer | None] | None,
        local: Transport,
        trusted: bool,
    ) -> None:
        self.reason = reason
        self.round_trips = 0
        self._hop = hop
        self._patience = Patience.of(hop.config)
        self._link = link
        self._way = way
        self._spare: _Spare | None = _Spare(link)
        self._spare_lock = threading.Lock()  # commands may run on several threads
        self._spares_work = True
        self._granted: bool | None = None
        self._x11_reply: Reply | None = None
        self._offer = offer
        self._local = local
        self._door: DisplayDoor | None = None
        self._no_door = offer is None
        if offer is not None and not trusted:
            # as ssh does for a key that StrictHostKeyChecking=no lets pass
            self._refuse_display("X11 forwarding is disabled to avoid man-in-the-middle attacks.")

    @property
    def target(self) -> Target:
        return self._hop.target

    @property
    def config(self) -> SshConfig:
        return self._hop.config

    @property
    def server_version(self) -> str | None:
        return self._link.server_version

    @property
    def round_trip(self) -> float | None:
        # sshd answers x11-req between two other steps of its own, without starting anything (session_x11_req)
        asked = self._x11_reply.seconds if self._x11_reply is not None else None
        return min((*self._link.exchanges, *([] if asked is None else [asked])), default=None)

    @property
    def x11(self) -> X11Outcome:
        granted, remarks = self._granted, tuple(self._link.remarks)
        if self._x11_reply is not None and self._x11_reply.granted is not None:
            granted = self._x11_reply.granted
            remarks += () if granted else ("X11 forwarding request failed",)  # ssh's own words for it
        return X11Outcome(offered(self._offer) is not None, granted, remarks)

    def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout: float = 60.0, x11: bool = False
    ) -> CommandResult:
        """See `Transport.run`."""
        frame = Frame.random()
        command = frame.command(argv)
        self.round_trips += 1
        deadline = time.monotonic() + timeout
        with self._guard(timeout):
            channel = self._start(command, deadline, x11=x11)
            try:
                self._send(channel, stdin)
                framed = self._collect(channel, Collector(frame), deadline, timeout)
            finally:
                self._discard(channel)
        return CommandResult(framed.exit_status, framed.stdout, framed.stderr, framed.noise)

    def stream(self, argv: Sequence[str], *, x11: bool = False) -> ParamikoStream:
        """See `Transport.stream`."""
        frame = Frame.random()
        self.round_trips += 1
        with self._guard(60.0):
            channel = self._start(frame.stream_command(argv), time.monotonic() + 60.0, x11=x11)
        return ParamikoStream(channel, frame, self._translated)

    def put(self, path: str, data: bytes, *, mode: int = 0o600) -> None:
        """See `Transport.put`."""
        put_through_shell(self.run, path, data, mode)

    def close(self) -> None:
        """End the connection, those to the jump hosts, and a ProxyCommand."""
        self._link.close()
        self._way.close()

    def __enter__(self) -> ParamikoTransport:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _start(self, command: str, deadline: float, *, x11: bool) -> paramiko.Channel:
        """A session that runs `command`; the X11 request and it go out together, in one round trip."""
        channel = self._session(deadline)
        try:
            door = self._display_door() if x11 else None
            if door is not None:
                self._x11_reply = self._link.request(
                    channel, "x11-req", False, "MIT-MAGIC-COOKIE-1", door.fake.hex(), door.screen
                )
            reply = self._link.request(channel, "exec", command)
            # asked for in the same breath, so that the next command finds it open
            with self._spare_lock:
                if self._spares_work and self._spare is None:  # or another thread has asked for one meanwhile
                    self._spare = _Spare(self._link)
            self._demand(reply, deadline)
        except BaseException:
            self._discard(channel)
            raise
        return channel

    def _display_door(self) -> DisplayDoor | None:
        """The door to the offered display, made when the first session wants it; None where there is none."""
        offer = None if self._no_door or self._door is not None else offered(self._offer)
        if offer is None:
            return self._door
        try:
            if not offer.trusted and not offer.made:
                offer = replace(offer, cookie=untrusted_cookie(offer, self._local))
        except (DisplayError, ConnectionLost) as error:
            self._refuse_display(f"untrusted X11 forwarding setup failed: {error.message}")
            return None
        self._door = DisplayDoor(offer, self._link.remarks.append)
        self._link.accept_x11(self._door.admit)
        return self._door

    def _refuse_display(self, remark: str) -> None:
        self._no_door = True
        self._granted = False
        self._link.remarks.append(remark)

    def _demand(self, reply: Reply, deadline: float) -> None:
        granted = reply.wait(max(0.0, deadline - time.monotonic()))
        if granted is None:
            raise self._translated(None)
        if not granted:
            raise ProbeError(f"{self._hop.place} refuses to run commands")

    def _session(self, deadline: float) -> paramiko.Channel:
        with self._spare_lock:
            spare, self._spare = self._spare, None
        if spare is not None:
            channel = spare.take(deadline - time.monotonic())
            if channel is not None:
                return channel
            self._spares_work = False
        begun = time.monotonic()
        while True:
            try:
                return self._link.open_channel("session", timeout=max(0.1, deadline - time.monotonic()))
            except paramiko.ChannelException as error:  # noqa: PERF203  the loop waits for it to go away
                # MaxSessions 1: the session before this one may still be on its way out
                leaving = self.round_trips > 1 and not self._link.has_sessions()
                if time.monotonic() > min(deadline, begun + (_LEAVING if leaving else _PATIENCE)):
                    raise ConnectError(
                        f"{self._hop.place} lets in, but refuses a session: {error.text or 'no reason'}",
                        hint="MaxSessions in its sshd_config may be too small",
                    ) from error
                time.sleep(0.02)

    @staticmethod
    def _send(channel: paramiko.Channel, stdin: bytes) -> None:
        def send() -> None:
            # a command that does not read its input, or ends early, is no failure
            with contextlib.suppress(*_ERRORS):
                channel.sendall(stdin)
            with contextlib.suppress(*_ERRORS):
                channel.shutdown_write()

        if len(stdin) <= _INLINE:
            send()
        else:
            threading.Thread(target=send, name="x11fwd-stdin", daemon=True).start()

    def _collect(self, channel: paramiko.Channel, output: Collector, deadline: float, limit: float) -> Framed:
        patience = time.monotonic() + self._patience.shell
        while True:
            # looked at before draining: what came in before the end is then sure to be read
            ended = channel.eof_received or channel.closed
            while channel.recv_ready():
                output.add_stdout(channel.recv(1 << 20))
            while channel.recv_stderr_ready():
                output.add_stderr(channel.recv_stderr(1 << 20))
            if output.complete:
                return output.result()
            if ended:
                if not self._link.is_active():
                    raise self._translated(None)
                return output.result()
            left = deadline - time.monotonic()
            if left <= 0:
                raise ConnectionLost(
                    f"{self._hop.place} gave no answer within {limit:g} s",
                    hint="the line may be frozen, or the command hangs",
                )
            if not output.begun:
                left = min(left, patience - time.monotonic())
                if left <= 0:
                    raise output.never_began(self._patience.shell)
            wait_readable(channel.fileno(), min(left, _LOOK))

    def _discard(self, channel: paramiko.Channel) -> None:
        self._link.forget(channel)

        def close() -> None:
            with contextlib.suppress(*_ERRORS):
                channel.close()

        if channel.eof_received or not self._link.is_active():
            close()
        else:
            # closing sends a message, and on a frozen line even that may block
            threading.Thread(target=close, daemon=True).start()

    @contextlib.contextmanager
    def _guard(self, timeout: float) -> Iterator[None]:
        """Nothing inside waits much longer than `timeout`: paramiko's own calls may, on a frozen line.

        Our own waits end by themselves, on a busy machine somewhat later: that costs nobody the connection.
        """
        watchdog = threading.Timer(
            timeout + _HELD, self._link.abandon, (f"it gave no answer within {timeout:g} s",)
        )
        watchdog.daemon = True
        watchdog.start()
        try:
            yield
        except _ERRORS as error:
            raise self._translated(error) from error
        finally:
            watchdog.cancel()

    def _translated(self, error: Exception | None) -> ConnectError:
        """Foreign exceptions become ours here, and nowhere else."""
        if not self._link.is_active():
            return self._link.lost_error(self._hop.place)
        return ConnectionLost(f"the connection to {self._hop.place} failed: {error or 'no answer'}")


class _Spare:
    """A session that is opened before somebody wants it: saves each command one of its two round trips."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._channel: paramiko.Channel | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._open, name="x11fwd-spare", daemon=True)
        self._thread.start()

    def _open(self) -> None:
        # refused by MaxSessions, or the line is gone: whoever wants a session will hear of it
        with contextlib.suppress(*_ERRORS):
            self._channel = self._link.open_channel("session", timeout=60)

    def take(self, timeout: float) -> paramiko.Channel | None:
        self._thread.join(max(0.0, timeout))
        with self._lock:  # commands may run on several threads
            channel, self._channel = self._channel, None
        return None if channel is None or channel.closed else channel


def open_paramiko(
    hop: Hop,
    jumps: Sequence[Hop],
    *,
    route: Route | None = None,
    prompter: Prompter,
    offer: X11Offer | Callable[[], X11Offer | None] | None,
    local: Transport,
    reason: str,
    timeout: float,
) -> ParamikoTransport:
    """Log in to `hop` through `jumps`.

    Args:
        offer: the display; where it is still looked for, the first session that wants it waits.
        route: the way to the first machine, if somebody has opened it already.
        timeout: seconds for each connection and each answer of a server; people may take their time.

    Raises:
        ParamikoCannotError: OpenSSH might get in where paramiko cannot.
        ConnectError, HostKeyError, AuthError, ConnectionLost: see errors.
    """
    with contextlib.ExitStack() as stack:
        via: Link | Route | None = route
        if route is not None:
            stack.callback(route.close)
        way_trusted = True
        problems = []
        for one in jumps:
            via, trusted = open_link(one, via, prompter, stack, timeout=timeout)
            way_trusted = way_trusted and trusted
            problems.append(via.agent_problem)
        link, trusted = open_link(hop, via, prompter, stack, timeout=timeout)
        problems.append(link.agent_problem)
        patience = Patience.of(hop.config)
        link.keep_alive(patience.interval, patience.count)
        return ParamikoTransport(
            hop,
            link,
            way=stack.pop_all(),
            reason="; ".join([reason, *filter(None, dict.fromkeys(problems))]),
            offer=offer,
            local=local,
            trusted=trusted and way_trusted,
        )
