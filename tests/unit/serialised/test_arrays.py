"""Arrays are read as numpy wrote them, without numpy and without a pickle; nothing in a file can crash us."""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy
import pytest

from x11fwd.serialised.array_views import view_of
from x11fwd.serialised.arrays import Array, ArrayError, read_npy, read_npz
from x11fwd.viewer.figure import checked_figure
from x11fwd.viewer.png import read_png

if TYPE_CHECKING:
    from numpy.typing import NDArray


def saved(array: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    numpy.save(file, array, allow_pickle=array.dtype.hasobject)
    return file.getvalue()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"])
def test_every_number_is_what_numpy_says(order: str, kind: str) -> None:
    array = numpy.arange(12, dtype=order + kind).reshape(3, 4)
    found = read_npy(saved(array))
    assert (found.shape, found.dtype) == ((3, 4), str(array.dtype.newbyteorder("=")))
    assert list(found.numbers()) == list(range(12))
    turned = read_npy(saved(numpy.asfortranarray(array)))
    down, across = turned.strides()
    values = turned.numbers()
    assert [values[row * down + column * across] for row in range(3) for column in range(4)] == list(
        range(12)
    )


def test_bools_complex_numbers_and_words_are_read() -> None:
    assert list(read_npy(saved(numpy.array([True, False]))).numbers()) == [1, 0]
    whole = read_npy(saved(numpy.array([3 + 4j, 0, 1j, 6 + 8j]))).numbers()
    assert (list(whole), list(whole[1:4:2]), whole[3]) == ([5.0, 0.0, 1.0, 10.0], [0.0, 10.0], 10.0)
    halves = read_npy(saved(numpy.arange(9, dtype=">f2"))).numbers()
    assert (list(halves[2:9:3]), halves[-1]) == ([2.0, 5.0, 8.0], 8.0)
    words = numpy.array(["ä", "long word"])
    assert [one[0] for one in read_npy(saved(words)).cells(9)] == ["ä", "long word"]
    times = numpy.array(["2026-11-21", "NaT"], dtype="datetime64[D]")
    assert [one[0] for one in read_npy(saved(times)).cells(9)] == ["2026-11-21 00:00:00", "NaT"]
    table = numpy.array([(1, 2.5, b"x")], dtype=[("a", "i4"), ("b", "f8", (1,)), ("c", "S3")])
    found = read_npy(saved(table))
    assert (found.fields, list(found.cells(9))) == (("a", "b", "c"), [(1, 2.5, "x")])


def test_python_objects_stay_closed() -> None:
    with pytest.raises(ArrayError, match="only unpickling"):
        read_npy(saved(numpy.array([{}], dtype=object)))
    with pytest.raises(ArrayError, match="only unpickling"):
        read_npy(saved(numpy.array([(1, None)], dtype=[("a", "i4"), ("b", "O")])))


def header(text: str, version: int = 1) -> bytes:
    data = text.encode()
    return b"\x93NUMPY" + bytes((version, 0)) + struct.pack("<H" if version == 1 else "<I", len(data)) + data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x93NUMPY",
        b"\x93NUMPY\x09\x00\x05\x00hello",
        header("{'descr': '<f8'}"),
        header("__import__('os').system('id')"),
        header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}"),
        header("{'descr': '<f8', 'fortran_order': False, 'shape': (1e9,)}"),
        header("{'descr': '<f8', 'fortran_order': False, 'shape': [2]}"),
        header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}"),
        header("{'descr': '<x9', 'fortran_order': False, 'shape': (1,)}"),
        header("{'descr': [('a', [('b', '<f8')])], 'fortran_order': False, 'shape': (1,)}"),
        header("{'descr': [('a', '<f8', (9999999,))], 'fortran_order': False, 'shape': (1,)}"),
        header("(" * 3000),
        header("-" * 9000 + "1"),
        header("x" * 60_000),
        header("{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}") + b"12345678",
    ],
)
def test_a_damaged_or_hostile_file_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(ArrayError):
        read_npy(data)


def damaged(whole: bytes, chance: random.Random) -> bytes:
    data = bytearray(whole)
    for _ in range(chance.randint(1, 8)):
        place = chance.randrange(len(data))
        if chance.random() < 0.7:
            data[place] = chance.choice([0, 255, *b"0123456789-,()[]{}'<>"])
        else:
            del data[place : place + chance.randint(1, 20)]
    return bytes(data)


def test_random_damage_ends_in_words_or_in_a_view() -> None:
    archive = io.BytesIO()
    numpy.savez(archive, a=numpy.arange(9), b=numpy.array(["a", "b"]))
    table = numpy.array([(1, 2.5, b"x")], dtype=[("a", "i4"), ("b", "f8", (2,)), ("c", "S3")])
    wholes = [saved(numpy.arange(30.0).reshape(5, 6)), saved(table), saved(numpy.zeros((9, 9, 3), "u1"))]
    chance = random.Random(7)
    for number in range(600):
        with suppress(ArrayError):
            if number % 4 == 3:
                read_npz(damaged(archive.getvalue(), chance))
            else:
                view_of(read_npy(damaged(wholes[number % 4], chance)))


def test_an_archive_gives_each_array_or_why_not() -> None:
    file = io.BytesIO()
    numpy.savez_compressed(file, a=numpy.arange(3), b=numpy.array([{}], dtype=object))
    found = read_npz(file.getvalue())
    assert isinstance(found[0][1], Array)
    assert "unpickling" in str(found[1][1])
    with pytest.raises(ArrayError, match="damaged"):
        read_npz(file.getvalue()[:-30])


def test_an_archive_that_unpacks_to_very_much_is_not_unpacked() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.npy", "w") as member:
        for _ in range(70):
            member.write(bytes(1_000_000))
    assert "too large" in str(read_npz(file.getvalue())[0][1])


def numbers_of(array: NDArray[Any]) -> dict[str, Any]:
    view = view_of(read_npy(saved(array)))
    checked = checked_figure(view.numbers)
    assert checked, view
    told: dict[str, Any] = json.loads(checked)
    return told


def test_a_long_line_keeps_its_peaks() -> None:
    line = numpy.zeros(200_000)
    line[123_456], line[77] = 5.0, -3.0
    trace = numbers_of(line)["data"][0]
    assert len(trace["x"]) <= 20_001
    assert {(77, -3.0), (123_456, 5.0)} <= set(zip(trace["x"], trace["y"], strict=True))


def test_a_long_line_with_gaps_keeps_both() -> None:
    line = numpy.sin(numpy.arange(100_000.0))
    line[500:1000], line[7000] = numpy.nan, numpy.inf
    trace = numbers_of(line)["data"][0]
    inside = [y for x, y in zip(trace["x"], trace["y"], strict=True) if 520 < x < 980]
    assert set(inside) == {None}
    assert all(y is None or abs(y) <= 1 for y in trace["y"])


def test_gaps_of_a_line_stay_gaps() -> None:
    told = numbers_of(numpy.array([1.0, numpy.nan, numpy.inf] * 10))
    assert told["data"][0]["y"][:4] == [1.0, None, None, 1.0]
    assert "20 not finite" in view_of(read_npy(saved(numpy.array([1.0, numpy.nan, numpy.inf] * 10)))).words


def test_few_columns_are_lines_and_many_an_image() -> None:
    assert [one["type"] for one in numbers_of(numpy.ones((100, 3)))["data"]] == ["scatter"] * 3
    grid = numpy.arange(200.0).reshape(20, 10)
    heat = numbers_of(numpy.asfortranarray(grid))["data"][0]
    assert (heat["type"], heat["z"]) == ("heatmap", grid.tolist())
    large = numbers_of(numpy.zeros((1500, 900), "f4"))["data"][0]
    assert (large["dx"], len(large["z"]), len(large["z"][0])) == (4, 375, 225)
    deep = view_of(read_npy(saved(numpy.arange(2.0 * 30 * 30).reshape(2, 30, 30))))
    assert "the plane [0, :, :]" in deep.words


def test_colours_come_out_as_they_went_in() -> None:
    array = numpy.zeros((30, 20, 3), "u1")
    array[:15, :, 0], array[15:, :, 2] = 255, 128
    for one in (array, numpy.asfortranarray(array), array / 255.0):
        view = view_of(read_npy(saved(one)))
        assert view.kind == "png"
        rows = read_png(view.picture).scaled(20, 30)
        assert (tuple(rows[0][0]), tuple(rows[29][19])) == ((255, 0, 0), (0, 0, 128))


def test_small_empty_and_strange_arrays_are_tables() -> None:
    small = view_of(read_npy(saved(numpy.array([[1, 2], [3, 4]]))))
    assert (small.rows, small.words) == (((1, 2), (3, 4)), "int64, 2 × 2")
    assert view_of(read_npy(saved(numpy.array(7.5)))).rows == ((0, 7.5),)
    assert view_of(read_npy(saved(numpy.zeros((0, 5))))).rows == ()
    assert view_of(read_npy(saved(numpy.array([["a", "b"], ["c", "d"]])))).rows == (("a", "b"), ("c", "d"))
    constant = view_of(read_npy(saved(numpy.full(50, 3.0))))
    assert b"<svg" in constant.picture


def test_a_line_for_a_terminal_is_drawn_in_pixels() -> None:
    view = view_of(read_npy(saved(numpy.array([0.0, 1.0] * 20))), pixels=True)
    rows = read_png(view.picture).scaled(640, 360)
    blue = [sum(tuple(dot) == (0, 0x72, 0xB2) for dot in row) for row in rows]
    assert (blue[0], blue[359]) == (0, 0)  # room above and below
    assert min(blue[30:330]) >= 39  # every stretch crosses every row between
