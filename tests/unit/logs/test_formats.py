"""Real and documented logs of each library are recognised, whole, in pieces and after one another."""

from __future__ import annotations

import json
import math
import random
import time
from pathlib import Path

import pytest

from x11fwd.errors import UsageError
from x11fwd.logs.formats import FORMS
from x11fwd.logs.formats.by_pattern import ByPattern
from x11fwd.logs.reader import LogReader
from x11fwd.logs.rows import Axis, Block

SAMPLES = Path(__file__).parent / "samples"
# file: the format's rows, points of each series
EXPECTED = {
    "catboost.log": ({"catboost": 20}, {"train metric": 20, "test metric": 20}),
    "keras2.log": ({"keras": 5}, {"loss": 5, "accuracy": 5, "val_loss": 2, "val_accuracy": 2}),
    "keras3.log": ({"keras": 8}, {"loss": 8, "accuracy": 8, "val_loss": 4, "val_accuracy": 4}),
    "keras3_verbose2.log": ({"keras": 5}, {"loss": 5, "accuracy": 5, "val_loss": 5, "val_accuracy": 5}),
    "keras_csvlogger.csv": ({"csv": 4}, {"loss": 4, "accuracy": 4, "val_loss": 4, "val_accuracy": 4}),
    "lightgbm.log": (
        {"lightgbm": 35},
        {
            "training l2": 25,
            "training l1": 25,
            "valid_1 l2": 25,
            "valid_1 l1": 25,
            "valid l2": 10,
            "valid l2 std": 10,
            "valid l1": 10,
            "valid l1 std": 10,
        },
    ),
    "lightning.log": ({"lightning": 3}, {"train_loss_step": 3, "val_loss": 2, "train_loss_epoch": 2}),
    "logfmter.log": ({"key-equals-value": 25}, {"loss": 25, "acc": 25}),
    "logging.log": ({"key-equals-value": 20}, {"loss": 20, "lr": 20}),
    "metrics.csv": ({"csv": 20}, {"train_loss": 20, "val_loss": 4}),
    "metrics.jsonl": ({"json-lines": 30}, {"loss": 30, "eval/acc": 30}),
    "nanogpt.log": ({"nanogpt": 5}, {"train loss": 2, "val loss": 2, "loss": 3, "time": 3, "mfu": 3}),
    "pytorch_example.log": ({"key-colon-value": 6}, {"Loss": 5, "Average loss": 1, "Accuracy": 1}),
    "sklearn_mlp.log": ({"key-equals-value": 20}, {"loss": 20}),
    "sklearn_sgd.log": (
        {"key-colon-value": 8},
        {"Norm": 8, "NNZs": 8, "Bias": 8, "T": 8, "Avg. loss": 8, "Objective": 8},
    ),
    "structlog.jsonl": ({"json-lines": 28}, {"batch_size": 1, "loss": 25, "lr": 25, "val_loss": 2}),
    "tqdm.log": ({"tqdm": 164}, {"loss": 164, "acc": 123}),
    "trainer.log": (
        {"python-dict": 22},
        {"loss": 20, "grad_norm": 20, "learning_rate": 20, "eval_loss": 2, "eval_runtime": 2},
    ),
    "transformers5.log": (
        {"python-dict": 23},
        {
            "loss": 20,
            "grad_norm": 20,
            "learning_rate": 20,
            "eval_loss": 2,
            "eval_runtime": 2,
            "train_runtime": 1,
            "train_samples_per_second": 1,
            "train_loss": 1,
        },
    ),
    "ultralytics.log": (
        {"ultralytics": 4},
        {
            "train/box_loss": 2,
            "train/cls_loss": 2,
            "train/dfl_loss": 2,
            "metrics/P": 2,
            "metrics/R": 2,
            "metrics/mAP50": 2,
            "metrics/mAP50-95": 2,
        },
    ),
    "xgboost.log": (
        {"xgboost": 35},
        {"train-rmse": 35, "eval-rmse": 25, "train-rmse std": 10, "test-rmse": 10, "test-rmse std": 10},
    ),
}


def read(data: bytes, size: int = 1 << 20, reader: LogReader | None = None) -> tuple[LogReader, list[Block]]:
    reader = reader or LogReader()
    blocks = [block for at in range(0, len(data), size) for block in reader.feed(data[at : at + size])]
    return reader, blocks + reader.finish()


def points(blocks: list[Block]) -> list[tuple[str, tuple[tuple[str, float], ...], str]]:
    """Every point with every x, in order of the log; NaN as text so that it equals itself."""
    found = []
    for block in blocks:
        for at in range(len(block)):
            axes = tuple((axis.value, column[at]) for axis, column in sorted(block.axes.items(), key=str))
            found += [(name, axes, repr(column[at])) for name, column in sorted(block.values.items())]
    return found


@pytest.mark.parametrize("name", EXPECTED)
def test_a_log_is_recognised_as_what_it_is(name: str) -> None:
    reader, blocks = read((SAMPLES / name).read_bytes())
    series: dict[str, int] = {}
    for block in blocks:
        for key, column in block.values.items():
            series[key] = series.get(key, 0) + len(column)
    assert (reader.counts, series) == EXPECTED[name]


@pytest.mark.parametrize("size", [1, 7, 100, 4096])
@pytest.mark.parametrize("name", [*EXPECTED, "megatron.log"])
def test_a_log_that_comes_in_pieces_gives_the_same_points(name: str, size: int) -> None:
    data = (SAMPLES / name).read_bytes()
    assert points(read(data, size)[1]) == points(read(data)[1])


@pytest.mark.parametrize("name", [*EXPECTED, "megatron.log"])
def test_many_lines_read_at_once_give_the_points_of_each_line_alone(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(1)
    lines = [line for line in (SAMPLES / name).read_bytes().replace(b"\r", b"\n").split(b"\n") if line][:40]
    data = b"".join(one + b"\n" for line in lines for one in [line] * rng.choice([1, 1, 2, 30]))
    data += b"".join(rng.choice(lines) + b"\n" for _ in range(300))
    together = points(read(data, 5000)[1])
    monkeypatch.setattr("x11fwd.logs.reader.learn", lambda line, parse: None)
    assert together == points(read(data, 5000)[1])
    assert together


@pytest.mark.parametrize(
    "odd",
    ["1,2", "1,2,3,4", "7,0x1,3", "7,,3", "7;2;3", "step,loss,acc", "x", "7,1,1_0", "7,1,3 4", " 7 , 1 , 3 "],
)
def test_odd_rows_among_many_change_nothing_of_the_others(odd: str) -> None:
    rows = [f"{at},0.5,0.25" for at in range(40)]
    text = "\n".join(["step,loss,acc", *rows[:30], odd, *rows[30:]]) + "\n"
    xs = [x for block in read(text.encode())[1] for x in block.axes.get(Axis.STEP, [])]
    assert [x for x in xs if x != 1.0][:29] == [float(at) for at in range(30) if at != 1]
    assert xs[-10:] == [float(at) for at in range(30, 40)]


def test_the_points_are_those_that_the_program_wrote() -> None:
    data = (SAMPLES / "metrics.jsonl").read_bytes()
    written = [json.loads(line) for line in data.splitlines()]
    losses = [(axes, value) for name, axes, value in points(read(data)[1]) if name == "loss"]
    assert losses == [((("step", float(one["step"])),), repr(float(one["loss"]))) for one in written]


def test_every_format_has_a_sample() -> None:
    seen = set()
    for path in SAMPLES.glob("*.*"):
        seen |= set(read(path.read_bytes())[0].counts)
    assert {form.name for form in FORMS} <= seen


def test_all_samples_after_one_another_are_each_recognised() -> None:
    whole, alone = LogReader(), 0
    together: list[Block] = []
    for name in EXPECTED:
        data = (SAMPLES / name).read_bytes() + b"\n"
        together += whole.feed(data)
        alone += len(points(read(data)[1]))
    assert len(points(together)) == alone


def test_a_megatron_line_has_step_and_time_and_its_validation_line_is_told_apart() -> None:
    blocks = read((SAMPLES / "megatron.log").read_bytes())[1]
    assert [sorted(axis.value for axis in block.axes) for block in blocks] == [["step", "time"], ["step"]]
    assert blocks[0].values["lm loss"] == [10.55555, 9.955555]
    assert blocks[1].values["validation lm loss"] == [9.855555]


def test_keras_epochs_go_on_over_the_bar() -> None:
    blocks = read((SAMPLES / "keras2.log").read_bytes())[1]
    assert [x for block in blocks for x in block.axes[Axis.EPOCH]] == [0.01, 0.5, 1.0, 1.01, 2.0]
    assert [math.isnan(y) for block in blocks for y in block.values.get("val_loss", [])] == [False, True]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Loading data, please wait: 3 files",
        "batch_size=32 workers=4",
        "[2024-01-01 10:00:00] GPU memory: 3",
        "eta: 0:05:00",
        '{"message": "hello"}',
        "{'a': 'b'}",
        " 50%|#####     | 5/10 [00:01<00:01, 5.00it/s]",
        "Traceback (most recent call last):",
        "{" * 5000 + "}" * 5000,
        '{"a":' * 5000 + "1" + "}" * 5000,
        "\x00\x01\x02 = 5",
        "http://host:8080/path?step=5",
    ],
)
def test_what_is_no_report_of_training_makes_no_point(line: str) -> None:
    assert read(line.encode() + b"\n")[1] == []


def test_a_line_that_is_too_long_is_dropped_and_the_next_one_read() -> None:
    reader, blocks = read(b"x" * 300_000 + b" loss=1\nstep=1 loss=0.5\n", 4096)
    assert (reader.too_long, [block.values["loss"] for block in blocks]) == (1, [[0.5]])


def test_a_header_that_comes_again_changes_the_columns() -> None:
    blocks = read(b"epoch,loss,acc\n1,0.5,0.1\nepoch,acc,loss\n2,0.2,0.4\n")[1]
    assert [block.values["loss"] for block in blocks] == [[0.5], [0.4]]


def test_a_name_with_digits_is_not_mixed_up_with_its_neighbour() -> None:
    text = "".join(f"step={at} l{at % 2}_loss=0.{at}\n" for at in range(50))
    found = points(read(text.encode())[1])
    assert found == [(f"l{at % 2}_loss", (("step", float(at)),), repr(float(f"0.{at}"))) for at in range(50)]


def test_a_pattern_names_the_series_and_the_axis() -> None:
    reader = LogReader([ByPattern(r"(?P<step>\d+) >> (?P<loss>\S+) (?P<acc>\S+)?")])
    blocks = read(b"".join(b"%d >> 0.%d x\n" % (at, at) for at in range(1, 9)), reader=reader)[1]
    assert points(blocks) == [("loss", (("step", float(at)),), f"0.{at}") for at in range(1, 9)]


@pytest.mark.parametrize("pattern", ["(", r"loss (\d+)", "(?P<1>x)"])
def test_a_pattern_that_cannot_be_meant_is_refused(pattern: str) -> None:
    with pytest.raises(UsageError, match="--pattern"):
        ByPattern(pattern)


@pytest.mark.parametrize(
    "piece", ["a ", "a=", "1 ", "[1] ", "a: 1 ", "'a': ", "0%|", " - ", "/1", "a/", "-1"]
)
def test_long_hostile_lines_are_passed_over_quickly(piece: str) -> None:
    line = (piece * 40_000)[:60_000].encode() + b"\n"
    short = (piece * 2000)[:2040].encode() + b"\n"
    started = time.process_time()
    read(line + short * 5)
    assert time.process_time() - started < 2.0
