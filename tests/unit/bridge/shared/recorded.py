"""Images that real programs have put, recorded; tests and the bench of the coding use them."""

import lzma
import struct
from pathlib import Path
from typing import List, NamedTuple

from x11fwd.bridge.shared.wire import Request

FRAMES = 12  # after the first window; then the last one again


class Recording(NamedTuple):
    """What one program put: its first window, frames of an animation, and the last of them again."""

    window: List[Request]
    frames: List[List[Request]]


def recording(name: str, images: int) -> Recording:
    """The recording of that name, in which a frame is so many images."""
    data = lzma.decompress((Path(__file__).parent / "plots" / (name + ".requests.xz")).read_bytes())
    found: List[Request] = []
    at = 0
    while at < len(data):
        (size,) = struct.unpack_from("<I", data, at)
        request = memoryview(data)[at + 4 : at + 4 + size]
        found.append(Request(len(found) + 1, request[0], request[1], request, 4 if any(request[2:4]) else 8))
        at += 4 + size
    first = len(found) - (FRAMES + 1) * images
    frames = [found[one : one + images] for one in range(first, len(found), images)]
    return Recording(found[:first], frames)


def tk_plot() -> Recording:
    """TkAgg, where a figure is nine strips."""
    return recording("tkagg", 9)


def qt_plot() -> Recording:
    """QtAgg, where it is one image."""
    return recording("qtagg", 1)
