"""Questions that the local half has put ahead, right behind what the program has heard."""

import struct
from typing import Optional, Tuple

from tests.unit.bridge.remote.desk import FIRST, ROOT, Desk
from tests.unit.bridge.shared import samples
from x11fwd.bridge.remote.rules.foreseen import Foreseen
from x11fwd.bridge.remote.sight import Sight, changes
from x11fwd.bridge.shared.control import Fact, WishTold, read_wish, wish_payload
from x11fwd.bridge.shared.majors import CORE, NO_REPLY
from x11fwd.bridge.shared.wire import Request

TOP = FIRST + 1
NET_WM_STATE = 300
EVENT = 22  # ConfigureNotify


class Foresight(Desk):
    """A program with a top level that was mapped and has heard of it; the local half has asked."""

    def __init__(self, *, starts: bool = False) -> None:
        super().__init__("<" if struct.pack("=H", 1)[0] else ">")
        self.knowledge.order = self.order
        self.around.waits = lambda: not self.sequencer.quiet
        self.knowledge.learn_atom(NET_WM_STATE, b"_NET_WM_STATE")
        self.sight = self.around.state(Sight)
        self.wishes: Optional[Tuple[bytes, ...]] = None
        self.grabs = False
        if starts:
            return
        self.window(TOP, values={11: 1 << 17})
        self.send(8, self.pack("I", TOP))
        self.wishes = self.taken()
        self.hear()
        self.look()

    def taken(self) -> "Optional[Tuple[bytes, ...]]":
        wish = self.sight.take_wish()
        if wish is None:
            return None
        told = read_wish(wish_payload(WishTold(2, tuple(wish[0]), wish[1])))
        self.grabs = told.grabs
        return told.requests

    def hear(self) -> None:
        """An event; the X server has got everything."""
        self.knowledge.heard += 1
        self.told(EVENT, self.pack("III", 0, 0, 0))

    def look(self) -> None:
        """Every reply says, behind the head, which question it is to."""
        facts = []
        for place, question in enumerate(self.wishes or ()):
            words = struct.pack(self.order + "10I", *[100 * place + one for one in range(10)])
            size = 44 if question[0] == 3 else 32
            head = self.pack("BBHI", 1, 0, 0, (size - 32) // 4)
            facts.append(Fact(b"", question, head + words[: size - 8]))
        self.sight.told(tuple(facts), self.sequencer.received)

    def question(self, opcode: int, *words: int) -> Request:
        data = samples.request(self.order, opcode, 0, self.pack("%dI" % len(words), *words))
        return Request(self.sequencer.number + 1, opcode, 0, memoryview(data), 4)

    def changes(self, opcode: int, *words: int) -> None:
        """A request goes to the X server; what else comes of it is of no interest."""
        self.sight.passes(self.question(opcode, *words), changes((CORE, opcode)))
        self.sequencer.forward(NO_REPLY, risky=False)

    def place(self, opcode: int, *words: int) -> Optional[int]:
        answer = self.send(opcode, self.pack("%dI" % len(words), *words))
        return (
            None if answer is None else struct.unpack_from(self.order + "I", answer.packets[0], 8)[0] // 100
        )

    def tree(self) -> Optional[int]:
        return self.place(15, TOP)

    def state(self) -> Optional[int]:
        return self.place(20, TOP, NET_WM_STATE, 4, 0, 1024)


def test_what_toolkits_ask_of_a_new_top_level_is_wished_and_answered() -> None:
    desk = Foresight()
    assert desk.wishes is not None
    assert [one[0] for one in desk.wishes] == [3, 15, 40, 40, 20]
    assert desk.tree() == 1
    assert desk.place(40, TOP, ROOT, 0) == 2
    assert desk.place(40, TOP, TOP, 0) == 3
    assert desk.state() == 4
    assert desk.tree() == 1
    assert desk.place(40, TOP, ROOT, 1) is None  # another place


def test_attributes_have_the_program_s_own_events() -> None:
    desk = Foresight()
    answer = desk.send(3, desk.pack("I", TOP))
    assert answer is not None
    everybody, mine, rest = struct.unpack_from(desk.order + "3I", answer.packets[0], 32)
    assert (everybody, mine, rest) == (6, 1 << 17, 8)


def test_answers_of_a_wrong_size_are_none() -> None:
    desk = Foresight()
    assert desk.wishes is not None
    attributes, tree = desk.wishes[:2]
    short, long = desk.pack("BBHI24x", 1, 0, 0, 0), desk.pack("BBHI28x", 1, 0, 0, 0)
    desk.sight.told((Fact(b"", attributes, short), Fact(b"", tree, long)), desk.sequencer.received)
    assert desk.rule(Foreseen).answer(desk.question(3, TOP)) is None
    assert desk.tree() is None


def test_whatever_any_program_hears_ends_it() -> None:
    desk = Foresight()
    desk.knowledge.heard += 1
    assert desk.tree() is None


def test_a_change_of_the_program_s_own_ends_what_it_may_change() -> None:
    for opcode, words, tree, state in (
        (12, (TOP, 0), None, 4),  # ConfigureWindow
        (8, (TOP,), None, 4),
        (19, (TOP, NET_WM_STATE), 1, None),  # DeleteProperty
        (28, (0, TOP), None, None),  # GrabButton: nobody has thought about it
        (61, (TOP, 0, 0), 1, 4),  # ClearArea
    ):
        for question, wanted in ((Foresight.tree, tree), (Foresight.state, state)):
            for again in (False, True):
                desk = Foresight()
                desk.changes(opcode, *words)
                if again:  # asked before the X server had it
                    desk.look()
                assert question(desk) == wanted, (opcode, wanted, again)


def test_under_a_grab_and_behind_promises_of_others_it_travels() -> None:
    desk = Foresight()
    desk.around.owed = lambda: True
    assert desk.tree() is None
    desk = Foresight()
    desk.send(36)
    assert (desk.taken(), desk.grabs) == ((), True)
    assert desk.tree() is None
    desk.send(8, desk.pack("I", TOP))
    assert desk.taken() is None  # nor are there wishes, which the grab would hold up
    desk.send(37)
    assert (desk.taken(), desk.grabs) == ((), False)


def test_behind_a_question_that_is_under_way_it_travels() -> None:
    desk = Foresight()
    desk.send(38, desk.pack("I", ROOT))
    assert desk.tree() is None


def test_the_first_question_that_has_to_wait_brings_what_toolkits_ask_at_their_start() -> None:
    desk = Foresight(starts=True)
    assert desk.wishes is None
    desk.send(20, desk.pack("IIIII", ROOT, NET_WM_STATE, 0, 0, 9))
    wishes = desk.wishes = desk.taken()
    assert wishes is not None
    assert [one[0] for one in wishes] == [38, 15]
    desk.told(1)
    desk.look()
    assert desk.place(38, ROOT) == 0
    assert desk.place(15, ROOT) == 1
    desk.changes(41, 0, ROOT, 0, 0, 0)  # WarpPointer
    assert desk.place(15, ROOT) == 1
    assert desk.place(38, ROOT) is None
    assert desk.taken() is None
