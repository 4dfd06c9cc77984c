"""Records come as they were written however their bytes are cut, and broken ones are refused."""

import random
from typing import List, Sequence, Tuple, Union

from tests.unit.bridge.shared.anywhere import raises
from x11fwd.bridge.shared.faults import WireFault
from x11fwd.bridge.shared.records import IMAGE, LONGEST_IMAGE, RAW, RecordReader, RecordWriter


def joined(found: "Sequence[Tuple[int, Union[bytes, memoryview]]]") -> "List[Tuple[int, bytes]]":
    """Neighbouring RAW records as one: how they are cut means nothing."""
    all_of: List[Tuple[int, bytes]] = []
    for kind, payload in found:
        if kind == RAW and all_of and all_of[-1][0] == RAW:
            all_of[-1] = (RAW, all_of[-1][1] + bytes(payload))
        else:
            all_of.append((kind, bytes(payload)))
    return all_of


def test_neighbouring_raw_bytes_become_one_record() -> None:
    writer = RecordWriter()
    writer.raw(b"ab")
    writer.raw(memoryview(b"cd"))
    writer.image(b"image")
    writer.raw(b"ef")
    data = b"".join(writer.take())
    assert data == b"\0\0\0\4abcd" + b"\x80\0\0\5image" + b"\0\0\0\2ef"
    assert writer.take() == []
    assert joined(RecordReader().feed(data)) == [(RAW, b"abcd"), (IMAGE, b"image"), (RAW, b"ef")]


def test_records_may_be_cut_anywhere() -> None:
    chance = random.Random(4)
    for _ in range(200):
        writer, sent = RecordWriter(), []
        for _ in range(chance.randrange(12)):
            kind, payload = chance.choice((RAW, IMAGE)), bytes(chance.randrange(1, 40))
            sent.append((kind, payload))
            if kind == RAW:
                writer.raw(payload)
            else:
                writer.image(payload)
        data = b"".join(writer.take())
        reader, found = RecordReader(), []
        while data:
            size = chance.randrange(1, 30)
            found += reader.feed(data[:size])
            data = data[size:]
        assert joined(found) == joined(sent)
        assert not reader.waits


def test_raw_bytes_do_not_wait_for_the_rest_of_their_record() -> None:
    writer = RecordWriter()
    writer.raw(bytes(1000000))
    data = b"".join(writer.take())
    reader = RecordReader()
    assert sum(len(one.payload) for one in reader.feed(data[:1000])) == 996


def test_records_can_be_taken_one_by_one() -> None:
    writer = RecordWriter()
    writer.image(b"one")
    writer.image(b"two")
    reader = RecordReader()
    reader.put(b"".join(writer.take()))
    assert reader.next() == (IMAGE, b"one")
    assert reader.waits
    reader.put(b"\x80\0\0\5three")
    assert [reader.next(), reader.next(), reader.next()] == [(IMAGE, b"two"), (IMAGE, b"three"), None]
    assert not reader.waits


def test_an_image_that_is_too_long_or_empty_is_a_fault() -> None:
    for size in (0, LONGEST_IMAGE + 1, (1 << 31) - 1):
        with raises(WireFault, "coded image of %d bytes" % size):
            RecordReader().feed((1 << 31 | size).to_bytes(4, "big"))
