"""Reading requests and remembering what they make, for the rules of risk_*.py; `risk` puts them together."""

import struct
from typing import Callable, Dict, List, Optional, Sequence, Tuple

from x11fwd.bridge.shared.majors import Majors
from x11fwd.bridge.shared.resources import Palette, Pixels, Resource, Resources
from x11fwd.bridge.shared.wire import Request

Verdict = Callable[[Request], bool]
RiskKey = Tuple[str, int]  # extension as in QueryExtension ("" for the core protocol), opcode or minor opcode
_MOST_PLANS = 256  # of how value lists are read, by mask


class RiskRules:
    """Rules for some requests; a rule says whether the request is safe.

    `fact` gives the X server's reply to exactly these bytes when it is known.
    """

    def __init__(
        self,
        order: str,
        resources: Resources,
        majors: Majors,
        fact: "Callable[[bytes], Optional[bytes]]",
    ) -> None:
        self._order = order
        self._resources = resources
        self._majors = majors
        self._fact = fact
        self._plans: Dict[Tuple[int, int], Tuple[List[int], struct.Struct]] = {}
        self._unpack_words = [struct.Struct("%s%dI" % (order, count)).unpack_from for count in range(8)]
        self._unpack_shorts = [struct.Struct("%s%dH" % (order, count)).unpack_from for count in range(5)]

    def rules(self) -> "Dict[RiskKey, Verdict]":
        """The rules by request."""
        raise NotImplementedError

    def _words(self, request: Request, count: int, at: int = 0) -> "Sequence[int]":
        """`count` 32-bit words (fewer than 8), `at` bytes behind the length."""
        return self._unpack_words[count](request.data, request.body + at)

    def _shorts(self, request: Request, at: int, count: int) -> "Sequence[int]":
        """16-bit words, `at` bytes behind the length."""
        return self._unpack_shorts[count](request.data, request.body + at)

    @staticmethod
    def _size(request: Request) -> int:
        """Bytes as if the length were a short one, as the protocol counts them."""
        return len(request.data) - request.body + 4

    def _kind(self, number: int, kind: type) -> bool:
        """Whether this is surely such a resource."""
        return isinstance(self._resources.known.get(number), kind)

    def _one_word(self, request: Request) -> bool:
        return len(request.data) - request.body == 0

    def _two_words(self, request: Request) -> bool:
        return len(request.data) - request.body == 4

    def _free(self, request: Request, kind: type) -> bool:
        (number,) = self._words(request, 1)
        known = self._resources.known.get(number)
        if not isinstance(known, kind) or self._size(request) != 8:
            return False
        if kind is not Palette:
            self._resources.drop(number)
        elif all(root.colormap != number for root in self._resources.setup.roots):  # those stay
            self._resources.drop(number)
            self._resources.without_palette(number)
        return True

    def _make(self, request: Request, number: int, made: Resource, *, safe: bool) -> bool:
        if not self._resources.fresh(number):
            return False
        self._resources.add(request.number, number, made, safe=safe)
        return safe

    def _canvas(self, number: int) -> "Optional[Pixels]":
        """The program's own pixmap or window when one can draw on it."""
        found = self._resources.known.get(number)
        if not isinstance(found, Pixels) or found.input_only or not found.own:
            return None
        return found

    def _trusted(self) -> bool:
        """Whether the X server trusts the program: untrusted ones see two extensions (Xext/security.c)."""
        return self._majors.opcode("XFIXES") is not None or self._majors.opcode("RENDER") is not None

    def _value(self, request: Request, at: int, mask: int, bit: int) -> int:
        """The value for this bit of the mask in a value list `at` bytes behind the length."""
        before = bin(mask & (1 << bit) - 1).count("1")
        return self._words(request, 1, at + 4 * before)[0]

    def _values(self, request: Request, at: int, mask: int, bits: int) -> "Optional[Dict[int, int]]":
        """The value list as bit to value; None when it does not fit the mask or the request."""
        plan = self._plans.get((mask, bits))
        if plan is None:
            if mask >> bits:
                return None
            wanted = [bit for bit in range(bits) if mask >> bit & 1]
            plan = (wanted, struct.Struct("%s%dI" % (self._order, len(wanted))))
            if len(self._plans) < _MOST_PLANS:
                self._plans[mask, bits] = plan
        wanted, layout = plan
        if len(request.data) - request.body != at + layout.size:
            return None
        return dict(zip(wanted, layout.unpack_from(request.data, request.body + at)))
