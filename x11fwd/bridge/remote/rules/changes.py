"""Events that say that what is known has changed; `table` lists it."""

import struct
from typing import Optional

from x11fwd.bridge.remote.knowledge import DEVICES, KEYBOARD, POINTER, SCREENS
from x11fwd.bridge.remote.rules.base import Answer, Rule, Surroundings
from x11fwd.bridge.shared.wire import GENERIC_EVENT, Packet, Request

CONFIGURE_NOTIFY, MAPPING_NOTIFY = 22, 34
# XKB protocol, appendix D: NewKeyboard, Map, Controls, IndicatorMap, Names, CompatMap, ExtensionDevice
XKB_CHANGES = {0, 1, 3, 5, 6, 7, 11}
# XI2proto.txt, events: DeviceChanged, HierarchyChanged, PropertyEvent
XI_CHANGES = {1, 11, 12}


class ChangeRule(Rule):
    """A program that is told of a change finds the change: what was known is gone before it gets the event.

    X protocol, chapter 11, MappingNotify; ConfigureNotify of a root, which RANDR makes when a screen's size
    changes; XKB, chapter 16; RANDR, chapter 8; XI2 events of devices.
    """

    raw_events = True

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._roots = {root.root for root in around.setup.roots}

    def answer(self, request: Request) -> Optional[Answer]:
        del request
        return None

    def event(self, packet: Packet) -> None:
        topic = self._topic(packet)
        if topic is not None:
            self.around.knowledge.changed(topic)

    def _topic(self, packet: Packet) -> Optional[bytes]:
        kind, data = packet.kind, packet.data
        if kind == MAPPING_NOTIFY:
            return POINTER if data[4] == 2 else KEYBOARD
        if kind == CONFIGURE_NOTIFY:
            (window,) = struct.unpack_from(self.around.order + "I", data, 8)
            return SCREENS if window in self._roots else None
        majors = self.around.knowledge.majors
        if kind == GENERIC_EVENT:
            (event,) = struct.unpack_from(self.around.order + "H", data, 8)
            mine = data[1] == majors.opcode("XInputExtension")
            return DEVICES if mine and event in XI_CHANGES else None
        keyboard, screens = majors.row("XKEYBOARD"), majors.row("RANDR")
        if keyboard is not None and kind == keyboard[1]:
            return KEYBOARD if data[1] in XKB_CHANGES else None
        if screens is not None and screens[1] <= kind <= screens[1] + 1:
            return SCREENS
        return None
