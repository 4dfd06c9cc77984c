"""Packets made here are what a reader reads."""

import struct

from tests.unit.bridge.shared import samples
from x11fwd.bridge.shared import packets
from x11fwd.bridge.shared.setup import Refusal, read_setup
from x11fwd.bridge.shared.wire import ServerReader


def test_an_error_has_its_fields_where_the_protocol_says() -> None:
    for order in "<>":
        made = packets.error_packet(order, packets.BAD_WINDOW, 0x12345, 3, minor=7, value=0xABCDEF01)
        assert len(made) == 32
        assert struct.unpack_from(order + "BBHIHB", made) == (0, 3, 0x2345, 0xABCDEF01, 7, 3)


def test_a_reply_is_padded_to_32_bytes_and_to_full_units() -> None:
    for order in "<>":
        for size, units in ((0, 0), (24, 0), (25, 1), (28, 1), (1000, 244)):
            made = packets.reply_packet(order, 70000, 5, b"x" * size)
            assert struct.unpack_from(order + "BBHI", made) == (1, 5, 70000 & 0xFFFF, units)
            [packet] = ServerReader(order, greeted=True).feed(made)
            assert bytes(packet.data[8 : 8 + size]) == b"x" * size


def test_a_refusal_says_why() -> None:
    for order in "<>":
        for reason in ("No protocol specified\n", "", "x" * 300, "näh"):
            read = read_setup(packets.refusal_packet(order, reason), order)
            assert read == Refusal(0, reason.encode("ascii", "replace")[:255])


def test_a_sequence_number_is_patched_and_nothing_else() -> None:
    for order in "<>":
        event = samples.answer(order, 12, 5, second=9)
        assert packets.with_sequence(memoryview(event), 0x3FFFE, order) == samples.answer(
            order, 12, 0xFFFE, second=9
        )


def test_the_empty_requests() -> None:
    assert packets.empty_request(packets.NO_OPERATION, "<") == b"\x7f\0\x01\0"
    assert packets.empty_request(packets.GET_INPUT_FOCUS, ">") == b"\x2b\0\0\x01"


def test_the_error_codes_are_those_of_the_protocol() -> None:
    assert (packets.BAD_REQUEST, packets.BAD_WINDOW, packets.BAD_ATOM, packets.BAD_MATCH) == (1, 3, 5, 8)
    assert (packets.BAD_DRAWABLE, packets.BAD_ID_CHOICE) == (9, 14)
    assert (packets.BAD_NAME, packets.BAD_LENGTH, packets.BAD_IMPLEMENTATION) == (15, 16, 17)
