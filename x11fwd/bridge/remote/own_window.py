"""One window that a program made, as `window_state` keeps it."""

from typing import Dict, List, Optional, Tuple


class OwnWindow:
    """One window that the program made."""

    __slots__ = (
        "attributes",
        "border",
        "children",
        "depth",
        "doubtful",
        "drifts",
        "events_since",
        "geometry_after",
        "height",
        "input_only",
        "lost",
        "managed",
        "map_after",
        "mapped",
        "mapped_once",
        "order_lost",
        "parent",
        "root",
        "seen_events",
        "seen_state",
        "visual",
        "width",
        "x",
        "y",
    )

    def __init__(self) -> None:
        self.parent = self.root = self.visual = self.depth = 0
        self.x = self.y = self.width = self.height = self.border = 0
        self.input_only = False
        self.attributes: Dict[int, int] = {}  # by bit of CreateWindow's mask
        self.mapped = False
        self.mapped_once = False
        self.managed = False  # the window manager may configure it; events say what it is
        self.lost = False
        self.drifts = False  # has or had a win-gravity that moves it when its parent changes its size
        self.doubtful = False  # nobody knows in which window it lies, and so with which it ends
        self.children: List[int] = []  # bottom first
        self.order_lost = False
        self.events_since = 0  # the request that selected StructureNotify; 0 when it is not selected
        self.geometry_after = 0  # what events say counts when this request is settled
        self.map_after = 0
        self.seen_events: Optional[Tuple[int, int]] = None  # what all selected, and this program, when told
        self.seen_state: Tuple[int, int] = (0, -2)  # the map state that the server told, and to which request
