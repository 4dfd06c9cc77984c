"""Which requests cannot fail, given what is known of the program's resources; used by the remote half.

A request can fail unless a rule here excludes every error that the X protocol lists for it (chapter 9), and
Length: all sizes are checked. Alloc is not excluded, as any request may raise it (chapter 4), apart from
sizes that Xorg always refuses. What no rule knows can fail: extensions, unknown ids, what looks at windows
of others. Requests with a reply need no rule. What the server checks was read in Xorg's dix (dispatch.c,
window.c, gc.c, property.c).
"""

import struct
from typing import Callable, Dict, Optional, Sequence

from x11fwd.bridge.shared.resources import Context, Font, Palette, Pixels, Pointer, Resource, Resources
from x11fwd.bridge.shared.wire import Request

LARGEST_PIXMAP = 32767  # width and height; Xorg answers Alloc beyond (dix/dispatch.c, ProcCreatePixmap)
ALL_EVENTS = 0x01FFFFFF
DEVICE_EVENTS = 0x00003F4F  # SETofDEVICEEVENT (X protocol, appendix B)
# ResizeRedirect, SubstructureRedirect, ButtonPress: one client at a time may select them (Access)
EXCLUSIVE_EVENTS = 0x00040000 | 0x00100000 | 0x00000004
# Largest value of the window attributes that are numbers, by bit of the mask: bit gravity, window gravity,
# backing store, override redirect, save under
_ATTRIBUTE_LIMITS = {4: 10, 5: 10, 6: 2, 9: 1, 10: 1}
# The same for graphics contexts: function, line style, cap, join, fill style, fill rule, subwindow mode,
# exposures, arc mode
_CONTEXT_LIMITS = {0: 15, 5: 2, 6: 3, 7: 2, 8: 3, 9: 1, 15: 1, 16: 1, 22: 1}
_MAKE = {1, 45, 53, 55, 78, 93, 94}  # requests that give the first word's id to something new
_FREE = {4, 46, 54, 60, 79, 95}
_INPUT_ONLY_ATTRIBUTES = 1 << 5 | 1 << 9 | 1 << 11 | 1 << 12 | 1 << 14


class Judge:
    """Looks at every request of one program in order; remembers what they make and free."""

    def __init__(self, order: str, resources: Resources) -> None:
        self._order = order
        self._resources = resources
        self._rules: Dict[int, Callable[[Request], bool]] = {
            1: self._create_window,
            2: self._change_window,
            4: self._destroy_window,
            5: self._destroy_inside,
            8: self._own_window,  # MapWindow
            9: self._own_window,  # MapSubwindows
            10: self._own_window,  # UnmapWindow
            11: self._own_window,  # UnmapSubwindows
            12: self._configure_window,
            18: self._change_property,
            19: self._delete_property,
            27: self._two_words,  # UngrabPointer
            32: self._two_words,  # UngrabKeyboard
            36: self._one_word,  # GrabServer
            37: self._one_word,  # UngrabServer
            45: self._open_font,
            46: lambda request: self._free(request, Font),
            53: self._create_pixmap,
            54: self._free_pixmap,
            55: self._create_context,
            56: self._change_context,
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
            76: lambda request: self._image_text(request, 1),
            77: lambda request: self._image_text(request, 2),
            78: self._create_colormap,
            79: lambda request: self._free(request, Palette),
            93: lambda request: self._create_cursor(request, 32),
            94: lambda request: self._create_cursor(request, 32),
            95: lambda request: self._free(request, Pointer),
            127: lambda _: True,  # NoOperation
        }

    def can_fail(self, request: Request) -> bool:
        """Whether an error to this request may come; asked once for each request that goes to the server."""
        rule = self._rules.get(request.opcode)
        if rule is None:
            return True
        try:
            (number,) = self._words(request, 1) if request.opcode in _MAKE | _FREE else (0,)
            unsettled = request.opcode in _MAKE and self._resources.unsettled(number)
            safe = rule(request)
        except (struct.error, IndexError):  # too short for what it must hold: Length
            return True
        if unsettled or (request.opcode in _MAKE and not self._resources.made(number)):
            self._resources.drop(number, doubtful=True)
        if request.opcode in _FREE and not safe:
            self._resources.drop(number, doubtful=True)
        return not safe

    # A rule says whether the request is safe.

    def _words(self, request: Request, count: int) -> "Sequence[int]":
        """The first `count` 32-bit words behind the length."""
        return struct.unpack_from("%s%dI" % (self._order, count), request.data, request.body)

    def _shorts(self, request: Request, at: int, count: int) -> "Sequence[int]":
        """16-bit words, `at` bytes behind the length."""
        return struct.unpack_from("%s%dH" % (self._order, count), request.data, request.body + at)

    @staticmethod
    def _size(request: Request) -> int:
        """Bytes as if the length were a short one, as the protocol counts them."""
        return len(request.data) - request.body + 4

    def _one_word(self, request: Request) -> bool:
        return self._size(request) == 4

    def _two_words(self, request: Request) -> bool:
        return self._size(request) == 8

    def _free(self, request: Request, kind: type) -> bool:
        (number,) = self._words(request, 1)
        known = self._resources.known.get(number)
        if not isinstance(known, kind) or self._size(request) != 8:
            return False
        if kind is not Palette:
            self._resources.drop(number)
        elif all(root.colormap != number for root in self._resources.setup.roots):  # those stay
            self._resources.drop(number)
            self._resources.without_palette(number)
        return True

    def _make(self, request: Request, number: int, made: Resource, *, safe: bool) -> bool:
        if not self._resources.fresh(number):
            return False
        self._resources.add(request.number, number, made, safe=safe)
        return safe

    def _own_window(self, request: Request) -> bool:
        (number,) = self._words(request, 1)
        return self._resources.own_window(number) is not None and self._size(request) == 8

    def _destroy_window(self, request: Request) -> bool:
        safe = self._own_window(request)
        if safe:
            self._resources.drop(self._words(request, 1)[0])
        return safe

    def _destroy_inside(self, request: Request) -> bool:
        safe = self._own_window(request)
        self._resources.drop_inside(self._words(request, 1)[0])
        return safe

    def _create_window(self, request: Request) -> bool:
        number, parent_id = self._words(request, 2)
        width, height, border, kind = self._shorts(request, 12, 4)
        visual, mask = struct.unpack_from(self._order + "II", request.data, request.body + 20)
        depth = request.minor
        parent = self._resources.window(parent_id)
        if parent is None or kind > 2 or not width or not height:
            return False
        input_only = kind == 2 or (kind == 0 and parent.input_only)
        if input_only:
            made = Pixels(parent.root, 0, parent_id, 0, input_only=True)
            safe = not depth and not border and not visual and not mask & ~_INPUT_ONLY_ATTRIBUTES
            safe = safe and self._attributes(request, 28, mask, made, parent)
            return self._make(request, number, made, safe=safe)
        if parent.input_only:
            return False
        visual, depth = visual or parent.visual, depth or parent.depth
        inherits = visual == parent.visual
        made = Pixels(parent.root, depth, parent_id, visual, colormap=parent.colormap if inherits else 0)
        safe = self._resources.visuals[parent.root].get(visual) == depth
        # without a colormap of its own it takes the parent's, without a border its border (Match)
        safe = safe and (bool(mask & 1 << 13) or (inherits and bool(parent.colormap)))
        safe = safe and (depth == parent.depth or bool(mask & 0b1100))
        safe = safe and self._attributes(request, 28, mask, made, parent)
        if mask & 1 << 13:
            made = made._replace(colormap=self._value(request, 28, mask, 13) or made.colormap)
        return self._make(request, number, made, safe=safe)

    def _change_window(self, request: Request) -> bool:
        number, mask = self._words(request, 2)
        window = self._resources.own_window(number)
        if window is None or (window.input_only and mask & ~_INPUT_ONLY_ATTRIBUTES):
            return False
        parent = self._resources.window(window.parent)
        if mask & 1 << 13:
            colormap = self._value(request, 8, mask, 13)
            self._resources.known[number] = window._replace(colormap=colormap)
        if mask & 1 << 11 and self._value(request, 8, mask, 11) & EXCLUSIVE_EVENTS:
            return False
        return parent is not None and self._attributes(request, 8, mask, window, parent)

    def _value(self, request: Request, at: int, mask: int, bit: int) -> int:
        """The value for this bit of the mask in a value list `at` bytes behind the length."""
        before = bin(mask & (1 << bit) - 1).count("1")
        found = struct.unpack_from(self._order + "I", request.data, request.body + at + 4 * before)[0]
        return int(found)

    def _values(self, request: Request, at: int, mask: int, bits: int) -> "Optional[Dict[int, int]]":
        """The value list as bit to value; None when it does not fit the mask or the request."""
        wanted = [bit for bit in range(bits) if mask >> bit & 1]
        if mask >> bits or self._size(request) != 4 + at + 4 * len(wanted):
            return None
        values = struct.unpack_from("%s%dI" % (self._order, len(wanted)), request.data, request.body + at)
        return dict(zip(wanted, values))

    def _attributes(self, request: Request, at: int, mask: int, window: Pixels, parent: Pixels) -> bool:
        """Whether the window attributes in the value list are all right."""
        values = self._values(request, at, mask, 15)
        if values is None:
            return False
        for bit, value in values.items():
            if value > _ATTRIBUTE_LIMITS.get(bit, value):
                return False
            if bit == 0 and value == 0:  # no background
                continue
            if bit == 0 and value == 1:  # ParentRelative
                if window.depth != parent.depth:
                    return False
            elif bit in {0, 2}:  # a border like the parent's (0) may be a pixmap that is gone
                pixmap = self._resources.pixels(value)
                if pixmap is None or pixmap.window or pixmap[:2] != window[:2]:
                    return False
            elif (bit == 11 and value & ~ALL_EVENTS) or (bit == 12 and value & ~DEVICE_EVENTS):
                return False
            elif bit == 13 and value == 0:
                if window.visual != parent.visual or not parent.colormap:
                    return False
            elif bit == 13:
                palette = self._resources.known.get(value)
                if not isinstance(palette, Palette) or palette != (window.root, window.visual):
                    return False
            elif bit == 14 and value and not isinstance(self._resources.known.get(value), Pointer):
                return False
        return True

    def _configure_window(self, request: Request) -> bool:
        (number,) = self._words(request, 1)
        (mask,) = self._shorts(request, 4, 1)
        window = self._resources.own_window(number)
        values = self._values(request, 8, mask, 7)
        if window is None or values is None or 5 in values:  # a sibling may have a new parent
            return False
        if window.input_only and 4 in values:
            return False
        sized = all(values.get(bit, 1) & 0xFFFF for bit in (2, 3))
        return sized and values.get(6, 0) & 0xFF <= 4

    def _change_property(self, request: Request) -> bool:
        number, name, kind = self._words(request, 3)
        bits = request.data[request.body + 12]
        (count,) = struct.unpack_from(self._order + "I", request.data, request.body + 16)
        if request.minor or bits not in {8, 16, 32}:  # Append and Prepend look at what is there (Match)
            return False
        fits = self._size(request) == 24 + (count * bits // 8 + 3 & ~3)
        atoms = self._resources.atoms
        return fits and name in atoms and kind in atoms and self._resources.own_window(number) is not None

    def _delete_property(self, request: Request) -> bool:
        number, name = self._words(request, 2)
        known = name in self._resources.atoms and self._resources.own_window(number) is not None
        return known and self._size(request) == 12

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
        return self._make(request, number, Pixels(screen.root, request.minor), safe=safe)

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
        pixels = self._resources.pixels(drawable)
        if pixels is None or pixels.input_only or not pixels.own:
            return None
        return pixels if self._fits(context, pixels) else None

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
        plane = self._words(request, 7)[6]
        return bool(plane) and not plane & plane - 1 and plane < 1 << here.depth

    def _put_image(self, request: Request) -> bool:
        pixels = self._drawable(request)
        width, height = self._shorts(request, 8, 2)
        left, depth = struct.unpack_from("BB", request.data, request.body + 16)
        setup = self._resources.setup
        layout = next((one for one in setup.layouts if one.depth == depth), None)
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

    def _create_cursor(self, request: Request, size: int) -> bool:
        if self._size(request) != size:
            return False
        return self._make(request, self._words(request, 1)[0], Pointer(), safe=False)
