"""What programs are told of new windows without a question across the link, beside the X server's words."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

import pytest

from tests.lab.bridge_pair import BridgePair
from x11fwd.x11.authority import read_authority

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.lab.screen import Screen

CREATE_WINDOW, CHANGE_ATTRIBUTES, MAP_WINDOW, CONFIGURE_WINDOW, CHANGE_PROPERTY = 1, 2, 8, 12, 18
GET_ATTRIBUTES, INTERN_ATOM, QUERY_TREE, GET_PROPERTY, TRANSLATE = 3, 16, 15, 20, 40
GRAB_SERVER, UNGRAB_SERVER, GET_INPUT_FOCUS, QUERY_POINTER = 36, 37, 43, 38
CREATE_NOTIFY, MAP_NOTIFY, CONFIGURE_NOTIFY = 16, 19, 22
SUBSTRUCTURE, STRUCTURE = 1 << 19, 1 << 17
ONE_WAY = 0.05  # seconds
FAR = 0.5  # likewise, so that nobody who is slow seems to wait
LIMIT = 90.0
ATOM = 4
YOUR_EVENTS = 36  # in GetWindowAttributes' reply


class Program:
    """An X program by hand, in this machine's byte order."""

    def __init__(self, connected: socket.socket, cookie: bytes) -> None:
        self.socket = connected
        connected.settimeout(LIMIT)
        name = b"MIT-MAGIC-COOKIE-1"
        order = 0x6C if struct.pack("=H", 1)[0] else 0x42
        head = struct.pack("=BxHHHHxx", order, 11, 0, len(name), len(cookie))
        connected.sendall(head + name + bytes(-len(name) % 4) + cookie)
        reply = self._take(8)
        reply += self._take(4 * struct.unpack_from("=H", reply, 6)[0])
        assert reply[0] == 1, reply
        self._next = struct.unpack_from("=I", reply, 12)[0]
        vendor, formats = struct.unpack_from("=H", reply, 24)[0], reply[29]
        (self.root,) = struct.unpack_from("=I", reply, 40 + (vendor + 3 & ~3) + 8 * formats)
        name = b"_NET_WM_STATE"
        found = self.ask(INTERN_ATOM, struct.pack("=Hxx", len(name)) + name)
        self.atom = struct.unpack_from("=I", found, 6)[0]

    def _take(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            assert more, "the connection was closed"
            data += more
        return data

    def send(self, opcode: int, *words: int, body: bytes = b"", second: int = 0) -> None:
        body = struct.pack(f"={len(words)}I", *words) + body
        body += bytes(-len(body) % 4)
        self.socket.sendall(struct.pack("=BBH", opcode, second, 1 + len(body) // 4) + body)

    def ask(self, opcode: int, body: bytes = b"", words: tuple[int, ...] = ()) -> bytes:
        """The reply, without its number."""
        self.send(opcode, *words, body=body)
        return self._until({0, 1})

    def hear(self, kind: int) -> None:
        """Wait for an event."""
        self._until({kind})

    def _until(self, kinds: set[int]) -> bytes:
        while True:
            data = self._take(32)
            if data[0] == 1:
                data += self._take(4 * struct.unpack_from("=I", data, 4)[0])
            if data[0] & 0x7F in kinds:
                return data[:2] + data[4:]

    def window(self, events: int = STRUCTURE, inside: int = 0) -> int:
        self._next += 1
        sizes = struct.pack("=hhHHHHIII", 30, 40, 50, 60, 0, 1, 0, 1 << 11, events)
        self.send(CREATE_WINDOW, self._next, inside or self.root, body=sizes)
        return int(self._next)

    def questions(self, window: int) -> dict[str, bytes]:
        """All that is foreseen."""
        return {
            "attributes": self.ask(GET_ATTRIBUTES, words=(window,)),
            "tree": self.ask(QUERY_TREE, words=(window,)),
            "place": self.ask(TRANSLATE, words=(window, self.root, 0)),
            "inside": self.ask(TRANSLATE, words=(window, window, 0)),
            "state": self.ask(GET_PROPERTY, words=(window, self.atom, ATOM, 0, 1024)),
        }


@pytest.fixture
def pair(screen: Screen) -> Iterator[BridgePair]:
    with BridgePair(screen, delay=ONE_WAY) as one:
        yield one


def bridged(pair: BridgePair) -> Program:
    number = int(pair.display.partition(":")[2].partition(".")[0])
    connected = socket.create_connection(("127.0.0.1", 6000 + number), timeout=LIMIT)
    return Program(connected, read_authority(pair.authority).records[0].data)


@pytest.fixture
def outsider(screen: Screen) -> Iterator[Program]:
    """A program of the screen itself."""
    with socket.socket(socket.AF_UNIX) as connected:
        connected.connect(f"/tmp/.X11-unix/X{screen.display.lstrip(':')}")
        yield Program(connected, bytes.fromhex(screen.cookie))


def mapped(program: Program) -> int:
    window = program.window()
    program.send(MAP_WINDOW, window)
    program.hear(MAP_NOTIFY)
    return window


def for_program(answers: dict[str, bytes], like: dict[str, bytes]) -> dict[str, bytes]:
    """The outsider's answers with the program's own events (and without the number)."""
    at = YOUR_EVENTS - 2
    mine = like["attributes"][at : at + 4]
    return answers | {"attributes": answers["attributes"][:at] + mine + answers["attributes"][at + 4 :]}


def test_a_new_window_is_asked_about_without_a_round_trip_and_all_is_true(
    screen: Screen, outsider: Program
) -> None:
    with BridgePair(screen, delay=FAR) as pair:
        program = bridged(pair)
        window = mapped(program)
        before = pair.counts()["bursts"]
        found = program.questions(window)
        # what is sent in their places goes up in one burst, or in two
        assert pair.counts()["bursts"] - before <= 2
        assert found == for_program(outsider.questions(window), found)
        assert struct.unpack_from("=I", found["attributes"], YOUR_EVENTS - 2)[0] == STRUCTURE


def test_once_the_program_has_heard_of_a_change_its_answers_have_it(
    pair: BridgePair, outsider: Program
) -> None:
    program = bridged(pair)
    window = mapped(program)
    for step in range(12):
        sizes = struct.pack("=HxxII", 3, 70 + step, 80)
        outsider.send(CONFIGURE_WINDOW, window, body=sizes)
        program.hear(CONFIGURE_NOTIFY)
        found = program.questions(window)
        assert found == for_program(outsider.questions(window), found)
        assert struct.unpack_from("=h", found["place"], 10)[0] == 70 + step


def test_what_another_program_of_the_display_has_heard_counts_for_all(
    pair: BridgePair, outsider: Program
) -> None:
    program, other = bridged(pair), bridged(pair)
    window = mapped(program)
    other.send(CHANGE_ATTRIBUTES, window, 1 << 11, SUBSTRUCTURE)
    other.ask(QUERY_POINTER, words=(other.root,))
    for count in range(1, 7):
        sizes = struct.pack("=HxxI", 1, 90 + count)  # so that the program is told something, and looks
        outsider.send(CONFIGURE_WINDOW, window, body=sizes)
        program.hear(CONFIGURE_NOTIFY)
        outsider.window(inside=window)
        other.hear(CREATE_NOTIFY)
        tree = program.ask(QUERY_TREE, words=(window,))
        assert struct.unpack_from("=H", tree, 14)[0] == count


def test_the_program_s_own_changes_count_at_once(pair: BridgePair) -> None:
    program = bridged(pair)
    window = mapped(program)
    program.send(CHANGE_PROPERTY, window, program.atom, ATOM, 32, 1, program.atom)
    state = program.ask(GET_PROPERTY, words=(window, program.atom, ATOM, 0, 1024))
    assert struct.unpack_from("=I", state, 6)[0] == ATOM
    inside = program.window(inside=window)
    tree = program.ask(QUERY_TREE, words=(window,))
    assert struct.unpack_from("=I", tree, 30)[0] == inside


def test_a_grab_of_another_program_holds_up_nothing_but_the_server(pair: BridgePair) -> None:
    program, other = bridged(pair), bridged(pair)
    window = program.window()
    program.send(MAP_WINDOW, window)
    other.send(GRAB_SERVER)
    other.ask(QUERY_POINTER, words=(other.root,))
    other.send(UNGRAB_SERVER)
    program.hear(MAP_NOTIFY)
    assert program.questions(window)["tree"][6:10] == struct.pack("=I", program.root)
