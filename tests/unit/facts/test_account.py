"""Lines of start files: which variable they change, or what they put in the place of the shell."""

from __future__ import annotations

import pytest

from x11fwd.facts.account import Lasting, parse_account, parse_start_line
from x11fwd.facts.answers import Answers, Text

CASES = {
    "export DISPLAY=:0": ("DISPLAY", ":0", "export DISPLAY=:0"),
    '  export DISPLAY="localhost:0.0"  # old': ("DISPLAY", "localhost:0.0", 'export DISPLAY="localhost:0.0"'),
    "DISPLAY=:0; export DISPLAY": ("DISPLAY", ":0", "DISPLAY=:0"),
    "DISPLAY=:0 export DISPLAY": ("DISPLAY", ":0", "DISPLAY=:0"),
    '[ -z "$SSH_TTY" ] && export DISPLAY=:0': ("DISPLAY", ":0", "export DISPLAY=:0"),
    'if [ -n "$x" ]; then export DISPLAY=$(hostname):0; fi': (
        "DISPLAY",
        "$(hostname):0",
        "export DISPLAY=$(hostname):0",
    ),
    "export TOKEN=secret DISPLAY=:0 OTHER=secret": ("DISPLAY", ":0", "export DISPLAY=:0"),
    "declare -x XAUTHORITY=/run/vnc": ("XAUTHORITY", "/run/vnc", "export XAUTHORITY=/run/vnc"),
    "setenv DISPLAY :0": ("DISPLAY", ":0", "setenv DISPLAY :0"),
    "set -gx DISPLAY :0": ("DISPLAY", ":0", "set -gx DISPLAY :0"),
    "set -x MPLBACKEND Agg": ("MPLBACKEND", "Agg", "set -x MPLBACKEND Agg"),
    "MPLBACKEND=Agg": ("MPLBACKEND", "Agg", "MPLBACKEND=Agg"),
    "DISPLAY DEFAULT=localhost:0.0": ("DISPLAY", "localhost:0.0", "DISPLAY DEFAULT=localhost:0.0"),
    "unset DISPLAY": ("DISPLAY", None, "unset DISPLAY"),
    "unset XDG_X DISPLAY": ("DISPLAY", None, "unset XDG_X DISPLAY"),
    "unsetenv DISPLAY": ("DISPLAY", None, "unsetenv DISPLAY"),
    "set -e DISPLAY": ("DISPLAY", None, "set -e DISPLAY"),
    "exec zsh -l": ("exec", "zsh", "exec zsh"),
    "[ -x /bin/fish ] && exec /bin/fish": ("exec", "/bin/fish", "exec /bin/fish"),
    'exec "$SHELL"': ("exec", "$SHELL", 'exec "$SHELL"'),
    '[ -z "$TMUX" ] && exec tmux': ("tmux", "", "exec tmux"),
    'case "$name" in sshd|login) exec tmux ;; esac': ("tmux", "", "exec tmux"),
    "tmux attach || tmux new": ("tmux", "", "tmux attach"),
    "screen -dRR": ("screen", "", "screen -dRR"),
}
SILENT = (
    "echo $DISPLAY",
    '[ -z "$DISPLAY" ]',
    "DISPLAY=:0 xset s off",
    "export WAYLAND_DISPLAY=wayland-0",
    "export DISPLAY",
    "alias t='tmux attach'",
    "alias tmux='tmux -2'",
    "tmux set -g mouse on",
    "if tmux has-session; then",
    "exec 3>&1",
    "exec ssh-agent bash",
    "xrandr --screen 0",
    "setenv PATH /x",
)


@pytest.mark.parametrize("text", CASES)
def test_a_line_that_changes_something_is_read_as(text: str) -> None:
    line = parse_start_line(f"/home/ana/.bashrc:7:{text}")
    assert line is not None
    assert (line.file, line.line) == ("/home/ana/.bashrc", 7)
    assert (line.name, line.value, line.text) == CASES[text]


@pytest.mark.parametrize("text", SILENT)
def test_a_line_that_only_speaks_of_it_says_nothing(text: str) -> None:
    assert parse_start_line(f"/home/ana/.bashrc:7:{text}") is None


@pytest.mark.parametrize(
    "text",
    [
        '[ -z "$SSH_CONNECTION" ] && export DISPLAY=:0',
        "if [ -z $DISPLAY ]; then export DISPLAY=:0; fi",
        "test -n x && DISPLAY=:0",
    ],
)
def test_a_condition_on_the_same_line_is_seen(text: str) -> None:
    line = parse_start_line(f"/x:1:{text}")
    assert line is not None
    assert line.guarded


def test_a_line_without_a_condition_is_not_guarded() -> None:
    line = parse_start_line("/x:1:DISPLAY=:0; export DISPLAY")
    assert line is not None
    assert not line.guarded


def test_nothing_else_of_a_line_is_kept() -> None:
    line = parse_start_line("/x:1:export TOKEN=secret DISPLAY=:0 OTHER=secret")
    assert "secret" not in repr(line)


def test_processes_with_one_environment_are_one() -> None:
    answers = Answers(
        {
            "stays": (
                "ide\t12\t\tlocalhost:11.0",
                "ide\t13\t\tlocalhost:11.0",
                "tmux\t20\tdefault main:0.1\t:0",
                "broken",
            )
        },
        {"start.lines": (Text("", ""),)},
        {},
    )
    assert parse_account(answers).lasting == (
        Lasting("ide", 12, "", "localhost:11.0"),
        Lasting("tmux", 20, "default main:0.1", ":0"),
    )
    assert [one.number for one in parse_account(answers).lasting] == [11, None]
