"""Runs, their x, their curves and their alarms."""

from __future__ import annotations

import math
from array import array

import pytest

from x11fwd.logs.alerts import Plateaus, bad_value
from x11fwd.logs.board import Board
from x11fwd.logs.grouping import place_of
from x11fwd.logs.reader import LogReader
from x11fwd.logs.rows import Axis
from x11fwd.logs.series import Curve, smooth


def board_of(text: str, axis: Axis | None = None, size: int = 1 << 20) -> Board:
    board, reader, data = Board([""], axis), LogReader(), text.encode()
    for at in range(0, len(data), size):
        for block in reader.feed(data[at : at + size]):
            board.add(0, block)
    for block in reader.finish():
        board.add(0, block)
    return board


def xs_of(board: Board, name: str) -> list[list[float]]:
    return [run.curves[name].points(1000)[0].tolist() for run in board.runs if name in run.curves]


@pytest.mark.parametrize("size", [5, 50, 10_000])
def test_a_job_that_starts_again_is_a_second_run(size: int) -> None:
    rows = "".join(f"step={at} loss=0.5\n" for at in range(20)) * 2
    assert xs_of(board_of(rows, size=size), "loss") == [[float(at) for at in range(20)]] * 2


@pytest.mark.parametrize("size", [5, 50, 10_000])
def test_a_step_that_counts_within_its_epoch_goes_on(size: int) -> None:
    rows = "".join(f"epoch={e} step={s} loss=0.5\n" for e in range(3) for s in range(1, 5))
    assert xs_of(board_of(rows, size=size), "loss") == [[float(x) for x in range(1, 13)]]


def test_a_job_that_goes_on_from_a_checkpoint_stays_one_run() -> None:
    rows = "".join(f"step={at} loss=0.5\n" for at in [*range(20), *range(15, 30)])
    assert len(board_of(rows).runs) == 1


def test_an_evaluation_without_a_step_stands_where_the_training_is() -> None:
    board = board_of("step=1 loss=1\nstep=2 loss=1\nval_loss=3\nstep=3 loss=1\n")
    assert xs_of(board, "val_loss") == [[2.0]]


def test_x_may_be_the_epoch_the_time_or_the_line() -> None:
    text = '{"step": 10, "epoch": 0.5, "time": 1700000000, "loss": 1}\n'
    text += '{"step": 20, "epoch": 1, "time": 1700000060, "loss": 1}\n'
    for axis, expected in (
        (None, [10.0, 20.0]),
        (Axis.EPOCH, [0.5, 1.0]),
        (Axis.TIME, [1.7e9, 1.70000006e9]),
        (Axis.LINE, [0.0, 1.0]),
    ):
        assert xs_of(board_of(text, axis), "loss") == [expected]


def test_a_curve_keeps_the_extremes_and_counts_all_in_bounded_memory() -> None:
    curve = Curve(most=1000)
    for start in range(0, 200_000, 1000):
        ys = array("d", (math.sin(at / 1000) for at in range(start, start + 1000)))
        if start == 77_000:
            ys[500] = 99.0
        curve.extend(array("d", range(start, start + 1000)), ys)
    xs, ys = curve.points(100)
    assert (curve.count, max(ys), xs[ys.index(99.0)]) == (200_000, 99.0, 77_500.0)
    assert len(xs) <= 210
    assert xs.tolist() == sorted(xs)
    assert (curve.first[0], curve.last[0], curve.high) == (0.0, 199_999.0, 99.0)


def test_what_is_not_a_number_is_marked_and_does_not_spoil_the_curve() -> None:
    curve = Curve()
    curve.extend([1.0, 2.0, 3.0, 4.0], [0.5, math.nan, -math.inf, 0.25])
    assert (curve.count, curve.bad, curve.low, curve.high) == (4, 2, 0.25, 0.5)
    assert [x for x, _ in curve.marks] == [2.0, 3.0]
    assert curve.points(10)[0].tolist() == [1.0, 4.0]


def test_smoothing_does_not_lean_on_the_first_value_or_on_zero() -> None:
    assert smooth([5.0] * 10, 0.9).tolist() == pytest.approx([5.0] * 10)
    assert smooth([1.0, 2.0], 0.0).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("names", "chart", "group"),
    [
        (
            ["loss", "val_loss", "train/loss", "train_loss_epoch", "eval_loss", "validation loss"],
            "loss",
            "Loss",
        ),
        (["acc", "val_acc", "train/accuracy", "Accuracy"], "accuracy", "Quality"),
        (["train-rmse", "eval-rmse", "test-rmse"], "rmse", "Loss"),
        (["training l2", "valid_1 l2"], "l2", "Loss"),
        (["lr", "learning_rate", "learning rate"], "learning rate", "Learning rate"),
        (["train/box_loss", "val/box_loss"], "box_loss", "Loss"),
        (["grad_norm", "train/grad_norm"], "grad_norm", "Gradients"),
        (["eval_samples_per_second"], "samples_per_second", "Speed"),
        (["something"], "something", "Other"),
    ],
)
def test_series_stand_together_as_a_person_would_put_them(names: list[str], chart: str, group: str) -> None:
    assert {(place_of(name).chart, place_of(name).group) for name in names} == {(chart, group)}


def test_a_nan_of_a_series_that_was_a_number_is_an_alarm() -> None:
    board, reader = Board([""]), LogReader()
    grown = [
        one
        for block in reader.feed(b"step=1 loss=2 x=nan\nstep=2 loss=nan x=nan\n")
        for one in board.add(0, block)
    ]
    alarm = bad_value(grown)
    assert alarm is not None
    assert alarm.sentence == "loss is NaN at step 2"


def test_a_loss_that_stops_falling_is_a_plateau_and_one_that_falls_is_not() -> None:
    for floor, expected in ((0.0, None), (0.3, "plateau")):
        board, reader, plateaus = Board([""]), LogReader(), Plateaus(50)
        rows = "".join(f"step={at} loss={max(floor, 1 / (1 + at)):.6f}\n" for at in range(300)).encode()
        grown = [one for block in reader.feed(rows) for one in board.add(0, block)]
        alarm = plateaus.see(grown)
        assert (alarm and alarm.kind.value) == expected


def test_a_run_takes_a_bounded_number_of_series() -> None:
    board = board_of("".join(f'{{"step": 1, "loss_{at}": 1}}\n' for at in range(700)))
    assert (len(board.runs[0].curves), board.left_off) == (500, 200)
