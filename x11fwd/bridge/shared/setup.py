"""The greeting of an X connection, both sides (X protocol, chapter 8 and appendix B); both halves use it."""

import struct
from typing import List, NamedTuple, Optional, Tuple, Union

from x11fwd.bridge.shared.faults import WireFault

LITTLE = "<"  # byte orders as the struct module writes them
BIG = ">"
GREETING_SIZE = 12  # without name and data
AUTH_LIMIT = 1024  # bytes of name and of data; MIT-MAGIC-COOKIE-1 has 18 and 16
SETUP_PREFIX = 8
FAILED, SUCCESS, AUTHENTICATE = 0, 1, 2
TRUE_COLOR = 4  # visual class


class Greeting(NamedTuple):
    """What a program says first; `order` is LITTLE or BIG, `data` the cookie (never log it)."""

    order: str
    major: int
    minor: int
    name: bytes
    data: bytes


class PixmapLayout(NamedTuple):
    """How images of one depth are laid out: bits per pixel, rows padded to `scanline_pad` bits."""

    depth: int
    bits_per_pixel: int
    scanline_pad: int


class VisualType(NamedTuple):
    """How pixel values become colours; `kind` 4 is TrueColor, where the masks say it all."""

    id: int
    kind: int
    bits_per_rgb: int
    entries: int
    red: int
    green: int
    blue: int
    depth: int


class Root(NamedTuple):
    """One screen: ids, sizes in pixels and millimetres, and the visuals of all depths."""

    root: int
    colormap: int
    white: int
    black: int
    input_masks: int
    width: int
    height: int
    width_mm: int
    height_mm: int
    visual: int
    depth: int
    depths: Tuple[int, ...]
    visuals: Tuple[VisualType, ...]


class Setup(NamedTuple):
    """A successful setup reply; `largest` is the maximum request length in units of 4 bytes."""

    major: int
    minor: int
    release: int
    id_base: int
    id_mask: int
    largest: int
    image_order: str
    bitmap_order: str
    scanline_unit: int
    scanline_pad: int
    first_keycode: int
    last_keycode: int
    vendor: bytes
    layouts: Tuple[PixmapLayout, ...]
    roots: Tuple[Root, ...]


class Refusal(NamedTuple):
    """The server does not want the program: FAILED, or AUTHENTICATE where it would go on asking."""

    status: int
    reason: bytes


def _padded(size: int) -> int:
    return size + 3 & ~3


def read_greeting(data: "Union[bytes, bytearray]") -> "Optional[Tuple[Greeting, int]]":
    """The greeting at the start of `data` and its length in bytes; None while it is incomplete.

    Raises:
        WireFault: no X program starts like this.
    """
    if not data:
        return None
    order = {0x42: BIG, 0x6C: LITTLE}.get(data[0])
    if order is None:
        raise WireFault("what connected is not an X program: it starts with byte 0x%02x" % data[0])
    if len(data) < GREETING_SIZE:
        return None
    major, minor, name_size, data_size = struct.unpack_from(order + "4H", data, 2)
    if name_size > AUTH_LIMIT or data_size > AUTH_LIMIT:
        raise WireFault("the program shows an authorization of %d and %d bytes" % (name_size, data_size))
    start = GREETING_SIZE + _padded(name_size)
    end = start + _padded(data_size)
    if len(data) < end:
        return None
    name = bytes(data[GREETING_SIZE : GREETING_SIZE + name_size])
    return Greeting(order, major, minor, name, bytes(data[start : start + data_size])), end


def greeting_bytes(greeting: Greeting) -> bytes:
    """What `read_greeting` reads."""
    name, data = greeting.name, greeting.data
    head = struct.pack(
        greeting.order + "BxHHHHxx",
        0x6C if greeting.order == LITTLE else 0x42,
        greeting.major,
        greeting.minor,
        len(name),
        len(data),
    )
    return head + name.ljust(_padded(len(name)), b"\0") + data.ljust(_padded(len(data)), b"\0")


def setup_size(data: "Union[bytes, bytearray]", order: str) -> int:
    """Bytes of the setup reply that starts with `data` (SETUP_PREFIX bytes or more); at most 262,148."""
    return int(SETUP_PREFIX + 4 * struct.unpack_from(order + "H", data, 6)[0])


def read_setup(data: "Union[bytes, bytearray]", order: str) -> "Union[Setup, Refusal]":
    """The setup reply in `data`, which has `setup_size` bytes.

    Raises:
        WireFault: counts and lengths do not agree.
    """
    try:
        if data[0] == FAILED:
            if data[1] > len(data) - SETUP_PREFIX:
                raise WireFault("the X server's refusal is cut short")
            return Refusal(FAILED, bytes(data[SETUP_PREFIX : SETUP_PREFIX + data[1]]))
        if data[0] == AUTHENTICATE:
            return Refusal(AUTHENTICATE, bytes(data[SETUP_PREFIX:]).rstrip(b"\0"))
        if data[0] != SUCCESS:
            raise WireFault("what answers is not an X server: it starts with byte 0x%02x" % data[0])
        return _read_success(data, order)
    except (struct.error, IndexError):
        raise WireFault("the X server's setup reply is shorter than its counts say") from None


def _read_success(data: "Union[bytes, bytearray]", order: str) -> Setup:
    major, minor, _, release, id_base, id_mask, _, vendor_size, largest = struct.unpack_from(
        order + "HHHIIIIHH", data, 2
    )
    screens, formats, images, bitmaps, unit, pad, first, last = struct.unpack_from("8B", data, 28)
    vendor = bytes(data[40 : 40 + vendor_size])
    at = 40 + _padded(vendor_size)
    layouts = []
    for _ in range(formats):
        layouts.append(PixmapLayout(*struct.unpack_from("3B5x", data, at)))
        at += 8
    roots = []
    for _ in range(screens):
        root, at = _read_root(data, at, order)
        roots.append(root)
    return Setup(
        major=major,
        minor=minor,
        release=release,
        id_base=id_base,
        id_mask=id_mask,
        largest=largest,
        image_order=BIG if images else LITTLE,
        bitmap_order=BIG if bitmaps else LITTLE,
        scanline_unit=unit,
        scanline_pad=pad,
        first_keycode=first,
        last_keycode=last,
        vendor=vendor,
        layouts=tuple(layouts),
        roots=tuple(roots),
    )


def _read_root(data: "Union[bytes, bytearray]", at: int, order: str) -> "Tuple[Root, int]":
    """The screen at `at`, and where it ends."""
    root, colormap, white, black, masks = struct.unpack_from(order + "5I", data, at)
    width, height, width_mm, height_mm = struct.unpack_from(order + "4H", data, at + 20)
    visual, depth, count = struct.unpack_from(order + "IxxBB", data, at + 32)
    at += 40
    depths: List[int] = []
    visuals: List[VisualType] = []
    for _ in range(count):
        one, many = struct.unpack_from(order + "BxH4x", data, at)
        depths.append(one)
        at += 8
        for _ in range(many):
            visuals.append(VisualType._make((*struct.unpack_from(order + "IBBHIII4x", data, at), one)))
            at += 24
    made = Root(
        root=root,
        colormap=colormap,
        white=white,
        black=black,
        input_masks=masks,
        width=width,
        height=height,
        width_mm=width_mm,
        height_mm=height_mm,
        visual=visual,
        depth=depth,
        depths=tuple(depths),
        visuals=tuple(visuals),
    )
    return made, at
