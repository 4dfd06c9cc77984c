"""Which requests cannot fail, given what is known of the program's resources; used by the remote half.

A request can fail unless a rule of the risk_* modules excludes every error that the X protocol lists for it
(chapter 9), and Length: all sizes are checked. Alloc is not excluded, as any request may raise it (chapter
4), apart from sizes that Xorg always refuses. What no rule knows can fail: unknown extensions and ids, what
looks at windows of others. Requests with a reply need no rule. What the server checks was read in Xorg (dix,
render, xfixes, Xext, Xi, xkb, randr, damageext, glx), for clients of both byte orders.
"""

import struct
from typing import Callable, Dict, NamedTuple, Optional

from x11fwd.bridge.shared.majors import CORE, FIRST_EXTENSION_OPCODE, Majors
from x11fwd.bridge.shared.resources import Resources
from x11fwd.bridge.shared.risk_drawing import DrawingRisks
from x11fwd.bridge.shared.risk_extensions import MAKES_UNKNOWN, ExtensionRisks
from x11fwd.bridge.shared.risk_input import InputRisks
from x11fwd.bridge.shared.risk_render import RenderRisks
from x11fwd.bridge.shared.risk_rules import RiskKey, Verdict
from x11fwd.bridge.shared.risk_windows import WindowRisks
from x11fwd.bridge.shared.wire import Request

_CONFIGURE_WINDOW = 12
# Requests that give the first word's id to something new, and those that free it
_CORE_MAKES = (1, 45, 53, 55, 78, 80, 93, 94)
_CORE_FREES = (4, 46, 54, 60, 79, 95)
_RENDER_MAKES = (4, 17, 18, 27, 31, 33, 34, 35, 36)
_MAKES = {(CORE, one): 0 for one in _CORE_MAKES}
_MAKES.update({("RENDER", one): 0 for one in _RENDER_MAKES})
_MAKES.update({("XFIXES", 5): 0, ("XFIXES", 6): 0, ("XFIXES", 7): 0, ("SYNC", 2): 0, ("DAMAGE", 1): 0})
_MAKES.update(MAKES_UNKNOWN)
_FREES = {(CORE, one) for one in _CORE_FREES}
_FREES.update({("RENDER", 7), ("RENDER", 19), ("XFIXES", 10), ("SYNC", 6), ("DAMAGE", 2)})


class _Row(NamedTuple):
    """What one kind of request does; `makes` is the place of the new id behind the length, -1 for none."""

    rule: Verdict
    makes: int
    frees: bool


def _unsafe(request: Request) -> bool:
    del request
    return False


def _nothing_known(request: bytes) -> "Optional[bytes]":
    del request
    return None


class Judge:
    """Looks at every request of one program in order; remembers what they make and free.

    `majors` says which extensions there are, `fact` what the X server replies to exactly these bytes, when
    that is known: QueryPictFormats and XIQueryVersion are looked up.
    """

    def __init__(
        self,
        order: str,
        resources: Resources,
        majors: "Optional[Majors]" = None,
        fact: "Callable[[bytes], Optional[bytes]]" = _nothing_known,
    ) -> None:
        self._resources = resources
        self._majors = Majors() if majors is None else majors
        self._word = struct.Struct(order + "I").unpack_from
        self._rows: Dict[int, _Row] = {}
        given = (order, resources, self._majors, fact)
        self._windows = WindowRisks(*given)
        self._extensions = ExtensionRisks(*given)
        self._rules: Dict[RiskKey, Verdict] = {}
        for group in (self._windows, DrawingRisks(*given), InputRisks(*given), RenderRisks(*given)):
            self._rules.update(group.rules())
        self._rules.update(self._extensions.rules())

    def asked(self, request: Request) -> None:
        """A request with a reply goes to the server; some open an extension for others."""
        if request.opcode >= FIRST_EXTENSION_OPCODE:
            self._extensions.asked(request)

    def must_wait(self, request: Request) -> bool:
        """Whether answers made here wait until the server is done with this request.

        It can fail, or it configures a top level that others may have configured meanwhile. Tk
        (tkUnixWm.c, WaitForConfigureNotify) and Xt (Shell.c, _wait_for_response) take the first
        ConfigureNotify with a number not below their request's for its result. An older event, of the
        window manager's doing, must not get a higher number because something later was answered here.
        """
        risky = self.can_fail(request)
        return risky or (request.opcode == _CONFIGURE_WINDOW and self._windows.moves(request))

    def can_fail(self, request: Request) -> bool:
        """Whether an error to this request may come; asked once for each request that goes to the server."""
        opcode = request.opcode
        row = self._rows.get(opcode if opcode < FIRST_EXTENSION_OPCODE else opcode << 8 | request.minor)
        if row is None:
            row = self._row(request)
        rule, makes, frees = row
        if makes < 0 and not frees:
            try:
                return not rule(request)
            except (struct.error, IndexError, ValueError):  # too short for what it must hold: Length
                return True
        return not self._lifetime(request, rule, makes, frees=frees)

    def _lifetime(self, request: Request, rule: Verdict, makes: int, *, frees: bool) -> bool:
        """Whether a request that makes or frees something is safe; what stays unclear is in doubt."""
        resources = self._resources
        try:
            (number,) = self._word(request.data, request.body + 4 * max(makes, 0))
        except struct.error:
            return False
        unsettled = makes >= 0 and resources.unsettled(number)
        try:
            safe = rule(request)
        except (struct.error, IndexError, ValueError):
            safe = False
        if unsettled or (makes >= 0 and not resources.made(number)) or (frees and not safe):
            resources.drop(number, doubtful=True)
        return safe

    def _row(self, request: Request) -> "_Row":
        opcode = request.opcode
        name = self._majors.name(opcode)
        if name is None:
            return _Row(_unsafe, -1, frees=False)
        if opcode < FIRST_EXTENSION_OPCODE:
            kind, key = (CORE, opcode), opcode
        else:
            kind, key = (name, request.minor), opcode << 8 | request.minor
        row = _Row(self._rules.get(kind, _unsafe), _MAKES.get(kind, -1), kind in _FREES)
        self._rows[key] = row
        return row
