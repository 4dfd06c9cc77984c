"""X11 connection setup and packet framing as pure functions (X protocol, chapters 1 and 8, appendix B)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import TYPE_CHECKING

from x11fwd.x11.faults import MalformedAnswerError, RequestError, request_error

if TYPE_CHECKING:
    from x11fwd.x11.authority import Cookie

PROTOCOL_MAJOR = 11  # the minor version has stayed 0 since 1987
SETUP_PREFIX_SIZE = 8  # the part of every setup answer that says how long the rest is
PACKET_SIZE = 32  # events and errors; replies may be longer
REPLY = 1
ERROR = 0
GENERIC_EVENT = 35  # the only event that may be longer than 32 bytes


class ByteOrder(Enum):
    """Byte order of one connection, chosen by the program: the first byte it sends."""

    LITTLE = "<"
    BIG = ">"

    @property
    def mark(self) -> bytes:
        return b"l" if self is ByteOrder.LITTLE else b"B"


# Servers newer than Xorg 21.1 refuse programs of the other byte order unless told otherwise.
NATIVE_ORDER = ByteOrder.LITTLE if struct.pack("=H", 1)[0] else ByteOrder.BIG


class VisualClass(IntEnum):
    STATIC_GRAY = 0
    GRAY_SCALE = 1
    STATIC_COLOR = 2
    PSEUDO_COLOR = 3
    TRUE_COLOR = 4
    DIRECT_COLOR = 5


@dataclass(frozen=True)
class PixmapFormat:
    """How the server lays out images of one depth: bits per pixel, and rows padded to `scanline_pad` bits."""

    depth: int
    bits_per_pixel: int
    scanline_pad: int


@dataclass(frozen=True)
class Visual:
    """How pixel values become colours; `visual_class` is a number of `VisualClass`."""

    visual_id: int
    visual_class: int
    depth: int
    bits_per_rgb: int
    red_mask: int
    green_mask: int
    blue_mask: int


@dataclass(frozen=True)
class Screen:
    """One screen of the display; sizes in pixels and millimetres."""

    root: int
    width: int
    height: int
    width_mm: int
    height_mm: int
    root_depth: int
    root_visual: int
    default_colormap: int
    white_pixel: int
    black_pixel: int
    visuals: tuple[Visual, ...]

    def visual(self, visual_id: int) -> Visual | None:
        return next((one for one in self.visuals if one.visual_id == visual_id), None)


@dataclass(frozen=True)
class Setup:
    """What an accepted connection is told; `max_request` in 4 bytes, `image_order` is for pictures."""

    vendor: str
    release: int
    resource_base: int
    resource_mask: int
    max_request: int
    image_order: ByteOrder
    bitmap_unit: int
    min_keycode: int
    max_keycode: int
    formats: tuple[PixmapFormat, ...]
    screens: tuple[Screen, ...]

    def format(self, depth: int) -> PixmapFormat | None:
        return next((one for one in self.formats if one.depth == depth), None)


@dataclass(frozen=True)
class Refused:
    """The server said no, in its own words; `authenticate` if it asked for more (no server of today does)."""

    reason: str
    authenticate: bool = False


def pad4(length: int) -> int:
    """The number of bytes that fill `length` up to a multiple of 4."""
    return -length % 4


def padded(data: bytes) -> bytes:
    return data + b"\0" * pad4(len(data))


def encode_setup(order: ByteOrder, cookie: Cookie | None) -> bytes:
    """The first bytes a program sends, with its cookie or with none."""
    name = cookie.name.encode("latin-1") if cookie else b""
    data = cookie.data if cookie else b""
    head = struct.pack(f"{order.value}HHHH2x", PROTOCOL_MAJOR, 0, len(name), len(data))
    return order.mark + b"\0" + head + padded(name) + padded(data)


def setup_rest(order: ByteOrder, prefix: bytes) -> int:
    """How many bytes follow the 8-byte prefix of a setup answer.

    Raises:
        MalformedAnswerError: this is not an X server.
    """
    if len(prefix) != SETUP_PREFIX_SIZE or prefix[0] > 2:
        raise MalformedAnswerError("what answers there does not speak X11")
    if prefix[0] != 2 and unpack(f"{order.value}H", prefix, 2)[0] != PROTOCOL_MAJOR:
        raise MalformedAnswerError("what answers there does not speak X11 version 11")
    return 4 * unpack(f"{order.value}H", prefix, 6)[0]


def parse_setup(order: ByteOrder, data: bytes) -> Setup | Refused:
    """Read a whole setup answer, prefix included.

    Raises:
        MalformedAnswerError: it is shorter than it says.
    """
    if not data:
        raise MalformedAnswerError("the X server's answer is empty")
    if data[0] == 0:
        return Refused(_text(part(data, SETUP_PREFIX_SIZE, data[1])))
    if data[0] == 2:
        return Refused(_text(data[SETUP_PREFIX_SIZE:]), authenticate=True)
    fields = unpack(f"{order.value}IIIIHHBBBBBBBB4x", data, 8)
    release, base, mask, _motion, vendor_length, max_request, screens, formats = fields[:8]
    image_order, _bit_order, unit, _pad, min_keycode, max_keycode = fields[8:]
    offset = 40
    vendor = _text(part(data, offset, vendor_length))
    offset += vendor_length + pad4(vendor_length)
    pixmap_formats = tuple(PixmapFormat(*unpack("BBB5x", data, offset + 8 * at)) for at in range(formats))
    offset += 8 * formats
    found: list[Screen] = []
    for _ in range(screens):
        screen, offset = _parse_screen(order, data, offset)
        found.append(screen)
    return Setup(
        vendor=vendor,
        release=release,
        resource_base=base,
        resource_mask=mask,
        max_request=max_request,
        image_order=ByteOrder.BIG if image_order else ByteOrder.LITTLE,
        bitmap_unit=unit,
        min_keycode=min_keycode,
        max_keycode=max_keycode,
        formats=pixmap_formats,
        screens=tuple(found),
    )


def _parse_screen(order: ByteOrder, data: bytes, offset: int) -> tuple[Screen, int]:
    root, colormap, white, black, _events, width, height, width_mm, height_mm = unpack(
        f"{order.value}IIIIIHHHH", data, offset
    )
    root_visual, root_depth, depths = unpack(f"{order.value}4xI2xBB", data, offset + 28)
    offset += 40
    visuals: list[Visual] = []
    for _ in range(depths):
        depth, count = unpack(f"{order.value}BxH4x", data, offset)
        offset += 8
        for _ in range(count):
            number, kind, bits, red, green, blue = unpack(f"{order.value}IBB2xIII4x", data, offset)
            visuals.append(Visual(number, kind, depth, bits, red, green, blue))
            offset += 24
    screen = Screen(
        root=root,
        width=width,
        height=height,
        width_mm=width_mm,
        height_mm=height_mm,
        root_depth=root_depth,
        root_visual=root_visual,
        default_colormap=colormap,
        white_pixel=white,
        black_pixel=black,
        visuals=tuple(visuals),
    )
    return screen, offset


def packet_rest(order: ByteOrder, head: bytes) -> int:
    """How many bytes follow the first 32 of a packet from the server."""
    if head[0] == REPLY or head[0] & 0x7F == GENERIC_EVENT:
        return int(4 * unpack(f"{order.value}I", head, 4)[0])
    return 0


def sequence_number(order: ByteOrder, head: bytes) -> int:
    """The low 16 bits of the number of the request that a reply or error answers."""
    return int(unpack(f"{order.value}H", head, 2)[0])


def parse_error(order: ByteOrder, packet: bytes) -> RequestError:
    """The typed error of an error packet."""
    code, resource, opcode = unpack(f"{order.value}xB2xI2xB", packet, 0)
    return request_error(code, opcode, resource)


def unpack(layout: str, data: bytes, offset: int) -> tuple[int, ...]:
    """`struct.unpack_from` for numbers, with a short answer as MalformedAnswerError."""
    try:
        return struct.unpack_from(layout, data, offset)
    except struct.error:
        raise MalformedAnswerError("the X server's answer is shorter than it says") from None


def part(data: bytes, offset: int, length: int) -> bytes:
    """A slice that is wholly there. Raises MalformedAnswerError."""
    if offset + length > len(data):
        raise MalformedAnswerError("the X server's answer is shorter than it says")
    return data[offset : offset + length]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace").strip("\0\n ")
