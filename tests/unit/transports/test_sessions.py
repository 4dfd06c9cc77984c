"""Sessions of one connection: refused for a while, asked for by two at once, ended by a line that is lost."""

from __future__ import annotations

import socket
import subprocess
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING

import paramiko
import pytest

from tests.unit.transports.login_server import Rules, Served
from x11fwd.errors import ConnectError, ConnectionLost
from x11fwd.target import SshConfig
from x11fwd.transports import paramiko_transport
from x11fwd.transports.base import X11Offer
from x11fwd.transports.framing import Frame
from x11fwd.transports.openssh import OpensshStream, OpensshTransport
from x11fwd.transports.paramiko_link import Link as Link_
from x11fwd.transports.paramiko_stream import ParamikoStream
from x11fwd.transports.paramiko_transport import ParamikoTransport

if TYPE_CHECKING:
    from pathlib import Path

HOP = SimpleNamespace(place="ana@gpu1", config=SshConfig())


class Link:
    """A server that refuses sessions for so many seconds, by a clock of its own."""

    def __init__(self, refuses: float, *, busy: bool = False) -> None:
        self.now, self.refuses, self.busy = 0.0, refuses, busy
        self.opened = 0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def has_sessions(self) -> bool:
        return self.busy

    def open_channel(self, kind: str, timeout: float) -> object:
        if self.now < self.refuses:
            raise paramiko.ChannelException(1, "open failed")
        self.opened += 1
        return SimpleNamespace(closed=False, eof_received=True, close=lambda: None)

    def request(self, *_words: object) -> SimpleNamespace:
        return SimpleNamespace(wait=lambda _timeout: True)


def transport(link: Link, *, asked: int, spares: bool = False) -> ParamikoTransport:
    made = ParamikoTransport.__new__(ParamikoTransport)
    made._link, made._hop = link, HOP  # type: ignore[assignment]
    made._spare, made._spares_work, made._spare_lock = None, spares, threading.Lock()
    made.round_trips = asked
    return made


@pytest.mark.parametrize(
    ("refuses", "asked", "busy", "there"),
    [
        pytest.param(8.0, 2, False, True, id="the one before is slow to leave"),
        pytest.param(60.0, 2, False, False, id="it never leaves"),
        pytest.param(0.5, 2, True, True, id="another one of ours runs, and one leaves"),
        pytest.param(8.0, 2, True, False, id="another one of ours runs"),
        pytest.param(8.0, 1, False, False, id="there was none before"),
    ],
)
def test_a_refused_session_is_asked_for_again_while_one_may_be_leaving(
    monkeypatch: pytest.MonkeyPatch, refuses: float, asked: int, busy: bool, there: bool
) -> None:
    link = Link(refuses, busy=busy)
    monkeypatch.setattr(paramiko_transport, "time", link)
    made = transport(link, asked=asked)
    if there:
        made._session(100.0)
        assert link.opened == 1
        return
    with pytest.raises(ConnectError, match="refuses a session"):
        made._session(100.0)
    assert link.now < 20.0


def test_two_commands_at_once_leave_one_spare_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each begins before the other has asked for the next session; what nobody takes would stay open."""
    link = Link(0.0)
    made = transport(link, asked=1, spares=True)
    both = threading.Barrier(2)

    def session(_deadline: float) -> object:
        both.wait(60)
        return SimpleNamespace()

    monkeypatch.setattr(made, "_session", session)
    threads = [
        threading.Thread(target=made._start, args=("true", 1e9), kwargs={"x11": False}) for _ in range(2)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert made._spare is not None
    made._spare.take(60)
    assert link.opened == 1


def test_a_command_that_is_given_up_somewhat_late_leaves_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A busy machine comes two seconds late to see that the time of a command is over."""
    link = Link(0.0)
    lost: list[str] = []
    monkeypatch.setattr(link, "abandon", lost.append, raising=False)
    monkeypatch.setattr(link, "is_active", lambda: True, raising=False)
    watched: list[threading.Timer] = []
    start = threading.Timer.start

    def started(timer: threading.Timer) -> None:
        watched.append(timer)
        timer.interval -= 2.0  # as if these had passed already
        start(timer)

    monkeypatch.setattr(threading.Timer, "start", started)
    made = transport(link, asked=1)
    with made._guard(0.5):
        watched[0].finished.wait(1.0)
    assert lost == []


def test_a_wake_up_that_is_lost_is_made_up_for() -> None:
    """paramiko signals both streams through one pipe, and may clear it as the other stream's bytes come."""
    channel = paramiko.Channel(1)
    channel.fileno()
    frame = Frame.random()
    stream = ParamikoStream(channel, frame, lambda _error: ConnectionLost("gone"))
    channel._pipe.set = lambda: None  # type: ignore[attr-defined]
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(stream.read(100)), daemon=True)
    reader.start()
    channel.in_buffer.feed(frame.begin + b"word")
    reader.join(30)
    assert found == [b"word"]


def test_a_session_that_is_about_to_be_closed_is_none_of_ours() -> None:
    """A thread closes it, which on a busy machine begins late; till then another session may be refused."""
    one, other = socket.socketpair()
    link = Link_(one, SshConfig())
    try:
        channel = paramiko.Channel(7)
        link._channels.put(7, channel)  # type: ignore[attr-defined]
        assert link.has_sessions()
        link.forget(channel)
        assert not link.has_sessions()
    finally:
        link.close()
        other.close()


@pytest.mark.parametrize("name", ["close", "shutdown_write"])
def test_a_line_that_is_frozen_holds_up_nobody_who_is_through(name: str) -> None:
    """Its buffers are full of an upload: even a word of three bytes waits, till the line is given up."""
    thawed, said = threading.Event(), threading.Event()

    def word() -> None:
        thawed.wait(300)
        said.set()

    channel = SimpleNamespace(**{name: word})
    stream = ParamikoStream(channel, Frame.random(), lambda _error: ConnectionLost("lost"))  # type: ignore[arg-type]
    going = threading.Thread(target=stream.close if name == "close" else stream.close_write, daemon=True)
    going.start()
    going.join(60)
    assert not going.is_alive()
    assert not said.is_set()
    thawed.set()
    assert said.wait(60)


@pytest.mark.parametrize("how", ["cut", "goodbye"])
def test_a_connection_that_has_ended_is_lost_as_soon_as_its_channels_end(
    monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """paramiko ends these first, and on a busy machine whoever reads from one of them comes in between."""
    served = Served(Rules())
    link = served.link
    active: list[bool] = []
    unlink = paramiko.Channel._unlink  # type: ignore[attr-defined]

    def ending(channel: paramiko.Channel) -> None:
        if channel.get_transport() is link:
            active.append(link.is_active())
        unlink(channel)

    channel = paramiko.Channel(7)
    channel._set_transport(link)  # type: ignore[attr-defined]
    link._channels.put(7, channel)  # type: ignore[attr-defined]
    monkeypatch.setattr(paramiko.Channel, "_unlink", ending)
    assert link.is_active()
    if how == "cut":
        served.server.sock.close()
    else:
        served.server._send_message(_goodbye())  # type: ignore[attr-defined]
    link.join(90)
    assert active == [False]
    served.close()


def _goodbye() -> paramiko.Message:
    message = paramiko.Message()
    message.add_byte(b"\x01")
    message.add_int(11)
    message.add_string("it goes down")
    message.add_string("")
    return message


class Master:
    """A master whose process has not been seen to end."""

    alive = True
    control = ""

    def __init__(self, log: str = "") -> None:
        self._log = log

    def log(self) -> str:
        return self._log


def _ended(words: str) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    return subprocess.Popen(["/bin/sh", "-c", words], stdin=pipe, stdout=pipe, stderr=pipe)


@pytest.mark.parametrize("ours", [True, False])
def test_a_line_that_is_lost_is_no_silent_shell_however_late_ssh_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ours: bool
) -> None:
    """A busy machine: the streams are closed, and the processes of session and master take their time."""
    monkeypatch.setattr("x11fwd.transports.openssh._ENDING", 60.0)
    control = str(tmp_path / "m")
    master = Master() if ours else None
    made = OpensshTransport(HOP, master, control, None, "")  # type: ignore[arg-type]
    process = _ended("exec 1>&- 2>&-; sleep 2; exit 255")
    with pytest.raises(ConnectionLost, match="client_loop: send disconnect"):
        made.check(process, b"client_loop: send disconnect: Broken pipe\n")
    process.wait(60)


def test_a_session_that_ends_while_its_master_lives_is_no_lost_line(tmp_path: Path) -> None:
    control = str(tmp_path / "m")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(control)
        listener.listen()
        for master in (Master(), None):
            made = OpensshTransport(HOP, master, control, None, "")  # type: ignore[arg-type]
            process = _ended("exit 255")
            made.check(process, b"")


LATE_REFUSAL = """\
printf %s {mark}
read word
echo 'X11 forwarding request failed on channel 0' >&2
printf %s {mark} >&2
echo and on
read word
"""


def test_a_refusal_that_comes_behind_the_first_output_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Output and what the master says of the session are two pipes, written one after the other."""
    master = Master("debug1: Requesting X11 forwarding with authentication spoofing.\n")
    made = OpensshTransport(HOP, master, "", X11Offer(":0"), "")  # type: ignore[arg-type]

    def session(_command: str, *, x11: bool) -> subprocess.Popen[bytes]:
        assert x11
        return _ended(LATE_REFUSAL.format(mark=made_frame.begin.decode()))

    made_frame = Frame("first", "second")
    monkeypatch.setattr(Frame, "random", lambda: made_frame)
    monkeypatch.setattr(made, "_session", session)
    stream: OpensshStream = made.stream(["true"], x11=True)
    with pytest.raises(TimeoutError):
        stream.read(100, 1.0)
    stream.write(b"\n")
    assert stream.read(100, 60.0) == b"and on\n"
    assert made.x11.granted is False
    stream.close()
