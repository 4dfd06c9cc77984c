"""GetImage of what the program itself put into a small pixmap."""

import struct
from typing import Optional

from tests.unit.bridge.remote.desk import FIRST, ROOT, Desk
from x11fwd.bridge.remote.raster_state import LARGEST_SIDE, MOST_BYTES, MOST_WORK, Raster, Rasters
from x11fwd.bridge.shared.wire import Request

PIXMAP, CONTEXT, SECOND, WINDOW = FIRST + 1, FIRST + 2, FIRST + 3, FIRST + 4
RED, BLUE = 0xFF0000, 0x0000FF
COPY_AREA, FILL, PUT_IMAGE, GET_IMAGE, CHANGE_CONTEXT = 62, 70, 72, 73, 56


def _desk(order: str = "<", width: int = 4, height: int = 2) -> Desk:
    """A red pixmap of 24 bits per pixel, the samples' image order is little-endian."""
    desk = Desk(order)
    desk.send(53, desk.pack("IIHH", PIXMAP, ROOT, width, height), 24)
    desk.send(55, desk.pack("IIII", CONTEXT, PIXMAP, 1 << 2, RED))
    _fill(desk, 0, 0, width, height)
    return desk


def _fill(desk: Desk, x: int, y: int, width: int, height: int, pixmap: int = PIXMAP) -> None:
    desk.send(FILL, desk.pack("IIhhHH", pixmap, CONTEXT, x, y, width, height))


def _foreground(desk: Desk, value: int) -> None:
    desk.send(CHANGE_CONTEXT, desk.pack("III", CONTEXT, 1 << 2, value))


def _image(desk: Desk, x: int = 0, y: int = 0, width: int = 4, height: int = 2) -> Optional[bytes]:
    answer = desk.send(GET_IMAGE, desk.pack("IhhHHI", PIXMAP, x, y, width, height, 0xFFFFFFFF), 2)
    if answer is None:
        return None
    assert not answer.forward
    assert answer.packets[0][:2] == b"\1\x18"
    return bytes(answer.packets[0][32:])


def _pixels(desk: Desk, *values: int) -> bytes:
    return struct.pack("%s%dI" % (desk.around.setup.image_order, len(values)), *values)


def test_a_filled_pixmap_is_known_in_both_byte_orders() -> None:
    for order in "<>":
        desk = _desk(order)
        assert _image(desk) == _pixels(desk, *[RED] * 8)
        _foreground(desk, BLUE)
        _fill(desk, -1, 1, 3, 9)
        assert _image(desk) == _pixels(desk, RED, RED, RED, RED, BLUE, BLUE, RED, RED)
        assert _image(desk, 1, 1, 2, 1) == _pixels(desk, BLUE, RED)


def test_a_new_pixmap_holds_what_nobody_knows() -> None:
    desk = _desk()
    desk.send(54, desk.pack("I", PIXMAP))
    desk.send(53, desk.pack("IIHH", PIXMAP, ROOT, 4, 2), 24)
    assert _image(desk) is None
    _fill(desk, 0, 0, 3, 2)
    assert _image(desk) is None
    assert _image(desk, 0, 0, 3, 2) == _pixels(desk, *[RED] * 6)


def test_an_image_that_was_put_there_comes_back() -> None:
    desk = _desk()
    data = _pixels(desk, 1, 2, 3, 4)
    desk.send(PUT_IMAGE, desk.pack("IIHHhhBBxx", PIXMAP, CONTEXT, 2, 2, 3, 0, 0, 24) + data, 2)
    assert _image(desk) == _pixels(desk, RED, RED, RED, 1, RED, RED, RED, 3)


def test_a_copy_within_a_pixmap_may_overlap() -> None:
    desk = _desk()
    data = _pixels(desk, 1, 2, 3, 4)
    desk.send(PUT_IMAGE, desk.pack("IIHHhhBBxx", PIXMAP, CONTEXT, 4, 1, 0, 0, 0, 24) + data, 2)
    desk.send(COPY_AREA, desk.pack("IIIhhhhHH", PIXMAP, PIXMAP, CONTEXT, 0, 0, 1, 0, 4, 1))
    assert _image(desk, 0, 0, 4, 1) == _pixels(desk, 1, 1, 2, 3)


def test_a_copy_of_a_window_is_unknown_where_it_went() -> None:
    desk = _desk()
    desk.window(WINDOW)
    desk.send(COPY_AREA, desk.pack("IIIhhhhHH", WINDOW, PIXMAP, CONTEXT, 0, 0, 2, 0, 9, 9))
    assert _image(desk) is None
    assert _image(desk, 0, 0, 2, 2) == _pixels(desk, *[RED] * 4)


def test_lines_and_texts_are_not_guessed() -> None:
    for opcode, body in ((65, "hhhh"), (71, "hhHHhh"), (76, "hh")):
        desk = _desk()
        values = [1] * len(body)
        desk.send(opcode, desk.pack("II" + body, PIXMAP, CONTEXT, *values))
        desk.settle()
        assert _image(desk) is None
        _fill(desk, 0, 0, 4, 2)
        assert _image(desk) == _pixels(desk, *[RED] * 8)


def test_a_context_with_a_clip_a_function_or_planes_leaves_it_unknown() -> None:
    for bit, value in ((0, 6), (1, 0xFF), (8, 3)):
        desk = _desk()
        desk.send(CHANGE_CONTEXT, desk.pack("III", CONTEXT, 1 << bit, value))
        _fill(desk, 0, 0, 1, 1)
        assert _image(desk) is None
        assert _image(desk, 1, 0, 3, 2) is not None
    desk = _desk()
    desk.send(59, desk.pack("Ihh", CONTEXT, 0, 0))  # SetClipRectangles: none, so nothing is painted
    _fill(desk, 0, 0, 1, 1)
    assert _image(desk) is None
    desk.send(CHANGE_CONTEXT, desk.pack("III", CONTEXT, 1 << 19, 0))
    _fill(desk, 0, 0, 1, 1)
    assert _image(desk) is not None


def test_a_picture_of_a_pixmap_may_paint_into_it_for_good() -> None:
    desk = _desk()
    desk.knowledge.majors.learn("RENDER", 139, 0, 0)
    rule = next(one for one in desk.rules if ("RENDER", 4) in one.seen)
    data = desk.pack("BBHIIII", 139, 4, 5, FIRST + 9, PIXMAP, 0x25, 0)
    rule.passes(Request(99, 139, 4, memoryview(data), 4))
    _fill(desk, 0, 0, 4, 2)
    assert _image(desk) is None


def test_painting_that_failed_leaves_the_pixmap_unknown() -> None:
    desk = _desk()
    desk.send(FILL, desk.pack("IIhhHH", PIXMAP, SECOND, 0, 0, 1, 1))  # no such context
    desk.told(0, desk.pack("IHB", SECOND, 0, FILL), second=13)
    assert _image(desk) is None


def test_what_is_outside_or_asked_for_otherwise_travels() -> None:
    desk = _desk()
    assert _image(desk, 1, 0, 4, 2) is None
    assert desk.send(GET_IMAGE, desk.pack("IhhHHI", PIXMAP, 0, 0, 4, 2, 0xFF), 2) is None
    assert desk.send(GET_IMAGE, desk.pack("IhhHHI", PIXMAP, 0, 0, 4, 2, 0xFFFFFFFF), 1) is None


def test_large_pixmaps_and_too_many_are_not_followed() -> None:
    desk = _desk("<", LARGEST_SIDE + 1, 2)
    assert _image(desk) is None
    rasters = Rasters()
    count = MOST_BYTES // Raster(256, 256, 24, 4).size
    for number in range(count + 1):
        rasters.add(number, Raster(256, 256, 24, 4))
    assert rasters.get(count) is None
    rasters.drop(0)
    rasters.add(count, Raster(256, 256, 24, 4))
    assert rasters.get(count) is not None


def test_a_pixmap_that_is_painted_again_and_again_and_never_read_is_given_up() -> None:
    desk = _desk("<", 200, 200)
    for _ in range(MOST_WORK // 200 + 1):
        _fill(desk, 0, 0, 200, 200)
    _fill(desk, 0, 0, 200, 200)
    assert _image(desk) is None
    desk = _desk()
    for _ in range(MOST_WORK // 2):
        _fill(desk, 0, 0, 4, 2)
        assert _image(desk) is not None


def test_very_many_rectangles_are_not_followed() -> None:
    desk = _desk()
    rectangles = desk.pack("hhHH", 0, 0, 4, 2) * 300
    desk.send(FILL, desk.pack("II", PIXMAP, CONTEXT) + rectangles)
    assert _image(desk) is None
