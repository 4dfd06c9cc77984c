"""QueryFont of fonts that were opened by a known name; `table` lists it."""

import struct
from typing import Optional, Set

from x11fwd.bridge.remote.rules.base import Answer, Rule, Surroundings
from x11fwd.bridge.shared.factkeys import font_key, split_replies
from x11fwd.bridge.shared.majors import CORE
from x11fwd.bridge.shared.packets import BAD_FONT, BAD_NAME, error_packet
from x11fwd.bridge.shared.resources import Font
from x11fwd.bridge.shared.wire import REPLY, Request

_OPEN_FONT, _QUERY_FONT = 45, 47
MOST_MISSING = 1 << 12


class FontRule(Rule):
    """Fonts that were opened by a known name.

    X protocol, chapter 9, OpenFont: the name selects a font along the font path, which SetFontPath changes;
    the font is read-only. So two fonts of one name are the same until then, and a name under which there is
    none has the error Name. QueryFont of an id whose OpenFont failed so has the error Font. Lists of fonts
    are plain facts.
    """

    requests = ((CORE, _OPEN_FONT), (CORE, _QUERY_FONT))

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._missing: Set[int] = set()  # ids under which nothing was opened

    def answer(self, request: Request) -> Optional[Answer]:
        (number,) = self.words(request, 1)
        knowledge, order = self.around.knowledge, self.around.order
        if request.opcode == _OPEN_FONT:
            reply = self._told(self._name(request))
            if reply is None or reply[0] == REPLY or not self.around.resources.fresh(number):
                return None
            if len(self._missing) < MOST_MISSING:
                self._missing.add(number)
            return Answer((error_packet(order, BAD_NAME, 0, _OPEN_FONT, value=number),))
        if self.size(request) != 8:
            return None
        if number in self._missing and self.around.resources.fresh(number):
            return Answer((error_packet(order, BAD_FONT, 0, _QUERY_FONT, value=number),))
        font = self.around.resources.known.get(number)
        if not isinstance(font, Font) or order != knowledge.order:
            return None
        reply = self._told(font.name)
        if reply is None or reply[0] != REPLY:
            return None
        return Answer(split_replies(reply, order))

    def passes(self, request: Request) -> None:
        """The X server will surely open a font of a name that it has opened before."""
        if request.opcode == _OPEN_FONT:
            name = self._name(request)
            reply = self._told(name)
            if reply is not None and reply[0] == REPLY:
                self.around.resources.fonts.add(name)
            else:
                self.around.resources.fonts.discard(name)

    def _told(self, name: bytes) -> Optional[bytes]:
        knowledge = self.around.knowledge
        return knowledge.fact(font_key(knowledge.order, name))

    def _name(self, request: Request) -> bytes:
        """The font's name; raises struct.error when it does not fit the request."""
        (size,) = struct.unpack_from(self.around.order + "H", request.data, request.body + 4)
        if self.size(request) != 12 + (size + 3 & ~3):
            raise struct.error
        return bytes(request.data[request.body + 8 : request.body + 8 + size])
