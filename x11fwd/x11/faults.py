"""What can go wrong on an open X connection; x11 raises these, anything above may catch them.

DisplayError (x11fwd.errors)
├── DisplayTimeoutError      no answer before the deadline
├── DisplayLostError         the connection ended
├── MalformedAnswerError     bytes that are not X11
└── RequestError             the server refused one request
    ├── BadWindowError       the window is gone
    ├── BadDrawableError     the window or pixmap is gone
    ├── BadMatchError        of GetImage: not on screen, or not all of it
    └── BadAtomError         an atom from before a server reset
"""

from __future__ import annotations

from x11fwd.errors import DisplayError

# X Window System Protocol, appendix B (error codes).
ERROR_NAMES: dict[int, str] = {
    1: "BadRequest",
    2: "BadValue",
    3: "BadWindow",
    4: "BadPixmap",
    5: "BadAtom",
    6: "BadCursor",
    7: "BadFont",
    8: "BadMatch",
    9: "BadDrawable",
    10: "BadAccess",
    11: "BadAlloc",
    12: "BadColor",
    13: "BadGC",
    14: "BadIDChoice",
    15: "BadName",
    16: "BadLength",
    17: "BadImplementation",
}


class DisplayTimeoutError(DisplayError):
    """The X server did not answer before the deadline."""


class DisplayLostError(DisplayError):
    """The X server closed the connection."""


class MalformedAnswerError(DisplayError):
    """What came back is not the X11 protocol, or is shorter than it says."""


class RequestError(DisplayError):
    """The X server answered a request with an error.

    Attributes:
        code: error code (1 BadRequest … 17 BadImplementation, above 127 an extension's).
        opcode: major opcode of the refused request.
        resource: window, atom or other number that the server complained about.
    """

    def __init__(self, code: int, opcode: int, resource: int) -> None:
        name = ERROR_NAMES.get(code, f"error {code}")
        super().__init__(f"the X server answered {name} for 0x{resource:x} (request {opcode})")
        self.code = code
        self.opcode = opcode
        self.resource = resource


class BadWindowError(RequestError):
    pass


class BadDrawableError(RequestError):
    pass


class BadMatchError(RequestError):
    pass


class BadAtomError(RequestError):
    pass


_CLASSES: dict[int, type[RequestError]] = {
    3: BadWindowError,
    5: BadAtomError,
    8: BadMatchError,
    9: BadDrawableError,
}


def request_error(code: int, opcode: int, resource: int) -> RequestError:
    """The most specific error for an error packet."""
    return _CLASSES.get(code, RequestError)(code, opcode, resource)
