"""Colours of TrueColor visuals, by arithmetic; `table` lists it."""

import struct
from typing import Dict, Optional, Set, Tuple

from x11fwd.bridge.remote.rules.base import Answer, Rule, Surroundings
from x11fwd.bridge.shared.majors import CORE
from x11fwd.bridge.shared.packets import error_packet, reply_packet
from x11fwd.bridge.shared.resources import Palette
from x11fwd.bridge.shared.truecolor import Allocated, TrueColors
from x11fwd.bridge.shared.wire import REPLY, Packet, Request

_FREE_COLORMAP, _COPY_COLORMAP = 79, 81
_ALLOC_COLOR, _ALLOC_NAMED, _FREE_COLORS, _QUERY_COLORS, _LOOKUP_NAMED = 84, 85, 88, 91, 92
MOST_QUERIED = 1 << 12  # pixels; more are faster computed by the X server than here
MOST_FREED = 1 << 14  # pixels, with all combinations of planes
_ALLOCATES = {_ALLOC_COLOR, _ALLOC_NAMED}


class ColorRule(Rule):
    """AllocColor, AllocNamedColor, FreeColors, QueryColors and LookupColor of TrueColor colormaps.

    X protocol, chapter 3 (visual classes): a TrueColor colormap "has predefined read-only RGB values", so
    what AllocColor and QueryColors say (chapter 9) depends on the visual only; how it is rounded, the local
    half has compared with the X server. What AllocColor leaves behind is a count of cells per client, seen by
    FreeColors alone ("an Access error is generated if a specified pixel is not allocated by the client"):
    that count is kept here, for allocations that travel, too, and FreeColors never travels.
    """

    requests = tuple(
        (CORE, one) for one in (_ALLOC_COLOR, _ALLOC_NAMED, _FREE_COLORS, _QUERY_COLORS, _LOOKUP_NAMED)
    )
    seen = ((CORE, _FREE_COLORMAP), (CORE, _COPY_COLORMAP))

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._visuals = {one.id: one for root in around.setup.roots for one in root.visuals}
        self._defaults = {root.colormap for root in around.setup.roots}
        self._counts: Dict[int, Tuple[TrueColors, Allocated]] = {}
        self._foreign: Set[int] = set()  # colormaps in which the X server counts

    def answer(self, request: Request) -> Optional[Answer]:
        (colormap,) = self.words(request, 1)
        if request.opcode == _FREE_COLORS:
            return self._free(request, colormap)
        colors = self._colors(colormap)
        if colors is None:
            return None
        body: Optional[bytes] = None
        if request.opcode == _QUERY_COLORS:
            body = self._query(request, colors)
        elif request.opcode == _ALLOC_COLOR:
            if self.size(request) == 16:
                asked = struct.unpack_from(self.around.order + "3H", request.data, request.body + 4)
                pixel, found = colors.alloc(asked)
                self._count(colormap, colors, pixel)
                body = struct.pack(self.around.order + "3HxxI", *found, pixel)
        else:
            exact = self.around.knowledge.color_names.get(self._name(request).lower())
            if exact is not None and request.opcode == _LOOKUP_NAMED:
                body = struct.pack(self.around.order + "6H", *exact, *colors.resolved(exact))
            elif exact is not None:
                pixel, found = colors.alloc(exact)
                self._count(colormap, colors, pixel)
                body = struct.pack(self.around.order + "I6H", pixel, *exact, *found)
        return None if body is None else Answer((reply_packet(self.around.order, 0, 0, body),))

    def passes(self, request: Request) -> None:
        (colormap,) = self.words(request, 1)
        if request.opcode == _FREE_COLORMAP:
            if colormap not in self._defaults:
                self._counts.pop(colormap, None)
                self._foreign.discard(colormap)
        elif request.opcode == _COPY_COLORMAP:
            # the program's cells move to the new colormap, of which Resources knows nothing
            (source,) = self.words(request, 1, at=4)
            moved = self._counts.pop(source, None)
            if moved is not None:
                self._counts[colormap] = moved
        elif request.opcode in _ALLOCATES and colormap not in self._counts:
            colors = self._colors(colormap)
            if colors is None:
                self._foreign.add(colormap)

    def replied(self, request: Request, packet: Packet) -> None:
        if packet.kind != REPLY or request.opcode not in {_ALLOC_COLOR, _ALLOC_NAMED, _LOOKUP_NAMED}:
            return
        (colormap,) = self.words(request, 1)
        order = self.around.order
        if request.opcode != _ALLOC_COLOR:
            at = 12 if request.opcode == _ALLOC_NAMED else 8
            exact = struct.unpack_from(order + "3H", packet.data, at)
            self.around.knowledge.learn_color(self._name(request), exact)
        if request.opcode != _LOOKUP_NAMED and colormap not in self._foreign:
            at = 8 if request.opcode == _ALLOC_NAMED else 16
            counted = self._counts.get(colormap)
            colors = self._colors(colormap) if counted is None else counted[0]
            if colors is not None:
                self._count(colormap, colors, struct.unpack_from(order + "I", packet.data, at)[0])

    def _colors(self, colormap: int) -> Optional[TrueColors]:
        """How colours in this colormap are computed; None when the X server must be asked."""
        palette = self.around.resources.known.get(colormap)
        if not isinstance(palette, Palette) or colormap in self._foreign:
            return None
        visual = self._visuals.get(palette.visual)
        return None if visual is None else self.around.knowledge.true_colors(visual)

    def _count(self, colormap: int, colors: TrueColors, pixel: int) -> None:
        self._counts.setdefault(colormap, (colors, Allocated()))[1].add(colors, pixel)

    def _free(self, request: Request, colormap: int) -> Optional[Answer]:
        if colormap in self._foreign:
            return None
        counted = self._counts.get(colormap)
        if counted is None:
            colors = self._colors(colormap)
            if colors is None:
                return None
            counted = (colors, Allocated())
        (planes,) = self.words(request, 1, at=4)
        pixels = self.words(request, (self.size(request) - 12) // 4, at=8)
        each = sum(1 << bin(planes & ramp.mask).count("1") for ramp in counted[0].ramps)
        if len(pixels) * each > MOST_FREED:
            # freeing has no effect but its errors; a program that wants this many at once gets none
            return Answer()
        code, value = counted[1].free(counted[0], pixels, planes)
        if not code:
            return Answer()
        return Answer((error_packet(self.around.order, code, 0, _FREE_COLORS, value=value),))

    def _query(self, request: Request, colors: TrueColors) -> Optional[bytes]:
        order = self.around.order
        pixels = self.words(request, (self.size(request) - 8) // 4, at=4)
        if len(pixels) > MOST_QUERIED:
            return None
        parts = [struct.pack(order + "H22x", len(pixels) & 0xFFFF)]
        for pixel in pixels:
            color = colors.color(pixel)
            if color is None:  # Value
                return None
            parts.append(struct.pack(order + "3Hxx", *color))
        return b"".join(parts)

    def _name(self, request: Request) -> bytes:
        """The colour's name; raises struct.error when it does not fit the request."""
        (size,) = struct.unpack_from(self.around.order + "H", request.data, request.body + 4)
        if self.size(request) != 12 + (size + 3 & ~3):
            raise struct.error
        return bytes(request.data[request.body + 8 : request.body + 8 + size])
