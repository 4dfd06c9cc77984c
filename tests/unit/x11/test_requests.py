"""Requests byte for byte as the protocol's encoding chapter lays them out, and short replies."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from x11fwd.x11 import requests as rq
from x11fwd.x11.faults import MalformedAnswerError
from x11fwd.x11.wire import ByteOrder

LITTLE, BIG = ByteOrder.LITTLE, ByteOrder.BIG


@pytest.mark.parametrize(
    ("request_bytes", "expected"),
    [
        (rq.encode_no_operation(LITTLE), "7f000100"),
        (rq.encode_get_input_focus(BIG), "2b000001"),
        (rq.encode_query_extension(LITTLE, "RENDER"), "620004000600000052454e4445520000"),
        (rq.encode_query_extension(BIG, "RENDER"), "620000040006000052454e4445520000"),
        (rq.encode_list_extensions(LITTLE), "63000100"),
        (rq.encode_list_hosts(BIG), "6e000001"),
        (rq.encode_intern_atom(LITTLE, "ABCD"), "100103000400000041424344"),
        (rq.encode_intern_atom(LITTLE, "A", only_if_exists=False), "100003000100000041000000"),
        (rq.encode_query_tree(LITTLE, 0x123), "0f00020023010000"),
        (rq.encode_query_tree(BIG, 0x123), "0f00000200000123"),
        (rq.encode_get_geometry(LITTLE, 1), "0e00020001000000"),
        (rq.encode_get_attributes(LITTLE, 1), "0300020001000000"),
        (
            rq.encode_get_property(BIG, 1, 39, limit=9),
            "140000060000000100000027000000000000000000000003",
        ),
        (rq.encode_translate(BIG, 1, 2, -1, 3), "280000040000000100000002ffff0003"),
        (
            rq.encode_get_image(BIG, 1, -2, 3, width=640, height=480),
            "4902000500000001fffe0003028001e0ffffffff",
        ),
    ],
)
def test_a_request_is_encoded_byte_for_byte(request_bytes: bytes, expected: str) -> None:
    assert request_bytes.hex() == expected


def reply(order: ByteOrder, detail: int, fixed: bytes, extra: bytes = b"") -> bytes:
    extra += b"\0" * (-len(extra) % 4)
    head = struct.pack(f"{order.value}BBHI", 1, detail, 1, len(extra) // 4)
    return head + fixed.ljust(24, b"\0") + extra


def test_a_list_of_extensions_is_read_name_by_name() -> None:
    assert rq.parse_list_extensions(reply(LITTLE, 2, b"", b"\x05SHAPE\x08SECURITY")) == ("SHAPE", "SECURITY")
    assert rq.parse_list_extensions(reply(LITTLE, 0, b"")) == ()


@pytest.mark.parametrize("order", list(ByteOrder))
def test_negative_positions_stay_negative(order: ByteOrder) -> None:
    fixed = struct.pack(f"{order.value}IhhHHH", 1, -5, -7, 10, 20, 2)
    assert rq.parse_geometry(order, reply(order, 24, fixed)) == rq.Geometry(1, 24, -5, -7, 10, 20, 2)
    fixed = struct.pack(f"{order.value}Ihh", 9, -3, -4)
    assert rq.parse_translate(order, reply(order, 1, fixed)) == rq.Position(True, 9, -3, -4)


@pytest.mark.parametrize("bits", [8, 16, 32])
def test_a_property_s_length_counts_items_and_not_bytes(bits: int) -> None:
    fixed = struct.pack("<III", 31, 5, 2)
    data = bytes(range(bits // 4)) + b"beyond"
    found = rq.parse_property(LITTLE, reply(LITTLE, bits, fixed, data))
    assert found == rq.Property(31, bits, bytes(range(bits // 4)), 5)


def test_a_missing_property_has_no_type() -> None:
    assert rq.parse_property(LITTLE, reply(LITTLE, 0, b"")) == rq.Property(0, 0, b"")


Parser = Callable[[ByteOrder, bytes], object]


@pytest.mark.parametrize(
    "parser",
    [
        rq.parse_query_extension,
        rq.parse_intern_atom,
        rq.parse_query_tree,
        rq.parse_geometry,
        rq.parse_attributes,
        rq.parse_property,
        rq.parse_translate,
        rq.parse_image,
    ],
)
def test_a_reply_cut_short_is_malformed(parser: Parser) -> None:
    with pytest.raises(MalformedAnswerError):
        parser(LITTLE, b"\x01\x00\x01\x00\x00\x00\x00\x00")


@pytest.mark.parametrize(
    ("parser", "answer"),
    [
        (rq.parse_query_tree, reply(LITTLE, 0, struct.pack("<IIH", 1, 0, 5), b"\0" * 16)),
        (rq.parse_property, reply(LITTLE, 32, struct.pack("<III", 6, 0, 2), b"\0" * 4)),
        (rq.parse_attributes, reply(LITTLE, 0, b"\0" * 18 + b"\x09")),
    ],
)
def test_a_reply_that_promises_more_than_it_holds_is_malformed(parser: Parser, answer: bytes) -> None:
    with pytest.raises(MalformedAnswerError):
        parser(LITTLE, answer)


def test_a_list_of_extensions_that_promises_more_than_it_holds_is_malformed() -> None:
    with pytest.raises(MalformedAnswerError):
        rq.parse_list_extensions(reply(LITTLE, 2, b"", b"\x05SHA"))


@pytest.mark.parametrize("order", list(ByteOrder))
def test_the_list_of_those_who_need_no_cookie_reads_as_xhost_prints_it(order: ByteOrder) -> None:
    def host(family: int, address: bytes) -> bytes:
        filled = address + b"\0" * (-len(address) % 4)
        return struct.pack(f"{order.value}BxH", family, len(address)) + filled

    hosts = (
        host(5, b"localuser\0ana"),
        host(252, b""),
        host(0, bytes([192, 0, 2, 1])),
        host(6, b"\0" * 15 + b"\1"),
        host(77, b"ab"),
    )
    fixed = struct.pack(f"{order.value}H", len(hosts))
    found = rq.parse_list_hosts(order, reply(order, 1, fixed, b"".join(hosts)))
    assert found == rq.AccessControl(
        True, ("SI:localuser:ana", "LOCAL:", "INET:192.0.2.1", "INET6:::1", "77:6162")
    )
    assert rq.parse_list_hosts(order, reply(order, 0, b"")) == rq.AccessControl(False)
    with pytest.raises(MalformedAnswerError):
        rq.parse_list_hosts(order, reply(order, 1, fixed, hosts[0]))
