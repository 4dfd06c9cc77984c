"""Answers a question that is asked again before anything new has come; `table` lists the rule."""

from time import monotonic
from typing import Optional, Tuple

from x11fwd.bridge.remote.rules.base import Answer, Rule, Surroundings
from x11fwd.bridge.shared.majors import CORE
from x11fwd.bridge.shared.wire import REPLY, Packet, Request

_ASKED_GEOMETRY = 14
_QUESTIONS = (14, 15, 40)  # GetGeometry, QueryTree, TranslateCoordinates
# Seconds for which the same answer is given; a program that waits for a change by asking sees it
SAME_FOR = 0.05
# Core requests without a reply: any of them may change the answer (NoOperation, 127, does not)
_MAY_CHANGE = (
    *(
        1,
        2,
        4,
        5,
        6,
        7,
        8,
        9,
        10,
        11,
        12,
        13,
        18,
        19,
        22,
        24,
        25,
        27,
        28,
        29,
        30,
        32,
        33,
        34,
        35,
        36,
        37,
        41,
        42,
    ),
    *(45, 46, 51, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 74, 75, 76),
    *(77, 78, 79, 80, 81, 82, 88, 89, 90, 93, 94, 95, 96, 100, 102, 104, 105, 107, 109, 111, 112, 113),
    *(114, 115),
)

_SHAPES = (("SHAPE", 1), ("SHAPE", 2), ("SHAPE", 3), ("SHAPE", 4), ("XFIXES", 21))


class SameAgain(Rule):
    """The tree, geometry and coordinates of any window, asked twice in a row: the same answer.

    Nothing has reached the program since the X server's answer, so the moment of that answer is still one at
    which the server may have dealt with the second question (base.py), unless the program has asked for a
    change in between: of the core protocol, or of shapes (in TranslateCoordinates, they decide which child).
    Tk asks for the root's children five times in a row.
    """

    requests = tuple((CORE, opcode) for opcode in _QUESTIONS)
    seen = (*((CORE, opcode) for opcode in _MAY_CHANGE), *_SHAPES)
    raw_events = True
    clock = staticmethod(monotonic)

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._last: Optional[Tuple[bytes, int, bytes, float]] = None  # question, its number, answer, when
        self._roots = {root.root for root in around.setup.roots}
        self._changed = 0  # the last request that may have changed the answer

    @staticmethod
    def _key(request: Request) -> bytes:
        return bytes((request.opcode,)) + bytes(request.data[request.body :])

    def answer(self, request: Request) -> Optional[Answer]:
        last = self._last
        if last is None or last[0] != self._key(request) or self.around.at_risk():
            return None
        if self.around.settled() != last[1] or self.clock() - last[3] > SAME_FOR:
            return None
        if request.opcode == _ASKED_GEOMETRY and self.words(request, 1)[0] in self._roots:  # RANDR
            return None
        return Answer((last[2],))

    def passes(self, request: Request) -> None:
        if request.opcode >= 128 or request.opcode not in _QUESTIONS:
            self._changed = request.number
            self._last = None

    def replied(self, request: Request, packet: Packet) -> None:
        if request.opcode not in _QUESTIONS:
            return
        self._last = None
        if packet.kind == REPLY and request.number > self._changed:
            self._last = (self._key(request), request.number, bytes(packet.data), self.clock())

    def event(self, packet: Packet) -> None:
        del packet
        self._last = None
