"""GetSelectionOwner of the selections that managers of the desktop own; `table` lists it."""

import struct
from typing import Optional

from x11fwd.bridge.remote.rules.base import Answer, Rule, Surroundings
from x11fwd.bridge.remote.rules.facts import Grabs
from x11fwd.bridge.shared.majors import CORE
from x11fwd.bridge.shared.packets import reply_packet
from x11fwd.bridge.shared.topics import selection_topic
from x11fwd.bridge.shared.wire import Request

_SET_OWNER, _GET_OWNER = 22, 23


class SelectionRule(Rule):
    """Owners of selections such as _NET_WM_CM_S0, which the local half watches.

    X protocol, chapter 9, GetSelectionOwner; XFIXES, chapter 6: SelectionNotify comes for every new owner,
    and when the owner's window or client is gone. A program that asks under a grab of the server (the manager
    convention of ICCCM 2.8, as GTK does for _XSETTINGS_S0) wants to know the owner of that moment, and a
    selection that a program of this link takes is not answered any more.
    """

    requests = ((CORE, _GET_OWNER),)
    seen = ((CORE, _SET_OWNER),)

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._grabs = around.state(Grabs)

    def answer(self, request: Request) -> Optional[Answer]:
        (selection,) = self.words(request, 1)
        knowledge = self.around.knowledge
        if self.size(request) != 8 or self._grabs.grabbed:
            return None
        fact = knowledge.fact(struct.pack(knowledge.order + "BxHI", _GET_OWNER, 2, selection))
        if fact is None:
            return None
        (owner,) = struct.unpack_from(knowledge.order + "I", fact, 8)
        body = struct.pack(self.around.order + "I", owner)
        return Answer((reply_packet(self.around.order, 0, 0, body),))

    def passes(self, request: Request) -> None:
        if request.opcode == _SET_OWNER:
            (selection,) = self.words(request, 1, at=4)
            self.around.knowledge.distrust(selection_topic(selection))
