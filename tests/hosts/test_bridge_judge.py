"""Random requests, right ones and slightly wrong ones: none that the Judge calls safe gets an error of Xorg.

By hand: ``python -m tests.hosts.test_bridge_judge SEEDS [FIRST]`` for many seeds of 10,000 requests.
"""

from __future__ import annotations

import random
import socket
import struct
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.lab.screen import Screen
from x11fwd.bridge.shared.majors import NO_REPLY, Majors
from x11fwd.bridge.shared.resources import (
    Context,
    Font,
    Glyphs,
    Palette,
    Picture,
    Pixels,
    Pointer,
    Resources,
    Thing,
)
from x11fwd.bridge.shared.risk import Judge
from x11fwd.bridge.shared.setup import Greeting, Setup, greeting_bytes
from x11fwd.bridge.shared.wire import ERROR, REPLY, Packet, Request, ServerReader

if TYPE_CHECKING:
    from collections.abc import Iterator

EXTENSIONS = ("RENDER", "XFIXES", "SHAPE", "SYNC", "DAMAGE", "RANDR", "XInputExtension", "XKEYBOARD", "GLX")
# What a body is made of: a letter for each field. B H I are random numbers of the kind a small one is likely
# in, n a new id, the others ids or atoms: w window, p pixmap, d drawable, g context, f font, c colormap,
# k cursor, P picture, G glyph set, r region, o counter, D damage, F format, a atom; m and its values for a
# u own window (Xvfb dies of a root with a shape). For a
# mask of that many bits follow in the second part; * is what may come several times.
CORE = {
    1: ("nwIHHVM15", 0, 25),
    2: ("wM15", 0, 1),
    4: ("w", 0, 1),
    5: ("w", 0, 1),
    7: ("wwI", 0, 1),
    8: ("w", 0, 1),
    9: ("w", 0, 1),
    10: ("w", 0, 1),
    11: ("w", 0, 1),
    12: ("wN7", 0, 1),
    13: ("w", 0, 3),
    18: ("waaT", 0, 3),
    19: ("wa", 0, 1),
    22: ("waI", 0, 1),
    24: ("waaaI", 0, 1),
    25: ("wIE", 0, 2),
    27: ("0", 0, 1),
    28: ("wHBBwkBBH", 0, 2),
    29: ("wHH", 0, 4),
    30: ("k0HH", 0, 1),
    33: ("wHBBBBH", 0, 2),
    34: ("wHH", 0, 30),
    35: ("0", 0, 9),
    45: ("nS", 0, 1),
    46: ("f", 0, 1),
    53: ("ndHH", 0, 33),
    54: ("p", 0, 1),
    55: ("ndM23", 0, 1),
    56: ("gM23", 0, 1),
    57: ("ggI", 0, 1),
    58: ("gHLC", 0, 1),
    59: ("gI*HHHH", 0, 4),
    60: ("g", 0, 1),
    61: ("wIHH", 0, 2),
    62: ("ddgIIHH", 0, 1),
    63: ("ddgIIHHQ", 0, 1),
    64: ("dg*HH", 0, 3),
    65: ("dg*HH", 0, 3),
    66: ("dg*HHHH", 0, 2),
    67: ("dg*HHHH", 0, 2),
    68: ("dg*HHHHHH", 0, 2),
    69: ("dgBBH*HH", 0, 2),
    70: ("dg*HHHH", 0, 2),
    71: ("dg*HHHHHH", 0, 2),
    72: ("dgY", 0, 3),
    74: ("dgIX", 0, 2),
    75: ("dgIX", 0, 2),
    76: ("dgIX", 0, 9),
    77: ("dgIX", 0, 9),
    78: ("nwv", 0, 2),
    79: ("c", 0, 1),
    93: ("nppHHHHHHHH", 0, 1),
    94: ("nffHHHHHHHH", 0, 1),
    95: ("k", 0, 1),
    96: ("kHHHHHH", 0, 1),
    104: ("", 0, 256),
    112: ("", 0, 2),
    127: ("*I", 0, 2),
}
MINORS = {
    "RENDER": {
        4: "ndFM13",
        5: "PM13",
        6: "PI*HHHH",
        7: "P",
        8: "OPPPIIIHH",
        10: "OPPFI*IIIIIIIIII",
        11: "OPPFI*IIIIII",
        12: "OPPFI*II",
        13: "OPPFI*II",
        17: "nF",
        18: "nG",
        19: "G",
        20: "GA",
        22: "G*I",
        23: "OPPFGIZ",
        24: "OPPFGIZ",
        25: "OPPFGIZ",
        26: "OPHHHH*HHHH",
        27: "nPHH",
        28: "PIIIIIIIII",
        30: "PJ",
        31: "n*kI",
        32: "PI*IIIIII",
        33: "nII",
        34: "nIIIIR",
        35: "nIIIIIIR",
        36: "nIIIR",
    },
    "XFIXES": {
        2: "waI",
        3: "wI",
        5: "n*HHHH",
        6: "np",
        7: "nwI",
        10: "r",
        11: "r*HHHH",
        12: "rr",
        13: "rrr",
        14: "rrr",
        15: "rrr",
        16: "rHHHHr",
        17: "rHH",
        18: "rr",
        20: "grHH",
        21: "uBBHHHr",
        22: "PrHH",
        23: "kS",
    },
    "SHAPE": {1: "BBBBuHH*HHHH", 2: "BBHuHHp", 4: "BBHuHH", 6: "wBBH"},
    "SYNC": {2: "nII", 3: "oII", 6: "o"},
    "DAMAGE": {1: "ndBBH", 2: "D", 3: "Drr"},
    "RANDR": {4: "wHH"},
    "XInputExtension": {46: "wW"},
    "XKEYBOARD": {1: "K"},
    "GLX": {33: "U", 35: "U"},
}
KINDS: dict[str, type] = {
    "g": Context,
    "f": Font,
    "c": Palette,
    "k": Pointer,
    "P": Picture,
    "G": Glyphs,
}
THINGS = {"r": "region", "o": "counter", "D": "damage"}
# Requests for versions: minor opcode, body or the fields of two numbers
VERSIONS: dict[str, tuple[int, bytes | str]] = {
    "XKEYBOARD": (0, "HH"),
    "XInputExtension": (47, "HH"),
    "SYNC": (0, b"\3\1\0\0"),
    "SHAPE": (0, b""),
    "GLX": (7, "II"),
}
BATCH = 200


class Program:
    """A connection in byte order `order` whose random requests are judged; `wrong` are false promises."""

    def __init__(self, screen: Screen, order: str, seed: int) -> None:
        self.order, self.chance = order, random.Random(seed)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(f"/tmp/.X11-unix/X{screen.display.lstrip(':')}")
        cookie = Greeting(order, 11, 0, b"MIT-MAGIC-COOKIE-1", bytes.fromhex(screen.cookie))
        self.socket.sendall(greeting_bytes(cookie))
        self.reader = ServerReader(order)
        while self.reader.setup is None:
            self.reader.feed(self.socket.recv(1 << 16))
        setup = self.reader.setup
        assert isinstance(setup, Setup)
        self.setup, self.number = setup, 0
        self.resources, self.majors = Resources(setup), Majors()
        self.resources.fonts |= {b"fixed", b"cursor"}
        self.facts: dict[bytes, bytes] = {}
        self.judge = Judge(order, self.resources, self.majors, self.facts.get)
        self.sent: dict[int, tuple[Request, bool]] = {}
        self.wrong: list[str] = []
        self.safe: Counter[tuple[int, int]] = Counter()
        self.judged: Counter[tuple[int, int]] = Counter()
        for name in EXTENSIONS:
            self._meet(name)
        self.formats = self._formats()
        for atom in (b"X11FWD_A", b"X11FWD_B"):
            said = self._ask(struct.pack(order + "BxHHxx8s", 16, 4, 8, atom))
            self.resources.atoms.add(struct.unpack_from(order + "I", said.data, 8)[0])

    def _send(self, data: bytes) -> int:
        self.socket.sendall(data)
        self.number += 1
        return self.number

    def _packets_until(self, number: int) -> Iterator[Packet]:
        while self.reader.number < number:
            yield from self.reader.feed(self.socket.recv(1 << 17))

    def _ask(self, data: bytes) -> Packet:
        number = self._send(data)
        answers = [one for one in self._packets_until(number) if one.kind in {ERROR, REPLY}]
        return answers[-1]

    def _meet(self, name: str) -> None:
        size = (len(name) + 3) // 4
        said = self._ask(
            struct.pack(self.order + "BxHHxx", 98, 2 + size, len(name)) + name.encode().ljust(4 * size, b"\0")
        )
        present, major, event, error = struct.unpack_from("4B", said.data, 8)
        if not present:
            return
        self.majors.learn(name, major, event, error)
        minor, body = VERSIONS.get(name, (0, struct.pack(self.order + "II", 9, 9)))
        if isinstance(body, str):
            body = struct.pack(self.order + body, *((1, 0) if name == "XKEYBOARD" else (2, 4)))
        data = struct.pack(self.order + "BBH", major, minor, 1 + len(body) // 4) + body
        self.judge.asked(Request(self.number + 1, major, minor, memoryview(data), 4))
        said = self._ask(data)
        self.facts[data] = bytes(said.data)

    def _formats(self) -> list[int]:
        data = struct.pack(self.order + "BBH", self.majors.opcode("RENDER"), 1, 1)
        said = bytes(self._ask(data).data)
        self.facts[data] = said
        (count,) = struct.unpack_from(self.order + "I", said, 8)
        rows = [struct.unpack_from(self.order + "IBB", said, 32 + 28 * at) for at in range(count)]
        depths = {depth: number for number, kind, depth in reversed(rows) if kind}
        self.by_depth = depths
        self.usual = [number for depth, number in depths.items() if depth in {1, 8, 24, 32}] * 5
        return [number for number, _, _ in rows]

    # What requests are made of.

    def _id(self, letter: str) -> int:
        chance, known = self.chance, self.resources.known
        if chance.random() < 0.03 and letter != "u":
            return chance.choice([0, 1, 0x999999, chance.randrange(1 << 32), *known])
        if letter in "kprw" and chance.random() < 0.1:
            return 0
        found = [number for number, one in known.items() if self._is(letter, one)]
        return chance.choice(found[-12:] if chance.random() < 0.8 else found) if found else 0

    @staticmethod
    def _is(letter: str, one: object) -> bool:
        if letter in THINGS:
            return isinstance(one, Thing) and one.kind == THINGS[letter]
        if letter == "u":
            return isinstance(one, Pixels) and one.window and one.own
        if letter in "wpd":
            return isinstance(one, Pixels) and (letter == "d" or one.window == (letter == "w"))
        return isinstance(one, KINDS[letter])

    def _new(self) -> int:
        if self.chance.random() < 0.05:
            return self._id(self.chance.choice("wpgfkPGr"))
        return self._fresh()

    def _fresh(self) -> int:
        while True:
            number = self.setup.id_base | self.chance.randrange(1, 1 << 20)
            if self.resources.fresh(number):
                return number

    def _small(self, most: int) -> int:
        chance = self.chance
        if chance.random() < 0.04:
            return chance.randrange(most + 1)
        return min(most, chance.choice([0, 1, 2, 3, 4, 5, 7, 8, 10, 16, 24, 32, 100]))

    def _masked(self, bits: int, letters: str) -> bytes:
        """A mask and its values; letters say which bits are ids."""
        chance = self.chance
        mask = 0
        for _ in range(chance.choice([0, 0, 0, 1, 1, 2, 4])):
            mask |= 1 << chance.randrange(bits)
        if chance.random() < 0.02:
            mask |= 1 << chance.randrange(32)
        values = b""
        for bit in range(32):
            if mask >> bit & 1:
                letter = letters[bit] if bit < len(letters) else "I"
                if letter == "e":
                    number = chance.choice([0, 0x8000, 0x420000, 4, 0x1FFFFFF, 1 << chance.randrange(32)])
                else:
                    number = (
                        self._id(letter)
                        if letter != "I"
                        else chance.choice([0, 1, 1, self._small(0xFFFFFFFF)])
                    )
                values += struct.pack(self.order + "I", number)
        size = "H2x" if bits == 7 else "I"
        return struct.pack(self.order + size, mask & 0xFFFF if bits == 7 else mask) + values

    def _field(self, letter: str) -> bytes:
        chance, order = self.chance, self.order
        if letter == "n":
            return struct.pack(order + "I", self._new())
        if letter in "wupdgfckPGroD":
            return struct.pack(order + "I", self._id(letter))
        if letter == "a":
            atoms = sorted(self.resources.atoms)
            return struct.pack(order + "I", chance.choice(atoms) if chance.random() < 0.97 else 99999)
        if letter == "F":
            pool = (
                [*self.usual, *self.usual, 0, *self.formats]
                if chance.random() < 0.97
                else [chance.randrange(200)]
            )
            return struct.pack(order + "I", chance.choice(pool))
        if letter == "v":
            pool = [one.id for root in self.setup.roots for one in root.visuals]
            return struct.pack(order + "I", chance.choice(pool) if chance.random() < 0.9 else 0x99)
        if letter == "0":
            return bytes(4)
        if letter == "O":
            value = chance.choice(
                [1, 3, 12, 13, 14, 0x10, 0x1B, 0x20, 0x2B, 0x30, 0x3E, chance.randrange(256)]
            )
            return struct.pack("B3x", value)
        if letter in "BHI":
            most = {"B": 0xFF, "H": 0xFFFF, "I": 0xFFFFFFFF}[letter]
            return struct.pack(order + letter, self._small(most))
        return self._long(letter)

    def _long(self, letter: str) -> bytes:
        chance, order = self.chance, self.order
        if letter == "V":  # border, class, visual
            kind = chance.choice([0, 1, 1, 1, 2, 3])
            visual = chance.choice([0, 0, self.setup.roots[0].visual, 0x99])
            return struct.pack(order + "HHI", chance.choice([0, 0, 1]), kind, visual)
        if letter == "T":
            form = chance.choice([8, 16, 32, 7])
            count = chance.randrange(9)
            data = bytes(count * form // 8)
            return struct.pack(order + "B3xI", form, count) + data.ljust(len(data) + 3 & ~3, b"\0")
        if letter == "E":
            return bytes(
                [chance.choice([2, 12, 33, 33, 34, 35, 0, 1, 64, 200]), chance.choice([8, 32, 5])]
            ) + bytes(30)
        if letter == "S":
            name = chance.choice([b"fixed", b"cursor", b"nil", b""])
            return struct.pack(order + "Hxx", len(name)) + name.ljust(len(name) + 3 & ~3, b"\0")
        if letter == "L":
            count = chance.randrange(6)
            dashes = bytes(
                chance.choice([1, 2, 3, 4, 5, 0] if chance.random() < 0.2 else [1, 2, 3])
                for _ in range(count)
            )
            return struct.pack(order + "H", count) + dashes.ljust(count + 3 & ~3, b"\0")
        if letter == "Y":  # PutImage's size, place, left pad, depth, data
            width, height, depth = (
                chance.randrange(9),
                chance.randrange(5),
                chance.choice([1, 8, 24, 24, 24, 32]),
            )
            form = 4 if depth >= 24 else 1
            row = width * form if depth != 1 else (width + 7) // 8
            size = (row + 3 & ~3) * height + chance.choice([0] * 9 + [4, -4])
            left = chance.choice([0, 0, 0, 5])
            return struct.pack(order + "HHIBBH", width, height, 0, left, depth, 0) + bytes(max(0, size))
        if letter == "X":
            return bytes(chance.choice([0, 1, 2, 3, 65, 255]) for _ in range(4 * chance.randrange(5)))
        if letter == "A":
            return self._glyphs()
        if letter == "Z":
            return self._glyph_items()
        if letter == "J":
            name = chance.choice([b"nearest", b"best", b"good", b"convolution", b"bad"])
            tail = bytes(4 * chance.choice([0, 0, 0, 1]))
            return struct.pack(order + "Hxx", len(name)) + name.ljust(len(name) + 3 & ~3, b"\0") + tail
        if letter == "R":
            count = chance.randrange(4)
            stops = [chance.randrange(-2, 70000) for _ in range(count)]
            if chance.random() < 0.7:
                stops = sorted(abs(one) % 65537 for one in stops)
            return struct.pack(f"{order}I{count}i", count, *stops) + bytes(8 * count)
        if letter == "W":
            return self._input_masks()
        if letter == "K":
            which = chance.choice([0, 1, 2, 4, 7, 0x800, 0x10, chance.randrange(1 << 13)])
            head = [chance.choice([3, 0x100, 0x100, 2, 77]), which]
            head += [chance.choice([0, 0, which]), chance.choice([0, which, 7]), 7, 7]
            details = b"".join(
                struct.pack(order + "HH", chance.choice([1, 3, 7]), chance.choice([0, 1, 3]))
                for _ in range(chance.randrange(4))
            )
            return struct.pack(order + "6H", *head) + details
        if letter == "U":
            one, other = (
                chance.choice([b"", b"a b\0", b"abcd"]),
                chance.choice([b"", b"GLX_x\0\0\0", b"abcdefgh"]),
            )
            sizes = struct.pack(order + "5I", 1, 4, 1, len(one), len(other))
            return sizes + bytes(chance.choice([8, 12])) + one + other
        raise ValueError(letter)

    def _glyphs(self) -> bytes:
        chance, order = self.chance, self.order
        count, infos, size = chance.randrange(4), b"", 0
        unit = chance.choice([1, 4])
        for _ in range(count):
            width, height = chance.randrange(9), chance.randrange(4)
            infos += struct.pack(order + "6H", width, height, 0, 0, 1, 1)
            size += (width * unit + 3 & ~3) * height
        ids = struct.pack(f"{order}{count}I", *(chance.randrange(12) for _ in range(count)))
        size = max(0, size + chance.choice([0] * 9 + [4, -4]))
        return struct.pack(order + "I", count) + ids + infos + bytes(size)

    def _glyph_items(self) -> bytes:
        chance, order, items = self.chance, self.order, b""
        for _ in range(chance.randrange(4)):
            if chance.random() < 0.2:
                items += struct.pack(order + "B7xI", 255, self._id("G"))
            else:
                count = chance.choice([0, 1, 2, 4])
                items += struct.pack(order + "B3xHH", count, 1, 1)
                items += bytes(count * chance.choice([1, 2, 4]) + 3 & ~3)
        return items

    def _input_masks(self) -> bytes:
        chance, order = self.chance, self.order
        count, masks = chance.choice([0, 1, 1, 2]), b""
        for _ in range(count):
            units = chance.choice([0, 1, 1, 2, 3])
            bits = 0
            for _ in range(chance.randrange(4)):
                choices = [
                    1 << chance.randrange(2, 13),
                    0x1C0000,
                    0x38000000,
                    0x1C0000000,
                    1 << chance.randrange(34),
                ]
                bits |= chance.choice(choices)
            mask = (bits & (1 << 32 * units) - 1).to_bytes(4 * units, "little")
            masks += struct.pack(order + "HH", chance.choice([0, 1, 1, 2, 50]), units) + mask
        return struct.pack(order + "Hxx", count) + masks

    def _body(self, form: str) -> bytes:
        body, letters = b"", form.replace(" ", "")
        at = 0
        while at < len(letters):
            letter = letters[at]
            if letter in "MN":
                bits = int(letters[at + 1 :])
                ids = {
                    15: "pIpIIIIIIIIeIck",
                    7: "IIIIIwI",
                    23: "IIIIIIIIIIppIIfIIIIpIII",
                    13: "IPIIIIpIIIIII",
                }
                return body + self._masked(bits, ids[bits])
            if letter == "*":
                for _ in range(self.chance.randrange(4)):
                    body += b"".join(map(self._field, letters[at + 1 :]))
                return body
            if letter == "C":
                return body
            if letter == "Q":
                body += struct.pack(self.order + "I", 1 << self.chance.randrange(33) & 0xFFFFFFFF)
            else:
                body += self._field(letter)
            at += 1
        return body

    def _request(self) -> bytes:
        chance = self.chance
        if chance.random() < 0.5:
            opcode = chance.choice(list(CORE))
            form, low, high = CORE[opcode]
            second = chance.randrange(low, high) if high else 0
            if opcode == 1:
                second = chance.choice([0, 0, 24, 24, 32, 8])
            elif opcode == 53:
                second = chance.choice([1, 1, 8, 24, 24, 32, 5])
            elif opcode == 55:
                second = 0
        else:
            name = chance.choice([one for one in ("RENDER", "RENDER", *MINORS) if self.majors.opcode(one)])
            opcode = self.majors.opcode(name) or 127
            second = chance.choice(list(MINORS[name]))
            form = MINORS[name][second]
        body = bytearray(self._body(form))
        if chance.random() < 0.06 and body:  # subtly wrong
            body[chance.randrange(len(body))] = chance.choice([0, 1, 255, chance.randrange(256)])
        if chance.random() < 0.03:
            body = body[: -chance.choice([1, 4, 8])] + bytes(chance.choice([0, 4, 8]))
        body += bytes(-len(body) % 4)
        return struct.pack(self.order + "BBH", opcode, second, 1 + len(body) // 4) + bytes(body)

    def _judge(self, data: bytes) -> bool:
        self.number += 1
        request = Request(self.number, data[0], data[1], memoryview(data), 4)
        assert self.majors.replies(data[0], data[1]) == NO_REPLY
        safe = not self.judge.can_fail(request)
        self.sent[self.number] = (request, safe)
        self.judged[data[0], data[1] * (data[0] > 127)] += 1
        self.safe[data[0], data[1] * (data[0] > 127)] += safe
        return safe

    def _furniture(self) -> bytes:
        """Some of everything, made rightly, for the random requests to meet."""
        root, made = self.setup.roots[0], b""

        def make(opcode: int, second: int, fields: str, *values: int | bytes) -> int:
            nonlocal made
            number = self._fresh()
            body = struct.pack(self.order + "I" + fields, number, *values)
            data = struct.pack(self.order + "BBH", opcode, second, 1 + len(body) // 4) + body
            assert self._judge(data), data.hex(" ", 4)
            made += data
            return number

        render = self.majors.opcode("RENDER") or 0
        outer = make(1, 0, "I4xHHHHII", root.root, 90, 90, 0, 1, 0, 0)
        inner = make(1, 0, "I4xHHHHII", outer, 50, 50, 0, 1, 0, 0)
        for depth in (1, 8, 24, 32):
            pixmap = make(53, depth, "IHH", root.root, 20, 20)
            make(55, 0, "II", pixmap, 0)
            make(render, 4, "III", pixmap, self.by_depth[depth], 0)
            if depth != 24:
                make(render, 17, "I", self.by_depth[depth])
        make(render, 4, "III", inner, self.by_depth[24], 0)
        make(render, 33, "II", 0, 0)
        make(45, 0, "H2x8s", 6, b"cursor")
        make(self.majors.opcode("XFIXES") or 0, 5, "")
        make(self.majors.opcode("SYNC") or 0, 2, "II", 0, 0)
        make(self.majors.opcode("DAMAGE") or 0, 1, "II", inner, 0)
        return made

    def batch(self) -> None:
        """Send some requests, and look at what the X server says."""
        out = self._furniture()
        for _ in range(BATCH):
            data = self._request()
            self._judge(data)
            out += data
        self.socket.sendall(out)
        last = self._send(struct.pack(self.order + "BxH", 43, 1))
        for packet in self._packets_until(last):
            if packet.kind == ERROR:
                self.resources.failed(packet.number)
                request, safe = self.sent[packet.number]
                if safe:
                    code = packet.data[1]
                    self.wrong.append(f"error {code}: {bytes(request.data).hex(' ', 4)}")
        self.resources.settled(last)
        self.sent.clear()
        if len(self.resources.known) > 400:
            self._tidy()

    def _tidy(self) -> None:
        """Free most of it, so that the X server does not fill up."""
        codes = {Pixels: 54, Context: 60, Font: 46, Pointer: 95}
        for number, one in list(self.resources.known.items()):
            opcode = codes.get(type(one))
            if isinstance(one, Pixels) and one.window:
                opcode = 4 if one.own else None
            if opcode is not None and number in self.resources.known and self.chance.random() < 0.9:
                data = struct.pack(self.order + "BxHI", opcode, 2, number)
                request = Request(self._send(data), opcode, 0, memoryview(data), 4)
                self.sent[request.number] = (request, not self.judge.can_fail(request))


def _run(seed: int, batches: int) -> Program:
    with Screen() as screen:
        for order in "<>":
            program = Program(screen, order, seed)
            for _ in range(batches // 2):
                program.batch()
            assert not program.wrong, "\n".join(program.wrong[:20])
            program.socket.close()
        return program


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_the_judge_calls_safe_gets_no_error_of_a_real_server(seed: int) -> None:
    program = _run(seed, 20)
    assert sum(program.safe.values()) > 0.2 * sum(program.judged.values())


if __name__ == "__main__":
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    for this in range(first, first + int(sys.argv[1])):
        done = _run(this, 50)
        share = sum(done.safe.values()) / sum(done.judged.values())
        never = sorted(one for one in done.judged if not done.safe[one])
        print(this, "ok", f"{share:.0%} safe; never safe: {never}", flush=True)
