"""Two halves in one process: numbers, credit, packing, round trip, and a session that outlives its stream."""

import random
from typing import List, Tuple

from tests.unit.bridge.shared import samples
from tests.unit.bridge.shared.anywhere import raises, times
from x11fwd.bridge.shared import frames
from x11fwd.bridge.shared.faults import WireFault
from x11fwd.bridge.shared.frames import Frame, frame_bytes
from x11fwd.bridge.shared.hello import Hello, hello_bytes
from x11fwd.bridge.shared.link import DATA_SIZE, FIRST_WINDOW, Link

WINDOW = 1 << 18


def pair(window: int = WINDOW, keep: int = 1 << 25) -> "Tuple[Link, Link]":
    """Both halves, greeted."""
    here, there = Link("s", window, keep=keep), Link("s", window, keep=keep)
    ours, theirs = here.begin(), there.begin()
    came = here.receive(theirs, 0.0) + there.receive(ours, 0.0)
    assert len(came) == 0
    return here, there


def carry(source: Link, target: Link, now: float = 0.0) -> "List[Frame]":
    """Everything that is due, one way."""
    return target.receive(source.flush(), now)


def test_frames_come_as_they_were_sent_packed_after_the_hello() -> None:
    here, there = pair()
    sent = [Frame(frames.OPEN, 1, b"hi"), Frame(frames.CONTROL, 0, b"x" * 5000), Frame(99, 1, b"y")]
    for frame in sent:
        here.send(*frame)
    assert here.due()
    data = here.flush()
    assert not here.due()
    assert len(data) < 200
    assert there.receive(data, 0.0) == sent
    here.send(frames.CONTROL, 0, b"x" * 5000)
    assert len(here.flush()) < 60


def test_nothing_waits_for_the_other_halfs_hello() -> None:
    here, there = Link("s", WINDOW), Link("s", WINDOW)
    data, late = here.begin((("place", "local"),)), there.begin()
    here.send(frames.OPEN, 1)
    assert here.send_data(1, bytes(FIRST_WINDOW + 5)) == FIRST_WINDOW
    found = there.receive(data + here.flush(), 0.0)
    assert [frame.kind for frame in found] == [frames.OPEN] + [frames.DATA] * (FIRST_WINDOW // DATA_SIZE)
    assert there.peer is not None
    assert there.peer.notes == (("place", "local"),)
    here.receive(late, 0.0)
    assert here.room(1) == WINDOW - FIRST_WINDOW
    here.send(frames.CONTROL, 0, b"now packed")
    assert carry(here, there) == [Frame(frames.CONTROL, 0, b"now packed")]


def test_a_half_without_a_common_packer_gets_plain_frames() -> None:
    here = Link("s", WINDOW)
    here.begin()
    here.receive(hello_bytes(Hello("s", 0, WINDOW, ("lzma",))), 0.0)
    here.send(frames.CONTROL, 0, b"plain")
    assert here.flush() == frame_bytes(frames.CONTROL, 0, b"plain")


def test_credit_bounds_what_is_under_way_and_consuming_gives_it_back() -> None:
    here, there = pair()
    here.send(frames.OPEN, 1)
    assert here.send_data(1, memoryview(bytes(WINDOW + 10))) == WINDOW
    assert here.room(1) == 0
    assert here.send_data(1, b"more") == 0
    data = [frame for frame in carry(here, there) if frame.kind == frames.DATA]
    assert sum(len(frame.payload) for frame in data) == WINDOW
    there.consumed(1, WINDOW // 4 - 1)
    carry(there, here)
    assert here.room(1) == 0
    there.consumed(1, 1)
    carry(there, here)
    assert here.room(1) == WINDOW // 4


def test_one_connection_without_credit_does_not_stop_another() -> None:
    here, there = pair()
    for connection in (1, 2):
        here.send(frames.OPEN, connection)
    here.send_data(1, bytes(WINDOW))
    assert here.send_data(2, b"key") == 3
    assert carry(here, there)[-1] == Frame(frames.DATA, 2, b"key")


def test_a_closed_connection_takes_and_brings_nothing() -> None:
    here, there = pair()
    here.send(frames.OPEN, 1)
    carry(here, there)
    there.send(frames.CLOSE, 1, b"gone")
    here.send_data(1, b"crossing")
    assert carry(here, there) == []
    assert carry(there, here) == [Frame(frames.CLOSE, 1, b"gone")]
    assert here.room(1) == 0
    assert here.send_data(1, b"late") == 4
    here.consumed(1, 4)
    here.send(frames.CLOSE, 1)
    assert carry(here, there) == []


def test_frames_are_kept_until_they_are_acknowledged() -> None:
    here, there = pair()
    for _ in range(5):
        here.send(frames.CONTROL, 0, b"x" * 1000)
    assert here.kept_bytes == 5 * (1000 + frames.HEAD_SIZE)
    there.receive(here.flush(), 0.0)
    assert here.under_way > 0
    assert there.due()
    carry(there, here)
    assert (here.kept_bytes, here.under_way) == (0, 0)
    here.send(frames.CONTROL, 0, b"x" * 100)
    carry(here, there)
    assert not there.due()  # too little for a batch of its own


def test_what_is_kept_bounds_what_is_sent() -> None:
    here, there = pair(keep=100000)
    here.send(frames.OPEN, 1)
    taken = here.send_data(1, bytes(WINDOW))
    assert taken < 100001
    assert here.room(1) == 0
    carry(here, there)
    carry(there, here)
    assert here.kept_bytes == 0
    assert here.room(1) == 100000


def test_the_round_trip_is_measured() -> None:
    here, there = pair()
    here.ping(10.0)
    there.receive(here.flush(), 0.0)
    assert there.due()
    here.receive(there.flush(), 10.125)
    assert here.round_trip == 0.125
    for _ in range(100):
        here.ping(11.0)
    assert len(here.flush()) < 200


def test_what_is_under_way_is_bounded_until_it_is_acknowledged() -> None:
    here, there = pair()
    chance = random.Random(1)
    now = 50.0
    sent: List[bytes] = []
    while here.pace_room() and len(sent) < 100:
        here.send(frames.CONTROL, 0, chance.getrandbits(8 * 1000).to_bytes(1000, "big"))
        sent.append(here.flush(now))
    assert len(sent) < 100
    there.receive(b"".join(sent), now)
    here.receive(there.flush(), now + 0.1)
    assert here.under_way == 0
    assert here.round_trip is not None  # by the ping that went with the first batch
    assert here.pace_room() > 0


def test_rules_that_the_other_half_breaks_are_faults() -> None:
    def fault(data: bytes, text: str) -> None:
        here, _ = pair()
        here.send(frames.OPEN, 1)
        with raises(WireFault, text):
            here.receive(data, 0.0)

    count = frames.count_payload
    fault(frame_bytes(frames.ACK, 0, count(2)), "acknowledges 2 frames of 0 to 1")
    fault(frame_bytes(frames.ACK, 0, b"?"), "count of 1 bytes")
    fault(frame_bytes(frames.CREDIT, 1, count(1)), "never got")
    fault(frame_bytes(frames.OPEN, 1), "opened twice")
    fault(frame_bytes(frames.DATA, 1, bytes(65535)) * 5, "more of a connection than it may")
    fault(frame_bytes(frames.PACKED, 0, b"rot13"), "packs with 'rot13'")
    fault(b"".join(frame_bytes(frames.OPEN, 2 + one) for one in range(5000)), "more than 4096 connections")
    fault(frame_bytes(frames.CONTROL, 0, bytes(65535)) * 1025, "more than it can keep")


def test_another_session_is_a_fault() -> None:
    here = Link("s", WINDOW)
    here.begin()
    with raises(WireFault, "another session"):
        here.receive(Link("t", WINDOW).begin(), 0.0)


def test_a_half_that_forgot_the_session_is_a_fault() -> None:
    here, there = pair()
    here.send(frames.CONTROL, 0)
    carry(here, there)
    carry(there, here)
    here.begin()
    with raises(WireFault, "acknowledges 0 frames of 1 to 1"):
        here.receive(Link("s", WINDOW).begin(), 0.0)


def converse(seed: int) -> None:
    """Random traffic over streams that break at random; everything arrives once and in order."""
    chance = random.Random(seed)
    ends = pair()
    sent: Tuple[List[Frame], List[Frame]] = ([], [])
    got: Tuple[List[Frame], List[Frame]] = ([], [])
    stream: List[bytes] = [b"", b""]  # towards each end
    for step in range(300):
        side = chance.randrange(2)
        link, other = ends[side], 1 - side
        act = chance.randrange(10)
        if act == 0 and step < 280:
            stream = [ends[1].begin(), ends[0].begin()]
        elif act < 4:
            frame = Frame(frames.CONTROL, chance.randrange(3), bytes([step & 255]) * chance.randrange(50))
            link.send(*frame)
            sent[side].append(frame)
        elif act == 4:
            link.ping(0.0)
        elif act < 7:
            stream[other] += link.flush()
        else:
            size = chance.randrange(200)
            piece, stream[side] = stream[side][:size], stream[side][size:]
            got[side].extend(link.receive(piece, 0.0))
    stream = [ends[1].begin(), ends[0].begin()]
    for _ in range(4):
        for side in (0, 1):
            got[side].extend(ends[side].receive(stream[side], 0.0))
            stream[side] = b""
        for side in (0, 1):
            stream[1 - side] += ends[side].flush()
    assert got == (sent[1], sent[0])
    for side in (0, 1):
        ends[side].receive(stream[side], 0.0)
        stream[1 - side] = ends[side].flush()
    assert ends[0].kept_bytes == 0
    assert ends[0].under_way == 0


def test_a_session_outlives_its_stream() -> None:
    for seed in range(times(60)):
        converse(seed)


def test_data_under_credit_outlives_the_stream_and_every_byte_is_consumed_once() -> None:
    for seed in range(times(15)):
        chance = random.Random(seed)
        here, there = pair(window=5000)
        here.send(frames.OPEN, 1)
        data = bytes(chance.randrange(256) for _ in range(40000))
        at, got = 0, b""
        forth, back = b"", b""
        for _ in range(100000):
            if len(got) == len(data):
                break
            at += here.send_data(1, data[at : at + chance.randrange(3000)])
            forth += here.flush()
            size = chance.randrange(4000)
            for frame in there.receive(forth[:size], 0.0):
                if frame.kind == frames.DATA:
                    got += frame.payload
                    there.consumed(1, len(frame.payload))
            forth = forth[size:]
            back += there.flush()
            here.receive(back[:size], 0.0)
            back = back[size:]
            if not chance.randrange(15):
                back, forth = there.begin(), here.begin()
        assert got == data


def test_any_bytes_make_frames_or_a_wire_fault() -> None:
    chance = random.Random(5)
    for _ in range(300):
        here, there = pair()
        there.send(frames.OPEN, 1)
        there.send_data(1, b"hello" * 20)
        there.ping(0.0)
        data = bytearray(there.flush())
        for _ in range(chance.randrange(1, 5)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            for chunk in samples.chunks(bytes(data), [chance.randrange(1, 50)]):
                here.receive(chunk, 0.0)
        except WireFault:
            continue


def test_who_knows_the_other_half_packs_at_once() -> None:
    here, there = Link("s", WINDOW, first_packer="zlib"), Link("s", WINDOW)
    data, late = here.begin(), there.begin()
    here.send(frames.CONTROL, 0, b"facts " * 5000)
    data += here.flush()
    assert len(data) < 1000
    came = there.receive(data, 0.0)
    assert [frame.payload for frame in came] == [b"facts " * 5000]
    here.receive(late, 0.0)
    here.send(frames.CONTROL, 0, b"more")
    assert [frame.payload for frame in carry(here, there)] == [b"more"]
