"""One program on the remote half: what travels, what is answered here, and in which order."""

import struct
from typing import List, Tuple

from tests.unit.bridge.shared import samples
from tests.unit.bridge.shared.anywhere import raises
from x11fwd.bridge.remote.knowledge import Knowledge
from x11fwd.bridge.remote.program import Program
from x11fwd.bridge.shared.faults import WireFault
from x11fwd.bridge.shared.records import RecordReader
from x11fwd.bridge.shared.setup import Setup, read_setup
from x11fwd.bridge.shared.topics import CONSTANT
from x11fwd.bridge.shared.wire import ProgramReader

NO_OPERATION, QUERY_POINTER, QUERY_EXTENSION, INTERN_ATOM, MAP_WINDOW = 127, 38, 98, 16, 8


class Side:
    """A program in byte order `order`, and what the X server would get from it."""

    def __init__(self, order: str = "<") -> None:
        setup = read_setup(samples.setup(order), order)
        assert isinstance(setup, Setup)
        self.order = order
        self.knowledge = Knowledge("<")
        self.program = Program(order, setup, self.knowledge, None)
        self._reader = ProgramReader()
        assert self._reader.feed(samples.greeting(order)) == []
        self._records = RecordReader()
        self._server = ProgramReader()
        assert self._server.feed(samples.greeting(order)) == []

    def asks(self, opcode: int, second: int = 0, body: bytes = b"") -> "List[int]":
        """The program sends one request; opcodes of what goes to the X server."""
        self.program.requests(self._reader.feed(samples.request(self.order, opcode, second, body)))
        came = []
        for data in self.program.take_upstream():
            for record in self._records.feed(bytes(data)):
                came += self._server.feed(bytes(record[1]))
        return [request.opcode for request in came]

    def hears(self, kind: int, number: int, second: int = 0, extra: bytes = b"") -> None:
        self.program.packets(samples.answer(self.order, kind, number, extra, second))

    def gets(self) -> "List[Tuple[int, int]]":
        """Kind and number of what the program gets."""
        data = b"".join(bytes(one) for one in self.program.take_answers())
        return [
            (data[at], struct.unpack_from(self.order + "H", data, at + 2)[0])
            for at in range(0, len(data), 32)
        ]

    def name(self, name: bytes) -> bytes:
        return struct.pack(self.order + "Hxx", len(name)) + name + bytes(-len(name) % 4)

    def knows(self, name: bytes, major: int) -> None:
        """QueryExtension's reply is a fact."""
        request = samples.request("<", QUERY_EXTENSION, 0, self.name(name))
        reply = bytearray(samples.answer("<", 1, 0))
        reply[8:12] = bytes((1, major, 90, 150))
        self.knowledge.learn(CONSTANT, request, bytes(reply))


def test_what_nobody_knows_travels_and_its_answer_comes_back() -> None:
    for order in "<>":
        side = Side(order)
        assert side.asks(QUERY_POINTER, body=bytes(4)) == [QUERY_POINTER]
        assert side.gets() == []
        side.hears(1, 1)
        assert side.gets() == [(1, 1)]


def test_a_known_extension_is_answered_here_and_the_server_counts_on() -> None:
    side = Side()
    side.knows(b"RENDER", 139)
    assert side.asks(QUERY_EXTENSION, body=side.name(b"RENDER")) == [NO_OPERATION]
    assert side.gets() == [(1, 1)]
    assert side.asks(QUERY_POINTER, body=bytes(4)) == [QUERY_POINTER]
    side.hears(1, 2)
    assert side.gets() == [(1, 2)]


def test_an_answer_given_here_does_not_overtake_one_that_travels() -> None:
    side = Side()
    side.knows(b"RENDER", 139)
    side.asks(QUERY_POINTER, body=bytes(4))
    side.asks(QUERY_EXTENSION, body=side.name(b"RENDER"))
    assert side.gets() == []
    side.hears(1, 1)
    assert side.gets() == [(1, 1), (1, 2)]


def test_an_answer_waits_for_the_error_that_an_earlier_request_may_still_bring() -> None:
    side = Side()
    side.knows(b"RENDER", 139)
    assert side.asks(MAP_WINDOW, body=struct.pack("<I", 0x777)) == [MAP_WINDOW]  # nobody's window
    (sync,) = side.asks(QUERY_EXTENSION, body=side.name(b"RENDER"))
    assert sync == 43  # GetInputFocus, to hear when the server is done
    assert side.gets() == []
    side.hears(0, 1, second=3)
    side.hears(1, 2)
    assert side.gets() == [(0, 1), (1, 2)]


def test_extensions_that_need_one_machine_are_absent_and_their_requests_refused() -> None:
    side = Side()
    side.knows(b"MIT-SHM", 130)
    assert side.asks(QUERY_EXTENSION, body=side.name(b"MIT-SHM")) == [NO_OPERATION]
    answer = b"".join(bytes(one) for one in side.program.take_answers())
    assert answer[8] == 0  # not present
    assert side.asks(130, 0) == [NO_OPERATION]
    assert side.gets() == [(0, 2)]


def test_an_atom_learned_by_one_program_is_known_to_the_next() -> None:
    side = Side()
    assert side.asks(INTERN_ATOM, body=side.name(b"_MY_ATOM")) == [INTERN_ATOM]
    reply = bytearray(samples.answer("<", 1, 1))
    struct.pack_into("<I", reply, 8, 400)
    side.program.packets(bytes(reply))
    assert side.gets() == [(1, 1)]
    assert side.asks(INTERN_ATOM, body=side.name(b"_MY_ATOM")) == [NO_OPERATION]
    answer = b"".join(bytes(one) for one in side.program.take_answers())
    assert struct.unpack_from("<I", answer, 8) == (400,)


def test_a_server_that_answers_what_nobody_asked_is_a_fault() -> None:
    side = Side()
    with raises(WireFault, "request 5 of 0"):
        side.hears(1, 5)


def test_requests_that_are_too_short_for_a_rule_travel() -> None:
    side = Side()
    for opcode in range(1, 120):
        side.asks(opcode)
    for number in range(1, 120):
        side.hears(0, number, second=16)
    assert side.gets()[-1][0] in {0, 1}
