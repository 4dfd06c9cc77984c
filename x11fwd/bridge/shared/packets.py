"""Packets made or changed on the way (X protocol, chapter 1 and appendix B); both halves use it."""

import struct
from typing import Union

NO_OPERATION = 127
GET_INPUT_FOCUS = 43
PACKET_SIZE = 32
# X protocol, appendix B, "Errors"
BAD_REQUEST, BAD_VALUE, BAD_WINDOW, BAD_PIXMAP, BAD_ATOM, BAD_CURSOR, BAD_FONT, BAD_MATCH = range(1, 9)
BAD_DRAWABLE, BAD_ACCESS, BAD_ALLOC, BAD_COLORMAP, BAD_GCONTEXT, BAD_ID_CHOICE = range(9, 15)
BAD_NAME, BAD_LENGTH, BAD_IMPLEMENTATION = range(15, 18)


def empty_request(opcode: int, order: str) -> bytes:
    """A request of four bytes, as NoOperation and GetInputFocus are."""
    return struct.pack(order + "BxH", opcode, 1)


def error_packet(order: str, code: int, number: int, opcode: int, *, minor: int = 0, value: int = 0) -> bytes:
    """An error about request `number`; `value` is the bad resource id, atom or value."""
    return struct.pack(order + "xBHIHB21x", code, number & 0xFFFF, value, minor, opcode)


def reply_packet(order: str, number: int, second_byte: int, body: bytes) -> bytes:
    """A reply to request `number`: `body` is all that follows the length field, padded here to full units."""
    units = max(0, len(body) - 24 + 3 >> 2)
    head = struct.pack(order + "BBHI", 1, second_byte, number & 0xFFFF, units)
    return head + body.ljust(24 + 4 * units, b"\0")


def refusal_packet(order: str, reason: str) -> bytes:
    """The setup reply that turns a program away; the program prints the reason."""
    text = reason.encode("ascii", "replace")[:255]
    units = len(text) + 3 >> 2
    return struct.pack(order + "BBHHH", 0, len(text), 11, 0, units) + text.ljust(4 * units, b"\0")


def with_sequence(packet: "Union[bytes, memoryview]", number: int, order: str) -> bytes:
    """The packet with the low 16 bits of `number` in it. Not for KeymapNotify, which has no number."""
    return b"".join((packet[:2], struct.pack(order + "H", number & 0xFFFF), packet[4:]))
