"""Windows and properties that cannot fail; rules of `risk`."""

from typing import Dict

from x11fwd.bridge.shared.resources import Palette, Pixels, Pointer
from x11fwd.bridge.shared.risk_rules import RiskKey, RiskRules, Verdict
from x11fwd.bridge.shared.wire import Request

ALL_EVENTS = 0x01FFFFFF
DEVICE_EVENTS = 0x00003F4F  # SETofDEVICEEVENT (X protocol, appendix B)
# ResizeRedirect, SubstructureRedirect, ButtonPress: one client at a time may select them (Access)
EXCLUSIVE_EVENTS = 0x00040000 | 0x00100000 | 0x00000004
# Largest value of the window attributes that are numbers, by bit of the mask: bit gravity, window gravity,
# backing store, override redirect, save under
_ATTRIBUTE_LIMITS = {4: 10, 5: 10, 6: 2, 9: 1, 10: 1}
_INPUT_ONLY_ATTRIBUTES = 1 << 5 | 1 << 9 | 1 << 11 | 1 << 12 | 1 << 14
_EVENT_MASK_ONLY = 1 << 11
_DEEPEST = 200  # windows in windows that are looked at


class WindowRisks(RiskRules):
    """X protocol, chapter 9, from CreateWindow to DeleteProperty; dix/window.c, dix/property.c."""

    def rules(self) -> "Dict[RiskKey, Verdict]":
        found: Dict[int, Verdict] = {
            1: self._create_window,
            2: self._change_window,
            4: self._destroy_window,
            5: self._destroy_inside,
            7: self._reparent_window,
            8: self._map_window,
            9: self._map_inside,
            10: self._own_window,  # UnmapWindow
            11: self._own_window,  # UnmapSubwindows
            12: self._configure_window,
            13: self._circulate_window,
            18: self._change_property,
            19: self._delete_property,
        }
        return {("", opcode): rule for opcode, rule in found.items()}

    def moves(self, request: Request) -> bool:
        """Whether ConfigureWindow moves what a window manager may have moved at the same time."""
        if len(request.data) - request.body < 4:
            return False
        window = self._resources.own_window(self._words(request, 1)[0])
        return window is None or (window.seen and window.parent in self._resources.depths)

    def _own_window(self, request: Request) -> bool:
        (number,) = self._words(request, 1)
        return self._resources.own_window(number) is not None and self._size(request) == 8

    def _map_window(self, request: Request) -> bool:
        number = self._words(request, 1)[0]
        window = self._resources.own_window(number)
        if window is None or self._size(request) != 8:
            return False
        if not window.seen:
            self._resources.known[number] = window._replace(seen=True)
        return True

    def _map_inside(self, request: Request) -> bool:
        return self._own_window(request)  # nobody else has to do with windows in the program's own

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
        visual, mask = self._words(request, 2, 20)
        depth = request.minor
        parent = self._resources.window(parent_id)
        if parent is None or kind > 2 or not width or not height:
            return False
        input_only = kind == 2 or (kind == 0 and parent.input_only)
        if input_only:
            made = Pixels(parent.root, 0, parent_id, 0, input_only=True)
            safe = not visual or visual in self._resources.visuals[parent.root]
            safe = safe and not depth and not border and not mask & ~_INPUT_ONLY_ATTRIBUTES
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
        window = self._resources.window(number)
        if window is None or (window.input_only and mask & ~_INPUT_ONLY_ATTRIBUTES):
            return False
        if not window.own:  # a root: what the program wants to hear of it
            events = self._value(request, 8, mask, 11) if mask == _EVENT_MASK_ONLY else EXCLUSIVE_EVENTS
            return self._size(request) == 16 and not events & (~ALL_EVENTS | EXCLUSIVE_EVENTS)
        parent = self._resources.window(window.parent)
        if mask & 1 << 13:
            colormap = self._value(request, 8, mask, 13)
            self._resources.known[number] = window._replace(colormap=colormap)
        shared = window.seen and window.parent in self._resources.depths
        if shared and mask & _EVENT_MASK_ONLY and self._value(request, 8, mask, 11) & EXCLUSIVE_EVENTS:
            return False  # somebody else may have selected it
        return parent is not None and self._attributes(request, 8, mask, window, parent)

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
        if window is None or values is None or (window.input_only and values.get(4)):
            return False
        if 5 in values:
            beside = self._resources.own_window(values[5])
            if beside is None or beside.parent != window.parent or values[5] == number or 6 not in values:
                return False
            if window.parent in self._resources.depths:  # the window manager gives it another parent
                return False
        sized = all(values.get(bit, 1) & 0xFFFF for bit in (2, 3))
        return sized and values.get(6, 0) & 0xFF <= 4

    def _circulate_window(self, request: Request) -> bool:
        return request.minor <= 1 and self._own_window(request)

    def _reparent_window(self, request: Request) -> bool:
        number, to = self._words(request, 2)
        window, parent = self._resources.own_window(number), self._resources.window(to)
        if window is None or parent is None or window.root != parent.root or self._size(request) != 16:
            return False
        if not window.input_only and (parent.input_only or window.depth != parent.depth):
            return False
        above = to
        for _ in range(_DEEPEST):
            if above == number:
                return False
            found = self._resources.window(above)
            if found is None:
                return False
            if not found.own:
                self._resources.moved(number, to)
                return True
            above = found.parent
        return False

    def _change_property(self, request: Request) -> bool:
        number, name, kind = self._words(request, 3)
        bits = request.data[request.body + 12]
        (count,) = self._words(request, 1, 16)
        if request.minor or bits not in {8, 16, 32}:  # Append and Prepend look at what is there (Match)
            return False
        fits = self._size(request) == 24 + (count * bits // 8 + 3 & ~3)
        atoms = self._resources.atoms
        return fits and name in atoms and kind in atoms and self._bears_properties(number)

    def _delete_property(self, request: Request) -> bool:
        number, name = self._words(request, 2)
        known = name in self._resources.atoms and self._bears_properties(number)
        return known and self._size(request) == 12

    def _bears_properties(self, number: int) -> bool:
        window = self._resources.window(number)
        return window is not None and (window.own or self._trusted())
