"""Which request an opcode means on one display, and how it is answered; both halves use it."""

from typing import Dict, Optional, Tuple

from x11fwd.bridge.shared.tables import TABLES

# How many replies a request gets when it does not fail.
NO_REPLY = 0
ONE_REPLY = 1
SEVERAL_REPLIES = 2  # see last_of_several
MAYBE_REPLY = 3  # a request that the protocol's description does not know

CORE = ""
FIRST_EXTENSION_OPCODE = 128  # X protocol, chapter 1, "Request Format"
LIST_FONTS_WITH_INFO = 50


def replies_of(extension: str, minor: int) -> int:
    """How request `minor` (core: opcode) of an extension, named as in QueryExtension, is answered."""
    row = TABLES.get(extension)
    if row is None or not row[0] >> minor & 1:
        return MAYBE_REPLY
    if row[2] >> minor & 1:
        return SEVERAL_REPLIES
    return ONE_REPLY if row[1] >> minor & 1 else NO_REPLY


def carries_fds(extension: str, minor: int) -> bool:
    """Whether the request or its reply comes with file descriptors, which no link can carry."""
    row = TABLES.get(extension)
    return row is not None and bool((row[3] | row[4]) >> minor & 1)


def needs_this_machine(extension: str) -> bool:
    """Whether the extension is of no use without file descriptors or memory shared with the X server.

    MIT-SHM shares memory; DRI2, DRI3 and XFree86-DRI hand out the graphics device, Present is made for DRI3's
    pixmaps. RANDR stays: only CreateLease carries a descriptor.
    """
    return extension in {"MIT-SHM", "DRI2", "DRI3", "Present", "XFree86-DRI", "XVideo-MotionCompensation"}


def last_of_several(opcode: int, second_byte: int) -> bool:
    """Whether a reply to a SEVERAL_REPLIES request is its last one, from the request's major opcode.

    ListFontsWithInfo: the name's length is 0 (X protocol, chapter 9). The only other such request is RECORD's
    EnableContext: category EndOfData (Record Extension Protocol, EnableContext).
    """
    return second_byte == (0 if opcode == LIST_FONTS_WITH_INFO else 5)


class Majors:
    """The extensions of one display, as QueryExtension's replies told."""

    def __init__(self) -> None:
        self._names: Dict[int, str] = {}
        self._majors: Dict[str, Tuple[int, int, int]] = {}

    def learn(self, name: str, major: int, first_event: int, first_error: int) -> None:
        """Remember a present extension.

        Raises:
            ValueError: the major opcode is the core protocol's or another extension's.
        """
        if not FIRST_EXTENSION_OPCODE <= major <= 255 or self._names.get(major, name) != name:
            raise ValueError("the X server gives %s the opcode %d" % (ascii(name), major))
        self._names[major] = name
        self._majors[name] = (major, first_event, first_error)

    def row(self, name: str) -> "Optional[Tuple[int, int, int]]":
        """Major opcode, first event and first error of an extension; None as with `opcode`."""
        return self._majors.get(name)

    def opcode(self, name: str) -> Optional[int]:
        """The major opcode of an extension; None when it is not there or nobody has asked."""
        row = self._majors.get(name)
        return None if row is None else row[0]

    def name(self, opcode: int) -> Optional[str]:
        """CORE, an extension's name, or None for an opcode that nobody has asked for."""
        return CORE if opcode < FIRST_EXTENSION_OPCODE else self._names.get(opcode)

    def replies(self, opcode: int, second_byte: int) -> int:
        """NO_REPLY, ONE_REPLY, SEVERAL_REPLIES or MAYBE_REPLY, from the first two bytes of a request."""
        if opcode < FIRST_EXTENSION_OPCODE:
            return replies_of(CORE, opcode)
        name = self._names.get(opcode)
        return MAYBE_REPLY if name is None else replies_of(name, second_byte)
