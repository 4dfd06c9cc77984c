"""What the bridge answers from what was asked ahead, compared with what Xvfb says to the same request."""

from __future__ import annotations

import select
import socket
import struct
import time
from collections import Counter
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.lab.screen import Screen
from x11fwd.bridge.local import names
from x11fwd.bridge.local.prefetch import Prefetch
from x11fwd.bridge.remote.knowledge import Knowledge
from x11fwd.bridge.remote.rules.base import Answer, Surroundings
from x11fwd.bridge.remote.rules.table import RULES
from x11fwd.bridge.shared.factkeys import whole_property
from x11fwd.bridge.shared.majors import CORE, NO_REPLY, needs_this_machine
from x11fwd.bridge.shared.resources import Resources
from x11fwd.bridge.shared.risk import Judge
from x11fwd.bridge.shared.setup import LITTLE, Greeting, Setup, greeting_bytes
from x11fwd.bridge.shared.topics import KEYBOARD, POINTER, root_topic, selection_topic
from x11fwd.bridge.shared.wire import ERROR, REPLY, Packet, Request, ServerReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LIMIT = 90.0
BOTH = pytest.mark.parametrize("order", ["<", ">"], ids=["little", "big"])
GET_PROPERTY, GET_FOCUS = 20, 43
ALLOC, ALLOC_NAMED, FREE, QUERY, LOOKUP = 84, 85, 88, 91, 92


class Wire:
    """A connection to the display."""

    def __init__(self, screen: Screen, order: str, cookie: str = "") -> None:
        self.order = order
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(LIMIT)
        self.socket.connect(f"/tmp/.X11-unix/X{screen.display.lstrip(':')}")
        data = bytes.fromhex(cookie or screen.cookie)
        self.socket.sendall(greeting_bytes(Greeting(order, 11, 0, b"MIT-MAGIC-COOKIE-1", data)))
        self.reader = ServerReader(order)
        while self.reader.setup is None:
            self.reader.feed(self.socket.recv(1 << 16))
        assert isinstance(self.reader.setup, Setup)
        self.setup = self.reader.setup
        self.root = self.setup.roots[0].root

    def sync(self) -> None:
        """Until the X server has done everything."""
        self.socket.sendall(struct.pack(self.order + "BxH", GET_FOCUS, 1))
        while not any(one.kind == REPLY for one in self.reader.feed(self.socket.recv(1 << 16))):
            pass


class Told:
    """The keeper of a local half, and what a remote half knows from it."""

    def __init__(self, screen: Screen, cookie: str = "") -> None:
        self.wire = Wire(screen, LITTLE, cookie)
        self.knowledge = Knowledge(LITTLE)
        self._prefetch = Prefetch(self.wire.setup, LITTLE)
        self.settle()

    def settle(self, seconds: float = 0.3) -> None:
        """Until the X server has had nothing to say for a while."""
        connection = self.wire.socket
        while True:
            connection.sendall(self._prefetch.take())
            if not select.select([connection], [], [], seconds)[0]:
                return
            for payload in self._prefetch.feed(connection.recv(1 << 18)):
                self.knowledge.told(payload)

    def refresh(self) -> None:
        """As the local half does now and then."""
        self._prefetch.refresh()

    def wait(self, condition: Callable[[], bool]) -> None:
        """Until this holds."""
        end = time.monotonic() + LIMIT
        while not condition():
            assert time.monotonic() < end
            self.settle(0.02)

    def close(self) -> None:
        self.wire.socket.close()


class Program:
    """One program: `ask` compares what the rules say with what the X server says."""

    def __init__(self, screen: Screen, told: Told, order: str = LITTLE, cookie: str = "") -> None:
        self.wire = Wire(screen, order, cookie)
        self.order = order
        self.knowledge = told.knowledge
        resources = Resources(self.wire.setup)
        self._judge = Judge(order, resources)
        self._resources = resources
        around = Surroundings(order, self.wire.setup, told.knowledge, resources)
        self._rules = [rule(around) for rule in RULES]
        self._number = 0
        self._next_id = self.wire.setup.id_base
        self.answered: Counter[int] = Counter()
        self.travelled: Counter[int] = Counter()

    def new_id(self) -> int:
        self._next_id += 1
        return self._next_id

    def pack(self, form: str, *values: int) -> bytes:
        return struct.pack(self.order + form, *values)

    def name(self, name: bytes, *words: int) -> bytes:
        return self.pack(f"{len(words)}IHxx", *words, len(name)) + name

    def ask(self, opcode: int, body: bytes = b"", second: int = 0) -> tuple[bytes, ...] | None:
        """What the rules answered; None when the request would have travelled."""
        body += bytes(-len(body) % 4)
        data = struct.pack(self.order + "BBH", opcode, second, 1 + len(body) // 4) + body
        return self.ask_bytes(data)

    def ask_bytes(self, data: bytes) -> tuple[bytes, ...] | None:
        self._number += 1
        request = Request(self._number, data[0], data[1], memoryview(data), 4)
        majors = self.knowledge.majors
        key = (majors.name(data[0]) or "?", data[1]) if data[0] > 127 else (CORE, data[0])
        rules = [rule for rule in self._rules if key in rule.requests]
        found = next((one for one in (_asked_of(rule, request) for rule in rules) if one is not None), None)
        hear = [rule for rule in self._rules if key in rule.seen or key in rule.requests]
        if found is None:
            for rule in hear:
                rule.passes(request)
            self.travelled[data[0]] += 1
        else:
            self.answered[data[0]] += 1
        replies = majors.replies(data[0], data[1])
        if replies == NO_REPLY and found is None:
            self._judge.can_fail(request)
        real = self._exchange(data)
        for packet in real if found is None else ():
            for rule in hear:
                rule.replied(request, packet)
        self._resources.settled(self._number)
        if found is None:
            return None
        said = [_without_number(one) for one in found.packets]
        assert said == [_without_number(bytes(one.data)) for one in real], (data, found)
        return found.packets

    def tell(self, opcode: int, body: bytes = b"", second: int = 0) -> None:
        """A request that travels."""
        assert self.ask(opcode, body, second) is None

    def _exchange(self, data: bytes) -> list[Packet]:
        """The X server's replies or error to the request."""
        self._number += 1
        self.wire.socket.sendall(data + struct.pack(self.order + "BxH", GET_FOCUS, 1))
        found: list[Packet] = []
        while True:
            for packet in self.wire.reader.feed(self.wire.socket.recv(1 << 18)):
                if packet.kind > REPLY:
                    for rule in self._rules:
                        if packet.kind in rule.events or rule.raw_events:
                            rule.event(packet)
                elif packet.number == self._number:
                    return found
                else:
                    found.append(packet)

    def close(self) -> None:
        self.wire.socket.close()


def _asked_of(rule: object, request: Request) -> Answer | None:
    try:
        return rule.answer(request)  # type: ignore[attr-defined, no-any-return]
    except (struct.error, IndexError):
        return None


def _without_number(packet: bytes) -> bytes:
    if packet[0] == ERROR:  # what follows is unused; Access has no value, Xorg leaves one of an error before
        return packet[:2] + (b"" if packet[1] == 10 else packet[4:8]) + packet[8:11]
    return packet[:2] + packet[4:]


def change_property(wire: Wire, atom: int, text: bytes) -> None:
    """ChangeProperty on the root, past all rules."""
    size = len(text)
    request = struct.pack("<BxHIIIB3xI", 18, 6 + (size + 3) // 4, wire.root, atom, 31, 8, size)
    wire.socket.sendall(request + text + bytes(-size % 4))


@pytest.fixture(scope="module", params=[24, 16, 30], ids=["depth24", "depth16", "depth30"])
def told(request: pytest.FixtureRequest) -> Iterator[tuple[Screen, Told]]:
    with Screen(f"640x480x{request.param}") as screen:
        keeper = Told(screen)
        yield screen, keeper
        keeper.close()


@BOTH
def test_atoms_and_extensions(told: tuple[Screen, Told], order: str) -> None:
    program = Program(*told, order)
    for name in names.atoms():
        for only_if_exists in (0, 1):
            assert program.ask(16, program.name(name), only_if_exists)
    for atom in range(1, 72):
        assert program.ask(17, program.pack("I", atom)), atom
    for name in names.extensions():
        assert program.ask(98, program.name(name))
    new = b"new" + order.encode()
    for opcode in (98, 16):
        assert program.ask(opcode, program.name(new)) is None
        assert program.ask(opcode, program.name(new))
    program.close()


def test_extensions_that_need_this_machine_are_absent(told: tuple[Screen, Told]) -> None:
    keeper = told[1]
    listed = keeper.knowledge.fact(struct.pack("<BxH", 99, 1))
    assert listed is not None
    assert b"MIT-SHM" in listed
    assert not needs_this_machine("RENDER")
    assert keeper.knowledge.majors.opcode("MIT-SHM") is None


@BOTH
def test_colours_and_what_becomes_of_them(told: tuple[Screen, Told], order: str) -> None:
    program = Program(*told, order)
    random = Random(4)
    pixels: list[int] = []
    root = program.wire.setup.roots[0]
    maps = [root.colormap]
    sure = told[1].knowledge.colors
    assert root.visual in sure
    for visual in root.visuals:
        if visual.kind == 4:
            colormap = program.new_id()
            program.tell(78, program.pack("III", colormap, root.root, visual.id))
            # Xvfb's visuals for GLX lack the alpha part that others of 32 planes have
            assert (program.ask(ALLOC, program.pack("I3Hxx", colormap, 1, 2, 3)) is not None) == (
                visual.id in sure
            )
            if visual.id in sure and len(maps) < 4:
                maps.append(colormap)
    assert len(maps) > 1
    for colormap in maps:
        for turn in range(400):
            color = [random.choice([random.randrange(65536), turn * 163]) for _ in range(3)]
            said = program.ask(ALLOC, program.pack("I3Hxx", colormap, *color))
            assert said, colormap
            pixels.append(struct.unpack_from(order + "I", said[0], 16)[0])
        for name in names.colors():
            body = program.name(random.choice([name, name.upper(), name.title()]), colormap)
            assert program.ask(LOOKUP, body)
            said = program.ask(ALLOC_NAMED, body)
            assert said
            pixels.append(struct.unpack_from(order + "I", said[0], 8)[0])
        some = random.sample(pixels, 50)
        assert program.ask(QUERY, program.pack("51I", colormap, *some))
        errors = 0
        for _ in range(300):
            freed = random.choices([*pixels, random.randrange(1 << root.depth)], k=random.randint(0, 3))
            planes = random.choice([0, 0, 0, 1, 0x101, 0xFFFFFFFF])
            found = program.ask(FREE, program.pack(f"II{len(freed)}I", colormap, planes, *freed))
            assert found is not None
            errors += len(found)
        assert 20 < errors < 300
        pixels.clear()
    program.tell(85, program.name(b"not a colour", root.colormap))
    program.close()


def test_every_fact_is_what_the_server_says_to_another_program(told: tuple[Screen, Told]) -> None:
    program = Program(*told)
    majors = told[1].knowledge.majors
    facts = [bytes(one) for one in told[1].knowledge.requests()]
    # what a version request sets comes first; fonts and properties have keys that are no requests
    facts.sort(key=lambda one: (one[0] < 128 or one[1] not in {0, 47}, -one[4] if len(one) > 4 else 0, one))
    input_major = majors.opcode("XInputExtension")
    asked_for_input = False
    for fact in facts:
        if fact[0] == 45 or (fact[0] == 20 and fact[20:] == whole_property("<", 0, 0)[20:]):
            continue
        if fact[0] in {98, 99} or (fact[:2] == bytes((input_major or 0, 47)) and asked_for_input):
            continue
        asked_for_input = asked_for_input or fact[:2] == bytes((input_major or 0, 47))
        assert program.ask_bytes(fact), fact
    assert program.answered.total() > 150
    program.close()


def test_fonts_that_are_there_and_fonts_that_are_not(told: tuple[Screen, Told]) -> None:
    program = Program(*told)
    for name in names.FONTS:
        number = program.new_id()
        missing = program.ask(45, program.name(name.encode("ascii"), number))
        assert program.ask(47, program.pack("I", number)), name
        if missing is None:
            program.tell(46, program.pack("I", number))
    assert program.answered[45] >= 1
    assert program.travelled[45] >= 2
    program.close()


@BOTH
def test_properties_of_the_root_in_every_part(told: tuple[Screen, Told], order: str) -> None:
    screen, keeper = told
    atom = keeper.knowledge.atoms[b"RESOURCE_MANAGER"]
    other = Program(screen, keeper)
    topic = root_topic(other.wire.root, atom)
    fact = whole_property("<", other.wire.root, atom)
    random = Random(5)
    for size in (0, 1, 7, 4000):
        text = bytes(random.randrange(32, 126) for _ in range(size))
        before = keeper.knowledge.fact(fact)
        # a local program changes it: not through the rules
        change_property(other.wire, atom, text)
        keeper.wait(lambda before=before: keeper.knowledge.fact(fact) not in {None, before})  # type: ignore[misc]
        program = Program(screen, keeper, order)
        for kind in (31, 0, 6):
            for offset in {0, 1, size // 4, (size + 3) // 4}:
                for length in (0, 1, size // 4, 100000):
                    body = program.pack("IIIII", other.wire.root, atom, kind, offset, length)
                    fits = 4 * offset <= size or kind == 6
                    assert (program.ask(GET_PROPERTY, body) is not None) == fits
        program.close()
    assert keeper.knowledge.trusts(topic)
    other.close()
    absent = keeper.knowledge.atoms[b"_NET_WORKAREA"]
    program = Program(screen, keeper, order)
    assert program.ask(GET_PROPERTY, program.pack("IIIII", program.wire.root, absent, 6, 0, 1024))
    program.close()


def test_some_keys_of_all(told: tuple[Screen, Told]) -> None:
    program = Program(*told)
    for first in (8, 9, 64, 254, 255):
        for count in (0, 1, 2, 255 - first + 1):
            asked = program.ask(101, struct.pack("BBxx", first, count))
            assert (asked is not None) == (first + count <= 256)
    program.tell(101, struct.pack("BBxx", 7, 1))
    program.tell(101, struct.pack("BBxx", 255, 2))
    program.close()


def test_a_root_s_attributes_with_the_events_of_the_program_itself(told: tuple[Screen, Told]) -> None:
    screen, keeper = told
    program = Program(screen, keeper)
    root = program.pack("I", program.wire.root)
    assert program.ask(14, root)
    assert program.ask(3, root)
    for mask in (1 << 22, 1 << 22 | 1 << 17, 1 << 22 | 1 << 17 | 1 << 15):
        program.tell(2, root + program.pack("II", 1 << 11, mask))
        assert program.ask(3, root)
    program.tell(2, root + program.pack("III", 1 << 1 | 1 << 11, 0xFFFFFF, mask))
    assert program.ask(3, root)
    program.tell(2, root + program.pack("II", 1 << 11, 0))
    program.tell(3, root)
    program.close()


def test_changes_by_others_are_known_and_changes_of_our_own_are_not_guessed() -> None:
    with Screen("640x480x24") as screen:
        keeper = Told(screen)
        program = Program(screen, keeper)
        other = Wire(screen, LITTLE)
        keys = struct.pack("<BxHBBxx", 101, 2, 8, 248)
        assert program.ask_bytes(keys)
        before = keeper.knowledge.fact(keys)
        # ChangeKeyboardMapping of keycode 24, one keysym: Cyrillic small letter short i
        other.socket.sendall(struct.pack("<BBHBBxxI", 100, 1, 3, 24, 1, 0x6CA))
        other.sync()
        program.ask(GET_FOCUS)  # the program hears of it first
        assert not keeper.knowledge.trusts(KEYBOARD)
        assert program.ask_bytes(keys) is None
        keeper.wait(lambda: keeper.knowledge.fact(keys) not in {None, before})
        fresh = Program(screen, keeper)
        assert fresh.ask_bytes(keys)
        selection = keeper.knowledge.atoms[b"_NET_WM_CM_S0"]
        owner = program.pack("I", selection)
        assert program.ask(23, owner)
        other.socket.sendall(struct.pack("<BxHIII", 22, 4, other.root, selection, 0))
        asked = struct.pack("<BxHI", 23, 2, selection)
        none = bytes(4)
        keeper.wait(lambda: (keeper.knowledge.fact(asked) or bytes(32))[8:12] != none)
        assert fresh.ask(23, owner)
        # and now a program of the link
        assert fresh.ask(117)
        fresh.ask(116, bytes(range(1, 11)), 10)
        fresh.ask(22, fresh.pack("III", 0, selection, 0))
        keeper.settle()
        for topic in (POINTER, selection_topic(selection)):
            assert not keeper.knowledge.trusts(topic)
        assert fresh.ask(117) is None
        assert fresh.ask(23, owner) is None
        for one in (program, fresh, keeper):
            one.close()
        other.socket.close()


def test_without_extensions_and_without_fonts_the_rest_is_known() -> None:
    with Screen("640x480x24", without=["RANDR", "XInputExtension", "GLX", "XFIXES"]) as screen:
        keeper = Told(screen)
        program = Program(screen, keeper)
        assert program.ask(98, program.name(b"RANDR"))
        assert program.ask(16, program.name(b"UTF8_STRING"))
        assert program.ask(23, program.pack("I", keeper.knowledge.atoms[b"_NET_WM_CM_S0"])) is None
        program.close()
        keeper.close()


def test_an_untrusted_keeper_tells_what_untrusted_programs_see_and_hears_of_changes() -> None:
    with Screen("640x480x24") as screen:
        made = screen.dir / "untrusted"
        screen.run(["xauth", "-f", str(made), "generate", screen.display, ".", "untrusted"])
        listed = screen.run(["xauth", "-f", str(made), "list"]).stdout
        cookie = listed.split()[-1]
        keeper = Told(screen, cookie)
        program = Program(screen, keeper, LITTLE, cookie)
        assert program.ask(98, program.name(b"RENDER"))
        assert keeper.knowledge.majors.opcode("RENDER") is None
        for fact in list(keeper.knowledge.requests()):
            if fact[0] not in {20, 45, 98, 99}:
                assert program.ask_bytes(fact), fact
        atom = keeper.knowledge.atoms[b"RESOURCE_MANAGER"]
        asked = program.pack("IIIII", program.wire.root, atom, 31, 0, 1000)
        assert program.ask(GET_PROPERTY, asked)
        trusted = Wire(screen, LITTLE)
        fact = whole_property("<", program.wire.root, atom)
        before = keeper.knowledge.fact(fact)
        change_property(trusted, atom, b"Xft.dpi: 96")
        keeper.settle()
        assert keeper.knowledge.fact(fact) == before  # nobody tells an untrusted client
        keeper.refresh()
        keeper.wait(lambda: keeper.knowledge.fact(fact) != before)
        assert program.ask(GET_PROPERTY, asked)
        keys = struct.pack("<BxHBBxx", 101, 2, 8, 248)
        before = keeper.knowledge.fact(keys)
        trusted.socket.sendall(struct.pack("<BBHBBxxI", 100, 1, 3, 24, 1, 0x6CA))
        keeper.wait(lambda: keeper.knowledge.fact(keys) not in {None, before})
        for one in (program, keeper):
            one.close()
        trusted.socket.close()
