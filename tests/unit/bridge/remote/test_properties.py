"""GetProperty of what the program itself wrote on its windows."""

import struct
from typing import Optional, Tuple

from tests.unit.bridge.remote.desk import FIRST, ROOT, Desk

TOP, INSIDE = FIRST + 1, FIRST + 2
NAME, OTHER, STRING, CARDINAL = 39, 200, 31, 6
CHANGE, DELETE, CONVERT, MAP, PROPERTY_NOTIFY = 18, 19, 24, 8, 28
REPLACE, PREPEND, APPEND = 0, 1, 2
Found = Tuple[int, int, int, int, bytes]


def _desk(order: str = "<") -> Desk:
    desk = Desk(order)
    desk.knowledge.learn_atom(NAME, b"WM_NAME")
    desk.knowledge.learn_atom(OTHER, b"Comm")
    desk.knowledge.learn_atom(STRING, b"STRING")
    desk.knowledge.learn_atom(CARDINAL, b"CARDINAL")
    desk.resources.atoms.add(OTHER)
    desk.window(TOP)
    return desk


def _write(
    desk: Desk, value: bytes, bits: int = 8, mode: int = REPLACE, name: int = NAME, window: int = TOP
) -> None:
    head = desk.pack("IIIB3xI", window, name, STRING, bits, len(value) * 8 // bits)
    desk.send(CHANGE, head + value, mode)


def _read(
    desk: Desk, kind: int = 0, part: "Tuple[int, int]" = (0, 99), delete: int = 0, name: int = NAME
) -> "Optional[Found]":
    """Format, type, bytes-after, number of items, value."""
    answer = desk.send(20, desk.pack("IIIII", TOP, name, kind, *part), delete)
    if answer is None:
        return None
    assert answer.forward == bool(delete)
    data = answer.packets[0]
    kind, rest, items = struct.unpack_from(desk.order + "III", data, 8)
    return data[1], kind, rest, items, data[32 : 32 + items * data[1] // 8]


def test_what_was_written_comes_back_in_both_byte_orders() -> None:
    for order in "<>":
        desk = _desk(order)
        _write(desk, desk.pack("HHH", 1, 2, 3), 16)
        assert _read(desk) == (16, STRING, 0, 3, desk.pack("HHH", 1, 2, 3))
        assert _read(desk, STRING, (1, 9)) == (16, STRING, 0, 1, desk.pack("H", 3))
        assert _read(desk, STRING, (0, 1)) == (16, STRING, 2, 2, desk.pack("HH", 1, 2))
        assert _read(desk, CARDINAL) == (16, STRING, 6, 0, b"")
        assert _read(desk, STRING, (2, 1)) is None  # Value


def test_what_is_appended_counts_too() -> None:
    desk = _desk()
    _write(desk, b"abc")
    _write(desk, b"de", mode=APPEND)
    _write(desk, b"x", mode=PREPEND)
    desk.settle()
    assert _read(desk) == (8, STRING, 0, 6, b"xabcde")


def test_what_is_not_there_is_known_of_properties_that_only_the_program_writes() -> None:
    desk = _desk()
    assert _read(desk) == (0, 0, 0, 0, b"")
    assert _read(desk, name=OTHER) is None
    _write(desk, b"mine", name=OTHER)
    assert _read(desk, name=OTHER) == (8, STRING, 0, 4, b"mine")
    for name in (NAME, OTHER):
        desk.send(DELETE, desk.pack("II", TOP, name))
    desk.settle()
    assert _read(desk) == (0, 0, 0, 0, b"")
    assert _read(desk, name=OTHER) is None


def test_what_is_read_and_deleted_is_deleted_by_the_x_server() -> None:
    desk = _desk()
    _write(desk, b"abcdefgh")
    assert _read(desk, part=(0, 1), delete=1) == (8, STRING, 4, 4, b"abcd")
    assert _read(desk, part=(1, 1), delete=1) == (8, STRING, 0, 4, b"efgh")
    desk.settle()
    assert _read(desk) is None


def test_a_mapped_top_level_travels() -> None:
    desk = _desk()
    _write(desk, b"abc")
    desk.send(MAP, desk.pack("I", TOP))
    desk.settle()
    assert _read(desk) is None


def test_where_others_write_everything_travels() -> None:
    desk = _desk()
    _write(desk, b"abc")
    desk.told(PROPERTY_NOTIFY, desk.pack("III", TOP, NAME, 0))  # of the program's own request
    assert _read(desk) is not None
    desk.told(PROPERTY_NOTIFY, desk.pack("III", TOP, OTHER, 0))
    assert _read(desk) is None
    desk = _desk()
    _write(desk, b"abc")
    desk.send(CONVERT, desk.pack("IIIII", TOP, 1, STRING, NAME, 0))
    desk.settle()
    assert _read(desk) is None


def test_a_failed_change_leaves_it_unknown() -> None:
    desk = _desk()
    _write(desk, b"abc")
    _write(desk, b"ab", 16, APPEND)  # Match
    desk.told(0, desk.pack("IHB", 0, 0, CHANGE), second=8)
    assert _read(desk) is None


def test_windows_that_come_and_go_cost_no_memory() -> None:
    desk = _desk()
    rule = next(one for one in desk.rules if type(one).__name__ == "OwnProperties")
    for step in range(3000):
        desk.window(INSIDE + 2 * step, ROOT)
        desk.window(INSIDE + 2 * step + 1, INSIDE + 2 * step)
        for name in (NAME, OTHER, STRING):
            _write(desk, b"abc", name=name, window=INSIDE + 2 * step + 1)
        desk.send(4, desk.pack("I", INSIDE + 2 * step))
    assert len(rule._known) < 3000  # type: ignore[attr-defined]
    _write(desk, b"abc")
    assert _read(desk) == (8, STRING, 0, 3, b"abc")
