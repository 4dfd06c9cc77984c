"""The numbers of an array's bytes, made only where they are looked at; for arrays.py."""

from __future__ import annotations

import math
import struct
import sys
from array import array
from collections.abc import Sequence
from typing import overload

__all__ = ["Halves", "Magnitudes", "swapped"]


def swapped(data: memoryview, code: str, order: str) -> Sequence[float]:
    """The numbers; a view where the machine's own order is the file's."""
    if order == {"little": ">", "big": "<"}[sys.byteorder] and code not in "bB?":
        found = array(code)
        found.frombytes(data)
        found.byteswap()
        return found
    view: Sequence[float] = data.cast(code)  # type: ignore[call-overload]
    return view


class _Slow(Sequence[float]):
    """Numbers that are made when they are asked for: of millions only some are looked at."""

    def __init__(self, raw: Sequence[float]) -> None:
        self._raw = raw

    @overload
    def __getitem__(self, at: int) -> float: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[float]: ...

    def __getitem__(self, at: int | slice) -> float | Sequence[float]:
        if isinstance(at, slice):
            return self._made(range(len(self))[at])
        place = range(len(self))[at]
        return self._made(range(place, place + 1))[0]

    def _made(self, places: range) -> Sequence[float]:
        raise NotImplementedError


class Halves(_Slow):
    """16-bit floats, which a memoryview does not know; from whole numbers of 16 bits."""

    def __len__(self) -> int:
        return len(self._raw)

    def _made(self, places: range) -> Sequence[float]:
        raw = array("H", self._raw[places.start : places.stop : places.step])
        return struct.unpack(f"={len(raw)}e", raw.tobytes())


class Magnitudes(_Slow):
    """Of complex numbers; from real and imaginary parts in turn."""

    def __len__(self) -> int:
        return len(self._raw) // 2

    def _made(self, places: range) -> Sequence[float]:
        real = self._raw[2 * places.start : 2 * places.stop : 2 * places.step]
        imaginary = self._raw[2 * places.start + 1 : 2 * places.stop + 1 : 2 * places.step]
        return [math.hypot(one, other) for one, other in zip(real, imaginary, strict=False)]
