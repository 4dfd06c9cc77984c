"""`x11fwd doctor --fix` on real hosts: cured, found well by the same checks, and taken back by undo."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from tests.hosts.truth.rig import PASSING, Scene, Stage
from tests.lab.hosts import diff
from tests.lab.runs import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

HOME = "/home/ana"
APART = Stage().but(own_network=True)  # where nobody else's displays are
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
    status, out, err = scene.person.lab.run(argv, timeout=400)
    assert status == code, f"{out}\n{err}"
    document = json.loads(out)
    assert isinstance(document, dict)
    return document


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_cure_takes_and_undo_brings_everything_back(row: Row) -> None:
    with Scene(APART) as scene:
        row.inject(scene)
        before = scene.host.lab.snapshot()
        config = scene.person.read(".ssh/config")
        document = fix(scene, "--yes")  # looks, cures, and looks again
        first, after = document["before"], document["after"]
        assert isinstance(first, dict)
        assert isinstance(after, dict)
        assert first["cause"] == row.id
        assert row.id in str(document["cured"])
        assert document["still_there"] == []
        assert after["cause"] in {None, *PASSING}
        assert fix(scene, "--yes")["status"] == "well"
        scene.doctor().assert_clean()
        # locks: xauth leaves them where it fails
        assert not list(scene.host.path(HOME).glob(".Xauthority-?"))
        undo = ("undo", "--yes") if row.here else ("undo", "--yes", "gpu1")
        status, out, err = scene.person.lab.run(scene.person.lab.x11fwd(*undo), timeout=400)
        assert status == 0, out + err
        assert scene.person.read(".ssh/config") == config
        if row.id == "xauthority-stale-lock":
            return  # locks that nobody holds do not come back
        left = [str(one) for one in diff(before, scene.host.lab.snapshot())]
        assert [one for one in left if ".Xauthority" not in one and "/.cache" not in one] == []
        assert scene.doctor().cause == row.id


def test_nothing_is_changed_without_a_yes() -> None:
    with Scene(APART) as scene:
        display_in_bashrc(scene)
        before = scene.host.lab.snapshot()
        document = fix(scene, "--dry-run", code=1)
        assert document["status"] == "planned"
        assert "guard DISPLAY" in json.dumps(document["changes"])
        argv = scene.person.lab.x11fwd("doctor", "--fix", "gpu1")
        status, out, err = scene.person.lab.run(argv, timeout=400)
        assert status == 2, out
        assert "--yes" in err
        assert [one for one in diff(before, scene.host.lab.snapshot()) if ".Xauthority" not in str(one)] == []


def test_what_needs_an_administrator_ends_in_a_note() -> None:
    with Scene(replace(APART, user="ben")) as scene:
        scene.sshd_config("DisableForwarding yes")
        argv = scene.person.lab.x11fwd("doctor", "--fix", "gpu1")
        status, out, err = scene.person.lab.run(argv, timeout=400)
        assert status == 1, err
        assert "nothing of this can be cured from here without root" in out
        assert "Subject: X11 forwarding on gpu1" in out
        assert "DisableForwarding" in out


def test_a_pane_of_an_older_login_gets_the_display_of_the_one_that_is_open() -> None:
    with Scene(Stage(variant="tmux").but(own_network=True)) as scene:
        sessions = []
        for number, name in enumerate(("keeper", "second", "old"), 10):
            sessions.append(scene.log_in(name))
            assert sessions[-1].run("echo $DISPLAY").stdout.strip() == f"localhost:{number}.0"
        keeper, second, old = sessions
        old.run("tmux new-session -d -s main; until tmux capture-pane -p | grep -q '[$]'; do sleep 0.1; done")
        old.close()
        keeper.close()  # our own logins get its number
        wait_for(
            lambda: scene.doctor().cause == "tmux-stale-display", limit=180, what="the old display to go"
        )
        document = fix(scene, "--yes")
        assert document["cured"] == ["tmux-stale-display"], document
        titles = [change["title"] for change in document["changes"]]  # type: ignore[attr-defined]
        assert [title.split()[0] for title in titles] == ["Let", "Let", "Type"]
        second.run("tmux send-keys -t main 'echo now=$DISPLAY >/tmp/now' Enter")
        wait_for(
            lambda: scene.host.read("/tmp/now").strip() == "now=localhost:11.0", limit=90, what="the pane"
        )
        assert second.run("tmux show-environment -t main DISPLAY").stdout.strip() == "DISPLAY=localhost:11.0"
        scene.doctor().assert_clean()
        scene.host.run("tmux kill-server", user="ana")


def test_in_the_session_itself_start_files_are_cured_for_the_next_login() -> None:
    with Scene(APART) as scene:
        display_in_bashrc(scene)
        session = scene.log_in("first", terminal=True)
        said = session.run("x11fwd doctor --fix --yes --json >/var/tmp/fix.json; echo $?")
        document = json.loads(scene.host.read("/var/tmp/fix.json"))
        assert document["later"] == ["start-file-overwrites-display"], said
        assert document["exit_code"] == 0
        scene.doctor().assert_clean()
        undone = session.run("x11fwd undo --yes")
        assert undone.rc == 0, undone
        assert scene.host.read(f"{HOME}/.bashrc").startswith(EXPORTS)


def test_a_cure_that_does_not_take_is_still_there() -> None:
    with Scene(APART) as scene:
        scene.host.write(f"{HOME}/.set", "export DISPLAY=:0\n", user="ana")
        scene.host.prepend(f"{HOME}/.bashrc", "export DISPLAY=:0\n. ~/.set\n")
        document = fix(scene, "--yes", code=1)
        assert document["still_there"] == ["start-file-overwrites-display"]
        assert fix(scene, "--yes", code=1)["status"] == "beyond"


def test_ctrl_c_at_the_question_changes_nothing_and_says_so() -> None:
    with Scene(APART) as scene:
        display_in_bashrc(scene)
        terminal = scene.person.lab.pty(scene.person.lab.x11fwd("doctor", "--fix", "gpu1"))
        terminal.read_until(r"Change this\?")
        terminal.send("\x03")
        assert terminal.wait() == 130
        assert "interrupted" in terminal.output
        assert scene.host.read(f"{HOME}/.bashrc").startswith(EXPORTS)


@pytest.mark.parametrize(
    ("shell", "name", "line"),
    [
        ("/bin/tcsh", ".tcshrc", "setenv DISPLAY :0\n"),
        ("/usr/bin/fish", ".config/fish/config.fish", "set -gx DISPLAY :0\n"),
        ("/bin/zsh", ".zshenv", "DISPLAY=:0; export DISPLAY\n"),
    ],
)
def test_start_files_of_other_shells_are_guarded_in_their_own_language(
    shell: str, name: str, line: str
) -> None:
    with Scene(Stage(variant="shells").but(own_network=True, login_shell=shell)) as scene:
        scene.host.write(f"{HOME}/{name}", line, user="ana")
        scene.host.run(f"chown -R ana {HOME}")
        document = fix(scene, "--yes", code=1)  # there is no matplotlib
        assert document["cured"] == ["start-file-overwrites-display"], document
        again = fix(scene, "--yes", code=1)
        assert again["status"] == "beyond"
