"""A program in front of the rules, with requests written by hand; the tests of rules use it."""

import struct
from typing import Dict, List, Optional, Tuple

from tests.unit.bridge.shared import samples
from x11fwd.bridge.remote.knowledge import Knowledge
from x11fwd.bridge.remote.rules.base import Answer, Rule, Surroundings
from x11fwd.bridge.remote.rules.table import RULES
from x11fwd.bridge.shared.majors import CORE, ONE_REPLY, Majors
from x11fwd.bridge.shared.resources import Resources
from x11fwd.bridge.shared.risk import Judge
from x11fwd.bridge.shared.sequence import Sequencer
from x11fwd.bridge.shared.setup import Setup, read_setup
from x11fwd.bridge.shared.wire import Packet, Request

ROOT, COLORMAP, VISUAL = 0x50A, 0x20, 0x21  # of the first screen of samples.setup
FIRST = 0x400000  # the program's first id


class Desk:
    """Everything travels unless a rule answers it; the X server says what the test lets it say."""

    def __init__(self, order: str = "<") -> None:
        self.order = order
        setup = read_setup(samples.setup(order), order)
        assert isinstance(setup, Setup)
        self.resources = Resources(setup)
        self.sequencer = Sequencer(order)
        self.knowledge = Knowledge(order)
        around = Surroundings(order, setup, self.knowledge, self.resources)
        around.settled = lambda: self.sequencer.settled
        around.at_risk = lambda: self.sequencer.at_risk
        self.around = around
        self.rules = [make(around) for make in RULES]
        self._judge = Judge(order, self.resources)
        self._asked: Dict[int, Request] = {}

    def rule(self, kind: type) -> Rule:
        """The program's rule of this kind."""
        return next(one for one in self.rules if isinstance(one, kind))

    def pack(self, form: str, *values: int) -> bytes:
        return struct.pack(self.order + form, *values)

    def send(self, opcode: int, body: bytes = b"", second: int = 0) -> "Optional[Answer]":
        """A core request: the answer given here, or None when it travels."""
        data = samples.request(self.order, opcode, second, body + bytes(-len(body) % 4))
        request = Request(self.sequencer.number + 1, opcode, second, memoryview(data), 4)
        key = (CORE, opcode)
        replies = Majors().replies(opcode, second)
        answer = None
        for rule in self.rules:
            if answer is None and key in rule.requests:
                answer = rule.answer(request)
        if answer is not None and answer.forward:
            self.sequencer.answer_and_forward(answer.packets)
        elif answer is not None:
            self.sequencer.answer(answer.packets)
            return answer
        else:
            for rule in self._concerned(request):
                rule.passes(request)
            risky = replies != ONE_REPLY and self._judge.can_fail(request)
            self.sequencer.forward(replies, risky=risky, opcode=opcode)
        self._asked[request.number] = request
        return answer

    def _concerned(self, request: Request) -> "List[Rule]":
        key = (CORE, request.opcode)
        return [rule for rule in self.rules if key in rule.seen or key in rule.requests]

    def told(self, kind: int, body: bytes = b"", number: int = 0, second: int = 0) -> None:
        """A packet of the X server: `body` follows the sequence number."""
        number = number or self.sequencer.number
        data = self.pack("BBH", kind, second, number & 0xFFFF) + body
        packet = Packet(kind & 0x7F, number, memoryview(data.ljust(32, b"\0")))
        if packet.kind > 1:
            for rule in self.rules:
                if packet.kind in rule.events or rule.raw_events:
                    rule.event(packet)
        self.sequencer.receive(packet)
        if packet.kind <= 1:
            if packet.kind == 0:
                self.resources.failed(number)
            for rule in self._concerned(self._asked[number]):
                rule.replied(self._asked[number], packet)
        self.resources.settled(self.sequencer.settled)

    def settle(self) -> None:
        """The X server is done with everything."""
        self.send(38, self.pack("I", ROOT))  # QueryPointer
        self.told(1)

    def window(self, number: int, parent: int = ROOT, values: "Optional[Dict[int, int]]" = None) -> int:
        """CreateWindow at 10, 20 with 30 by 40 pixels; `values` by bit of the mask."""
        values = values or {}
        mask = sum(1 << bit for bit in values)
        body = self.pack("IIhhHHHHII", number, parent, 10, 20, 30, 40, 1, 1, 0, mask)
        self.send(1, body + self.pack("%dI" % len(values), *[values[bit] for bit in sorted(values)]))
        return number

    def geometry(self, number: int) -> "Optional[Tuple[int, ...]]":
        """The answer to GetGeometry: x, y, width, height, border."""
        answer = self.send(14, self.pack("I", number))
        return None if answer is None else struct.unpack_from(self.order + "hhHHH", answer.packets[0], 12)
