"""What one program has made and the X server surely knows; ground for answers made on the remote half.

A resource counts from its creation where that cannot fail, else once the creation is settled without an
error. Windows can end without the program's doing (KillClient, a parent of somebody else's); with a sane
desktop that is the end of the program, too. A window made inside a window of somebody else is never counted.
"""

from collections import deque
from typing import Deque, Dict, NamedTuple, Optional, Set, Tuple, Union

from x11fwd.bridge.shared.setup import Setup

MOST_DOUBTFUL = 1 << 16  # ids, of a program that is broken; after that no new one is trusted
LAST_PREDEFINED_ATOM = 68  # X protocol, appendix B, "Predefined Atoms": WM_TRANSIENT_FOR


class Pixels(NamedTuple):
    """A pixmap or, with a visual or `input_only`, a window; `parent` is 0 for roots and pixmaps."""

    root: int
    depth: int
    parent: int = 0
    visual: int = 0
    input_only: bool = False
    colormap: int = 0  # 0 where it is not known
    own: bool = True  # False for roots
    width: int = 0  # of pixmaps only
    height: int = 0
    seen: bool = False  # it was mapped, so that others may have come to it

    @property
    def window(self) -> bool:
        return bool(self.visual) or self.input_only


class Context(NamedTuple):
    """A graphics context: it draws on this root's drawables of this depth."""

    root: int
    depth: int


class Palette(NamedTuple):
    """A colormap."""

    root: int
    visual: int


class Font(NamedTuple):
    """An open font."""

    name: bytes


class Pointer(NamedTuple):
    """A cursor."""

    animated: bool = False


class Picture(NamedTuple):
    """A RENDER picture of a drawable, or without one (root 0); it ends with its window, `parent`."""

    root: int
    depth: int = 0
    width: int = 0  # of pixmaps only
    height: int = 0
    parent: int = 0


class Glyphs(NamedTuple):
    """A RENDER glyph set; sets that are references to each other have the same `numbers`."""

    depth: int
    numbers: Set[int]  # of glyphs that are surely in it


class Thing(NamedTuple):
    """What some extension makes, as "region"; it ends with its window, `parent`."""

    kind: str
    parent: int = 0


Resource = Union[Pixels, Context, Palette, Font, Pointer, Picture, Glyphs, Thing]


class Resources:
    """By id, what the server surely knows of one program's resources, and the roots and default colormaps."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.known: Dict[int, Resource] = {}
        self._inside: Dict[int, Set[int]] = {}  # by window: what ends with it, also what counts later
        self._coming: Dict[
            int, int
        ] = {}  # ids that count later, to the number of the request that makes them
        self._made: Deque[Tuple[int, int, Resource]] = deque()  # by requests that are not settled
        self._failed: Set[int] = set()
        self._doubtful: Set[int] = set()  # ids of which nobody knows here whether they are in use
        self.atoms = set(range(1, LAST_PREDEFINED_ATOM + 1))
        self.fonts: Set[bytes] = set()  # names under which there surely is one
        self.layouts = {one.depth: one for one in setup.layouts}
        self.depths: Dict[int, Tuple[int, ...]] = {}
        self.visuals: Dict[int, Dict[int, int]] = {}  # of each root, visual to depth
        for root in setup.roots:
            self.depths[root.root] = root.depths
            self.visuals[root.root] = {one.id: one.depth for one in root.visuals}
            self.known[root.colormap] = Palette(root.root, root.visual)
            self.known[root.root] = Pixels(
                root=root.root, depth=root.depth, visual=root.visual, colormap=root.colormap, own=False
            )

    def pixels(self, number: int) -> "Optional[Pixels]":
        """The pixmap or window with this id."""
        found = self.known.get(number)
        return found if isinstance(found, Pixels) else None

    def window(self, number: int) -> "Optional[Pixels]":
        """The window with this id, a root too."""
        found = self.pixels(number)
        return found if found is not None and found.window else None

    def own_window(self, number: int) -> "Optional[Pixels]":
        """The window with this id when the program made it."""
        found = self.window(number)
        return found if found is not None and found.own else None

    def fresh(self, number: int) -> bool:
        """Whether the program may give a new resource this id (X protocol, chapter 8; else IDChoice)."""
        mine = number & ~self.setup.id_mask == self.setup.id_base
        if number in self._doubtful or len(self._doubtful) > MOST_DOUBTFUL:
            return False
        return mine and number not in self.known and number not in self._coming

    def add(self, request: int, number: int, made: Resource, *, safe: bool) -> None:
        """Request number `request` makes this; when it is not `safe`, it counts once that is settled."""
        self._made.append((request, number, made))
        parent = getattr(made, "parent", 0)
        if parent:
            self._inside.setdefault(parent, set()).add(number)
        if safe:
            self.known[number] = made
        else:
            self._coming[number] = request

    def failed(self, request: int) -> None:
        """An error to this request has come; tell before `settled`."""
        self._failed.add(request)

    def settled(self, request: int) -> None:
        """The server is done with every request up to this one."""
        while self._made and self._made[0][0] <= request:
            made_by, number, made = self._made.popleft()
            failed = made_by in self._failed
            if self._coming.get(number) == made_by:
                del self._coming[number]
                if failed:
                    self._leave(number, made)
                else:
                    self.known[number] = made
            elif failed and self.known.get(number) is made:  # Alloc, which nobody can exclude
                self.drop(number)
        if self._failed:
            self._failed = {one for one in self._failed if one > request}

    def without_palette(self, palette: int) -> None:
        """The colormap is freed: its windows have none."""
        for number, one in list(self.known.items()):
            if isinstance(one, Pixels) and one.colormap == palette:
                self.known[number] = one._replace(colormap=0)

    def made(self, number: int) -> bool:
        """Whether this id is in use, or will be when its creation does not fail."""
        return number in self.known or number in self._coming

    def unsettled(self, number: int) -> bool:
        """Whether a creation under this id may still fail."""
        return number in self._coming

    def drop(self, number: int, *, doubtful: bool = False) -> None:
        """The resource is freed, or in doubt it may be; with a window goes what is inside."""
        gone = self.known.get(number)
        if isinstance(gone, Pixels) and gone.window and not gone.own:
            return
        ending = [number]
        while ending:
            number = ending.pop()
            coming = self._coming.pop(number, None) is not None
            gone = self.known.pop(number, None)
            if (doubtful or (coming and gone is None)) and len(self._doubtful) <= MOST_DOUBTFUL:
                self._doubtful.add(number)
            ending += self._inside.pop(number, ())
            self._leave(number, gone)

    def drop_inside(self, number: int, *, doubtful: bool = False) -> None:
        """The windows inside are gone."""
        for one in list(self._inside.get(number, ())):
            found = self.known.get(one)
            if found is None or isinstance(found, Pixels):
                self.drop(one, doubtful=doubtful)

    def moved(self, number: int, parent: int) -> None:
        """The window goes into another parent, with which it will end."""
        found = self.known.get(number)
        if isinstance(found, Pixels) and found.window and found.own:
            self._leave(number, found)
            self.known[number] = found._replace(parent=parent)
            self._inside.setdefault(parent, set()).add(number)

    def _leave(self, number: int, gone: "Optional[Resource]") -> None:
        parent = getattr(gone, "parent", 0)
        beside = self._inside.get(parent)
        if beside is not None:
            beside.discard(number)
            if not beside:
                del self._inside[parent]
