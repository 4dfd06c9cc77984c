"""Answers GetInputFocus, which most programs use as a barrier (XSync); `table` lists the rule."""

import struct
from time import monotonic
from typing import Optional

from x11fwd.bridge.remote.quiet_contexts import CONTEXT_REQUESTS, COPY_AREA, COPY_PLANE, QuietContexts
from x11fwd.bridge.remote.rules.base import Answer, Rule, Surroundings
from x11fwd.bridge.remote.rules.facts import Grabs
from x11fwd.bridge.remote.window_state import WindowStates
from x11fwd.bridge.shared.factkeys import fact_key
from x11fwd.bridge.shared.majors import CORE, FIRST_EXTENSION_OPCODE
from x11fwd.bridge.shared.topics import FOCUS
from x11fwd.bridge.shared.wire import GENERIC_EVENT, REPLY, Packet, Request

_GET_INPUT_FOCUS, _SET_INPUT_FOCUS, _FOCUS_DESTROY, _FOCUS_DESTROY_INSIDE = 43, 42, 4, 5
_REPARENT_WINDOW, _UNMAP_WINDOW, _UNMAP_INSIDE = 7, 10, 11
_TAKING_AWAY = (_FOCUS_DESTROY, _FOCUS_DESTROY_INSIDE, _REPARENT_WINDOW, _UNMAP_WINDOW, _UNMAP_INSIDE)
# What the program is told about by events, where it or a window manager has selected them: windows that come,
# go or move, selections that change hands, a pointer that is moved or grabbed, events that are sent.
_SET_SELECTION, _CONVERT_SELECTION, _SEND_EVENT = 22, 24, 25
_GRAB_POINTER, _UNGRAB_POINTER, _WARP_POINTER = 26, 27, 41
_MAP_WINDOW, _MAP_INSIDE, _CONFIGURE_WINDOW, _CIRCULATE_WINDOW, _CLEAR_AREA = 8, 9, 12, 13, 61
_TELLING = (
    *(
        *_TAKING_AWAY,
        _MAP_WINDOW,
        _MAP_INSIDE,
        _CONFIGURE_WINDOW,
        _CIRCULATE_WINDOW,
        _SET_INPUT_FOCUS,
        _CLEAR_AREA,
    ),
    *(_SET_SELECTION, _CONVERT_SELECTION, _SEND_EVENT, _GRAB_POINTER, _UNGRAB_POINTER, _WARP_POINTER),
)
_NONE, _POINTER_ROOT = 0, 1  # in place of a window
_INPUT_FOCUS = 1  # in place of SendEvent's window; 0 is the one under the pointer
_FOCUS_IN, _FOCUS_OUT = 9, 10
_XI_SET_FOCUS, _SET_DEVICE_FOCUS, _XI_FOCUS_IN, _XI_FOCUS_OUT = 49, 21, 9, 10
_WHILE_GRABBED, _NORMAL = 3, 0  # modes of focus events that tell of a new focus
# How many answered questions may be under way. A program that draws and syncs, frame by frame, is never
# further ahead of the X server: at 100 ms that allows 80 frames per second, and on a link that carries 20
# frames per second the picture is 0.4 s behind.
FOCUS_CREDIT = 8
# Seconds for which the focus holds without news. Others move the focus, too, and tell only the windows that
# gain or lose it. Then the local half, which asks more often than that, knows better; if it does not, a
# program that waits between its questions gets the X server's own answer to the first one.
FRESH = 1.0


class InputFocus(Rule):
    """GetInputFocus, with the focus that the X server told last; the question goes there all the same.

    X protocol, GetInputFocus: focus and revert-to. The server's reply to each question answered here renews
    them. They do not count any more once the program gets a FocusIn or FocusOut for a moved focus, or sends
    what can move it: SetInputFocus, or taking away a window that may have it (chapter 9, SetInputFocus: "if
    the focus window later becomes not viewable"). A program that has grabbed the server asks for the focus of
    that moment. That all errors of earlier requests come before the reply is the Sequencer's care.

    Programs count on more: that the events which earlier requests brought about come before the reply, as the
    server does one request after the other (chapter 1). Tk's `update` ends with what has come by then, and
    its text widget waits for a NoExpose without reading (TkScrollWindow). So a question behind a request that
    may bring events travels.
    """

    requests = ((CORE, _GET_INPUT_FOCUS),)
    seen = (
        *((CORE, opcode) for opcode in (*_TELLING, *CONTEXT_REQUESTS, COPY_AREA, COPY_PLANE)),
        ("XInputExtension", _SET_DEVICE_FOCUS),
        ("XInputExtension", _XI_SET_FOCUS),
    )
    events = (_FOCUS_IN, _FOCUS_OUT, GENERIC_EVENT)
    clock = staticmethod(monotonic)

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._windows = around.state(WindowStates)
        self._grabs = around.state(Grabs)
        self._quiet = around.state(QuietContexts)
        self._told: Optional[bytes] = None
        self._when = 0.0
        self._first = True  # nothing has moved the focus since the program came
        self._moved = 0  # the last request that may have moved the focus
        self._telling = 0  # the last request that may bring events
        self._open = 0  # questions answered here whose replies are under way

    def answer(self, request: Request) -> Optional[Answer]:
        if self.size(request) != 4 or self._open >= FOCUS_CREDIT or self.around.at_risk():
            return None
        if self._grabs.grabbed or self._telling > self.around.settled():
            return None
        told = self._told
        if told is None and not self._first:
            return None
        if told is None or self.clock() - self._when > FRESH:
            told = self.around.knowledge.fact(fact_key((CORE, _GET_INPUT_FOCUS), request.data))
        if told is None:
            return None
        self._open += 1
        return Answer((told,), forward=True)

    def passes(self, request: Request) -> None:
        if request.opcode == _GET_INPUT_FOCUS:
            self._open += 1
            return
        if request.opcode in CONTEXT_REQUESTS:
            self._quiet.passes(request)
            return
        if self._tells(request):
            self._telling = request.number
        if self._may_move(request):
            self._moved = request.number
            self._told, self._first = None, False
            self.around.knowledge.forget(FOCUS)

    def _tells(self, request: Request) -> bool:
        """Not by copies or clearing without exposures, nor by an event for others, as a window manager."""
        if request.opcode in {COPY_AREA, COPY_PLANE}:
            return self._quiet.tells(request)
        if request.opcode == _CLEAR_AREA:
            return request.minor != 0
        if request.opcode != _SEND_EVENT:
            return True
        setup, (window,) = self.around.setup, self.words(request, 1)
        return window <= _INPUT_FOCUS or window & ~setup.id_mask == setup.id_base

    def _may_move(self, request: Request) -> bool:
        """Not by taking away a window in which the focus is not."""
        if request.opcode not in _TAKING_AWAY:
            return request.opcode == _SET_INPUT_FOCUS or request.opcode >= FIRST_EXTENSION_OPCODE
        told = self._told
        if told is None and self._first:
            asked = struct.pack(self.around.order + "BxH", _GET_INPUT_FOCUS, 1)
            told = self.around.knowledge.fact(fact_key((CORE, _GET_INPUT_FOCUS), memoryview(asked)))
        if told is None:
            return True
        (focus,) = struct.unpack_from(self.around.order + "I", told, 8)
        inside = self._windows.inside(focus, self.words(request, 1)[0])
        return focus not in {_NONE, _POINTER_ROOT} and inside is not False

    def replied(self, request: Request, packet: Packet) -> None:
        if request.opcode != _GET_INPUT_FOCUS:
            return
        self._open -= 1
        if packet.kind == REPLY and request.number > self._moved:
            self._told, self._when, self._first = bytes(packet.data), self.clock(), False

    def event(self, packet: Packet) -> None:
        data = packet.data
        if packet.kind != GENERIC_EVENT:
            moved = data[8] in {_NORMAL, _WHILE_GRABBED}
        else:
            (kind,) = struct.unpack_from(self.around.order + "H", data, 8)
            moved = data[1] == self.around.knowledge.majors.opcode("XInputExtension")
            moved = moved and kind in {_XI_FOCUS_IN, _XI_FOCUS_OUT}
        if moved:
            self._told, self._first = None, False
            self.around.knowledge.forget(FOCUS)
