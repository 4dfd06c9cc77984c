"""Two conversations of a program, on one display and on another, compared; tests use it.

    compared(recorder, other_recorder)      # [] when programs were told the same on both displays

Compared are the answers to what the program asked, errors, and events. What it does without being told
anything is its own affair: toolkits draw a widget once more or not, as an Expose happens to come. Values that
no two runs share are made alike: windows are numbered in the order in which the program made them, atoms are
names, times are left out, and answers belong to requests instead of carrying numbers.
"""

from __future__ import annotations

import difflib
import functools
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tests.lab.x11_conversation import conversation
from tests.lab.x11_layouts import XKB_EVENTS, Field, Layout, layouts
from x11fwd.bridge.shared.wire import ERROR, GENERIC_EVENT, Packet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.lab.x11_conversation import Asked, Conversation
    from tests.lab.x11_recorder import Recorder
    from x11fwd.bridge.shared.setup import Setup

NO_EXPOSURE, CLIENT_MESSAGE = 14, 33
LIST_KINDS = {b"ATOM": "atom", b"WINDOW": "id", b"PIXMAP": "id", b"WM_HINTS": "id"}


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
        fields = self._fields(head, layout)
        # A name; what follows as padding is what lay in the program's buffer.
        size = next((value for name, value in fields if name in {"name_len", "pattern_len"}), 0)
        name = head[layout.end :][: size if isinstance(size, int) else 0].decode("latin-1")
        return (asked.name, *(value for _, value in fields), *([name] if name else []))

    def told(self) -> list[tuple[tuple[object, ...], str]]:
        """What was asked and what was said, errors too; of barriers only those that tell of another focus."""
        found = []
        focus = ""
        for asked in self.talk.asked:
            if not asked.answers:
                continue
            answer = str([self.answer(asked, packet) for packet in asked.answers])
            if asked.name == "GetInputFocus":
                if answer == focus:
                    continue
                focus = answer
            found.append((self.key(asked), answer))
        return found

    def events(self) -> list[str]:
        """All events in words, but those that only say that a copy was whole."""
        return [self.event(one) for one in self.talk.events if one.kind != NO_EXPOSURE]

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

    @functools.cached_property
    def _own(self) -> dict[int, str]:
        """The program's windows by number, the rest of what it made by kind."""
        names: dict[int, str] = {}
        windows = 0
        for asked in self.talk.asked:
            if "Create" in asked.name or asked.name == "OpenFont":
                (made,) = struct.unpack_from(self.talk.order + "I", asked.request.data, asked.request.body)
                windows += asked.name == "CreateWindow"
                names[made] = f"window {windows}" if asked.name == "CreateWindow" else f"a {asked.name[6:]}"
        return names

    def _id(self, value: int) -> str:
        return self._own.get(value, f"{value:x}")

    def _word(self, value: int) -> str:
        if value in self._own:
            return self._own[value]
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
    setups = [_plain(side.talk.setup) for side in (direct, bridged)]
    for name, value in setups[0].items():
        if setups[1][name] != value:
            found.append(Difference(f"setup: {name}", str(value), str(setups[1][name])))
    told = [side.told() for side in (direct, bridged)]
    for same, left, right in _aligned(*([question for question, _ in one] for one in told)):
        parts = told[0][left], told[1][right]
        if not same:
            asked = [[question for question, _ in part if not _draws_again(question)] for part in parts]
            if any(asked):
                found.append(Difference("questions", *map(str, asked)))
            continue
        for (question, answer), (_, other) in zip(*parts, strict=True):
            if answer != other:
                found.append(Difference(str(question), answer, other))
    events = [side.events() for side in (direct, bridged)]
    for same, left, right in _aligned(*events):
        if not same:
            words = ["\n".join(events[0][left]), "\n".join(events[1][right])]
            last = right.stop == len(events[1])
            found.append(Difference(f"events {left.start} to {'the end' if last else left.stop}", *words))
    return found


def _draws_again(question: tuple[object, ...]) -> bool:
    """Tk asks for the ground of a picture that lets it through, each time that it draws a button anew."""
    return question[0] == "GetImage" and "a Pixmap" in question


def compared(direct: Recorder, bridged: Recorder) -> list[Difference]:
    """Everything that programs were told otherwise on the second display, connection by connection."""
    sides = []
    for recorder in (direct, bridged):
        atoms = recorder.atom_names()
        sides.append([Side(conversation(one), atoms) for one in recorder.connections])
    found = [one for left, right in zip(*sides, strict=False) for one in differences(left, right)]
    counts = [str(len(one)) for one in sides]
    return found if counts[0] == counts[1] else [Difference("connections", *counts), *found]


def _plain(setup: Setup) -> dict[str, object]:
    """The fields of a setup reply and of its screens."""
    fields = setup._replace(id_base=0, roots=())._asdict()
    for number, root in enumerate(setup.roots):
        fields |= {f"screen {number} {name}": value for name, value in root._asdict().items()}
    return fields


def _aligned(left: Sequence[object], right: Sequence[object]) -> list[tuple[bool, slice, slice]]:
    """Parts of two sequences that correspond, and whether they are equal."""
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=False)
    return [(what == "equal", slice(a, b), slice(c, d)) for what, a, b, c, d in matcher.get_opcodes()]
