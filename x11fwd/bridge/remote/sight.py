"""What the X server said right behind what one program has just heard; `program` and a rule use it.

Such an answer is newer than everything that any program of this display has heard, and counts until one of
them hears more. It does not know of requests that went to the X server after the one of which the program
heard last, so one of those that may change it ends it, too.
"""

import struct
from typing import TYPE_CHECKING, Dict, Optional, Sequence, Tuple

from x11fwd.bridge.remote.rules.factkinds import TOPIC_OF, VERSIONS
from x11fwd.bridge.shared.majors import CORE

if TYPE_CHECKING:
    from x11fwd.bridge.remote.rules.base import Key, Surroundings
    from x11fwd.bridge.shared.control import Fact
    from x11fwd.bridge.shared.wire import Request

OF_WINDOWS, OF_PROPERTIES, OF_SELECTIONS, OF_POINTER = 1, 2, 4, 8
_ALL = 15
_GET_PROPERTY = 20
# What core requests change of that, at once or by what it leads to in the X server itself; others change
# everything, and questions nothing (GetProperty deletes, where it is told to).
_CHANGES = {1: OF_WINDOWS, 2: OF_WINDOWS, 22: OF_SELECTIONS, 41: OF_POINTER, 42: OF_POINTER}
_CHANGES.update(dict.fromkeys(range(7, 14), OF_WINDOWS | OF_POINTER))
_CHANGES.update(dict.fromkeys((18, 19, _GET_PROPERTY, 114), OF_PROPERTIES))
# GetWindowAttributes, GetGeometry and so on; fonts, drawing, colours, cursors, settings
_CHANGES.update(dict.fromkeys((3, *range(14, 18), 21, 23, 25, 38, 39, 40, *range(43, 79)), 0))
_CHANGES.update(dict.fromkeys((*range(83, 88), 91, 92, *range(93, 100), 101, 103, 106, 108, 110), 0))
_CHANGES.update({36: 0, 37: 0, 117: 0, 119: 0, 127: 0})
# Extensions without windows, and requests that only select events or are about regions, cursors and fences
_DRAWING = frozenset({"RENDER", "DAMAGE", "GLX", "SYNC"})
_QUIET = frozenset({("RANDR", 4), ("SHAPE", 6), ("XInputExtension", 46), ("XKEYBOARD", 1), ("XKEYBOARD", 4)})
_QUIET |= {("XFIXES", minor) for minor in (*range(2, 6), *range(7, 21), 22, 25, 29, 30)}


def changes(kind: "Key") -> int:
    """What requests of this kind may change."""
    if kind[0] == CORE:
        return _CHANGES.get(kind[1], _ALL)
    return 0 if kind[0] in _DRAWING or kind in _QUIET or kind in TOPIC_OF or kind in VERSIONS else _ALL


class Sight:
    """What one program may be told, and what it wishes to be told."""

    def __init__(self, around: "Surroundings") -> None:
        self._knowledge = around.knowledge
        self._replies: Dict[bytes, bytes] = {}
        self._heard = -1  # how much all programs had heard
        self._number = 0  # the request of which the program had heard last
        self._changed: Dict[int, int] = {}  # by what changed, the last request that did
        self._wish: Optional[Tuple[Sequence[bytes], bool]] = None

    def told(self, facts: "Tuple[Fact, ...]", number: int) -> None:
        """The X server's answers; `number` is that of the last packet that came before them."""
        order = self._knowledge.order
        self._replies = {
            fact.request: fact.reply
            for fact in facts
            if len(fact.reply) == 32 + 4 * struct.unpack_from(order + "I", fact.reply, 4)[0]
        }
        self._heard, self._number = self._knowledge.heard, number

    def sees(self, request: bytes, about: int) -> "Optional[bytes]":
        """The answer to this request, `about` one thing; None when there is none that counts."""
        if self._heard != self._knowledge.heard or self._changed.get(about, 0) > self._number:
            return None
        return self._replies.get(request)

    def passes(self, request: "Request", changed: int) -> None:
        """A request that changes something (`changes`)."""
        if request.opcode == _GET_PROPERTY and not request.minor:
            return
        for about in (OF_WINDOWS, OF_PROPERTIES, OF_SELECTIONS, OF_POINTER):
            if changed & about:
                self._changed[about] = request.number

    def wish(self, requests: "Sequence[bytes]", *, grabs: bool) -> None:
        """From now on tell what the X server says to these, none: as before; `grabs` as in WishTold."""
        before = self._wish[0] if self._wish is not None else ()
        self._wish = requests or before, grabs

    def take_wish(self) -> "Optional[Tuple[Sequence[bytes], bool]]":
        """What is to be told to the local half before what the program sends now: questions, and `grabs`."""
        found, self._wish = self._wish, None
        return found
