"""GetProperty on root windows, computed from whole properties; `table` lists it."""

import struct
from typing import Optional

from x11fwd.bridge.remote.rules.base import Answer, Rule, Surroundings
from x11fwd.bridge.remote.rules.facts import Grabs
from x11fwd.bridge.shared.factkeys import whole_property
from x11fwd.bridge.shared.majors import CORE
from x11fwd.bridge.shared.packets import reply_packet
from x11fwd.bridge.shared.resources import LAST_PREDEFINED_ATOM
from x11fwd.bridge.shared.topics import root_topic
from x11fwd.bridge.shared.wire import Request

_CHANGE_PROPERTY, _DELETE_PROPERTY, _GET_PROPERTY, _ROTATE_PROPERTIES = 18, 19, 20, 114


class RootPropertyRule(Rule):
    """RESOURCE_MANAGER, what the window manager offers, and the like.

    X protocol, chapter 9, GetProperty, with its definition of what type, offset and length select. Every
    change of a property makes a PropertyNotify event (chapter 11), which the local half and programs select;
    a property that a program of this link changes is not answered any more, nor one asked for under a grab
    of the server. Deleting travels.
    """

    requests = ((CORE, _GET_PROPERTY),)
    seen = ((CORE, _CHANGE_PROPERTY), (CORE, _DELETE_PROPERTY), (CORE, _ROTATE_PROPERTIES))

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._roots = {root.root for root in around.setup.roots}
        self._grabs = around.state(Grabs)

    def answer(self, request: Request) -> Optional[Answer]:
        knowledge = self.around.knowledge
        order = self.around.order
        window, name, kind, offset, length = self.words(request, 5)
        if window not in self._roots or request.minor or self.size(request) != 24 or self._grabs.grabbed:
            return None
        fact = knowledge.fact(whole_property(knowledge.order, window, name))
        if fact is None or not self._is_atom(kind):
            return None
        actual, rest, items = struct.unpack_from(knowledge.order + "III", fact, 8)
        bits = fact[1]
        if rest or (bits > 8 and order != knowledge.order):
            return None
        size = items * bits // 8
        value = fact[32 : 32 + size]
        if not actual:
            return self._reply(0, 0, 0, b"")
        if kind not in (0, actual):
            return self._reply(bits, actual, size, b"")
        start = 4 * offset
        if start > size:  # Value
            return None
        found = value[start : start + 4 * length]
        return self._reply(bits, actual, size - start - len(found), found)

    def passes(self, request: Request) -> None:
        if request.opcode == _GET_PROPERTY and not request.minor:
            return
        window, name = self.words(request, 2)
        if window not in self._roots:
            return
        names = [name]
        if request.opcode == _ROTATE_PROPERTIES:
            names = list(self.words(request, (self.size(request) - 12) // 4, at=8))
        for one in names:
            self.around.knowledge.distrust(root_topic(window, one))

    def _is_atom(self, kind: int) -> bool:
        """Whether the type is surely an atom, or 0 for any; else Atom is the answer."""
        known = self.around.knowledge.atom_names
        return kind <= LAST_PREDEFINED_ATOM or kind in known or kind in self.around.resources.atoms

    def _reply(self, bits: int, actual: int, rest: int, value: bytes) -> Answer:
        items = len(value) * 8 // bits if bits else 0
        body = struct.pack(self.around.order + "III12x", actual, rest, items) + value
        return Answer((reply_packet(self.around.order, 0, bits, body),))
