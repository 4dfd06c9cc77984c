"""Windows by title, their pictures, and colour patches."""

from __future__ import annotations

import struct
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.unit.x11.fake_server import ROOT, FakeServer, FakeWindow, serving
from tests.unit.x11.test_image import BLUE, GREEN, RED, WHITE, picture
from x11fwd.x11.client import connect
from x11fwd.x11.faults import BadDrawableError, BadMatchError
from x11fwd.x11.find import (
    Patch,
    Window,
    find_patches,
    find_window,
    wait_for_patches,
    wait_for_window,
    window_image,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from x11fwd.x11.connection import Connection
    from x11fwd.x11.image import RGB

FRAME, TOP = 0x201, 0x202


def titled(
    number: int,
    title: str,
    parent: int = ROOT,
    *,
    x: int = 0,
    y: int = 0,
    width: int = 40,
    height: int = 30,
    map_state: int = 2,
) -> FakeWindow:
    window = FakeWindow(number, parent, x, y, width, height, map_state)
    window.properties["WM_NAME"] = ("STRING", 8, title.encode("latin-1", "replace"))
    window.properties["_NET_WM_NAME"] = ("UTF8_STRING", 8, title.encode())
    return window


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
def connection(tmp_path: Path, server: FakeServer) -> Iterator[Connection]:
    with serving(tmp_path / "s:0", server) as display, connect(display, None, 60) as opened:
        yield opened


def test_a_window_is_found_by_its_whole_title(connection: Connection, server: FakeServer) -> None:
    server.windows = [titled(0x300, "plot 12"), titled(TOP, "plot 1", x=7, y=9, width=70, height=50)]
    assert find_window(connection, "plot 1") == Window(TOP, "plot 1", 7, 9, 70, 50, viewable=True)
    assert find_window(connection, "plot") is None
    assert find_window(connection, "") is None


def test_a_window_inside_a_window_manager_s_frame_is_found_where_it_is(
    connection: Connection, server: FakeServer
) -> None:
    server.windows = [FakeWindow(FRAME, x=100, y=200), titled(TOP, "plot", FRAME, x=4, y=24)]
    found = find_window(connection, "plot")
    assert found
    assert (found.window_id, found.x, found.y) == (TOP, 104, 224)


def test_a_title_outside_latin_1_is_found_by_its_utf_8_name(
    connection: Connection, server: FakeServer
) -> None:
    server.windows = [titled(TOP, "Σ → plot")]
    found = find_window(connection, "Σ → plot")
    assert found
    assert found.window_id == TOP


def test_a_window_with_the_old_name_only_is_found_on_a_server_without_the_new_atom(
    connection: Connection, server: FakeServer
) -> None:
    server.atoms = []
    window = FakeWindow(TOP, properties={"WM_NAME": ("STRING", 8, b"plot")})
    server.windows = [window]
    found = find_window(connection, "plot")
    assert found
    assert found.pid is None


def test_what_the_program_says_of_itself_is_told(connection: Connection, server: FakeServer) -> None:
    window = titled(TOP, "plot")
    window.properties["WM_CLIENT_MACHINE"] = ("STRING", 8, b"gpu1")
    window.properties["_NET_WM_PID"] = ("CARDINAL", 32, struct.pack("<I", 4711))
    server.windows = [window]
    found = find_window(connection, "plot")
    assert found
    assert (found.client_machine, found.pid) == ("gpu1", 4711)


def test_a_viewable_window_comes_before_an_older_hidden_one(
    connection: Connection, server: FakeServer
) -> None:
    server.windows = [titled(0x300, "plot", map_state=0), titled(TOP, "plot")]
    found = find_window(connection, "plot")
    assert found
    assert found.window_id == TOP


def test_a_hidden_window_is_found_and_said_to_be_hidden(connection: Connection, server: FakeServer) -> None:
    server.windows = [titled(TOP, "plot", map_state=1)]
    found = find_window(connection, "plot")
    assert found
    assert not found.viewable
    assert wait_for_window(connection, "plot", 0.1) is None


def test_a_window_that_vanishes_while_being_looked_at_is_not_found(
    connection: Connection, server: FakeServer
) -> None:
    window = titled(TOP, "plot")
    server.windows = [window]
    window.vanishes = True
    assert find_window(connection, "plot") is None


def test_waiting_ends_as_soon_as_the_window_is_there(connection: Connection, server: FakeServer) -> None:
    timer = threading.Timer(0.15, lambda: server.windows.append(titled(TOP, "plot")))
    timer.start()
    start = time.monotonic()
    found = wait_for_window(connection, "plot", 200)
    assert time.monotonic() - start < 60
    timer.join()
    assert found
    assert found.window_id == TOP


def test_waiting_in_vain_ends_at_the_limit(connection: Connection) -> None:
    start = time.monotonic()
    assert wait_for_window(connection, "plot", 0.1) is None
    assert 0.1 <= time.monotonic() - start < 60


# Pictures of windows


def solid(_number: int, _x: int, _y: int, width: int, height: int) -> bytes:
    return struct.pack("<I", 0x0000FF) * (width * height)


def found_window(x: int, y: int, width: int = 40, height: int = 30) -> Window:
    return Window(TOP, "plot", x, y, width, height, viewable=True)


def test_a_window_s_own_picture_is_taken_where_it_can_be(connection: Connection, server: FakeServer) -> None:
    server.windows = [titled(TOP, "plot")]
    server.image = solid
    image = window_image(connection, found_window(0, 0))
    assert (image.width, image.height, image.pixel(0, 0)) == (40, 30, BLUE)


@pytest.mark.parametrize(
    ("x", "y", "box"),
    [
        (-10, -5, (0, 0, 30, 25)),
        (1260, 790, (1260, 790, 20, 10)),
        (5, 5, (5, 5, 40, 30)),
    ],
)
def test_a_window_partly_off_the_screen_is_cut_from_the_screen(
    connection: Connection, server: FakeServer, x: int, y: int, box: tuple[int, int, int, int]
) -> None:
    asked: list[tuple[int, ...]] = []

    def only_root(number: int, x: int, y: int, width: int, height: int) -> bytes | int:
        asked.append((number, x, y, width, height))
        return solid(number, x, y, width, height) if number == ROOT else 8

    server.windows = [titled(TOP, "plot", x=x, y=y)]
    server.image = only_root
    image = window_image(connection, found_window(x, y))
    assert asked == [(TOP, 0, 0, 40, 30), (ROOT, *box)]
    assert (image.width, image.height) == box[2:]


def test_a_window_wholly_off_the_screen_has_no_picture(connection: Connection, server: FakeServer) -> None:
    server.windows = [titled(TOP, "plot", x=-100)]
    with pytest.raises(BadMatchError):
        window_image(connection, found_window(-100, 0))


def test_a_vanished_window_has_no_picture(connection: Connection) -> None:
    with pytest.raises(BadDrawableError):
        window_image(connection, found_window(0, 0))


# Patches


def canvas(width: int, height: int, patches: list[tuple[RGB, int, int, int, int]]) -> list[list[RGB]]:
    rows: list[list[RGB]] = [[WHITE] * width for _ in range(height)]
    for colour, left, top, right, bottom in patches:
        for y in range(top, bottom):
            rows[y][left:right] = [colour] * (right - left)
    return rows


@pytest.mark.parametrize("layout", ["16-bit", "24-bit", "30-bit"])
def test_each_colour_s_area_and_box_are_found(layout: str) -> None:
    rows = canvas(30, 20, [(RED, 2, 3, 12, 8), (BLUE, 20, 10, 30, 20)])
    found = find_patches(picture(rows, layout), [RED, BLUE, GREEN])
    assert found == {RED: Patch(50, 2, 3, 12, 8), BLUE: Patch(100, 20, 10, 30, 20), GREEN: Patch(0)}
    assert found[RED].filled == 1.0
    assert found[GREEN].filled == 0.0


def test_a_covered_patch_is_not_wholly_filled() -> None:
    rows = canvas(10, 10, [(RED, 0, 0, 10, 10), (GREEN, 0, 0, 5, 10)])
    rows[9][0] = RED
    patch = find_patches(picture(rows), [RED])[RED]
    assert patch == Patch(51, 0, 0, 10, 10)
    assert patch.filled == 0.51


@pytest.mark.parametrize(("x", "y"), [(0, 0), (4, 0), (0, 2), (4, 2), (2, 1)])
def test_a_single_pixel_anywhere_has_a_box_of_one(x: int, y: int) -> None:
    rows = canvas(5, 3, [(RED, x, y, x + 1, y + 1)])
    assert find_patches(picture(rows), [RED])[RED] == Patch(1, x, y, x + 1, y + 1)


def test_rows_without_the_colour_between_two_with_it_do_no_harm() -> None:
    rows = canvas(6, 5, [(RED, 1, 0, 3, 1), (RED, 4, 4, 6, 5)])
    assert find_patches(picture(rows), [RED])[RED] == Patch(4, 1, 0, 6, 5)


def test_a_tolerance_bridges_what_a_screen_of_fewer_colours_rounds() -> None:
    colour = (0x12, 0x34, 0x56)
    image = picture(canvas(4, 4, [(colour, 0, 0, 2, 2)]), "16-bit")
    assert find_patches(image, [colour])[colour].area == 0
    assert find_patches(image, [colour], tolerance=8)[colour] == Patch(4, 0, 0, 2, 2)


def test_all_three_channels_must_match() -> None:
    image = picture([[(255, 0, 0), (255, 1, 0), (255, 0, 1), (254, 0, 0)]])
    assert find_patches(image, [RED])[RED] == Patch(1, 0, 0, 1, 1)
    assert find_patches(image, [RED], tolerance=1)[RED].area == 4


# Waiting for colours


def test_a_window_is_looked_at_until_it_is_painted(connection: Connection, server: FakeServer) -> None:
    looks: list[int] = []

    def painted_at_the_third_look(_number: int, _x: int, _y: int, width: int, height: int) -> bytes:
        looks.append(1)
        return struct.pack("<I", 0x0000FF if len(looks) > 2 else 0xFFFFFF) * (width * height)

    server.windows = [titled(TOP, "plot")]
    server.image = painted_at_the_third_look
    seen = wait_for_patches(connection, "plot", {BLUE: 40 * 30}, 60)
    assert seen
    assert seen.complete
    assert seen.patches[BLUE] == Patch(1200, 0, 0, 40, 30)
    assert seen.window.window_id == TOP
    assert len(looks) == 3


def test_a_window_that_stays_unpainted_is_shown_as_it_was_last(
    connection: Connection, server: FakeServer
) -> None:
    server.windows = [titled(TOP, "plot")]
    server.image = solid
    seen = wait_for_patches(connection, "plot", {BLUE: 1, RED: 1}, 0.1)
    assert seen
    assert not seen.complete
    assert (seen.patches[BLUE].area, seen.patches[RED].area) == (1200, 0)


def test_a_window_whose_picture_cannot_be_had_is_not_a_sighting(
    connection: Connection, server: FakeServer
) -> None:
    server.windows = [titled(TOP, "plot", x=-100)]
    assert wait_for_patches(connection, "plot", {BLUE: 1}, 0.1) is None


def test_no_window_at_all_is_not_a_sighting(connection: Connection) -> None:
    assert wait_for_patches(connection, "plot", {BLUE: 1}, 0.1) is None
