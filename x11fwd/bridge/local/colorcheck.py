"""Whether the X server computes colours as the remote half would; `prefetch` uses it."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from x11fwd.bridge.shared.truecolor import TrueColors, true_colors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from x11fwd.bridge.shared.setup import Setup, VisualType

_CREATE_COLORMAP, _FREE_COLORMAP, _ALLOC_COLOR = 78, 79, 84
# From end to end, and values that tell rounding down from rounding to the nearest
_SAMPLES = (0, 1, 127, 128, 255, 256, 0x1234, 0x3FFF, 0x7FFF, 0x8000, 0x8080, 0xABCD, 0xC3C3, 0xFEFF, 0xFFFF)
_ONE = (0x1234, 0x8765, 0xFFFF)


class ColorCheck:
    """Asks for a few colours of every TrueColor visual.

    Visuals that look alike need not be alike: those that GLX adds may lack the alpha part of the pixel. So
    the rounding is tried on one of each kind, and one colour on every visual.

    Args:
        new_id: gives a resource id that is not in use.
    """

    def __init__(self, setup: Setup, order: str, new_id: Callable[[], int]) -> None:
        self._setup = setup
        self._order = order
        self._new_id = new_id
        self._wrong: set[tuple[object, ...]] = set()  # kinds
        self._checked: dict[int, tuple[object, ...]] = {}  # visuals, and their kinds

    def requests(self) -> Iterator[tuple[bytes, Callable[[bytes], None] | None]]:
        """Requests, and what is to be done with the reply of those that have one."""
        known: set[tuple[object, ...]] = set()
        for root in self._setup.roots:
            for visual in root.visuals:
                kind = (root.root, *visual[1:])
                colors = true_colors(visual)
                if colors is not None:
                    yield from self._visual(root.root, visual, colors, _SAMPLES if kind not in known else ())
                    known.add(kind)

    def right(self) -> list[int]:
        """Visuals of which every answer was as computed."""
        return [visual for visual, kind in self._checked.items() if kind not in self._wrong]

    def _visual(
        self, root: int, visual: VisualType, colors: TrueColors, samples: tuple[int, ...]
    ) -> Iterator[tuple[bytes, Callable[[bytes], None] | None]]:
        number = self._new_id()
        kind = (root, *visual[1:])
        yield struct.pack(self._order + "BBHIII", _CREATE_COLORMAP, 0, 4, number, root, visual.id), None
        asked = [(red, samples[turn - 4], samples[turn - 9]) for turn, red in enumerate(samples)]
        for color in (_ONE, *asked):
            request = struct.pack(self._order + "BxHI3Hxx", _ALLOC_COLOR, 4, number, *color)
            yield request, self._comparison(visual.id, kind, colors, color)
        yield struct.pack(self._order + "BxHI", _FREE_COLORMAP, 2, number), None

    def _comparison(
        self, visual: int, kind: tuple[object, ...], colors: TrueColors, color: tuple[int, int, int]
    ) -> Callable[[bytes], None]:
        def compare(reply: bytes) -> None:
            red, green, blue, pixel = struct.unpack_from(self._order + "3HxxI", reply, 8)
            right = colors.alloc(color) == (pixel, (red, green, blue))
            if color is _ONE and right:
                self._checked[visual] = kind
            elif color is not _ONE and not right:
                self._wrong.add(kind)

        return compare
