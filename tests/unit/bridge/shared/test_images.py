"""Every image arrives as it was put, whatever it is, and a moving plot costs little."""

import random
import struct
import zlib
from typing import List, Optional

from tests.unit.bridge.shared.anywhere import raises, times
from x11fwd.bridge.shared.faults import WireFault
from x11fwd.bridge.shared.images import (
    MOST_CANVASES,
    SHELF,
    SHELF_HARD,
    SHELF_SHARE,
    ImageCoder,
    ImageDecoder,
    ImageShelf,
)
from x11fwd.bridge.shared.setup import Setup
from x11fwd.bridge.shared.wire import Request

SETUP: Setup = None  # type: ignore[assignment]  # the coder needs nothing of it
WHITE = b"\xff\xff\xff\0"


def put_image(
    data: bytes,
    height: int,
    x: int = 0,
    y: int = 0,
    drawable: int = 0x600008,
    order: str = "<",
    kind: int = 2,
    long: bool = False,
    left_pad: int = 0,
) -> Request:
    """A PutImage (X protocol, chapter 9) of 24 bits depth; `long` with a BIG-REQUESTS length."""
    body = struct.pack(
        order + "IIHHhhBBxx",
        drawable,
        0x600009,
        len(data) // height // 4 & 0xFFFF,
        height,
        x,
        y,
        left_pad,
        24,
    )
    units = (len(data) + 3 >> 2) + 6
    long = long or units > 0xFFFF
    if not long:
        head = struct.pack(order + "BBH", 72, kind, units)
    else:
        head = struct.pack(order + "BBHI", 72, kind, 0, units + 1)
    whole = (head + body + data).ljust(4 * (units + long), b"\0")
    return Request(1, 72, kind, memoryview(whole), len(head))


class Pair:
    """Both halves of one connection."""

    def __init__(self, order: str = "<", connection: int = 1) -> None:
        self.shelves = ImageShelf(), ImageShelf()
        self.coder = ImageCoder(self.shelves[0], connection, SETUP, order)
        self.decoder = ImageDecoder(self.shelves[1], connection)

    def carry(self, request: Request) -> "Optional[int]":
        """The bytes that were needed; None when the request travels as it is."""
        coded = self.coder.code(request)
        if coded is None:
            return None
        assert self.decoder.decode(coded) == request.data
        return len(coded)


def line(width: int, height: int, moved: int) -> bytes:
    """White with a line of several blues across it."""
    rows = [bytearray(WHITE * width) for _ in range(height)]
    for x in range(width):
        y = (x * x // 37 + 3 * moved) % height
        rows[y][4 * x : 4 * x + 4] = bytes((0xB4, 0x77 + x % 9, 0x1F, 0))
    return b"".join(rows)


def noise(size: int, seed: int) -> bytes:
    """Bytes that nothing can code shorter."""
    return random.Random(seed).getrandbits(8 * size).to_bytes(size, "little")


def test_a_moving_line_costs_a_few_bytes_for_each_pixel_of_it() -> None:
    pair = Pair()
    for moved in range(6):
        size = pair.carry(put_image(line(320, 200, moved), 200))
        assert size is not None
        assert size < 320 * 2 * 6


def test_of_a_moving_curve_only_the_new_pixels_are_told() -> None:
    pair = Pair()
    sizes = [pair.carry(put_image(line(640, 100, moved), 100)) or 0 for moved in (0, 3, 6, 9, 12)]
    assert max(sizes[2:]) < 640 * 4
    assert pair.carry(put_image(line(640, 100, 12), 100)) == 34
    pair.carry(put_image(bytes(2560) * 100, 100))
    pair.carry(put_image(line(640, 100, 12), 100))
    assert pair.carry(put_image(line(640, 100, 12), 100)) == 34
    # what was put twice is ground now, also the curve
    assert (pair.carry(put_image(line(640, 100, 13), 100)) or 0) > 640


def test_the_colours_of_now_get_the_short_numbers() -> None:
    pair = Pair()
    chance = random.Random(2)
    for _ in range(3):
        icon = b"".join([struct.pack("<I", chance.randrange(60) * 77 + 5) for _ in range(24 * 24)])
        pair.carry(put_image(icon, 24, drawable=chance.randrange(1000)))
    colours = [chance.randrange(1 << 24) for _ in range(300)]
    noisy = struct.pack("<5000I", *(colours[one % 300] for one in range(5000)))
    pair.carry(put_image(noisy, 50))
    for drawable in range(4):
        size = pair.carry(put_image(line(640, 100, drawable), 100, drawable=drawable)) or 0
    assert size < 640 * 4


def test_the_same_image_again_costs_nearly_nothing_also_on_another_drawable() -> None:
    pair = Pair()
    data = noise(64000, 1)
    sizes = [pair.carry(put_image(data, 10, drawable=drawable)) for drawable in (1, 1, 2, 3)]
    assert sizes[0] in range(64000, 64100)
    assert sizes[1:] == [34, 34, 34]


def test_a_part_of_what_is_there_is_compared_with_that_part() -> None:
    pair = Pair()
    data = noise(40 * 400, 2)
    pair.carry(put_image(data, 40))
    assert pair.carry(put_image(data[400 * 5 : 400 * 30], 25, y=5)) == 34
    assert pair.carry(put_image(data[400 * 20 :] + bytes(4000), 30, y=20)) not in {None, 34}
    assert pair.carry(put_image(data[400 * 5 :] + bytes(4000), 45, y=5)) == 34


def test_noise_costs_no_more_than_itself() -> None:
    pair = Pair()
    for seed in range(4):
        size = pair.carry(put_image(noise(400 * 400, seed), 100, long=True))
        assert size is not None
        assert size < 400 * 400 * 1.01


def test_what_is_short_or_laid_out_otherwise_travels_as_it_is() -> None:
    pair = Pair()
    data = bytes(4000)
    assert pair.carry(put_image(data[:1000], 10)) is None
    assert pair.carry(put_image(data, 10, kind=1)) is None
    assert pair.carry(put_image(data, 10, left_pad=3)) is None
    assert pair.carry(put_image(data[:3990], 7)) is None
    assert pair.carry(put_image(data, 10)) is not None


def test_any_sequence_of_images_arrives_bit_by_bit() -> None:
    chance = random.Random(7)
    for order in "<>":
        pair = Pair(order)
        last = bytes(64 * 64 * 4)
        for _ in range(times(400)):
            width, height = chance.choice((64, 64, 64, 37, 33)), chance.randrange(10, 64)
            data = bytearray(last[: width * height * 4])
            for _ in range(chance.choice((0, 1, 5, 80, 3000))):
                at = chance.randrange(width * height) * 4
                colour = chance.choice((chance.randrange(1 << 32), chance.randrange(300), 0))
                data[at : at + 4] = struct.pack("<I", colour)
            if chance.randrange(20) == 0:
                data[:] = noise(len(data), chance.randrange(1000))
            last = bytes(data).ljust(64 * 64 * 4, chance.choice((b"\0", b"\7")))
            pair.carry(
                put_image(
                    bytes(data),
                    height,
                    chance.choice((0, 0, 5)),
                    chance.choice((0, 0, 7, 40, -9, -300, 3000, 32767, -32768)),
                    chance.choice((1, 1, 1, 2, 3)),
                    order,
                    long=chance.random() < 0.3,
                )
            )


def test_more_colours_than_a_palette_holds_arrive_too() -> None:
    pair = Pair()
    chance = random.Random(1)
    for turn in range(times(30)):
        colours = [chance.randrange(1 << 24) for _ in range(1500)]
        data = struct.pack(
            "<40000I", *(colours[one // 9 % 1500] if one & 1 else turn for one in range(40000))
        )
        assert pair.carry(put_image(data, 100)) is not None


def test_colours_of_long_ago_do_not_make_those_of_now_dear() -> None:
    pair = Pair()
    pair.carry(put_image(struct.pack("<1600I", *(one % 400 << 8 for one in range(1600))), 40))
    chance = random.Random(2)
    sizes = []
    for _ in range(3):
        blues = [chance.randrange(200) | 0x1F7700 for _ in range(8000)]
        sizes.append(pair.carry(put_image(struct.pack("<8000I", *blues), 80)))
    assert all(size is not None and size < 8000 * 1.2 for size in sizes[1:]), sizes


def test_the_ground_that_comes_back_behind_a_line_costs_runs_and_not_pixels() -> None:
    pair = Pair()
    wide = b"\x1f\x77\xb4\0" * 100 + WHITE * 700
    sizes = [
        pair.carry(put_image(b"".join(wide[400 * at :] + wide[: 400 * at] for _ in range(100)), 100))
        for at in range(4)
    ]
    assert all(size is not None and size < 11500 for size in sizes[1:]), sizes


def test_what_was_not_used_for_long_is_given_up_in_both_halves() -> None:
    pair = Pair()
    size = 4 << 20
    image = put_image(bytes(size), 1024)
    for drawable in range(SHELF * 5 // 4 // size):
        pair.carry(put_image(bytes(size), 1024, drawable=drawable))
        assert pair.shelves[0].hold(2, 0) <= SHELF
        assert pair.shelves[1].hold(2, 0) <= SHELF + 2 * size
    for drawable in range(3 * MOST_CANVASES):
        pair.carry(put_image(bytes(2048), 4, drawable=1000 + drawable))
    assert pair.carry(image) is not None
    pair.shelves[0].drop(1)
    assert pair.shelves[0].hold(2, 0) == 0


def test_a_connection_has_its_share_beside_greedy_ones_and_all_have_a_bound() -> None:
    shelf = ImageShelf()
    shelf.hold(1, SHELF)
    assert shelf.allowed(1) == SHELF
    assert shelf.allowed(2) == SHELF_SHARE
    shelf.hold(3, SHELF_HARD)
    assert shelf.allowed(2) == 0


def test_damaged_images_are_faults_and_nothing_else() -> None:
    chance = random.Random(3)
    pair = Pair()
    coded: List[bytes] = []
    for moved in range(4):
        one = pair.coder.code(put_image(line(64, 64, moved), 64, y=moved * 3))
        assert one is not None
        coded.append(one)
    faults = 0
    tries = times(1500)
    for _ in range(tries):
        decoder = ImageDecoder(ImageShelf(), 1)
        for one in coded:
            broken = bytearray(one)
            if chance.random() < 0.5:
                broken[chance.randrange(len(one))] = chance.choice((0, 1, 255, chance.randrange(256)))
            if chance.random() < 0.1:
                del broken[chance.randrange(len(one)) :]
            try:
                decoder.decode(bytes(broken))
            except WireFault:
                faults += 1
                break
    assert faults > tries // 15
    with raises(WireFault, "impossible"):
        ImageDecoder(ImageShelf(), 1).decode(coded[0][:1] + b"\xff\xff\xff\xff" + coded[0][5:])
    with raises(WireFault, "damaged"):
        ImageDecoder(ImageShelf(), 1).decode(b"")


def test_images_of_a_plot_pack_well_with_the_links_own_packing() -> None:
    pair = Pair()
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    sizes = []
    for moved in range(8):
        coded = pair.coder.code(put_image(line(640, 100, moved), 100))
        assert coded is not None
        sizes.append(len(packer.compress(coded) + packer.flush(zlib.Z_SYNC_FLUSH)))
    assert max(sizes[2:]) < 3000
