"""XQuartz is started on a Mac alone; `open` and `pgrep` are fakes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.steps.cures.ground import here, planned, run
from x11fwd.facts.model import SystemFacts, XauthFacts
from x11fwd.steps.cures.desktop import start_xquartz
from x11fwd.steps.plan import RunCommand

if TYPE_CHECKING:
    from pathlib import Path

    from x11fwd.steps.cures.ground import Ground


def mac(home: Path) -> Ground:
    return here(home, system=SystemFacts("Darwin"), xauth=XauthFacts("/opt/X11/bin/xauth"))


def fakes(folder: Path, *, opens: bool) -> str:
    (folder / "open").write_text(
        f'#!/bin/sh\n[ {int(opens)} = 1 ] && echo "$*" >{folder}/runs\n', encoding="utf-8"
    )
    (folder / "pgrep").write_text(f"#!/bin/sh\n[ -e {folder}/runs ]\n", encoding="utf-8")
    for name in ("open", "pgrep"):
        (folder / name).chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


def test_xquartz_is_started_and_waited_for(tmp_path: Path) -> None:
    path = fakes(tmp_path, opens=True)
    (change,) = planned(mac(tmp_path), start_xquartz).changes()
    assert isinstance(change.action, RunCommand)
    with pytest.raises(AssertionError):
        run(*change.action.check, PATH=path)
    run(*change.action.do, PATH=path)
    run(*change.action.check, PATH=path)
    assert (tmp_path / "runs").read_text() == "-a XQuartz\n"
    assert change.action.undo == ()


def test_a_mac_that_cannot_open_it_says_so_at_once(tmp_path: Path) -> None:
    path = fakes(tmp_path, opens=False)
    (change,) = planned(mac(tmp_path), start_xquartz).changes()
    assert isinstance(change.action, RunCommand)
    with pytest.raises(AssertionError):
        run(*change.action.do, PATH=path)


def test_elsewhere_nothing_is_started(tmp_path: Path) -> None:
    assert planned(here(tmp_path), start_xquartz).changes() == ()
    assert planned(here(tmp_path, system=SystemFacts("Darwin")), start_xquartz).changes() == ()
