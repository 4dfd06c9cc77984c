"""Answers GetProperty of what the program itself wrote on its own windows; `table` lists the rule."""

import struct
from typing import Dict, NamedTuple, Optional, Set, Tuple

from x11fwd.bridge.remote.rules.base import Answer, Rule, Surroundings
from x11fwd.bridge.remote.window_state import WindowStates
from x11fwd.bridge.shared.majors import CORE
from x11fwd.bridge.shared.packets import reply_packet
from x11fwd.bridge.shared.wire import ERROR, SENT_EVENT, Packet, Request

_CREATE, _DESTROY, _DESTROY_CHILDREN = 1, 4, 5
_CHANGE_OWN, _DELETE_OWN, _GET_OWN = 18, 19, 20
_CONVERT_SELECTION, _ROTATE_OWN = 24, 114
_PROPERTY_NOTIFIED, _DESTROY_NOTIFIED = 28, 17
_REPLACE = 0
LARGEST_PROPERTY = 1 << 16  # bytes that are kept
MOST_PROPERTY_BYTES = 1 << 20  # of all properties of one program
MOST_PROPERTIES = 1 << 13
# Properties that only the window's own program writes before it is mapped, and then the window manager, too
# (ICCCM, 4.1.2 and 4.1.3; EWMH, "Application Window Properties"; Motif). When the program has not written
# one, it is not there. Of any other name nobody can say so: others leave messages for a program in properties
# of its windows (selections, input methods, Tk's send).
CLIENT_PROPERTIES = {
    b"WM_CLASS",
    b"WM_CLIENT_LEADER",
    b"WM_CLIENT_MACHINE",
    b"WM_HINTS",
    b"WM_ICON_NAME",
    b"WM_NAME",
    b"WM_NORMAL_HINTS",
    b"WM_PROTOCOLS",
    b"WM_TRANSIENT_FOR",
    b"WM_WINDOW_ROLE",
    b"_MOTIF_WM_HINTS",
    b"_NET_WM_ICON",
    b"_NET_WM_ICON_NAME",
    b"_NET_WM_NAME",
    b"_NET_WM_PID",
    b"_NET_WM_STATE",
    b"_NET_WM_USER_TIME",
    b"_NET_WM_WINDOW_TYPE",
}


class Property(NamedTuple):
    """A property; a type of 0 when it is surely not there."""

    kind: int
    bits: int
    value: bytes


_ABSENT = Property(0, 0, b"")


class OwnProperties(Rule):
    """GetProperty of the program's own windows, while nobody else writes there.

    X protocol, GetProperty: the algorithm of type, offset, length and bytes-after. That is so on windows
    inside others of the program, and on top levels until the window manager gets them with MapWindow, but
    not on a window with which the program asks for a selection (ConvertSelection). What is to be deleted is
    deleted by the X server, which gets the request, too.
    """

    requests = ((CORE, _GET_OWN),)
    seen = tuple(
        (CORE, opcode)
        for opcode in (
            _CREATE,
            _DESTROY,
            _DESTROY_CHILDREN,
            _CHANGE_OWN,
            _DELETE_OWN,
            _CONVERT_SELECTION,
            _ROTATE_OWN,
        )
    )
    events = (_DESTROY_NOTIFIED, _PROPERTY_NOTIFIED)

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._windows = around.state(WindowStates)
        # by window and name, the request that changed it last, and to what; None when nobody knows
        self._known: Dict[int, Dict[int, Tuple[int, Optional[Property]]]] = {}
        self._count = 0
        self._foreign: Set[int] = set()  # windows where others write
        self._bytes = 0

    def answer(self, request: Request) -> Optional[Answer]:
        window, name, kind, offset, length = self.words(request, 5)
        if request.minor > 1 or self.size(request) != 24 or not self._ours(window):
            return None
        found = self._find(window, name)
        if found is None or self.around.at_risk():
            return None
        if kind not in {0, found.kind} and kind not in self.around.knowledge.atom_names:
            return None
        value, rest = found.value, 0
        if found.kind and kind not in {0, found.kind}:
            value, rest = b"", len(value)
        elif found.kind:
            limit = 4 * length & 0xFFFFFFFF  # as Xorg counts (dix/property.c, ProcGetProperty)
            if 4 * offset > len(value) or (limit != 4 * length and limit < len(value)):
                return None
            value = found.value[4 * offset : 4 * offset + limit]
            rest = len(found.value) - 4 * offset - len(value)
            if request.minor and not rest:
                self._set(window, name, None, request)
        items = len(value) * 8 // found.bits if found.bits else 0
        body = struct.pack(self.around.order + "III12x", found.kind, rest, items) + value
        return Answer((reply_packet(self.around.order, 0, found.bits, body),), forward=bool(request.minor))

    def _ours(self, window: int) -> bool:
        """Whether nobody else writes on it."""
        found = self._windows.known(window)
        if found is None or window in self._foreign:
            return False
        top = found.parent in self._windows.roots
        return not found.mapped_once if top else self._windows.known(found.parent) is not None

    def _find(self, window: int, name: int) -> Optional[Property]:
        written = self._known.get(window, {}).get(name)
        if written is not None:
            return written[1]
        return _ABSENT if self.around.knowledge.atom_names.get(name) in CLIENT_PROPERTIES else None

    def _set(self, window: int, name: int, new: Optional[Property], request: Request) -> None:
        """The program changes it; None when nobody knows to what."""
        if self.around.resources.own_window(window) is None:
            return
        found = self._known.setdefault(window, {})
        if name in found:
            self._drop(found.pop(name))
        if self._count >= MOST_PROPERTIES:
            self._sweep()
        if self._count >= MOST_PROPERTIES:
            self._foreign.add(window)
            return
        size = len(new.value) if new is not None else 0
        if size > LARGEST_PROPERTY or self._bytes + size > MOST_PROPERTY_BYTES:
            new, size = None, 0
        self._known.setdefault(window, {})[name] = (request.number, new)
        self._count += 1
        self._bytes += size

    def _drop(self, entry: Tuple[int, Optional[Property]]) -> None:
        self._count -= 1
        self._bytes -= len(entry[1].value) if entry[1] is not None else 0

    def _sweep(self) -> None:
        """Windows that ended with the one around them."""
        own = self.around.resources.own_window
        for window in [one for one in (*self._known, *self._foreign) if own(one) is None]:
            self._forget(window)

    def passes(self, request: Request) -> None:
        opcode = request.opcode
        if opcode == _CHANGE_OWN:
            self._change(request)
        elif opcode in {_DELETE_OWN, _GET_OWN}:
            window, name = self.words(request, 2)
            surely = self.around.knowledge.atom_names.get(name) in CLIENT_PROPERTIES
            if opcode == _DELETE_OWN:
                self._set(window, name, _ABSENT if surely else None, request)
            elif request.minor:
                self._set(window, name, None, request)
        elif opcode in {_CONVERT_SELECTION, _ROTATE_OWN}:
            self._foreign.add(self.words(request, 1)[0])
        else:
            self._forget(self.words(request, 1)[0])

    def _change(self, request: Request) -> None:
        window, name, kind = self.words(request, 3)
        bits = request.data[request.body + 12]
        (count,) = self.words(request, 1, 16)
        value = bytes(request.data[request.body + 20 : request.body + 20 + count * bits // 8])
        new: Optional[Property] = Property(kind, bits, value)
        if request.minor != _REPLACE:
            old = self._find(window, name)
            if old is None or (old.kind and old[:2] != (kind, bits)) or request.minor > 2:
                new = None
            elif request.minor == 1:
                new = Property(kind, bits, value + old.value)
            else:
                new = Property(kind, bits, old.value + value)
        self._set(window, name, new, request)

    def _forget(self, window: int) -> None:
        """The window ends or begins."""
        for entry in self._known.pop(window, {}).values():
            self._drop(entry)
        self._foreign.discard(window)

    def replied(self, request: Request, packet: Packet) -> None:
        if packet.kind == ERROR and request.opcode in {_CHANGE_OWN, _DELETE_OWN, _GET_OWN}:
            window, name = self.words(request, 2)
            self._set(window, name, None, request)

    def event(self, packet: Packet) -> None:
        if packet.data[0] & SENT_EVENT:
            return
        window, name = struct.unpack_from(self.around.order + "II", packet.data, 4)
        if packet.kind == _DESTROY_NOTIFIED:
            self._forget(name)  # the window that ends stands there
        elif self.around.resources.own_window(window) is not None:
            changed = self._known.get(window, {}).get(name)
            if changed is None or packet.number > changed[0]:
                self._foreign.add(window)
