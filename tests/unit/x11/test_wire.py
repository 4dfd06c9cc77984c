"""Setup and packets, in both byte orders."""

from __future__ import annotations

import struct

import pytest

from tests.unit.x11.fake_server import ROOT, VENDOR, VISUAL, acceptance, refusal
from x11fwd.x11.authority import Cookie
from x11fwd.x11.faults import (
    BadAtomError,
    BadDrawableError,
    BadMatchError,
    BadWindowError,
    MalformedAnswerError,
    RequestError,
)
from x11fwd.x11.wire import (
    ByteOrder,
    PixmapFormat,
    Refused,
    Setup,
    Visual,
    VisualClass,
    encode_setup,
    packet_rest,
    pad4,
    parse_error,
    parse_setup,
    sequence_number,
    setup_rest,
)

BOTH = pytest.mark.parametrize("order", list(ByteOrder), ids=["little", "big"])


def test_a_setup_without_a_cookie_is_twelve_bytes() -> None:
    assert encode_setup(ByteOrder.LITTLE, None) == b"l\0\x0b\0\0\0\0\0\0\0\0\0"
    assert encode_setup(ByteOrder.BIG, None) == b"B\0\0\x0b\0\0\0\0\0\0\0\0"


def test_a_setup_carries_method_and_cookie_each_filled_to_four_bytes() -> None:
    sent = encode_setup(ByteOrder.LITTLE, Cookie(b"0123456789abcdef"))
    assert sent == b"l\0\x0b\0\0\0\x12\0\x10\0\0\0MIT-MAGIC-COOKIE-1\0\x000123456789abcdef"
    sent = encode_setup(ByteOrder.BIG, Cookie(b"abcde", "X"))
    assert sent == b"B\0\0\x0b\0\0\0\1\0\5\0\0X\0\0\0abcde\0\0\0"


@pytest.mark.parametrize(("length", "fill"), [(0, 0), (1, 3), (2, 2), (3, 1), (4, 0), (18, 2)])
def test_padding_fills_up_to_four(length: int, fill: int) -> None:
    assert pad4(length) == fill


@BOTH
def test_an_accepted_setup_is_read_whole(order: ByteOrder) -> None:
    data = acceptance(order.value, image_order=">", screens=2)
    assert setup_rest(order, data[:8]) == len(data) - 8
    setup = parse_setup(order, data)
    assert isinstance(setup, Setup)
    assert setup.vendor == VENDOR
    assert setup.release == 12101007
    assert (setup.resource_base, setup.resource_mask) == (0x200000, 0x1FFFFF)
    assert setup.max_request == 65535
    assert setup.image_order is ByteOrder.BIG
    assert (setup.min_keycode, setup.max_keycode) == (8, 255)
    assert setup.formats == (PixmapFormat(1, 1, 32), PixmapFormat(24, 32, 32))
    assert setup.format(24) == PixmapFormat(24, 32, 32)
    assert setup.format(15) is None
    assert [screen.root for screen in setup.screens] == [ROOT, ROOT + 1]
    screen = setup.screens[0]
    assert (screen.width, screen.height, screen.width_mm, screen.height_mm) == (1280, 800, 325, 203)
    assert (screen.root_depth, screen.root_visual, screen.default_colormap) == (24, VISUAL, 0x20)
    assert (screen.white_pixel, screen.black_pixel) == (0xFFFFFF, 0)
    expected = Visual(VISUAL, VisualClass.TRUE_COLOR, 24, 8, 0xFF0000, 0xFF00, 0xFF)
    assert screen.visuals == (expected,)
    assert screen.visual(VISUAL) == expected
    assert screen.visual(1) is None


@BOTH
@pytest.mark.parametrize(
    "reason",
    [
        "Authorization required, but no authorization protocol specified\n",
        "Invalid MIT-MAGIC-COOKIE-1 key",
        "Maximum number of clients reached",
        "",
    ],
)
def test_a_refused_setup_keeps_the_server_s_words(order: ByteOrder, reason: str) -> None:
    data = refusal(order.value, reason)
    assert setup_rest(order, data[:8]) == len(data) - 8
    assert parse_setup(order, data) == Refused(reason.strip())


@BOTH
def test_a_server_that_wants_more_authentication_is_a_refusal(order: ByteOrder) -> None:
    data = refusal(order.value, "go on", status=2)
    assert parse_setup(order, data) == Refused("go on", authenticate=True)


@BOTH
def test_a_setup_cut_at_any_byte_is_malformed_and_never_a_crash(order: ByteOrder) -> None:
    data = acceptance(order.value)
    for length in range(len(data)):
        with pytest.raises(MalformedAnswerError):
            parse_setup(order, data[:length])


@BOTH
def test_a_refusal_shorter_than_its_reason_is_malformed(order: ByteOrder) -> None:
    with pytest.raises(MalformedAnswerError):
        parse_setup(order, refusal(order.value, "Maximum number")[:12])


@pytest.mark.parametrize(
    "prefix", [b"", b"\1", b"SSH-2.0-", b"HTTP/1.1", b"\1\0\0\0\0\0\0\0", b"\1\0\x0a\0\0\0\0\0"]
)
def test_something_else_than_an_x_server_is_recognised(prefix: bytes) -> None:
    with pytest.raises(MalformedAnswerError, match="X11"):
        setup_rest(ByteOrder.LITTLE, prefix)


@BOTH
def test_only_replies_and_generic_events_are_longer_than_32_bytes(order: ByteOrder) -> None:
    def head(kind: int) -> bytes:
        return struct.pack(f"{order.value}BxHI24x", kind, 7, 3)

    assert packet_rest(order, head(1)) == 12
    assert packet_rest(order, head(35)) == 12
    assert packet_rest(order, head(35 | 0x80)) == 12
    assert packet_rest(order, head(0)) == 0
    assert packet_rest(order, head(34)) == 0
    assert sequence_number(order, head(1)) == 7


@BOTH
@pytest.mark.parametrize(
    ("code", "kind", "name"),
    [
        (3, BadWindowError, "BadWindow"),
        (5, BadAtomError, "BadAtom"),
        (8, BadMatchError, "BadMatch"),
        (9, BadDrawableError, "BadDrawable"),
        (10, RequestError, "BadAccess"),
        (200, RequestError, "error 200"),
    ],
)
def test_errors_are_typed_and_name_the_resource(
    order: ByteOrder, code: int, kind: type[RequestError], name: str
) -> None:
    packet = struct.pack(f"{order.value}BBHIHB21x", 0, code, 9, 0x400007, 0, 73)
    error = parse_error(order, packet)
    assert type(error) is kind
    assert (error.code, error.opcode, error.resource) == (code, 73, 0x400007)
    assert error.message == f"the X server answered {name} for 0x400007 (request 73)"
    assert error.exit_code == 1
