"""PutImage coded as the difference to what was put there before, exact to the bit; both halves use it.

What programs drew is kept on canvases, one for each drawable and column of it, by the same rules in both
halves; the coder alone decides, and says so in what it sends. A canvas need not be what the drawable shows
(CopyArea and the like are not followed): it only has to be the same in both halves. Images of a plot change
in few pixels of few colours, so what travels is where they are and which colour of a palette each one has.
"""

import struct
from collections import OrderedDict
from typing import TYPE_CHECKING, Dict, List, NamedTuple, Optional, Tuple, Union

from x11fwd.bridge.shared.canvas import LONGEST_CODED, Canvas
from x11fwd.bridge.shared.faults import WireFault
from x11fwd.bridge.shared.pixels import coded_change, read_change
from x11fwd.bridge.shared.shades import PixelPalette
from x11fwd.bridge.shared.wire import Request

if TYPE_CHECKING:
    from x11fwd.bridge.shared.setup import Setup

SHELF = 80 << 20  # bytes of canvases on one link
SHELF_SHARE = SHELF // 8  # bytes that a connection gets however many there are
SHELF_HARD = 4 * SHELF  # bytes beyond which the decoder takes the coder for broken
SHORTEST_CODED = 1024  # bytes; below, the link's packing does as well
MOST_CANVASES = 256  # of one connection
Z_PIXMAP = 2
# The head of a coded image: flags, canvas, canvas that it is compared with or SOLID, offset or word there
_IMAGE_HEAD = struct.Struct("<BHHI")
_BIG_ORDER, _DROPS = 1, 2  # flags: the program's byte order is BIG; canvases to be forgotten follow
SOLID = 0xFFFF
_AS_NOW = b"\xff"  # in place of a change: what was put there last
_GEOMETRY = {order: struct.Struct(order + "IIHHhhBB") for order in "<>"}
_LENGTHS = {order: struct.Struct(order + "HI") for order in "<>"}
_SAMPLES = 32  # places at which two bases are compared

_ImageBytes = Union[bytes, bytearray, memoryview]


class _Place(NamedTuple):
    """Where on a canvas an image goes; `stride` is bytes of one row."""

    drawable: int
    x: int
    stride: int
    depth: int


class ImageShelf:
    """How much the canvases of all connections of one link hold."""

    def __init__(self) -> None:
        self._held: Dict[int, int] = {}
        self._total = 0

    def hold(self, connection: int, size: int) -> int:
        """A connection holds `size` bytes now; the bytes of all."""
        self._total += size - self._held.get(connection, 0)
        self._held[connection] = size
        return self._total

    def allowed(self, connection: int) -> int:
        """Bytes that a coder may hold."""
        others = self._total - self._held.get(connection, 0)
        return min(max(SHELF - others, SHELF_SHARE), max(0, SHELF_HARD - SHELF - others))

    def drop(self, connection: int) -> None:
        """The connection is over."""
        self._total -= self._held.pop(connection, 0)


class ImageCoder:
    """Codes the images of one program, whose byte order is `order`."""

    def __init__(self, shelf: ImageShelf, connection: int, setup: "Setup", order: str) -> None:
        del setup  # the length of a row follows from the request's own
        self._shelf = shelf
        self._connection = connection
        self._order = order
        self._flags = _BIG_ORDER if order == ">" else 0
        self._numbers: OrderedDict[_Place, int] = OrderedDict()  # the one used last is the last one
        self._canvases: Dict[int, Canvas] = {}
        self._free: List[int] = []
        self._drops: List[int] = []
        self._held = 0
        self._palette = PixelPalette()

    def code(self, request: Request) -> "Optional[bytes]":
        """The PutImage coded, or None when it is to travel as it is."""
        body = request.body + 20
        size = len(request.data) - body
        if size < SHORTEST_CODED or size + body > LONGEST_CODED or request.minor != Z_PIXMAP:
            return None
        found = _GEOMETRY[self._order].unpack_from(request.data, request.body)
        drawable, _, _, height, x, y, left_pad, depth = found
        if not height or left_pad or size % height or size // height % 4:
            return None
        data = bytes(request.data[body:])
        stride = size // height
        place = _Place(drawable, x, stride, depth)
        base, number, at = self._base(place, y, data)
        own = number == self._numbers.get(place)
        flags = self._flags | (_DROPS if self._drops else 0)
        drops, self._drops = self._drops, []
        target = self._target(place, y)
        coded = [_IMAGE_HEAD.pack(flags, target, number, at), bytes(request.data[:body])]
        if drops:
            coded.append(struct.pack("<%dH" % (len(drops) + 1), len(drops), *drops))
        blocks: Optional[List[int]] = []
        if own and self._canvases[target].now[at : at + size] == data:
            coded.append(_AS_NOW)
        else:
            change = coded_change(base, data, stride, self._palette)
            coded += change.coded
            blocks = change.blocks if own else None
        self._keep(target, y, stride, data, blocks)
        return b"".join(coded)

    def _base(self, place: _Place, y: int, data: bytes) -> "Tuple[_ImageBytes, int, int]":
        """What the image is compared with: its bytes, and the two numbers that tell the decoder."""
        size = len(data)
        number = self._numbers.get(place)
        at = -1 if number is None else self._canvases[number].offset(y, place.stride, size)
        if number is not None and at >= 0 and self._canvases[number].now[at : at + size] == data:
            return data, number, at
        if at < 0:
            for other in reversed(self._numbers):
                if other.stride == place.stride and other.depth == place.depth:
                    number = self._numbers[other]
                    at = self._canvases[number].offset(y, place.stride, size)
                    if at >= 0:
                        break
        word = _common_word(data)
        solid = _likeness(data, word * 16, 0, 0)
        if number is not None and at >= 0:
            canvas = self._canvases[number]
            rows = canvas.ground if number == self._numbers.get(place) else canvas.now
            if _likeness(data, rows, at, 1) >= solid:
                return rows[at : at + size], number, at
        return word * (size // 4), SOLID, int.from_bytes(word, "little")

    def _target(self, place: _Place, y: int) -> int:
        """The number of the canvas of a place."""
        number = self._numbers.get(place)
        if number is None:
            number = self._free.pop() if self._free else len(self._canvases)
            self._canvases[number] = Canvas(y)
            self._numbers[place] = number
        else:
            self._numbers.move_to_end(place)
        return number

    def _keep(self, number: int, y: int, stride: int, data: bytes, blocks: "Optional[List[int]]") -> None:
        """Put the image on its canvas, and give up those that were not used for long."""
        canvas = self._canvases[number]
        self._held -= canvas.size
        canvas.keep(y, stride, data, blocks)
        self._held += canvas.size
        allowed = self._shelf.allowed(self._connection)
        while self._held > allowed or len(self._numbers) > MOST_CANVASES:
            _, old = self._numbers.popitem(last=False)
            self._held -= self._canvases.pop(old).size
            self._free.append(old)
            self._drops.append(old)
        self._shelf.hold(self._connection, self._held)


class ImageDecoder:
    """Makes requests of what the ImageCoder of the same connection coded."""

    def __init__(self, shelf: ImageShelf, connection: int) -> None:
        self._shelf = shelf
        self._connection = connection
        self._canvases: Dict[int, Canvas] = {}
        self._held = 0
        self._palette = PixelPalette()

    def decode(self, coded: "Union[bytes, memoryview]") -> bytes:
        """The very request.

        Raises:
            WireFault: this was not coded by an ImageCoder.
        """
        try:
            return self._decode(bytes(coded))
        except (struct.error, IndexError, KeyError, ValueError, OverflowError) as error:
            raise WireFault("the other half sends an image that is damaged: %r" % error) from None

    def _decode(self, coded: bytes) -> bytes:
        flags, target, number, at = _IMAGE_HEAD.unpack_from(coded)
        order = ">" if flags & _BIG_ORDER else "<"
        start = _IMAGE_HEAD.size
        units, longer = _LENGTHS[order].unpack_from(coded, start + 2)
        body = 24 if units else 28
        head = coded[start : start + body]
        found = _GEOMETRY[order].unpack_from(head, body - 20)
        height, y = found[3], found[5]
        size = (units or longer) * 4 - body
        if (
            target == SOLID
            or not SHORTEST_CODED <= size <= LONGEST_CODED
            or not height
            or size % height
            or size // height % 4
        ):
            raise WireFault("the other half sends an image of an impossible size")
        stride, start = size // height, start + body
        if flags & _DROPS:
            count = struct.unpack_from("<H", coded, start)[0]
            for old in struct.unpack_from("<%dH" % count, coded, start + 2):
                self._held -= self._canvases.pop(old).size
            start += 2 + 2 * count
        as_now = coded[start : start + 1] == _AS_NOW
        if number == SOLID:
            base = bytearray(at.to_bytes(4, "little") * (size // 4))
        else:
            there = self._canvases[number]
            base = (there.now if as_now or number != target else there.ground)[at : at + size]
        if len(base) != size or (number == target and at != (y - there.top) * stride):
            raise WireFault("the other half sends an image that is compared with nothing")
        blocks: Optional[List[int]] = []
        if as_now:
            data = bytes(base)
        else:
            _, data, blocks = read_change(base, coded, start, stride, self._palette)
        self._keep(target, y, stride, data, blocks if number == target else None)
        return head + data

    def _keep(self, number: int, y: int, stride: int, data: bytes, blocks: "Optional[List[int]]") -> None:
        canvas = self._canvases.get(number)
        if canvas is None:
            # drops come with the image after the one that made them due
            if len(self._canvases) > MOST_CANVASES + 1:
                raise WireFault("the other half keeps too many images")
            canvas = self._canvases[number] = Canvas(y)
        self._held -= canvas.size
        canvas.keep(y, stride, data, blocks)
        self._held += canvas.size
        if self._shelf.hold(self._connection, self._held) > SHELF_HARD:
            raise WireFault("the other half keeps images of more than %d bytes" % SHELF_HARD)


def _common_word(data: bytes) -> bytes:
    """What most of some pixels are."""
    step = max(4, len(data) // _SAMPLES // 4 * 4)
    some = [data[at : at + 4] for at in range(0, len(data), step)]
    return max(set(some), key=lambda word: (some.count(word), word))


def _likeness(data: bytes, other: "_ImageBytes", at: int, moves: int) -> int:
    """At how many of some places two images are equal; with `moves` 0 the other is the same everywhere."""
    step = max(64, len(data) // _SAMPLES // 64 * 64)
    return sum(
        data[one : one + 64] == other[at + one * moves : at + one * moves + 64]
        for one in range(0, len(data) - 63, step)
    )
