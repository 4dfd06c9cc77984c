"""What coding images costs, with the recorded plots: `python -m tests.bench.codec`, in any Python from 3.6.

Prints, for each program: kilobytes of its first window, bytes of a frame and of an unchanged one behind the
link's packing, raw bytes of a frame, and milliseconds of a frame in coder, packer and decoder.
"""

# ruff: noqa: UP006, UP031, UP035, B905  it runs in Python 3.6, too

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, List, Tuple

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tests.unit.bridge.shared.recorded import Recording, qt_plot, tk_plot
from x11fwd.bridge.shared.images import ImageCoder, ImageDecoder, ImageShelf
from x11fwd.bridge.shared.packing import Packer
from x11fwd.bridge.shared.setup import Setup

if TYPE_CHECKING:
    from x11fwd.bridge.shared.wire import Request

SETUP: Setup = None  # type: ignore[assignment]  # the coder needs nothing of it


class Codec:
    """Both halves of one connection, with the seconds that each step took."""

    def __init__(self) -> None:
        self._coder = ImageCoder(ImageShelf(), 1, SETUP, "<")
        self._decoder = ImageDecoder(ImageShelf(), 1)
        self._packer = Packer()
        self.seconds = [0.0, 0.0, 0.0]

    def carry(self, requests: "List[Request]") -> "Tuple[int, int]":
        """Bytes before and after coding and packing."""
        start = time.perf_counter()
        coded = [self._coder.code(request) for request in requests]
        after = time.perf_counter()
        batch = b"".join([request.data if one is None else one for request, one in zip(requests, coded)])
        packed = len(self._packer.pack(batch))
        unpacked = time.perf_counter()
        for one in coded:
            if one is not None:
                self._decoder.decode(one)
        self.seconds[0] += after - start
        self.seconds[1] += unpacked - after
        self.seconds[2] += time.perf_counter() - unpacked
        return sum(len(request.data) for request in requests), packed


def measure(name: str, plot: Recording) -> str:
    """One line of the table."""
    codec = Codec()
    window = codec.carry(plot.window)[1]
    codec.carry(plot.frames[0])
    codec.seconds = [0.0, 0.0, 0.0]
    moving = [codec.carry(frame) for frame in plot.frames[1:-1]]
    times = " + ".join("%.1f" % (one / len(moving) * 1000) for one in codec.seconds)
    raw, packed = (sum(one) // len(moving) for one in zip(*moving))
    unchanged = codec.carry(plot.frames[-1])[1]
    return "| %s | %.1f | %d | %d | %d | %s |" % (name, window / 1000, packed, unchanged, raw, times)


if __name__ == "__main__":
    print("| program | first window, kB | a frame, bytes | unchanged | raw | ms: coder + packer + decoder |")
    print("|---|---|---|---|---|---|")
    print(measure("TkAgg", tk_plot()))
    print(measure("QtAgg", qt_plot()))
