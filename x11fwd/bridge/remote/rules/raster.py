"""Answers GetImage of small pixmaps that the program itself filled; `table` lists the rule."""

import struct
from typing import Callable, Dict, Optional

from x11fwd.bridge.remote.raster_state import LARGEST_SIDE, Box, Raster, Rasters
from x11fwd.bridge.remote.rules.base import Answer, Rule, Surroundings
from x11fwd.bridge.shared.majors import CORE
from x11fwd.bridge.shared.packets import reply_packet
from x11fwd.bridge.shared.wire import ERROR, Packet, Request

_GET_IMAGE, _RASTER_CREATE, _RASTER_FREE = 73, 53, 54
_CREATE_CONTEXT, _CHANGE_CONTEXT, _COPY_CONTEXT, _SET_CLIP, _FREE_CONTEXT = 55, 56, 57, 59, 60
_COPY_AREA, _COPY_PLANE, _FILL_RECTANGLES, _PUT_IMAGE = 62, 63, 70, 72
_DRAWING = (64, 65, 66, 67, 68, 69, 71, 74, 75, 76, 77)  # lines, arcs, polygons, texts
_FUNCTION, _PLANE_MASK, _FOREGROUND, _FILL_STYLE, _CONTEXT_CLIP = 0, 1, 2, 8, 19  # bits of a context
_GX_COPY, _SOLID, _Z_PIXMAP, _ALL_PLANES = 3, 0, 2, 0xFFFFFFFF
_CLIPPED = 1  # in place of a clip mask: some rectangles
MOST_CONTEXTS = 1 << 13
MOST_RECTANGLES = 256  # in one request
# Extensions' requests by which a pixmap gets other names or other painters: RENDER CreatePicture, XVideo
# PutStill and PutImage (and those of video that arrives by itself), GLX CreateGLXPixmap and CreatePixmap.
# With the second word as drawable, with the third, with any.
_SECOND = (("RENDER", 4), ("XVideo", 5), ("XVideo", 6), ("XVideo", 18), ("XVideo", 19))
_ANYWHERE = (("GLX", 13), ("GLX", 16), ("GLX", 17), ("GLX", 22))


class OwnImage(Rule):
    """GetImage (ZPixmap, all planes) of what the program itself painted into a small pixmap.

    X protocol, GetImage: the content of the rectangle, in the layout of the server's images. The content is
    what PolyFillRectangle (solid, function Copy, all planes, no clip), PutImage (ZPixmap) and CopyArea put
    there; CreatePixmap leaves it undefined. After any other request that paints, what it may have touched is
    unknown, and a pixmap with another painter (RENDER's pictures, GLX) is unknown for good. Bits beyond the
    depth are returned as they were put, as Xorg does (fb/fbimage.c, fbGetImage).
    """

    requests = ((CORE, _GET_IMAGE),)
    seen = (
        tuple((CORE, opcode) for opcode in (53, 54, 55, 56, 57, 59, 60, 62, 63, 70, 72, *_DRAWING))
        + _SECOND
        + _ANYWHERE
    )

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._rasters = Rasters()
        self._contexts: Dict[int, Dict[int, int]] = {}
        self._layouts = {one.depth: one for one in around.setup.layouts if one.bits_per_pixel in {8, 16, 32}}
        self._follow: Dict[int, Callable[[Request], None]] = {
            _RASTER_CREATE: self._create_pixmap,
            _RASTER_FREE: lambda request: self._rasters.drop(self.words(request, 1)[0]),
            _CREATE_CONTEXT: self._create_context,
            _CHANGE_CONTEXT: self._change_context,
            _COPY_CONTEXT: self._copy_context,
            _SET_CLIP: self._set_clip,
            _FREE_CONTEXT: lambda request: self._forget_context(self.words(request, 1)[0]),
            _COPY_AREA: self._copy_area,
            _COPY_PLANE: self._copy_plane,
            _FILL_RECTANGLES: self._fill_rectangles,
            _PUT_IMAGE: self._put_image,
        }

    def answer(self, request: Request) -> Optional[Answer]:
        order = self.around.order
        number, x, y, width, height, planes = struct.unpack_from(order + "IhhHHI", request.data, request.body)
        raster = self._rasters.get(number)
        pixels = self.around.resources.pixels(number)
        if raster is None or pixels is None or pixels.window or pixels.depth != raster.depth:
            return None
        if request.minor != _Z_PIXMAP or planes != _ALL_PLANES or self.size(request) != 20:
            return None
        if self.around.at_risk():
            return None
        found = raster.image((x, y, width, height), self._layouts[raster.depth].scanline_pad // 8)
        return None if found is None else Answer((reply_packet(order, 0, raster.depth, bytes(24) + found),))

    def passes(self, request: Request) -> None:
        if request.opcode >= 128:
            self._extension(request)
        elif request.opcode in self._follow:
            self._follow[request.opcode](request)
        elif request.opcode != _GET_IMAGE:
            self._blur(self.words(request, 1)[0])

    def replied(self, request: Request, packet: Packet) -> None:
        """Whatever failed may have been done in part."""
        if packet.kind != ERROR or request.opcode in {_GET_IMAGE, _RASTER_CREATE, _RASTER_FREE}:
            return
        if request.opcode in {_CREATE_CONTEXT, _CHANGE_CONTEXT, _COPY_CONTEXT, _SET_CLIP, _FREE_CONTEXT}:
            self._contexts.clear()
            self._rasters.drop_all()  # it may have painted with that context meanwhile
        elif request.opcode < 128:
            target = self.words(request, 2)[request.opcode in {_COPY_AREA, _COPY_PLANE}]
            self._rasters.drop(target)

    def _create_pixmap(self, request: Request) -> None:
        number, _, width, height = struct.unpack_from(self.around.order + "IIHH", request.data, request.body)
        layout = self._layouts.get(request.minor)
        self._rasters.drop(number)
        small = 0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE
        if layout is not None and small and self.around.resources.fresh(number):
            self._rasters.add(number, Raster(width, height, request.minor, layout.bits_per_pixel // 8))

    # Graphics contexts: only the components that differ from the defaults of CreateGC are kept.

    def _create_context(self, request: Request) -> None:
        number, _, mask = self.words(request, 3)
        self._forget_context(number)
        if self.around.resources.fresh(number) and len(self._contexts) < MOST_CONTEXTS:
            self._contexts[number] = self._values(request, mask, 12)

    def _change_context(self, request: Request) -> None:
        number, mask = self.words(request, 2)
        if number in self._contexts:
            self._contexts[number].update(self._values(request, mask, 8))

    def _values(self, request: Request, mask: int, at: int) -> Dict[int, int]:
        bits = [bit for bit in range(23) if mask >> bit & 1]
        return dict(zip(bits, self.words(request, len(bits), at)))

    def _copy_context(self, request: Request) -> None:
        source, target, mask = self.words(request, 3)
        here, there = self._contexts.get(source), self._contexts.get(target)
        if there is None or source == target:
            return
        if here is None:
            self._forget_context(target)
            return
        for bit in range(23):
            if mask >> bit & 1:
                there.pop(bit, None)
                if bit in here:
                    there[bit] = here[bit]

    def _set_clip(self, request: Request) -> None:
        found = self._contexts.get(self.words(request, 1)[0])
        if found is not None:
            found[_CONTEXT_CLIP] = _CLIPPED

    def _forget_context(self, number: int) -> None:
        self._contexts.pop(number, None)

    def _plain(self, number: int, raster: Raster) -> Optional[Dict[int, int]]:
        """The context when it paints as it is told: function Copy, all planes, no clip."""
        found = self._contexts.get(number)
        if found is None or found.get(_FUNCTION, _GX_COPY) != _GX_COPY or found.get(_CONTEXT_CLIP):
            return None
        depth = (1 << raster.depth) - 1
        return found if found.get(_PLANE_MASK, depth) & depth == depth else None

    # What paints.

    def _blur(self, number: int, box: Optional[Box] = None) -> None:
        raster = self._rasters.get(number)
        if raster is not None:
            raster.blur(box)

    def _fill_rectangles(self, request: Request) -> None:
        number, context = self.words(request, 2)
        raster = self._rasters.get(number)
        if raster is None:
            return
        values = self._plain(context, raster)
        order, unit = self.around.order, raster.unit
        pixel = None
        if values is not None and values.get(_FILL_STYLE, _SOLID) == _SOLID:
            pixel = self._pixel(values.get(_FOREGROUND, 0), unit)
        data = request.data[request.body + 8 :]
        if len(data) % 8 or len(data) > MOST_RECTANGLES * 8:  # Length, or too much to follow
            raster.blur()
            return
        for box in struct.iter_unpack(order + "hhHH", data):
            if pixel is None:
                raster.blur(box)
            else:
                raster.fill(box, pixel)

    def _pixel(self, value: int, unit: int) -> bytes:
        little = (value & (1 << 8 * unit) - 1).to_bytes(unit, "little")
        return little if self.around.setup.image_order == "<" else little[::-1]

    def _put_image(self, request: Request) -> None:
        order = self.around.order
        number, context, width, height, x, y, left, depth = struct.unpack_from(
            order + "IIHHhhBB", request.data, request.body
        )
        raster = self._rasters.get(number)
        if raster is None:
            return
        box = (x, y, width, height)
        layout = self._layouts[raster.depth]
        unit = raster.unit
        stride = -(-width * layout.bits_per_pixel // layout.scanline_pad) * layout.scanline_pad // 8
        data = request.data[request.body + 20 :]
        fits = request.minor == _Z_PIXMAP and depth == raster.depth and not left
        if not fits or self._plain(context, raster) is None or len(data) != stride * height + 3 & ~3:
            raster.blur(box)
            return

        def line(column: int, row: int, count: int) -> bytes:
            at = row * stride + column * unit
            return bytes(data[at : at + count * unit])

        raster.put(box, line)

    def _copy_area(self, request: Request) -> None:
        source, number, context, from_x, from_y, x, y, width, height = struct.unpack_from(
            self.around.order + "IIIhhhhHH", request.data, request.body
        )
        raster = self._rasters.get(number)
        if raster is None:
            return
        here = self._rasters.get(source)
        if here is None or here.depth != raster.depth or self._plain(context, raster) is None:
            raster.blur((x, y, width, height))
        else:
            raster.copy(here, (from_x, from_y, width, height), x, y)

    def _copy_plane(self, request: Request) -> None:
        number, _, _, _, x, y, width, height = struct.unpack_from(
            self.around.order + "IIhhhhHH", request.data, request.body + 4
        )
        self._blur(number, (x, y, width, height))

    def _extension(self, request: Request) -> None:
        """A pixmap gets another painter; which word names it is told by the tables above."""
        name = self.around.knowledge.majors.name(request.opcode)
        if (name, request.minor) in _SECOND:
            for word in self.words(request, 2):
                self._rasters.drop(word)
        else:
            self._rasters.drop_all()
