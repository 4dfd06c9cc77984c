"""Questions on an open connection: answers, errors, silences."""

from __future__ import annotations

import socket
import struct
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.unit.x11.fake_server import (
    ROOT,
    FakeServer,
    FakeWindow,
    acceptance,
    read_exactly,
    read_setup,
    serving,
)
from x11fwd.errors import DisplayError
from x11fwd.x11 import requests as rq
from x11fwd.x11.client import connect
from x11fwd.x11.connection import Connection, decode_text
from x11fwd.x11.faults import (
    BadDrawableError,
    BadMatchError,
    BadWindowError,
    DisplayLostError,
    DisplayTimeoutError,
    MalformedAnswerError,
)
from x11fwd.x11.stream import Stream
from x11fwd.x11.wire import ByteOrder, Setup, parse_setup

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FRAME, TOP, INNER, LONE = 0x201, 0x202, 0x203, 0x301


@pytest.fixture
def server() -> FakeServer:
    return FakeServer(
        windows=[
            FakeWindow(FRAME, x=100, y=50, width=60, height=60),
            FakeWindow(TOP, FRAME, x=5, y=20),
            FakeWindow(INNER, TOP, x=-1, y=-2, map_state=1),
            FakeWindow(LONE, map_state=0),
        ]
    )


@pytest.fixture(params=list(ByteOrder), ids=["little", "big"])
def connection(request: pytest.FixtureRequest, tmp_path: Path, server: FakeServer) -> Iterator[Connection]:
    with (
        serving(tmp_path / "s:0", server) as display,
        connect(display, None, 5, order=request.param) as opened,
    ):
        yield opened


def test_extensions_and_atoms_are_asked_for(connection: Connection) -> None:
    assert connection.query_extension("RENDER") == rq.ExtensionAnswer(True, 139, 80, 140)
    assert not connection.query_extension("MIT-SHM").present
    assert connection.list_extensions() == ("SECURITY", "RENDER")
    assert connection.extensions_present(["RENDER", "MIT-SHM"]) == frozenset({"RENDER"})
    assert connection.atom("_NET_WM_NAME") == 100
    assert connection.atom("NEVER_MADE") == rq.NO_ATOM


def test_the_tree_is_walked_level_by_level(connection: Connection) -> None:
    assert connection.tree(ROOT) == rq.Tree(ROOT, 0, (FRAME, LONE))
    assert connection.windows() == [FRAME, LONE, TOP, INNER]
    assert connection.windows(depth=1) == [FRAME, LONE]
    assert connection.windows(depth=2) == [FRAME, LONE, TOP]


def test_a_window_that_vanishes_during_the_walk_is_passed_over(
    connection: Connection, server: FakeServer
) -> None:
    server.windows[0].vanishes = True
    assert connection.trees([FRAME, LONE]) == [None, rq.Tree(ROOT, ROOT, ())]
    assert connection.windows() == [FRAME, LONE]
    assert connection.properties([FRAME, LONE], [rq.ATOM_WM_NAME]) == [[None], [rq.Property(0, 0, b"")]]


def test_geometry_and_position_and_attributes(connection: Connection) -> None:
    assert connection.geometry(TOP) == rq.Geometry(ROOT, 24, 5, 20, 40, 30, 0)
    assert connection.absolute_position(TOP) == (105, 70)
    assert connection.absolute_position(INNER) == (104, 68)
    assert connection.attributes(TOP).map_state is rq.MapState.VIEWABLE
    assert connection.attributes(INNER).map_state is rq.MapState.UNVIEWABLE
    assert connection.attributes(LONE).map_state is rq.MapState.UNMAPPED
    assert connection.attributes(TOP).input_output


def test_a_vanished_window_is_a_typed_error_and_the_connection_goes_on(connection: Connection) -> None:
    with pytest.raises(BadWindowError) as caught:
        connection.attributes(0xDEAD)
    assert caught.value.resource == 0xDEAD
    with pytest.raises(BadDrawableError):
        connection.geometry(0xDEAD)
    with pytest.raises(BadDrawableError):
        connection.get_image(0xDEAD, 0, 0, 1, 1)
    connection.round_trip()


def test_properties_are_read_as_text_and_numbers(connection: Connection, server: FakeServer) -> None:
    server.windows[1].properties = {
        "WM_NAME": ("STRING", 8, "Köln".encode("latin-1")),
        "_NET_WM_NAME": ("UTF8_STRING", 8, "Köln → Ufa".encode()),
    }
    assert connection.text_property(TOP, rq.ATOM_WM_NAME) == "Köln"
    assert connection.text_property(TOP, connection.atom("_NET_WM_NAME")) == "Köln → Ufa"
    assert connection.text_property(TOP, rq.ATOM_WM_CLIENT_MACHINE) is None
    assert connection.number_property(TOP, rq.ATOM_WM_NAME) is None
    assert connection.number_property(TOP, connection.atom("_NET_WM_PID")) is None


@pytest.mark.parametrize("order", list(ByteOrder))
def test_a_process_number_is_read_in_the_connection_s_byte_order(tmp_path: Path, order: ByteOrder) -> None:
    data = struct.pack(f"{order.value}I", 4711)
    window = FakeWindow(TOP, properties={"_NET_WM_PID": ("CARDINAL", 32, data)})
    with (
        serving(tmp_path / "s:0", FakeServer(windows=[window])) as display,
        connect(display, None, 5, order=order) as connection,
    ):
        assert connection.number_property(TOP, connection.atom("_NET_WM_PID")) == 4711


def test_an_atom_that_nobody_made_is_no_property_and_costs_no_question(
    connection: Connection, server: FakeServer
) -> None:
    asked = len(server.requests)
    assert connection.property(TOP, rq.NO_ATOM) == rq.Property(0, 0, b"")
    assert len(server.requests) == asked


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (rq.Property(0, 0, b""), None),
        (rq.Property(rq.ATOM_STRING, 8, b"a\xe9\0"), "aé"),
        (rq.Property(300, 8, "aé".encode()), "aé"),
        (rq.Property(300, 8, b"a\xe9"), "a�"),
        (rq.Property(rq.ATOM_STRING, 8, b""), ""),
        (rq.Property(rq.ATOM_STRING, 32, b"abcd"), None),
    ],
)
def test_text_is_decoded_by_its_type(found: rq.Property, text: str | None) -> None:
    assert decode_text(found) == text


def test_a_long_list_of_questions_is_answered_in_order(connection: Connection) -> None:
    names = ["RENDER", "NONE"] * 150
    asked = [rq.encode_query_extension(connection._order, name) for name in names]
    answers = connection.ask_all(asked)
    assert [bytes(one)[8] for one in answers if isinstance(one, bytes)] == [1, 0] * 150


def test_more_than_65536_questions_keep_their_numbers(tmp_path: Path) -> None:
    with serving(tmp_path / "s:0", FakeServer()) as display, connect(display, None, 60) as connection:
        connection.ask_all([rq.encode_get_input_focus(ByteOrder.LITTLE)] * 66000)
        connection.round_trip()


@pytest.mark.parametrize("kind", [34, 34 | 0x80])
def test_events_between_answers_are_passed_over(tmp_path: Path, kind: int) -> None:
    event = struct.pack("<BxH28x", kind, 0)  # MappingNotify comes to every client, asked for or not
    generic = struct.pack("<BBHI24x", 35, 131, 0, 2) + b"\xff" * 8
    server = FakeServer(before_each_answer=event + generic)
    with serving(tmp_path / "s:0", server) as display, connect(display, None, 60) as connection:
        assert connection.list_extensions() == ("SECURITY", "RENDER")


def test_screen_1_of_two_is_the_one_that_display_names(tmp_path: Path) -> None:
    def two(order: str) -> bytes:
        return acceptance(order, screens=2)

    path = tmp_path / "s:0"
    with serving(path, FakeServer(setup=two)) as display:
        with connect(display, None, 60) as connection:
            assert connection.screen.root == ROOT
        with connect(type(display)("unix", "", 0, 1, socket_path=str(path)), None, 60) as connection:
            assert connection.screen.root == ROOT + 1


# Pictures


def test_a_picture_carries_the_layout_of_its_visual(connection: Connection, server: FakeServer) -> None:
    server.image = lambda _number, _x, _y, width, height: struct.pack("<I", 0x102030) * (width * height)
    image = connection.get_image(ROOT, 0, 0, 3, 2)
    assert (image.width, image.height, image.depth) == (3, 2, 24)
    assert image.pixel(2, 1) == (0x10, 0x20, 0x30)


def test_a_rectangle_that_is_not_on_screen_is_a_bad_match(connection: Connection) -> None:
    with pytest.raises(BadMatchError):
        connection.get_image(TOP, 0, 0, 1, 1)


def test_a_colour_mapped_picture_is_refused_with_what_to_do(tmp_path: Path) -> None:
    def mapped(order: str) -> bytes:
        return acceptance(order, depth=8, bits=8, visual_class=3, masks=(0, 0, 0))

    server = FakeServer(setup=mapped, image_depth=8, image=lambda *_: b"\0" * 4)
    with (
        serving(tmp_path / "s:0", server) as display,
        connect(display, None, 60) as connection,
        pytest.raises(DisplayError, match="colour map") as caught,
    ):
        connection.get_image(ROOT, 0, 0, 4, 1)
    assert "16, 24 or 30" in caught.value.hint


def test_a_picture_of_an_unknown_depth_is_malformed(connection: Connection, server: FakeServer) -> None:
    server.image_depth = 17
    server.image = lambda *_: b"\0" * 4
    with pytest.raises(MalformedAnswerError, match="depth 17"):
        connection.get_image(ROOT, 0, 0, 1, 1)


def test_a_picture_shorter_than_asked_for_is_malformed(connection: Connection, server: FakeServer) -> None:
    server.image = lambda *_: b"\0" * 4
    with pytest.raises(MalformedAnswerError):
        connection.get_image(ROOT, 0, 0, 2, 2)


# Lost and silent servers


def test_a_server_that_falls_silent_is_a_timeout_and_closes_the_connection(tmp_path: Path) -> None:
    released = threading.Event()

    def script(connection: socket.socket) -> None:
        connection.sendall(acceptance(read_setup(connection)[0]))
        released.wait(120)

    with serving(tmp_path / "s:0", script) as display, connect(display, None, 60) as connection:
        connection.timeout = 0.1
        start = time.monotonic()
        with pytest.raises(DisplayTimeoutError, match=r"0\.1 s"):
            connection.round_trip()
        assert time.monotonic() - start < 60
        with pytest.raises(DisplayLostError):
            connection.round_trip()
        released.set()


def test_one_question_may_have_its_own_timeout(tmp_path: Path) -> None:
    released = threading.Event()

    def script(connection: socket.socket) -> None:
        connection.sendall(acceptance(read_setup(connection)[0]))
        released.wait(120)

    with serving(tmp_path / "s:0", script) as display, connect(display, None, 60) as connection:
        with pytest.raises(DisplayTimeoutError, match=r"0\.05 s"):
            connection.round_trip(timeout=0.05)
        released.set()


def test_a_server_that_takes_nothing_is_a_timeout() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        connection = Connection(Stream(ours), a_setup(), ByteOrder.LITTLE, 0.1)
        huge = rq.encode_no_operation(ByteOrder.LITTLE) * 4_000_000
        with pytest.raises(DisplayTimeoutError, match="took no request"):
            connection.ask(huge)


def a_setup() -> Setup:
    setup = parse_setup(ByteOrder.LITTLE, acceptance("<"))
    assert isinstance(setup, Setup)
    return setup


def test_a_server_that_goes_away_is_told() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        connection = Connection(Stream(ours), a_setup(), ByteOrder.LITTLE, 5)
        theirs.close()
        with pytest.raises(DisplayLostError):
            connection.round_trip()


def test_a_server_that_goes_away_inside_an_answer_is_told() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        connection = Connection(Stream(ours), a_setup(), ByteOrder.LITTLE, 5)
        theirs.sendall(struct.pack("<BBHI", 1, 0, 1, 1000))
        theirs.shutdown(socket.SHUT_WR)
        with pytest.raises(DisplayLostError):
            connection.round_trip()
        theirs.close()


def test_an_answer_to_a_question_never_asked_is_malformed() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        connection = Connection(Stream(ours), a_setup(), ByteOrder.LITTLE, 5)
        theirs.sendall(struct.pack("<BBHI24x", 1, 0, 77, 0))
        with pytest.raises(MalformedAnswerError, match="not sent"):
            connection.round_trip()
        assert read_exactly(theirs, 4) == rq.encode_get_input_focus(ByteOrder.LITTLE)


def test_a_screen_that_is_not_there_is_refused_and_the_socket_closed() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        with pytest.raises(DisplayError, match="names screen 3"):
            Connection(Stream(ours), a_setup(), ByteOrder.LITTLE, 5, screen=3)
        assert theirs.recv(1) == b""
