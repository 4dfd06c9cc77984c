"""Requests on the keeper's connection, and who waits for their replies; `prefetch` uses it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from x11fwd.bridge.shared.majors import last_of_several
from x11fwd.bridge.shared.wire import ERROR, KEYMAP_NOTIFY, REPLY, Packet, ServerReader

if TYPE_CHECKING:
    from collections.abc import Callable

    Heard = Callable[[bytes, bool], None]


class _Question(NamedTuple):
    number: int
    heard: Heard
    opcode: int  # of a request with several replies, else 0


class Asker:
    """Sends requests and hands each reply to the function that was given with the request.

    `heard` gets the reply, or replies one after the other, with 0 for the sequence number, and True; or an
    error and False. `event` gets events.
    """

    def __init__(self, order: str, event: Callable[[Packet], None]) -> None:
        self._reader = ServerReader(order, greeted=True)
        self._event = event
        self._number = 0
        self._waiting: deque[_Question] = deque()
        self._risks: deque[tuple[int, Callable[[bytes], None]]] = deque()
        self._out: list[bytes] = []
        self._replies = b""

    def ask(self, request: bytes, heard: Heard, *, several: bool = False) -> None:
        """A request with a reply."""
        self.tell(request)
        self._waiting.append(_Question(self._number, heard, request[0] if several else 0))

    def tell(self, request: bytes, failed: Callable[[bytes], None] | None = None) -> None:
        """A request without a reply; `failed` gets its error."""
        self._number += 1
        self._out.append(request)
        if failed is not None:
            self._risks.append((self._number, failed))

    def take(self) -> bytes:
        """What is to be written to the X server."""
        found, self._out = b"".join(self._out), []
        return found

    def feed(self, data: bytes) -> None:
        """What the X server has sent; raises WireFault when it is no X11."""
        for packet in self._reader.feed(data):
            if packet.kind in (ERROR, REPLY):
                self._answered(packet)
            elif packet.kind != KEYMAP_NOTIFY:
                self._event(packet)

    def _answered(self, packet: Packet) -> None:
        waiting, risks = self._waiting, self._risks
        while risks and risks[0][0] < packet.number:
            risks.popleft()
        if risks and risks[0][0] == packet.number:
            risks.popleft()[1](bytes(packet.data))
            return
        if not waiting or waiting[0].number != packet.number:  # an error to what was only told
            return
        question = waiting[0]
        data = bytes(packet.data[:2]) + b"\0\0" + bytes(packet.data[4:])
        if packet.kind == REPLY and question.opcode:
            self._replies += data
            if not last_of_several(question.opcode, data[1]):
                return
            data, self._replies = self._replies, b""
        waiting.popleft()
        question.heard(data, packet.kind == REPLY)
