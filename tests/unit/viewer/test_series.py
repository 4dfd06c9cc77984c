"""Bounded points: nothing that sticks out is lost, gaps stay marked, memory stays small."""

from __future__ import annotations

import math
import random
from array import array

import pytest

from x11fwd.viewer.items import Chart, ItemError, Picture, Table
from x11fwd.viewer.series import Series
from x11fwd.viewer.store import Limits, Store

NAN = math.nan


def test_few_points_come_back_as_they_were() -> None:
    line = Series()
    line.extend([1, 2, 3], [5, NAN, 7])
    assert line.view(100) == ([1, 2, 3], [5, None, 7], [2])


def test_the_lowest_and_highest_of_a_million_points_stay() -> None:
    line, chance = Series(1000), random.Random(1)
    for start in range(0, 1_000_000, 10_000):
        new = [chance.random() for _ in range(10_000)]
        if start in {300_000, 700_000}:
            new[1234] = 99.0 if start == 300_000 else -99.0
        line.extend(range(start, start + 10_000), new)
    xs, ys, _ = line.view(100)
    assert line.count == 1_000_000
    assert len(xs) <= 201
    assert xs[ys.index(99.0)] == 301_234
    assert xs[ys.index(-99.0)] == 701_234
    assert line.size < 16 * 1000 * 3 + 16 * 4096
    assert xs == sorted(xs)
    assert xs[-1] == 999_999


@pytest.mark.parametrize("piece", [1, 3, 7, 64, 1000])
def test_how_the_points_were_cut_into_pieces_makes_no_difference_to_the_extremes(piece: int) -> None:
    chance = random.Random(2)
    values = [chance.gauss(0, 1) for _ in range(5000)]
    line = Series(256)
    for at in range(0, 5000, piece):
        line.extend(range(at, min(at + piece, 5000)), values[at : at + piece])
    kept = [y for y in line.view(50)[1] if y is not None]
    assert (min(kept), max(kept)) == (min(values), max(values))
    assert line.count == 5000


def test_a_gap_is_marked_after_many_foldings() -> None:
    line = Series(64)
    ys = [float(at % 7) for at in range(10_000)]
    ys[5000] = NAN
    line.extend(range(10_000), ys)
    assert line.view(20)[2] == [5000]
    assert line.gaps_count == 1


def test_a_stretch_is_shown_with_all_its_points_and_one_beyond_each_edge() -> None:
    line = Series()
    line.extend(range(1000), range(1000))
    xs, _, _ = line.view(100, 500, 510)
    assert xs == list(range(499, 511))


def test_infinite_values_and_places_do_no_harm() -> None:
    line = Series()
    line.extend([1, math.inf, NAN, 4], [math.inf, -math.inf, 2, 3])
    xs, ys, gaps = line.view(10)
    assert xs == [1, 1, 1, 4]
    assert ys == [None, None, 2, 3]
    assert gaps == [1, 1]


def test_x_that_runs_back_is_thinned_in_the_order_in_which_it_came() -> None:
    line = Series()
    line.extend([*range(1000), *range(1000)], range(2000))
    xs, ys, _ = line.view(100)
    assert len(xs) <= 201
    assert max(y for y in ys if y is not None) == 1999


def test_unequal_numbers_of_x_and_y_are_refused_whole() -> None:
    line = Series()
    with pytest.raises(ValueError, match="2 x and 1 y"):
        line.extend([1, 2], [1])
    assert line.count == 0


def test_all_gaps_are_a_line_of_gaps() -> None:
    line = Series(16)
    line.extend(range(100), [NAN] * 100)
    assert set(line.view(10)[1]) == {None}


def test_a_chart_keeps_its_points_when_its_words_change() -> None:
    store = Store(lambda: None)
    store.put(Chart("c", "a"))
    store.extend("c", "x", array("d", [1]), array("d", [2]))
    store.put(Chart("c", "b"))
    found = store.lines(1, 100, None, None)
    assert found is not None
    assert [line["count"] for line in found[1]] == [1]


def test_points_without_a_chart_and_too_many_lines_are_refused() -> None:
    store = Store(lambda: None, Limits(series=1))
    with pytest.raises(ItemError):
        store.extend("c", "x", [1], [1])
    store.put(Chart("c", "a"))
    store.extend("c", "x", [1], [1])
    with pytest.raises(ItemError):
        store.extend("c", "y", [1], [1])


def test_one_thing_that_is_too_large_is_refused_and_the_old_one_stays() -> None:
    store = Store(lambda: None, Limits(item_bytes=1000))
    png = b"\x89PNG\r\n\x1a\n"
    store.put(Picture("p", "small", png, "png"))
    with pytest.raises(ItemError):
        store.put(Picture("p", "large", png + bytes(2000), "png"))
    item = store.item(1)
    assert item is not None
    assert item.title == "small"


def test_all_together_stay_within_the_bytes() -> None:
    store = Store(lambda: None, Limits(total_bytes=5000))
    for number in range(20):
        store.put(Picture(str(number), "p", b"\x89PNG\r\n\x1a\n" + bytes(992), "png"))
        store.put(Picture(str(number), "p", b"\x89PNG\r\n\x1a\n" + bytes(992), "png"))
    assert len(store) == 5


@pytest.mark.parametrize(
    ("kind", "data"), [("png", b"<svg"), ("pdf", b"<html>"), ("svg", b"<html>"), ("exe", b"MZ")]
)
def test_a_picture_is_what_it_says(kind: str, data: bytes) -> None:
    with pytest.raises(ItemError):
        Picture("p", "p", data, kind)  # type: ignore[arg-type]


def test_rows_over_the_limit_are_counted() -> None:
    table = Table("t", "t", ["a"], [(number,) for number in range(10_005)])
    assert len(table.rows) == 10_000
    assert table.left_off == 5
