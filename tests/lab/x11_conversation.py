"""What an X program and its display said to each other, from a recording; x11_differences.py compares two."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from x11fwd.bridge.protocol.names import NAMES
from x11fwd.bridge.shared.majors import Majors
from x11fwd.bridge.shared.setup import Setup
from x11fwd.bridge.shared.wire import (
    ERROR,
    REPLY,
    Packet,
    ProgramReader,
    Request,
    ServerReader,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.lab.x11_recorder import Recorded

QUERY_EXTENSION = 98


@dataclass
class Asked:
    """A request, and what the display said to it."""

    name: str
    request: Request
    extension: str
    answers: list[Packet] = field(default_factory=list)


@dataclass
class Conversation:
    """One connection from the greeting to its end."""

    order: str
    setup: Setup
    asked: list[Asked]
    events: list[Packet]
    majors: Majors
    event_bases: dict[str, int]


def conversation(recorded: Recorded) -> Conversation:
    """Read a recording.

    Raises:
        WireFault: it is no X11.
        ValueError: the display did not let the program in.
    """
    program = ProgramReader()
    greeting_chunk, *rest = (data for _, data in recorded.to_server)
    program.feed(greeting_chunk)
    assert program.greeting
    order = program.greeting.order
    server = ServerReader(order)
    packets = [packet for _, data in recorded.to_program for packet in server.feed(data)]
    if not isinstance(server.setup, Setup):
        raise ValueError(f"the display refused: {server.setup}")
    bytes_up = b"".join(rest)
    talk = Conversation(order, server.setup, [], [], Majors(), {})
    by_number: dict[int, list[Packet]] = {}
    for packet in packets:
        if packet.kind in {ERROR, REPLY}:
            by_number.setdefault(packet.number, []).append(packet)
        else:
            talk.events.append(packet)
    for request in _cut(order, bytes_up, by_number):
        name = talk.majors.name(request.opcode)
        minor = request.opcode if name == "" else request.minor
        asked = Asked(request_name(name, request.opcode, minor), request, name or "")
        asked.answers = by_number.get(request.number, [])
        talk.asked.append(asked)
        if request.opcode == QUERY_EXTENSION and asked.answers and asked.answers[0].kind == REPLY:
            _learn(talk, request, asked.answers[0])
    return talk


def _cut(order: str, data: bytes, answers: Mapping[int, list[Packet]]) -> list[Request]:
    """Requests of a program whose greeting has been read."""
    reader = ProgramReader()
    reader.feed(struct.pack(order + "BxHHHHxx", 0x6C if order == "<" else 0x42, 11, 0, 0, 0))
    found: list[Request] = []
    at = 0
    while at < len(data):
        # Request by request while it may matter: a reader takes what one call gives with what it knows then.
        size = 4 * struct.unpack_from(order + "H", data, at + 2)[0] if at + 4 <= len(data) else 0
        if not size:
            size = 4 * struct.unpack_from(order + "I", data, at + 4)[0] if at + 8 <= len(data) else len(data)
        for request in reader.feed(data[at : at + size]):
            found.append(request)
            said = answers.get(request.number, [])
            if request.opcode == QUERY_EXTENSION and said and said[0].kind == REPLY and said[0].data[8]:
                length = struct.unpack_from(order + "H", request.data, 4)[0]
                if bytes(request.data[8 : 8 + length]) == b"BIG-REQUESTS":
                    reader.big_requests = said[0].data[9]
        at += size
    return found


def _learn(talk: Conversation, request: Request, reply: Packet) -> None:
    length = struct.unpack_from(talk.order + "H", request.data, 4)[0]
    name = bytes(request.data[8 : 8 + length]).decode("latin-1")
    present, major, event, error = reply.data[8:12]
    if present:
        talk.majors.learn(name, major, event, error)
        if event:
            talk.event_bases[name] = event


def request_name(extension: str | None, opcode: int, minor: int) -> str:
    """``GetGeometry``, ``RENDER.QueryVersion`` or numbers where nobody knows a name."""
    words, expected = NAMES.get(extension or "", "").split(), 0
    if extension is None:
        return f"{opcode}.{minor}"
    for word in words:
        number, _, name = word.rpartition("=")
        expected = int(number) if number else expected
        if expected == minor:
            return f"{extension}.{name}" if extension else name
        expected += 1
    return f"{extension or 'core'}.{minor}"
