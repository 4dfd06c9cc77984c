"""Requests and answers are cut out of any chunks in both byte orders; hostile bytes end in a WireFault."""

import random
from typing import List, Tuple

from tests.unit.bridge.shared import samples
from tests.unit.bridge.shared.anywhere import raises
from x11fwd.bridge.shared.faults import WireFault
from x11fwd.bridge.shared.setup import Refusal, Setup
from x11fwd.bridge.shared.wire import (
    KEYMAP_NOTIFY,
    LONG_REQUEST,
    Packet,
    ProgramReader,
    Request,
    ServerReader,
)

BIG = 133  # opcode of BIG-REQUESTS on this display
SIZES = [[1], [3], [4], [7, 1, 2], [31, 33], [1 << 20]]


def greeted(order: str) -> ProgramReader:
    reader = ProgramReader()
    assert reader.feed(samples.greeting(order)) == []
    return reader


def plain(requests: "List[Request]") -> "List[Tuple[int, int, int, bytes, int]]":
    return [(one.number, one.opcode, one.minor, bytes(one.data), one.body) for one in requests]


def test_requests_are_cut_whatever_the_chunks() -> None:
    for order in "<>":
        made = [
            samples.request(order, 98, 7, b"abcdefgh"),
            samples.request(order, 43),
            samples.request(order, BIG, 0),
            samples.long_request(order, 72, 2, b"pixl" * 70000),
            samples.request(order, 127),
            samples.long_request(order, 55),
            samples.request(order, 139, 4, bytes(65534 * 4)),
        ]
        expected = [
            (number + 1, data[0], data[1], data, 8 if data[2:4] == b"\0\0" else 4)
            for number, data in enumerate(made)
        ]
        for sizes in SIZES[2:]:
            reader = ProgramReader()
            reader.big_requests = BIG
            found = []
            for chunk in samples.chunks(samples.greeting(order) + b"".join(made), sizes):
                found += reader.feed(chunk)
            assert plain(found) == expected
            assert reader.greeting is not None
            assert reader.greeting.order == order
            assert reader.number == 7


def test_every_cut_of_a_short_conversation_gives_the_same_requests() -> None:
    data = samples.greeting("<") + samples.request("<", BIG) + samples.long_request("<", 2, 3, b"wxyz")
    data += samples.request("<", 127)
    for first in range(len(data)):
        for second in range(first, len(data), 3):
            reader = ProgramReader()
            reader.big_requests = BIG
            found = []
            for piece in (data[:first], data[first:second], data[second:]):
                found += reader.feed(piece)
            assert [one.opcode for one in found] == [BIG, 2, 127]


def test_a_request_in_one_chunk_is_not_copied() -> None:
    reader = greeted("<")
    chunk = samples.request("<", 72, 2, bytes(40000)) + samples.request("<", 127)
    image, nothing = reader.feed(chunk)
    assert image.data.obj is chunk
    assert nothing.data.obj is chunk


def test_a_claimed_length_takes_no_memory() -> None:
    reader = greeted("<")
    reader.big_requests = BIG
    reader.feed(samples.request("<", BIG))
    reader.feed(b"\x48\x02\0\0" + (0x1000000).to_bytes(4, "little"))
    assert len(reader._part) == 8
    reader.feed(bytes(5000))
    assert len(reader._part) == 5008


def test_length_zero_without_big_requests_is_a_fault_after_what_came_before() -> None:
    reader = greeted("<")
    found = reader.feed(samples.request("<", 127) + samples.long_request("<", 72))
    assert [one.opcode for one in found] == [127]
    for _ in range(2):
        with raises(WireFault, "length 0 without BIG-REQUESTS"):
            reader.feed(b"")


def test_big_requests_begin_after_enable_and_not_with_another_request_of_the_extension() -> None:
    for enable in (samples.request("<", BIG, 1), samples.request("<", BIG, 0, bytes(4)), b""):
        reader = greeted("<")
        reader.big_requests = BIG
        reader.feed(enable)
        with raises(WireFault, "length 0"):
            reader.feed(samples.long_request("<", 72))
    reader = greeted("<")
    reader.feed(samples.request("<", BIG))  # the program cannot know the opcode yet
    with raises(WireFault, "length 0"):
        reader.feed(samples.long_request("<", 72))


def test_a_length_beyond_the_limit_is_a_fault() -> None:
    for units in (0, 1, LONG_REQUEST + 1, 0xFFFFFFFF):
        for cut in (4, 8):
            reader = greeted(">")
            reader.big_requests = BIG
            reader.feed(samples.request(">", BIG))
            data = b"\x48\x02\0\0" + units.to_bytes(4, "big")
            with raises(WireFault, "request of %d units" % units):
                reader.feed(data[:cut])
                reader.feed(data[cut:])


def test_numbers_of_requests_do_not_wrap() -> None:
    reader = greeted("<")
    found = reader.feed(samples.request("<", 127) * 70000)
    assert found[-1].number == reader.number == 70000


def numbers(packets: "List[Packet]") -> "List[Tuple[int, int, int]]":
    return [(one.kind, one.number, len(one.data)) for one in packets]


def test_answers_are_cut_whatever_the_chunks() -> None:
    for order in "<>":
        made = [
            samples.answer(order, 1, 1, b"data" * 1000),
            samples.answer(order, 0, 3, second=3),
            samples.answer(order, 12, 3),
            samples.answer(order, 0x80 | 33, 4),
            samples.answer(order, 35, 5, b"gene" * 7),
            samples.answer(order, 0x80 | 35, 6)[:4] + b"\xff" * 28,
            samples.answer(order, 1, 0xFFFF),
            b"\x0b" + b"k" * 31,
            samples.answer(order, 9, 2),
        ]
        expected = [
            (1, 1, 4032),
            (0, 3, 32),
            (12, 3, 32),
            (33, 4, 32),
            (35, 5, 60),
            (35, 6, 32),
            (1, 0xFFFF, 32),
            (KEYMAP_NOTIFY, 0xFFFF, 32),
            (9, 0x10002, 32),
        ]
        for sizes in SIZES:
            reader = ServerReader(order)
            found = []
            for chunk in samples.chunks(samples.setup(order) + b"".join(made), sizes):
                found += reader.feed(chunk)
            assert numbers(found) == expected
            assert [bytes(one.data) for one in found] == made
            assert isinstance(reader.setup, Setup)
            assert reader.number == 0x10002


def test_numbers_of_answers_go_on_over_the_wrap() -> None:
    reader = ServerReader("<", greeted=True)
    for number in range(0, 400000, 65535):
        assert numbers(reader.feed(samples.answer("<", 12, number))) == [(12, number, 32)]


def test_a_keymap_notify_that_was_sent_has_no_number_either() -> None:
    reader = ServerReader("<", greeted=True)
    reader.feed(samples.answer("<", 1, 7))
    assert numbers(reader.feed(b"\x8b" + b"\xff" * 31)) == [(KEYMAP_NOTIFY, 7, 32)]


def test_a_server_that_refuses_has_no_more_to_say() -> None:
    refusal = b"\0\x04\x0b\0\0\0\x01\0nope"
    reader = ServerReader("<")
    assert reader.feed(refusal) == []
    assert reader.setup == Refusal(0, b"nope")
    with raises(WireFault, "after it has refused"):
        reader.feed(b"x")
    with raises(WireFault, "after it has refused"):
        ServerReader("<").feed(refusal + b"x")


def test_a_giant_answer_is_a_fault() -> None:
    for kind in (1, 35):
        for cut in (0, 32):
            reader = ServerReader("<", greeted=True, longest=1 << 20)
            data = bytes([kind, 0, 0, 0]) + (1 << 18).to_bytes(4, "little") + bytes(24)
            with raises(WireFault, "packet of 1048608 bytes"):
                reader.feed(data[:cut])
                reader.feed(data[cut:])


def test_any_bytes_make_packets_or_a_wire_fault() -> None:
    chance = random.Random(1)
    for turn in range(500):
        order = chance.choice("<>")
        program = greeted(order)
        program.big_requests = BIG
        server = ServerReader(order, greeted=bool(turn & 1))
        try:
            for _ in range(8):
                kinds = [0, 1, 2, 4, 8, 35, BIG, chance.randrange(256)]
                data = bytes(chance.choice(kinds) for _ in range(chance.randrange(60)))
                for request in program.feed(data):
                    assert len(request.data) >= request.body
                server.feed(data)
        except WireFault:
            continue
