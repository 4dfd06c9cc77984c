"""Pixmaps, graphics contexts, drawing, fonts, colormaps and cursors that cannot fail; rules of `risk`."""

import struct
from typing import Dict, Optional

from x11fwd.bridge.shared.resources import Context, Font, Palette, Pixels, Pointer
from x11fwd.bridge.shared.risk_rules import RiskKey, RiskRules, Verdict
from x11fwd.bridge.shared.wire import Request

LARGEST_PIXMAP = 32767  # width and height; Xorg answers Alloc beyond (dix/dispatch.c, ProcCreatePixmap)
CURSOR_GLYPHS = 154  # of the font "cursor" (X11/cursorfont.h, XC_num_glyphs)
# Largest values of the components of graphics contexts that are numbers, by bit of the mask: function, line
# style, cap, join, fill style, fill rule, subwindow mode, exposures, arc mode
_CONTEXT_LIMITS = {0: 15, 5: 2, 6: 3, 7: 2, 8: 3, 9: 1, 15: 1, 16: 1, 22: 1}


class DrawingRisks(RiskRules):
    """X protocol, chapter 9, from OpenFont to RecolorCursor; dix/dispatch.c, dix/gc.c, dix/dixfonts.c."""

    def rules(self) -> "Dict[RiskKey, Verdict]":
        found: Dict[int, Verdict] = {
            45: self._open_font,
            46: lambda request: self._free(request, Font),
            53: self._create_pixmap,
            54: self._free_pixmap,
            55: self._create_context,
            56: self._change_context,
            57: self._copy_context,
            58: self._set_dashes,
            59: self._set_clip,
            60: lambda request: self._free(request, Context),
            61: self._clear_area,
            62: lambda request: self._copy(request, 28),
            63: lambda request: self._copy(request, 32),
            64: lambda request: self._draw(request, 4, 1),  # PolyPoint
            65: lambda request: self._draw(request, 4, 1),  # PolyLine
            66: lambda request: self._draw(request, 8, 0),  # PolySegment
            67: lambda request: self._draw(request, 8, 0),  # PolyRectangle
            68: lambda request: self._draw(request, 12, 0),  # PolyArc
            69: self._fill_polygon,
            70: lambda request: self._draw(request, 8, 0),  # PolyFillRectangle
            71: lambda request: self._draw(request, 12, 0),  # PolyFillArc
            72: self._put_image,
            74: lambda request: self._poly_text(request, 1),
            75: lambda request: self._poly_text(request, 2),
            76: lambda request: self._image_text(request, 1),
            77: lambda request: self._image_text(request, 2),
            78: self._create_colormap,
            79: lambda request: self._free(request, Palette),
            93: self._create_cursor,
            94: self._create_glyph_cursor,
            95: lambda request: self._free(request, Pointer),
            96: self._recolor_cursor,
        }
        return {("", opcode): rule for opcode, rule in found.items()}

    def _open_font(self, request: Request) -> bool:
        (number,) = self._words(request, 1)
        (count,) = self._shorts(request, 4, 1)
        name = bytes(request.data[request.body + 8 : request.body + 8 + count])
        safe = name in self._resources.fonts and self._size(request) == 12 + (count + 3 & ~3)
        return self._make(request, number, Font(name), safe=safe)

    def _create_pixmap(self, request: Request) -> bool:
        number, drawable = self._words(request, 2)
        width, height = self._shorts(request, 8, 2)
        screen = self._resources.pixels(drawable)
        if screen is None or self._size(request) != 16:
            return False
        safe = 0 < width <= LARGEST_PIXMAP and 0 < height <= LARGEST_PIXMAP
        safe = safe and (request.minor == 1 or request.minor in self._resources.depths[screen.root])
        made = Pixels(screen.root, request.minor, width=width, height=height)
        return self._make(request, number, made, safe=safe)

    def _free_pixmap(self, request: Request) -> bool:
        known = self._resources.pixels(self._words(request, 1)[0])
        return known is not None and not known.window and self._free(request, Pixels)

    def _create_context(self, request: Request) -> bool:
        number, drawable, mask = self._words(request, 3)
        pixels = self._resources.pixels(drawable)
        if pixels is None or pixels.input_only:
            return False
        made = Context(pixels.root, pixels.depth)
        return self._make(request, number, made, safe=self._context(request, 12, mask, made))

    def _change_context(self, request: Request) -> bool:
        number, mask = self._words(request, 2)
        context = self._resources.known.get(number)
        return isinstance(context, Context) and self._context(request, 8, mask, context)

    def _context(self, request: Request, at: int, mask: int, context: Context) -> bool:
        """Whether the components of a graphics context in the value list are all right."""
        values = self._values(request, at, mask, 23)
        if values is None:
            return False
        for bit, value in values.items():
            if value > _CONTEXT_LIMITS.get(bit, value):
                return False
            if bit == 14 and not isinstance(self._resources.known.get(value), Font):
                return False
            if bit in {10, 11, 19} and (value or bit != 19):  # tile, stipple, clip mask or None
                pixmap = self._resources.pixels(value)
                depth = context.depth if bit == 10 else 1
                if pixmap is None or pixmap.window or pixmap[:2] != (context.root, depth):
                    return False
            if bit == 21 and not value & 0xFF:  # dashes
                return False
        return True

    def _set_dashes(self, request: Request) -> bool:
        (number,) = self._words(request, 1)
        _, count = self._shorts(request, 4, 2)
        dashes = bytes(request.data[request.body + 8 : request.body + 8 + count])
        known = isinstance(self._resources.known.get(number), Context)
        fits = self._size(request) == 12 + (count + 3 & ~3)
        return known and fits and count > 0 and 0 not in dashes

    def _set_clip(self, request: Request) -> bool:
        (number,) = self._words(request, 1)
        known = isinstance(self._resources.known.get(number), Context)
        size = self._size(request) - 12
        # an order other than UnSorted, or Unsorted with one rectangle, may be found wrong (Match)
        return (
            known and size >= 0 and not size % 8 and (not request.minor or (size <= 8 and request.minor <= 3))
        )

    def _clear_area(self, request: Request) -> bool:
        window = self._resources.own_window(self._words(request, 1)[0])
        fits = self._size(request) == 16 and request.minor <= 1
        return window is not None and not window.input_only and fits

    def _drawable(self, request: Request) -> "Optional[Pixels]":
        """The drawable of a drawing request when it and the context behind it are known and fit."""
        drawable, context = self._words(request, 2)
        pixels = self._canvas(drawable)
        return pixels if pixels is not None and self._fits(context, pixels) else None

    def _fits(self, context: int, pixels: Pixels) -> bool:
        found = self._resources.known.get(context)
        return isinstance(found, Context) and found == (pixels.root, pixels.depth)

    def _draw(self, request: Request, unit: int, largest_mode: int) -> bool:
        """Points, rectangles and the like of `unit` bytes; the second byte may be a mode."""
        fits = not (self._size(request) - 12) % unit
        return (
            fits
            and (request.minor <= largest_mode or not largest_mode)
            and self._drawable(request) is not None
        )

    def _fill_polygon(self, request: Request) -> bool:
        shape, mode = struct.unpack_from("BB", request.data, request.body + 8)
        return shape <= 2 and mode <= 1 and self._drawable(request) is not None

    def _copy(self, request: Request, size: int) -> bool:
        source, target, context = self._words(request, 3)
        here, there = self._resources.pixels(source), self._resources.pixels(target)
        if here is None or there is None or here.input_only or there.input_only or not there.own:
            return False
        if not self._fits(context, there) or here.root != there.root or not here.own:
            return False
        if self._size(request) != size:
            return False
        if request.opcode == 62:
            return here.depth == there.depth
        plane = self._words(request, 1, 24)[0]
        return bool(plane) and not plane & plane - 1 and plane < 1 << here.depth

    def _put_image(self, request: Request) -> bool:
        pixels = self._drawable(request)
        width, height = self._shorts(request, 8, 2)
        left, depth = struct.unpack_from("BB", request.data, request.body + 16)
        setup = self._resources.setup
        layout = self._resources.layouts.get(depth)
        if pixels is None or layout is None:
            return False
        if request.minor == 2:  # ZPixmap
            safe = depth == pixels.depth and not left
            row, pad = width * layout.bits_per_pixel, layout.scanline_pad
        else:
            safe = request.minor == 1 and depth == pixels.depth
            safe = (safe or (request.minor == 0 and depth == 1)) and left < setup.scanline_pad
            row, pad, height = width + left, setup.scanline_pad, height * depth
        size = -(-row // pad) * pad // 8 * height
        return safe and self._size(request) == 24 + (size + 3 & ~3)

    def _image_text(self, request: Request, unit: int) -> bool:
        fits = self._size(request) == 16 + (request.minor * unit + 3 & ~3)
        return fits and self._drawable(request) is not None

    def _create_colormap(self, request: Request) -> bool:
        number, window, visual = self._words(request, 3)
        screen = self._resources.window(window)
        if screen is None or visual not in self._resources.visuals[screen.root]:
            return False
        safe = not request.minor and self._size(request) == 16
        return self._make(request, number, Palette(screen.root, visual), safe=safe)

    def _create_cursor(self, request: Request) -> bool:
        if self._size(request) != 32:
            return False
        number, source, mask = self._words(request, 3)
        x, y = self._shorts(request, 24, 2)
        shape, hole = self._resources.pixels(source), self._resources.pixels(mask)
        safe = shape is not None and shape.depth == 1 and not shape.window
        if safe and shape is not None:
            safe = x < shape.width and y < shape.height
            if mask:
                safe = safe and hole is not None and hole.depth == 1 and not hole.window
                safe = safe and hole is not None and hole[-3:-1] == shape[-3:-1] and hole.root == shape.root
        return self._make(request, number, Pointer(), safe=safe)

    def _create_glyph_cursor(self, request: Request) -> bool:
        if self._size(request) != 32:
            return False
        number, source, mask = self._words(request, 3)
        shape, hole = self._shorts(request, 12, 2)
        found = self._resources.known.get(source)
        safe = isinstance(found, Font) and found.name == b"cursor" and max(shape, hole) < CURSOR_GLYPHS
        safe = safe and (not mask or self._resources.known.get(mask) == found)
        return self._make(request, number, Pointer(), safe=safe)

    def _recolor_cursor(self, request: Request) -> bool:
        return self._size(request) == 20 and self._kind(self._words(request, 1)[0], Pointer)

    def _copy_context(self, request: Request) -> bool:
        source, target, mask = self._words(request, 3)
        known = self._resources.known
        one, other = known.get(source), known.get(target)
        fits = isinstance(one, Context) and isinstance(other, Context) and one == other
        return fits and not mask >> 23 and self._size(request) == 16

    def _poly_text(self, request: Request, unit: int) -> bool:
        """Items: a length, a shift and text, or 255 and a font; up to two bytes at the end are padding."""
        data, at = request.data, request.body + 12
        end = len(data)
        while end - at > 2:
            count = data[at]
            if count == 255:
                if end - at < 5 or not self._kind(int.from_bytes(data[at + 1 : at + 5], "big"), Font):
                    return False
                at += 5
            else:
                at += 2 + count * unit
                if at > end:
                    return False
        return self._size(request) >= 16 and self._drawable(request) is not None
