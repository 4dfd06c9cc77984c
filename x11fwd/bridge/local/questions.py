"""The requests that are asked ahead, byte by byte as toolkits ask them; `prefetch` uses it.

Seen in traces of Tk, Qt 5 (libxkbcommon-x11), GTK 3 and Xaw; encodings from each protocol's specification.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from x11fwd.bridge.shared.majors import CORE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from x11fwd.bridge.shared.majors import Majors
    from x11fwd.bridge.shared.setup import Setup

    Asked = list[tuple[tuple[str, int], bytes]]

_CORE_KEYBOARD = 0x100
_EVERYTHING = 0xFFFFFFFF
_INTEGER = 19
_LIST_INPUT_DEVICES = 2  # replies of XI 1 have the minor opcode in the second byte
MOST_IDS = 64  # outputs, CRTCs or devices of which details are asked

# Versions that libraries ask for, and how they are written; the highest last, so that it counts for what the
# keeper asks afterwards. XIQueryVersion is the other way round: the first counts (Xi/xiqueryversion.c).
_VERSIONS: tuple[tuple[str, int, str, tuple[tuple[int, ...], ...]], ...] = (
    ("BIG-REQUESTS", 0, "", ((),)),
    ("XKEYBOARD", 0, "HH", ((1, 0),)),
    ("RENDER", 0, "II", ((0, 10), (0, 11))),
    ("XFIXES", 0, "II", ((2, 0), (3, 0), (4, 0), (5, 0), (6, 0))),
    ("RANDR", 0, "II", ((1, 2), (1, 3), (1, 4), (1, 5), (1, 6))),
    ("SHAPE", 0, "", ((),)),
    ("Generic Event Extension", 0, "HH", ((1, 0),)),
    ("SYNC", 0, "BBxx", ((3, 0), (3, 1))),
    ("DAMAGE", 0, "II", ((1, 0), (1, 1))),
    ("Composite", 0, "II", ((0, 2), (0, 3), (0, 4))),
    ("XInputExtension", 47, "HH", ((2, 4), (2, 3), (2, 2))),
    ("XTEST", 0, "BxH", ((2, 1), (2, 2))),
    ("XINERAMA", 0, "BBxx", ((1, 0), (1, 1))),
    ("DOUBLE-BUFFER", 0, "BBxx", ((1, 0),)),
    ("DPMS", 0, "HH", ((1, 1),)),
    ("MIT-SCREEN-SAVER", 0, "BBxx", ((1, 0), (1, 1))),
    ("XC-MISC", 0, "HH", ((1, 1),)),
    ("GLX", 7, "II", ((1, 3), (1, 4))),
)


def _request(order: str, opcode: int, second: int, body: bytes = b"") -> bytes:
    body += bytes(-len(body) % 4)
    return struct.pack(order + "BBH", opcode, second, 1 + len(body) // 4) + body


def word(order: str, reply: bytes, at: int) -> int:
    """The 32-bit word there."""
    return int(struct.unpack_from(order + "I", reply, at)[0])


def empty(order: str, opcode: int) -> bytes:
    """A core request without parameters."""
    return _request(order, opcode, 0)


def resource(order: str, opcode: int, number: int) -> bytes:
    """A core request about one resource or atom."""
    return _request(order, opcode, 0, struct.pack(order + "I", number))


def atom_name(order: str, atom: int) -> bytes:
    """GetAtomName."""
    return resource(order, 17, atom)


def text(order: str, reply: bytes) -> bytes:
    """The name in GetAtomName's reply."""
    return reply[32 : 32 + struct.unpack_from(order + "H", reply, 8)[0]]


def named(order: str, opcode: int, name: bytes) -> bytes:
    """InternAtom or QueryExtension."""
    return _request(order, opcode, 0, struct.pack(order + "Hxx", len(name)) + name)


def lookup_color(order: str, colormap: int, name: bytes) -> bytes:
    """LookupColor."""
    return _request(order, 92, 0, struct.pack(order + "IHxx", colormap, len(name)) + name)


def open_font(order: str, number: int, name: bytes) -> bytes:
    """OpenFont."""
    return _request(order, 45, 0, struct.pack(order + "IHxx", number, len(name)) + name)


def list_fonts(order: str, opcode: int, pattern: bytes) -> bytes:
    """ListFonts or ListFontsWithInfo of at most one name."""
    return _request(order, opcode, 0, struct.pack(order + "HH", 1, len(pattern)) + pattern)


def strings(reply: bytes, at: int, order: str) -> list[bytes]:
    """The names in ListFonts' reply; `at` is where their number is."""
    found: list[bytes] = []
    (count,) = struct.unpack_from(order + "H", reply, at)
    place = 32
    for _ in range(count):
        if place >= len(reply):
            break
        found.append(reply[place + 1 : place + 1 + reply[place]])
        place += 1 + reply[place]
    return found


def _of(order: str, majors: Majors, kind: tuple[str, int], body: bytes = b"") -> Asked:
    """The request, as a list that is empty without the extension."""
    major = majors.opcode(kind[0])
    return [] if major is None else [(kind, _request(order, major, kind[1], body))]


def versions(order: str, majors: Majors) -> Asked:
    """The first request of each extension."""
    found: Asked = []
    for name, minor, form, asked in _VERSIONS:
        for one in asked:
            found += _of(order, majors, (name, minor), struct.pack(order + form, *one))
    name_of_input = b"XInputExtension"
    body = struct.pack(order + "Hxx", len(name_of_input)) + name_of_input
    return found + _of(order, majors, ("XInputExtension", 1), body)


def earlier_versions(
    order: str, kind: tuple[str, int], request: bytes, reply: bytes
) -> list[tuple[bytes, bytes]]:
    """XIQueryVersion of 2.0 and 2.1, which the keeper cannot ask any more, from its reply to 2.2.

    XI2proto.txt, XIQueryVersion: the server answers with the client's version or with its own, if that is
    lower.
    """
    if kind != ("XInputExtension", 47) or struct.unpack_from(order + "HH", request, 4) != (2, 2):
        return []
    if struct.unpack_from(order + "HH", reply, 8) != (2, 2):
        return []
    versions_before = [struct.pack(order + "HH", 2, minor) for minor in (0, 1)]
    return [(request[:4] + one, reply[:8] + one + reply[12:]) for one in versions_before]


def graphics(order: str, majors: Majors, screens: int) -> Asked:
    """GLX, which is large and told last."""
    found: Asked = []
    for screen in range(screens):
        for name in (1, 2, 3, 0x20F6):  # vendor, version, extensions, libglvnd's vendor names
            found += _of(order, majors, ("GLX", 19), struct.pack(order + "II", screen, name))
        found += _of(order, majors, ("GLX", 14), struct.pack(order + "I", screen))
        found += _of(order, majors, ("GLX", 21), struct.pack(order + "I", screen))
    return found


def double_buffers(order: str, majors: Majors, roots: Iterable[int]) -> Asked:
    """DBE's GetVisualInfo, which Java asks of each screen."""
    found: Asked = []
    for root in roots:
        found += _of(order, majors, ("DOUBLE-BUFFER", 6), struct.pack(order + "II", 1, root))
    return found


def core_keyboard(order: str, setup: Setup) -> Asked:
    """GetModifierMapping, and GetKeyboardMapping of all keys."""
    count = setup.last_keycode - setup.first_keycode + 1
    body = struct.pack("BBxx", setup.first_keycode, count)
    return [((CORE, 119), empty(order, 119)), ((CORE, 101), _request(order, 101, 0, body))]


def _map(order: str, majors: Majors, device: int, full: int) -> Asked:
    """XKB's GetMap of whole parts."""
    return _of(order, majors, ("XKEYBOARD", 8), struct.pack(order + "HH20x", device, full))


def keyboard(order: str, majors: Majors) -> tuple[Asked, tuple[tuple[str, int], bytes] | None]:
    """What libX11, GTK and libxkbcommon ask of the core keyboard; GetDeviceInfo, which names the device."""
    found: Asked = []
    for full in (0x07, 0x40, 0x47, 0xDF, 0xFF):
        found += _map(order, majors, _CORE_KEYBOARD, full)
    for which in (0x800, 0x1000, 0x1800, 0x3FFF):
        found += _of(order, majors, ("XKEYBOARD", 17), struct.pack(order + "HxxI", _CORE_KEYBOARD, which))
    found += _of(order, majors, ("XKEYBOARD", 6), struct.pack(order + "Hxx", _CORE_KEYBOARD))
    repeat = struct.pack(order + "HxxIIIII", _CORE_KEYBOARD, 1, 1, 0, 0, 0)  # detectable auto-repeat
    found += _of(order, majors, ("XKEYBOARD", 21), repeat)
    info = _of(order, majors, ("XKEYBOARD", 24), struct.pack(order + "HHBBBxHH", _CORE_KEYBOARD, *[0] * 6))
    return found, info[0] if info else None


def keyboard_device(order: str, majors: Majors, device: int) -> Asked:
    """What libxkbcommon-x11 asks of the keyboard device (its src/x11/keymap.c)."""
    found = _map(order, majors, device, 0xDF)
    found += _of(order, majors, ("XKEYBOARD", 13), struct.pack(order + "HxxI", device, _EVERYTHING))
    found += _of(order, majors, ("XKEYBOARD", 10), struct.pack(order + "HBBHH", device, 0, 1, 0, 0))
    for which in (0x1FF5, 0x3FFF):
        found += _of(order, majors, ("XKEYBOARD", 17), struct.pack(order + "HxxI", device, which))
    return found + _of(order, majors, ("XKEYBOARD", 6), struct.pack(order + "Hxx", device))


def screens(order: str, majors: Majors, roots: Iterable[int]) -> Asked:
    """RENDER's formats, monitors and sizes."""
    found = _of(order, majors, ("RENDER", 1))
    for root in roots:
        window = struct.pack(order + "I", root)
        for minor in (6, 31, 32, 5):
            found += _of(order, majors, ("RANDR", minor), window)
        for active in (1, 0):
            found += _of(order, majors, ("RANDR", 42), window + bytes((active, 0, 0, 0)))
    return found + _of(order, majors, ("XINERAMA", 4)) + _of(order, majors, ("XINERAMA", 5))


def screen_resources(order: str, majors: Majors, roots: Iterable[int]) -> Asked:
    """RANDR's GetScreenResourcesCurrent; GetScreenResources would make the X server probe its monitors."""
    found: Asked = []
    for root in roots:
        found += _of(order, majors, ("RANDR", 25), struct.pack(order + "I", root))
    return found


def outputs(order: str, majors: Majors, reply: bytes, atoms: dict[bytes, int]) -> Asked:
    """Every output and CRTC of GetScreenResourcesCurrent's reply."""
    (stamp,) = struct.unpack_from(order + "I", reply, 12)
    crtcs, count = struct.unpack_from(order + "HH", reply, 16)
    if len(reply) < 32 + 4 * (crtcs + count) or crtcs + count > MOST_IDS:
        return []
    numbers = struct.unpack_from(f"{order}{crtcs + count}I", reply, 32)
    found: Asked = []
    for when in (stamp, 0):
        for number in numbers[crtcs:]:
            found += _of(order, majors, ("RANDR", 9), struct.pack(order + "II", number, when))
        for number in numbers[:crtcs]:
            found += _of(order, majors, ("RANDR", 20), struct.pack(order + "II", number, when))
    for number in numbers[crtcs:]:
        found += _of(order, majors, ("RANDR", 10), struct.pack(order + "I", number))
        for name in (b"EDID", b"EDID_DATA", b"XFree86_DDC_EDID1_RAWDATA"):
            for length in (100, 128):  # Qt, GTK
                body = struct.pack(order + "IIIII4x", number, atoms.get(name, 0), 0, 0, length)
                found += _of(order, majors, ("RANDR", 15), body)
    return found


def devices(order: str, majors: Majors) -> Asked:
    """XIQueryDevice of all devices, which the properties are asked of, and ListInputDevices."""
    asked = _of(order, majors, ("XInputExtension", 48), struct.pack(order + "Hxx", 0))
    return asked + _of(order, majors, ("XInputExtension", 2))


def device_properties(order: str, majors: Majors, reply: bytes, atoms: dict[bytes, int]) -> Asked:
    """The properties that GTK asks of every device in XIQueryDevice's reply."""
    found: Asked = []
    if reply[1] == _LIST_INPUT_DEVICES:
        return found
    (count,) = struct.unpack_from(order + "H", reply, 8)
    at = 32
    for _ in range(min(count, MOST_IDS)):
        if len(reply) - at < 12:
            break
        number, _, _, classes, name = struct.unpack_from(order + "5H", reply, at)
        for wanted, length in ((b"libinput Tapping Enabled", 1), (b"Device Product ID", 2)):
            body = struct.pack(order + "HBxIIII", number, 0, atoms.get(wanted, 0), _INTEGER, 0, length)
            found += _of(order, majors, ("XInputExtension", 59), body)
        at += 12 + (name + 3 & ~3)
        for _ in range(classes):
            if len(reply) - at < 4:
                break
            at += 4 * max(1, struct.unpack_from(order + "H", reply, at + 2)[0])
    return found
