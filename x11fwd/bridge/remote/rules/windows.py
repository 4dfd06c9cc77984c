"""Follows the program's own windows, and answers for those that it has destroyed; `table` lists the rules."""

import struct
from typing import Optional

from x11fwd.bridge.remote.rules.base import Answer, Rule, Surroundings
from x11fwd.bridge.remote.window_state import WindowStates
from x11fwd.bridge.shared.majors import CORE
from x11fwd.bridge.shared.packets import BAD_WINDOW, error_packet
from x11fwd.bridge.shared.wire import ERROR, SENT_EVENT, Packet, Request

_CREATE_WINDOW, _DESTROY_WINDOW, _DESTROY_INSIDE = 1, 4, 5
_DESTROYED, _UNMAPPED, _MAPPED, _REPARENTED, _CONFIGURED, _MOVED = 17, 18, 19, 21, 22, 24

_ABOUT_A_WINDOW = {3: 8, 15: 8, 20: 24, 21: 8}  # requests with their sizes


class WindowWatch(Rule):
    """Answers nothing; tells WindowStates what the program asks for and what the X server says of it.

    Events count when the server made them (not by SendEvent, as a window manager's ConfigureNotify with
    coordinates of the root: ICCCM, 4.1.5) and the window itself got them (StructureNotify).
    """

    seen = tuple((CORE, opcode) for opcode in (1, 2, 4, 5, 7, 8, 9, 10, 11, 12, 13))
    events = (_DESTROYED, _UNMAPPED, _MAPPED, _REPARENTED, _CONFIGURED, _MOVED)

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._states = around.state(WindowStates)
        states = self._states
        self._follow = {
            1: states.create,
            2: states.change,
            7: states.reparent,
            8: states.map,
            9: states.map_inside,
            10: states.unmap,
            11: states.unmap_inside,
            12: states.configure,
            13: states.circulate,
        }

    def answer(self, request: Request) -> Optional[Answer]:
        del request
        return None

    def passes(self, request: Request) -> None:
        if request.opcode == _DESTROY_WINDOW:
            self._states.destroyed(self.words(request, 1)[0])
        elif request.opcode == _DESTROY_INSIDE:
            self._states.destroy_inside(self.words(request, 1)[0])
        else:
            self._follow[request.opcode](request)

    def replied(self, request: Request, packet: Packet) -> None:
        if packet.kind == ERROR and request.opcode != _CREATE_WINDOW:  # Resources know of failed creations
            self._states.failed(request)

    def event(self, packet: Packet) -> None:
        kind, order, states = packet.kind, self.around.order, self._states
        if packet.data[0] & SENT_EVENT:
            return
        told, number = struct.unpack_from(order + "II", packet.data, 4)
        if kind == _DESTROYED:
            states.destroy(number)
        elif told != number:  # SubstructureNotify of the parent
            return
        elif kind == _CONFIGURED:
            states.configured(number, struct.unpack_from(order + "hhHHH", packet.data, 16), packet.number)
        elif kind == _REPARENTED:
            parent, x, y = struct.unpack_from(order + "Ihh", packet.data, 12)
            states.moved(number, x, y, parent)
        elif kind == _MOVED:
            states.moved(number, *struct.unpack_from(order + "hh", packet.data, 12))
        else:
            states.mapped(number, kind == _MAPPED, packet.number)


class WindowGone(Rule):
    """Questions about a window that the program itself has destroyed: a Window error.

    X protocol, GetWindowAttributes, QueryTree, GetProperty and ListProperties; chapter 1, "Errors": Window,
    "a value for a WINDOW argument does not name a defined WINDOW". Only the program can use the id again. Tk
    asks for the tree of each window that it has just destroyed, one after the other.
    """

    requests = tuple((CORE, opcode) for opcode in _ABOUT_A_WINDOW)

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._states = around.state(WindowStates)

    def answer(self, request: Request) -> Optional[Answer]:
        (number,) = self.words(request, 1)
        if number not in self._states.gone or not self.around.resources.fresh(number):
            return None
        if self.size(request) != _ABOUT_A_WINDOW[request.opcode] or self.around.at_risk():
            return None
        return Answer((error_packet(self.around.order, BAD_WINDOW, 0, request.opcode, value=number),))
