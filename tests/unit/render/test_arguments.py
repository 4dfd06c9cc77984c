"""Argument sets and the names of files made from them."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from x11fwd.errors import UsageError, X11fwdError
from x11fwd.render.arguments import from_csv, from_json_lines, tasks
from x11fwd.render.folder import LIST, Folder
from x11fwd.render.model import Look


def names(arguments: list[object], pattern: str) -> list[str]:
    return [task.name for task in tasks(arguments, pattern, "", Look())]


def test_json_lines_are_read_and_empty_ones_passed_over() -> None:
    assert list(from_json_lines(['{"a": 1}\n', "\n", "[2]"], "x")) == [{"a": 1}, [2]]


def test_a_line_that_is_not_json_is_named() -> None:
    with pytest.raises(UsageError, match=r"args\.jsonl:2 is not JSON"):
        list(from_json_lines(["{}", "{"], "args.jsonl"))


def test_numbers_of_csv_are_numbers_and_what_only_looks_so_is_text() -> None:
    rows = list(from_csv(["a,b,c,d\n", "1,-2.5,007,\n"], "x"))
    assert rows == [{"a": 1, "b": -2.5, "c": "007", "d": ""}]


def test_a_short_row_of_csv_is_named() -> None:
    with pytest.raises(UsageError, match=r"x\.csv:3 has 1 values, the first row has 2 names"):
        list(from_csv(["a,b\n", "1,2\n", "1\n"], "x.csv"))


def test_names_are_filled_in_and_never_leave_the_folder() -> None:
    assert names([{"a": "../../etc/x"}], "{a}-{index:03d}") == ["_.._etc_x-000.png"]
    assert names([["b", 2]], "{0}{1:.1f}") == ["b2.0.png"]


@pytest.mark.parametrize("pattern", ["{b}", "{a.__class__}", "{a[0]}", "{", "{a:d}", "..."])
def test_a_pattern_that_cannot_be_filled_in_is_a_sentence(pattern: str) -> None:
    with pytest.raises(UsageError, match="--name"):
        names([{"a": "x"}], pattern)


def test_two_figures_of_one_name_are_refused_before_anything_is_drawn() -> None:
    with pytest.raises(UsageError, match=r"figures 0 and 1 would both be written to A\.png|a\.png"):
        names([{"a": "A"}, {"a": "a"}], "{a}")


def test_a_full_disk_is_a_sentence_and_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:1])
        raise OSError(errno.ENOSPC, "No space left on device")

    (task,) = tasks([1], "x", "", Look())
    monkeypatch.setattr(Path, "write_bytes", full)
    with Folder(tmp_path) as folder, pytest.raises(X11fwdError, match="is full"):
        folder.put(task, b"data")
    assert [one.name for one in tmp_path.iterdir()] == [LIST]


def test_a_list_that_was_cut_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    one, two = tasks([1, 2], "{index}", "", Look())
    with Folder(tmp_path) as folder:
        folder.put(one, b"1")
        folder.put(two, b"22")
    text = (tmp_path / LIST).read_bytes()
    (tmp_path / LIST).write_bytes(text[:-5])
    with Folder(tmp_path) as folder:
        assert (folder.has(one), folder.has(two)) == (True, False)
        folder.put(two, b"22")
    with Folder(tmp_path) as folder:
        assert folder.has(two)


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    with Folder(tmp_path), pytest.raises(UsageError, match="another `x11fwd render` is at work"):
        Folder(tmp_path)
