"""QueryFont of fonts that were opened by a known name; `table` lists it."""

import struct
from typing import Optional

from x11fwd.bridge.remote.rules.base import Answer, Rule
from x11fwd.bridge.shared.factkeys import font_key, split_replies
from x11fwd.bridge.shared.majors import CORE
from x11fwd.bridge.shared.resources import Font
from x11fwd.bridge.shared.wire import Request

_OPEN_FONT, _QUERY_FONT = 45, 47


class FontRule(Rule):
    """What a font looks like.

    X protocol, chapter 9, OpenFont: the name selects the font along the font path, which SetFontPath changes;
    a font is read-only. So two fonts of one name are the same until then. Lists of fonts are plain facts.
    """

    requests = ((CORE, _QUERY_FONT),)
    seen = ((CORE, _OPEN_FONT),)

    def answer(self, request: Request) -> Optional[Answer]:
        (number,) = self.words(request, 1)
        font = self.around.resources.known.get(number)
        knowledge = self.around.knowledge
        if not isinstance(font, Font) or self.around.order != knowledge.order or self.size(request) != 8:
            return None
        reply = knowledge.fact(font_key(knowledge.order, font.name))
        return None if reply is None else Answer(split_replies(reply, self.around.order))

    def passes(self, request: Request) -> None:
        """The X server will surely open a font of a name that it has opened before."""
        knowledge = self.around.knowledge
        if request.opcode == _OPEN_FONT:
            (size,) = struct.unpack_from(self.around.order + "H", request.data, request.body + 4)
            name = bytes(request.data[request.body + 8 : request.body + 8 + size])
            if knowledge.fact(font_key(knowledge.order, name)) is not None:
                self.around.resources.fonts.add(name)
            else:
                self.around.resources.fonts.discard(name)
