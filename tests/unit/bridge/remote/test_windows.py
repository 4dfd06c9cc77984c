"""Questions about own windows: which are answered here, and which travel."""

import struct
from typing import Optional

from tests.unit.bridge.remote.desk import COLORMAP, FIRST, ROOT, VISUAL, Desk
from x11fwd.bridge.remote.rules.geometry import OwnAttributes

TOP, INSIDE, OTHER = FIRST + 1, FIRST + 2, FIRST + 3
STRUCTURE = 1 << 17
MAP, UNMAP, CONFIGURE, REPARENT, DESTROY = 8, 10, 12, 7, 4
UNMAPPED, UNVIEWABLE, VIEWABLE = range(3)
HERE = (10, 20, 30, 40, 1)


def _desk(order: str = "<") -> Desk:
    """A desk whose default colormap is known to be installed, as after any GetWindowAttributes."""
    desk = Desk(order)
    desk.rule(OwnAttributes)._installed[COLORMAP] = True  # type: ignore[attr-defined]
    return desk


def _resize(desk: Desk, window: int, width: int) -> None:
    desk.send(CONFIGURE, desk.pack("IHHI", window, 4, 0, width))


def _configured(desk: Desk, window: int, width: int, number: int = 0, sent: int = 0) -> None:
    body = desk.pack("IIIhhHHHB", window, window, 0, 1, 2, width, 4, 0, 0)
    desk.told(22 | sent, body, number)


def _map_state(desk: Desk, window: int) -> Optional[int]:
    answer = desk.send(3, desk.pack("I", window))
    return None if answer is None else answer.packets[0][26]


def test_a_window_that_was_just_made_is_known_in_both_byte_orders() -> None:
    for order in "<>":
        desk = _desk(order)
        desk.window(TOP)
        assert desk.geometry(TOP) == HERE
        answer = desk.send(3, desk.pack("I", TOP))
        assert answer is not None
        assert not answer.forward
        found = struct.unpack_from(order + "IHBBIIBBBBIIIH", answer.packets[0], 8)
        assert found == (VISUAL, 1, 0, 1, 0xFFFFFFFF, 0, 0, 1, 0, 0, COLORMAP, 0, 0, 0)


def test_attributes_that_the_program_changes_are_those_that_it_gets() -> None:
    desk = _desk()
    desk.window(TOP, values={4: 3, 11: 5})
    desk.send(2, desk.pack("IIIII", TOP, 1 << 5 | 1 << 11 | 1 << 12, 1, STRUCTURE, 4))
    answer = desk.send(3, desk.pack("I", TOP))
    assert answer is not None
    assert struct.unpack_from("<BB", answer.packets[0], 14) == (3, 1)
    assert struct.unpack_from("<IIH", answer.packets[0], 32) == (STRUCTURE, STRUCTURE, 4)


def test_a_window_inside_is_where_the_program_put_it() -> None:
    desk = _desk()
    desk.window(TOP)
    desk.window(INSIDE, TOP)
    _resize(desk, INSIDE, 77)
    desk.send(MAP, desk.pack("I", INSIDE))
    assert desk.geometry(INSIDE) == (10, 20, 77, 40, 1)
    assert _map_state(desk, INSIDE) == UNVIEWABLE
    desk.send(UNMAP, desk.pack("I", INSIDE))
    assert _map_state(desk, INSIDE) == UNMAPPED


def test_a_top_level_that_is_resized_is_what_the_x_server_says() -> None:
    desk = _desk()
    desk.window(TOP, values={11: STRUCTURE})
    _resize(desk, TOP, 77)
    assert desk.geometry(TOP) is None
    _configured(desk, TOP, 55, number=2)
    assert desk.geometry(TOP) == (1, 2, 55, 4, 0)
    _configured(desk, TOP, 66, sent=0x80)  # by the window manager, with other coordinates
    assert desk.geometry(TOP) == (1, 2, 55, 4, 0)
    _configured(desk, TOP, 66)
    assert desk.geometry(TOP) == (1, 2, 66, 4, 0)


def test_news_from_before_a_change_do_not_settle_it() -> None:
    desk = _desk()
    desk.window(TOP, values={11: STRUCTURE})
    _resize(desk, TOP, 77)
    _configured(desk, TOP, 55, number=1)
    assert desk.geometry(TOP) is None
    desk.told(1)  # to that question: all before it is done
    assert desk.geometry(TOP) == (1, 2, 55, 4, 0)


def test_a_top_level_without_events_travels_once_others_may_touch_it() -> None:
    desk = _desk()
    desk.window(TOP)
    desk.send(MAP, desk.pack("I", TOP))
    desk.window(OTHER, values={9: 1})  # override-redirect: nobody else touches it
    desk.send(MAP, desk.pack("I", OTHER))
    assert desk.geometry(OTHER) == HERE
    desk.settle()
    _resize(desk, TOP, 9)
    desk.settle()
    assert desk.geometry(TOP) is None
    assert _map_state(desk, TOP) is None


def test_a_window_is_viewable_when_the_window_manager_has_mapped_the_one_around_it() -> None:
    desk = _desk()
    desk.window(TOP, values={11: STRUCTURE})
    desk.window(INSIDE, TOP)
    desk.send(MAP, desk.pack("I", INSIDE))
    desk.send(MAP, desk.pack("I", TOP))
    assert _map_state(desk, INSIDE) is None
    desk.told(19, desk.pack("II", TOP, TOP))  # MapNotify
    assert _map_state(desk, INSIDE) == VIEWABLE
    desk.told(21, desk.pack("IIIhh", TOP, TOP, 0x777, 3, 20))  # into a frame that nobody here knows
    assert _map_state(desk, INSIDE) is None
    assert desk.geometry(TOP) == (3, 20, 30, 40, 1)


def test_what_others_select_on_a_mapped_top_level_is_asked_once() -> None:
    desk = _desk()
    desk.window(TOP, values={11: STRUCTURE})
    desk.send(MAP, desk.pack("I", TOP))
    desk.told(19, desk.pack("II", TOP, TOP))
    assert _map_state(desk, TOP) is None
    head = desk.pack("IIHBBIIBBBBI", 3, VISUAL, 1, 0, 1, 0, 0, 0, 1, VIEWABLE, 0, COLORMAP)
    desk.told(1, head + desk.pack("IIHH", STRUCTURE | 7, STRUCTURE, 0, 0))
    answer = desk.send(3, desk.pack("I", TOP))
    assert answer is not None
    assert struct.unpack_from("<II", answer.packets[0], 32) == (STRUCTURE | 7, STRUCTURE)


def test_whether_the_colormap_is_installed_is_not_guessed() -> None:
    desk = Desk()
    desk.window(TOP)
    desk.window(INSIDE, TOP)
    desk.settle()
    assert _map_state(desk, TOP) is None
    told = desk.pack("IIHBBIIBBBBI", 3, VISUAL, 1, 0, 1, 0, 0, 0, 1, VIEWABLE, 0, COLORMAP) + bytes(12)
    desk.knowledge.learn(b"constant", desk.pack("BxHI", 3, 2, ROOT), b"\1\0\0\0" + told)
    answer = desk.send(3, desk.pack("I", INSIDE))
    assert answer is not None
    assert answer.packets[0][25] == 1


def test_nothing_is_answered_while_an_earlier_request_may_fail() -> None:
    desk = _desk()
    desk.window(TOP)
    desk.send(200)
    assert desk.geometry(TOP) is None
    desk.told(1)
    assert desk.geometry(TOP) == HERE


def test_a_window_about_which_a_request_failed_is_not_known_any_more() -> None:
    desk = _desk()
    desk.window(TOP)
    desk.send(CONFIGURE, desk.pack("IHHII", TOP, 5, 0, 3, 0))  # no width: Value
    desk.told(0, desk.pack("IHB", 0, 0, CONFIGURE), second=2)
    assert desk.geometry(TOP) is None


def test_what_ends_takes_what_is_inside_with_it() -> None:
    desk = _desk()
    desk.window(TOP)
    desk.window(INSIDE, TOP)
    desk.window(OTHER)
    desk.send(REPARENT, desk.pack("IIhh", OTHER, INSIDE, 5, 6))
    desk.settle()
    assert desk.geometry(OTHER) == (5, 6, 30, 40, 1)
    desk.send(DESTROY, desk.pack("I", TOP))
    for window in (TOP, INSIDE, OTHER):
        assert desk.geometry(window) is None


def test_windows_in_a_circle_end_no_program() -> None:
    desk = _desk()
    desk.window(TOP)
    desk.window(INSIDE, TOP)
    desk.send(REPARENT, desk.pack("IIhh", TOP, INSIDE, 5, 6))
    desk.settle()
    assert desk.geometry(TOP) is None
    assert desk.geometry(INSIDE) is None


def test_windows_very_deep_inside_end_no_program() -> None:
    desk = _desk()
    desk.window(TOP)
    for step in range(2000):
        desk.window(TOP + step + 1, TOP + step)
        desk.send(MAP, desk.pack("I", TOP + step + 1))
    assert _map_state(desk, TOP + 2000) == UNVIEWABLE
    desk.send(REPARENT, desk.pack("IIhh", TOP, TOP + 2000, 0, 0))
    desk.settle()
    desk.send(DESTROY, desk.pack("I", TOP))
    assert desk.geometry(TOP + 2000) is None


def test_a_pixmap_has_its_size_until_it_is_freed() -> None:
    desk = _desk()
    desk.send(53, desk.pack("IIHH", OTHER, ROOT, 7, 9), 24)
    assert desk.geometry(OTHER) == (0, 0, 7, 9, 0)
    desk.send(54, desk.pack("I", OTHER))
    assert desk.geometry(OTHER) is None


def test_a_window_that_the_program_destroyed_is_an_error_until_its_id_is_used_again() -> None:
    for order in "<>":
        desk = _desk(order)
        desk.window(TOP)
        desk.window(INSIDE, TOP)
        desk.send(DESTROY, desk.pack("I", TOP))
        for opcode in (3, 15, 21):
            answer = desk.send(opcode, desk.pack("I", TOP))
            assert answer is not None
            found = struct.unpack_from(order + "BBHIHB", answer.packets[0])
            assert found == (0, 3, 0, TOP, 0, opcode)
        assert desk.send(15, desk.pack("I", INSIDE)) is None  # somebody else may have taken it out
        desk.settle()
        desk.send(53, desk.pack("IIHH", TOP, ROOT, 7, 9), 24)
        assert desk.send(15, desk.pack("I", TOP)) is None


def test_destroying_that_failed_is_no_end() -> None:
    desk = _desk()
    desk.window(TOP)
    desk.send(DESTROY, desk.pack("II", TOP, 0))  # Length
    desk.told(0, desk.pack("IHB", 0, 0, DESTROY), second=16)
    assert desk.send(15, desk.pack("I", TOP)) is None
