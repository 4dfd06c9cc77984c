"""`x11fwd watch` on logs of this machine: what it says, and one test per exit code."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from x11fwd.cli import main
from x11fwd.errors import UsageError
from x11fwd.pipeline.watch import Source, _labels, source_of
from x11fwd.target import SshOptions

if TYPE_CHECKING:
    from pathlib import Path

ROWS = "".join(f"step={at} loss={1 / (1 + at):.4f} val_loss={2 / (1 + at):.4f}\n" for at in range(100))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "train.log"
    path.write_text(ROWS, encoding="utf-8")
    return path


def test_a_document_holds_every_series_and_exits_0(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", "--json", str(log)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["ok"], document["alarm"]) == ("x11fwd.watch/1", True, None)
    (run,) = document["runs"]
    assert [(one["name"], one["chart"], one["points"]) for one in run["series"]] == [
        ("loss", "loss", 100),
        ("val_loss", "loss", 100),
    ]
    assert run["series"][0]["x"] == [float(at) for at in range(100)]


def test_a_log_in_which_nothing_is_recognised_exits_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.log"
    path.write_text("hello\nworld\n", encoding="utf-8")
    assert main(["watch", "--once", str(path)]) == 1
    assert "holds nothing that is recognised" in " ".join(capsys.readouterr().out.split())


def test_try_says_what_is_recognised(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log.write_text("starting\n" + ROWS, encoding="utf-8")
    assert main(["watch", "--try", str(log)]) == 0
    assert f"{log}: key-equals-value (100 rows); 1 other lines" in capsys.readouterr().out


def test_a_pattern_is_used_instead_of_the_formats(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", "--try", "--pattern", r"step=(?P<step>\d+) loss=(?P<mine>\S+)", str(log)]) == 0
    assert "pattern (100 rows)" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["--pattern", "(", "x.log"],
        ["--pattern", "x", "x.log"],
        ["--alert", "fire", "x.log"],
        ["--png", "/nowhere/at/all.png", "x.log"],
        ["gpu:"],
        ["--smooth", "2", "x.log"],
        [],
    ],
)
def test_what_cannot_be_meant_exits_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", "--once", *words]) == 2
    assert "error: " in capsys.readouterr().err


def test_a_nan_ends_the_watch_with_1(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def write() -> None:
        with log.open("a", encoding="utf-8") as file:
            file.write("step=100 loss=nan val_loss=1\n")

    timer = threading.Timer(0.5, write)
    timer.start()
    assert main(["watch", "--json", "--alert", "nan", str(log)]) == 1
    timer.join()
    assert json.loads(capsys.readouterr().out)["alarm"]["text"] == "loss is NaN at step 100"


def test_silence_ends_the_watch_with_1(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", "--json", "--alert", "silence", "--silence", "0.5", str(log)]) == 1
    assert json.loads(capsys.readouterr().out)["alarm"]["kind"] == "silence"


def test_the_picture_is_a_png(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    picture = tmp_path / "curves.png"
    assert main(["watch", "--png", str(picture), "--log", "--smooth", "0.5", str(log)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["curves.png", "train.log"]


def test_charts_are_drawn_in_the_terminal(
    log: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["watch", "--once", "--terminal", str(log)]) == 0
    out = capsys.readouterr().out
    assert "━ loss 0.01  ━ val_loss 0.02" in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("typed", "target", "path"),
    [
        ("train.log", None, "train.log"),
        ("gpu:runs/a.log", "gpu", "runs/a.log"),
        ("ana@gpu:/a b.log", "ana@gpu", "/a b.log"),
        ("[::1]:x.log", "[::1]", "x.log"),
        ("./a:b.log", None, "./a:b.log"),
        ("/var/log/a:b", None, "/var/log/a:b"),
        (":odd", None, ":odd"),
    ],
)
def test_a_log_is_named_as_scp_names_files(typed: str, target: str | None, path: str) -> None:
    found = source_of(typed, SshOptions())
    assert (found.target.typed if found.target else None, found.path) == (target, path)


def test_an_empty_name_is_refused() -> None:
    with pytest.raises(UsageError):
        source_of("", SshOptions())


def test_logs_are_told_apart_by_the_shortest_names() -> None:
    def labels(*typed: str) -> list[str]:
        return _labels([source_of(one, SshOptions()) for one in typed])

    assert labels("a/train.log") == [""]
    assert labels("a/train.log", "b/train.log") == ["a/train.log", "b/train.log"]
    assert labels("a/x.log", "a/y.log") == ["x.log", "y.log"]
    assert labels("gpu:a/x.log", "a/x.log") == ["gpu:x.log", "here:x.log"]
    assert isinstance(source_of("x", SshOptions()), Source)
