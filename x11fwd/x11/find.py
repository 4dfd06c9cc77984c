"""A window by its title, its picture, and colour patches in it; the pipeline's verification imports it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from x11fwd.x11 import requests as rq
from x11fwd.x11.connection import Connection, decode_text
from x11fwd.x11.faults import BadMatchError, RequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from x11fwd.x11.image import RGB, Image

_SEARCH_DEPTH = 6  # window managers put one to three frames around a window; the title is on its outermost
_POLL = 0.05  # seconds between two looks


@dataclass(frozen=True)
class Window:
    """A window found by its title; x and y are those of its inside on the screen, all in pixels.

    `client_machine` and `pid` are what the program says of itself, `""` and None if it does not.
    """

    window_id: int
    title: str
    x: int
    y: int
    width: int
    height: int
    viewable: bool
    client_machine: str = ""
    pid: int | None = None


@dataclass(frozen=True)
class Patch:
    """Where a colour is: number of pixels, and the smallest box round them (right and bottom excluded)."""

    area: int
    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0

    @property
    def filled(self) -> float:
        """The share of the rectangle that has the colour, 0 to 1: 1.0 for a whole, uncovered patch."""
        box = (self.right - self.left) * (self.bottom - self.top)
        return self.area / box if box else 0.0


@dataclass(frozen=True)
class Sighting:
    """A look at a window: its picture and the patches asked for; `complete` if each is large enough."""

    window: Window
    image: Image
    patches: Mapping[RGB, Patch]
    complete: bool


def find_window(connection: Connection, title: str) -> Window | None:
    """The window whose _NET_WM_NAME or WM_NAME is exactly `title`, viewable ones first."""
    best: Window | None = None
    net_name = connection.atom("_NET_WM_NAME")
    atoms = [rq.ATOM_WM_NAME, net_name] if net_name else [rq.ATOM_WM_NAME]
    level = [connection.screen.root]
    for _ in range(_SEARCH_DEPTH):
        level = [child for tree in connection.trees(level) if tree for child in tree.children]
        if not level:
            break
        for window, found in zip(level, connection.properties(level, atoms), strict=True):
            if not any(one and decode_text(one) == title for one in found):
                continue
            try:
                candidate = _describe(connection, window, title)
            except RequestError:
                continue  # it vanished while being looked at
            if candidate.viewable:
                return candidate
            best = best or candidate
    return best


def _describe(connection: Connection, window: int, title: str) -> Window:
    geometry = connection.geometry(window)
    x, y = connection.absolute_position(window)
    return Window(
        window_id=window,
        title=title,
        x=x,
        y=y,
        width=geometry.width,
        height=geometry.height,
        viewable=connection.attributes(window).map_state is rq.MapState.VIEWABLE,
        client_machine=connection.text_property(window, rq.ATOM_WM_CLIENT_MACHINE) or "",
        pid=connection.number_property(window, connection.atom("_NET_WM_PID")),
    )


def wait_for_window(connection: Connection, title: str, timeout: float) -> Window | None:
    """The viewable window of that title as soon as there is one; None if none came in `timeout` seconds."""
    end = time.monotonic() + timeout
    while True:
        found = find_window(connection, title)
        if found and found.viewable:
            return found
        left = end - time.monotonic()
        if left <= 0:
            return None
        time.sleep(min(_POLL, left))


def window_image(connection: Connection, window: Window) -> Image:
    """The picture of a window if it is wholly on the screen, else of the part of the screen that it covers.

    Where another window covers it the pixels are undefined (GetImage in the X protocol; Xorg blanks them),
    unless a compositor keeps them.

    Raises:
        BadDrawableError: the window is gone.
        BadMatchError: no part of it is on the screen.
    """
    try:
        return connection.get_image(window.window_id, 0, 0, window.width, window.height)
    except BadMatchError as error:
        screen = connection.screen
        x, y = connection.absolute_position(window.window_id)
        left, top = max(x, 0), max(y, 0)
        right, bottom = min(x + window.width, screen.width), min(y + window.height, screen.height)
        if right <= left or bottom <= top:
            raise error from None
        return connection.get_image(screen.root, left, top, right - left, bottom - top)


def find_patches(image: Image, colours: Iterable[RGB], tolerance: int = 0) -> dict[RGB, Patch]:
    """For each colour, where it is in the picture; an area of 0 if nowhere.

    Args:
        tolerance: how far each of red, green and blue may be off (a 16-bit screen needs 8).
    """
    return {colour: _patch(image, colour, tolerance) for colour in colours}


def wait_for_patches(
    connection: Connection, title: str, least: Mapping[RGB, int], timeout: float, *, tolerance: int = 0
) -> Sighting | None:
    """Look at the window of that title until it shows the colours; a window is mapped before it is painted.

    Args:
        least: for each colour the number of pixels that must be there.
        timeout: seconds to wait for the window and its colours.
        tolerance: see `find_patches`.

    Returns:
        The first complete sighting, else the last incomplete one, None if there never was a viewable window.
    """
    end = time.monotonic() + timeout
    seen: Sighting | None = None
    while True:
        window = find_window(connection, title)
        if window and window.viewable:
            try:
                image = window_image(connection, window)
            except RequestError:
                image = None  # it vanished, or was moved off the screen; the next look will tell
            if image:
                patches = find_patches(image, least, tolerance)
                complete = all(patches[colour].area >= area for colour, area in least.items())
                seen = Sighting(window, image, patches, complete)
                if complete:
                    return seen
        left = end - time.monotonic()
        if left <= 0:
            return seen
        time.sleep(min(_POLL, left))


def _patch(image: Image, colour: RGB, tolerance: int) -> Patch:
    size = image.width * image.height
    matching = -1
    for plane, wanted in zip(image.planes, colour, strict=True):
        table = bytes(int(abs(value - wanted) <= tolerance) for value in range(256))
        matching &= int.from_bytes(plane.translate(table), "big")
    marks = matching.to_bytes(size, "big")
    area = marks.count(1)
    if not area:
        return Patch(0)
    top, bottom = marks.index(1) // image.width, marks.rindex(1) // image.width + 1
    rows = [marks[row * image.width : (row + 1) * image.width] for row in range(top, bottom)]
    touched = [row for row in rows if 1 in row]
    left = min(row.index(1) for row in touched)
    right = max(row.rindex(1) for row in touched) + 1
    return Patch(area, left, top, right, bottom)
