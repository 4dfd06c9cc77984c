"""What is known of one program's own windows; the rules about windows import it.

Two kinds of windows are told apart. What lies inside another window of the program, and what has
override-redirect, only the program itself configures: its requests say all. Any other child of a root belongs
to the window manager from the first request on that it may redirect (X protocol, MapWindow and
ConfigureWindow; ICCCM, 4.1): from there on only the X server's own events count, and only while the program
selects StructureNotify. Whatever happens otherwise, the window is `lost`: questions about it travel.
"""

import struct
from typing import TYPE_CHECKING, Dict, List, Optional, Set, Tuple

from x11fwd.bridge.remote.own_window import OwnWindow
from x11fwd.bridge.shared.wire import Request

if TYPE_CHECKING:
    from x11fwd.bridge.remote.rules.base import Surroundings

STRUCTURE_NOTIFY = 1 << 17
UNMAPPED, UNVIEWABLE, VIEWABLE = range(3)
_X, _Y, _WIDTH, _HEIGHT, _BORDER, _SIBLING, _STACK = range(7)  # bits of ConfigureWindow
# bits of the window attributes
_BIT_GRAVITY, _GRAVITY, _BACKING, _PLANES, _PIXEL, _OVERRIDE, _SAVE_UNDER, _EVENTS = range(4, 12)
_COLORMAP = 13
_REPARENT = 7
_NORTH_WEST = 1
MOST_WINDOWS = 1 << 14  # of one program; more are not followed


def signed(value: int) -> int:
    """The low 16 bits as an INT16."""
    return (value & 0xFFFF ^ 0x8000) - 0x8000


def values_of(request: Request, order: str, at: int, mask: int) -> "Dict[int, int]":
    """A value list by bit of its mask, `at` bytes behind the length; struct.error when it is too short."""
    bits = [bit for bit in range(32) if mask >> bit & 1]
    return dict(zip(bits, struct.unpack_from("%s%dI" % (order, len(bits)), request.data, request.body + at)))


class WindowStates:
    """The program's windows by id; `around` says whether they exist for sure."""

    def __init__(self, around: "Surroundings") -> None:
        self._around = around
        self._order = around.order
        self._windows: Dict[int, OwnWindow] = {}
        self.roots = {one.root: one for one in around.setup.roots}
        self.gone: Set[int] = set()  # windows that the program itself destroyed
        self.last_change = 0  # the last request that may have mapped or unmapped something

    def known(self, number: int) -> "Optional[OwnWindow]":
        """The window, when it surely exists and what is remembered of it holds."""
        found = self._windows.get(number)
        if found is None or found.lost or self._around.resources.own_window(number) is None:
            return None
        if found.drifts and not found.managed and found.parent not in self.roots:
            above = self._windows.get(found.parent)
            if above is None or above.lost:
                return None
        return found

    def geometry(self, number: int) -> "Optional[OwnWindow]":
        """The window when its place and size are known now."""
        found = self.known(number)
        return found if found is not None and found.geometry_after <= self._around.settled() else None

    def map_state(self, number: int) -> "Optional[int]":
        """UNMAPPED, UNVIEWABLE or VIEWABLE (X protocol, GetWindowAttributes); None when it is not known."""
        settled = self._around.settled()
        found = self.known(number)
        if found is None or found.map_after > settled:
            return None
        if not found.mapped:
            return UNMAPPED
        doubt = False
        while found.parent not in self.roots:
            above = self.known(found.parent)
            if above is None:
                return None
            if above.map_after > settled:
                doubt = True
            elif not above.mapped:
                return UNVIEWABLE
            found = above
        return None if doubt else VIEWABLE

    def inside(self, number: int, above: int) -> "Optional[bool]":
        """Whether a window is `above` or lies in it; None when that is not known."""
        while number != above:
            found = self.known(number)
            if found is None:
                return None
            if found.parent in self.roots:
                return found.parent == above
            number = found.parent
        return True

    def all_events(self, number: int) -> "Optional[int]":
        """What all programs select on the window; None when it is not known.

        Others look at top levels once they are mapped; until then nobody need have come to it, however late
        it is, as no program can tell how slow the others are.
        """
        found = self.known(number)
        if found is None:
            return None
        mine = found.attributes.get(_EVENTS, 0)
        if found.seen_events is not None:
            told, then = found.seen_events
            if told & then & ~mine:  # somebody else may select that, too
                return None
            return told & ~then | mine
        inside = found.parent not in self.roots and not found.managed
        return mine if inside or not found.mapped_once else None

    def attributes_told(self, number: int, map_state: int, events: "Tuple[int, int]", request: int) -> None:
        """The X server's reply to GetWindowAttributes number `request`: events of all, and of the program."""
        found = self._windows.get(number)
        if found is not None:
            found.seen_events = events
            found.seen_state = (map_state, request)

    # Requests, in order.

    def create(self, request: Request) -> None:
        """CreateWindow."""
        number, parent = struct.unpack_from(self._order + "II", request.data, request.body)
        x, y, width, height, border, kind = struct.unpack_from(
            self._order + "hhHHHH", request.data, request.body + 8
        )
        visual, mask = struct.unpack_from(self._order + "II", request.data, request.body + 20)
        attributes = values_of(request, self._order, 28, mask)
        if not self._around.resources.fresh(number) or len(self._windows) >= MOST_WINDOWS:
            self._lose(number)
            return
        self._windows.pop(number, None)
        self.gone.discard(number)
        made = OwnWindow()
        above = self._windows.get(parent)
        if parent in self.roots:
            root = self.roots[parent]
            made.root, from_visual, from_depth, inside = parent, root.visual, root.depth, False
            colormap = root.colormap
        elif above is not None:
            made.root, from_visual, from_depth = above.root, above.visual, above.depth
            inside, colormap = above.input_only, above.attributes.get(_COLORMAP, 0)
            above.children.append(number)
            made.doubtful = made.lost = above.doubtful
        else:
            return
        made.parent, made.x, made.y, made.width, made.height = parent, x, y, width, height
        made.input_only = kind == 2 or (kind == 0 and inside)
        made.border = border
        made.visual = visual or from_visual
        made.depth = 0 if made.input_only else request.minor or from_depth
        made.attributes = attributes
        if made.input_only:
            attributes[_COLORMAP] = 0
        elif not attributes.get(_COLORMAP):
            attributes[_COLORMAP] = colormap
        self._select(made, request.number)
        self._windows[number] = made

    def change(self, request: Request) -> None:
        """ChangeWindowAttributes."""
        number, mask = struct.unpack_from(self._order + "II", request.data, request.body)
        found = self._windows.get(number)
        if found is None:
            return
        values = values_of(request, self._order, 8, mask)
        if _OVERRIDE in values and found.mapped_once and values[_OVERRIDE] != found.attributes.get(_OVERRIDE):
            found.lost = True
        if values.get(_COLORMAP) == 0:  # the parent's, whatever that is now
            above = self._windows.get(found.parent)
            root = self.roots.get(found.parent)
            inherited = above.attributes.get(_COLORMAP, 0) if above is not None else 0
            values[_COLORMAP] = root.colormap if root is not None else inherited
            found.lost = found.lost or not values[_COLORMAP]
        found.attributes.update(values)
        self._select(found, request.number)
        if found.managed and not found.events_since:
            found.lost = True

    def _select(self, window: OwnWindow, request: int) -> None:
        window.drifts = window.drifts or window.attributes.get(_GRAVITY, _NORTH_WEST) != _NORTH_WEST
        selected = window.attributes.get(_EVENTS, 0) & STRUCTURE_NOTIFY
        window.events_since = (window.events_since or request) if selected else 0

    def configure(self, request: Request) -> None:
        """ConfigureWindow."""
        self.last_change = request.number
        number, mask = struct.unpack_from(self._order + "IH", request.data, request.body)
        found = self._windows.get(number)
        if found is None:
            return
        values = values_of(request, self._order, 8, mask)
        above = self._windows.get(found.parent)
        if _STACK in values:
            self._restack(above, number, values)
        if not set(values) - {_SIBLING, _STACK}:
            return
        if self._redirectable(found):
            self._hand_over(found)
            found.geometry_after = request.number
            if _WIDTH in values or _HEIGHT in values:
                self._resized(found)
            return
        border = values.get(_BORDER, found.border) & 0xFFFF
        x, y = signed(values.get(_X, found.x)), signed(values.get(_Y, found.y))
        width, height = values.get(_WIDTH, found.width) & 0xFFFF, values.get(_HEIGHT, found.height) & 0xFFFF
        if (width, height) != (found.width, found.height):
            self._resized(found)
        found.x, found.y, found.width, found.height, found.border = x, y, width, height, border

    def _resized(self, window: OwnWindow) -> None:
        """Win-gravity moves those inside (X protocol, ConfigureWindow); only North-West leaves them."""
        for child in window.children:
            inside = self._windows.get(child)
            if inside is not None and inside.drifts:
                inside.lost = True

    def _restack(self, above: "Optional[OwnWindow]", number: int, values: "Dict[int, int]") -> None:
        if above is None:
            return
        sibling, mode = values.get(_SIBLING, 0), values[_STACK] & 0xFF
        order = above.children
        if mode > 1 or number not in order or sibling == number or (sibling and sibling not in order):
            above.order_lost = True
            return
        order.remove(number)
        if not sibling:
            order.insert(0 if mode else len(order), number)
        else:
            order.insert(order.index(sibling) + (0 if mode else 1), number)

    def reparent(self, request: Request) -> None:
        """ReparentWindow: unmaps, moves, and maps again what was mapped (X protocol, ReparentWindow)."""
        self.last_change = request.number
        number, parent, x, y = struct.unpack_from(self._order + "IIhh", request.data, request.body)
        found = self._windows.get(number)
        if found is None:
            return
        if self._lies_in(parent, number):  # Match, if all that was asked for before has come about
            self._doubt(found, number)
            return
        self._around.resources.moved(number, parent)
        before, above = self._windows.get(found.parent), self._windows.get(parent)
        if before is not None and number in before.children:
            before.children.remove(number)
        found.parent, found.x, found.y = parent, x, y
        if above is not None:
            above.children.append(number)
            if above.doubtful:
                self._doubt(found, number)
        if found.managed or (above is None and parent not in self.roots):
            found.lost = True
            return
        if found.mapped and self._redirectable(found):
            self._hand_over(found)
            found.map_after = request.number

    def map(self, request: Request) -> None:
        """MapWindow."""
        self.last_change = request.number
        number = struct.unpack_from(self._order + "I", request.data, request.body)[0]
        found = self._windows.get(number)
        if found is not None:
            self._map(found, request)

    def _map(self, window: OwnWindow, request: Request) -> None:
        if self._redirectable(window):
            if window.mapped and window.map_after <= self._around.settled():
                return  # no effect on a window that is mapped
            self._hand_over(window)
            window.map_after = request.number
        else:
            window.mapped = True
        window.mapped_once = True

    def unmap(self, request: Request) -> None:
        """UnmapWindow."""
        self.last_change = request.number
        number = struct.unpack_from(self._order + "I", request.data, request.body)[0]
        found = self._windows.get(number)
        if found is not None:
            self._unmap(found, request)

    def _unmap(self, window: OwnWindow, request: Request) -> None:
        if window.managed:
            window.map_after = request.number
        else:
            window.mapped = False

    def map_inside(self, request: Request) -> None:
        """MapSubwindows."""
        self.last_change = request.number
        for child in self._inside(request):
            self._map(child, request)

    def unmap_inside(self, request: Request) -> None:
        """UnmapSubwindows."""
        self.last_change = request.number
        for child in self._inside(request):
            self._unmap(child, request)

    def _inside(self, request: Request) -> "List[OwnWindow]":
        number = struct.unpack_from(self._order + "I", request.data, request.body)[0]
        found = self._windows.get(number)
        if found is not None:
            children = [self._windows[child] for child in found.children if child in self._windows]
        else:
            children = [one for one in self._windows.values() if one.parent == number]
        return children

    def circulate(self, request: Request) -> None:
        """CirculateWindow."""
        number = struct.unpack_from(self._order + "I", request.data, request.body)[0]
        found = self._windows.get(number)
        if found is not None:
            found.order_lost = True

    def destroyed(self, number: int) -> None:
        """DestroyWindow."""
        if self.known(number) is not None:
            if len(self.gone) >= MOST_WINDOWS:
                self.gone.clear()
            self.gone.add(number)
        self.destroy(number)

    def destroy(self, number: int) -> None:
        """The window is gone with all inside."""
        gone = self._windows.pop(number, None)
        if gone is None:
            return
        above = self._windows.get(gone.parent)
        if above is not None and number in above.children:
            above.children.remove(number)
        inside = gone.children
        while inside:
            child = self._windows.pop(inside.pop(), None)
            if child is not None:
                inside += child.children

    def destroy_inside(self, number: int) -> None:
        """DestroySubwindows."""
        found = self._windows.get(number)
        for child in list(found.children) if found is not None else ():
            self.destroy(child)

    def failed(self, request: Request) -> None:
        """A request about a window had an error: nothing of that window counts any more."""
        number = struct.unpack_from(self._order + "I", request.data, request.body)[0]
        found = self._windows.get(number)
        self.gone.discard(number)
        if found is not None and request.opcode == _REPARENT:
            self._doubt(found, number)
        self._lose(number)

    def _doubt(self, window: OwnWindow, number: int) -> None:
        """Nobody knows where this window is, with all in it."""
        found = [(number, window)]
        while found:
            number, window = found.pop()
            window.doubtful = window.lost = True
            self._around.resources.drop(number, doubtful=True)
            inside = [(child, self._windows.get(child)) for child in window.children]
            found += [(child, one) for child, one in inside if one is not None and not one.doubtful]

    def _lies_in(self, number: int, above: int) -> bool:
        """Whether a window is `above` or lies in it, as far as anybody remembers."""
        while number != above:
            found = self._windows.get(number)
            if found is None:
                return False
            number = found.parent
        return True

    # The X server's own events about a window, told to that window (StructureNotify).

    def configured(self, number: int, geometry: "Tuple[int, ...]", at: int) -> None:
        """x, y, width, height, border of a window; request number `at` was the server's last."""
        found = self._managed(number)
        if found is not None:
            if geometry[2:4] != (found.width, found.height):
                self._resized(found)
            found.x, found.y, found.width, found.height, found.border = geometry
            if at >= found.geometry_after:
                found.geometry_after = 0

    def moved(self, number: int, x: int, y: int, parent: int = 0) -> None:
        """GravityNotify, or ReparentNotify with the new parent."""
        found = self._managed(number)
        if found is not None:
            if parent in self._windows:  # by somebody else
                found.lost = True
                return
            found.x, found.y, found.parent = x, y, parent or found.parent
            found.seen_events, found.seen_state = None, (0, -2)

    def mapped(self, number: int, now: bool, at: int) -> None:
        """MapNotify or UnmapNotify."""
        found = self._managed(number)
        if found is not None:
            found.mapped = now
            found.seen_events, found.seen_state = None, (0, -2)
            if at >= found.map_after:
                found.map_after = 0

    def _managed(self, number: int) -> "Optional[OwnWindow]":
        found = self._windows.get(number)
        return found if found is not None and found.managed and not found.lost else None

    def _redirectable(self, window: OwnWindow) -> bool:
        return window.managed or (window.parent in self.roots and not window.attributes.get(_OVERRIDE))

    def _hand_over(self, window: OwnWindow) -> None:
        """From this request on the window manager may do what it likes with the window."""
        window.managed = True
        if not window.events_since:
            window.lost = True

    def _lose(self, number: int) -> None:
        found = self._windows.get(number)
        if found is not None:
            found.lost = True
