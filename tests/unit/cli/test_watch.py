"""`x11fwd watch` on logs of this machine: what it says, and one test per exit code."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from x11fwd.cli import main
from x11fwd.errors import UsageError
from x11fwd.pipeline.watch_sources import Source, labels, source_of
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


def test_what_is_missing_is_told_and_exits_1(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line drops (here: our end is closed), and the file is replaced before it is back."""
    from x11fwd.logs.follow import Follower

    arrivals, dropped = Follower.arrivals, False

    def drop_once(self: Follower, timeout: float) -> object:
        nonlocal dropped
        if self.positions[0].offset and not dropped:
            dropped = True
            self.detach()
            (tmp_path / "new").write_text("step=500 loss=1\n" + "x" * 70_000 + "\nstep=501 loss=nan\n")
            (tmp_path / "new").replace(log)
        return arrivals(self, timeout)

    monkeypatch.setattr(Follower, "arrivals", drop_once)
    monkeypatch.setattr("x11fwd.pipeline.feed.BACK_OFF", (0.01,))
    assert main(["watch", "--json", "--alert", "nan", str(log)]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["logs"][0]["gaps"], document["logs"][0]["too_long_lines"]) == (1, 1)
    missing, long = document["losses"]
    assert missing.startswith(f"{log}: points are missing; once the file had been deleted or written over")
    assert long == f"{log}: passed over 1 line of more than 65536 characters"


def test_ctrl_c_is_an_end_with_a_summary_and_a_picture(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from x11fwd.ui.watch import TerminalWatch

    def press(self: TerminalWatch, grown: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(TerminalWatch, "grown", press)
    picture = tmp_path / "curves.png"
    assert main(["watch", "--terminal", "--png", str(picture), str(log)]) == 130
    assert "val_loss" in capsys.readouterr().out
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_silence_ends_the_watch_with_1(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", "--json", "--alert", "silence", "--silence", "0.5", str(log)]) == 1
    assert json.loads(capsys.readouterr().out)["alarm"]["kind"] == "silence"


def test_the_picture_is_a_png(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    picture = tmp_path / "curves.png"
    assert main(["watch", "--png", str(picture), "--log", "--smooth", "0.5", str(log)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["curves.png", "train.log"]


def test_a_picture_that_does_not_fit_on_the_disk_leaves_nothing_behind(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".curves.png.part").symlink_to("/dev/full")
    assert main(["watch", "--png", str(tmp_path / "curves.png"), str(log)]) == 4
    assert "could not be written: No space left" in " ".join(capsys.readouterr().err.split())
    assert [path.name for path in tmp_path.iterdir()] == ["train.log"]


def test_ctrl_c_while_the_picture_is_written_leaves_nothing_behind(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press(_self: Path, _target: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr("pathlib.Path.replace", press)
    assert main(["watch", "--png", str(tmp_path / "curves.png"), str(log)]) == 130
    assert [path.name for path in tmp_path.iterdir()] == ["train.log"]


def test_without_matplotlib_the_picture_is_refused_before_anything_is_read(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["watch", "--png", str(tmp_path / "curves.png"), str(log)]) == 2
    assert "-m pip install matplotlib" in " ".join(capsys.readouterr().err.split())


def test_charts_are_drawn_in_the_terminal(
    log: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["watch", "--once", "--terminal", str(log)]) == 0
    out = capsys.readouterr().out
    assert "━ loss 0.01  ━ val_loss 0.02" in out
    assert max(map(len, out.splitlines())) <= 80


def test_the_legend_in_the_terminal_keeps_every_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    logs = [tmp_path / f"a-rather-long-name-{at}.log" for at in range(3)]
    for one in logs:
        one.write_text(ROWS, encoding="utf-8")
    assert main(["watch", "--once", "--terminal", *map(str, logs)]) == 0
    out = capsys.readouterr().out
    charts = out[: out.index("series")]
    assert all(f"━ {one.name} loss 0.01" in charts for one in logs)
    assert max(map(len, out.splitlines())) <= 80


def test_a_log_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", "--once", str(tmp_path / "x.log")]) == 1
    assert "x.log is not there, or may not be read" in " ".join(capsys.readouterr().out.split())


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
    def called(*typed: str) -> list[str]:
        return labels([source_of(one, SshOptions()) for one in typed])

    assert called("a/train.log") == [""]
    assert called("a/train.log", "b/train.log") == ["a/train.log", "b/train.log"]
    assert called("a/x.log", "a/y.log") == ["x.log", "y.log"]
    assert called("gpu:a/x.log", "a/x.log") == ["gpu", "here"]
    assert called("gpu:a/x.log", "gpu:b/x.log", "x.log") == ["gpu:a/x.log", "gpu:b/x.log", "here:x.log"]
    assert isinstance(source_of("x", SshOptions()), Source)


def test_a_pattern_that_no_shell_has_read_is_said_to_be_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["watch", "--once", str(tmp_path / "*.log")]) == 1
    assert "a log is named whole, not by a pattern" in " ".join(capsys.readouterr().out.split())
