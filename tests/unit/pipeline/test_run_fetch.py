"""Files that come back: what the far side names is not believed."""

from __future__ import annotations

import json
import os
import time
import zlib
from pathlib import Path

import pytest

from x11fwd.errors import ChangeError, ProbeError, UsageError
from x11fwd.pipeline.run_fetch import Fetcher, check_patterns


def taken(root: Path, path: str, *patterns: str, data: bytes = b"made", said: int | None = None) -> Fetcher:
    fetcher = Fetcher(root, Path(), patterns, time.time())
    try:
        size = len(data) if said is None else said
        fetcher.begin(json.dumps({"path": path, "size": size, "mode": 0o644}).encode())
        fetcher.more(zlib.compress(data))
    finally:
        fetcher.close()
    return fetcher


@pytest.mark.parametrize(
    "path", ["../x.txt", "/x.txt", "a/../x.txt", "other.png", ".git/x.txt", "a\0.txt", "deep/x.txt"]
)
def test_what_was_not_asked_for_is_refused(path: str, tmp_path: Path) -> None:
    with pytest.raises(ProbeError):
        taken(tmp_path, path, "*.txt")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("pattern", "path"), [("*.txt", "a.txt"), ("out/**/*.png", "out/a/b/c.png"), ("[ab]?.x", "b1.x")]
)
def test_what_was_asked_for_is_written(pattern: str, path: str, tmp_path: Path) -> None:
    taken(tmp_path, path, pattern)
    assert (tmp_path / path).read_bytes() == b"made"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(5, "Input/output error")], ids=repr)
def test_a_file_that_does_not_get_its_name_leaves_nothing(
    error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ends(_self: Path, _target: Path) -> Path:
        raise error

    monkeypatch.setattr(Path, "replace", ends)
    with pytest.raises((KeyboardInterrupt, ChangeError)):
        taken(tmp_path, "a.txt", "*.txt")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_saved_here_while_its_bytes_come_stays_as_it_is(tmp_path: Path) -> None:
    fetcher = Fetcher(tmp_path, Path(), ("*.txt",), time.time() - 60)
    fetcher.begin(json.dumps({"path": "a.txt", "size": 4, "mode": 0o644}).encode())
    (tmp_path / "a.txt").write_text("saved by hand", "utf-8")
    fetcher.more(zlib.compress(b"made"))
    assert [one.kept for one in fetcher.fetched] == ["the file here was changed since the run began"]
    assert {one.name: one.read_text("utf-8") for one in tmp_path.iterdir()} == {"a.txt": "saved by hand"}


def test_a_file_that_goes_away_between_two_looks_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "exists", lambda _self, **_more: True)
    fetcher = taken(tmp_path, "a.txt", "*.txt")
    assert [one.kept for one in fetcher.fetched] == [""]


def test_a_longer_file_than_announced_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ProbeError):
        taken(tmp_path, "a.txt", "*.txt", data=b"x" * 100, said=10)
    assert list(tmp_path.iterdir()) == []


def test_an_older_file_is_replaced_and_a_newer_one_stays(tmp_path: Path) -> None:
    for name in ("old.txt", "new.txt"):
        (tmp_path / name).write_text("mine")
    os.utime(tmp_path / "old.txt", (1e9, 1e9))
    os.utime(tmp_path / "new.txt", (4e9, 4e9))
    assert taken(tmp_path, "old.txt", "*.txt").fetched[0].kept == ""
    assert "changed" in taken(tmp_path, "new.txt", "*.txt").fetched[0].kept
    assert [(tmp_path / name).read_text() for name in ("old.txt", "new.txt")] == ["made", "mine"]


def test_a_link_here_is_not_followed(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "sub").symlink_to(outside)
    assert taken(root, "sub/a.txt", "sub/*.txt").fetched[0].kept
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("pattern", ["/x", "../x", "a/../b", ""])
def test_a_pattern_that_leads_out_is_a_usage_error(pattern: str) -> None:
    with pytest.raises(UsageError):
        check_patterns([pattern])


def test_a_pattern_for_which_nothing_came_is_known(tmp_path: Path) -> None:
    assert taken(tmp_path, "a.txt", "*.txt", "out/*.png").unmatched() == ["out/*.png"]
