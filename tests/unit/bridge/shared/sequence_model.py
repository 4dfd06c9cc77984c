"""A model X server, a model program and random talk between them, to try a Sequencer on real bytes.

The program's requests carry in their body what is to happen to them: their tag, whether they fail, how many
replies they get. The server does it, one request after the other. All travels as bytes through the readers.
"""

import random
import struct
from typing import Dict, List, NamedTuple, Optional, Tuple

from tests.unit.bridge.shared import samples
from x11fwd.bridge.shared import majors
from x11fwd.bridge.shared.packets import reply_packet
from x11fwd.bridge.shared.sequence import Sequencer
from x11fwd.bridge.shared.wire import Packet, ProgramReader, ServerReader

VOID, RISKY, REAL, FONTS, UNKNOWN, LOCAL, BOTH, ABSORBED, QUIET = range(70, 79)
WEIGHTS = [VOID] * 4 + [RISKY] * 2 + [REAL] * 2 + [FONTS, UNKNOWN] + [LOCAL] * 8 + [BOTH, ABSORBED]
TAG = 0x7A610000  # in the bodies of what the bridge made itself


class Done(NamedTuple):
    """What the program must see of one of its requests: kinds of packets, and who answered."""

    kind: int
    packets: Tuple[int, ...]  # 0 error, 1 reply
    local: bool


class ModelServer:
    """Answers requests in order, with its own count, and sends events of its own will."""

    def __init__(self, order: str, chance: random.Random) -> None:
        self.order = order
        self.chance = chance
        self.reader = ProgramReader()
        self.reader.feed(samples.greeting(order))
        self.out = b""
        self.events = 0
        self.number = 0

    def event(self) -> None:
        """An event, tagged with its turn; sometimes with the KeymapNotify behind it, sometimes generic."""
        self.events += 1
        tag = struct.pack(self.order + "I", self.events)
        kind = self.chance.choice([9, 12, 35, 0x8C])
        extra = tag * 3 if kind == 35 else b""
        made = samples.answer(self.order, kind, self.number, extra)
        self.out += made[:8] + tag + made[12:]
        if kind == 9 and self.chance.random() < 0.5:
            self.out += b"\x0b" + b"k" * 31

    def process(self, data: bytes, *, noisy: bool) -> None:
        for request in self.reader.feed(data):
            self.number = request.number
            if noisy and self.chance.random() < 0.1:
                self.event()  # before what it says to the request itself
            if request.opcode == 43:
                self.out += reply_packet(self.order, self.number, 0, b"sync")
            elif request.opcode in {70, 71, 72, 73, 74, 76, 78}:
                tag, fails, replies = struct.unpack_from(self.order + "IHH", request.data, 4)
                if fails:
                    made = samples.answer(self.order, 0, self.number, second=3)
                    self.out += made[:8] + struct.pack(self.order + "I", tag) + made[12:]
                else:
                    for left in range(replies - 1, -1, -1):
                        body = struct.pack(self.order + "I", tag) + bytes(24 + 4 * (left % 3))
                        self.out += reply_packet(self.order, self.number, left, body)
            if noisy and self.chance.random() < 0.1:
                self.event()


class Talk:
    """One program, one Sequencer, one server, and wires with delays between them."""

    def __init__(self, seed: int, order: str, lead: int = 0) -> None:
        self.chance = random.Random(seed)
        self.order = order
        self.server = ModelServer(order, self.chance)
        self.sequencer = Sequencer(order)
        self.towards_server = bytearray()
        self.answers = ServerReader(order, greeted=True)
        self.program = ServerReader(order, greeted=True)
        self.expected: Dict[int, Done] = {}
        self.seen: Dict[int, List[Packet]] = {}
        self.got: List[Packet] = []
        self.last_event = 0
        self.muted = 0
        self.checked = 0
        void = samples.request(order, VOID, 0, struct.pack(order + "IHH", 0, 0, 0))
        for turn in range(lead):  # to come near a wrap, with a reply now and then as libraries see to it
            if turn % 30000 == 29999:
                self.request(REAL, fails=False)
            else:
                self.sequencer.forward(majors.NO_REPLY, risky=False)
                self.towards_server += void

    def request(self, kind: Optional[int] = None, fails: Optional[bool] = None) -> None:
        """The program's next request."""
        kind = self.chance.choice(WEIGHTS) if kind is None else kind
        number = self.sequencer.number + 1
        fails = self.chance.random() < 0.2 if fails is None else fails
        replies = {REAL: 1, FONTS: self.chance.randrange(1, 5), UNKNOWN: self.chance.randrange(2), BOTH: 1}
        count = replies.get(kind, 0)
        fails = fails and kind in {RISKY, REAL, FONTS, UNKNOWN, BOTH}
        opcode = kind
        data = samples.request(self.order, opcode, 0, struct.pack(self.order + "IHH", number, fails, count))
        sequencer = self.sequencer
        packets = (0,) if fails else (1,) * count
        local = [reply_packet(self.order, 0, 0, struct.pack(self.order + "II", number, TAG))]
        if kind == LOCAL and self.chance.random() < 0.1:
            local = [samples.answer(self.order, 0, 0, second=2)]
            local[0] = local[0][:8] + struct.pack(self.order + "II", number, TAG) + local[0][16:]
        if kind == LOCAL:
            data, packets = sequencer.answer(local), (local[0][0],)
        elif kind == BOTH:
            sequencer.answer_and_forward(local)
            packets = (1,)
        elif kind == ABSORBED:
            data = sequencer.absorb()
        else:
            mode = {REAL: majors.ONE_REPLY, FONTS: majors.SEVERAL_REPLIES, UNKNOWN: majors.MAYBE_REPLY}
            opcode = majors.LIST_FONTS_WITH_INFO if kind == FONTS else kind
            sequencer.forward(mode.get(kind, majors.NO_REPLY), risky=kind == RISKY, opcode=opcode)
        self.expected[number] = Done(kind, packets, kind in {LOCAL, BOTH})
        self.towards_server += data
        self.look()

    def serve(self, size: Optional[int] = None, *, noisy: bool = True) -> None:
        """The server gets some bytes."""
        size = self.chance.randrange(200) if size is None else size
        data = bytes(self.towards_server[:size])
        del self.towards_server[:size]
        self.server.process(data, noisy=noisy)

    def bring(self, size: Optional[int] = None) -> None:
        """Some of the server's bytes reach the bridge."""
        size = self.chance.randrange(300) if size is None else size
        data, self.server.out = self.server.out[:size], self.server.out[size:]
        for packet in self.answers.feed(data):
            muted = self.sequencer.receive(packet)
            if muted is not None:
                self.muted += 1
                assert self.expected[muted.number].kind not in {REAL, FONTS, UNKNOWN, RISKY}
            self.look()

    def finish(self) -> None:
        """Everything arrives; nobody sends anything more."""
        self.serve(1 << 30)
        self.bring(1 << 30)
        self.check_complete()

    def look(self) -> None:
        """What the program gets is checked as it comes, with the eyes of libxcb."""
        for data in self.sequencer.take():
            for packet in self.program.feed(bytes(data)):
                self.check(packet)
                self.got.append(packet)

    def check(self, packet: Packet) -> None:
        number = packet.number
        assert number <= self.sequencer.number, "ahead of the program"
        if packet.kind == 11:
            events = [one.kind for one in self.got[-50:] if one.kind > 1]
            assert events[-1:] in ([9], []), "KeymapNotify away from its event"
            return
        if packet.kind > 1:
            turn = struct.unpack_from(self.order + "I", packet.data, 8)[0]
            assert turn == self.last_event + 1, "events out of order"
            self.last_event = turn
            return
        tag, own = struct.unpack_from(self.order + "II", packet.data, 8)
        assert tag == number, "answer to %d as %d" % (tag, number)
        done = self.expected[number]
        assert done.local == (own == TAG), "the wrong one answered %d" % number
        self.seen.setdefault(number, []).append(packet)
        for earlier in range(max(self.checked, 1), number):
            self.complete(earlier)
        self.checked = max(self.checked, number)

    def complete(self, number: int) -> None:
        """Everything about this request has come."""
        done = self.expected.get(number)
        if done is not None:
            kinds = tuple(packet.kind for packet in self.seen.get(number, ()))
            assert kinds == done.packets, "request %d: %s instead of %s" % (number, kinds, done)

    def check_complete(self) -> None:
        for number in self.expected:
            self.complete(number)
        assert self.last_event == self.server.events
        assert self.sequencer.held_bytes == 0
        assert self.server.number == self.sequencer.number
