"""What facts have in common that change together, and which events say that they have; both halves use it."""

import struct
from typing import Container, Optional

from x11fwd.bridge.shared.majors import Majors
from x11fwd.bridge.shared.wire import GENERIC_EVENT, Packet

CONSTANT = b"constant"  # cannot change while the X server runs
KEYBOARD = b"keyboard"  # the keyboard map, core and XKB, and the modifier map
POINTER = b"pointer"  # the map of the pointer's buttons
SCREENS = b"screens"  # RANDR and XINERAMA, and the order of subpixels
DEVICES = b"devices"  # XInputExtension
FONTS = b"fonts"  # the font path and what is found in it
FOCUS = b"focus"  # the input focus, which is asked again and again because nobody tells
ROOT_WINDOWS = b"root windows"  # attributes of root windows, asked again and again like the focus
ROOT_TOPICS = b"root:"  # how topics of root windows' properties begin

_CONFIGURE_NOTIFY, _PROPERTY_NOTIFY, _SELECTION_CLEAR, _MAPPING_NOTIFY = 22, 28, 29, 34
_MAPPING_POINTER = 2
# XKB protocol, appendix D: NewKeyboard, Map, Controls, IndicatorMap, Names, CompatMap, ExtensionDevice
XKB_CHANGES = (0, 1, 3, 5, 6, 7, 11)
# XI2proto.txt, events: DeviceChanged, HierarchyChanged, PropertyEvent
XI_CHANGES = (1, 11, 12)


def root_topic(root: int, atom: int) -> bytes:
    """The topic of one property of one root window."""
    return ROOT_TOPICS + b"%d:%d" % (root, atom)


def selection_topic(selection: int) -> bytes:
    """The topic of the owner of one selection."""
    return b"selection:%d" % selection


def changed_topic(packet: Packet, order: str, majors: Majors, roots: "Container[int]") -> Optional[bytes]:
    """What an event says has changed; None when that is nothing that may be known.

    X protocol, chapter 11: MappingNotify, PropertyNotify, SelectionClear, and ConfigureNotify of a root,
    which RANDR makes when a screen's size changes; XKB, chapter 16; RANDR, chapter 8; XFIXES, chapter 6; XI2.
    """
    kind, data = packet.kind, packet.data
    words = struct.unpack_from(order + "III", data, 4)
    if kind == _MAPPING_NOTIFY:
        return POINTER if data[4] == _MAPPING_POINTER else KEYBOARD
    if kind == _PROPERTY_NOTIFY:
        return root_topic(words[0], words[1]) if words[0] in roots else None
    if kind == _CONFIGURE_NOTIFY:
        return SCREENS if words[1] in roots else None
    if kind == _SELECTION_CLEAR:
        return selection_topic(words[2])
    if kind == GENERIC_EVENT:
        (event,) = struct.unpack_from(order + "H", data, 8)
        return DEVICES if data[1] == majors.opcode("XInputExtension") and event in XI_CHANGES else None
    keyboard, screens, fixes = majors.row("XKEYBOARD"), majors.row("RANDR"), majors.row("XFIXES")
    if keyboard is not None and kind == keyboard[1]:
        return KEYBOARD if data[1] in XKB_CHANGES else None
    if screens is not None and screens[1] <= kind <= screens[1] + 1:
        return SCREENS
    if fixes is not None and kind == fixes[1]:
        return selection_topic(words[2])
    return None
