"""Answers to what a program asks about windows and pixmaps it made itself; `table` lists the rules."""

import struct
from typing import Dict, Optional

from x11fwd.bridge.remote.own_window import OwnWindow
from x11fwd.bridge.remote.rules.base import Answer, Rule, Surroundings
from x11fwd.bridge.remote.rules.facts import Grabs
from x11fwd.bridge.remote.window_state import WindowStates
from x11fwd.bridge.shared.majors import CORE
from x11fwd.bridge.shared.packets import reply_packet
from x11fwd.bridge.shared.wire import ERROR, REPLY, Packet, Request

_CREATE_PIXMAP, _FREE_PIXMAP, _ATTRIBUTES_ASKED, _GET_GEOMETRY = 53, 54, 3, 14
_STATIC_VISUALS = (0, 2, 4)  # StaticGray, StaticColor, TrueColor
MOST_PIXMAPS = 1 << 16


class OwnGeometry(Rule):
    """GetGeometry of the program's own pixmaps, and of its windows while nobody else can have changed them.

    X protocol, GetGeometry: root, depth, place, size and border. A pixmap has the size with which it was made
    for ever (CreatePixmap), its place and border are 0. Windows: see WindowStates.
    """

    requests = ((CORE, _GET_GEOMETRY),)
    seen = ((CORE, _CREATE_PIXMAP), (CORE, _FREE_PIXMAP))

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._windows = around.state(WindowStates)
        self._grabs = around.state(Grabs)
        self._sizes: Dict[int, bytes] = {}  # of pixmaps: width and height

    def answer(self, request: Request) -> Optional[Answer]:
        (number,) = self.words(request, 1)
        pixels = self.around.resources.pixels(number)
        if pixels is None or self.size(request) != 8 or self.around.at_risk():
            return None
        order = self.around.order
        if not pixels.window:
            size = self._sizes.get(number)
            if size is None:
                return None
            body = struct.pack(order + "I4x", pixels.root) + size + bytes(2)
            return Answer((reply_packet(order, 0, pixels.depth, body),))
        found = self._windows.geometry(number)
        if found is None or (found.managed and self._grabs.grabbed):
            return None
        body = struct.pack(
            order + "IhhHHH", found.root, found.x, found.y, found.width, found.height, found.border
        )
        return Answer((reply_packet(order, 0, found.depth, body),))

    def passes(self, request: Request) -> None:
        if request.opcode == _CREATE_PIXMAP:
            (number,) = self.words(request, 1)
            fresh = self.around.resources.fresh(number)
            self._sizes.pop(number, None)
            if fresh and len(self._sizes) < MOST_PIXMAPS:
                self._sizes[number] = bytes(request.data[request.body + 8 : request.body + 12])
        elif request.opcode == _FREE_PIXMAP:
            self._sizes.pop(self.words(request, 1)[0], None)


class OwnAttributes(Rule):
    """GetWindowAttributes of the program's own windows.

    X protocol, GetWindowAttributes. Defaults are those of CreateWindow. Whether the colormap is installed is
    up to others: a fact, or what the X server last said of this colormap, for visuals where it means nothing
    to a program. The server's own answer about a window whose frame belongs to the window manager holds for
    the question right after it, too (Xlib asks in pairs, Tk twice).
    """

    requests = ((CORE, _ATTRIBUTES_ASKED),)

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._windows = around.state(WindowStates)
        self._grabs = around.state(Grabs)
        self._installed: Dict[int, bool] = {}  # colormaps
        self._static = {
            visual.id
            for root in around.setup.roots
            for visual in root.visuals
            if visual.kind in _STATIC_VISUALS
        }

    def answer(self, request: Request) -> Optional[Answer]:
        (number,) = self.words(request, 1)
        found = self._windows.known(number)
        if found is None or self.size(request) != 8 or self.around.at_risk():
            return None
        state = self._windows.map_state(number)
        told = found.seen_state[1]
        if state is None and self._windows.last_change <= told >= self.around.settled() - 1:
            state = found.seen_state[0]
        events = self._windows.all_events(number)
        colormap = found.attributes.get(13, 0)
        pixels = self.around.resources.own_window(number)
        if state is None or events is None or pixels is None or pixels.colormap != colormap:
            return None
        if self._grabs.grabbed:  # the window manager may have changed something the moment before
            return None
        installed = self._is_installed(found, colormap)
        if installed is None or (not found.input_only and found.visual not in self._static):
            return None
        value = found.attributes.get
        order = self.around.order
        body = struct.pack(
            order + "IHBBIIBBBBIIIHxx",
            found.visual,
            2 if found.input_only else 1,
            value(4, 0),
            value(5, 1),
            value(7, 0xFFFFFFFF),
            value(8, 0),
            value(10, 0),
            installed,
            state,
            value(9, 0),
            colormap,
            events,
            value(11, 0),
            value(12, 0),
        )
        return Answer((reply_packet(order, 0, value(6, 0), body),))

    def _is_installed(self, window: OwnWindow, colormap: int) -> Optional[bool]:
        if window.input_only:
            return False
        # of the root's colormap the X server's answer about the root tells, which is asked ahead
        order = self.around.knowledge.order
        told = self.around.knowledge.fact(struct.pack(order + "BxHI", _ATTRIBUTES_ASKED, 2, window.root))
        if told is not None and struct.unpack_from(order + "I", told, 28)[0] == colormap:
            return bool(told[25])
        return self._installed.get(colormap)

    def replied(self, request: Request, packet: Packet) -> None:
        (number,) = self.words(request, 1)
        if packet.kind == ERROR:
            self._windows.failed(request)
        if packet.kind != REPLY:
            return
        installed, state, colormap, everybody, mine = struct.unpack_from(
            self.around.order + "BBxIII", packet.data, 25
        )
        self._installed[colormap] = bool(installed)
        self._windows.attributes_told(number, state, (everybody, mine), request.number)
