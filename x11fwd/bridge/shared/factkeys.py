"""How requests are written as keys of facts, the same in both halves: bytes without a meaning are 0."""

import struct
from typing import Dict, List, Sequence, Tuple, Union

# Places and sizes of unused bytes, from each request's encoding (X protocol, appendix B; XKB, appendix C;
# XI2proto.txt).
UNUSED: "Dict[Tuple[str, int], Sequence[Tuple[int, int]]]" = {
    ("", 101): ((6, 2),),
    ("DOUBLE-BUFFER", 0): ((6, 2),),
    ("MIT-SCREEN-SAVER", 0): ((6, 2),),
    ("RANDR", 15): ((26, 2),),
    ("RANDR", 42): ((9, 3),),
    ("SYNC", 0): ((6, 2),),
    ("X-Resource", 0): ((6, 2),),
    ("XINERAMA", 0): ((6, 2),),
    ("XInputExtension", 1): ((6, 2), (23, 1)),  # the name is always XInputExtension
    ("XInputExtension", 48): ((6, 2),),
    ("XInputExtension", 59): ((7, 1),),
    ("XKEYBOARD", 6): ((6, 2),),
    ("XKEYBOARD", 8): ((26, 2),),
    ("XKEYBOARD", 13): ((6, 2),),
    ("XKEYBOARD", 17): ((6, 2),),
    ("XKEYBOARD", 21): ((6, 2),),
    ("XKEYBOARD", 24): ((11, 1),),
    ("XTEST", 0): ((5, 1),),
}
WHOLE = 1 << 18  # units of 4 bytes of a property
_PATTERNS = {49: 8, 50: 8}  # ListFonts, ListFontsWithInfo: where the pattern starts, its length at 6


def fact_key(kind: "Tuple[str, int]", data: "Union[bytes, memoryview]") -> bytes:
    """The request `data` of this kind as facts have it; its length is a short one."""
    key = bytearray(data)
    if not kind[0]:
        key[1] = 0  # no core request that is a fact uses it
        start = _PATTERNS.get(kind[1])
        if start is not None and len(key) > start:
            # the length is in the program's order, and the padding at most 3 bytes
            sizes = struct.unpack_from("<H", key, 6), struct.unpack_from(">H", key, 6)
            for (size,) in sizes:
                if 0 <= len(key) - start - size <= 3:
                    key[start + size :] = bytes(len(key) - start - size)
                    break
    for at, size in UNUSED.get(kind, ()):
        if len(key) >= at + size:
            key[at : at + size] = bytes(size)
    return bytes(key)


def split_replies(data: bytes, order: str) -> "Tuple[bytes, ...]":
    """The replies that are written one after the other."""
    found: List[bytes] = []
    at = 0
    while len(data) - at >= 32:
        size = 32 + 4 * int(struct.unpack_from(order + "I", data, at + 4)[0])
        found.append(data[at : at + size])
        at += size
    return tuple(found)


def whole_property(order: str, window: int, name: int) -> bytes:
    """GetProperty of all of a property, whatever its type; its reply is a fact when nothing is left over."""
    return struct.pack(order + "BxHIIIII", 20, 6, window, name, 0, 0, WHOLE)


def font_key(order: str, name: bytes) -> bytes:
    """OpenFont of id 0, under which QueryFont's reply for the font of this name is kept."""
    padded = name.ljust(len(name) + 3 & ~3, b"\0")
    return struct.pack(order + "BxHIHxx", 45, 3 + len(padded) // 4, 0, len(name)) + padded
