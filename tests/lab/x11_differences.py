"""Two conversations of a program, on one display and on another, compared; tests use it.

    direct, bridged = (Side(conversation(one.connections[0]), one.atom_names()) for one in recorders)
    differences(direct, bridged)      # [] when the program was told the same

Values that no two runs share are made alike: the program's own ids count from its id base, atoms are names,
times are left out, and answers belong to requests instead of carrying numbers.
"""

from __future__ import annotations

import difflib
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tests.lab.x11_layouts import XKB_EVENTS, Field, Layout, layouts
from x11fwd.bridge.shared.wire import ERROR, GENERIC_EVENT, Packet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.lab.x11_conversation import Asked, Conversation

CLIENT_MESSAGE = 33
LIST_KINDS = {b"ATOM": "atom", b"WINDOW": "id", b"PIXMAP": "id"}


class Difference(NamedTuple):
    """Something that the program was told otherwise: where, and both sides' words."""

    where: str
    direct: str
    bridged: str


@dataclass(frozen=True)
class Side:
    """A conversation with the atoms of its display: makes its values comparable."""

    talk: Conversation
    atoms: Mapping[int, bytes]

    def key(self, asked: Asked) -> tuple[object, ...]:
        """What two equal requests have in common."""
        request = asked.request
        known = layouts().get(asked.extension)
        minor = request.opcode if not asked.extension else request.minor
        layout = known.requests.get(minor) if known else None
        if layout is None:
            return (asked.name, len(request.data))
        head = bytes(request.data[:4]) + bytes(request.data[request.body :])
        return (asked.name, *(value for _, value in self._fields(head, layout)))

    def answer(self, asked: Asked, packet: Packet) -> str:
        """A reply or error in words."""
        data = bytes(packet.data)
        if packet.kind == ERROR:
            value, minor, major = struct.unpack_from(self.talk.order + "IHB", data, 4)
            return f"error {data[1]} value {self._id(value)} request {major}.{minor}"
        known = layouts().get(asked.extension)
        minor = asked.request.opcode if not asked.extension else asked.request.minor
        layout = (known.replies.get(minor) if known else None) or Layout(end=1)
        if asked.name == "GetProperty":
            kind = self.atoms.get(struct.unpack_from(self.talk.order + "I", data, 8)[0], b"")
            layout = Layout(layout.fields, layout.end, LIST_KINDS.get(kind, "plain"))
        return _words(self._fields(data, layout), self._rest(data, layout))

    def event(self, packet: Packet) -> str:
        """An event in words."""
        data = bytes(packet.data)
        sent = " sent" if data[0] & 0x80 and packet.kind != GENERIC_EVENT else ""
        name, layout = self._event_layout(packet)
        if packet.kind == CLIENT_MESSAGE and data[1] == 32:
            kind = self.atoms.get(struct.unpack_from(self.talk.order + "I", data, 8)[0], b"?").decode(
                "latin-1"
            )
            words = struct.unpack_from(self.talk.order + "5I", data, 12)
            return f"ClientMessage{sent} {kind} {[self._word(one) for one in words]}"
        return f"{name}{sent} {_words(self._fields(data, layout), self._rest(data, layout))}"

    def _event_layout(self, packet: Packet) -> tuple[str, Layout]:
        every, code = layouts(), packet.kind
        if code == GENERIC_EVENT:
            extension = self.talk.majors.name(packet.data[1]) or ""
            number = struct.unpack_from(self.talk.order + "H", packet.data, 8)[0]
            known = every.get(extension)
            return (known.generic if known else {}).get(
                number, (f"{extension} event {number}", Layout(end=8))
            )
        if code < 64:
            return every[""].events.get(code, (f"event {code}", Layout(end=4)))
        bases = {name: base for name, base in self.talk.event_bases.items() if base <= code}
        extension = max(bases, key=lambda name: bases[name], default="")
        number = code - bases.get(extension, 0)
        if extension == "XKEYBOARD":
            number = packet.data[1] + XKB_EVENTS
        known = every.get(extension)
        unknown = (f"{extension} event {number}", Layout(end=4))
        return (known.events if known else {}).get(number, unknown)

    def _fields(self, data: bytes, layout: Layout) -> list[tuple[str, object]]:
        return [
            (one.name, self._value(data, one))
            for one in layout.fields
            if one.offset + one.size <= len(data)
            and one.kind not in {"time", "pad"}
            and one.name != "sequence"
        ]

    def _value(self, data: bytes, one: Field) -> object:
        raw = data[one.offset : one.offset + one.size]
        value = int.from_bytes(
            raw, "little" if self.talk.order == "<" else "big", signed=one.kind == "signed"
        )
        return self._named(one.kind, value)

    def _named(self, kind: str, value: int) -> object:
        if kind == "id":
            return self._id(value)
        if kind == "atom":
            return self.atoms.get(value, b"%d" % value).decode("latin-1")
        return value

    def _id(self, value: int) -> str:
        setup = self.talk.setup
        if value & ~setup.id_mask == setup.id_base:
            return f"own+{value & setup.id_mask:x}"
        return f"{value:x}"

    def _word(self, value: int) -> str:
        if value & ~self.talk.setup.id_mask == self.talk.setup.id_base:
            return self._id(value)
        return self.atoms[value].decode("latin-1") if value in self.atoms else str(value)

    def _rest(self, data: bytes, layout: Layout) -> object:
        rest = data[layout.end :]
        if layout.rest in {"id", "atom"} and not len(rest) % 4:
            words = struct.unpack(f"{self.talk.order}{len(rest) // 4}I", rest)
            return [self._named(layout.rest, one) for one in words]
        return rest


def _words(fields: list[tuple[str, object]], rest: object) -> str:
    words = [f"{name}={value}" for name, value in fields]
    if isinstance(rest, bytes):
        stripped = rest.rstrip(b"\0")
        return " ".join([*words, *([repr(stripped)] if stripped else [])])
    return " ".join([*words, str(rest)])


def differences(direct: Side, bridged: Side) -> list[Difference]:
    """What the program was told otherwise, and where it asked otherwise."""
    found = []
    setups = [side.talk.setup._replace(id_base=0) for side in (direct, bridged)]
    if setups[0] != setups[1]:
        found.append(Difference("setup", str(setups[0]), str(setups[1])))
    keys = [[side.key(one) for one in side.talk.asked] for side in (direct, bridged)]
    for same, left, right in _aligned(*keys):
        asked = direct.talk.asked[left], bridged.talk.asked[right]
        if not same:
            names = [str([one.name for one in part]) for part in asked]
            found.append(Difference(f"requests {left.start} to {left.stop}", *names))
            continue
        for one, other in zip(*asked, strict=True):
            said = [str([direct.answer(one, packet) for packet in one.answers])]
            said += [str([bridged.answer(other, packet) for packet in other.answers])]
            if said[0] != said[1]:
                found.append(Difference(f"{one.name} {direct.key(one)[1:]}", *said))
    events = [[side.event(one) for one in side.talk.events] for side in (direct, bridged)]
    for same, left, right in _aligned(*events):
        if not same:
            words = ["\n".join(events[0][left]), "\n".join(events[1][right])]
            found.append(Difference(f"events {left.start} to {left.stop}", *words))
    return found


def _aligned(left: Sequence[object], right: Sequence[object]) -> list[tuple[bool, slice, slice]]:
    """Parts of two sequences that correspond, and whether they are equal."""
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=False)
    return [(what == "equal", slice(a, b), slice(c, d)) for what, a, b, c, d in matcher.get_opcodes()]
