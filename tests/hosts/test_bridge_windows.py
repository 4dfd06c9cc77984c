"""What the bridge's rules answer about a program's own windows, pixmaps and the focus, and what Xvfb says."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.lab.manager import Manager
from tests.lab.rule_check import RuleCheck
from tests.lab.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Iterator

SEEDS = range(6)
BOTH = ["<", ">"]
STRUCTURE, SUBSTRUCTURE, PROPERTY, EXPOSURE = 1 << 17, 1 << 19, 1 << 22, 1 << 15
GET_ATTRIBUTES, GET_GEOMETRY, QUERY_TREE, TRANSLATE = 3, 14, 15, 40
GET_PROPERTY, LIST_PROPERTIES, GET_FOCUS, GET_IMAGE = 20, 21, 43, 73
# largest values of window attributes that are numbers, by bit; 1 << 32 - 1 for those that are free
ATTRIBUTES = {4: 10, 5: 10, 6: 2, 7: 0xFFFFFFFF, 8: 0xFFFFFFFF, 9: 1, 10: 1, 12: 0x3F4F}
INPUT_ONLY = {5, 9, 12}
# function, plane mask, foreground (any), fill style, no clip
CONTEXTS = [
    (0, 3),
    (0, 3),
    (0, 6),
    (1, 0xFFFFFFFF),
    (1, 0xFF),
    (2, 0),
    (2, 0),
    (8, 0),
    (8, 3),
    (19, 0),
    (19, 0),
]


class Windows:
    """Random requests about windows of one program; most of them valid."""

    def __init__(self, check: RuleCheck, random: Random, *, alone: bool = True) -> None:
        self.check, self.random = check, random
        self.windows: list[int] = []
        self.kinds: dict[int, int] = {}
        self.alone = alone
        self.gone = check.root.root  # or the last window that may be destroyed

    def value_list(self, bits: dict[int, int], share: float) -> tuple[int, bytes]:
        """Some of these attributes: the mask, and the values."""
        chosen = {bit: value for bit, value in bits.items() if self.random.random() < share}
        return sum(1 << bit for bit in chosen), self.check.pack(f"{len(chosen)}I", *chosen.values())

    def attributes(self, input_only: bool) -> dict[int, int]:
        limits = {bit: most for bit, most in ATTRIBUTES.items() if not input_only or bit in INPUT_ONLY}
        values = {bit: self.random.randint(0, most) for bit, most in limits.items()}
        if 12 in values:
            values[12] &= 0x3F4F
        values[11] = self.random.choice([0, STRUCTURE, STRUCTURE | EXPOSURE, STRUCTURE | PROPERTY, PROPERTY])
        return dict(sorted(values.items()))

    def create(self) -> None:
        window = self.check.new_id()
        parent = self.random.choice([self.check.root.root, *self.windows])
        input_only = self.kinds.get(parent) == 2 or self.random.random() < 0.1
        kind = 2 if input_only else self.random.choice([0, 1])
        mask, values = self.value_list(self.attributes(input_only), 0.3)
        number = self.random.randint
        place = [number(-60, 60), number(-60, 60), number(1, 300), number(1, 300)]
        border = 0 if input_only else number(0, 4)
        self.check.send(
            1, self.check.pack("IIhhHHHHII", window, parent, *place, border, kind, 0, mask) + values
        )
        self.windows.append(window)
        self.kinds[window] = 2 if input_only else 1

    def change(self, window: int) -> None:
        mask, values = self.value_list(self.attributes(self.kinds[window] == 2), 0.2)
        self.check.send(2, self.check.pack("II", window, mask) + values)

    def configure(self, window: int) -> None:
        number = self.random.randint
        values = {0: number(-90, 90) & 0xFFFFFFFF, 1: number(-90, 90) & 0xFFFF, 2: number(1, 300)}
        values.update({3: number(1, 300), 4: number(0, 5)})
        if self.kinds[window] == 2:
            del values[4]
        if self.random.random() < 0.2:
            values[6] = number(0, 4)
            if self.random.random() < 0.5:
                values[5] = self.random.choice(self.windows)
        mask, packed = self.value_list(dict(sorted(values.items())), 0.4)
        if mask >> 5 == 1:
            return
        self.check.send(12, self.check.pack("IHH", window, mask, 0) + packed)

    def forget(self, window: int) -> None:
        """Those that are gone are asked about seldom."""
        known = self.check.resources.known
        self.windows = [one for one in self.windows if one != window and one in known]
        self.gone = window

    def step(self) -> None:
        """One request or a few."""
        check, random = self.check, self.random
        what = random.random()
        if not self.windows or (what < 0.1 and len(self.windows) < 40):
            self.create()
            return
        window = random.choice(self.windows)
        one = check.pack("I", window)
        if what < 0.15:
            self.change(window)
        elif what < 0.3:
            self.configure(window)
        elif what < 0.42:
            check.send(random.choice([8, 8, 10]), one)
        elif what < 0.44:
            check.send(random.choice([9, 11]), one)
        elif what < 0.45:
            check.send(13, one, random.randint(0, 1))
        elif what < 0.48:
            parent = random.choice([*self.windows, check.root.root])
            check.send(7, check.pack("IIhh", window, parent, random.randint(-9, 9), 7))
        elif what < 0.5:
            check.send(random.choice([4, 5]), one)
            self.forget(window)
        elif what < 0.52:
            check.send(42, check.pack("II", random.choice([0, 1, window]), 0), random.randint(0, 2))
        elif what < 0.6:
            name, kind, bits = random.randint(37, 39), random.randint(4, 6), random.choice([8, 16, 32])
            count = random.randint(0, 9)
            data = random.randbytes(count * bits // 8)
            head = check.pack("IIIB3xI", window, name, kind, bits, count)
            check.send(18, head + data, random.choice([0, 0, 0, 1, 2]))
        elif what < 0.61:
            check.send(19, check.pack("II", window, random.randint(37, 39)))
        else:
            self.ask(window)

    def ask(self, window: int) -> None:
        check, random = self.check, self.random
        if random.random() < 0.6:
            check.sync()
        one = check.pack("I", window)
        number = random.randint
        what = number(0, 6)
        if what <= 1:
            check.send(GET_ATTRIBUTES, one)
            check.send(GET_GEOMETRY, one)
        elif what == 2:
            check.send(QUERY_TREE, random.choice([one, check.pack("I", self.gone)]))
        elif what == 3:
            other = random.choice(self.windows)
            check.send(TRANSLATE, check.pack("IIhh", window, other, number(-90, 90), number(-90, 90)))
        elif what == 4 and self.alone:
            check.send(GET_FOCUS)
        elif what == 5:
            parts = [
                random.choice([0, number(4, 6)]),
                random.choice([0, 0, 0, 1, 3]),
                random.choice([0, 1, 2, 9, 0x1FFFFFFF, 0x7FFFFFFF, 0xFFFFFFFF]),
            ]
            wanted = check.pack("IIIII", window, number(37, 39), *parts)
            check.send(GET_PROPERTY, wanted, random.choice([0, 0, 0, 1]))
        else:
            check.send(LIST_PROPERTIES, one)


class Pixmaps:
    """Random painting into pixmaps of one program."""

    def __init__(self, check: RuleCheck, random: Random) -> None:
        self.check, self.random = check, random
        self.pixmaps: list[tuple[int, int, int, int]] = []  # id, width, height, depth
        self.contexts: list[tuple[int, int]] = []
        self.layouts = {one.depth: one for one in check.setup.layouts}

    def create(self) -> None:
        check, number = self.check, self.random.randint
        depth = self.random.choice([check.root.depth, check.root.depth, 1, *check.root.depths])
        pixmap, context = check.new_id(), check.new_id()
        size = (number(1, 40), number(1, 40))
        check.send(53, check.pack("IIHH", pixmap, check.root.root, *size), depth)
        check.send(55, check.pack("IIII", context, pixmap, 4, self.random.getrandbits(32)))
        self.pixmaps.append((pixmap, *size, depth))
        self.contexts.append((context, depth))
        if self.random.random() < 0.8:
            check.send(70, check.pack("IIhhHH", pixmap, context, 0, 0, *size))

    def box(self) -> tuple[int, int, int, int]:
        number = self.random.randint
        return number(-8, 30), number(-8, 30), number(0, 30), number(0, 30)

    def context(self, depth: int) -> int:
        return self.random.choice([one for one, its in self.contexts if its == depth])

    def change_context(self, depth: int) -> None:
        check, random = self.check, self.random
        context = self.context(depth)
        what = random.random()
        if what < 0.2:
            check.send(59, check.pack("IhhhhHH", context, 0, 0, 2, 2, 6, 6))
        elif what < 0.4:
            mask = random.choice([4, 7, 1 << 19, 0x7FFFFF])
            check.send(57, check.pack("III", self.context(depth), context, mask))
        else:
            bit, value = random.choice(CONTEXTS)
            value = random.getrandbits(32) if bit == 2 else value
            check.send(56, check.pack("III", context, 1 << bit, value))

    def put_image(self, pixmap: int, depth: int) -> None:
        check = self.check
        layout = self.layouts[depth]
        x, y, width, height = self.box()
        row = -(-width * layout.bits_per_pixel // layout.scanline_pad) * layout.scanline_pad // 8
        head = check.pack("IIHHhhBBxx", pixmap, self.context(depth), width, height, x, y, 0, depth)
        check.send(72, head + self.random.randbytes(row * height), 2)

    def step(self) -> None:
        """One request or a few."""
        check, random = self.check, self.random
        what = random.random()
        if not self.pixmaps or (what < 0.05 and len(self.pixmaps) < 30):
            self.create()
            return
        pixmap, width, height, depth = random.choice(self.pixmaps)
        both = check.pack("II", pixmap, self.context(depth))
        if what < 0.15:
            self.change_context(depth)
        elif what < 0.3:
            check.send(70, both + b"".join(check.pack("hhHH", *self.box()) for _ in range(3)))
        elif what < 0.4:
            self.put_image(pixmap, depth)
        elif what < 0.55:
            source = random.choice([one for one, *_, its in self.pixmaps if its == depth])
            here, there = self.box(), self.box()
            body = (source, pixmap, self.context(depth), *here[:2], *there)
            check.send(62, check.pack("IIIhhhhHH", *body))
        elif what < 0.56:
            check.send(63, check.pack("I", pixmap) + both + check.pack("hhhhHHI", 1, 1, 2, 2, 5, 5, 1))
        elif what < 0.58:
            check.send(random.choice([64, 65]), both + check.pack("hh", 1, 5))
        elif what < 0.59:
            check.send(71, both + check.pack("hhHHhh", 1, 1, 5, 9, 0, 6400))
        elif what < 0.6 and len(self.pixmaps) > 8:
            self.pixmaps.remove((pixmap, width, height, depth))
            check.send(54, check.pack("I", pixmap))
        elif what < 0.65:
            check.send(GET_GEOMETRY, check.pack("I", pixmap))
        else:
            x, y = random.randrange(width), random.randrange(height)
            size = (random.randint(1, width - x), random.randint(1, height - y))
            planes = 0xFFFFFFFF if random.random() < 0.9 else 0xFFFF
            check.send(GET_IMAGE, check.pack("IhhHHI", pixmap, x, y, *size, planes), 2)
        if random.random() < 0.2:
            check.sync()


@pytest.fixture(scope="module")
def desk() -> Iterator[Screen]:
    with Screen() as found:
        yield found


def connected(screen: Screen, order: str = "<") -> RuleCheck:
    return RuleCheck(screen.display, bytes.fromhex(screen.cookie), order)


@pytest.mark.parametrize("order", BOTH, ids=["little", "big"])
@pytest.mark.parametrize("seed", SEEDS)
def test_answers_about_own_windows_are_those_of_the_server(desk: Screen, seed: int, order: str) -> None:
    check = connected(desk, order)
    program = Windows(check, Random(seed))
    for _ in range(1200):
        program.step()
        if program.random.random() < 0.1:
            check.read()
    check.sync()
    check.close()
    assert check.differences == []
    assert check.share([GET_ATTRIBUTES]) > 0.15
    assert check.share([GET_GEOMETRY]) > 0.2
    assert check.answered[GET_PROPERTY] + check.answered[QUERY_TREE]


@pytest.mark.parametrize("seed", SEEDS)
def test_answers_about_own_windows_hold_under_a_window_manager(desk: Screen, seed: int) -> None:
    check = connected(desk)
    # where others move the focus, it may be as old as the rule allows
    program = Windows(check, Random(seed), alone=False)
    manager = Manager(desk.display, bytes.fromhex(desk.cookie), program.random)
    for _ in range(1200):
        program.step()
        what = program.random.random()
        if what < 0.1:
            check.sync()  # what the program has asked for by now is for the manager to see
            manager.act()
            check.sync()  # and what it did is for the rules; meanwhile they may be half a round trip old
        elif what < 0.15:
            manager.meddle()
            check.sync()
    check.sync()
    check.close()
    manager.close()
    assert check.differences == []
    assert check.share([GET_ATTRIBUTES, GET_GEOMETRY]) > 0.15


@pytest.mark.parametrize("depth", [24, 16])
@pytest.mark.parametrize("order", BOTH, ids=["little", "big"])
def test_answered_images_are_those_of_the_server(depth: int, order: str) -> None:
    with Screen(f"640x480x{depth}") as screen:
        for seed in SEEDS:
            check = connected(screen, order)
            program = Pixmaps(check, Random(seed))
            for _ in range(1200):
                program.step()
            check.sync()
            check.close()
            assert check.differences == []
            assert check.share([GET_IMAGE]) > 0.1
            assert check.share([GET_GEOMETRY]) > 0.7
