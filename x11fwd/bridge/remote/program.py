"""One program: what it asks becomes answers given here and records for the X server; `main` imports it.

It does no input or output. Whoever feeds it takes what is due from `take_upstream` and `take_answers`.
"""

import struct
from collections import deque
from typing import TYPE_CHECKING, Callable, Deque, Dict, List, NamedTuple, Optional, Sequence, Tuple, Union

from x11fwd.bridge.remote.rules.base import Answer, Rule, Surroundings
from x11fwd.bridge.remote.rules.table import RULES
from x11fwd.bridge.remote.sight import Sight, changes
from x11fwd.bridge.shared.majors import (
    CORE,
    FIRST_EXTENSION_OPCODE,
    MAYBE_REPLY,
    NO_REPLY,
    carries_fds,
    needs_this_machine,
)
from x11fwd.bridge.shared.packets import BAD_IMPLEMENTATION, BAD_REQUEST, GET_INPUT_FOCUS, error_packet
from x11fwd.bridge.shared.records import RecordWriter
from x11fwd.bridge.shared.resources import Resources
from x11fwd.bridge.shared.risk import Judge
from x11fwd.bridge.shared.sequence import Sequencer
from x11fwd.bridge.shared.setup import Setup
from x11fwd.bridge.shared.wire import ERROR, REPLY, Packet, Request, ServerReader

if TYPE_CHECKING:
    from x11fwd.bridge.remote.knowledge import Knowledge
    from x11fwd.bridge.shared.control import Fact
    from x11fwd.bridge.shared.images import ImageCoder

PUT_IMAGE, REPARENT_WINDOW = 72, 7
DESTROY_NOTIFY = 17
MOST_BACKLOG = 8192  # requests that wait for something; beyond, the program waits
MOST_HELD = 1 << 22  # bytes of answers that wait
# Requests without a reply that may be about a window of somebody else: ChangeWindowAttributes, DestroyWindow,
# ReparentWindow, MapWindow, UnmapWindow, ConfigureWindow, ChangeProperty, DeleteProperty, SendEvent and
# KillClient
_ABOUT_WINDOWS = frozenset({2, 4, 7, 8, 10, 12, 18, 19, 25, 113})
KEPT_WHOLE = 1 << 10  # bytes of a request that are copied for the rules until it is answered


class _Plan(NamedTuple):
    """What happens to all requests of one kind."""

    answers: Tuple[Rule, ...]
    seen: Tuple[Rule, ...]
    replies: int
    refusal: int  # an error code, or 0
    changes: int  # what Sight has to know


_Chunk = Union[bytes, bytearray, memoryview]


class Program:
    """The requests and answers of one program in byte order `order`, whose setup reply was `setup`."""

    def __init__(
        self,
        order: str,
        setup: Setup,
        knowledge: "Knowledge",
        coder: "Optional[ImageCoder]",
        owed: "Callable[[], bool]" = lambda: False,
    ) -> None:
        self._order = order
        self._knowledge = knowledge
        self._coder = coder
        self._server = ServerReader(order, greeted=True)
        self._sequencer = Sequencer(order)
        self._resources = Resources(setup)
        self._judge = Judge(order, self._resources, knowledge.majors, knowledge.fact)
        self._records = RecordWriter()
        around = Surroundings(order, setup, knowledge, self._resources)
        around.outstanding = lambda: self._sequencer.backlog
        around.settled = lambda: self._sequencer.settled
        around.at_risk = lambda: self._sequencer.at_risk
        around.waits = lambda: not self._sequencer.quiet
        around.owed = owed
        self._sight = around.state(Sight)
        self._rules = [rule(around) for rule in RULES]
        self._plans: Dict[int, _Plan] = {}
        self._asked: Deque[Tuple[int, Request, Tuple[Rule, ...]]] = deque()
        self._setup = setup
        self.promised = 0  # the last barrier that was answered here: what came before it counts as done
        self.outward = (
            False  # something may be about what other programs have made, since this was set to False
        )
        self._raw_events = tuple(rule for rule in self._rules if rule.raw_events)
        self._events: Dict[int, Tuple[Rule, ...]] = {}
        for code in {one for rule in self._rules for one in rule.events}:
            self._events[code] = tuple(rule for rule in self._rules if code in rule.events)

    @property
    def settled(self) -> int:
        """The X server is done with every request up to this one."""
        return self._sequencer.settled

    @property
    def full(self) -> bool:
        """Whether so much waits that the program must wait, too."""
        return self._sequencer.backlog > MOST_BACKLOG or self._sequencer.held_bytes > MOST_HELD

    def requests(self, requests: "List[Request]") -> None:
        """What the program sends, in order."""
        for request in requests:
            opcode = request.opcode
            key = opcode if opcode < FIRST_EXTENSION_OPCODE else opcode << 8 | request.minor
            plan = self._plans.get(key) or self._plan(key)
            found = _asked_of(plan.answers, request)
            if plan.changes:
                self._sight.passes(request, plan.changes)
            if found is None:
                self._forward(request, plan)
            elif found.upstream:
                self._sequencer.forward(NO_REPLY, risky=True)
                self._records.raw(found.upstream)
            elif found.forward:
                self._sequencer.answer_and_forward(found.packets, plan.replies, opcode)
                self._judge.asked(request)
                self._await(request, plan)
                self._records.raw(request.data)
                if opcode == GET_INPUT_FOCUS:
                    self.promised = request.number
            elif found.packets:
                self._records.raw(self._sequencer.answer(found.packets))
            else:
                self._records.raw(self._sequencer.absorb())

    def packets(self, data: bytes) -> None:
        """What the X server sends; raises WireFault when it breaks the protocol."""
        for packet in self._server.feed(data):
            kind = packet.kind
            if kind > REPLY:
                self._event(packet)
            self._sequencer.receive(packet)
            if kind <= REPLY:
                number = self._sequencer.received
                if kind == ERROR:
                    self._resources.failed(number)
                self._answered(packet, number)
            self._resources.settled(self._sequencer.settled)

    def seen(self, facts: "Tuple[Fact, ...]") -> None:
        """What the X server said right behind the packets that have come by now."""
        self._sight.told(facts, self._sequencer.received)

    def take_wish(self) -> "Optional[Tuple[Sequence[bytes], bool]]":
        """What Sight wishes to be told, before the records."""
        return self._sight.take_wish()

    def take_upstream(self) -> "Sequence[_Chunk]":
        """Records for the X server."""
        return self._records.take()

    def take_answers(self) -> "Sequence[_Chunk]":
        """Bytes for the program."""
        return self._sequencer.take()

    def _plan(self, key: int) -> _Plan:
        major, minor = (key, key) if key < FIRST_EXTENSION_OPCODE else (key >> 8, key & 0xFF)
        majors = self._knowledge.majors
        name = majors.name(major)
        if name is None:  # nobody has asked for it yet: not to be remembered
            return _Plan((), (), MAYBE_REPLY, 0, changes(("", 0)))
        kind = (name, minor)
        refusal = 0
        if name != CORE and needs_this_machine(name):
            refusal = BAD_REQUEST
        elif carries_fds(name, minor):
            refusal = BAD_IMPLEMENTATION
        answers = tuple(rule for rule in self._rules if kind in rule.requests)
        seen = tuple(rule for rule in self._rules if kind in rule.seen or kind in rule.requests)
        if refusal:
            answers, seen = (_Refusal(self._order, refusal),), ()
        plan = _Plan(answers, seen, majors.replies(major, minor), refusal, changes(kind))
        self._plans[key] = plan
        return plan

    def _forward(self, request: Request, plan: _Plan) -> None:
        for rule in plan.seen:
            try:
                rule.passes(request)
            except (struct.error, IndexError):  # too short: the X server will say so
                pass
        if self._looks_out(request, plan):
            self.outward = True
        if plan.replies == NO_REPLY:
            risky = self._judge.must_wait(request)
        else:
            risky = False
            self._judge.asked(request)
        self._sequencer.forward(plan.replies, risky=risky, opcode=request.opcode)
        if plan.seen and (risky or plan.replies != NO_REPLY):
            self._await(request, plan)
        if request.opcode == PUT_IMAGE and self._coder is not None:
            coded = self._coder.code(request)
            if coded is not None:
                self._records.image(coded)
                return
        self._records.raw(request.data)

    def _looks_out(self, request: Request, plan: _Plan) -> bool:
        """Whether the answer or the effect may hang on what other programs have done."""
        if plan.replies != NO_REPLY:
            return request.opcode != GET_INPUT_FOCUS
        if request.opcode not in _ABOUT_WINDOWS or len(request.data) < request.body + 8:
            return False
        words = struct.unpack_from(self._order + "II", request.data, request.body)
        base = self._setup.id_base
        about = words if request.opcode == REPARENT_WINDOW else words[:1]
        return any(one & ~self._setup.id_mask != base for one in about)

    def _await(self, request: Request, plan: _Plan) -> None:
        if len(request.data) <= KEPT_WHOLE:  # not the whole chunk that it came in
            request = request._replace(data=memoryview(bytes(request.data)))
        self._asked.append((request.number, request, plan.seen))

    def _event(self, packet: Packet) -> None:
        for rule in self._events.get(packet.kind, ()):
            rule.event(packet)
        for rule in self._raw_events:
            rule.event(packet)
        if packet.kind == DESTROY_NOTIFY:
            self._resources.drop(struct.unpack_from(self._order + "I", packet.data, 8)[0])

    def _answered(self, packet: Packet, number: int) -> None:
        asked = self._asked
        while asked and asked[0][0] < number:
            asked.popleft()
        if asked and asked[0][0] == number:
            _, request, rules = asked[0]
            for rule in rules:
                try:
                    rule.replied(request, packet)
                except (struct.error, IndexError):  # the server's reply is shorter than it must be
                    pass
            if self._sequencer.settled >= number:
                asked.popleft()


class _Refusal(Rule):
    """Requests that no link can carry: of an extension absent for programs, or with descriptors."""

    def __init__(self, order: str, code: int) -> None:
        self._order = order
        self._code = code

    def answer(self, request: Request) -> "Optional[Answer]":
        minor = request.minor if request.opcode >= FIRST_EXTENSION_OPCODE else 0
        return Answer((error_packet(self._order, self._code, 0, request.opcode, minor=minor),))


def _asked_of(rules: "Tuple[Rule, ...]", request: Request) -> "Optional[Answer]":
    for rule in rules:
        try:
            found = rule.answer(request)
        except (struct.error, IndexError):
            continue
        if found is not None:
            return found
    return None
