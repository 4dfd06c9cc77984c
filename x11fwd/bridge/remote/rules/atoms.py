"""InternAtom and GetAtomName, from the atoms that are known; `table` lists it."""

import struct
from typing import Optional

from x11fwd.bridge.remote.rules.base import Answer, Rule
from x11fwd.bridge.shared.majors import CORE
from x11fwd.bridge.shared.packets import reply_packet
from x11fwd.bridge.shared.wire import REPLY, Packet, Request


class AtomRule(Rule):
    """Names and numbers of atoms.

    X protocol, chapter 9, InternAtom: "The lifetime of an atom is not tied to the interning client. Atoms
    remain defined until server reset"; the local half keeps a connection open, so there is none. With
    only-if-exists the answer is the same as long as the atom exists. An atom that does not exist (None) may
    do so later and is not remembered.
    """

    requests = ((CORE, 16), (CORE, 17))

    def answer(self, request: Request) -> Optional[Answer]:
        known = self.around.knowledge
        if request.opcode == 17:
            (atom,) = self.words(request, 1)
            name = known.atom_names.get(atom)
            if name is None or self.size(request) != 8:
                return None
            body = struct.pack(self.around.order + "H22x", len(name)) + name
        else:
            if request.minor > 1:
                return None
            found = known.atoms.get(self._name(request))
            if found is None:
                return None
            atom, body = found, struct.pack(self.around.order + "I", found)
        self.around.resources.atoms.add(atom)
        return Answer((reply_packet(self.around.order, 0, 0, body),))

    def replied(self, request: Request, packet: Packet) -> None:
        if packet.kind != REPLY:
            return
        if request.opcode == 16:
            (atom,) = struct.unpack_from(self.around.order + "I", packet.data, 8)
            name = self._name(request)
        else:
            (atom,) = self.words(request, 1)
            (size,) = struct.unpack_from(self.around.order + "H", packet.data, 8)
            name = bytes(packet.data[32 : 32 + size])
        if atom:
            self.around.knowledge.learn_atom(atom, name)
            self.around.resources.atoms.add(atom)

    def _name(self, request: Request) -> bytes:
        """The name; raises struct.error when it does not fit the request."""
        (size,) = struct.unpack_from(self.around.order + "H", request.data, request.body)
        if self.size(request) != 8 + (size + 3 & ~3):
            raise struct.error
        return bytes(request.data[request.body + 4 : request.body + 4 + size])
