"""Requests that are answered with the X server's own words, asked ahead by the local half; `table` lists it.

A request is looked up byte by byte, apart from bytes that the protocol calls unused: libX11 leaves in them
what was in its buffer before.
"""

import struct
from time import monotonic
from typing import Dict, Optional, Tuple

from x11fwd.bridge.remote.rules.base import Answer, Key, Rule, Surroundings
from x11fwd.bridge.remote.rules.factkinds import CHANGES, TOPIC_OF, VERSIONS
from x11fwd.bridge.shared.factkeys import fact_key, split_replies
from x11fwd.bridge.shared.majors import CORE, FIRST_EXTENSION_OPCODE
from x11fwd.bridge.shared.packets import reply_packet
from x11fwd.bridge.shared.risk_windows import ALL_EVENTS, EXCLUSIVE_EVENTS
from x11fwd.bridge.shared.topics import CONSTANT
from x11fwd.bridge.shared.wire import REPLY, Packet, Request

_CHANGE_ATTRIBUTES, _GET_ATTRIBUTES, _GRAB_SERVER, _UNGRAB_SERVER, _GET_KEYBOARD_MAPPING = 2, 3, 36, 37, 101
_EVENTS_ATTRIBUTE = 1 << 11
FRESH_ROOTS = 1.0  # seconds
# attributes that GetWindowAttributes does not tell of: backgrounds, borders, cursor
_UNSEEN_ATTRIBUTES = 0b1111 | 1 << 14
MOST_LEARNT = 1 << 16  # bytes of a reply that is remembered
# PerClientFlags sets flags of the program (XKB, chapter 4.3.6); the facts are of programs that ask once
_CLIENT_FLAGS = ("XKEYBOARD", 21)
_INPUT_VERSION = ("XInputExtension", 47)
_STATEFUL = {*VERSIONS, _CLIENT_FLAGS}


class Grabs:
    """Whether the program has grabbed the X server, and so wants to know what is there right then."""

    def __init__(self, around: Surroundings) -> None:
        del around
        self.grabbed = False


class FactRule(Rule):
    """Exact requests from exact facts, of programs in the byte order of the facts.

    What a program hears of a change it hears by an event in its own stream, and the fact is gone before it
    gets that event; one that has not heard of it cannot tell an answer that is half a round trip old from a
    slow wire. While the program holds a grab of the server only what never changes is answered.
    """

    requests = (*TOPIC_OF, *VERSIONS, _CLIENT_FLAGS)
    seen = (
        *CHANGES,
        (CORE, _GRAB_SERVER),
        (CORE, _UNGRAB_SERVER),
        (CORE, _CHANGE_ATTRIBUTES),
        (CORE, 8),
        (CORE, 9),
    )

    clock = staticmethod(monotonic)

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._same_order = around.order == around.knowledge.order
        self._grabs = around.state(Grabs)
        self._roots = {root.root for root in around.setup.roots}
        self._on_roots = False  # the program has changed attributes of a root that others see
        self._root_events: Dict[int, int] = {}  # what it has selected there
        self._changed_roots = 0  # the request that did so last
        self._told_roots: Dict[int, Tuple[float, bytes]] = {}  # when, and what was said since
        self._mapped = False
        self._flagged = False
        self._keyboard = False  # XKB is of no use to a program before UseExtension
        self._devices = False  # the first XIQueryVersion decides what later ones say
        self._rendered = False  # RENDER's version has been asked for, so formats come with subpixels

    def answer(self, request: Request) -> Optional[Answer]:
        if not self._same_order or request.body != 4:
            return None
        kind = self._kind(request)
        topic = TOPIC_OF.get(kind, CONSTANT)
        if topic != CONSTANT and self._grabs.grabbed:
            return None
        if kind == (CORE, _GET_ATTRIBUTES) and self._on_roots:
            return self._as_told(request)
        if not self._applies(kind, request):
            return None
        reply = self.around.knowledge.fact(fact_key(kind, request.data))
        if reply is None and kind == (CORE, _GET_KEYBOARD_MAPPING):
            reply = self._some_keys(request)
        elif reply is not None and kind == (CORE, _GET_ATTRIBUTES):
            reply = self._with_own_events(reply, self.words(request, 1)[0])
        if reply is None:
            return None
        if kind == ("RENDER", 0):
            self._rendered = True
        elif kind == ("XKEYBOARD", 0):
            self._keyboard = True
        return Answer(split_replies(reply, self.around.order), forward=kind in _STATEFUL)

    def passes(self, request: Request) -> None:
        kind = self._kind(request)
        for topic in CHANGES.get(kind, ()):
            self.around.knowledge.distrust(topic)
        deletes = {("RANDR", 15): 24, ("XInputExtension", 59): 6}.get(kind)
        if deletes is not None and request.data[deletes]:
            self.around.knowledge.distrust(TOPIC_OF[kind])
        if kind == (CORE, _GRAB_SERVER):
            self._grabs.grabbed = True
        elif kind == (CORE, _UNGRAB_SERVER):
            self._grabs.grabbed = False
        elif kind == (CORE, _CHANGE_ATTRIBUTES):
            self._change_attributes(request)
        elif kind in {(CORE, 8), (CORE, 9)}:
            self._mapped = True

    def replied(self, request: Request, packet: Packet) -> None:
        """What never changes is remembered for the programs to come."""
        kind = self._kind(request)
        if kind == (CORE, _GET_ATTRIBUTES) and packet.kind == REPLY and request.number > self._changed_roots:
            (window,) = self.words(request, 1)
            if window in self._roots:
                self._told_roots[window] = self.clock(), bytes(packet.data)
        # what XIQueryVersion says depends on the program's earlier ones
        constant = (kind in VERSIONS or TOPIC_OF.get(kind) == CONSTANT) and kind != _INPUT_VERSION
        if packet.kind == REPLY and constant and self._same_order and len(packet.data) <= MOST_LEARNT:
            reply = bytes(packet.data[:2]) + b"\0\0" + bytes(packet.data[4:])
            self.around.knowledge.learn(CONSTANT, fact_key(kind, request.data), reply)

    def _kind(self, request: Request) -> Key:
        if request.opcode < FIRST_EXTENSION_OPCODE:
            return CORE, request.opcode
        return self.around.knowledge.majors.name(request.opcode) or "", request.minor

    def _applies(self, kind: Key, request: Request) -> bool:
        """Whether the fact holds for this program, too, where more than the request counts."""
        if kind in {("RENDER", 1), ("RENDER", 2)}:
            return self._rendered
        if kind[0] == "XKEYBOARD" and kind[1] and not self._keyboard:
            return False  # Access
        if kind == _INPUT_VERSION:
            if self._devices:
                return False
            self._devices = True
        if kind == _CLIENT_FLAGS:  # a second one depends on the first
            first, self._flagged = not self._flagged, True
            return first
        if kind == ("XInputExtension", 48):
            # The reply has the values of the pointer's axes, too, which programs need from an Enter event on;
            # a window that is mapped can get one
            (device,) = struct.unpack_from(self.around.order + "H", request.data, 4)
            return device <= 1 and not self._mapped
        return True

    def _some_keys(self, request: Request) -> Optional[bytes]:
        """GetKeyboardMapping of some keys, out of the reply for all keys (X protocol, chapter 9)."""
        order, setup = self.around.order, self.around.setup
        everything = setup.last_keycode - setup.first_keycode + 1
        asked = struct.pack(order + "BxHBBxx", _GET_KEYBOARD_MAPPING, 2, setup.first_keycode, everything)
        whole = self.around.knowledge.fact(asked)
        first, count = struct.unpack_from("BB", request.data, 4)
        start = first - setup.first_keycode
        if whole is None or self.size(request) != 8 or start < 0 or start + count > everything:
            return None
        each = 4 * whole[1]
        keys = whole[32 + start * each : 32 + (start + count) * each]
        return reply_packet(order, 0, whole[1], bytes(24) + keys)

    def _change_attributes(self, request: Request) -> None:
        """Keep what the program selects on a root; stop answering where others would see a change."""
        window, mask = self.words(request, 2)
        if window not in self._roots:
            return
        self._changed_roots = request.number
        self._told_roots.clear()
        if mask & _EVENTS_ATTRIBUTE:
            before = bin(mask & _EVENTS_ATTRIBUTE - 1).count("1")
            (selected,) = self.words(request, 1, at=8 + 4 * before)
            # some events one client alone may select, and the others' share of those given up is not known
            given_up = self._root_events.get(window, 0) & ~selected
            if given_up or selected & (EXCLUSIVE_EVENTS | ~ALL_EVENTS):
                self._on_roots = True
            self._root_events[window] = selected
        if mask & ~(_EVENTS_ATTRIBUTE | _UNSEEN_ATTRIBUTES):
            self._on_roots = True

    def _as_told(self, request: Request) -> Optional[Answer]:
        """What the X server has just told of a root, as old as the facts are, while the question goes on.

        Java asks for the same some fifty times in a row.
        """
        when, told = self._told_roots.get(self.words(request, 1)[0], (0.0, b""))
        if not told or self.clock() - when > FRESH_ROOTS:
            return None
        return Answer((told,), forward=True)

    def _with_own_events(self, reply: bytes, root: int) -> bytes:
        """GetWindowAttributes' reply about a root, with what this program has selected."""
        order = self.around.order
        own = self._root_events.get(root, 0)
        (everybody,) = struct.unpack_from(order + "I", reply, 32)
        return reply[:32] + struct.pack(order + "II", everybody | own, own) + reply[40:]
