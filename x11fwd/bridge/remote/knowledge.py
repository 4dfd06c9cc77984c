"""What is known of the X server on the remote half; all programs of the display share it.

The local half tells it. Facts have a topic (shared/topics): CONSTANT for what cannot change while the X
server runs, else what its changes have in common (one root property, the keyboard). A topic is in one of
three states. Known: facts count. In doubt: an event of a change has passed to a program, so facts under way
may be older than that event and are dropped until the local half, which sees the same change, says `forget`.
Distrusted: a program of this link changes it, and the local half's knowledge lags behind it for ever.
"""

import struct
from collections import deque
from typing import Callable, Deque, Dict, Iterable, Optional, Set, Tuple

from x11fwd.bridge.shared.control import (
    AtomsTold,
    ColorsTold,
    ControlReader,
    FactsTold,
    ForgetTold,
    ReadyTold,
    SeenTold,
    SetupTold,
)
from x11fwd.bridge.shared.faults import WireFault
from x11fwd.bridge.shared.majors import Majors
from x11fwd.bridge.shared.setup import VisualType
from x11fwd.bridge.shared.truecolor import TrueColors, true_colors

MOST_ATOMS = 1 << 16
MOST_FACT_BYTES = 1 << 24
MOST_COLORS = 1 << 12
MOST_ABSENT = 1 << 10
_LOOKUP_COLOR, _QUERY_EXTENSION = 92, 98


class Knowledge:
    """Facts in byte order `order`: exact requests and what the X server said to them.

    `setup` is the X server's setup reply, empty until it is told; `ready` are pooled connections that may be
    taken, each with its first resource id.
    `atoms` and `colors` (visuals whose colours may be computed) hold for programs of both byte orders.
    """

    def __init__(self, order: str) -> None:
        self.order = order
        self.setup = b""
        self.ready: Deque[Tuple[int, int]] = deque()
        self.majors = Majors()
        self.atoms: Dict[bytes, int] = {}
        self.atom_names: Dict[int, bytes] = {}
        self.colors: Set[int] = set()
        self.color_names: Dict[bytes, Tuple[int, int, int]] = {}
        self.absent: Set[bytes] = set()  # extensions that the X server does not have
        self.heard = 0  # how often anything came for any program, or one went
        self._computed: Dict[Tuple[int, ...], Optional[TrueColors]] = {}
        self._facts: Dict[bytes, bytes] = {}
        self._bytes = 0
        self._topics: Dict[bytes, Dict[bytes, None]] = {}
        self._doubtful: Set[bytes] = set()
        self._distrusted: Set[bytes] = set()
        self._reader = ControlReader()

    def told(self, payload: bytes, seen: "Callable[[SeenTold], None]" = lambda _: None) -> None:
        """A CONTROL payload of the local half; `seen` gets what is for one program.

        Raises:
            WireFault: it is damaged.
        """
        said = self._reader.read(payload)
        if isinstance(said, SetupTold):
            self.setup = said.data
        elif isinstance(said, ReadyTold):
            self.ready.append((said.connection, said.id_base))
        elif isinstance(said, FactsTold):
            for fact in said.facts:
                if fact.topic not in self._doubtful:
                    self.learn(*fact)
        elif isinstance(said, AtomsTold):
            for atom, name in said.atoms:
                self.learn_atom(atom, name)
        elif isinstance(said, ColorsTold):
            self.colors.update(said.visuals)
        elif isinstance(said, SeenTold):
            seen(said)
        elif isinstance(said, ForgetTold):
            self._doubtful.discard(said.topic)
            self.forget(said.topic)

    def fact(self, request: bytes) -> Optional[bytes]:
        """The reply to exactly this request, its sequence number left open; None when nobody knows."""
        return self._facts.get(request)

    def requests(self) -> "Iterable[bytes]":
        """The requests to which the replies are known, as `fact` wants them."""
        return tuple(self._facts)

    def trusts(self, topic: bytes) -> bool:
        """Whether a reply that comes now may be remembered under this topic."""
        return topic not in self._doubtful and topic not in self._distrusted

    def learn(self, topic: bytes, request: bytes, reply: bytes) -> None:
        """Remember a reply under a topic, unless programs of this link change it."""
        if topic in self._distrusted or request in self._facts:
            return
        size = len(request) + len(reply)
        if self._bytes + size > MOST_FACT_BYTES:
            return
        self._bytes += size
        self._facts[request] = reply
        self._topics.setdefault(topic, {})[request] = None
        if request[0] == _QUERY_EXTENSION:
            self._learn_extension(request, reply)
        elif request[0] == _LOOKUP_COLOR and len(request) >= 12:
            (length,) = struct.unpack_from(self.order + "H", request, 8)
            self.learn_color(request[12 : 12 + length], struct.unpack_from(self.order + "3H", reply, 8))

    def learn_atom(self, atom: int, name: bytes) -> None:
        """Remember an atom: it stays what it is until the X server ends."""
        if atom and len(self.atoms) < MOST_ATOMS:
            self.atoms[name] = atom
            self.atom_names[atom] = name

    def learn_color(self, name: bytes, color: "Tuple[int, ...]") -> None:
        """Remember a colour of the X server's own list, which ignores case (Xorg's os/oscolor.c)."""
        if len(self.color_names) < MOST_COLORS:
            self.color_names[name.lower()] = (color[0], color[1], color[2])

    def true_colors(self, visual: VisualType) -> "Optional[TrueColors]":
        """How colours of this visual are computed; None when the X server must be asked."""
        if visual.id not in self.colors:
            return None
        kind = (visual.bits_per_rgb, visual.red, visual.green, visual.blue, visual.depth)
        if kind not in self._computed:
            self._computed[kind] = true_colors(visual)
        return self._computed[kind]

    def extension(self, name: bytes, present: bool, row: "Tuple[int, int, int]") -> None:
        """Remember QueryExtension's reply.

        Raises:
            WireFault: two extensions have one opcode.
        """
        if not present:
            if len(self.absent) < MOST_ABSENT:
                self.absent.add(name)
            return
        try:
            self.majors.learn(name.decode("latin-1"), *row)
        except ValueError as fault:
            raise WireFault(str(fault)) from None

    def forget(self, topic: bytes) -> None:
        """What was known under this topic may have changed."""
        for request in self._topics.pop(topic, {}):
            self._bytes -= len(request) + len(self._facts.pop(request, b""))

    def changed(self, topic: bytes) -> None:
        """A program is about to get an event that says that this has changed."""
        self.forget(topic)
        if topic not in self._distrusted:
            self._doubtful.add(topic)

    def distrust(self, topic: bytes) -> None:
        """A program of this link changes this: never answer it here again."""
        self.forget(topic)
        self._distrusted.add(topic)

    def _learn_extension(self, request: bytes, reply: bytes) -> None:
        """QueryExtension's reply (X protocol, chapter 9): present, major opcode, first event, first error."""
        if len(request) < 8:
            return
        (size,) = struct.unpack_from(self.order + "H", request, 4)
        name = request[8 : 8 + size]
        present, major, event, error = reply[8:12]
        self.extension(name, bool(present), (major, event, error))
