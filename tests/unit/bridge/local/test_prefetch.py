"""What the local half asks ahead, against an X server of a few lines."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from tests.unit.bridge.shared import samples
from x11fwd.bridge.local import names
from x11fwd.bridge.local.prefetch import Prefetch
from x11fwd.bridge.local.rounds import MOST_ROUNDS
from x11fwd.bridge.remote.knowledge import Knowledge
from x11fwd.bridge.shared.factkeys import font_key, whole_property
from x11fwd.bridge.shared.faults import WireFault
from x11fwd.bridge.shared.packets import error_packet, reply_packet
from x11fwd.bridge.shared.setup import Setup, read_setup
from x11fwd.bridge.shared.truecolor import TrueColors

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT, CLASSIC = 0x50A, 0x21  # of samples.setup
EXTENSIONS = {b"XKEYBOARD": (135, 85, 137), b"RANDR": (140, 89, 147), b"XFIXES": (138, 87, 140)}
BAD_IMPLEMENTATION = 17


class Server:
    """Knows atoms, extensions, one property and colours; all else is an error."""

    def __init__(self, order: str = "<") -> None:
        setup = read_setup(samples.setup(order), order)
        assert isinstance(setup, Setup)
        self.order = order
        self.visual = setup.roots[0].visuals[0]
        self.prefetch = Prefetch(setup, order)
        self.knowledge = Knowledge(order)
        self.atoms: dict[bytes, int] = {}
        self.value = b"Xft.dpi: 96"
        self.wrong_colors = False
        self.number = 0
        self.requests: list[bytes] = []
        self.special: dict[int, Callable[[bytes], bytes]] = {}

    def words(self, *words: int) -> bytes:
        return struct.pack(f"{self.order}{len(words)}I", *words)

    def reply(self, second: int, body: bytes) -> bytes:
        return reply_packet(self.order, self.number, second, body)

    def run(self) -> None:
        """Until nothing more is asked."""
        while data := self.prefetch.take():
            at = 0
            answers = b""
            while at < len(data):
                size = 4 * struct.unpack_from(self.order + "H", data, at + 2)[0]
                answers += self.serve(data[at : at + size])
                at += size
            self.feed(answers)

    def feed(self, answers: bytes) -> None:
        for payload in self.prefetch.feed(answers):
            self.knowledge.told(payload)

    def serve(self, request: bytes) -> bytes:
        self.number += 1
        self.requests.append(request)
        opcode = request[0]
        if opcode in self.special:
            return self.special[opcode](request)
        size, name = (
            struct.unpack_from(self.order + "H", request, 4)[0] if len(request) > 4 else 0,
            request[8:],
        )
        if opcode == 16:
            atom = self.atoms.setdefault(name[:size], len(self.atoms) + 69)
            return self.reply(0, self.words(atom))
        if opcode == 98:
            row = EXTENSIONS.get(self.name(request))
            return self.reply(0, bytes((1, *row)) if row else bytes(4))
        if opcode == 84:
            color = struct.unpack_from(self.order + "3H", request, 8)
            pixel, found = TrueColors(self.visual).alloc(color)
            return self.reply(0, struct.pack(self.order + "3HxxI", *found, pixel ^ self.wrong_colors))
        if opcode == 20:
            (atom,) = struct.unpack_from(self.order + "I", request, 8)
            mine = atom == self.atoms.get(b"RESOURCE_MANAGER")
            body = self.words(31, 0, len(self.value)) + bytes(12) + self.value if mine else bytes(24)
            return self.reply(8 if mine else 0, body)
        if opcode in {2, 46, 78, 79}:
            return b""
        return error_packet(self.order, BAD_IMPLEMENTATION, self.number, opcode)

    def name(self, request: bytes) -> bytes:
        return request[8 : 8 + struct.unpack_from(self.order + "H", request, 4)[0]]

    def property_changed(self) -> bytes:
        atom = self.atoms[b"RESOURCE_MANAGER"]
        head = struct.pack(self.order + "BxH", 28, self.number & 0xFFFF)
        return (head + self.words(ROOT, atom, 1)).ljust(32, b"\0")

    def known_value(self) -> bytes | None:
        fact = self.knowledge.fact(whole_property(self.order, ROOT, self.atoms[b"RESOURCE_MANAGER"]))
        return None if fact is None else fact[32 : 32 + len(self.value)]


@pytest.mark.parametrize("order", ["<", ">"])
def test_what_the_server_says_is_known_and_its_errors_are_not(order: str) -> None:
    server = Server(order)
    server.run()
    assert set(server.knowledge.atoms) >= set(names.atoms())
    assert server.knowledge.majors.opcode("RANDR") == 140
    assert b"RENDER" in server.knowledge.absent
    assert server.known_value() == server.value
    assert CLASSIC in server.knowledge.colors
    assert server.knowledge.color_names == {}
    assert server.knowledge.fact(font_key(order, b"fixed")) is None


def test_colours_that_come_out_otherwise_are_left_to_the_server() -> None:
    server = Server()
    server.wrong_colors = True
    server.run()
    assert not server.knowledge.colors


def test_everything_goes_out_in_few_bursts() -> None:
    server = Server()
    bursts = 0
    while True:
        before = len(server.requests)
        data = server.prefetch.take()
        if not data:
            break
        bursts += 1
        server.prefetch._asker._out.append(data)  # the server gets it all at once
        answers = b""
        at = 0
        data = server.prefetch.take()
        while at < len(data):
            size = 4 * struct.unpack_from("<H", data, at + 2)[0]
            answers += server.serve(data[at : at + size])
            at += size
        server.feed(answers)
        assert len(server.requests) > before
    assert bursts <= 4


def test_a_change_is_forgotten_at_once_and_asked_again() -> None:
    server = Server()
    server.run()
    event = server.property_changed()
    server.value = b"Xft.dpi: 192"
    server.feed(event)
    assert server.known_value() is None
    server.run()
    assert server.known_value() == server.value


def test_an_answer_from_before_a_change_is_not_told() -> None:
    server = Server()
    server.run()
    server.feed(server.property_changed())
    request = server.prefetch.take()
    old = server.serve(request)
    server.value = b"Xft.dpi: 192"
    server.feed(old + server.property_changed())
    assert server.known_value() is None
    server.run()
    assert server.known_value() == server.value


def test_a_value_that_comes_back_is_told_again() -> None:
    server = Server()
    server.run()
    server.feed(server.property_changed())
    assert server.known_value() is None
    server.run()
    assert server.known_value() == server.value


def test_what_never_stops_changing_is_left_to_the_server() -> None:
    server = Server()
    server.run()
    for _ in range(MOST_ROUNDS + 10):
        server.feed(server.property_changed())
        server.run()
    assert server.known_value() is None
    assert len(server.requests) < 3000 + MOST_ROUNDS


def test_events_of_nothing_that_is_known_are_let_be() -> None:
    server = Server()
    server.run()
    for code in (2, 12, 22, 28, 34, 35, 85, 89, 90, 87, 99):
        server.feed(struct.pack("<BxH28x", code, server.number & 0xFFFF))
    server.run()
    assert server.known_value() == server.value


def test_a_font_that_is_not_there_is_known_to_be_absent() -> None:
    server = Server()
    server.special[45] = lambda request: error_packet("<", 15, server.number, 45)
    server.special[47] = lambda request: error_packet("<", 7, server.number, 47)
    server.run()
    fact = server.knowledge.fact(font_key("<", b"nil2"))
    assert fact is not None
    assert fact[:2] == b"\0\x0f"


def test_what_changes_without_a_word_is_asked_again_and_only_differences_are_told() -> None:
    server = Server()
    server.special[47] = lambda request: server.reply(0, bytes(60))
    server.run()
    payloads: list[bytes] = []
    feed = server.prefetch.feed
    server.prefetch.refresh_fonts()
    asked = len(server.requests)
    server.prefetch.feed = lambda data: payloads.extend(feed(data)) or []  # type: ignore[method-assign, func-returns-value]
    server.run()
    assert len(server.requests) > asked + len(names.FONTS)
    assert payloads == []


def test_replies_that_are_shorter_than_they_must_be_are_no_facts() -> None:
    for opcode in (16, 17, 20, 47, 49, 50, 84, 92, 99, 101, 117, 119, 138, 140):
        server = Server()
        server.special[opcode] = lambda _, server=server: server.reply(0xFF, b"\xff" * 24)  # type: ignore[misc]
        server.run()


def test_two_extensions_with_one_opcode_end_it() -> None:
    server = Server()
    server.special[98] = lambda _: server.reply(0, bytes((1, 200, 0, 0)))
    with pytest.raises(WireFault, match="opcode"):
        server.run()
