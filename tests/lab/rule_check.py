"""One program on a real X server whose questions the rules of the bridge answer, too; host tests compare.

Every request goes to the X server. What a rule answers is kept and compared with the server's own reply to
the very same request.
"""

from __future__ import annotations

import select
import socket
import struct
from collections import Counter
from typing import TYPE_CHECKING

from x11fwd.bridge.remote.knowledge import Knowledge
from x11fwd.bridge.remote.rules.base import Rule, Surroundings
from x11fwd.bridge.remote.rules.table import RULES
from x11fwd.bridge.shared.majors import CORE, ONE_REPLY, Majors
from x11fwd.bridge.shared.resources import Resources
from x11fwd.bridge.shared.risk import Judge
from x11fwd.bridge.shared.sequence import Sequencer
from x11fwd.bridge.shared.setup import Greeting, Setup, greeting_bytes
from x11fwd.bridge.shared.wire import ERROR, REPLY, Packet, Request, ServerReader

if TYPE_CHECKING:
    from collections.abc import Sequence

LIMIT = 90.0  # seconds that the X server may take


class RuleCheck:
    """A connection in byte order `order` to the display, with the rules beside it."""

    def __init__(self, display: str, cookie: bytes, order: str = "<") -> None:
        self.order = order
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(LIMIT)
        self.socket.connect(f"/tmp/.X11-unix/X{display.lstrip(':')}")
        self.socket.sendall(greeting_bytes(Greeting(order, 11, 0, b"MIT-MAGIC-COOKIE-1", cookie)))
        self._reader = ServerReader(order)
        while self._reader.setup is None:
            self._reader.feed(self.socket.recv(1 << 16))
        assert isinstance(self._reader.setup, Setup)
        self.setup = self._reader.setup
        self.root = self.setup.roots[0]
        self.sequencer = Sequencer(order)
        self.resources = Resources(self.setup)
        self._judge = Judge(order, self.resources)
        self.knowledge = Knowledge(order)
        for atom, name in ((37, b"WM_ICON_NAME"), (38, b"WM_ICON_SIZE"), (39, b"WM_NAME")):
            self.knowledge.learn_atom(atom, name)
        self.around = Surroundings(order, self.setup, self.knowledge, self.resources)
        self.around.settled = lambda: self.sequencer.settled
        self.around.at_risk = lambda: self.sequencer.at_risk
        self.rules = [make(self.around) for make in RULES]
        self._next = self.setup.id_base
        self._told: dict[int, tuple[bytes, bytes]] = {}  # by number: the request and what a rule answered
        self._asked: dict[int, Request] = {}
        self._errors: list[int] = []
        self.events: list[Packet] = []
        self.differences: list[str] = []
        self.asked: Counter[int] = Counter()  # by opcode
        self.answered: Counter[int] = Counter()

    def new_id(self) -> int:
        """An id that was not used."""
        self._next += 1
        return self._next

    def pack(self, form: str, *values: int) -> bytes:
        """`values` in the byte order of the connection."""
        return struct.pack(self.order + form, *values)

    def send(self, opcode: int, body: bytes = b"", second: int = 0) -> int:
        """A core request, to the rules and to the X server: its number."""
        body += bytes(-len(body) % 4)
        data = struct.pack(self.order + "BBH", opcode, second, 1 + len(body) // 4) + body
        request = Request(self.sequencer.number + 1, opcode, second, memoryview(data), 4)
        key = (CORE, opcode)
        replies = Majors().replies(opcode, second)
        answer = None
        for rule in self.rules:
            if answer is None and key in rule.requests:
                answer = self._asked_of(rule, request)
        if replies == ONE_REPLY:
            self.asked[opcode] += 1
        if answer is not None:
            self.answered[opcode] += 1
            self._told[request.number] = (data, answer)
        else:
            for rule in self.rules:
                if key in rule.seen or key in rule.requests:
                    rule.passes(request)
        risky = replies != ONE_REPLY and self._judge.can_fail(request)
        self.sequencer.forward(replies, risky=risky, opcode=opcode)
        self._asked[request.number] = request
        self.socket.sendall(data)
        return request.number

    @staticmethod
    def _asked_of(rule: Rule, request: Request) -> bytes | None:
        try:
            found = rule.answer(request)
        except (struct.error, IndexError):
            return None
        return None if found is None else found.packets[0]

    def read(self) -> None:
        """What has come from the X server by now."""
        while select.select([self.socket], [], [], 0)[0]:
            self._feed()

    def sync(self) -> None:
        """Wait until the server has done everything."""
        number = self.send(38, self.pack("I", self.root.root))  # QueryPointer
        while self.sequencer.settled < number:
            assert select.select([self.socket], [], [], LIMIT)[0]
            self._feed()

    def _feed(self) -> None:
        chunk = self.socket.recv(1 << 16)
        assert chunk, "the X server has hung up"
        for packet in self._reader.feed(chunk):
            key = packet.kind
            if key > REPLY:
                self.events.append(packet)
                for rule in self.rules:
                    if key in rule.events or rule.raw_events:
                        rule.event(packet)
            self.sequencer.receive(packet)
            self.sequencer.take()
            if key <= REPLY:
                self._replied(packet)
            self.resources.settled(self.sequencer.settled)

    def _replied(self, packet: Packet) -> None:
        number = packet.number
        request = self._asked.pop(number)
        if packet.kind == ERROR:
            self.resources.failed(number)
        told = self._told.pop(number, None)
        for rule in self.rules:
            key = (CORE, request.opcode)
            if told is None and (key in rule.seen or key in rule.requests):
                rule.replied(request, packet)
        if told is not None:
            real = bytes(packet.data)
            if packet.kind == ERROR:  # the rest is unused, and Xorg leaves there what was there
                real = real[:11].ljust(32, b"\0")
            if told[1][:2] + told[1][4:] != real[:2] + real[4:]:
                self.differences.append(f"{number}: {told[0].hex()}: {told[1].hex()}, really {real.hex()}")

    def share(self, opcodes: Sequence[int]) -> float:
        """Which share of these questions the rules answered."""
        return sum(self.answered[one] for one in opcodes) / max(1, sum(self.asked[one] for one in opcodes))

    def close(self) -> None:
        """Hang up."""
        self.socket.close()
