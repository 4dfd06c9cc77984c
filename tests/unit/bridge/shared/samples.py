"""Greetings, setup replies and requests in both byte orders, written from the protocol's appendix B."""

import struct
from typing import Iterator, List


def greeting(order: str, name: bytes = b"MIT-MAGIC-COOKIE-1", data: bytes = b"0123456789abcdef") -> bytes:
    mark = b"l" if order == "<" else b"B"
    head = mark + b"\0" + struct.pack(order + "HHHHH", 11, 0, len(name), len(data), 0)
    return head + name + b"\0" * (-len(name) % 4) + data + b"\0" * (-len(data) % 4)


def request(order: str, opcode: int, second: int = 0, body: bytes = b"") -> bytes:
    assert len(body) % 4 == 0
    return struct.pack(order + "BBH", opcode, second, 1 + len(body) // 4) + body


def long_request(order: str, opcode: int, second: int = 0, body: bytes = b"") -> bytes:
    assert len(body) % 4 == 0
    return struct.pack(order + "BBHI", opcode, second, 0, 2 + len(body) // 4) + body


def answer(order: str, kind: int, number: int, extra: bytes = b"", second: int = 0) -> bytes:
    """An error, reply or event; `extra` makes it longer than 32 bytes."""
    assert len(extra) % 4 == 0
    return struct.pack(order + "BBHI", kind, second, number & 0xFFFF, len(extra) // 4) + bytes(24) + extra


def setup(order: str) -> bytes:
    """Two screens; the first with depths 24 (two visuals) and 1 (none), the second with 32 (one)."""
    vendor = b"The X.Org Foundation"
    layouts = b"".join(struct.pack("3B5x", depth, bits, 32) for depth, bits in ((1, 1), (24, 32), (32, 32)))
    visuals = b"".join(
        struct.pack(order + "IBBHIII4x", number, kind, 8, 256, 0xFF0000, 0xFF00, 0xFF)
        for number, kind in ((0x21, 4), (0x22, 5))
    )
    first = struct.pack(order + "5I", 0x50A, 0x20, 0xFFFFFF, 0, 0xFA8033)
    first += struct.pack(order + "6H", 1920, 1080, 508, 285, 1, 1)
    first += struct.pack(order + "IBBBB", 0x21, 0, 0, 24, 2)
    first += struct.pack(order + "BxH4x", 24, 2) + visuals + struct.pack(order + "BxH4x", 1, 0)
    second = struct.pack(order + "5I", 0x60A, 0x23, 1, 0, 0)
    second += struct.pack(order + "6H", 640, 480, 100, 80, 1, 1)
    second += struct.pack(order + "IBBBB", 0x33, 0, 0, 32, 1)
    second += struct.pack(order + "BxH4x", 32, 1)
    second += struct.pack(order + "IBBHIII4x", 0x33, 4, 8, 256, 0xFF, 0xFF00, 0xFF0000)
    body = struct.pack(order + "4IHH", 12101007, 0x400000, 0x1FFFFF, 256, len(vendor), 65535)
    body += struct.pack("8B4x", 2, 3, 0, 1, 32, 32, 8, 255) + vendor + layouts + first + second
    return struct.pack(order + "BxHHH", 1, 11, 0, len(body) // 4) + body


def chunks(data: bytes, sizes: "List[int]") -> "Iterator[bytes]":
    """`data` in pieces of these sizes, which start again at their end."""
    at = turn = 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        yield data[at : at + size]
        at += size
        turn += 1
