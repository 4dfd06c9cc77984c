"""Pixels of every layout that servers of today use, PNG files, cropping, scaling."""

from __future__ import annotations

import struct
import time
import zlib
from typing import TYPE_CHECKING, Literal

import pytest

from x11fwd.x11.faults import MalformedAnswerError
from x11fwd.x11.image import RGB, Image

if TYPE_CHECKING:
    from pathlib import Path

Order = Literal["little", "big"]
RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)
LAYOUTS: dict[str, tuple[int, int, RGB]] = {
    "15-bit": (15, 16, (0x7C00, 0x3E0, 0x1F)),
    "16-bit": (16, 16, (0xF800, 0x7E0, 0x1F)),
    "16-bit-bgr": (16, 16, (0x1F, 0x7E0, 0xF800)),
    "24-bit": (24, 32, (0xFF0000, 0xFF00, 0xFF)),
    "24-bit-bgr": (24, 32, (0xFF, 0xFF00, 0xFF0000)),
    "24-bit-packed": (24, 24, (0xFF0000, 0xFF00, 0xFF)),
    "30-bit": (30, 32, (0x3FF00000, 0xFFC00, 0x3FF)),
    "30-bit-bgr": (30, 32, (0x3FF, 0xFFC00, 0x3FF00000)),
    "32-bit": (32, 32, (0xFF0000, 0xFF00, 0xFF)),
    "32-bit-rgba": (32, 32, (0xFF000000, 0xFF0000, 0xFF00)),
}
EVERY = pytest.mark.parametrize("layout", list(LAYOUTS))
BOTH: pytest.MarkDecorator = pytest.mark.parametrize("order", ["little", "big"])


def channel(value: int, mask: int) -> int:
    """One 8-bit value as an X server puts it into a mask: the upper bits of 16 (AllocColor)."""
    low = (mask & -mask).bit_length() - 1
    return (value * 257 >> (16 - (mask >> low).bit_length())) << low


def picture(rows: list[list[RGB]], layout: str = "24-bit", order: Order = "little") -> Image:
    depth, bits, masks = LAYOUTS[layout]
    data = b""
    for row in rows:
        line = b"".join(
            sum(channel(value, mask) for value, mask in zip(pixel, masks, strict=True)).to_bytes(
                bits // 8, order
            )
            for pixel in row
        )
        data += line + b"\xaa" * (-len(line) % 4)
    return Image(len(rows[0]), len(rows), depth, bits, 32, order, masks, data)


@EVERY
@BOTH
def test_full_and_empty_channels_are_exact_in_every_layout(layout: str, order: Order) -> None:
    rows = [[RED, GREEN, BLUE], [WHITE, BLACK, (255, 255, 0)]]
    image = picture(rows, layout, order)
    assert [[image.pixel(x, y) for x in range(3)] for y in range(2)] == rows


@EVERY
@BOTH
def test_every_grey_is_within_one_step_of_the_layout(layout: str, order: Order) -> None:
    greys: list[RGB] = [(value, value, value) for value in range(256)]
    image = picture([greys], layout, order)
    step = 7 if image.bits_per_pixel == 16 else 1
    for x, grey in enumerate(greys):
        assert all(abs(got - want) <= step for got, want in zip(image.pixel(x, 0), grey, strict=True)), grey


@pytest.mark.parametrize("layout", ["24-bit", "24-bit-bgr", "24-bit-packed", "32-bit", "32-bit-rgba"])
@BOTH
def test_8_bit_channels_are_exact(layout: str, order: Order) -> None:
    colours: list[RGB] = [(x, 255 - x, (7 * x) % 256) for x in range(256)]
    image = picture([colours], layout, order)
    assert [image.pixel(x, 0) for x in range(256)] == colours


def test_unused_bits_of_a_pixel_do_not_show() -> None:
    image = Image(1, 1, 24, 32, 32, "little", (0xFF0000, 0xFF00, 0xFF), b"\x03\x02\x01\xff")
    assert image.pixel(0, 0) == (1, 2, 3)


@pytest.mark.parametrize("layout", ["16-bit", "24-bit-packed"])
@pytest.mark.parametrize("width", [1, 2, 3, 4, 5])
def test_the_padding_at_the_end_of_rows_is_skipped(layout: str, width: int) -> None:
    rows = [[RED] * width, [GREEN] * width, [BLUE] * width]
    image = picture(rows, layout)
    assert [image.pixel(width - 1, y) for y in range(3)] == [RED, GREEN, BLUE]
    assert image.rgb() == bytes(RED * width + GREEN * width + BLUE * width)


def test_bytes_after_the_last_row_are_ignored() -> None:
    image = Image(1, 1, 24, 32, 32, "little", (0xFF0000, 0xFF00, 0xFF), b"\x03\x02\x01\0" + b"\xee" * 12)
    assert image.rgb() == b"\x01\x02\x03"


@pytest.mark.parametrize(("x", "y"), [(-1, 0), (0, -1), (2, 0), (0, 1)])
def test_a_pixel_outside_is_an_error(x: int, y: int) -> None:
    with pytest.raises(IndexError):
        picture([[RED, RED]]).pixel(x, y)


def test_too_little_data_is_malformed() -> None:
    with pytest.raises(MalformedAnswerError, match="less of the picture"):
        Image(2, 2, 24, 32, 32, "little", (0xFF0000, 0xFF00, 0xFF), b"\0" * 15)


@pytest.mark.parametrize("bits", [1, 4, 8, 12])
def test_an_unreadable_layout_is_malformed(bits: int) -> None:
    with pytest.raises(MalformedAnswerError, match="bits a pixel"):
        Image(1, 1, bits, bits, 32, "little", (1, 2, 4), b"\0" * 4)


def test_a_repr_does_not_print_a_megabyte() -> None:
    assert len(repr(picture([[RED] * 100] * 100))) < 300


# Cropping


@EVERY
def test_a_crop_is_the_part_that_was_asked_for(layout: str) -> None:
    rows = [[WHITE] * 7 for _ in range(5)]
    rows[2][3], rows[2][4], rows[3][3] = RED, GREEN, BLUE
    part = picture(rows, layout).crop(3, 2, 2, 2)
    assert (part.width, part.height) == (2, 2)
    assert [part.pixel(0, 0), part.pixel(1, 0), part.pixel(0, 1), part.pixel(1, 1)] == [
        RED,
        GREEN,
        BLUE,
        WHITE,
    ]


def test_a_crop_of_a_crop_works() -> None:
    rows: list[list[RGB]] = [[(x, y, 0) for x in range(9)] for y in range(9)]
    assert picture(rows, "24-bit").crop(1, 2, 7, 6).crop(2, 3, 2, 2).pixel(1, 1) == (4, 6, 0)


def test_what_sticks_out_of_the_picture_is_cut_off() -> None:
    image = picture([[RED, GREEN], [BLUE, WHITE]])
    part = image.crop(-5, -5, 6, 6)
    assert (part.width, part.height, part.pixel(0, 0)) == (1, 1, RED)
    part = image.crop(1, 1, 100, 100)
    assert (part.width, part.height, part.pixel(0, 0)) == (1, 1, WHITE)


@pytest.mark.parametrize("box", [(2, 0, 1, 1), (0, 0, 0, 1), (-3, 0, 3, 1), (0, 5, 1, 1)])
def test_a_crop_outside_the_picture_is_an_error(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="outside"):
        picture([[RED, GREEN]]).crop(*box)


# PNG


def read_png(data: bytes) -> tuple[int, int, list[bytes]]:
    """Width, height and rows of an 8-bit RGB file; checks every checksum."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks: list[tuple[bytes, bytes]] = []
    at = 8
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", data, at + 8 + length)[0] == zlib.crc32(kind + body)
        chunks.append((kind, body))
        at += 12 + length
    assert at == len(data)
    assert [kind for kind, _ in chunks] == [b"IHDR", b"IDAT", b"IEND"]
    width, height, *rest = struct.unpack(">IIBBBBB", chunks[0][1])
    assert rest == [8, 2, 0, 0, 0]
    raw = zlib.decompress(chunks[1][1])
    assert len(raw) == height * (1 + 3 * width)
    rows = [raw[y * (1 + 3 * width) : (y + 1) * (1 + 3 * width)] for y in range(height)]
    assert {row[0] for row in rows} == {0}
    return width, height, [row[1:] for row in rows]


@EVERY
def test_a_png_holds_the_same_pixels(layout: str) -> None:
    image = picture([[RED, GREEN, BLUE], [WHITE, BLACK, RED]], layout)
    assert read_png(image.png()) == (3, 2, [bytes(RED + GREEN + BLUE), bytes(WHITE + BLACK + RED)])


def test_a_png_is_written_to_a_file(tmp_path: Path) -> None:
    image = picture([[RED, GREEN]])
    image.write_png(tmp_path / "shot.png")
    assert (tmp_path / "shot.png").read_bytes() == image.png()


def test_a_png_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        picture([[RED]]).write_png(tmp_path / "no" / "shot.png")


# Scaling


def test_a_picture_scaled_to_its_own_size_is_itself() -> None:
    rows = [[RED, GREEN, BLUE], [WHITE, BLACK, RED]]
    assert picture(rows).scaled(3, 2) == rows


def test_a_smaller_picture_has_the_mean_of_each_box() -> None:
    image = picture([[(0, 0, 0), (100, 0, 0)], [(100, 40, 0), (200, 0, 8)]])
    assert image.scaled(1, 1) == [[(100, 10, 2)]]
    assert image.scaled(2, 1) == [[(50, 20, 0), (150, 0, 4)]]


def test_boxes_of_unequal_size_cover_every_pixel() -> None:
    rows: list[list[RGB]] = [[RED] * 5 + [BLUE] * 2]
    assert picture(rows).scaled(7, 1) == rows
    assert picture(rows).scaled(3, 1) == [[RED, RED, (85, 0, 170)]]


def test_a_larger_picture_repeats_pixels() -> None:
    assert picture([[RED, BLUE]]).scaled(4, 2) == [[RED, RED, BLUE, BLUE]] * 2


@pytest.mark.parametrize("size", [(0, 1), (1, 0), (-1, 5)])
def test_a_picture_without_pixels_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="at least one pixel"):
        picture([[RED]]).scaled(*size)


# Speed


@pytest.mark.parametrize("layout", ["16-bit", "24-bit", "30-bit"])
def test_a_whole_screen_takes_well_under_a_second(layout: str) -> None:
    depth, bits, masks = LAYOUTS[layout]
    data = bytes(range(256)) * (1280 * 800 * bits // 8 // 256)
    image = Image(1280, 800, depth, bits, 32, "little", masks, data)
    start = time.process_time()
    image.png()
    image.scaled(80, 25)
    image.crop(10, 10, 1000, 700).planes  # noqa: B018  a property that works is what is measured
    assert time.process_time() - start < 2  # measured: 0.06 s; the limit is for machines under load
