"""What was put in one place of a drawable, kept by the same rules in both halves; `images` uses it."""

from typing import List, Optional

LONGEST_CODED = 1 << 24  # bytes of a request that is coded
LONGEST_CANVAS = 36 << 20  # bytes; 3840 * 2160 pixels have 33 MB
MOST_GAP = 1 << 20  # bytes between two images on one canvas


class Canvas:
    """The rows that were put in one place, from row `top` on.

    `now` is what was put last. `ground` is what stays: a block that differs from it and is put twice the
    same becomes ground. A curve that moves leaves it alone, so that only its new pixels have to be told, not
    the return of what was behind the old ones.
    """

    def __init__(self, top: int) -> None:
        self.top = top
        self.now = bytearray()
        self.ground = bytearray()

    @property
    def size(self) -> int:
        """Bytes held."""
        return 2 * len(self.now)

    def offset(self, y: int, stride: int, size: int) -> int:
        """Where `size` bytes from row `y` on lie, or -1."""
        at = (y - self.top) * stride
        return at if at >= 0 and at + size <= len(self.now) else -1

    def keep(self, y: int, stride: int, data: bytes, blocks: "Optional[List[int]]") -> None:
        """Keep an image that differs from the ground there in some blocks, or in most of it (None)."""
        if blocks is None:
            self._put(y, stride, data)
            return
        now, ground, at = self.now, self.ground, (y - self.top) * stride
        for block in blocks:
            piece = data[block : block + 64]
            start = at + block
            if now[start : start + len(piece)] == piece:
                ground[start : start + len(piece)] = piece
        now[at : at + len(data)] = data

    def _put(self, y: int, stride: int, data: bytes) -> None:
        """One that is far from the others takes their place."""
        at, size, length = (y - self.top) * stride, len(data), len(self.now)
        gap = max(at - length, -at - size, 0)
        if not length or gap > MOST_GAP or max(at + size, length) - min(at, 0) > LONGEST_CANVAS:
            self.now, self.ground, self.top = bytearray(data), bytearray(data), y
            return
        self.top = min(self.top, y)
        for rows in (self.now, self.ground):
            if at >= 0:
                rows.extend(bytes(gap))
                rows[at : at + size] = data
            else:
                rows[:0] = bytes(gap)
                rows[: max(0, at + gap + size)] = data
