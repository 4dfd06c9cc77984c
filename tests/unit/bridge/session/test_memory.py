"""What is remembered of a host between sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from x11fwd.bridge.session.memory import Known, recall, remember

if TYPE_CHECKING:
    from pathlib import Path

PLACE = ("gpu1", "22", "ana")


def test_what_was_remembered_is_recalled(tmp_path: Path) -> None:
    folder = str(tmp_path / "cache")
    remember(folder, PLACE, Known(17, "ab" * 32))
    remember(folder, ("gpu2", "22", "ana"), Known(11))
    known = recall(folder, PLACE)
    assert (known.number, known.digest, known.ran) == (17, "ab" * 32, True)
    other = recall(folder, ("gpu2", "22", "ana"))
    assert (other.number, other.digest, other.ran) == (11, "", True)
    assert not recall(folder, ("gpu1", "22", "ben")).ran
    assert (tmp_path / "cache/bridges").stat().st_mode & 0o777 == 0o600


def test_the_last_word_on_a_host_counts(tmp_path: Path) -> None:
    for number in (10, 11, 12):
        remember(str(tmp_path), PLACE, Known(number))
    assert recall(str(tmp_path), PLACE).number == 12
    assert len((tmp_path / "bridges").read_text().splitlines()) == 1


@pytest.mark.parametrize("text", ["gpu1 22 ana x -\n", "gpu1 22 ana 17\n", "\0\n", "gpu1 22 ana 999999 -\n"])
def test_a_damaged_line_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "bridges").write_text(text)
    assert not recall(str(tmp_path), PLACE).ran


def test_no_cache_is_no_error(tmp_path: Path) -> None:
    remember(None, PLACE, Known(10))
    (tmp_path / "file").touch()
    remember(str(tmp_path / "file"), PLACE, Known(10))
    assert not recall(None, PLACE).ran


def test_a_name_that_would_break_the_file_is_not_kept(tmp_path: Path) -> None:
    remember(str(tmp_path), ("gpu1 22", "22", "ana"), Known(10))
    assert not (tmp_path / "bridges").exists()
