"""Which graphics contexts tell of copies, by GraphicsExpose and NoExpose; the rules about barriers use it."""

import struct
from typing import Sequence, Set

from x11fwd.bridge.remote.rules.base import Surroundings
from x11fwd.bridge.shared.wire import Request

MAKE_CONTEXT, SET_CONTEXT, COPY_CONTEXT, DROP_CONTEXT, COPY_AREA, COPY_PLANE = 55, 56, 57, 60, 62, 63
CONTEXT_REQUESTS = (MAKE_CONTEXT, SET_CONTEXT, COPY_CONTEXT, DROP_CONTEXT)
_EXPOSURES = 16  # bit of graphics-exposures in the mask of CreateGC, ChangeGC and CopyGC; on by default
_MOST_QUIET = 1 << 16


class QuietContexts:
    """The contexts with graphics-exposures off (X protocol, CreateGC)."""

    def __init__(self, around: Surroundings) -> None:
        self._order = around.order
        self._quiet: Set[int] = set()

    def passes(self, request: Request) -> None:
        """One of CONTEXT_REQUESTS travels; raises IndexError when it is too short."""
        opcode, words = request.opcode, self._words(request)
        if opcode in {MAKE_CONTEXT, DROP_CONTEXT}:
            self._quiet.discard(words[0])
        if opcode == DROP_CONTEXT:
            return
        mask_at = 1 if opcode == SET_CONTEXT else 2
        mask = words[mask_at]
        if not mask >> _EXPOSURES & 1:
            return
        if opcode == COPY_CONTEXT:
            self._set(words[1], words[0] in self._quiet)
        else:
            before = bin(mask & (1 << _EXPOSURES) - 1).count("1")
            self._set(words[0], not words[mask_at + 1 + before])

    def tells(self, request: Request) -> bool:
        """Whether this CopyArea or CopyPlane brings events."""
        return self._words(request)[2] not in self._quiet

    def _set(self, context: int, quiet: bool) -> None:
        if quiet and len(self._quiet) < _MOST_QUIET:
            self._quiet.add(context)
        else:
            self._quiet.discard(context)

    def _words(self, request: Request) -> "Sequence[int]":
        count = (len(request.data) - request.body) // 4
        return struct.unpack_from("%s%dI" % (self._order, count), request.data, request.body)
