"""The first bytes of a forwarded X11 connection: fake cookie out, real one in, everything else refused."""

from __future__ import annotations

import socket
import threading

import pytest

from x11fwd.errors import DisplayError
from x11fwd.transports.base import CommandResult, X11Offer
from x11fwd.transports.fake import Answer, Call, FakeTransport
from x11fwd.transports.x11_channel import DisplayDoor, swap_cookie
from x11fwd.transports.x11_cookie import untrusted_cookie
from x11fwd.x11.authority import Cookie, local_record, write_authority
from x11fwd.x11.wire import ByteOrder, encode_setup

FAKE, REAL = bytes(range(16)), bytes(range(100, 116))
ORDERS = pytest.mark.parametrize("order", list(ByteOrder), ids=["little", "big"])


@ORDERS
def test_the_fake_cookie_is_replaced_in_both_byte_orders(order: ByteOrder) -> None:
    sent = encode_setup(order, Cookie(FAKE)) + b"first request"
    assert swap_cookie(sent, FAKE, REAL).data == encode_setup(order, Cookie(REAL)) + b"first request"


@ORDERS
def test_a_display_that_wants_no_cookie_gets_none(order: ByteOrder) -> None:
    assert swap_cookie(encode_setup(order, Cookie(FAKE)), FAKE, b"").data == encode_setup(order, None)


@ORDERS
def test_half_a_setup_is_waited_for(order: ByteOrder) -> None:
    whole = encode_setup(order, Cookie(FAKE))
    for size in range(len(whole)):
        verdict = swap_cookie(whole[:size], FAKE, REAL)
        assert (verdict.data, verdict.refused) == (None, "")


@ORDERS
@pytest.mark.parametrize(
    "cookie",
    [None, Cookie(bytes(16)), Cookie(FAKE[:15]), Cookie(FAKE + b"x"), Cookie(FAKE, "XDM-AUTHORIZATION-1")],
    ids=["none", "wrong", "short", "long", "other kind"],
)
def test_any_other_cookie_is_refused(order: ByteOrder, cookie: Cookie | None) -> None:
    verdict = swap_cookie(encode_setup(order, cookie), FAKE, REAL)
    assert verdict.data is None
    assert verdict.refused


@pytest.mark.parametrize("start", [b"GET / HTTP/1.0\r\n", b"\0" * 12, b"x"])
def test_what_is_not_x11_is_refused_at_the_first_byte(start: bytes) -> None:
    assert swap_cookie(start, FAKE, REAL).refused


class Pipe:
    """A channel with a socket inside."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def recv(self, nbytes: int, /) -> bytes:
        return self._end.recv(nbytes)

    def sendall(self, data: bytes, /) -> None:
        self._end.sendall(data)

    def shutdown_write(self) -> None:
        self._end.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._end.close()


class Display:
    """A listening display on TCP that echoes whatever comes."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        port: int = self._server.getsockname()[1]
        self.name = f"127.0.0.1:{port - 6000}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connection, _ = self._server.accept()
        with connection:
            while data := connection.recv(65536):
                connection.sendall(data)

    def close(self) -> None:
        self._server.close()


def test_bytes_flow_to_the_display_and_back_until_the_program_ends() -> None:
    display = Display()
    remarks: list[str] = []
    door = DisplayDoor(X11Offer(display.name, cookie=REAL), remarks.append)
    program, channel = socket.socketpair()
    program.settimeout(90)
    door.admit(Pipe(channel))
    program.sendall(encode_setup(ByteOrder.LITTLE, Cookie(door.fake)))
    wanted = encode_setup(ByteOrder.LITTLE, Cookie(REAL))
    got = b""
    while len(got) < len(wanted):
        got += program.recv(4096)
    assert got == wanted
    program.shutdown(socket.SHUT_WR)
    assert program.recv(1) == b""
    assert remarks == []
    display.close()


def test_a_wrong_cookie_closes_the_channel_and_is_remarked() -> None:
    remarks: list[str] = []
    door = DisplayDoor(X11Offer(":0", cookie=REAL), remarks.append)
    program, channel = socket.socketpair()
    program.settimeout(90)
    door.admit(Pipe(channel))
    program.sendall(encode_setup(ByteOrder.LITTLE, Cookie(bytes(16))))
    assert program.recv(1) == b""
    assert remarks == ["X11 connection rejected: the program's cookie is not the one of this connection"]


def test_a_display_that_is_gone_is_remarked() -> None:
    with socket.socket() as closed:  # bound, so that nobody else takes it, and not listening
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        remarks: list[str] = []
        door = DisplayDoor(X11Offer(f"127.0.0.1:{port - 6000}", cookie=REAL), remarks.append)
        program, channel = socket.socketpair()
        program.settimeout(90)
        door.admit(Pipe(channel))
        program.sendall(encode_setup(ByteOrder.LITTLE, Cookie(door.fake)))
        assert program.recv(1) == b""
        assert "cannot be reached" in remarks[0]


def test_every_connection_has_its_own_fake_and_no_cookie_is_in_a_repr() -> None:
    offer = X11Offer(":0", cookie=REAL)
    assert DisplayDoor(offer, print).fake != DisplayDoor(offer, print).fake
    assert REAL.hex() not in repr(offer)
    assert str(REAL) not in repr(offer)


def generated(call: Call) -> CommandResult:
    write_authority(call.argv[call.argv.index("-f") + 1], [local_record("h", 7, REAL)])
    return CommandResult(0)


def test_an_untrusted_cookie_is_generated_as_ssh_does_it_and_never_expires() -> None:
    local = FakeTransport([Answer(generated)])
    offer = X11Offer("localhost:7", authority="/a", trusted=False, xauth="/usr/bin/xauth")
    assert untrusted_cookie(offer, local) == REAL
    words = local.calls[0].argv
    assert words[:4] == ("env", "XAUTHORITY=/a", "/usr/bin/xauth", "-f")
    assert words[5:] == ("generate", "unix:7", "MIT-MAGIC-COOKIE-1", "untrusted", "timeout", "0")


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (b'couldn\'t query Security extension on display ":97"\n', "couldn't query Security extension"),
        (
            b'Invalid MIT-MAGIC-COOKIE-1 key/usr/bin/xauth: (argv):1:  unable to open display ":7".\n',
            "Invalid MIT-MAGIC-COOKIE-1 key",
        ),
        (b'xauth: (argv):1:  unable to open display ":77".\n', "unable to open display"),
        (b"", "made none"),
    ],
)
def test_xauths_own_words_say_why_there_is_no_untrusted_cookie(said: bytes, wanted: str) -> None:
    local = FakeTransport([Answer(CommandResult(1, b"", said))])
    with pytest.raises(DisplayError, match=wanted):
        untrusted_cookie(X11Offer(":7", trusted=False, xauth="/usr/bin/xauth"), local)


def test_without_xauth_there_is_no_untrusted_cookie() -> None:
    with pytest.raises(DisplayError, match="no xauth"):
        untrusted_cookie(X11Offer(":7", trusted=False), FakeTransport())
