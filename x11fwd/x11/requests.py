"""The few X11 requests that are sent and their replies, as pure functions (X protocol, chapter 9)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import IntEnum

from x11fwd.x11.faults import MalformedAnswerError
from x11fwd.x11.wire import PACKET_SIZE, ByteOrder, pad4, padded, part, unpack


class Opcode(IntEnum):
    GET_WINDOW_ATTRIBUTES = 3
    GET_GEOMETRY = 14
    QUERY_TREE = 15
    INTERN_ATOM = 16
    GET_PROPERTY = 20
    TRANSLATE_COORDINATES = 40
    GET_INPUT_FOCUS = 43
    GET_IMAGE = 73
    QUERY_EXTENSION = 98
    LIST_EXTENSIONS = 99
    LIST_HOSTS = 110
    NO_OPERATION = 127


class MapState(IntEnum):
    """`UNVIEWABLE` is mapped under a parent that is not; only a viewable window can have pixels."""

    UNMAPPED = 0
    UNVIEWABLE = 1
    VIEWABLE = 2


Z_PIXMAP = 2
ALL_PLANES = 0xFFFFFFFF
ANY_PROPERTY_TYPE = 0
NO_ATOM = 0

# Predefined atoms (X11/Xatom.h).
ATOM_CARDINAL = 6
ATOM_STRING = 31
ATOM_WM_CLIENT_MACHINE = 36
ATOM_WM_NAME = 39


@dataclass(frozen=True)
class ExtensionAnswer:
    present: bool
    major_opcode: int
    first_event: int
    first_error: int


@dataclass(frozen=True)
class AccessControl:
    """Who is let in without a cookie (X protocol, ListHosts; Xsecurity(7)).

    Attributes:
        enabled: False where everybody is (`xhost +`, `-ac`).
        hosts: the list, as xhost(1) prints it: `SI:localuser:ana`, `LOCAL:`, `INET:192.0.2.1`.
    """

    enabled: bool
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tree:
    root: int
    parent: int
    children: tuple[int, ...]  # bottom of the stack first


@dataclass(frozen=True)
class Geometry:
    """Size without border, in pixels; x and y are relative to the parent's inside."""

    root: int
    depth: int
    x: int
    y: int
    width: int
    height: int
    border: int


@dataclass(frozen=True)
class Attributes:
    visual_id: int
    input_output: bool
    map_state: MapState
    override_redirect: bool


@dataclass(frozen=True)
class Property:
    """A window property; `type_atom` 0 and `item_bits` 0 if the window has none of that name."""

    type_atom: int
    item_bits: int
    data: bytes
    bytes_after: int = 0


@dataclass(frozen=True)
class Position:
    same_screen: bool
    child: int
    x: int
    y: int


@dataclass(frozen=True)
class RawImage:
    """GetImage's reply: `visual_id` is 0 for a pixmap."""

    depth: int
    visual_id: int
    data: bytes = field(repr=False)


def _request(order: ByteOrder, opcode: Opcode, data: int = 0, body: bytes = b"") -> bytes:
    body = padded(body)
    return struct.pack(f"{order.value}BBH", opcode, data, 1 + len(body) // 4) + body


def _numbers(order: ByteOrder, layout: str, *values: int) -> bytes:
    return struct.pack(order.value + layout, *values)


def encode_no_operation(order: ByteOrder) -> bytes:
    return _request(order, Opcode.NO_OPERATION)


def encode_get_input_focus(order: ByteOrder) -> bytes:
    """The cheapest request that has a reply: a round trip."""
    return _request(order, Opcode.GET_INPUT_FOCUS)


def encode_query_extension(order: ByteOrder, name: str) -> bytes:
    text = name.encode("latin-1")
    return _request(order, Opcode.QUERY_EXTENSION, body=_numbers(order, "H2x", len(text)) + text)


def encode_list_extensions(order: ByteOrder) -> bytes:
    return _request(order, Opcode.LIST_EXTENSIONS)


def encode_list_hosts(order: ByteOrder) -> bytes:
    return _request(order, Opcode.LIST_HOSTS)


def encode_intern_atom(order: ByteOrder, name: str, *, only_if_exists: bool = True) -> bytes:
    text = name.encode("latin-1")
    body = _numbers(order, "H2x", len(text)) + text
    return _request(order, Opcode.INTERN_ATOM, int(only_if_exists), body)


def encode_query_tree(order: ByteOrder, window: int) -> bytes:
    return _request(order, Opcode.QUERY_TREE, body=_numbers(order, "I", window))


def encode_get_geometry(order: ByteOrder, drawable: int) -> bytes:
    return _request(order, Opcode.GET_GEOMETRY, body=_numbers(order, "I", drawable))


def encode_get_attributes(order: ByteOrder, window: int) -> bytes:
    return _request(order, Opcode.GET_WINDOW_ATTRIBUTES, body=_numbers(order, "I", window))


def encode_get_property(order: ByteOrder, window: int, atom: int, *, limit: int = 4096) -> bytes:
    """Ask for the first `limit` bytes (rounded up to 4) of a property of any type."""
    body = _numbers(order, "IIIII", window, atom, ANY_PROPERTY_TYPE, 0, (limit + 3) // 4)
    return _request(order, Opcode.GET_PROPERTY, body=body)


def encode_translate(order: ByteOrder, source: int, target: int, x: int = 0, y: int = 0) -> bytes:
    return _request(order, Opcode.TRANSLATE_COORDINATES, body=_numbers(order, "IIhh", source, target, x, y))


def encode_get_image(order: ByteOrder, drawable: int, x: int, y: int, *, width: int, height: int) -> bytes:
    """Ask for the pixels as ZPixmap, all planes."""
    body = _numbers(order, "IhhHHI", drawable, x, y, width, height, ALL_PLANES)
    return _request(order, Opcode.GET_IMAGE, Z_PIXMAP, body)


def parse_query_extension(order: ByteOrder, reply: bytes) -> ExtensionAnswer:
    present, major, event, error = unpack(f"{order.value}BBBB", reply, 8)
    return ExtensionAnswer(bool(present), major, event, error)


def parse_list_extensions(reply: bytes) -> tuple[str, ...]:
    names: list[str] = []
    offset = PACKET_SIZE
    for _ in range(unpack("xB", reply, 0)[0]):
        length = unpack("B", reply, offset)[0]
        names.append(part(reply, offset + 1, length).decode("latin-1"))
        offset += 1 + length
    return tuple(names)


def parse_list_hosts(order: ByteOrder, reply: bytes) -> AccessControl:
    enabled, count = unpack("xB", reply, 0)[0], unpack(f"{order.value}H", reply, 8)[0]
    hosts: list[str] = []
    offset = PACKET_SIZE
    for _ in range(count):
        family, length = unpack(f"{order.value}BxH", reply, offset)
        hosts.append(_host(family, part(reply, offset + 4, length)))
        offset += 4 + length + pad4(length)
    return AccessControl(bool(enabled), tuple(hosts))


def _host(family: int, address: bytes) -> str:
    # X.h: FamilyInternet 0, FamilyServerInterpreted 5, FamilyInternet6 6; Xauth.h: FamilyLocal 252 or 256
    if family == 5:
        kind, _, value = address.partition(b"\0")
        return f"SI:{kind.decode('latin-1')}:{value.decode('utf-8', 'replace')}"
    if family in {0, 6} and len(address) in {4, 16}:
        import socket

        version = socket.AF_INET if len(address) == 4 else socket.AF_INET6
        return f"{'INET' if len(address) == 4 else 'INET6'}:{socket.inet_ntop(version, address)}"
    return "LOCAL:" if family == 252 else f"{family}:{address.hex()}"


def parse_intern_atom(order: ByteOrder, reply: bytes) -> int:
    """The atom, or `NO_ATOM` if it does not exist."""
    return unpack(f"{order.value}I", reply, 8)[0]


def parse_query_tree(order: ByteOrder, reply: bytes) -> Tree:
    root, parent, count = unpack(f"{order.value}IIH", reply, 8)
    return Tree(root, parent, unpack(f"{order.value}{count}I", reply, PACKET_SIZE))


def parse_geometry(order: ByteOrder, reply: bytes) -> Geometry:
    root, x, y, width, height, border = unpack(f"{order.value}IhhHHH", reply, 8)
    return Geometry(root, unpack("xB", reply, 0)[0], x, y, width, height, border)


def parse_attributes(order: ByteOrder, reply: bytes) -> Attributes:
    visual, kind = unpack(f"{order.value}IH", reply, 8)
    state, override = unpack("BB", reply, 26)
    if state not in {0, 1, 2}:
        raise MalformedAnswerError(f"the X server answered a map state of {state}")
    return Attributes(visual, kind == 1, MapState(state), bool(override))


def parse_property(order: ByteOrder, reply: bytes) -> Property:
    bits = unpack("xB", reply, 0)[0]
    kind, after, items = unpack(f"{order.value}III", reply, 8)
    return Property(kind, bits, part(reply, PACKET_SIZE, items * bits // 8), after)


def parse_translate(order: ByteOrder, reply: bytes) -> Position:
    same = unpack("xB", reply, 0)[0]
    child, x, y = unpack(f"{order.value}Ihh", reply, 8)
    return Position(bool(same), child, x, y)


def parse_image(order: ByteOrder, reply: bytes) -> RawImage:
    return RawImage(unpack("xB", reply, 0)[0], unpack(f"{order.value}I", reply, 8)[0], reply[PACKET_SIZE:])
