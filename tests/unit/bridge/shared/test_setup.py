"""Greetings and setup replies: read, written, and wrong ones refused with a sentence."""

import random
import struct

from tests.unit.bridge.shared import samples
from tests.unit.bridge.shared.anywhere import raises
from x11fwd.bridge.shared.faults import WireFault
from x11fwd.bridge.shared.setup import (
    AUTHENTICATE,
    FAILED,
    Greeting,
    Refusal,
    Setup,
    greeting_bytes,
    read_greeting,
    read_setup,
    setup_size,
)


def test_a_greeting_is_read_in_both_byte_orders_and_written_again() -> None:
    for order in "<>":
        data = samples.greeting(order)
        assert read_greeting(data + b"more") == (
            Greeting(order, 11, 0, b"MIT-MAGIC-COOKIE-1", b"0123456789abcdef"),
            len(data),
        )
        read = read_greeting(data)
        assert read is not None
        assert greeting_bytes(read[0]) == data
        empty = samples.greeting(order, b"", b"")
        assert read_greeting(empty) == (Greeting(order, 11, 0, b"", b""), 12)


def test_an_incomplete_greeting_waits() -> None:
    data = samples.greeting(">")
    assert [read_greeting(data[:end]) for end in range(len(data))] == [None] * len(data)


def test_what_is_no_x_program_is_refused_by_its_first_byte() -> None:
    for first in (b"GET / HTTP/1.1", b"\0", b"L"):
        with raises(WireFault, "not an X program"):
            read_greeting(first)


def test_an_authorization_of_many_bytes_is_refused_before_it_comes() -> None:
    with raises(WireFault, "2000 and 16 bytes"):
        read_greeting(samples.greeting("<", bytes(2000))[:12])
    with raises(WireFault, "18 and 65535 bytes"):
        read_greeting(samples.greeting("<", data=bytes(65535))[:12])


def test_a_setup_reply_is_read_in_both_byte_orders() -> None:
    for order in "<>":
        data = samples.setup(order)
        assert setup_size(data[:8], order) == len(data)
        read = read_setup(data, order)
        assert isinstance(read, Setup)
        assert (read.major, read.minor, read.release) == (11, 0, 12101007)
        assert (read.id_base, read.id_mask, read.largest) == (0x400000, 0x1FFFFF, 65535)
        assert (read.image_order, read.bitmap_order) == ("<", ">")
        assert (read.scanline_unit, read.scanline_pad) == (32, 32)
        assert (read.first_keycode, read.last_keycode) == (8, 255)
        assert read.vendor == b"The X.Org Foundation"
        assert [tuple(one) for one in read.layouts] == [(1, 1, 32), (24, 32, 32), (32, 32, 32)]
        first, second = read.roots
        assert (first.root, first.colormap, first.white, first.black) == (0x50A, 0x20, 0xFFFFFF, 0)
        assert (first.width, first.height, first.width_mm, first.height_mm) == (1920, 1080, 508, 285)
        assert (first.visual, first.depth, first.depths) == (0x21, 24, (24, 1))
        assert [(one.id, one.kind, one.depth) for one in first.visuals] == [(0x21, 4, 24), (0x22, 5, 24)]
        assert first.visuals[0].red == 0xFF0000
        assert (second.root, second.depth, second.visuals[0].blue) == (0x60A, 32, 0xFF0000)


def test_refusals_are_read() -> None:
    reason = b"No protocol specified\n"
    for order in "<>":
        data = struct.pack(order + "BBHHH", FAILED, len(reason), 11, 0, 6) + reason + b"\0\0"
        assert read_setup(data, order) == Refusal(FAILED, reason)
        data = struct.pack(order + "B5xH", AUTHENTICATE, 6) + reason + b"\0\0"
        assert read_setup(data, order) == Refusal(AUTHENTICATE, reason)


def test_a_setup_reply_whose_counts_lie_is_refused() -> None:
    data = bytearray(samples.setup("<"))
    for at, value in ((28, 255), (29, 255), (24, 255), (25, 255)):  # screens, formats, vendor's length
        wrong = bytearray(data)
        wrong[at] = value
        with raises(WireFault, "shorter than its counts say"):
            read_setup(wrong, "<")
    with raises(WireFault, "not an X server: it starts with byte 0x09"):
        read_setup(b"\x09" + data[1:], "<")
    with raises(WireFault, "cut short"):
        read_setup(struct.pack("<BBHHH", 0, 20, 11, 0, 1) + b"abcd", "<")


def test_any_bytes_make_a_setup_or_a_wire_fault() -> None:
    chance = random.Random(4)
    good = samples.setup(">")
    for _ in range(1000):
        data = bytearray(good[: chance.randrange(8, len(good) + 1)])
        for _ in range(chance.randrange(6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            read_setup(data, chance.choice("<>"))
        except WireFault:
            continue
