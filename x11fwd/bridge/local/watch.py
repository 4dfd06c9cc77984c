"""Which events the keeper's connection must select to hear of every change of a fact; `prefetch` uses it."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from x11fwd.bridge.shared.topics import XI_CHANGES, XKB_CHANGES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from x11fwd.bridge.shared.majors import Majors

_CHANGE_WINDOW_ATTRIBUTES = 2
_EVENT_MASK = 1 << 11  # the attribute
_STRUCTURE_NOTIFY, _PROPERTY_CHANGE = 1 << 17, 1 << 22
_USE_CORE_KEYBOARD = 0x100
_ALL_MAP_PARTS = 0xFF
_ALL_RANDR = 0x7F  # screen, CRTC, output, output property, provider, provider property, resource change
_ALL_OWNERS = 7  # new owner, window destroyed, client closed


def watch_roots(order: str, roots: Iterable[int]) -> list[bytes]:
    """Properties and sizes of root windows (X protocol, chapter 9, ChangeWindowAttributes)."""
    mask = _STRUCTURE_NOTIFY | _PROPERTY_CHANGE
    return [
        struct.pack(order + "BxHIII", _CHANGE_WINDOW_ATTRIBUTES, 4, root, _EVENT_MASK, mask) for root in roots
    ]


def watch_keyboard(order: str, majors: Majors) -> list[bytes]:
    """Maps, names and controls of keyboards (XKB protocol, appendix C, SelectEvents)."""
    major = majors.opcode("XKEYBOARD")
    if major is None:
        return []
    which = sum(1 << one for one in XKB_CHANGES)
    parts = (_USE_CORE_KEYBOARD, which, 0, which, _ALL_MAP_PARTS, _ALL_MAP_PARTS)
    return [struct.pack(order + "BBH6H", major, 1, 4, *parts)]


def watch_screens(order: str, majors: Majors, roots: Iterable[int]) -> list[bytes]:
    """Everything that RANDR tells of (RANDR, chapter 7, RRSelectInput)."""
    major = majors.opcode("RANDR")
    if major is None:
        return []
    return [struct.pack(order + "BBHIHxx", major, 4, 3, root, _ALL_RANDR) for root in roots]


def watch_devices(order: str, majors: Majors, roots: Iterable[int]) -> list[bytes]:
    """Devices that come, go and change (XI2proto.txt, XISelectEvents, XIAllDevices)."""
    major = majors.opcode("XInputExtension")
    if major is None:
        return []
    mask = sum(1 << one for one in XI_CHANGES)
    return [struct.pack(order + "BBHIHxxHHI", major, 46, 5, root, 1, 0, 1, mask) for root in roots]


def watch_selection(order: str, majors: Majors, root: int, selection: int) -> list[bytes]:
    """The owner of a selection (XFIXES, chapter 6, SelectSelectionInput); nothing without XFIXES."""
    major = majors.opcode("XFIXES")
    if major is None:
        return []
    return [struct.pack(order + "BBHIII", major, 2, 4, root, selection, _ALL_OWNERS)]
