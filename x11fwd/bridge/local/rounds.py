"""Questions that belong together, asked again when their answers may have changed; `prefetch` uses it."""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import TYPE_CHECKING

from x11fwd.bridge.local.asking import Asker
from x11fwd.bridge.shared import control
from x11fwd.bridge.shared.control import Fact
from x11fwd.bridge.shared.factkeys import fact_key
from x11fwd.bridge.shared.topics import CONSTANT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from x11fwd.bridge.shared.wire import Packet

    Key = tuple[str, int]

LARGEST_FACT = 1 << 21  # bytes of a reply
LARGEST_SEEN = 1 << 12
LARGEST_BATCH = 1 << 22
MOST_ROUNDS = 200  # a topic that changes more often is left to the X server
_BARRIER = {order: struct.pack(order + "BxH", 43, 1) for order in "<>"}  # GetInputFocus


class Round:
    """All questions of one topic: what they brought, and how many are open."""

    def __init__(self, topic: bytes, ask: Callable[[Round], None]) -> None:
        self.topic = topic
        self.ask = ask
        self.then: Callable[[], None] = lambda: None
        self.facts: list[Fact] = []
        self.told: list[Fact] | None = None
        self.open = 0
        self.stale = False
        self.times = 0


class Rounds:
    """The rounds of one connection in byte order `order`; `take` is for the X server."""

    def __init__(self, order: str) -> None:
        self._byte_order = order
        self._rounds: dict[bytes, Round] = {}
        self._payloads: list[bytes] = []
        self._asker = Asker(order, self._event)

    def take(self) -> bytes:
        """What is to be written to the X server."""
        return self._asker.take()

    def feed(self, data: bytes) -> list[bytes]:
        """The CONTROL payloads that follow from what the X server has sent.

        Raises:
            WireFault: it sends no X11.
        """
        self._asker.feed(data)
        found, self._payloads = self._payloads, []
        return found

    def look(self, requests: Sequence[bytes], heard: Callable[[list[Fact]], None]) -> None:
        """Ask at once, and for the focus once the answers are there; `heard` gets the good ones."""
        facts: list[Fact] = []
        waiting = len(requests)

        def answered(request: bytes) -> Callable[[bytes, bool], None]:
            def one(reply: bytes, good: bool) -> None:
                nonlocal waiting
                waiting -= 1
                if good and len(reply) <= LARGEST_SEEN:
                    facts.append(Fact(b"", request, reply))
                if not waiting:
                    self._asker.ask(_BARRIER[self._byte_order], lambda _reply, _good: heard(facts))

            return one

        for request in requests:
            self._asker.ask(request, answered(request))

    def _topic_of(self, packet: Packet) -> bytes | None:
        """What an event says has changed."""
        raise NotImplementedError

    def _round(self, topic: bytes, ask: Callable[[Round], None]) -> None:
        self._rounds[topic] = Round(topic, ask)
        self._run(self._rounds[topic])

    def _once(self, ask: Callable[[Round], None], then: Callable[[], None] = lambda: None) -> None:
        """Questions whose answers never change."""
        found = Round(CONSTANT, ask)
        found.then = then
        self._run(found)

    def _run(self, found: Round) -> None:
        found.facts, found.stale = [], False
        found.times += 1
        if found.times > MOST_ROUNDS:
            return
        found.open = 1
        found.ask(found)
        self._close(found)

    def _ask(self, found: Round, request: bytes, heard: Callable[[bytes], None]) -> None:
        """A question of a round; errors are no answer."""
        found.open += 1

        def answered(reply: bytes, good: bool) -> None:
            if good:
                # a reply that is shorter than its counts say is no fact
                with suppress(struct.error, IndexError):
                    heard(reply)
            self._close(found)

        self._asker.ask(request, answered)

    def _ask_fact(
        self,
        found: Round,
        kind: Key,
        request: bytes,
        then: Callable[[bytes], None] | None = None,
    ) -> None:
        """A question whose reply becomes a fact."""

        def heard(reply: bytes) -> None:
            if len(reply) <= LARGEST_FACT:
                found.facts.append(Fact(found.topic, fact_key(kind, request), reply))
            if then is not None:
                then(reply)

        self._ask(found, request, heard)

    def _close(self, found: Round) -> None:
        found.open -= 1
        if found.open:
            return
        if found.stale:
            self._run(found)
            return
        if found.topic == CONSTANT:
            self._tell(found.facts)
            found.then()
        elif found.facts != found.told:
            # also when it was forgotten at the change: by now every program has had its event
            if found.told is not None:
                self._payloads.append(control.forget_payload(found.topic))
            self._tell(found.facts)
            found.told = found.facts

    def _tell(self, facts: list[Fact]) -> None:
        batch: list[Fact] = []
        size = 0
        for fact in facts:
            batch.append(fact)
            size += len(fact.request) + len(fact.reply)
            if size > LARGEST_BATCH:
                self._payloads += control.facts_payloads(batch)
                batch, size = [], 0
        self._payloads += control.facts_payloads(batch)

    def _event(self, packet: Packet) -> None:
        topic = self._topic_of(packet)
        found = None if topic is None else self._rounds.get(topic)
        if topic is None or found is None:
            return
        self._payloads.append(control.forget_payload(topic))
        found.told = []  # so that the next answers are told, even if they are the same
        if found.open:
            found.stale = True
        else:
            self._run(found)
