"""Requests of RENDER that cannot fail; rules of `risk`."""

import struct
from typing import Dict, Optional, Tuple

from x11fwd.bridge.shared.resources import Glyphs, Picture, Pointer
from x11fwd.bridge.shared.risk_drawing import LARGEST_PIXMAP
from x11fwd.bridge.shared.risk_rules import RiskKey, RiskRules, Verdict
from x11fwd.bridge.shared.wire import Request

_RENDER = "RENDER"
_OPERATORS = frozenset((*range(0x0E), *range(0x10, 0x1C), *range(0x20, 0x2C), *range(0x30, 0x3F)))
# Largest values of picture attributes by bit of the mask: repeat, graphics exposures, subwindow mode, poly
# edge, poly mode, component alpha
_PICTURE_LIMITS = {0: 3, 7: 1, 8: 1, 9: 1, 10: 1, 12: 1}
_ALPHA_MAP, _CLIP_MASK = 1, 6
_GLYPH_DEPTHS = {1, 4, 8, 16, 32}
_FILTERS = {b"nearest", b"bilinear", b"fast", b"good", b"best"}  # always there (render/filter.c)
_DIRECT = 1  # type of a format
MOST_GLYPHS = 1 << 16  # of one set that are followed
_ONE_FIXED = 1 << 16


class RenderRisks(RiskRules):
    """Render Extension Protocol 0.11; render/render.c, render/picture.c, render/glyph.c of Xorg.

    Formats are those of the X server's reply to QueryPictFormats, when that is known.
    """

    _formats: "Optional[Dict[int, Tuple[int, int]]]" = None  # type and depth by id

    def rules(self) -> "Dict[RiskKey, Verdict]":
        found: Dict[int, Verdict] = {
            4: self._create_picture,
            5: self._change_picture,
            6: self._clip_rectangles,
            7: lambda request: self._free(request, Picture),
            8: self._composite,
            10: lambda request: self._shapes(request, 40),  # Trapezoids
            11: lambda request: self._shapes(request, 24),  # Triangles
            12: lambda request: self._shapes(request, 8),  # TriStrip
            13: lambda request: self._shapes(request, 8),  # TriFan
            17: self._create_glyph_set,
            18: self._reference_glyph_set,
            19: lambda request: self._free(request, Glyphs),
            20: self._add_glyphs,
            22: self._free_glyphs,
            23: lambda request: self._composite_glyphs(request, 1),
            24: lambda request: self._composite_glyphs(request, 2),
            25: lambda request: self._composite_glyphs(request, 4),
            26: self._fill_rectangles,
            27: self._create_pointer,
            28: lambda request: (
                self._size(request) == 44 and self._picture(request, 0) is not None
            ),  # Transform
            30: self._set_filter,
            31: self._create_animated,
            32: lambda request: not (self._size(request) - 12) % 24 and self._target(request, 0) is not None,
            33: self._create_solid,
            34: lambda request: self._create_gradient(request, 20),
            35: lambda request: self._create_gradient(request, 28),
            36: lambda request: self._create_gradient(request, 16),
        }
        return {(_RENDER, minor): rule for minor, rule in found.items()}

    def _format(self, number: int) -> "Optional[int]":
        """The depth of a format that is not indexed."""
        if self._formats is None:
            major = self._majors.opcode(_RENDER)
            reply = None
            if major is not None:
                reply = self._fact(struct.pack(self._order + "BBH", major, 1, 1))
            if reply is None:
                return None
            (count,) = struct.unpack_from(self._order + "I", reply, 8)
            self._formats = {}
            for at in range(32, min(32 + 28 * count, len(reply) - 27), 28):
                one, kind, depth = struct.unpack_from(self._order + "IBB", reply, at)
                self._formats[one] = (kind, depth)
        kind, depth = self._formats.get(number, (0, 0))
        return depth if kind == _DIRECT else None

    def _picture(self, request: Request, at: int) -> "Optional[Picture]":
        found = self._resources.known.get(self._words(request, 1, at)[0])
        return found if isinstance(found, Picture) else None

    def _target(self, request: Request, at: int) -> "Optional[Picture]":
        """A picture on which one can draw."""
        found = self._picture(request, at)
        return found if found is not None and found.root else None

    def _source(self, number: int, target: Picture) -> bool:
        found = self._resources.known.get(number)
        return isinstance(found, Picture) and found.root in {0, target.root}

    def _create_picture(self, request: Request) -> bool:
        number, drawable, form, mask = self._words(request, 4)
        pixels = self._canvas(drawable)
        if pixels is None:
            return False
        window = drawable if pixels.window else 0
        made = Picture(pixels.root, pixels.depth, pixels.width, pixels.height, window)
        safe = self._format(form) == pixels.depth and self._attributes(request, 16, mask, made)
        return self._make(request, number, made, safe=safe)

    def _change_picture(self, request: Request) -> bool:
        picture = self._picture(request, 0)
        return picture is not None and self._attributes(request, 8, self._words(request, 2)[1], picture)

    def _attributes(self, request: Request, at: int, mask: int, picture: Picture) -> bool:
        if not mask:
            return self._size(request) == 4 + at
        values = self._values(request, at, mask, 13)
        if values is None:
            return False
        for bit, value in values.items():
            if value > _PICTURE_LIMITS.get(bit, value) or (bit == _ALPHA_MAP and value):
                return False
            if bit == _CLIP_MASK:
                pixmap = self._resources.pixels(value)
                fits = pixmap is not None and not pixmap.window and pixmap[:2] == (picture.root, 1)
                if not picture.root or (value and not fits):
                    return False
        return True

    def _clip_rectangles(self, request: Request) -> bool:
        size = self._size(request) - 12
        return size >= 0 and not size % 8 and self._target(request, 0) is not None

    def _composite(self, request: Request) -> bool:
        _, source, mask = self._words(request, 3)
        target = self._target(request, 12)
        if target is None or request.data[request.body] not in _OPERATORS or self._size(request) != 36:
            return False
        return self._source(source, target) and (not mask or self._source(mask, target))

    def _drawing(self, request: Request) -> bool:
        """Operator, source, target and the format of a mask."""
        _, source, _, form = self._words(request, 4)
        target = self._target(request, 8)
        if target is None or request.data[request.body] not in _OPERATORS:
            return False
        return self._source(source, target) and (not form or self._format(form) is not None)

    def _shapes(self, request: Request, unit: int) -> bool:
        size = self._size(request) - 24
        return size >= 0 and not size % unit and self._drawing(request)

    def _create_glyph_set(self, request: Request) -> bool:
        number, form = self._words(request, 2)
        depth = self._format(form)
        safe = depth in _GLYPH_DEPTHS and self._size(request) == 12
        return self._make(request, number, Glyphs(depth or 0, set()), safe=safe)

    def _reference_glyph_set(self, request: Request) -> bool:
        number, existing = self._words(request, 2)
        found = self._resources.known.get(existing)
        if not isinstance(found, Glyphs):
            return False
        return self._make(request, number, found._replace(), safe=self._size(request) == 12)

    def _add_glyphs(self, request: Request) -> bool:
        number, count = self._words(request, 2)
        found = self._resources.known.get(number)
        layout = self._resources.layouts.get(found.depth) if isinstance(found, Glyphs) else None
        start = request.body + 8
        end = len(request.data) - start - 16 * count
        if layout is None or not isinstance(found, Glyphs) or end < 0:
            return False
        pad = layout.scanline_pad
        for at in range(start + 4 * count, start + 16 * count, 12):
            width, height = struct.unpack_from(self._order + "HH", request.data, at)
            if width > LARGEST_PIXMAP or height > LARGEST_PIXMAP:
                return False
            end -= (-(-width * layout.bits_per_pixel // pad) * pad // 8 * height + 3) & ~3
        if end:
            return False
        if len(found.numbers) + count <= MOST_GLYPHS:
            found.numbers.update(struct.unpack_from("%s%dI" % (self._order, count), request.data, start))
        return True

    def _free_glyphs(self, request: Request) -> bool:
        found = self._resources.known.get(self._words(request, 1)[0])
        if not isinstance(found, Glyphs):
            return False
        count = (self._size(request) - 8) // 4
        gone = set(struct.unpack_from("%s%dI" % (self._order, count), request.data, request.body + 4))
        safe = len(gone) == count and gone <= found.numbers
        found.numbers.difference_update(gone)
        return safe

    def _composite_glyphs(self, request: Request, unit: int) -> bool:
        if not self._kind(self._words(request, 1, 16)[0], Glyphs) or not self._drawing(request):
            return False
        data, at = request.data, request.body + 24
        end = len(data)
        while end - at > 8:
            count = data[at]
            at += 8
            if count == 255:
                if end - at < 4 or not self._kind(self._words(request, 1, at - request.body)[0], Glyphs):
                    return False
                at += 4
            else:
                at += count * unit + 3 & ~3
                if at > end:
                    return False
        return at == end

    def _fill_rectangles(self, request: Request) -> bool:
        size = self._size(request) - 20
        fits = size >= 0 and not size % 8 and request.data[request.body] in _OPERATORS
        return fits and self._target(request, 4) is not None

    def _create_pointer(self, request: Request) -> bool:
        number = self._words(request, 1)[0]
        picture = self._target(request, 4)
        x, y = self._shorts(request, 8, 2)
        safe = picture is not None and picture.depth == 32 and self._size(request) == 16
        safe = safe and picture is not None and x < picture.width and y < picture.height
        return self._make(request, number, Pointer(), safe=safe)

    def _set_filter(self, request: Request) -> bool:
        (count,) = self._shorts(request, 4, 1)
        name = bytes(request.data[request.body + 8 : request.body + 8 + count])
        fits = self._size(request) == 12 + (count + 3 & ~3)
        return fits and name in _FILTERS and self._picture(request, 0) is not None

    def _create_animated(self, request: Request) -> bool:
        count = (self._size(request) - 8) // 8
        words = struct.unpack_from("%s%dI" % (self._order, 1 + 2 * count), request.data, request.body)
        known = [self._resources.known.get(one) for one in words[1::2]]
        safe = bool(count) and self._size(request) == 8 + 8 * count
        safe = safe and all(isinstance(one, Pointer) and not one.animated for one in known)
        return self._make(request, words[0], Pointer(animated=True), safe=safe)

    def _create_solid(self, request: Request) -> bool:
        return self._make(request, self._words(request, 1)[0], Picture(0), safe=self._size(request) == 16)

    def _create_gradient(self, request: Request, at: int) -> bool:
        """The number of stops is `at` bytes behind the length, then come their places and colours."""
        (number,), (count,) = self._words(request, 1), self._words(request, 1, at)
        safe = bool(count) and self._size(request) == 8 + at + 12 * count
        if safe:
            places = struct.unpack_from("%s%di" % (self._order, count), request.data, request.body + at + 4)
            safe = places[0] >= 0 and places[-1] <= _ONE_FIXED and list(places) == sorted(places)
        return self._make(request, number, Picture(0), safe=safe)
