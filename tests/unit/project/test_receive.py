"""The far half of a project: nothing is written outside, nothing half."""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING

import pytest

from x11fwd.project import receive
from x11fwd.project.manifest import digest

if TYPE_CHECKING:
    from pathlib import Path


def content(data: bytes) -> str:
    seen = digest()
    seen.update(data)
    return seen.hexdigest()


def filled(folder: Path, data: bytes = b"text") -> receive.Store:
    store = receive.Store(str(folder))
    packed = [zlib.compress(data)]
    store.add(content(data), len(data), receive.Inflater(lambda: packed.pop()).read)
    return store


@pytest.mark.parametrize("path", ["/etc/x", "../x", "a/../../x", "", "a//b", ".", "a/./b", "a\0b"])
def test_a_path_that_leads_out_is_refused(path: str, tmp_path: Path) -> None:
    store = filled(tmp_path / "store")
    entry: dict[str, object] = {"path": path, "mode": 0o644, "content": content(b"text"), "size": 4}
    with pytest.raises(receive.RefusedError):
        receive.build(str(tmp_path / "run"), [entry], store)


def test_modes_and_links_are_kept_and_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    store = filled(tmp_path / "store")
    outside = tmp_path / "outside"
    outside.mkdir()
    run = tmp_path / "run"
    run.mkdir()
    (run / "sub").symlink_to(outside)  # left by an earlier run with --keep
    entries: list[dict[str, object]] = [
        {"path": "l", "link": "sub/a"},
        {"path": "sub/a", "mode": 0o755, "content": content(b"text"), "size": 4},
    ]
    receive.build(str(run), entries, store)
    assert list(outside.iterdir()) == []
    assert (run / "l").read_bytes() == b"text"
    assert (run / "sub/a").stat().st_mode & 0o777 == 0o755


def test_a_damaged_file_never_gets_its_name(tmp_path: Path) -> None:
    store = receive.Store(str(tmp_path))
    with pytest.raises(receive.RefusedError):
        store.add(content(b"good"), 4, lambda limit: b"evil"[:limit])
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_oldest_goes_when_it_is_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for count in range(5):
        store = filled(tmp_path, bytes([count]) * 100)
        os.utime(store.path(content(bytes([count]) * 100)), (2e9 + count, 2e9 + count))
        store.release()
    monkeypatch.setattr(receive, "KEEP_BYTES", 250)
    store.prune()
    there = [count for count in range(5) if store.has(content(bytes([count]) * 100), 100)]
    assert there == [3, 4]


def test_a_run_that_ends_takes_nothing_away_from_one_that_is_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are large: what this one has just found there is more than is kept."""
    monkeypatch.setattr(receive, "KEEP_BYTES", 0)
    beginning = filled(tmp_path / "store")
    ending = receive.Store(str(tmp_path / "store"))
    ending.release()
    ending.prune()
    entry: dict[str, object] = {"path": "a", "mode": 0o644, "content": content(b"text"), "size": 4}
    receive.build(str(tmp_path / "run"), [entry], beginning)
    assert (tmp_path / "run" / "a").read_bytes() == b"text"
    beginning.release()
    ending.prune()
    assert not beginning.has(content(b"text"), 4)
