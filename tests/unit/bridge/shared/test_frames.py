"""Frames, packing and hello: read as they were written, however cut, and refused when wrong."""

import random

from tests.unit.bridge.shared import samples
from tests.unit.bridge.shared.anywhere import raises
from x11fwd.bridge.shared import frames, packing
from x11fwd.bridge.shared.faults import WireFault
from x11fwd.bridge.shared.frames import Frame, FrameReader, frame_bytes
from x11fwd.bridge.shared.hello import Hello, HelloReader, hello_bytes

SOME = [
    Frame(frames.OPEN, 1, b""),
    Frame(frames.DATA, 0xFFFFFFFF, b"x" * 0xFFFF),
    Frame(frames.PING, 0, b"abc"),
    Frame(255, 7, b"\0"),
]
GREETING = Hello("5f3a", 17, 1 << 20, ("zlib", "zstd"), notes=(("python", "3.6"),))


def test_frames_are_cut_whatever_the_chunks() -> None:
    data = b"".join(frame_bytes(*frame) for frame in SOME)
    for sizes in ([1000], [7, 3, 70000], [1 << 20]):
        reader = FrameReader()
        found = []
        for chunk in samples.chunks(data, sizes):
            found += reader.feed(chunk)
        assert found == SOME
        assert not reader.rest()


def test_a_reader_stops_where_packing_begins() -> None:
    reader = FrameReader()
    packed = frame_bytes(frames.PACKED, 0, b"zlib")
    found = reader.feed(frame_bytes(*SOME[0]) + packed + b"what is packed")
    assert [frame.kind for frame in found] == [frames.OPEN, frames.PACKED]
    assert reader.rest() == b"what is packed"


def test_a_count_is_written_and_read() -> None:
    for count in (0, 5, 1 << 63):
        assert frames.read_count(Frame(frames.ACK, 0, frames.count_payload(count))) == count
    with raises(WireFault, "count of 3 bytes"):
        frames.read_count(Frame(frames.ACK, 0, b"abc"))


def test_each_batch_is_unpacked_at_once_and_the_context_is_kept() -> None:
    chance = random.Random(2)
    batch = bytes(chance.randrange(256) for _ in range(3000))
    packer, unpacker = packing.Packer(), packing.Unpacker()
    first, second = packer.pack(batch), packer.pack(batch)
    assert b"".join(unpacker.unpack(first)) == batch
    assert b"".join(unpacker.unpack(second)) == batch
    assert len(first) > 3000 > 60 > len(second)


def test_a_bomb_comes_out_in_small_pieces() -> None:
    data = packing.Packer(9).pack(bytes(1 << 24))
    assert len(data) < 20000
    sizes = [len(piece) for piece in packing.Unpacker().unpack(data)]
    assert max(sizes) == packing.PIECE
    assert sum(sizes) == 1 << 24


def test_damaged_packing_is_a_fault() -> None:
    with raises(WireFault, "damaged"):
        list(packing.Unpacker().unpack(b"\xff" * 100))
    with raises(WireFault, "ends its packed bytes"):
        list(packing.Unpacker().unpack(b"\x03\0" + b"more"))


def test_the_first_packer_that_both_have_is_chosen() -> None:
    assert packing.chosen(("lz4", "zlib")) == "zlib"
    assert not packing.chosen(("lz4",))
    assert not packing.chosen(())


def test_a_hello_is_found_behind_what_login_files_say() -> None:
    data = hello_bytes(GREETING) + b"\x10behind"
    for noise in (b"", b"Welcome to gpu1\r\n", b"no newline", b"\n\n\n", b"\nX11FWD-BRIDGE-", b"x" * 65000):
        for sizes in ([1 << 20], [1000, 1], [13]):
            reader, found = HelloReader(), None
            for chunk in samples.chunks(noise + data, sizes):
                if found is None:
                    found = reader.feed(chunk)
            assert found is not None
            assert found[0] == GREETING
            assert (b"\x10behind").startswith(found[1])


def test_noise_without_a_hello_is_a_fault_that_shows_it() -> None:
    with raises(WireFault, "instead came 'python3: not found x"):
        HelloReader().feed(b"python3: not found\n" + b"x" * 70000)
    with raises(WireFault, "begins too late"):
        HelloReader().feed(b"x" * 70000 + hello_bytes(GREETING))


def test_a_hello_of_another_kind_is_a_fault() -> None:
    good = hello_bytes(GREETING)
    for old, new, text in (
        (b"version 1", b"version 2", "speaks version 2, this one 1"),
        (b"window 1048576", b"window 0", "impossible"),
        (b"window 1048576", b"window x", "incomplete"),
        (b"received 17", b"received -1", "impossible"),
        (b"session 5f3a\n", b"", "incomplete"),
        (b"\n\n", b"\n" + b"x" * 5000, "does not end"),
    ):
        assert old in good
        with raises(WireFault, text):
            HelloReader().feed(good.replace(old, new))


def test_any_bytes_make_a_hello_or_a_fault_or_wait() -> None:
    chance = random.Random(3)
    good = hello_bytes(GREETING)
    for _ in range(500):
        data = bytearray(good)
        for _ in range(chance.randrange(4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            HelloReader().feed(bytes(data))
        except WireFault:
            continue
