"""What is fuzzed: one function for each kind of hostile bytes; only WireFault may come out of the code."""

from __future__ import annotations

import os
import random
import socket
import struct
import zlib
from typing import TYPE_CHECKING

from tests.unit.bridge.shared import samples
from x11fwd.bridge.local.half import LocalHalf
from x11fwd.bridge.local.server import XServer
from x11fwd.bridge.remote.knowledge import Knowledge
from x11fwd.bridge.remote.program import Program
from x11fwd.bridge.shared.control import ControlReader, SeenTold, WishTold, read_wish, wish_payload
from x11fwd.bridge.shared.faults import WireFault
from x11fwd.bridge.shared.frames import FrameReader
from x11fwd.bridge.shared.hello import Hello, HelloReader, hello_bytes
from x11fwd.bridge.shared.images import ImageCoder, ImageDecoder, ImageShelf
from x11fwd.bridge.shared.link import Link
from x11fwd.bridge.shared.packing import Packer
from x11fwd.bridge.shared.records import IMAGE, RecordReader
from x11fwd.bridge.shared.setup import Refusal, Setup, read_setup
from x11fwd.bridge.shared.wire import ProgramReader, ServerReader

if TYPE_CHECKING:
    from collections.abc import Callable

Target = "Callable[[bytes], None]"
HELLO = hello_bytes(Hello("s", 0, 1 << 20, ("zlib",)))


def _cuts(data: bytes) -> list[bytes]:
    """`data` in pieces; the same data always gives the same."""
    chance = random.Random(zlib.crc32(data))
    pieces, at = [], 0
    while at < len(data):
        size = chance.choice([1, 2, 3, 4, 7, 8, 31, 32, 33, 200])
        pieces.append(data[at : at + size])
        at += size
    return pieces


def _all_of(feed: Callable[[bytes], list[bytes]], pieces: list[bytes]) -> tuple[list[bytes], bool]:
    """Everything that came out, and whether the code refused at the end."""
    found: list[bytes] = []
    try:
        for piece in pieces:
            found += feed(piece)
        found += feed(b"")
    except WireFault:
        return found, True
    return found, False


def _same_however_cut(make: Callable[[], Callable[[bytes], list[bytes]]], data: bytes) -> None:
    """Cut anywhere, the same comes out; of a reader that drops what came with a fault, no more."""
    whole, refused = _all_of(make(), [data])
    cut, cut_refused = _all_of(make(), _cuts(data))
    assert refused == cut_refused, (refused, cut_refused)
    assert cut[: len(whole)] == whole if refused else cut == whole


def program_reader(data: bytes) -> None:
    """A program's bytes; the first of the input says whether it may send long requests."""

    def make() -> Callable[[bytes], list[bytes]]:
        reader = ProgramReader()
        reader.big_requests = 133 if data[:1] > b"\x80" else None
        return lambda piece: [bytes(one.data) for one in reader.feed(piece)]

    _same_however_cut(make, data[1:])


def server_reader(data: bytes) -> None:
    """An X server's bytes, from the setup reply on or behind it, in both byte orders."""
    flags = data[0] if data else 0
    order = "<>"[flags & 1]

    def make() -> Callable[[bytes], list[bytes]]:
        reader = ServerReader(order, greeted=bool(flags & 2), longest=1 << 20)
        return lambda piece: [bytes(one.data) for one in reader.feed(piece)]

    _same_however_cut(make, data[1:])


def setup_reply(data: bytes) -> None:
    """A whole setup reply."""
    found = read_setup(data[1:], "<>"[data[0] & 1] if data else "<")
    assert isinstance(found, Setup | Refusal)


def frame_reader(data: bytes) -> None:
    """Frames of the link."""

    def make() -> Callable[[bytes], list[bytes]]:
        reader = FrameReader()

        def feed(piece: bytes) -> list[bytes]:
            found = [b"%d %d %b" % one for one in reader.feed(piece)]
            while True:  # behind a PACKED frame
                more = [b"%d %d %b" % one for one in reader.feed(reader.rest())]
                if not more:
                    return found
                found += more

        return feed

    _same_however_cut(make, data)


def link(data: bytes) -> None:
    """The other half's bytes, its hello included; an odd first byte packs what follows."""
    packed = bool(data[:1]) and data[0] & 1
    stream = data[1:]
    if packed:
        stream = HELLO + struct.pack(">BIH4s", 4, 0, 4, b"zlib") + Packer().pack(stream)
    elif data[:1] and data[0] & 2:
        stream = HELLO + stream
    here = Link("s", 1 << 16)
    here.begin()
    for piece in _cuts(stream):
        for frame in here.receive(piece, 1.0):
            here.consumed(frame.connection, len(frame.payload))
        here.flush()
        assert here.kept_bytes < 1 << 20


def hello(data: bytes) -> None:
    """What comes before and with a hello."""
    reader = HelloReader()
    for piece in _cuts(data):
        if reader.feed(piece) is not None:
            return
    reader.noise()


def records(data: bytes) -> None:
    """Records of a connection, and the images among them."""
    decoder, reader = ImageDecoder(ImageShelf(), 1), RecordReader()
    for piece in _cuts(data):
        for record in reader.feed(piece):
            if record.kind == IMAGE:
                decoder.decode(record.payload)


def images(data: bytes) -> None:
    """Coded images, each behind its length."""
    decoder, at = ImageDecoder(ImageShelf(), 1), 0
    while at + 2 <= len(data):
        (size,) = struct.unpack_from("<H", data, at)
        made = decoder.decode(data[at + 2 : at + 2 + size])
        assert len(made) <= 1 << 26
        at += 2 + size


def control(data: bytes) -> None:
    """What the local half tells, each behind its length."""
    knowledge, at = Knowledge("<"), 0
    while at + 2 <= len(data):
        (size,) = struct.unpack_from("<H", data, at)
        knowledge.told(data[at + 2 : at + 2 + size])
        at += 2 + size


EXTENSIONS = (
    *(b"BIG-REQUESTS", b"RENDER", b"XFIXES", b"SHAPE", b"SYNC", b"DAMAGE", b"RANDR", b"XInputExtension"),
    *(b"XKEYBOARD", b"GLX", b"XC-MISC", b"MIT-SHM"),
)
FIRST_MAJOR = 128


def _knowing() -> Knowledge:
    knowledge = Knowledge("<")
    for at, name in enumerate(EXTENSIONS):
        knowledge.extension(name, True, (FIRST_MAJOR + at, 64 + at, 128 + at))
    return knowledge


def engine(data: bytes) -> None:
    """A program and an X server that both lie: pieces behind a length whose top bit says whose they are."""
    order = "<>"[data[0] & 1] if data else "<"
    setup = read_setup(samples.setup(order), order)
    assert isinstance(setup, Setup)
    shelf = ImageShelf()
    program = Program(order, setup, _knowing(), ImageCoder(shelf, 1, setup, order))
    reader = ProgramReader(1 << 16)
    reader.big_requests = FIRST_MAJOR
    reader.feed(samples.greeting(order))
    records_of, decoder = RecordReader(), ImageDecoder(ImageShelf(), 1)
    at, sent = 1, 0
    while at + 2 <= len(data):
        (head,) = struct.unpack_from("<H", data, at)
        piece = data[at + 2 : at + 2 + (head & 0x7FFF)]
        at += 2 + len(piece)
        if head & 0x8000 and piece[:1] == b"\xff":  # no packet begins so
            told = ControlReader().read(piece[1:])
            program.seen(told.facts if isinstance(told, SeenTold) else ())
        elif head & 0x8000:
            program.packets(piece)
        else:
            program.requests(reader.feed(piece))
        for made in program.take_upstream():
            for record in records_of.feed(bytes(made)):
                sent += len(decoder.decode(record.payload) if record.kind == IMAGE else record.payload)
        program.take_answers()
        wish = program.take_wish()
        if wish is not None:
            read_wish(wish_payload(WishTold(2, tuple(wish[0]), wish[1])))
        assert sent <= len(data) * 4 + 64


def local_half(data: bytes) -> None:
    """The remote half's bytes at the local half's loop; each X server answers with the setup of a sample."""
    ends: list[socket.socket] = []

    def connect() -> socket.socket:
        here, there = socket.socketpair()
        there.setblocking(False)
        there.sendall(samples.setup("<"))
        ends.append(there)
        return here

    stream = data[1:]
    if data[:1] and data[0] & 1:
        stream = HELLO + struct.pack(">BIH4s", 4, 0, 4, b"zlib") + Packer().pack(stream)
    elif data[:1] and data[0] & 2:
        stream = HELLO + stream
    read, feed = os.pipe()
    sink, write = os.pipe()
    os.write(feed, stream[: 1 << 15])
    os.close(feed)
    os.set_blocking(sink, False)
    try:
        LocalHalf(XServer(connect), "s").run(read, write)
    finally:
        for one in (read, sink, write):
            os.close(one)
        for end in ends:
            end.close()


TARGETS: dict[str, Callable[[bytes], None]] = {
    "program-reader": program_reader,
    "server-reader": server_reader,
    "setup": setup_reply,
    "frames": frame_reader,
    "link": link,
    "hello": hello,
    "records": records,
    "images": images,
    "control": control,
    "engine": engine,
    "local-half": local_half,
}
# Which half's bytes they are, for `--side`
SIDES = {
    "remote": ("program-reader", "engine", "control", "server-reader", "setup", "hello"),
    "local": ("link", "frames", "records", "images", "local-half"),
}
