"""The bytes of one X connection cut into requests and answers, as they come (X protocol, chapter 1).

Both halves use it. Nothing is kept but the packet that is still incomplete. A packet that lies in one chunk
is a view of that chunk, any other is put together in one buffer that grows with what really came, so that a
length costs nothing before its bytes are there. Numbers count the requests since the greeting, without wrap.
"""

import struct
from typing import List, NamedTuple, Optional, Tuple, Union

from x11fwd.bridge.shared.faults import WireFault
from x11fwd.bridge.shared.setup import (
    LITTLE,
    SETUP_PREFIX,
    Greeting,
    Refusal,
    Setup,
    read_greeting,
    read_setup,
    setup_size,
)

ERROR, REPLY, KEYMAP_NOTIFY, GENERIC_EVENT = 0, 1, 11, 35
SENT_EVENT = 0x80  # set in the code of an event that came by SendEvent
# Units of 4 bytes, more than any Xorg takes (-maxbigreqsize, at most 127 MB; 16 MB without it)
LONG_REQUEST = 0x2000000
LONGEST_REPLY = 1 << 28  # bytes; GetImage of a screen with 8192 * 8192 pixels

_U16 = {order: struct.Struct(order + "H").unpack_from for order in "<>"}
_U32 = {order: struct.Struct(order + "I").unpack_from for order in "<>"}


class Request(NamedTuple):
    """One request of a program; `data` is all of it, `body` where what follows the length starts in it."""

    number: int
    opcode: int
    minor: int  # the second byte: the minor opcode of an extension's request, data in a core request
    data: memoryview
    body: int  # 4, or 8 with a BIG-REQUESTS length


class Packet(NamedTuple):
    """What an X server sends: ERROR, REPLY or the code of an event without its SENT_EVENT bit."""

    kind: int
    number: int  # of the last request the server had begun; for KeymapNotify the one of the packet before
    data: memoryview


class _Cutter:
    """Puts together the packet that is still incomplete."""

    def __init__(self) -> None:
        self._part = bytearray()
        self._size = 0  # of the incomplete packet; 0 while its head is incomplete

    def _complete(self, view: memoryview, at: int) -> "Tuple[Optional[bytearray], int]":
        """Add bytes of `view` to the incomplete packet: the packet once it is whole, and the new `at`."""
        while True:
            part = self._part
            want = self._size or self._head_size(part)
            new = view[at : at + want - len(part)]
            part += new
            at += len(new)
            if len(part) < want:
                return None, at
            if self._size:
                self._part, self._size = bytearray(), 0
                return part, at
            self._size = self._measure(part, 0)

    def _head_size(self, part: bytearray) -> int:
        """How many bytes must be there before the length is known."""
        raise NotImplementedError

    def _measure(self, data: "Union[bytes, bytearray]", at: int) -> int:
        """Bytes of the packet at `at`, of which the head is there."""
        raise NotImplementedError


class ProgramReader(_Cutter):
    """What a program sends: a greeting, then requests.

    `longest` is the largest request in units of 4 bytes once the program has switched BIG-REQUESTS on;
    `big_requests` the opcode of that extension, to be set when the program was told it.
    """

    def __init__(self, longest: int = LONG_REQUEST) -> None:
        super().__init__()
        self.greeting: Optional[Greeting] = None
        self.number = 0  # of the last request
        self.big_requests: Optional[int] = None
        self._longest = longest
        self._long = False
        self._fault: Optional[WireFault] = None
        self._order = LITTLE

    def feed(self, data: bytes) -> "List[Request]":
        """The requests that are complete with `data`; `greeting` is there before the first one.

        They may be views of `data`, which must not change.

        Raises:
            WireFault: this is no X11. What came before the fault is returned first, the next call raises it.
        """
        if self._fault is not None:
            raise self._fault
        found: List[Request] = []
        try:
            self._feed(data, found)
        except WireFault as fault:
            self._fault = fault
            if not found:
                raise
        return found

    def _feed(self, data: bytes, found: "List[Request]") -> None:
        if self.greeting is None:
            self._part += data
            read = read_greeting(self._part)
            if read is None:
                return
            self.greeting, end = read
            self._order = self.greeting.order
            data, self._part = bytes(self._part[end:]), bytearray()
        view = memoryview(data)
        at, end = 0, len(view)
        if self._part:
            whole, at = self._complete(view, 0)
            if whole is None:
                return
            found.append(self._request(memoryview(whole)))
        u16 = _U16[self._order]
        while end - at >= 4:
            size = u16(data, at + 2)[0] * 4
            if not size:
                if end - at < 8 and self._long:
                    break
                size = self._measure(data, at)
            if size > end - at:
                self._size = size
                break
            found.append(self._request(view[at : at + size]))
            at += size
        if at < end:
            self._part += view[at:]

    def _head_size(self, part: bytearray) -> int:
        return 8 if self._long and len(part) >= 4 and not part[2] and not part[3] else 4

    def _measure(self, data: "Union[bytes, bytearray]", at: int) -> int:
        units = _U16[self._order](data, at + 2)[0]
        if units:
            return int(units) * 4
        if not self._long:
            # Xorg takes four bytes for it and answers BadLength (os/io.c); no library sends it
            raise WireFault("the program sends a request of length 0 without BIG-REQUESTS")
        if len(data) - at < 8:
            return 0
        units = _U32[self._order](data, at + 4)[0]
        if not 2 <= units <= self._longest:
            raise WireFault("the program sends a request of %d units, at most %d" % (units, self._longest))
        return int(units) * 4

    def _request(self, data: memoryview) -> Request:
        self.number += 1
        opcode, minor = data[0], data[1]
        body = 4 if data[2] or data[3] else 8
        if opcode == self.big_requests and not minor and len(data) == 4:
            self._long = True  # Xorg: from the next request on (Xext/bigreq.c)
        return Request(self.number, opcode, minor, data, body)


class ServerReader(_Cutter):
    """What an X server sends in byte order `order`: a setup reply unless `greeted`, then packets.

    The 16 bits that a packet has of its number stand for the first such number from the last one on, as in
    libxcb (xcb_in.c, read_packet): right as long as 65535 requests in a row never go without an answer.
    """

    def __init__(self, order: str, *, greeted: bool = False, longest: int = LONGEST_REPLY) -> None:
        super().__init__()
        self.setup: Union[Setup, Refusal, None] = None
        self.number = 0  # of the last packet
        self._order = order
        self._greeted = greeted
        self._longest = longest

    def feed(self, data: bytes) -> "List[Packet]":
        """The packets that are complete with `data`; `setup` is there before the first one.

        Raises:
            WireFault: this is no X11, or a refused program gets packets.
        """
        found: List[Packet] = []
        view = memoryview(data)
        at, end = 0, len(view)
        if not self._greeted:
            whole, at = self._complete(view, 0)
            if whole is None:
                return found
            self.setup = read_setup(whole, self._order)
            self._greeted = True
        if at < end and isinstance(self.setup, Refusal):
            raise WireFault("the X server sends more after it has refused")
        if self._part:
            whole, at = self._complete(view, at)
            if whole is None:
                return found
            found.append(self._packet(memoryview(whole)))
        while end - at >= 32:
            kind = data[at]
            size = self._measure(data, at) if kind in (REPLY, GENERIC_EVENT) else 32
            if size > end - at:
                self._size = size
                break
            found.append(self._packet(view[at : at + size]))
            at += size
        if at < end:
            self._part += view[at:]
        return found

    def _head_size(self, part: bytearray) -> int:
        del part
        return 32 if self._greeted else SETUP_PREFIX

    def _measure(self, data: "Union[bytes, bytearray]", at: int) -> int:
        if not self._greeted:
            return setup_size(data, self._order)
        if data[at] not in (REPLY, GENERIC_EVENT):  # a sent event 35 | 0x80 has 32 bytes, as libxcb reads it
            return 32
        size = 32 + 4 * int(_U32[self._order](data, at + 4)[0])
        if size > self._longest:
            raise WireFault("the X server sends a packet of %d bytes" % size)
        return size

    def _packet(self, data: memoryview) -> Packet:
        kind = data[0]
        if kind & ~SENT_EVENT == KEYMAP_NOTIFY:
            return Packet(KEYMAP_NOTIFY, self.number, data)
        self.number += _U16[self._order](data, 2)[0] - self.number & 0xFFFF
        return Packet(kind if kind <= REPLY else kind & ~SENT_EVENT, self.number, data)
