"""Requests of extensions other than RENDER that cannot fail; rules of `risk`."""

import struct
from typing import Dict

from x11fwd.bridge.shared.resources import Context, Picture, Pointer, Thing
from x11fwd.bridge.shared.risk_rules import RiskKey, RiskRules, Verdict
from x11fwd.bridge.shared.wire import Request

_REGION, _COUNTER, _DAMAGE = "region", "counter", "damage"
_XI, _XKB = "XInputExtension", "XKEYBOARD"
_XI_MASTERS = 1  # XIAllMasterDevices; XIAllDevices is 0 (XI2proto.txt, 4.6 Event selection)
_HIERARCHY = 1 << 11
_RAW = 0x3E000 | 0x1C00000  # raw events, for roots only
# Touch, pinch and swipe: selected together or not at all, and by one program of each window
_TOGETHER = ((0x1C0000, 0x3C0000), (0x38000000, 0x38000000), (0x1C0000000, 0x1C0000000))
_XI_BITS = {2: (1 << 27) - 2, 4: (1 << 33) - 2}  # by minor version, as XI2.h has them
_VIRTUAL_KEYBOARD, _CORE_KEYBOARD = 3, 0x100  # Xorg's own one (dix/devices.c), XkbUseCoreKbd
# What SelectEvents takes for each event: bytes of a mask, legal bits (XKB protocol, chapter 16.3; xkb/xkb.c)
_XKB_EVENTS = {
    0: ("HH", 0x7),
    2: ("HH", 0x3FFF),
    3: ("II", 0xF8001FFF),
    4: ("II", 0xFFFFFFFF),
    5: ("II", 0xFFFFFFFF),
    6: ("HH", 0x3FFF),
    10: ("HH", 0x7F),
    11: ("HH", 0x801F),
}
_XKB_KNOWN = 0xFFF
# Requests that make something which no rule follows, and where its id is, in words behind the length
MAKES_UNKNOWN = {
    ("Composite", 5): 0,
    ("Composite", 6): 1,
    ("DOUBLE-BUFFER", 1): 1,
    ("GLX", 3): 0,
    ("GLX", 13): 3,
    ("GLX", 22): 3,
    ("GLX", 24): 0,
    ("GLX", 27): 2,
    ("GLX", 31): 3,
    ("GLX", 34): 0,
    ("RECORD", 1): 0,
    ("SYNC", 8): 0,
    ("SYNC", 14): 1,
    ("XFIXES", 8): 0,
    ("XFIXES", 9): 0,
    ("XFIXES", 31): 0,
}


class ExtensionRisks(RiskRules):
    """What toolkits send to extensions other than RENDER."""

    _uses_xkb = False
    _xi_bits = 0

    def rules(self) -> "Dict[RiskKey, Verdict]":
        return {
            ("XFIXES", 2): self._select_selection,
            ("XFIXES", 3): lambda request: self._selects(request, 1),
            ("XFIXES", 5): self._create_region,
            ("XFIXES", 6): self._region_of_bitmap,
            ("XFIXES", 7): self._region_of_window,
            ("XFIXES", 10): lambda request: self._free_thing(request, _REGION),
            ("XFIXES", 11): lambda request: not (self._size(request) - 8) % 8 and self._regions(request, 0),
            ("XFIXES", 12): lambda request: self._size(request) == 12 and self._regions(request, 0, 4),
            ("XFIXES", 13): self._combine,
            ("XFIXES", 14): self._combine,
            ("XFIXES", 15): self._combine,
            ("XFIXES", 16): lambda request: self._size(request) == 20 and self._regions(request, 0, 12),
            ("XFIXES", 17): lambda request: self._size(request) == 12 and self._regions(request, 0),
            ("XFIXES", 18): lambda request: self._size(request) == 12 and self._regions(request, 0, 4),
            ("XFIXES", 20): self._clip_context,
            ("XFIXES", 21): self._shape_by_region,
            ("XFIXES", 22): self._clip_picture,
            ("XFIXES", 23): self._name_cursor,
            ("SHAPE", 1): self._shape_rectangles,
            ("SHAPE", 2): self._shape_mask,
            ("SHAPE", 4): self._shape_offset,
            ("SHAPE", 6): self._shape_select,
            ("SYNC", 2): lambda request: self._thing(request, _COUNTER, safe=self._size(request) == 16),
            ("SYNC", 3): lambda request: self._size(request) == 16 and self._is(request, _COUNTER),
            ("SYNC", 6): lambda request: self._free_thing(request, _COUNTER),
            ("DAMAGE", 1): self._create_damage,
            ("DAMAGE", 2): lambda request: self._free_thing(request, _DAMAGE),
            ("DAMAGE", 3): self._subtract_damage,
            ("RANDR", 4): self._select_screens,
            (_XI, 46): self._select_input,
            (_XKB, 1): self._select_keyboard,
            ("GLX", 33): lambda request: self._client_info(request, 8),
            ("GLX", 35): lambda request: self._client_info(request, 12),
        }

    def asked(self, request: Request) -> None:
        """A request with a reply goes to the server: XKEYBOARD's UseExtension opens that extension."""
        if not request.minor and len(request.data) == 8 and request.opcode == self._majors.opcode(_XKB):
            self._uses_xkb = self._uses_xkb or self._shorts(request, 0, 1)[0] == 1

    def _thing(self, request: Request, kind: str, *, safe: bool, parent: int = 0) -> bool:
        return self._make(request, self._words(request, 1)[0], Thing(kind, parent), safe=safe)

    def _is(self, request: Request, kind: str, at: int = 0) -> bool:
        found = self._resources.known.get(self._words(request, 1, at)[0])
        return isinstance(found, Thing) and found.kind == kind

    def _free_thing(self, request: Request, kind: str) -> bool:
        return self._is(request, kind) and self._free(request, Thing)

    def _regions(self, request: Request, *places: int) -> bool:
        return all(self._is(request, _REGION, at) for at in places)

    def _region_or_none(self, request: Request, at: int) -> bool:
        return not self._words(request, 1, at)[0] or self._is(request, _REGION, at)

    # XFIXES (Fixes Extension 5.0; xfixes/)

    def _selects(self, request: Request, legal: int) -> bool:
        window, mask = self._words(request, 2)
        known = self._resources.window(window) is not None
        return known and not mask & ~legal and self._size(request) == 12

    def _select_selection(self, request: Request) -> bool:
        window, selection, mask = self._words(request, 3)
        known = self._resources.window(window) is not None and selection in self._resources.atoms
        return known and mask <= 7 and self._size(request) == 16

    def _create_region(self, request: Request) -> bool:
        return self._thing(request, _REGION, safe=not (self._size(request) - 8) % 8)

    def _region_of_bitmap(self, request: Request) -> bool:
        bitmap = self._resources.pixels(self._words(request, 2)[1])
        safe = bitmap is not None and not bitmap.window and bitmap.depth == 1
        return self._thing(request, _REGION, safe=safe and self._size(request) == 12)

    def _region_of_window(self, request: Request) -> bool:
        known = self._resources.own_window(self._words(request, 2)[1]) is not None
        safe = known and self._size(request) == 16 and request.data[request.body + 8] <= 1
        return self._thing(request, _REGION, safe=safe)

    def _combine(self, request: Request) -> bool:
        return self._size(request) == 16 and self._regions(request, 0, 4, 8)

    def _clip_context(self, request: Request) -> bool:
        known = self._kind(self._words(request, 1)[0], Context) and self._region_or_none(request, 4)
        return known and self._size(request) == 16

    def _shape_by_region(self, request: Request) -> bool:
        known = self._resources.own_window(self._words(request, 1)[0]) is not None
        known = known and request.data[request.body + 4] <= 2 and self._size(request) == 20
        return known and self._region_or_none(request, 12)

    def _clip_picture(self, request: Request) -> bool:
        found = self._resources.known.get(self._words(request, 1)[0])
        known = isinstance(found, Picture) and bool(found.root) and self._size(request) == 16
        return known and self._region_or_none(request, 4)

    def _name_cursor(self, request: Request) -> bool:
        (count,) = self._shorts(request, 4, 1)
        fits = self._size(request) == 12 + (count + 3 & ~3)
        return fits and self._kind(self._words(request, 1)[0], Pointer)

    # SHAPE (Nonrectangular Window Shape Extension 1.1; Xext/shape.c)

    def _shape_rectangles(self, request: Request) -> bool:
        operation, kind, order = request.data[request.body : request.body + 3]
        size = self._size(request) - 16
        known = self._resources.own_window(self._words(request, 1, 4)[0]) is not None and kind <= 2
        return known and operation <= 4 and not size % 8 and (not order or (order <= 3 and size <= 8))

    def _shape_mask(self, request: Request) -> bool:
        operation, kind = request.data[request.body : request.body + 2]
        number, _, source = self._words(request, 3, 4)
        window = self._resources.own_window(number)
        if window is None or operation > 4 or kind > 2 or self._size(request) != 20:
            return False
        bitmap = self._resources.pixels(source)
        return not source or (bitmap is not None and not bitmap.window and bitmap[:2] == (window.root, 1))

    def _shape_offset(self, request: Request) -> bool:
        known = self._resources.own_window(self._words(request, 1, 4)[0]) is not None
        return known and request.data[request.body] <= 2 and self._size(request) == 16

    def _shape_select(self, request: Request) -> bool:
        known = self._resources.own_window(self._words(request, 1)[0]) is not None
        return known and request.data[request.body + 4] <= 1 and self._size(request) == 12

    # DAMAGE (Damage Extension 1.1; damageext/damageext.c), RANDR (randr/rrdispatch.c), GLX (glx/clientinfo.c)

    def _create_damage(self, request: Request) -> bool:
        _, drawable = self._words(request, 2)
        window = self._canvas(drawable)
        if window is None or not window.window:  # on a pixmap it ends with the last use of that
            return False
        safe = request.data[request.body + 8] <= 3 and self._size(request) == 16
        return self._thing(request, _DAMAGE, safe=safe, parent=drawable)

    def _subtract_damage(self, request: Request) -> bool:
        known = self._is(request, _DAMAGE) and self._size(request) == 16
        return known and self._region_or_none(request, 4) and self._region_or_none(request, 8)

    def _select_screens(self, request: Request) -> bool:
        (mask,) = self._shorts(request, 4, 1)
        known = self._resources.window(self._words(request, 1)[0]) is not None
        return known and self._size(request) == 12 and (not mask or bool(mask & 0xF)) and mask <= 0x7F

    def _client_info(self, request: Request, version: int) -> bool:
        """Versions of `version` bytes, then two strings that end with 0."""
        _, _, versions, one, other = self._words(request, 5)
        first = request.body + 20 + versions * version
        second = first + (one + 3 & ~3)
        fits = request.body == 4 and len(request.data) == second + (other + 3 & ~3)
        return fits and all(
            not count or 0 in bytes(request.data[at : at + count])
            for at, count in ((first, one), (second, other))
        )

    # XInputExtension (XI2proto.txt; Xi/xiselectev.c)

    def _legal_bits(self) -> int:
        """The events of the X server's version, which is known where the highest one was asked for."""
        if not self._xi_bits:
            major = self._majors.opcode(_XI)
            for minor in (4, 2):
                asked = struct.pack(self._order + "BBHHH", major, 47, 2, 2, minor)
                reply = self._fact(asked)
                if reply is not None and len(reply) >= 12:
                    told = struct.unpack_from(self._order + "HH", reply, 8)
                    if told >= (2, minor):
                        self._xi_bits = _XI_BITS[minor]
                        return self._xi_bits
        return self._xi_bits

    def _select_input(self, request: Request) -> bool:
        number, _ = self._words(request, 2)
        (count,) = self._shorts(request, 4, 1)
        window = self._resources.window(number)
        if window is None or not count or request.body != 4:
            return False
        alone = window.own and not (window.seen and window.parent in self._resources.depths)
        data, at = request.data, request.body + 8
        for _ in range(count):
            device, units = struct.unpack_from(self._order + "HH", data, at)
            at += 4 + 4 * units
            if at > len(data) or device > _XI_MASTERS or units > 8:
                return False
            mask = int.from_bytes(data[at - 4 * units : at], "little")
            if mask & ~self._legal_bits() or (window.own and mask & _RAW) or (mask & _HIERARCHY and device):
                return False
            for needed, group in _TOGETHER:
                if mask & group and (mask & needed != needed or not alone):
                    return False
        return at == len(data)

    # XKEYBOARD: see ProcXkbSelectEvents in Xorg's xkb.c

    def _select_keyboard(self, request: Request) -> bool:
        device, which = self._shorts(request, 0, 2)
        clear, every = self._shorts(request, 4, 2)
        if not self._uses_xkb or device not in {_VIRTUAL_KEYBOARD, _CORE_KEYBOARD} or request.body != 4:
            return False
        at = request.body + 12
        left = which & ~2
        if left & ~_XKB_KNOWN:
            return False
        for bit in range(12):
            if not left >> bit & 1 or (clear | every) >> bit & 1:
                continue
            form, legal = _XKB_EVENTS.get(bit, ("", 0))
            if not form:
                return False
            affect, values = struct.unpack_from(self._order + form, request.data, at)
            at += 2 * struct.calcsize("=" + form[0])
            if values & ~affect or affect & ~legal:
                return False
        return at == len(request.data)
