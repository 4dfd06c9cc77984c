"""The verdicts on a handshake, each from a server that behaves that way."""

from __future__ import annotations

import socket
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.unit.x11.fake_server import VENDOR, FakeServer, Script, acceptance, read_setup, refusal, serving
from x11fwd.errors import DisplayError
from x11fwd.x11 import client
from x11fwd.x11.authority import Cookie
from x11fwd.x11.client import Handshake, HandshakeError, HandshakeStatus, connect, handshake
from x11fwd.x11.display import Address, AddressKind, DisplayName, parse_display
from x11fwd.x11.wire import ByteOrder

if TYPE_CHECKING:
    from pathlib import Path

    from x11fwd.x11.stream import Deadline

GOOD = Cookie(b"k" * 16)
BOTH = pytest.mark.parametrize("order", list(ByteOrder), ids=["little", "big"])


def answering(answer: bytes) -> Script:
    def script(connection: socket.socket) -> None:
        read_setup(connection)
        connection.sendall(answer)

    return script


@BOTH
def test_the_right_cookie_is_accepted(tmp_path: Path, order: ByteOrder) -> None:
    with serving(tmp_path / "s:0", FakeServer(cookie=GOOD.data)) as display:
        found = handshake(display, GOOD, 5, order=order)
    assert found.ok
    assert found.status is HandshakeStatus.OK
    assert (found.vendor, found.release, found.reason) == (VENDOR, 12101007, "")
    assert found.address == Address(AddressKind.UNIX, path=str(tmp_path / "s:0"))
    assert 0 < found.seconds < 5
    assert found.extensions is None
    assert found.setup is not None
    assert found.setup.screens[0].width == 1280


@BOTH
def test_extensions_are_asked_for_when_named(tmp_path: Path, order: ByteOrder) -> None:
    with serving(tmp_path / "s:0", FakeServer()) as display:
        found = handshake(display, None, 5, extensions=["SECURITY", "MIT-SHM", "RENDER"], order=order)
    assert found.ok
    assert found.extensions == frozenset({"SECURITY", "RENDER"})


def test_no_extension_present_is_not_the_same_as_not_asked(tmp_path: Path) -> None:
    with serving(tmp_path / "s:0", FakeServer(extensions={})) as display:
        assert handshake(display, None, 5, extensions=["SECURITY"]).extensions == frozenset()
        assert handshake(display, None, 60).extensions is None


def test_a_server_that_dies_at_the_extension_question_leaves_it_unknown(tmp_path: Path) -> None:
    with serving(tmp_path / "s:0", answering(acceptance("<"))) as display:
        found = handshake(display, None, 5, extensions=["SECURITY"])
    assert found.ok
    assert found.extensions is None


@BOTH
@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("Authorization required, but no authorization protocol specified\n", HandshakeStatus.NO_COOKIE),
        ("No protocol specified\n", HandshakeStatus.NO_COOKIE),
        ("Client is not authorized to connect to Server", HandshakeStatus.NO_COOKIE),
        ("Invalid MIT-MAGIC-COOKIE-1 key", HandshakeStatus.WRONG_COOKIE),
        ("Invalid XDM-AUTHORIZATION-1 key (failed to find matching key)", HandshakeStatus.WRONG_COOKIE),
        ("Maximum number of clients reached", HandshakeStatus.SERVER_FULL),
        ("Connection refused because of the moon", HandshakeStatus.REJECTED),
        ("", HandshakeStatus.REJECTED),
    ],
)
def test_a_refusal_is_told_by_the_server_s_words(
    tmp_path: Path, order: ByteOrder, words: str, status: HandshakeStatus
) -> None:
    with serving(tmp_path / "s:0", answering(refusal(order.value, words))) as display:
        found = handshake(display, GOOD, 5, order=order)
    assert found.status is status
    assert found.reason == words.strip()
    assert found.address is not None
    assert found.setup is None


def test_a_full_server_that_answers_before_it_reads_is_still_understood(tmp_path: Path) -> None:
    def script(connection: socket.socket) -> None:
        connection.sendall(refusal("<", "Maximum number of clients reached"))
        connection.shutdown(socket.SHUT_RDWR)

    with serving(tmp_path / "s:0", script) as display:
        assert handshake(display, GOOD, 60).status is HandshakeStatus.SERVER_FULL


def test_an_end_of_file_is_told_from_a_refusal(tmp_path: Path) -> None:
    def hang_up(connection: socket.socket) -> None:
        read_setup(connection)

    with serving(tmp_path / "s:0", hang_up) as display:
        found = handshake(display, GOOD, 60)
    assert found.status is HandshakeStatus.CLOSED
    assert found.reason


@pytest.mark.parametrize("length", [1, 7, 8, 40, 100])
def test_an_end_of_file_inside_the_answer_is_the_same(tmp_path: Path, length: int) -> None:
    with serving(tmp_path / "s:0", answering(acceptance("<")[:length])) as display:
        assert handshake(display, GOOD, 60).status is HandshakeStatus.CLOSED


@pytest.mark.parametrize("banner", [b"SSH-2.0-OpenSSH_9.2p1\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_another_service_is_not_x11(tmp_path: Path, banner: bytes) -> None:
    with serving(tmp_path / "s:0", answering(banner)) as display:
        found = handshake(display, GOOD, 60)
    assert found.status is HandshakeStatus.NOT_X11
    assert "X11" in found.reason


def silent(connection: socket.socket, *, after: bytes, released: threading.Event) -> None:
    read_setup(connection)
    connection.sendall(after)
    released.wait(120)


@pytest.mark.parametrize("length", [0, 3, 8, 60], ids=lambda length: f"after-{length}-bytes")
def test_a_server_that_falls_silent_costs_the_timeout_and_no_more(tmp_path: Path, length: int) -> None:
    released = threading.Event()
    script = partial(silent, after=acceptance("<")[:length], released=released)
    with serving(tmp_path / "s:0", script) as display:
        start = time.monotonic()
        found = handshake(display, GOOD, 0.1)
        took = time.monotonic() - start
        released.set()
    assert found.status is HandshakeStatus.TIMEOUT
    assert "0.1 s" in found.reason
    assert 0.1 <= took < 60


def test_a_server_that_drips_is_cut_off_by_one_deadline_for_all(tmp_path: Path) -> None:
    released = threading.Event()

    def drip(connection: socket.socket) -> None:
        read_setup(connection)
        for one in acceptance("<"):
            connection.sendall(bytes([one]))
            if released.wait(0.1):  # 15 s for all of it
                return

    with serving(tmp_path / "s:0", drip) as display:
        start = time.monotonic()
        found = handshake(display, GOOD, 0.2)
        took = time.monotonic() - start
        released.set()
    assert found.status is HandshakeStatus.TIMEOUT
    assert took < 10


def test_a_missing_socket_is_told(tmp_path: Path) -> None:
    path = str(tmp_path / "none:0")
    found = handshake(parse_display(path), GOOD, 60)
    assert found.status is HandshakeStatus.NO_SOCKET
    assert found.reason == "No such file or directory"
    assert [str(one.address) for one in found.attempts] == [path]


def test_a_socket_that_nobody_listens_on_is_told_from_a_missing_one(tmp_path: Path) -> None:
    left_over = socket.socket(socket.AF_UNIX)
    left_over.bind(str(tmp_path / "s:0"))
    left_over.close()
    found = handshake(parse_display(str(tmp_path / "s:0")), GOOD, 60)
    assert found.status is HandshakeStatus.CONNECTION_REFUSED


def test_a_socket_with_a_screen_like_end_is_tried_as_a_whole_first(tmp_path: Path) -> None:
    with serving(tmp_path / "s:0", FakeServer()) as display:
        found = handshake(parse_display(f"{display.text}.1"), None, 60)
    assert [bool(one.error) for one in found.attempts] == [True, False]
    assert found.status is HandshakeStatus.NO_SCREEN
    assert found.reason == "there is no screen 1"


def test_a_closed_port_refuses_the_connection() -> None:
    with socket.socket() as closed:  # bound, so that nobody else takes it, and not listening
        closed.bind(("127.0.0.1", 0))
        display = DisplayName("", "127.0.0.1", int(closed.getsockname()[1]) - 6000, 0)
        found = handshake(display, GOOD, 60)
    assert found.status is HandshakeStatus.CONNECTION_REFUSED
    assert found.reason == "Connection refused"
    assert found.address is None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_tcp_works_by_address_and_by_name(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                answering(acceptance("<"))(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        found = handshake(DisplayName("", host, port - 6000, 0), GOOD, 60)
        thread.join(5)
    assert found.ok
    assert found.address == Address(AddressKind.TCP, host=host, port=port)


def test_a_name_that_does_not_resolve_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    found = handshake(parse_display("nowhere:0"), GOOD, 60)
    assert found.status is HandshakeStatus.UNKNOWN_HOST
    assert found.reason == "Name or service not known"


def test_a_name_that_cannot_be_one_is_told_and_not_a_crash() -> None:
    found = handshake(parse_display(f"{'x' * 70}.example:0"), GOOD, 60)
    assert found.status is HandshakeStatus.UNKNOWN_HOST


@pytest.mark.parametrize("host", ["a..b", "\udcff"])
def test_a_name_that_cannot_be_encoded_is_told_and_not_a_crash(host: str) -> None:
    assert handshake(parse_display(f"{host}:0"), GOOD, 60).status is HandshakeStatus.UNKNOWN_HOST


def test_a_socket_path_longer_than_the_system_allows_is_told_and_not_a_crash() -> None:
    found = handshake(parse_display(f"/{'x' * 200}:0"), GOOD, 60)
    assert found.status is HandshakeStatus.UNREACHABLE
    assert "too long" in found.reason


def test_a_resolver_that_hangs_costs_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def hang(*_: object, **__: object) -> list[object]:
        released.wait(120)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    start = time.monotonic()
    found = handshake(parse_display("slow:0"), GOOD, 0.1)
    assert time.monotonic() - start < 60
    released.set()
    assert found.status is HandshakeStatus.TIMEOUT


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (PermissionError(13, "Permission denied"), HandshakeStatus.NOT_PERMITTED),
        (OSError(113, "No route to host"), HandshakeStatus.UNREACHABLE),
        (TimeoutError(), HandshakeStatus.TIMEOUT),
        (NotADirectoryError(20, "Not a directory"), HandshakeStatus.NO_SOCKET),
    ],
)
def test_each_error_of_connecting_has_its_status(
    monkeypatch: pytest.MonkeyPatch, error: OSError, status: HandshakeStatus
) -> None:
    def fail(address: Address, deadline: Deadline) -> socket.socket:
        raise error

    monkeypatch.setattr(client, "open_address", fail)
    assert handshake(parse_display("host:0"), None, 1).status is status


def test_of_several_addresses_the_socket_file_s_error_is_the_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(address: Address, deadline: Deadline) -> socket.socket:
        if address.kind is AddressKind.UNIX:
            raise FileNotFoundError(2, "No such file or directory")
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(client, "open_address", fail)
    found = handshake(parse_display(":77"), None, 1)
    assert found.status is HandshakeStatus.NO_SOCKET
    assert found.attempts[-1].address == Address(AddressKind.TCP, host="localhost", port=6077)
    assert all(one.error for one in found.attempts)


def test_a_display_that_libxcb_would_not_even_try_has_no_socket() -> None:
    found = handshake(parse_display("tcp/:0"), None, 1)
    assert found.status is HandshakeStatus.NO_SOCKET
    assert found.attempts == ()


def test_connect_gives_an_open_connection(tmp_path: Path) -> None:
    with (
        serving(tmp_path / "s:0", FakeServer(cookie=GOOD.data)) as display,
        connect(display, GOOD, 60) as opened,
    ):
        assert opened.setup.vendor == VENDOR
        opened.round_trip()


def test_connect_raises_with_the_verdict_in_hand(tmp_path: Path) -> None:
    wrong = pytest.raises(HandshakeError, match="Invalid MIT-MAGIC-COOKIE-1 key")
    with serving(tmp_path / "s:0", FakeServer(cookie=GOOD.data)) as display, wrong as caught:
        connect(display, Cookie(b"w" * 16), 60)
    assert caught.value.handshake.status is HandshakeStatus.WRONG_COOKIE
    assert isinstance(caught.value, DisplayError)


def test_neither_verdict_nor_error_shows_the_cookie(tmp_path: Path) -> None:
    secret = Cookie(b"SECRETSECRETSECR")
    with serving(tmp_path / "s:0", FakeServer(cookie=GOOD.data)) as display:
        verdict = handshake(display, secret, 60)
        with pytest.raises(HandshakeError) as caught:
            connect(display, secret, 60)
    for shown in (repr(verdict), str(caught.value), repr(caught.value), repr(caught.value.handshake)):
        assert "SECRET" not in shown
        assert secret.data.hex() not in shown


def test_a_verdict_is_a_value() -> None:
    assert Handshake(HandshakeStatus.OK) == Handshake(HandshakeStatus.OK)
    assert Handshake(HandshakeStatus.CLOSED).vendor == ""
    assert Handshake(HandshakeStatus.CLOSED).release == 0
