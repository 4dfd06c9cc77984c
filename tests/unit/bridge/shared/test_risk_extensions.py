"""Which requests of extensions and about input cannot fail, and what the judge remembers of them."""

import struct
from typing import Tuple

from tests.unit.bridge.shared import samples
from tests.unit.bridge.shared.test_risk import BASE, BITMAP, GC, PIXMAP, ROOT, STRANGE, WINDOW, Desk
from x11fwd.bridge.shared.majors import Majors
from x11fwd.bridge.shared.risk import Judge
from x11fwd.bridge.shared.wire import Request

RENDER, XFIXES, SHAPE, SYNC, XI, XKB = range(130, 136)
A24, A8, INDEXED = 0x30, 0x31, 0x32
PICTURE, SOLID, GLYPHS, THING = (BASE + one for one in range(20, 24))


def knowing(order: str = "<") -> Desk:
    """A desk with extensions, two direct formats and an indexed one, and XI 2.4."""
    desk = Desk(order).everything()
    majors = Majors()
    names = ("RENDER", "XFIXES", "SHAPE", "SYNC", "XInputExtension", "XKEYBOARD")
    for major, name in enumerate(names, RENDER):
        majors.learn(name, major, 0, 0)
    formats = b"".join(
        struct.pack(order + "IBBxx8H4x", number, kind, depth, *[0] * 8)
        for number, kind, depth in ((A24, 1, 24), (A8, 1, 1), (INDEXED, 0, 24))
    )
    told = samples.answer(order, 1, 0)
    facts = {
        struct.pack(order + "BBH", RENDER, 1, 1): told[:8]
        + struct.pack(order + "I", 3)
        + told[12:]
        + formats,
        struct.pack(order + "BBHHH", XI, 47, 2, 2, 4): told[:8] + struct.pack(order + "HH", 2, 4) + told[12:],
    }
    desk.judge = Judge(order, desk.resources, majors, facts.get)
    return desk


def drawn(order: str = "<") -> Desk:
    """The same with a picture of the pixmap, a solid one, and a glyph set with glyph 5."""
    desk = knowing(order)
    assert desk.safe(RENDER, "IIII", PICTURE, PIXMAP, A24, 0, second=4)
    assert desk.safe(RENDER, "III", SOLID, 0, 0, second=33)
    assert desk.safe(RENDER, "II", GLYPHS, A8, second=17)
    return desk


def test_pictures_are_made_of_what_fits_a_known_format() -> None:
    for order in "<>":
        desk = drawn(order)
        for form in (A8, INDEXED, 0x99):
            assert not desk.safe(RENDER, "IIII", BASE + 40 + form, PIXMAP, form, 0, second=4)
        assert not desk.safe(RENDER, "IIII", BASE + 41, ROOT, A24, 0, second=4)
        assert not desk.safe(RENDER, "IIIII", BASE + 42, PIXMAP, A24, 1, 4, second=4)  # no such repeat
        assert desk.safe(RENDER, "III", PICTURE, 1 << 6, BITMAP, second=5)
        assert not desk.safe(RENDER, "III", SOLID, 1 << 6, 0, second=5)  # has no drawable to clip
        assert desk.safe(RENDER, "I", PICTURE, second=7)
        assert not desk.safe(RENDER, "I", PICTURE, second=7)


def test_rendering_is_safe_from_known_pictures_to_one_with_a_drawable() -> None:
    desk = drawn()
    place = (0, 0, 0, 0, 0, 0, 5, 5)
    composite = "IIII6hHH"
    assert desk.safe(RENDER, composite, 3, SOLID, 0, PICTURE, *place, second=8)
    assert not desk.safe(RENDER, composite, 3, PICTURE, 0, SOLID, *place, second=8)
    assert not desk.safe(RENDER, composite, 0x3F, SOLID, 0, PICTURE, *place, second=8)
    assert not desk.safe(RENDER, composite, 3, STRANGE, 0, PICTURE, *place, second=8)
    assert desk.safe(RENDER, "IIIIhh10I", 3, SOLID, PICTURE, A8, 0, 0, *[0] * 10, second=10)
    assert not desk.safe(RENDER, "IIIIhh9I", 3, SOLID, PICTURE, A8, 0, 0, *[0] * 9, second=10)
    assert desk.safe(RENDER, "IHxx", PICTURE, 4, second=30, tail=b"good")
    assert not desk.safe(RENDER, "IHxx", PICTURE, 4, second=30, tail=b"nope")


def test_glyphs_are_counted_by_bytes_and_freed_by_number() -> None:
    desk = drawn()
    glyph = (GLYPHS, 1, 5, 9, 2, 0, 0, 1, 1)
    assert desk.safe(RENDER, "IIIHHhhhh", *glyph, second=20, tail=bytes(8))
    assert not desk.safe(RENDER, "IIIHHhhhh", *glyph, second=20, tail=bytes(12))
    text = (3, SOLID, PICTURE, 0, GLYPHS, 0, 0)
    assert desk.safe(RENDER, "IIIIIhh", *text, second=23, tail=b"\1\0\0\0\0\0\0\0\5\0\0\0")
    assert not desk.safe(RENDER, "IIIIIhh", *text, second=23, tail=b"\5\0\0\0\0\0\0\0\5\0\0\0")
    assert not desk.safe(RENDER, "II", GLYPHS, 6, second=22)
    assert desk.safe(RENDER, "II", GLYPHS, 5, second=22)
    assert not desk.safe(RENDER, "II", GLYPHS, 5, second=22)


def test_a_picture_ends_with_its_window_and_outlives_its_pixmap() -> None:
    desk = drawn()
    picture = BASE + 50
    assert desk.safe(RENDER, "IIII", picture, WINDOW, A24, 0, second=4)
    assert desk.safe(54, "I", PIXMAP)
    assert desk.safe(RENDER, "I", PICTURE, second=7)
    assert desk.safe(4, "I", WINDOW)
    assert not desk.safe(RENDER, "I", picture, second=7)


def test_regions_shapes_and_counters() -> None:
    desk = knowing()
    assert desk.safe(XFIXES, "IHHHH", THING, 0, 0, 5, 5, second=5)
    assert desk.safe(XFIXES, "IIHH", GC, THING, 0, 0, second=20)
    assert not desk.safe(SYNC, "I", THING, second=6)  # a region is no counter
    assert not desk.safe(XFIXES, "I", THING, second=10)  # of which nothing is sure now
    assert desk.safe(SYNC, "III", BASE + 60, 0, 0, second=2)
    assert desk.safe(SYNC, "III", BASE + 60, 0, 7, second=3)
    assert desk.safe(SHAPE, "BBxxIHHI", 0, 0, WINDOW, 0, 0, BITMAP, second=2)
    assert not desk.safe(SHAPE, "BBxxIHHI", 0, 0, WINDOW, 0, 0, PIXMAP, second=2)


def test_an_extension_that_nobody_asked_for_is_not_judged() -> None:
    desk = Desk().everything()
    assert not desk.safe(RENDER, "III", SOLID, 0, 0, second=33)


def test_events_of_devices_are_selected_by_bits_of_the_servers_version() -> None:
    desk = knowing()

    def selects(window: int, device: int, mask: int) -> bool:
        return desk.safe(XI, "IHxxHHII", window, 1, device, 2, mask & 0xFFFFFFFF, mask >> 32, second=46)

    assert selects(WINDOW, 1, 0x1F81C07FC)  # what GTK selects
    assert not selects(WINDOW, 9, 0x7FC)  # nobody knows here whether there is such a device
    assert not selects(WINDOW, 1, 1 << 11)  # of all devices only
    assert selects(ROOT, 0, 1 << 11)
    assert not selects(WINDOW, 1, 1 << 13)  # raw: on roots only
    assert not selects(WINDOW, 1, 1 << 18)  # touches come together
    assert not selects(WINDOW, 1, 1 << 33)
    assert desk.safe(8, "I", WINDOW)
    assert not selects(WINDOW, 1, 0x1C0000)  # somebody else may have selected them


def test_keyboard_events_need_the_extension_opened() -> None:
    desk = knowing()
    select = ("HHHHHH", 0x100, 7, 0, 7, 0xFF, 0xFF)
    assert not desk.safe(XKB, *select, second=1)
    opening = samples.request("<", XKB, 0, struct.pack("<HH", 1, 0))
    desk.judge.asked(Request(1, XKB, 0, memoryview(opening), 4))
    assert desk.safe(XKB, *select, second=1)
    assert desk.safe(XKB, "HHHHHHHH", 3, 1, 0, 0, 0, 0, 5, 5, second=1)
    assert not desk.safe(XKB, "HHHHHHHH", 3, 1, 0, 0, 0, 0, 5, 7, second=1)  # values without their mask
    assert not desk.safe(XKB, "HHHHHH", 77, 7, 0, 7, 0, 0, second=1)


def test_messages_selections_and_grabs() -> None:
    desk = Desk().everything()

    def sends(kind: int, form: int) -> bool:
        return desk.safe(25, "IIBB30x", ROOT, 0x180000, kind, form)

    assert sends(33, 32)
    assert not sends(33, 9)
    assert not sends(35, 0)  # a generic event
    assert desk.safe(22, "III", WINDOW, 1, 0)
    assert not desk.safe(22, "III", STRANGE, 1, 0)
    grab: Tuple[int, ...] = (WINDOW, 4, 1, 1, 0, 0, 1, 0)
    assert desk.safe(28, "IHBBIIBxH", *grab)  # nobody else has come to it
    assert desk.safe(8, "I", WINDOW)
    assert not desk.safe(28, "IHBBIIBxH", *grab)


def test_text_with_fonts_is_read_to_its_end() -> None:
    desk = Desk().everything()
    assert desk.safe(74, "IIhh", WINDOW, GC, 0, 0, tail=b"\3\0abc\0\0\0")
    assert not desk.safe(74, "IIhh", WINDOW, GC, 0, 0, tail=b"\7\0abc\0\0\0")
    assert not desk.safe(74, "IIhh", WINDOW, GC, 0, 0, tail=b"\377\0\1\2\3\0\0\0")  # no such font
    assert not desk.safe(74, "II", WINDOW, GC)  # without a place


def test_a_configured_top_level_makes_answers_wait_and_an_inner_window_does_not() -> None:
    desk = Desk().everything()
    inner = BASE + 70

    def waits(window: int) -> bool:
        desk.number += 1
        data = memoryview(samples.request("<", 12, 0, struct.pack("<IHxxII", window, 12, 50, 60)))
        request = Request(desk.number, 12, 0, data, 4)
        return desk.judge.must_wait(request)

    assert desk.window(inner, WINDOW)
    assert not waits(WINDOW)
    assert desk.safe(8, "I", WINDOW)
    assert desk.safe(8, "I", inner)
    assert waits(WINDOW)
    assert not waits(inner)


def test_windows_go_into_other_own_windows_but_not_into_themselves() -> None:
    desk = Desk().everything()
    inner = BASE + 71
    assert desk.window(inner, WINDOW)
    assert not desk.safe(7, "IIhh", WINDOW, inner, 0, 0)
    assert desk.safe(7, "IIhh", inner, ROOT, 0, 0)
    assert desk.safe(4, "I", WINDOW)
    assert desk.safe(8, "I", inner)  # it is elsewhere now


def test_windows_as_deep_as_a_hostile_program_likes_end_at_once() -> None:
    desk = Desk().everything()
    parent = WINDOW
    for number in range(BASE + 1000, BASE + 6000):
        assert desk.window(number, parent)
        parent = number
    assert desk.safe(4, "I", WINDOW)
    assert not desk.safe(8, "I", parent)
