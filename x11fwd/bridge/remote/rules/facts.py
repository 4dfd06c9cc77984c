"""Requests that are answered with the X server's own words, asked ahead by the local half; `table` lists it.

A request is looked up byte by byte, apart from bytes that the protocol calls unused: libX11 leaves in them
what was in its buffer before.
"""

import struct
from typing import Dict, Optional, Tuple

from x11fwd.bridge.remote.rules.base import Answer, Key, Rule, Surroundings
from x11fwd.bridge.shared.factkeys import fact_key, split_replies
from x11fwd.bridge.shared.majors import CORE, FIRST_EXTENSION_OPCODE
from x11fwd.bridge.shared.topics import CONSTANT, DEVICES, FONTS, KEYBOARD, POINTER, SCREENS
from x11fwd.bridge.shared.wire import REPLY, Packet, Request

_GRAB_SERVER, _UNGRAB_SERVER = 36, 37
MOST_LEARNT = 1 << 16  # bytes of a reply that is remembered

# Version requests tell the X server whom it talks to: they travel all the same. Their answers do not change
# (each extension's specification, "initialization").
VERSIONS = (
    ("BIG-REQUESTS", 0),
    ("Composite", 0),
    ("DAMAGE", 0),
    ("DOUBLE-BUFFER", 0),
    ("DPMS", 0),
    ("GLX", 7),
    ("Generic Event Extension", 0),
    ("MIT-SCREEN-SAVER", 0),
    ("RANDR", 0),
    ("RECORD", 0),
    ("RENDER", 0),
    ("SHAPE", 0),
    ("SYNC", 0),
    ("X-Resource", 0),
    ("XC-MISC", 0),
    ("XFIXES", 0),
    ("XINERAMA", 0),
    ("XInputExtension", 1),
    ("XInputExtension", 47),
    ("XKEYBOARD", 0),
    ("XTEST", 0),
    ("XVideo", 0),
)
# What is asked without changing anything, and what its answer depends on. GLX: visuals, configurations and
# strings of the server (GLX 1.4, chapter 3.3). RENDER: picture formats (RENDER, chapter 7), with the order of
# subpixels, which turns with the screen. RANDR 1.5, chapter 7: every change is announced. XKB protocol,
# chapters 10 to 16 (maps, compatibility, indicator maps, names) likewise; not here is what changes with each
# key: state and indicators. XI2 6 (devices, their properties).
KINDS: "Dict[bytes, Tuple[Key, ...]]" = {
    CONSTANT: (
        ("GLX", 14),
        ("GLX", 18),
        ("GLX", 19),
        ("GLX", 21),
        ("DOUBLE-BUFFER", 6),
        ("DPMS", 1),
    ),
    SCREENS: (
        ("RENDER", 1),
        ("RENDER", 2),
        ("RANDR", 5),
        ("RANDR", 6),
        ("RANDR", 9),
        ("RANDR", 10),
        ("RANDR", 15),
        ("RANDR", 20),
        ("RANDR", 22),
        ("RANDR", 25),
        ("RANDR", 31),
        ("RANDR", 32),
        ("RANDR", 42),
        ("XINERAMA", 1),
        ("XINERAMA", 2),
        ("XINERAMA", 3),
        ("XINERAMA", 4),
        ("XINERAMA", 5),
    ),
    KEYBOARD: (
        (CORE, 101),
        (CORE, 119),
        ("XKEYBOARD", 6),
        ("XKEYBOARD", 8),
        ("XKEYBOARD", 10),
        ("XKEYBOARD", 13),
        ("XKEYBOARD", 17),
        ("XKEYBOARD", 24),
    ),
    POINTER: ((CORE, 117),),
    DEVICES: (("XInputExtension", 2), ("XInputExtension", 48), ("XInputExtension", 59)),
    FONTS: ((CORE, 49), (CORE, 50), (CORE, 52)),
}
# Requests of programs that change what is known: topics, never known again.
CHANGES: "Dict[Key, Tuple[bytes, ...]]" = {
    (CORE, 51): (FONTS,),  # SetFontPath
    (CORE, 100): (KEYBOARD,),  # ChangeKeyboardMapping
    (CORE, 102): (KEYBOARD,),  # ChangeKeyboardControl: repeat of keys is in XKB's controls
    (CORE, 116): (POINTER,),  # SetPointerMapping
    (CORE, 118): (KEYBOARD,),  # SetModifierMapping
    ("RANDR", 2): (SCREENS,),
    ("RANDR", 7): (SCREENS,),
    ("RANDR", 11): (SCREENS,),
    ("RANDR", 12): (SCREENS,),
    ("RANDR", 13): (SCREENS,),
    ("RANDR", 14): (SCREENS,),
    ("RANDR", 16): (SCREENS,),
    ("RANDR", 17): (SCREENS,),
    ("RANDR", 18): (SCREENS,),
    ("RANDR", 19): (SCREENS,),
    ("RANDR", 21): (SCREENS,),
    ("RANDR", 26): (SCREENS,),
    ("RANDR", 29): (SCREENS,),
    ("RANDR", 30): (SCREENS,),
    ("RANDR", 34): (SCREENS,),
    ("RANDR", 35): (SCREENS,),
    ("RANDR", 43): (SCREENS,),
    ("RANDR", 44): (SCREENS,),
    ("XFree86-VidModeExtension", 2): (SCREENS,),
    ("XFree86-VidModeExtension", 3): (SCREENS,),
    ("XFree86-VidModeExtension", 7): (SCREENS,),
    ("XFree86-VidModeExtension", 8): (SCREENS,),
    ("XFree86-VidModeExtension", 10): (SCREENS,),
    ("XInputExtension", 5): (DEVICES,),
    ("XInputExtension", 11): (DEVICES, KEYBOARD),
    ("XInputExtension", 12): (DEVICES, POINTER),
    ("XInputExtension", 23): (KEYBOARD,),
    ("XInputExtension", 25): (KEYBOARD,),
    ("XInputExtension", 27): (KEYBOARD,),
    ("XInputExtension", 29): (POINTER,),
    ("XInputExtension", 33): (DEVICES,),
    ("XInputExtension", 35): (DEVICES,),
    ("XInputExtension", 37): (DEVICES,),
    ("XInputExtension", 38): (DEVICES,),
    ("XInputExtension", 43): (DEVICES, KEYBOARD, POINTER),
    ("XInputExtension", 44): (DEVICES, KEYBOARD, POINTER),
    ("XInputExtension", 57): (DEVICES,),
    ("XInputExtension", 58): (DEVICES,),
    ("XKEYBOARD", 7): (KEYBOARD,),
    ("XKEYBOARD", 9): (KEYBOARD,),
    ("XKEYBOARD", 11): (KEYBOARD,),
    ("XKEYBOARD", 14): (KEYBOARD,),
    ("XKEYBOARD", 16): (KEYBOARD,),
    ("XKEYBOARD", 18): (KEYBOARD,),
    ("XKEYBOARD", 23): (KEYBOARD,),
    ("XKEYBOARD", 25): (KEYBOARD,),
}
# PerClientFlags sets flags of the program (XKB, chapter 4.3.6); the facts are of programs that ask once
_CLIENT_FLAGS = ("XKEYBOARD", 21)
_INPUT_VERSION = ("XInputExtension", 47)
_STATEFUL = {*VERSIONS, _CLIENT_FLAGS}
_TOPICS = {kind: topic for topic, kinds in KINDS.items() for kind in kinds}


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

    requests = (*_TOPICS, *VERSIONS, _CLIENT_FLAGS)
    seen = (*CHANGES, (CORE, _GRAB_SERVER), (CORE, _UNGRAB_SERVER), (CORE, 8), (CORE, 9))

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._same_order = around.order == around.knowledge.order
        self._grabs = around.state(Grabs)
        self._mapped = False
        self._flagged = False
        self._keyboard = False  # XKB is of no use to a program before UseExtension
        self._devices = False  # the first XIQueryVersion decides what later ones say
        self._rendered = False  # RENDER's version has been asked for, so formats come with subpixels

    def answer(self, request: Request) -> Optional[Answer]:
        if not self._same_order or request.body != 4:
            return None
        kind = self._kind(request)
        topic = _TOPICS.get(kind, CONSTANT)
        if topic != CONSTANT and self._grabs.grabbed:
            return None
        if not self._applies(kind, request):
            return None
        reply = self.around.knowledge.fact(fact_key(kind, request.data))
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
            self.around.knowledge.distrust(_TOPICS[kind])
        if kind == (CORE, _GRAB_SERVER):
            self._grabs.grabbed = True
        elif kind == (CORE, _UNGRAB_SERVER):
            self._grabs.grabbed = False
        elif kind in {(CORE, 8), (CORE, 9)}:
            self._mapped = True

    def replied(self, request: Request, packet: Packet) -> None:
        """What never changes is remembered for the programs to come."""
        kind = self._kind(request)
        # what XIQueryVersion says depends on the program's earlier ones
        constant = (kind in VERSIONS or _TOPICS.get(kind) == CONSTANT) and kind != _INPUT_VERSION
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
