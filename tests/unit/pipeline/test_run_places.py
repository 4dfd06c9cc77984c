"""The folders of a run over there, where something is full."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import pytest

from x11fwd.pipeline.run_there.places import Places

if TYPE_CHECKING:
    from pathlib import Path


def test_a_run_that_finds_no_place_for_temporary_files_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def full(**_more: object) -> str:
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    with pytest.raises(FileNotFoundError):
        Places("project", keep=False)
    assert list((tmp_path / "x11fwd").glob("runs/*")) == []
