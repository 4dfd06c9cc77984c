"""A program whose rules know what a test tells them."""

import struct
from typing import Optional, Tuple

from tests.unit.bridge.shared import samples
from x11fwd.bridge.remote.knowledge import Knowledge
from x11fwd.bridge.remote.rules.base import Answer, Rule, Surroundings
from x11fwd.bridge.shared.resources import Resources
from x11fwd.bridge.shared.setup import Setup, read_setup
from x11fwd.bridge.shared.wire import ERROR, Packet, Request

ROOT, COLORMAP, TRUE_COLOR_VISUAL = 0x50A, 0x20, 0x21  # of samples.setup


class Told:
    """One program in byte order `order`; facts are in `fact_order`."""

    def __init__(self, order: str = "<", fact_order: str = "<") -> None:
        setup = read_setup(samples.setup(order), order)
        assert isinstance(setup, Setup)
        self.order = order
        self.knowledge = Knowledge(fact_order)
        self.around = Surroundings(order, setup, self.knowledge, Resources(setup))
        self._number = 0

    def request(self, opcode: int, second: int = 0, body: bytes = b"") -> Request:
        """The program's next request."""
        self._number += 1
        data = samples.request(self.order, opcode, second, body)
        return Request(self._number, opcode, second, memoryview(data), 4)

    def ask(self, rule: Rule, opcode: int, second: int = 0, body: bytes = b"") -> Optional[Answer]:
        """The rule's answer; when there is none, the request travels."""
        request = self.request(opcode, second, body)
        try:
            answer = rule.answer(request)
        except struct.error:
            answer = None
        if answer is None:
            try:
                rule.passes(request)
            except struct.error:
                pass
        return answer

    def hear(self, rule: Rule, kind: int, data: bytes) -> None:
        """An event."""
        rule.event(Packet(kind, self._number, memoryview(data.ljust(32, b"\0"))))

    def words(self, *words: int) -> bytes:
        return struct.pack("%s%dI" % (self.order, len(words)), *words)

    def name(self, name: bytes, *words: int) -> bytes:
        """Words, the length of a name, the name."""
        return self.words(*words) + struct.pack(self.order + "Hxx", len(name)) + name + bytes(-len(name) % 4)


def only(answer: Optional[Answer]) -> bytes:
    """The one packet of an answer."""
    assert answer is not None
    (packet,) = answer.packets
    return packet


def error_of(answer: Optional[Answer], order: str) -> Tuple[int, int, int]:
    """Code, value and major opcode of the error that is the answer."""
    packet = only(answer)
    assert packet[0] == ERROR
    (value,) = struct.unpack_from(order + "I", packet, 4)
    return packet[1], int(value), packet[10]
