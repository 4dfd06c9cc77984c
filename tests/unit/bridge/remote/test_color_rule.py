"""Colours: the arithmetic, and what FreeColors says of pixels that were given here."""

import struct

from tests.unit.bridge.remote.told import COLORMAP, TRUE_COLOR_VISUAL, Told, error_of, only
from x11fwd.bridge.remote.rules.colors import MOST_QUERIED, ColorRule
from x11fwd.bridge.shared.packets import reply_packet
from x11fwd.bridge.shared.setup import VisualType
from x11fwd.bridge.shared.truecolor import Allocated, TrueColors, true_colors
from x11fwd.bridge.shared.wire import Packet

DEEP = VisualType(0x21, 4, 8, 256, 0xFF0000, 0xFF00, 0xFF, 24)
SHALLOW = VisualType(0x21, 4, 6, 64, 0xF800, 0x7E0, 0x1F, 16)
ALPHA = VisualType(0x40, 4, 8, 256, 0xFF0000, 0xFF00, 0xFF, 32)


def _ready(order: str = "<") -> Told:
    told = Told(order)
    told.knowledge.colors.add(TRUE_COLOR_VISUAL)
    return told


def _color(told: Told, *values: int) -> bytes:
    return told.words(COLORMAP) + struct.pack(told.order + "3Hxx", *values)


def test_a_colour_is_rounded_as_xorg_does() -> None:
    deep, shallow = TrueColors(DEEP), TrueColors(SHALLOW)
    assert deep.alloc((0xFFFF, 0x8000, 0x00FF)) == (0xFF8000, (0xFFFF, 0x8080, 0))
    assert deep.color(0x123456) == (0x1212, 0x3434, 0x5656)
    assert deep.color(0x1000000) is None
    # seen on Xvfb with depth 16
    assert shallow.alloc((0xFFFF, 0xFFFF, 0xFFFF)) == (0xFFFF, (0xFFFF, 0xFFFF, 0xFFFF))
    assert shallow.alloc((0, 0, 0)) == (0, (0, 0, 0))
    assert TrueColors(ALPHA).alloc((0, 0, 0xFFFF))[0] == 0xFF0000FF


def test_the_nearest_cell_is_the_first_of_those_that_are_as_near() -> None:
    for visual in (DEEP, SHALLOW, VisualType(1, 4, 8, 64, 0xF800, 0x7E0, 0x1F, 16)):
        colors = TrueColors(visual)
        for ramp in colors.ramps:
            for value in range(0, 65536, 251):
                wanted = ramp.resolved(value)
                cells = range(len(ramp.levels))
                best = min(cells, key=lambda cell, wanted=wanted: abs(ramp.levels[cell] - wanted))  # type: ignore[misc]
                assert ramp.best(value) == (best << ramp.shift, ramp.levels[best])


def test_visuals_that_are_not_computed() -> None:
    for changed in (
        DEEP._replace(kind=5),
        DEEP._replace(red=0),
        DEEP._replace(red=0xF00F00),
        DEEP._replace(red=0xFFFF0000),
        DEEP._replace(bits_per_rgb=0),
        DEEP._replace(bits_per_rgb=17),
    ):
        assert true_colors(changed) is None


def test_colours_are_answered_in_both_byte_orders() -> None:
    for order in "<>":
        told = _ready(order)
        rule = ColorRule(told.around)
        packet = only(told.ask(rule, 84, 0, _color(told, 0xFFFF, 0x8000, 0xFF)))
        assert struct.unpack_from(order + "3HxxI", packet, 8) == (0xFFFF, 0x8080, 0, 0xFF8000)
        packet = only(told.ask(rule, 91, 0, told.words(COLORMAP, 0xFF8000, 1)))
        assert struct.unpack_from(order + "H", packet, 8) == (2,)
        assert struct.unpack_from(order + "3Hxx3Hxx", packet, 32) == (0xFFFF, 0x8080, 0, 0, 0, 0x101)
        told.knowledge.learn_color(b"DarkGray", (0xA9A9, 0xA9A9, 0xA9A9))
        packet = only(told.ask(rule, 85, 0, told.name(b"darkGRAY", COLORMAP)))
        assert struct.unpack_from(order + "I6H", packet, 8) == (0xA9A9A9, *[0xA9A9] * 6)
        packet = only(told.ask(rule, 92, 0, told.name(b"darkgray", COLORMAP)))
        assert struct.unpack_from(order + "6H", packet, 8) == (0xA9A9,) * 6


def test_what_is_not_sure_travels() -> None:
    told = Told()
    rule = ColorRule(told.around)
    assert told.ask(rule, 84, 0, _color(told, 1, 2, 3)) is None  # nobody has compared the visual
    told = _ready()
    rule = ColorRule(told.around)
    assert told.ask(rule, 84, 0, told.words(0x999) + bytes(8)) is None  # somebody's colormap
    assert told.ask(rule, 85, 0, told.name(b"no such colour", COLORMAP)) is None
    assert told.ask(rule, 91, 0, told.words(COLORMAP, 0xFF000000)) is None  # Value
    assert told.ask(rule, 84, 0, told.words(COLORMAP)) is None  # Length
    assert told.ask(rule, 84) is None


def test_what_was_allocated_can_be_freed_once() -> None:
    told = _ready()
    rule = ColorRule(told.around)
    told.ask(rule, 84, 0, _color(told, 0xFFFF, 0, 0))
    free = told.words(COLORMAP, 0, 0xFF0000)
    answer = told.ask(rule, 88, 0, free)
    assert answer is not None
    assert not answer.packets
    assert error_of(told.ask(rule, 88, 0, free), "<")[::2] == (10, 88)
    assert error_of(told.ask(rule, 88, 0, told.words(COLORMAP, 0, 0xFF000000)), "<") == (2, 0xFF000000, 88)
    assert told.ask(rule, 88, 0, told.words(0x999, 0, 1)) is None


def test_an_allocation_that_travelled_counts_like_the_others() -> None:
    told = _ready()
    rule = ColorRule(told.around)
    body = told.name(b"puce", COLORMAP)
    assert told.ask(rule, 85, 0, body) is None
    reply = struct.pack("<I6H", 0xCC8899, *[0xCCCC, 0x8888, 0x9999] * 2)
    packet = Packet(1, 1, memoryview(reply_packet("<", 1, 0, reply)))
    rule.replied(told.request(85, 0, body), packet)
    answer = told.ask(rule, 88, 0, told.words(COLORMAP, 0, 0xCC8899))
    assert answer is not None
    assert not answer.packets
    assert told.knowledge.color_names[b"puce"] == (0xCCCC, 0x8888, 0x9999)


def test_a_colormap_in_which_the_server_counts_stays_its_own() -> None:
    told = Told()
    rule = ColorRule(told.around)
    assert told.ask(rule, 84, 0, _color(told, 0, 0, 0)) is None
    told.knowledge.colors.add(TRUE_COLOR_VISUAL)
    assert told.ask(rule, 84, 0, _color(told, 0, 0, 0)) is None
    assert told.ask(rule, 88, 0, told.words(COLORMAP, 0, 0)) is None


def test_a_request_of_endless_work_is_not_worked_on() -> None:
    told = _ready()
    rule = ColorRule(told.around)
    many = [0] * (MOST_QUERIED + 1)
    assert told.ask(rule, 91, 0, told.words(COLORMAP, *many)) is None
    answer = told.ask(rule, 88, 0, told.words(COLORMAP, 0xFFFFFF, *many[:100]))
    assert answer is not None
    assert not answer.packets


def test_planes_free_every_pixel_that_they_make() -> None:
    colors = TrueColors(DEEP)
    count = Allocated()
    for pixel in (0, 1, 2, 3):
        count.add(colors, pixel)
    assert count.free(colors, [0], 3) == (0, 0)
    assert count.free(colors, [0], 3) == (10, 0)  # red and green had their cell more than once, blue had not
    assert count.free(colors, [0], 0x01000000)[0] == 2
    assert count.free(colors, [], 0) == (0, 0)
