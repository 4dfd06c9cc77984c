"""Which requests cannot fail, rule by rule, and what the program made and freed on the way."""

import random
import struct
from typing import List, Optional

from tests.unit.bridge.shared import samples
from x11fwd.bridge.shared.resources import Palette, Pixels, Resources
from x11fwd.bridge.shared.risk import Judge
from x11fwd.bridge.shared.setup import Setup, read_setup
from x11fwd.bridge.shared.wire import Request

ROOT, COLORMAP, TRUE_COLOR, BASE = 0x50A, 0x20, 0x21, 0x400000
WINDOW, PIXMAP, BITMAP, GC, OTHER = (BASE + one for one in range(1, 6))
STRANGE = 0x900001  # somebody else's


class Desk:
    """A judge of a program that has asked for nothing yet, in one byte order."""

    def __init__(self, order: str = "<") -> None:
        setup = read_setup(samples.setup(order), order)
        assert isinstance(setup, Setup)
        self.order = order
        self.resources = Resources(setup)
        self.judge = Judge(order, self.resources)
        self.number = 0

    def safe(self, opcode: int, fields: str, *values: int, second: int = 0, tail: bytes = b"") -> bool:
        """Whether the next request, with these words behind its length, cannot fail."""
        self.number += 1
        body = struct.pack(self.order + fields, *values) + tail
        data = memoryview(samples.request(self.order, opcode, second, body))
        return not self.judge.can_fail(Request(self.number, opcode, second, data, 4))

    def window(
        self, number: int = WINDOW, parent: int = ROOT, *, kind: int = 1, attributes: str = ""
    ) -> bool:
        words = [int(word, 16) for word in attributes.split()] or [0]
        fields = "IIhhHHHHI%dI" % len(words)
        return self.safe(1, fields, number, parent, 0, 0, 200, 100, 0, kind, 0, *words)

    def pixmap(self, number: int = PIXMAP, depth: int = 24, width: int = 16) -> bool:
        return self.safe(53, "IIHH", number, ROOT, width, 16, second=depth)

    def context(
        self, number: int = GC, drawable: int = PIXMAP, mask: int = 0, value: Optional[int] = None
    ) -> bool:
        return self.safe(55, "IIII" if value is not None else "III", *(number, drawable, mask), *_one(value))

    def everything(self) -> "Desk":
        """One window, one pixmap of its depth, one bitmap, one context."""
        assert self.window()
        assert self.pixmap()
        assert self.pixmap(BITMAP, 1)
        assert self.context()
        return self


def _one(value: "Optional[int]") -> "List[int]":
    return [] if value is None else [value]


def test_a_program_makes_and_frees_its_own_things_safely_in_both_byte_orders() -> None:
    for order in "<>":
        desk = Desk(order).everything()
        assert desk.safe(8, "I", WINDOW)
        assert desk.safe(10, "I", WINDOW)
        assert desk.safe(54, "I", PIXMAP)
        assert not desk.safe(54, "I", PIXMAP)
        assert desk.safe(60, "I", GC)
        assert desk.safe(4, "I", WINDOW)
        assert not desk.safe(8, "I", WINDOW)


def test_drawing_is_safe_where_drawable_and_context_fit() -> None:
    desk = Desk().everything()
    for drawable, fits in ((WINDOW, True), (PIXMAP, True), (BITMAP, False), (ROOT, False), (STRANGE, False)):
        assert desk.safe(70, "IIhhHH", drawable, GC, 0, 0, 5, 5) is fits
        assert desk.safe(65, "IIhhhh", drawable, GC, 0, 0, 5, 5, second=1) is fits
        assert desk.safe(62, "IIIhhhhHH", PIXMAP, drawable, GC, 0, 0, 0, 0, 5, 5) is fits
        assert desk.safe(76, "IIhh", drawable, GC, 0, 0, second=3, tail=b"abc\0") is fits
    assert not desk.safe(70, "IIhhHH", WINDOW, PIXMAP, 0, 0, 5, 5)
    assert not desk.safe(65, "IIhhhh", WINDOW, GC, 0, 0, 5, 5, second=2)  # no such coordinate mode
    assert not desk.safe(70, "IIhhHHI", WINDOW, GC, 0, 0, 5, 5, 0)  # half a rectangle
    assert desk.safe(63, "IIIhhhhHHI", BITMAP, WINDOW, GC, 0, 0, 0, 0, 5, 5, 1)
    assert not desk.safe(63, "IIIhhhhHHI", BITMAP, WINDOW, GC, 0, 0, 0, 0, 5, 5, 2)


def test_an_image_is_safe_with_the_right_depth_and_size() -> None:
    desk = Desk().everything()
    image = (WINDOW, GC, 3, 2, 0, 0, 0, 24)
    assert desk.safe(72, "IIHHhhBBxx", *image, second=2, tail=bytes(24))
    assert not desk.safe(72, "IIHHhhBBxx", *image, second=2, tail=bytes(20))
    assert not desk.safe(72, "IIHHhhBBxx", *image, second=3, tail=bytes(24))
    assert not desk.safe(72, "IIHHhhBBxx", *image[:-1], 32, second=2, tail=bytes(24))
    assert desk.safe(72, "IIHHhhBBxx", *image[:-1], 1, second=0, tail=bytes(8))
    data = samples.long_request("<", 72, 2, struct.pack("<IIHHhhBBxx", *image) + bytes(24))
    assert not desk.judge.can_fail(Request(99, 72, 2, memoryview(data), 8))


def test_what_touches_others_or_the_unknown_can_fail() -> None:
    desk = Desk().everything()
    assert not desk.safe(8, "I", STRANGE)
    assert desk.safe(2, "III", ROOT, 1 << 11, 0x400000)  # PropertyChange
    assert not desk.safe(2, "III", ROOT, 1 << 11, 0x100000)  # SubstructureRedirect: the window manager's
    assert not desk.safe(2, "III", STRANGE, 1 << 11, 0x400000)
    assert not desk.safe(42, "II", WINDOW, 0, second=1)  # SetInputFocus: the window may not be viewable
    assert desk.safe(8, "I", WINDOW)
    assert not desk.safe(28, "IHBBIIBxH", WINDOW, 4, 1, 1, 0, 0, 1, 0)  # GrabButton: Access
    assert not desk.safe(139, "II", 1, 2)
    assert not desk.window(OTHER, STRANGE)
    assert not desk.safe(8, "I", OTHER)
    assert not desk.window(STRANGE)


def test_windows_are_judged_by_their_attributes() -> None:
    desk = Desk().everything()
    for number, attributes, safe in (
        (1, "803 %x 0 3f" % PIXMAP, True),  # background pixmap, background pixel, events
        (2, "1 %x" % BITMAP, False),
        (3, "2000 20", True),  # the default colormap
        (4, "2000 99", False),
        (5, "10 b", False),  # no such gravity
        (6, "800 2000000", False),  # no such event
        (7, "800", False),  # a value is missing
        (8, "4000 0", True),  # no cursor
        (9, "8000 0", False),  # no such attribute
    ):
        assert desk.window(BASE + 100 + number, attributes=attributes) is safe, attributes
    assert desk.window(OTHER, WINDOW, kind=2)
    assert not desk.safe(61, "IhhHH", OTHER, 0, 0, 0, 0)  # InputOnly
    assert desk.safe(61, "IhhHH", WINDOW, 0, 0, 0, 0)
    assert desk.safe(2, "III", WINDOW, 1 << 11, 4)  # ButtonPress: nobody has come to it
    assert desk.safe(8, "I", WINDOW)
    assert not desk.safe(2, "III", WINDOW, 1 << 11, 4)  # somebody else may have selected it
    assert desk.safe(2, "III", WINDOW, 1 << 11, 0x8000)


def test_configuring_and_properties() -> None:
    desk = Desk().everything()
    assert desk.safe(12, "IHxxII", WINDOW, 0b1100, 10, 20)
    assert not desk.safe(12, "IHxxII", WINDOW, 0b1100, 10, 0)
    assert not desk.safe(12, "IHxxII", WINDOW, 0b1100000, OTHER, 0)  # a sibling
    assert desk.safe(18, "IIIBxxxI", WINDOW, 39, 31, 8, 3, tail=b"abc\0")
    assert not desk.safe(18, "IIIBxxxI", WINDOW, 39, 31, 8, 3, second=2, tail=b"abc\0")
    assert not desk.safe(18, "IIIBxxxI", WINDOW, 300, 31, 8, 0)
    desk.resources.atoms.add(300)
    assert desk.safe(18, "IIIBxxxI", WINDOW, 300, 31, 8, 0)
    assert not desk.safe(18, "IIIBxxxI", ROOT, 300, 31, 8, 0)


def test_contexts_are_judged_by_their_components() -> None:
    desk = Desk().everything()
    for mask, value, safe in (
        (1 << 0, 15, True),
        (1 << 0, 16, False),
        (1 << 10, PIXMAP, True),
        (1 << 10, BITMAP, False),
        (1 << 11, BITMAP, True),
        (1 << 14, OTHER, False),
        (1 << 19, 0, True),
        (1 << 21, 0, False),
        (1 << 23, 0, False),
        (1 << 16, None, False),
    ):
        values = [] if value is None else [value]
        assert desk.safe(56, "II%dI" % len(values), GC, mask, *values) is safe, (mask, value)
    assert not desk.pixmap(BASE + 50, 24, 40000)
    assert not desk.pixmap(BASE + 51, 24, 0)
    assert not desk.pixmap(BASE + 52, 5)


def test_an_unsure_creation_counts_once_it_is_settled() -> None:
    desk = Desk().everything()
    font, broken = BASE + 60, BASE + 61
    assert not desk.safe(45, "IHxx", font, 5, tail=b"fixed\0\0\0")
    assert not desk.safe(45, "IHxx", broken, 3, tail=b"bad\0")
    assert not desk.safe(56, "III", GC, 1 << 14, font)
    desk.resources.failed(desk.number - 1)
    desk.resources.settled(desk.number)
    assert desk.safe(56, "III", GC, 1 << 14, font)
    assert not desk.safe(56, "III", GC, 1 << 14, broken)
    assert desk.safe(46, "I", font)


def test_an_id_given_twice_before_the_first_is_settled_is_in_doubt() -> None:
    desk = Desk()
    assert not desk.pixmap(PIXMAP, 5)
    assert not desk.pixmap(PIXMAP, 24)  # makes it if the first one fails
    desk.resources.failed(1)
    desk.resources.settled(2)
    assert not desk.safe(54, "I", PIXMAP)
    assert not desk.pixmap(PIXMAP)


def test_what_fails_for_lack_of_memory_is_forgotten() -> None:
    desk = Desk()
    assert desk.pixmap()
    desk.resources.failed(desk.number)
    desk.resources.settled(desk.number)
    assert not desk.safe(54, "I", PIXMAP)


def test_windows_inside_end_with_the_window_and_ids_in_doubt_are_not_trusted() -> None:
    desk = Desk().everything()
    assert desk.window(OTHER, WINDOW)
    assert not desk.safe(60, "I", WINDOW)  # FreeGC of a window: whatever it does, nothing is sure now
    assert not desk.safe(8, "I", OTHER)
    assert not desk.window(OTHER)
    other = Desk()
    assert other.window()
    assert other.window(OTHER, WINDOW)
    assert other.safe(4, "I", WINDOW)
    assert other.window(OTHER)


def test_a_freed_colormap_leaves_its_windows_without_one() -> None:
    desk = Desk()
    palette = BASE + 70
    assert desk.safe(78, "III", palette, ROOT, TRUE_COLOR)
    assert desk.window(attributes="2000 %x" % palette)
    assert desk.window(OTHER, WINDOW)
    assert desk.safe(79, "I", palette)
    assert not desk.window(BASE + 71, WINDOW)  # inherits none: Match
    assert desk.safe(79, "I", COLORMAP)  # the default one stays
    assert desk.window(BASE + 72)


def test_kinds_with_the_same_numbers_are_not_mixed_up() -> None:
    desk = Desk().everything()
    desk.resources.known[BASE + 80] = Palette(ROOT, 24)
    assert desk.resources.known[GC] == desk.resources.known[BASE + 80]  # named tuples are like that
    assert not desk.safe(70, "IIhhHH", WINDOW, BASE + 80, 0, 0, 5, 5)
    assert isinstance(desk.resources.known[WINDOW], Pixels)


def test_any_request_gets_a_verdict() -> None:
    chance = random.Random(6)
    desk = Desk().everything()
    words = [WINDOW, PIXMAP, GC, ROOT, 0, 1, 0xFFFFFFFF, BASE + 90]
    for _ in range(3000):
        count = chance.randrange(9)
        body = [
            chance.choice(words) if chance.random() < 0.7 else chance.randrange(1 << 32) for _ in range(count)
        ]
        desk.safe(chance.randrange(1, 128), "%dI" % count, *body, second=chance.randrange(3))
