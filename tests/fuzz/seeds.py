"""What mutation starts from: right bytes of every kind."""

from __future__ import annotations

import struct

from tests.fuzz.targets import FIRST_MAJOR, HELLO
from tests.unit.bridge.shared import samples
from x11fwd.bridge.shared.control import Fact as TopicFact
from x11fwd.bridge.shared.control import (
    WishTold,
    atoms_payloads,
    colors_payload,
    facts_payloads,
    forget_payload,
    ready_payload,
    seen_payload,
    wish_payload,
)
from x11fwd.bridge.shared.frames import (
    ACK,
    CLOSE,
    CONTROL,
    CREDIT,
    DATA,
    OPEN,
    PING,
    count_payload,
    frame_bytes,
)
from x11fwd.bridge.shared.images import ImageCoder, ImageShelf
from x11fwd.bridge.shared.records import RecordWriter
from x11fwd.bridge.shared.setup import Setup, read_setup
from x11fwd.bridge.shared.wire import Request

BASE, ROOT = 0x400000, 0x50A


def _requests(order: str) -> list[bytes]:
    """A program's start: window, pixmap, context, drawing, properties, questions, RENDER."""
    window, pixmap, context, bitmap, picture, glyphs = (BASE + one for one in range(1, 7))

    def one(opcode: int, fields: str, *values: int, second: int = 0, tail: bytes = b"") -> bytes:
        return samples.request(order, opcode, second, struct.pack(order + fields, *values) + tail)

    render, fixes, shape, sync = (FIRST_MAJOR + at for at in (1, 2, 3, 4))
    return [
        one(98, "Hxx", 6, tail=b"RENDER\0\0"),
        one(1, "IIhhHHHHIIII", window, ROOT, 0, 0, 90, 80, 0, 1, 0, 1 << 1 | 1 << 11, 0, 0x420000),
        one(53, "IIHH", pixmap, ROOT, 40, 30, second=24),
        one(53, "IIHH", bitmap, ROOT, 16, 16, second=1),
        one(55, "IIII", context, window, 1 << 2, 7),
        one(8, "I", window),
        one(12, "IHxxII", window, 12, 50, 60),
        one(18, "IIIBxxxI", window, 39, 31, 8, 3, tail=b"abc\0"),
        one(70, "IIhhHH", window, context, 0, 0, 5, 5),
        one(72, "IIHHhhBBxx", pixmap, context, 4, 2, 0, 0, 0, 24, second=2, tail=bytes(range(32))),
        one(72, "IIHHhhBBxx", window, context, 16, 16, 0, 0, 0, 24, second=2, tail=bytes(1024)),
        one(72, "IIHHhhBBxx", window, context, 16, 16, 0, 0, 0, 24, second=2, tail=bytes(range(256)) * 4),
        one(73, "IhhHHI", pixmap, 0, 0, 4, 2, 0xFFFFFFFF, second=2),
        one(14, "I", window),
        one(3, "I", window),
        one(43, ""),
        one(16, "Hxx", 4, tail=b"NAME"),
        one(84, "IHHHxx", 0x20, 1, 2, 3),
        one(85, "IHxx", 0x20, 4, tail=b"blue"),
        one(20, "IIIII", ROOT, 23, 31, 0, 100),
        one(45, "IHxx", BASE + 9, 5, tail=b"fixed\0\0\0"),
        one(47, "I", BASE + 9),
        one(74, "IIhh", window, context, 0, 0, tail=b"\3\0abc\0\0\0"),
        one(render, "IIII", picture, pixmap, 0x23, 0, second=4),
        one(render, "IIIIhhhhhhHH", 3, picture, 0, picture, 0, 0, 0, 0, 0, 0, 5, 5, second=8),
        one(render, "II", glyphs, 0x24, second=17),
        one(render, "IIIHHhhhh", glyphs, 1, 5, 2, 2, 0, 0, 1, 1, second=20, tail=bytes(8)),
        one(
            render,
            "IIIIIhhBxxxhh",
            3,
            picture,
            picture,
            0,
            glyphs,
            0,
            0,
            1,
            1,
            1,
            second=23,
            tail=b"\5\0\0\0",
        ),
        one(fixes, "IHHHH", BASE + 10, 0, 0, 5, 5, second=5),
        one(shape, "BBBxIhhHHHH", 0, 0, 0, window, 0, 0, 0, 0, 5, 5, second=1),
        one(sync, "III", BASE + 11, 0, 0, second=2),
        one(25, "II", ROOT, 0x180000, tail=b"\x21\x20" + bytes(30)),
        one(24, "IIIII", window, 1, 31, 9, 0),
        one(38, "I", ROOT),
        one(54, "I", pixmap),
        one(7, "IIhh", window, ROOT, 0, 0),
        one(4, "I", window),
    ]


def _setup(order: str) -> Setup:
    found = read_setup(samples.setup(order), order)
    assert isinstance(found, Setup)
    return found


def _packets(order: str) -> list[bytes]:
    return [
        samples.answer(order, 1, 1),
        samples.answer(order, 22, 2, second=0),
        samples.answer(order, 19, 6),
        samples.answer(order, 1, 14, bytes(8)),
        samples.answer(order, 0, 15, second=3),
        samples.answer(order, 35, 20, bytes(16), second=FIRST_MAJOR + 7),
        samples.answer(order, 28, 30),
        samples.answer(order, 34, 31),
        samples.answer(order, 17, 32),
    ]


def _coded() -> list[bytes]:
    setup = _setup("<")
    coder, found = ImageCoder(ImageShelf(), 1, setup, "<"), []
    for at, turn in enumerate((0, 1, 1, 3)):
        image = bytearray(bytes(range(256)) * 16)
        image[turn * 300 : turn * 300 + 40] = b"\7" * 40
        body = struct.pack("<IIHHhhBBxx", BASE + 1, BASE + 3, 32, 32, 0, 0, 0, 24) + bytes(image)
        data = samples.request("<", 72, 2, body)
        coded = coder.code(Request(at + 1, 72, 2, memoryview(data), 4))
        if coded is not None:
            found.append(bytes(coded))
    return found


def _sized(pieces: list[bytes]) -> bytes:
    return b"".join(struct.pack("<H", len(one)) + one for one in pieces)


def _frames() -> bytes:
    writer = RecordWriter()
    for one in _requests("<"):
        writer.raw(one)
    for one in _coded():
        writer.image(one)
    data = b"".join(bytes(one) for one in writer.take())
    opening = struct.pack(">B", 0x6C) + samples.greeting("<")
    return b"".join(
        [
            frame_bytes(OPEN, 1, opening),
            frame_bytes(OPEN, 2, b""),
            frame_bytes(DATA, 2, data[:1500]),
            frame_bytes(PING, 0, b"12345678"),
            frame_bytes(CREDIT, 2, count_payload(0)),
            frame_bytes(CONTROL, 0, forget_payload(b"x")),
            frame_bytes(CONTROL, 0, wish_payload(WishTold(2, (samples.request("<", 15, 0, bytes(4)),)))),
            frame_bytes(ACK, 0, count_payload(0)),
            frame_bytes(CLOSE, 2, b""),
            frame_bytes(CLOSE, 1, b""),
        ]
    )


def _engine(order: str) -> bytes:
    pieces, packets = b"<>".index(order.encode()).to_bytes(1, "little"), _packets(order)
    for at, one in enumerate(_requests(order)):
        pieces += struct.pack("<H", len(one)) + one
        if at % 4 == 3 and at // 4 < len(packets):
            packet = packets[at // 4]
            packet = packet[:2] + struct.pack(order + "H", at) + packet[4:]
            pieces += struct.pack("<H", 0x8000 | len(packet)) + packet
    about = struct.pack(order + "BxHI", 15, 2, BASE + 1)
    seen = b"\xff" + seen_payload(2, [TopicFact(b"", about, samples.answer(order, 1, 0))])
    for piece, head in ((struct.pack(order + "BxHI", 8, 2, BASE + 1), 0), (seen, 0x8000), (about, 0)):
        pieces += struct.pack("<H", head | len(piece)) + piece
    return pieces


def seeds(target: str) -> list[bytes]:
    """Right inputs of a target."""
    orders = enumerate("<>")
    writer = RecordWriter()
    for one in _coded():
        writer.image(one)
        writer.raw(b"abcd")
    facts = facts_payloads([TopicFact(b"constant", samples.request("<", 98), samples.answer("<", 1, 0))])
    atoms = atoms_payloads([(70, b"NAME"), (71, b"OTHER")])
    told = [*facts, *atoms, ready_payload(2, BASE), forget_payload(b"constant"), colors_payload([0x21])]
    told.append(
        seen_payload(2, [TopicFact(b"", samples.request("<", 15, 0, bytes(4)), samples.answer("<", 1, 0))])
    )
    found: dict[str, list[bytes]] = {
        "program-reader": [
            bytes([0xFF]) + samples.greeting(order) + b"".join(_requests(order)[:12]) for order in "<>"
        ]
        + [
            b"\xff"
            + samples.greeting("<")
            + samples.request("<", 133)
            + samples.long_request("<", 72, 2, bytes(40))
        ],
        "server-reader": [
            bytes([at]) + samples.setup(order) + b"".join(_packets(order)) for at, order in orders
        ]
        + [bytes([2 + at]) + b"".join(_packets(order)) for at, order in enumerate("<>")],
        "setup": [bytes([at]) + samples.setup(order) for at, order in enumerate("<>")],
        "frames": [_frames()[:600]],
        "link": [b"\1" + _frames(), b"\2" + _frames(), b"\0" + HELLO + _frames()],
        "hello": [b"noise\n" + HELLO, HELLO],
        "records": [b"".join(bytes(one) for one in writer.take())],
        "images": [_sized(_coded())],
        "control": [_sized(told)],
        "engine": [_engine("<"), _engine(">")],
        "local-half": [b"\1" + _frames(), b"\2" + _frames()],
    }
    return found[target]
