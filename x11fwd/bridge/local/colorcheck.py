"""Whether the X server computes colours as the remote half would; `prefetch` uses it."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from x11fwd.bridge.shared.palette import TrueColors, true_colors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from x11fwd.bridge.shared.setup import Setup, VisualType

_CREATE_COLORMAP, _FREE_COLORMAP, _ALLOC_COLOR = 78, 79, 84
# From end to end, and values that tell rounding down from rounding to the nearest
_SAMPLES = (0, 1, 127, 128, 255, 256, 0x1234, 0x3FFF, 0x7FFF, 0x8000, 0x8080, 0xABCD, 0xC3C3, 0xFEFF, 0xFFFF)


class ColorCheck:
    """Asks for a few colours of every kind of TrueColor visual.

    Args:
        new_id: gives a resource id that is not in use.
    """

    def __init__(self, setup: Setup, order: str, new_id: Callable[[], int]) -> None:
        self._order = order
        self._new_id = new_id
        self._kinds: dict[tuple[object, ...], list[VisualType]] = {}
        self._roots: dict[tuple[object, ...], int] = {}
        self._good: dict[tuple[object, ...], int] = {}
        for root in setup.roots:
            for visual in root.visuals:
                kind = (root.root, *visual[1:])
                self._kinds.setdefault(kind, []).append(visual)
                self._roots[kind] = root.root

    def requests(self) -> Iterator[tuple[bytes, Callable[[bytes], None] | None]]:
        """Requests, and what is to be done with the reply of those that have one."""
        for kind, visuals in self._kinds.items():
            colors = true_colors(visuals[0])
            if colors is None:
                continue
            number = self._new_id()
            parts = (_CREATE_COLORMAP, 0, 4, number, self._roots[kind], visuals[0].id)
            yield struct.pack(self._order + "BBHIII", *parts), None
            for turn, red in enumerate(_SAMPLES):
                asked = (red, _SAMPLES[turn - 4], _SAMPLES[turn - 9])
                request = struct.pack(self._order + "BxHI3Hxx", _ALLOC_COLOR, 4, number, *asked)
                yield request, self._comparison(kind, colors, asked)
            yield struct.pack(self._order + "BxHI", _FREE_COLORMAP, 2, number), None

    def right(self) -> list[int]:
        """Visuals of which every answer was as computed."""
        kinds = [kind for kind, good in self._good.items() if good == len(_SAMPLES)]
        return [visual.id for kind in kinds for visual in self._kinds[kind]]

    def _comparison(
        self, kind: tuple[object, ...], colors: TrueColors, asked: tuple[int, int, int]
    ) -> Callable[[bytes], None]:
        def compare(reply: bytes) -> None:
            red, green, blue, pixel = struct.unpack_from(self._order + "3HxxI", reply, 8)
            if colors.alloc(asked) == (pixel, (red, green, blue)):
                self._good[kind] = self._good.get(kind, 0) + 1

        return compare
