"""What CONTROL frames of connection LINK say: setup reply, pooled connections, facts; both halves use it.

The first byte is the kind. Kinds from FIRST_OTHER on are the dispatcher's own. What is longer than a frame
travels as several payloads, sent in a row without other payloads of the same kind in between.
"""

import struct
from typing import Dict, Iterable, List, NamedTuple, Optional, Tuple, Union

from x11fwd.bridge.shared.faults import WireFault
from x11fwd.bridge.shared.frames import LARGEST_PAYLOAD

SETUP_TOLD = 1  # the X server's setup reply
READY_TOLD = 2  # a connection to the X server is open and greeted, its number and its first resource id
FACTS_TOLD = 3  # requests and what the X server says to them
ATOMS_TOLD = 4  # atoms and their names
FORGET_TOLD = 5  # what was known under a topic may have changed
COLORS_TOLD = 6  # visuals whose colours are computed as shared/truecolor does
SEEN_TOLD = 7  # what the X server says right behind what a connection has just got
WISH_TOLD = 8  # of the remote half: questions whose answers it wants so
FIRST_OTHER = 64

MOST_TOLD = 1 << 23  # bytes of one setup reply or one batch of facts
_PIECE = LARGEST_PAYLOAD - 2
_READY = struct.Struct(">II")
_FACT = struct.Struct(">BII")  # lengths of topic, request and reply
_ATOM = struct.Struct(">IH")  # atom, length of its name
_OF = struct.Struct(">BI")  # kind, connection
_WISHES_OF = struct.Struct(">BI?")  # kind, connection, whether it has grabbed the server
_WISH = struct.Struct(">H")  # length of a request
# Core requests that a wish may be made of, with their sizes: they change nothing (X protocol, chapter 9)
WISHES = {3: 8, 14: 8, 15: 8, 20: 24, 23: 8, 38: 8, 40: 16}
MOST_WISHES = 16  # of one connection


class Fact(NamedTuple):
    """A request, byte by byte, and the X server's reply with the sequence number 0."""

    topic: bytes
    request: bytes
    reply: bytes


class SetupTold(NamedTuple):
    """The X server's setup reply, as it came; each connection has another id_base."""

    data: bytes


class ReadyTold(NamedTuple):
    """The pooled connection with this number of the link may be taken; its ids start at `id_base`."""

    connection: int
    id_base: int


class FactsTold(NamedTuple):
    """New facts; those of a topic that was forgotten are as new as the change."""

    facts: "Tuple[Fact, ...]"


class AtomsTold(NamedTuple):
    """Atoms that the X server has, with their names; they never change while it runs."""

    atoms: "Tuple[Tuple[int, bytes], ...]"


class ForgetTold(NamedTuple):
    """What was known under this topic may have changed."""

    topic: bytes


class ColorsTold(NamedTuple):
    """Ids of visuals whose colours the X server was seen to compute as shared/truecolor does."""

    visuals: "Tuple[int, ...]"


class SeenTold(NamedTuple):
    """What the X server said to a program's wishes, after all that has come for any program."""

    connection: int
    facts: "Tuple[Fact, ...]"


class WishTold(NamedTuple):
    """Questions of the program with this connection; none: as before. `grabs`: it has grabbed the server."""

    connection: int
    requests: "Tuple[bytes, ...]" = ()
    grabs: bool = False


Told = Union[SetupTold, ReadyTold, FactsTold, AtomsTold, ForgetTold, ColorsTold, SeenTold]


def setup_payloads(data: bytes) -> "List[bytes]":
    """Payloads, in order, that tell the setup reply `data`."""
    return _pieces(SETUP_TOLD, data)


def ready_payload(connection: int, id_base: int) -> bytes:
    """The payload that offers a pooled connection."""
    return bytes((READY_TOLD,)) + _READY.pack(connection, id_base)


def facts_payloads(facts: "Iterable[Fact]") -> "List[bytes]":
    """Payloads, in order, that tell the facts; together they have at most MOST_TOLD bytes."""
    parts: List[bytes] = []
    for fact in facts:
        parts.append(_FACT.pack(len(fact.topic), len(fact.request), len(fact.reply)))
        parts.extend(fact)
    return _pieces(FACTS_TOLD, b"".join(parts)) if parts else []


def atoms_payloads(atoms: "Iterable[Tuple[int, bytes]]") -> "List[bytes]":
    """Payloads, in order, that tell atoms and their names."""
    data = b"".join(_ATOM.pack(atom, len(name)) + name for atom, name in atoms)
    return _pieces(ATOMS_TOLD, data) if data else []


def forget_payload(topic: bytes) -> bytes:
    """The payload that makes the remote half forget a topic."""
    return bytes((FORGET_TOLD,)) + topic


def colors_payload(visuals: "Iterable[int]") -> bytes:
    """The payload that lets colours of these visuals be computed."""
    return bytes((COLORS_TOLD,)) + b"".join(struct.pack(">I", one) for one in visuals)


def seen_payload(connection: int, facts: "Iterable[Fact]") -> bytes:
    """The payload that tells what the X server said; empty when it is too long for one frame."""
    parts = [_OF.pack(SEEN_TOLD, connection)]
    for fact in facts:
        parts.append(_FACT.pack(0, len(fact.request), len(fact.reply)))
        parts.extend(fact[1:])
    found = b"".join(parts)
    return found if len(found) <= LARGEST_PAYLOAD else b""


def wish_payload(told: WishTold) -> bytes:
    """The payload that says which answers a program may soon want."""
    parts = [_WISH.pack(len(one)) + one for one in told.requests]
    return _WISHES_OF.pack(WISH_TOLD, told.connection, told.grabs) + b"".join(parts)


def read_wish(payload: bytes) -> WishTold:
    """What the payload of the remote half says.

    Raises:
        WireFault: it is no wish, or one that is not to be granted.
    """
    if len(payload) < _WISHES_OF.size or payload[0] != WISH_TOLD:
        raise WireFault("the other half says something of kind %d" % (payload[0] if payload else 0))
    found: List[bytes] = []
    at = _WISHES_OF.size
    while at < len(payload):
        if len(payload) - at < _WISH.size:
            raise WireFault("the other half's wishes are cut short")
        (size,) = _WISH.unpack_from(payload, at)
        at += _WISH.size
        one = payload[at : at + size]
        at += size
        # the second byte is GetProperty's delete, and means nothing in the others
        if len(one) != size or not size or WISHES.get(one[0]) != size or one[1]:
            raise WireFault("the other half wishes what is no question")
        # as the X server reads it, in the byte order of this machine
        if struct.unpack_from("=H", one, 2)[0] * 4 != size or len(found) >= MOST_WISHES:
            raise WireFault("the other half wishes too much")
        found.append(one)
    _, connection, grabs = _WISHES_OF.unpack_from(payload)
    return WishTold(connection, tuple(found), grabs)


def _pieces(kind: int, data: bytes) -> "List[bytes]":
    """`data` in payloads: kind, whether more comes, bytes."""
    starts = range(0, max(1, len(data)), _PIECE)
    last = starts[-1]
    return [bytes((kind, at < last)) + data[at : at + _PIECE] for at in starts]


class ControlReader:
    """Payloads of the kinds above, put together again."""

    def __init__(self) -> None:
        self._parts: Dict[int, bytearray] = {}

    def read(self, payload: bytes) -> "Optional[Told]":
        """What the payload says; None while more of it must come.

        Raises:
            WireFault: it is damaged, too long, or of a kind that is not listed above.
        """
        kind = payload[0] if payload else 0
        if kind in (SETUP_TOLD, FACTS_TOLD, ATOMS_TOLD):
            data = self._whole(kind, payload)
            if data is None:
                return None
            if kind == SETUP_TOLD:
                return SetupTold(data)
            return FactsTold(_read_facts(data)) if kind == FACTS_TOLD else AtomsTold(_read_atoms(data))
        if kind == READY_TOLD and len(payload) == 1 + _READY.size:
            return ReadyTold._make(_READY.unpack_from(payload, 1))
        if kind == SEEN_TOLD and len(payload) >= _OF.size:
            return SeenTold(_OF.unpack_from(payload)[1], _read_facts(payload[_OF.size :]))
        if kind == FORGET_TOLD:
            return ForgetTold(payload[1:])
        if kind == COLORS_TOLD and len(payload) % 4 == 1:
            return ColorsTold(struct.unpack_from(">%dI" % (len(payload) // 4), payload, 1))
        raise WireFault("the other half says something of kind %d in %d bytes" % (kind, len(payload)))

    def _whole(self, kind: int, payload: bytes) -> "Optional[bytes]":
        if len(payload) < 2 or payload[1] > 1:
            raise WireFault("the other half's message of kind %d is damaged" % kind)
        part = self._parts.setdefault(kind, bytearray())
        part += payload[2:]
        if len(part) > MOST_TOLD:
            raise WireFault("the other half's message of kind %d does not end" % kind)
        return None if payload[1] else bytes(self._parts.pop(kind))


def _read_facts(data: bytes) -> "Tuple[Fact, ...]":
    facts: List[Fact] = []
    at = 0
    while at < len(data):
        if len(data) - at < _FACT.size:
            raise WireFault("the other half's facts are cut short")
        topic_size, request_size, reply_size = _FACT.unpack_from(data, at)
        at += _FACT.size
        if len(data) - at < topic_size + request_size + reply_size or reply_size < 32 or request_size < 4:
            raise WireFault("the other half tells a fact with impossible lengths")
        middle = at + topic_size
        end = middle + request_size
        facts.append(Fact(data[at:middle], data[middle:end], data[end : end + reply_size]))
        at = end + reply_size
    return tuple(facts)


def _read_atoms(data: bytes) -> "Tuple[Tuple[int, bytes], ...]":
    atoms: List[Tuple[int, bytes]] = []
    at = 0
    while at < len(data):
        if len(data) - at < _ATOM.size:
            raise WireFault("the other half's atoms are cut short")
        atom, size = _ATOM.unpack_from(data, at)
        at += _ATOM.size
        if len(data) - at < size or not atom:
            raise WireFault("the other half tells an impossible atom")
        atoms.append((atom, data[at : at + size]))
        at += size
    return tuple(atoms)
