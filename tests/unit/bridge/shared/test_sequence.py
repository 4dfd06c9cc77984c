"""The program sees what a server alone would show: numbers, order, errors; and waits as little as it can."""

import sys
from typing import List, Tuple

from tests.unit.bridge.shared import samples
from tests.unit.bridge.shared import sequence_model as model
from tests.unit.bridge.shared.anywhere import raises, times
from x11fwd.bridge.shared import majors
from x11fwd.bridge.shared.faults import WireFault
from x11fwd.bridge.shared.packets import reply_packet
from x11fwd.bridge.shared.sequence import SYNC_STEP, Sequencer
from x11fwd.bridge.shared.wire import ServerReader

NOTHING, SYNC = b"\x7f\0\x01\0", b"\x2b\0\x01\0"
LOCAL = reply_packet("<", 0, 7, b"")
SEEDS = sys.version_info[1] * 1000  # every Python tries others


class Desk:
    """A Sequencer in little endian, and what the program gets as (kind, number, second byte)."""

    def __init__(self) -> None:
        self.sequencer = Sequencer("<")
        self.reader = ServerReader("<", greeted=True)

    def void(self, count: int = 1, *, risky: bool = False) -> None:
        for _ in range(count):
            self.sequencer.forward(majors.NO_REPLY, risky=risky)

    def real(self) -> None:
        self.sequencer.forward(majors.ONE_REPLY, risky=False)

    def local(self) -> bytes:
        return self.sequencer.answer([LOCAL])

    def server(self, kind: int, number: int, second: int = 0) -> bool:
        """The server sends this; whether it was taken out."""
        [packet] = self.reader.feed(samples.answer("<", kind, number, second=second))
        return self.sequencer.receive(packet) is not None

    def seen(self) -> "List[Tuple[int, int, int]]":
        return [(data[0], int.from_bytes(data[2:4], "little"), data[1]) for data in self.sequencer.take()]


def test_an_answer_comes_at_once_where_nothing_can_come_before_it() -> None:
    desk = Desk()
    desk.void(3)
    assert desk.local() == NOTHING
    assert desk.seen() == [(1, 4, 7)]
    assert desk.sequencer.backlog == 0


def test_the_place_is_taken_in_the_programs_byte_order() -> None:
    sequencer = Sequencer(">")
    assert sequencer.answer([LOCAL]) == b"\x7f\0\0\x01"
    [data] = sequencer.take()
    assert bytes(data[2:4]) == b"\0\x01"


def test_an_answer_waits_for_a_real_reply_before_it() -> None:
    desk = Desk()
    desk.real()
    assert desk.local() == NOTHING
    assert desk.seen() == []
    assert desk.sequencer.held_bytes == 32
    desk.server(1, 1)
    assert desk.seen() == [(1, 1, 0), (1, 2, 7)]
    assert desk.sequencer.held_bytes == 0


def test_an_answer_waits_until_a_risky_request_has_not_failed() -> None:
    desk = Desk()
    desk.void(risky=True)
    assert desk.local() == SYNC
    assert desk.local() == NOTHING  # one sync is enough
    assert desk.seen() == []
    assert desk.server(1, 2)
    assert desk.seen() == [(1, 2, 7), (1, 3, 7)]
    assert desk.local() == NOTHING
    assert desk.seen() == [(1, 4, 7)]


def test_an_error_comes_before_the_answer_and_keeps_its_number() -> None:
    desk = Desk()
    desk.void(2, risky=True)
    desk.local()
    assert not desk.server(0, 1, 3)
    assert desk.seen() == [(0, 1, 3)]
    assert not desk.server(0, 2, 9)
    assert desk.seen() == [(0, 2, 9), (1, 3, 7)]  # the second request has failed: it cannot do so again
    assert desk.server(1, 3)
    assert desk.seen() == []


def test_an_event_settles_what_is_before_its_number_and_not_its_number() -> None:
    desk = Desk()
    desk.void(1, risky=True)
    desk.void(1)
    desk.local()
    desk.server(12, 1)
    assert desk.seen() == [(12, 1, 0)]
    desk.server(12, 2)
    assert desk.seen() == [(12, 2, 0), (1, 3, 7)]


def test_a_real_reply_under_way_makes_a_sync_needless() -> None:
    desk = Desk()
    desk.void(risky=True)
    desk.real()
    assert desk.local() == NOTHING
    desk.server(0, 1, 3)
    assert desk.seen() == [(0, 1, 3)]
    desk.server(1, 2)
    assert desk.seen() == [(1, 2, 0), (1, 3, 7)]


def test_a_late_event_gets_the_number_of_the_last_answer() -> None:
    desk = Desk()
    desk.void(5)
    desk.local()
    desk.server(12, 2)
    desk.server(0x8C, 4)
    desk.server(12, 6)
    assert desk.seen() == [(1, 6, 7), (12, 6, 0), (0x8C, 6, 0), (12, 6, 0)]


def test_an_error_that_nobody_expected_does_not_run_backwards() -> None:
    desk = Desk()
    desk.void(1)
    desk.local()
    desk.server(0, 1, 3)
    assert desk.seen() == [(1, 2, 7), (0, 2, 3)]


def test_an_answer_comes_before_an_event_with_a_higher_number() -> None:
    desk = Desk()
    desk.void(1, risky=True)
    desk.local()
    desk.void(1)
    desk.server(12, 3)
    assert desk.seen() == [(1, 2, 7), (12, 3, 0)]
    assert desk.sequencer.settled == 2


def test_a_keymap_notify_passes_unchanged() -> None:
    desk = Desk()
    desk.local()
    data = b"\x0b" + bytes(range(31))
    [packet] = desk.reader.feed(data)
    desk.sequencer.take()
    assert desk.sequencer.receive(packet) is None
    assert [bytes(one) for one in desk.sequencer.take()] == [data]


def test_several_replies_are_awaited_to_the_last() -> None:
    desk = Desk()
    desk.sequencer.forward(majors.SEVERAL_REPLIES, risky=False, opcode=majors.LIST_FONTS_WITH_INFO)
    desk.local()
    desk.server(1, 1, 9)
    desk.server(1, 1, 4)
    assert desk.seen() == [(1, 1, 9), (1, 1, 4)]
    desk.server(1, 1, 0)
    assert desk.seen() == [(1, 1, 0), (1, 2, 7)]


def test_an_answer_can_be_several_replies_or_an_error() -> None:
    desk = Desk()
    desk.sequencer.answer([LOCAL, LOCAL])
    desk.sequencer.answer([samples.answer("<", 0, 0, second=2)])
    assert desk.seen() == [(1, 1, 7), (1, 1, 7), (0, 2, 2)]


def test_a_request_that_nobody_knows_may_reply_or_not() -> None:
    desk = Desk()
    desk.sequencer.forward(majors.MAYBE_REPLY, risky=False)
    assert desk.local() == SYNC
    desk.server(1, 1)
    assert desk.seen() == [(1, 1, 0)]
    assert desk.server(1, 2)
    assert desk.seen() == [(1, 2, 7)]


def test_a_request_can_be_answered_here_and_do_its_work_there() -> None:
    desk = Desk()
    desk.sequencer.answer_and_forward([LOCAL])
    desk.sequencer.answer_and_forward([LOCAL])
    assert desk.seen() == [(1, 1, 7), (1, 2, 7)]
    assert desk.server(1, 1)
    assert desk.server(0, 2, 3)
    assert desk.seen() == []
    with raises(ValueError, "only a request with a reply"):
        desk.sequencer.answer_and_forward([LOCAL], majors.NO_REPLY)


def test_what_was_taken_out_is_told_with_its_number() -> None:
    desk = Desk()
    desk.void(70000 - SYNC_STEP)
    desk.sequencer.answer_and_forward([LOCAL])
    number = desk.sequencer.number
    [packet] = desk.reader.feed(samples.answer("<", 0, number, second=3))
    muted = desk.sequencer.receive(packet)
    assert muted is not None
    assert (muted.kind, muted.number) == (0, number)


def test_an_absorbed_request_takes_its_number_and_nothing_else() -> None:
    desk = Desk()
    desk.void(risky=True)
    assert desk.sequencer.absorb() == NOTHING
    assert desk.local() == SYNC
    desk.server(1, 3)
    assert desk.seen() == [(1, 3, 7)]


def test_the_server_is_made_to_speak_before_its_numbers_wrap() -> None:
    desk = Desk()
    stood = [desk.local() for _ in range(SYNC_STEP * 5)]
    assert stood.count(SYNC) == 5
    assert len(desk.seen()) == SYNC_STEP * 5
    for turn in range(1, 6):
        assert desk.server(1, turn * SYNC_STEP)
    assert desk.sequencer.settled == SYNC_STEP * 5


def test_a_reply_after_more_than_65535_requests_is_still_understood() -> None:
    desk = Desk()
    desk.void(10)
    desk.local()
    desk.void(65535)
    desk.real()  # the library's own sync, 65536 after the last reply that it got
    desk.local()
    desk.server(12, 5)
    desk.server(1, 65547)
    desk.server(12, 65548)
    seen = desk.seen()
    assert [(kind, number) for kind, number, _ in seen] == [(1, 11), (12, 11), (1, 11), (1, 12), (12, 12)]
    assert desk.sequencer.settled == 65547


def test_a_server_that_answers_what_was_not_asked_is_a_fault() -> None:
    for kind in (0, 1, 12):
        desk = Desk()
        desk.void(3)
        with raises(WireFault, "answers request 4 of 3"):
            desk.server(kind, 4)


def talk(seed: int, order: str, lead: int = 0) -> model.Talk:
    """Random requests, delays and cuts; the model checks each packet as it comes, and all at the end."""
    one = model.Talk(seed, order, lead)
    if lead:
        one.serve(1 << 30, noisy=False)
    for _ in range(one.chance.randrange(40, 150)):
        act = one.chance.randrange(4)
        if act < 2:
            for _ in range(one.chance.randrange(1, 6)):
                one.request()
        elif act == 2:
            one.serve()
        else:
            one.bring()
    one.finish()
    return one


def test_random_talk_in_both_byte_orders() -> None:
    seen = muted = 0
    seeds = times(100)
    for seed in range(SEEDS, SEEDS + seeds):
        one = talk(seed, "<>"[seed & 1])
        seen += len(one.got)
        muted += one.muted
    assert seen > 70 * seeds
    assert muted > 7 * seeds


def test_random_talk_over_the_wrap() -> None:
    for seed in range(SEEDS, SEEDS + times(2)):
        one = talk(seed, "<>"[seed & 1], lead=65536 * (1 + (seed & 1)) - 10)
        assert one.sequencer.number > 65536


def test_a_program_that_waits_for_each_answer_never_waits_for_ever() -> None:
    for seed in range(SEEDS, SEEDS + times(25)):
        one = model.Talk(seed, "<")
        for _ in range(60):
            one.request()
            if one.chance.random() < 0.3:
                one.request(one.chance.choice([model.LOCAL, model.REAL, model.BOTH]), fails=False)
                waiting = one.sequencer.number
                one.serve(1 << 30)
                one.bring(1 << 30)
                one.complete(waiting)
        one.finish()


def test_only_risky_requests_make_a_program_wait_for_the_server() -> None:
    one = model.Talk(1, "<")
    for _ in range(500):
        kind = one.chance.choice([model.VOID, model.LOCAL, model.BOTH])
        one.request(kind, fails=False)
        one.complete(one.sequencer.number)
    one.finish()
