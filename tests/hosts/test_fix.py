"""`x11fwd doctor --fix` on real hosts: cured, found well by the same checks, and taken back by undo."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.hosts.truth.rig import Scene, Stage
from tests.lab.hosts import diff

if TYPE_CHECKING:
    from collections.abc import Callable

HOME = "/home/ana"
RC = '#!/bin/sh\n# keeps the agent for tmux\nln -sf "$SSH_AUTH_SOCK" ~/.ssh/agent 2>/dev/null\n'
EXPORTS = "# from a blog\nexport DISPLAY=:0\nalias ll='ls -l'\n"


def stale_lock(scene: Scene) -> None:
    scene.host.run(f"touch {HOME}/.Xauthority-c {HOME}/.Xauthority-l", user="ana")


def of_root(scene: Scene) -> None:
    scene.host.run(f"touch {HOME}/.Xauthority; chown root {HOME}/.Xauthority; chmod 600 {HOME}/.Xauthority")


def a_folder(scene: Scene) -> None:
    scene.host.run(f"mkdir {HOME}/.Xauthority")


def greedy_rc(scene: Scene) -> None:
    scene.host.write(f"{HOME}/.ssh/rc", RC, user="ana")


def display_in_bashrc(scene: Scene) -> None:
    scene.host.prepend(f"{HOME}/.bashrc", EXPORTS)


def authority_in_bashrc(scene: Scene) -> None:
    scene.host.prepend(f"{HOME}/.bashrc", "export XAUTHORITY=/tmp/elsewhere\n")


def backend_in_profile(scene: Scene) -> None:
    scene.host.append(f"{HOME}/.profile", "export MPLBACKEND=Agg\n")


def xauth_lost(scene: Scene) -> None:
    scene.person.config_before("Host *\n    XAuthLocation /usr/X11R6/bin/xauth")


def twenty_minutes(scene: Scene) -> None:
    scene.person.config("ForwardX11 yes\nForwardX11Trusted no")


@dataclass(frozen=True)
class Row:
    """A finding that `--fix` cures."""

    id: str
    inject: Callable[[Scene], None]
    here: bool = False  # the change is made on the person's machine


ROWS = (
    Row("xauthority-stale-lock", stale_lock),
    Row("xauthority-owned-by-root", of_root),
    Row("xauthority-is-a-directory", a_folder),
    Row("ssh-rc-eats-cookie", greedy_rc),
    Row("start-file-overwrites-display", display_in_bashrc),
    Row("xauthority-env-override", authority_in_bashrc),
    Row("mpl-mplbackend-wins", backend_in_profile),
    Row("xquartz-xauthlocation-lost", xauth_lost, here=True),
    Row("untrusted-20-minutes", twenty_minutes, here=True),
)


def fix(scene: Scene, *words: str, code: int = 0) -> dict[str, object]:
    argv = scene.person.lab.x11fwd("doctor", "--fix", "--json", *words, "gpu1")
    status, out, err = scene.person.lab.run(argv, timeout=90)
    assert status == code, f"{out}\n{err}"
    document = json.loads(out)
    assert isinstance(document, dict)
    return document


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_cure_takes_and_undo_brings_everything_back(row: Row) -> None:
    with Scene(Stage()) as scene:
        row.inject(scene)
        assert scene.doctor().cause == row.id
        before = scene.host.lab.snapshot()
        config = scene.person.read(".ssh/config")
        document = fix(scene, "--yes")
        assert document["cured"] == [row.id]
        assert document["still_there"] == []
        after = document["after"]
        assert isinstance(after, dict)
        assert after["cause"] is None
        scene.doctor().assert_clean()
        again = fix(scene, "--yes")
        assert again["status"] == "well"
        undo = ("undo", "--yes") if row.here else ("undo", "--yes", "gpu1")
        status, out, err = scene.person.lab.run(scene.person.lab.x11fwd(*undo), timeout=90)
        assert status == 0, out + err
        assert scene.person.read(".ssh/config") == config
        if row.id == "xauthority-stale-lock":
            return  # locks that nobody holds do not come back
        left = [str(one) for one in diff(before, scene.host.lab.snapshot())]
        assert [one for one in left if ".Xauthority" not in one and "/.cache" not in one] == []
        assert scene.doctor().cause == row.id


def test_nothing_is_changed_without_a_yes() -> None:
    with Scene(Stage()) as scene:
        display_in_bashrc(scene)
        before = scene.host.lab.snapshot()
        document = fix(scene, "--dry-run", code=1)
        assert document["status"] == "planned"
        assert "guard DISPLAY" in json.dumps(document["changes"])
        argv = scene.person.lab.x11fwd("doctor", "--fix", "gpu1")
        status, out, err = scene.person.lab.run(argv, timeout=60)
        assert status == 2, out
        assert "--yes" in err
        assert [one for one in diff(before, scene.host.lab.snapshot()) if ".Xauthority" not in str(one)] == []


def test_what_needs_an_administrator_ends_in_a_note() -> None:
    with Scene(Stage(user="ben")) as scene:
        scene.sshd_config("DisableForwarding yes")
        argv = scene.person.lab.x11fwd("doctor", "--fix", "gpu1")
        status, out, err = scene.person.lab.run(argv, timeout=60)
        assert status == 1, err
        assert "nothing of this can be cured from here without root" in out
        assert "Subject: X11 forwarding on gpu1" in out
        assert "DisableForwarding" in out
