"""Two logins of one moment: neither loses what the other one has just learnt."""

from __future__ import annotations

import fcntl
import os
import threading
from typing import TYPE_CHECKING

import pytest

from x11fwd.bridge.session import memory as bridges
from x11fwd.pipeline import jupyter_ports
from x11fwd.pipeline.ssh import link, memory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _distance(host: str, home: Path) -> None:
    link.remember_round_trip(host, "22", 0.05, {"HOME": str(home)})


def _distance_known(host: str, home: Path) -> bool:
    return link.known_round_trip(host, "22", {"HOME": str(home)}) == 0.05


def _answer(host: str, home: Path) -> None:
    memory.remember(host, "22", {"HOME": str(home)}, consent=True)


def _answer_known(host: str, home: Path) -> bool:
    return memory.recall(host, "22", {"HOME": str(home)}).consent is True


def _bridge(host: str, home: Path) -> None:
    bridges.remember(str(home / "cache"), (host, "22", "ana"), bridges.Known(12))


def _bridge_known(host: str, home: Path) -> bool:
    return bridges.recall(str(home / "cache"), (host, "22", "ana")).number == 12


def _notebook(host: str, home: Path) -> None:
    jupyter_ports.remember(host, 4711, {"HOME": str(home)})


def _notebook_known(host: str, home: Path) -> bool:
    return jupyter_ports.recall(host, {"HOME": str(home)}) == 4711


KEPT = [
    (_distance, _distance_known),
    (_answer, _answer_known),
    (_bridge, _bridge_known),
    (_notebook, _notebook_known),
]


@pytest.mark.parametrize(("remember", "known"), KEPT, ids=["links", "hosts", "bridges", "notebooks"])
def test_neither_of_two_hosts_is_lost(
    remember: Callable[[str, Path], None],
    known: Callable[[str, Path], bool],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One has read the file and not put the new one in place as the other comes."""
    monkeypatch.setattr(bridges, "_PATIENCE", 90.0)
    replace = os.replace
    other = threading.Thread(target=remember, args=("other", tmp_path), daemon=True)

    def late(old: str, new: str) -> None:
        monkeypatch.setattr(os, "replace", replace)
        other.start()
        other.join(1.0)  # time to spoil it, where it does not wait for us
        replace(old, new)

    monkeypatch.setattr(os, "replace", late)
    remember("one", tmp_path)
    other.join(90.0)
    assert known("one", tmp_path)
    assert known("other", tmp_path)


def test_a_login_that_was_stopped_in_the_middle_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridges, "_PATIENCE", 0.1)
    handle = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    bridges.remember(str(tmp_path), ("gpu", "22", "ana"), bridges.Known(12))
    os.close(handle)
    assert bridges.recall(str(tmp_path), ("gpu", "22", "ana")).number == 12


def test_a_disk_that_is_full_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    bridges.remember(str(tmp_path), ("gpu", "22", "ana"), bridges.Known(12))
    monkeypatch.setattr(os, "write", full)
    bridges.remember(str(tmp_path), ("gpu", "22", "ana"), bridges.Known(13))
    monkeypatch.undo()
    assert [one.name for one in tmp_path.iterdir()] == ["bridges"]
    assert bridges.recall(str(tmp_path), ("gpu", "22", "ana")).number == 12
