"""QueryExtension and ListExtensions; `table` lists it."""

import struct
from typing import List, Optional

from x11fwd.bridge.remote.rules.base import Answer, Rule
from x11fwd.bridge.shared.majors import CORE, needs_this_machine
from x11fwd.bridge.shared.packets import reply_packet
from x11fwd.bridge.shared.wire import REPLY, Packet, Request

_LIST_EXTENSIONS = 99


class ExtensionRule(Rule):
    """Which extensions there are.

    X protocol, chapter 9, QueryExtension: "determines if the named extension is present", a property of the
    server, which has all its extensions from its start on. Extensions that need memory or descriptors shared
    with the X server are absent, as the protocol allows for any.
    """

    requests = ((CORE, 98), (CORE, _LIST_EXTENSIONS))

    def answer(self, request: Request) -> Optional[Answer]:
        if request.opcode == _LIST_EXTENSIONS:
            return self._list(request)
        known = self.around.knowledge
        name = self._name(request)
        row = known.majors.row(name.decode("latin-1"))
        if needs_this_machine(name.decode("latin-1")) or name in known.absent:
            body = bytes(4)
        elif row is not None:
            body = struct.pack("4B", 1, *row)
        else:
            return None
        return Answer((reply_packet(self.around.order, 0, 0, body),))

    def replied(self, request: Request, packet: Packet) -> None:
        if packet.kind == REPLY and request.opcode != _LIST_EXTENSIONS:
            present, major, event, error = packet.data[8:12]
            self.around.knowledge.extension(self._name(request), bool(present), (major, event, error))

    def _name(self, request: Request) -> bytes:
        """The name; raises struct.error when it does not fit the request."""
        (size,) = struct.unpack_from(self.around.order + "H", request.data, request.body)
        if self.size(request) != 8 + (size + 3 & ~3):
            raise struct.error
        return bytes(request.data[request.body + 4 : request.body + 4 + size])

    def _list(self, request: Request) -> Optional[Answer]:
        """The X server's own list and order, without those that are absent here."""
        knowledge = self.around.knowledge
        reply = knowledge.fact(struct.pack(knowledge.order + "BxH", _LIST_EXTENSIONS, 1))
        if reply is None or self.size(request) != 4:
            return None
        names: List[bytes] = []
        at = 32
        for _ in range(reply[1]):
            name = reply[at + 1 : at + 1 + reply[at]]
            at += 1 + len(name)
            if not needs_this_machine(name.decode("latin-1")):
                names.append(name)
        body = bytes(24) + b"".join(bytes((len(name),)) + name for name in names)
        return Answer((reply_packet(self.around.order, 0, len(names), body),))
