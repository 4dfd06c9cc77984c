"""Panes of tmux on a server of their own: told at an empty prompt, left alone everywhere else."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.unit.steps.cures.ground import needs, planned, run, there, write
from x11fwd.facts.account import AccountFacts, Lasting
from x11fwd.facts.network import Listener, NetworkFacts
from x11fwd.steps.cures.tmux import refresh
from x11fwd.steps.plan import RunCommand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from x11fwd.steps.cures.ground import Ground

LIMIT = 90.0


@dataclass
class Tmux:
    """A server, whose first pane runs a shell with an old DISPLAY."""

    home: Path
    folder: str

    def do(self, *words: str) -> str:
        socket = f"{self.folder}/tmux-{os.geteuid()}/default"
        env = {**os.environ, "HOME": str(self.home), "LC_ALL": "C.UTF-8", "DISPLAY": "localhost:10.0"}
        env.pop("TMUX", None)
        done = subprocess.run(
            ["tmux", "-u", "-S", socket, *words], capture_output=True, text=True, env=env, check=True
        )
        return done.stdout.rstrip("\n")

    def shown(self) -> str:
        return self.do("capture-pane", "-p", "-t", "work")

    def waits(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + LIMIT
        while not condition():
            assert time.monotonic() < end, self.shown()
            time.sleep(0.02)

    def types(self, text: str, *, until: str) -> None:
        self.do("send-keys", "-t", "work", "-l", text)
        self.waits(lambda: until in self.shown())

    def ground(self, *displays: int) -> Ground:
        """Display 10 of the panes is gone, these are open."""
        panes = self.do("list-panes", "-a", "-F", "#{pane_pid}").split()
        lasting = tuple(Lasting("tmux", int(pid), "default work:0.0", "localhost:10.0") for pid in panes)
        listeners = tuple(Listener("127.0.0.1", 6000 + number, 1000) for number in displays)
        return there(
            self.home,
            account=AccountFacts(lasting=lasting),
            network=NetworkFacts(listeners=listeners),
            start_environment={"DISPLAY": "localhost:14.0"},
        )


@pytest.fixture
def tmux(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tmux]:
    needs("tmux")
    with tempfile.TemporaryDirectory(
        prefix="x11fwd-", ignore_cleanup_errors=True
    ) as folder:  # a short path: sockets have 108 bytes
        Path(folder, f"tmux-{os.geteuid()}").mkdir(mode=0o700)
        home = Path(folder, "home")
        home.mkdir()
        monkeypatch.setenv("TMUX_TMPDIR", folder)
        one = Tmux(home, folder)
        (home / "rc").write_text("PS1='ana@gpu1:~$ '\n", encoding="utf-8")
        one.do("-f", "/dev/null", "new-session", "-d", "-s", "work", "-x", "100", "bash --rcfile ~/rc -i")
        one.waits(lambda: one.shown().endswith("$"))
        try:
            yield one
        finally:
            with contextlib.suppress(subprocess.CalledProcessError):
                one.do("kill-server")


def actions(ground: Ground) -> list[RunCommand]:
    return [change.action for change in ground.changes() if isinstance(change.action, RunCommand)]


def test_a_shell_at_an_empty_prompt_is_told_once(tmux: Tmux) -> None:
    ground = planned(tmux.ground(12, 14), refresh)
    session, typed = actions(ground)
    for action in (session, typed):
        with pytest.raises(AssertionError):
            run(*action.check, TMUX_TMPDIR=tmux.folder)
        run(*action.do, TMUX_TMPDIR=tmux.folder)
        run(*action.check, TMUX_TMPDIR=tmux.folder)
    tmux.types("echo now=$DISPLAY\n", until="\nnow=localhost:12.0")
    assert actions(planned(tmux.ground(12, 14), refresh))[1:] == []
    run(*session.undo, TMUX_TMPDIR=tmux.folder)
    assert tmux.do("show-environment", "-t", "work", "DISPLAY") == "DISPLAY=localhost:10.0"


def test_a_pane_that_is_not_at_an_empty_prompt_is_left_alone(tmux: Tmux) -> None:
    for keys, until, why in (
        ("rm -rf /tmp/x", "$ rm -rf /tmp/x", "not at an empty prompt"),
        ("\n", "$", ""),
        ("read -p 'sure? $ ' x\n", "\nsure? $", "busy"),
        ("no\n", "$", ""),
        ("cat\n", "$ cat", "cat runs"),
    ):
        tmux.types(keys, until=until)
        if why == "":
            continue
        tmux.waits(lambda: tmux.do("display-message", "-p", "-t", "work", "#{cursor_x}") != "")
        if why == "cat runs":
            tmux.waits(lambda: tmux.do("display-message", "-p", "#{pane_current_command}") == "cat")
        ground = planned(tmux.ground(12), refresh)
        assert [one for one in actions(ground) if "send-keys" in str(one.do)] == []
        assert any(f"left alone ({why})" in note for note in ground.notes), ground.notes


def test_without_an_open_display_only_later_prompts_are_cared_for(tmux: Tmux) -> None:
    ground = planned(tmux.ground(14), refresh)  # 14 is our own, and goes with us
    assert actions(ground) == []
    (note,) = ground.notes
    assert note.startswith("no session of yours with X11 is open there now: log in and attach to tmux")


def test_of_two_open_displays_none_is_guessed(tmux: Tmux) -> None:
    assert actions(planned(tmux.ground(12, 13), refresh)) == []
    tmux.do("set-environment", "-t", "work", "DISPLAY", "localhost:13.0")
    (typed,) = actions(planned(tmux.ground(12, 13), refresh))
    assert "send-keys" in str(typed.do)


@pytest.mark.parametrize(
    ("shell", "command"),
    [
        ("bash", "bash --rcfile ~/.bashrc -i"),
        ("zsh", "ZDOTDIR=$HOME zsh -i"),
        ("fish", "fish -i"),
    ],
)
def test_each_later_prompt_asks_and_the_prompt_keeps_its_status(tmux: Tmux, shell: str, command: str) -> None:
    needs(shell)
    name = {"bash": ".bashrc", "zsh": ".zshrc", "fish": ".config/fish/config.fish"}[shell]
    path = tmux.home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    before = {
        "bash": "PROMPT_COMMAND='PS1=\"[$?] $ \"'",
        "zsh": "unsetopt global_rcs\nPROMPT='[%?] $ '\nRPROMPT=\n",
        "fish": 'function fish_prompt; echo "[$status] \\$ "; end\nfunction fish_greeting; end\n',
    }[shell]
    path.write_text(before, encoding="utf-8")
    ground = tmux.ground(14)
    write(planned(replace(ground, shell=f"/bin/{shell}"), refresh))
    syntax = ("-n", "--no-config") if shell == "fish" else ("-n",)
    run(shell, *syntax, str(path), HOME=str(tmux.home))
    assert planned(replace(tmux.ground(14), shell=f"/bin/{shell}"), refresh).changes() == ()
    tmux.do("respawn-pane", "-k", "-t", "work", command)
    tmux.waits(lambda: "[0] $" in tmux.shown())
    tmux.do("set-environment", "-t", "work", "DISPLAY", "localhost:12.0")
    tmux.types("false\n", until="[1] $")
    tmux.types("echo now=$DISPLAY\n", until="\nnow=localhost:12.0")
    assert tmux.do("show-options", "-pv", "-t", "work", "@x11fwd_display") == "localhost:12.0"


def test_other_shells_and_screen_get_words_only(tmp_path: Path) -> None:
    screen = AccountFacts(lasting=(Lasting("screen", 7, "", "localhost:10.0"),))
    ground = planned(
        there(tmp_path, account=screen, network=NetworkFacts(listeners=()), shell="/bin/tcsh"), refresh
    )
    assert ground.changes() == ()
    assert ground.notes == ["a window of screen cannot be told from outside; open a new one"]
