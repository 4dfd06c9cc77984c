"""Selections, sent events, grabs and other input requests that cannot fail; rules of `risk`."""

from typing import Dict, Optional

from x11fwd.bridge.shared.resources import Pixels, Pointer
from x11fwd.bridge.shared.risk_rules import RiskKey, RiskRules, Verdict
from x11fwd.bridge.shared.risk_windows import ALL_EVENTS
from x11fwd.bridge.shared.wire import Request

POINTER_GRAB_EVENTS = 0x00007FFC  # SETofPOINTEREVENT (X protocol, appendix B)
ANY_MODIFIER = 0x8000
_CLIENT_MESSAGE, _LAST_CORE_EVENT = 33, 34


class InputRisks(RiskRules):
    """X protocol, chapter 9, from SetSelectionOwner to SetCloseDownMode; dix/selection.c, dix/events.c."""

    def rules(self) -> "Dict[RiskKey, Verdict]":
        found: Dict[int, Verdict] = {
            22: self._set_selection_owner,
            24: self._convert_selection,
            25: self._send_event,
            27: self._two_words,  # UngrabPointer
            28: self._grab_button,
            29: self._ungrab,  # UngrabButton
            30: self._change_grab,
            32: self._two_words,  # UngrabKeyboard
            33: self._grab_key,
            34: self._ungrab_key,
            35: lambda request: request.minor <= 7 and self._two_words(request),  # AllowEvents
            36: self._one_word,  # GrabServer
            37: self._one_word,  # UngrabServer
            104: lambda request: (
                not 100 < request.minor < 156 and self._one_word(request)
            ),  # Bell: -100 to 100
            112: lambda request: request.minor <= 2 and self._one_word(request),  # SetCloseDownMode
            127: lambda _: True,  # NoOperation
        }
        return {("", opcode): rule for opcode, rule in found.items()}

    def _atoms(self, *atoms: int) -> bool:
        return all(one in self._resources.atoms for one in atoms)

    def _set_selection_owner(self, request: Request) -> bool:
        owner, selection, _ = self._words(request, 3)
        known = not owner or self._resources.own_window(owner) is not None
        return known and self._atoms(selection) and self._size(request) == 16

    def _convert_selection(self, request: Request) -> bool:
        window, selection, target, into, _ = self._words(request, 5)
        known = self._resources.own_window(window) is not None and self._size(request) == 24
        return known and self._atoms(selection, target) and (not into or self._atoms(into))

    def _send_event(self, request: Request) -> bool:
        """The window manager hears of windows by messages to the root."""
        window, mask = self._words(request, 2)
        kind, form = request.data[request.body + 8], request.data[request.body + 9]
        if not 2 <= kind <= _LAST_CORE_EVENT or (kind == _CLIENT_MESSAGE and form not in {8, 16, 32}):
            return False
        safe = not mask & ~ALL_EVENTS and request.minor <= 1 and self._size(request) == 44
        return safe and self._resources.window(window) is not None

    def _alone(self, number: int) -> "Optional[Pixels]":
        """A window of the program's own that nobody else grabs or has come to."""
        window = self._resources.own_window(number)
        if window is None or (window.seen and window.parent in self._resources.depths):
            return None
        return window

    def _pointer(self, number: int) -> bool:
        return not number or self._kind(number, Pointer)

    @staticmethod
    def _modifiers(modifiers: int) -> bool:
        return modifiers == ANY_MODIFIER or modifiers <= 0xFF

    def _grab_button(self, request: Request) -> bool:
        (window,) = self._words(request, 1)
        (events,) = self._shorts(request, 4, 1)
        confined, pointer = self._words(request, 2, 8)
        modes = request.data[request.body + 6 : request.body + 8]
        (modifiers,) = self._shorts(request, 18, 1)
        safe = self._alone(window) is not None and max(modes) <= 1 and request.minor <= 1
        safe = safe and not events & ~POINTER_GRAB_EVENTS and self._modifiers(modifiers)
        safe = safe and self._pointer(pointer) and self._size(request) == 24
        return safe and (not confined or self._resources.own_window(confined) is not None)

    def _ungrab(self, request: Request) -> bool:
        (window,) = self._words(request, 1)
        known = self._resources.own_window(window) is not None and self._size(request) == 12
        return known and self._modifiers(self._shorts(request, 4, 1)[0])

    def _change_grab(self, request: Request) -> bool:
        pointer, _ = self._words(request, 2)
        events, _ = self._shorts(request, 8, 2)
        return self._pointer(pointer) and not events & ~POINTER_GRAB_EVENTS and self._size(request) == 16

    def _key(self, code: int) -> bool:
        setup = self._resources.setup
        return not code or setup.first_keycode <= code <= setup.last_keycode

    def _grab_key(self, request: Request) -> bool:
        (window,) = self._words(request, 1)
        (modifiers,) = self._shorts(request, 4, 1)
        key, one, other = request.data[request.body + 6 : request.body + 9]
        safe = self._alone(window) is not None and max(one, other) <= 1 and request.minor <= 1
        return safe and self._key(key) and self._modifiers(modifiers) and self._size(request) == 16

    def _ungrab_key(self, request: Request) -> bool:
        return self._key(request.minor) and self._ungrab(request)
