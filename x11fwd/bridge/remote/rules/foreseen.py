"""Answers questions about new windows from what the local half has asked ahead; `table` lists the rule."""

import struct
from typing import List, Optional

from x11fwd.bridge.remote.rules.base import Answer, Rule, Surroundings
from x11fwd.bridge.remote.rules.facts import Grabs
from x11fwd.bridge.remote.sight import OF_POINTER, OF_PROPERTIES, OF_SELECTIONS, OF_WINDOWS, Sight
from x11fwd.bridge.remote.window_state import WindowStates
from x11fwd.bridge.shared.control import WISHES
from x11fwd.bridge.shared.factkeys import fact_key
from x11fwd.bridge.shared.majors import CORE, FIRST_EXTENSION_OPCODE
from x11fwd.bridge.shared.wire import Packet, Request

_ATTRIBUTES, _TREE, _PROPERTY, _OWNER, _POINTER, _TRANSLATE = 3, 15, 20, 23, 38, 40
_ABOUT = {
    _ATTRIBUTES: OF_WINDOWS,
    _TREE: OF_WINDOWS,
    _TRANSLATE: OF_WINDOWS,
    _PROPERTY: OF_PROPERTIES,
    _OWNER: OF_SELECTIONS,
    _POINTER: OF_POINTER,
}
_MAP_WINDOW, _GRAB_SERVER, _UNGRAB_SERVER = 8, 36, 37
_KEYS = ("XKEYBOARD", 4)  # GetState: the first of what Qt has to wait for
_CLIENT_POINTER = ("XInputExtension", 44)  # XISetClientPointer: QueryPointer is about that one from then on
_YOUR_EVENTS, _EVENTS = 36, 11  # in GetWindowAttributes' reply, and as a bit of the window attributes
_ATTRIBUTES_SIZE = 44  # bytes of that reply
_ATOM, _LENGTH = 4, 1024  # how Tk and Qt ask for _NET_WM_STATE
_SELECTIONS = (b"_XSETTINGS_S0", b"_NET_WM_CM_S0")


class Foreseen(Rule):
    """What toolkits ask when they start and when their window has come.

    The answers are the X server's own, to the very same questions, put by the local half after everything
    had been read that any program has heard, and before anything came that it has not: the server might have
    dealt with the question at that moment (base.py). See Sight for what ends them; GrabServer does too, and
    the promises of other programs (`main`), whose requests may be newer. Of GetWindowAttributes
    your-event-mask is the program's own (X protocol, chapter 9), and the local half asks as another client.

    Tk asks for a new window's attributes and _NET_WM_STATE, Qt without a window manager for its tree and
    where it is (QXcbWindow::frameMargins). When they start Qt asks for the pointer and for two selections,
    and Tk for the root's tree, which it does behind a grab.
    """

    requests = tuple((CORE, opcode) for opcode in _ABOUT)
    seen = ((CORE, _MAP_WINDOW), (CORE, _GRAB_SERVER), (CORE, _UNGRAB_SERVER), _KEYS, _CLIENT_POINTER)

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._sight = around.state(Sight)
        self._grabs = around.state(Grabs)
        self._windows = around.state(WindowStates)
        self._same_order = around.order == around.knowledge.order
        self._started = False
        self._other_pointer = False

    def answer(self, request: Request) -> Optional[Answer]:
        if self.size(request) != WISHES[request.opcode] or request.body != 4 or not self._same_order:
            return None
        if (request.opcode == _PROPERTY and request.minor) or self._grabs.grabbed:
            return None
        if request.opcode == _POINTER and self._other_pointer:
            return None
        if self.around.at_risk() or self.around.waits() or self.around.owed():
            return None
        reply = self._sight.sees(fact_key((CORE, request.opcode), request.data), _ABOUT[request.opcode])
        if reply is not None and request.opcode == _ATTRIBUTES:
            window = self._windows.known(self.words(request, 1)[0])
            if window is None or len(reply) != _ATTRIBUTES_SIZE:
                return None
            mine = struct.pack(self.around.order + "I", window.attributes.get(_EVENTS, 0))
            reply = reply[:_YOUR_EVENTS] + mine + reply[_YOUR_EVENTS + 4 :]
        return None if reply is None else Answer((reply,))

    def passes(self, request: Request) -> None:
        if request.opcode >= FIRST_EXTENSION_OPCODE and request.minor == _CLIENT_POINTER[1]:
            self._other_pointer = True
        elif request.opcode == _GRAB_SERVER:
            self._sight.wish((), grabs=True)
            return
        wishes: List[bytes] = []
        if self._same_order and not self._grabs.grabbed:
            if request.opcode == _MAP_WINDOW:
                wishes = self._of(self.words(request, 1)[0])
            elif not self._started:
                wishes = self._at_start()
        self._started = self._started or bool(wishes)
        if wishes or request.opcode == _UNGRAB_SERVER:
            self._sight.wish(wishes, grabs=False)

    def replied(self, request: Request, packet: Packet) -> None:
        del request, packet

    def _of(self, window: int) -> "List[bytes]":
        """The program gets to know soon what has become of its top level."""
        found = self._windows.known(window)
        if found is None or found.parent not in self._windows.roots:
            return []
        wishes = [self._question(_ATTRIBUTES, window), self._question(_TREE, window)]
        wishes += [self._question(_TRANSLATE, window, to, 0) for to in (found.parent, window)]
        state = self.around.knowledge.atoms.get(b"_NET_WM_STATE")
        if state is not None:
            wishes.append(self._question(_PROPERTY, window, state, _ATOM, 0, _LENGTH))
        return wishes

    def _at_start(self) -> "List[bytes]":
        knowledge = self.around.knowledge
        root = self.around.setup.roots[0].root
        wishes = [self._question(_POINTER, root), self._question(_TREE, root)]
        for name in _SELECTIONS:
            if name in knowledge.atoms:
                question = self._question(_OWNER, knowledge.atoms[name])
                if knowledge.fact(question) is None:
                    wishes.append(question)
        return wishes

    def _question(self, opcode: int, *words: int) -> bytes:
        layout = "%sBxH%dI" % (self.around.order, len(words))
        return struct.pack(layout, opcode, 1 + len(words), *words)
