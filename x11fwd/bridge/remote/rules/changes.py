"""Events that say that what is known has changed; `table` lists it."""

from typing import Optional

from x11fwd.bridge.remote.rules.base import Answer, Rule, Surroundings
from x11fwd.bridge.shared.topics import changed_topic
from x11fwd.bridge.shared.wire import Packet, Request


class ChangeRule(Rule):
    """A program that is told of a change finds the change: what was known is gone before it gets the event.

    X protocol, chapter 11, and the extensions' own events: see `changed_topic`.
    """

    raw_events = True

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._roots = {root.root for root in around.setup.roots}

    def answer(self, request: Request) -> Optional[Answer]:
        del request
        return None

    def event(self, packet: Packet) -> None:
        knowledge = self.around.knowledge
        topic = changed_topic(packet, self.around.order, knowledge.majors, self._roots)
        if topic is not None:
            knowledge.changed(topic)
