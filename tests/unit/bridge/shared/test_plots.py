"""Plots that were recorded from TkAgg and QtAgg arrive bit by bit and cost what was promised."""

from typing import TYPE_CHECKING, List

from tests.unit.bridge.shared.recorded import Recording, qt_plot, tk_plot
from x11fwd.bridge.shared.images import ImageCoder, ImageDecoder, ImageShelf
from x11fwd.bridge.shared.packing import Packer
from x11fwd.bridge.shared.setup import Setup

if TYPE_CHECKING:
    from x11fwd.bridge.shared.wire import Request

SETUP: Setup = None  # type: ignore[assignment]  # the coder needs nothing of it


def packed_sizes(plot: Recording) -> "List[int]":
    """Bytes on the link for the first window, each frame, and the last one again."""
    coder, decoder = ImageCoder(ImageShelf(), 1, SETUP, "<"), ImageDecoder(ImageShelf(), 1)
    packer = Packer()

    def packed(requests: "List[Request]") -> int:
        batch = b""
        for request in requests:
            coded = coder.code(request)
            if coded is not None:
                assert decoder.decode(coded) == request.data
            batch += request.data if coded is None else coded
        return len(packer.pack(batch))

    return [packed(plot.window), *(packed(frame) for frame in plot.frames)]


def test_a_moving_line_and_an_unchanged_redraw_of_tk_cost_little() -> None:
    window, *frames, again = packed_sizes(tk_plot())
    assert window < 30000
    assert sum(frames[2:]) / len(frames[2:]) < 5000
    assert again < 200


def test_a_moving_line_and_an_unchanged_redraw_of_qt_cost_little() -> None:
    window, *frames, again = packed_sizes(qt_plot())
    assert window < 20000
    assert sum(frames[2:]) / len(frames[2:]) < 7000
    assert again < 200
