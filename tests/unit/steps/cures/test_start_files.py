"""Guards: what stays as it was at the desk, what sessions of ssh are spared, and what is not touched."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.unit.steps.cures.ground import needs, planned, run, there, write
from x11fwd.facts.account import StartLine
from x11fwd.steps.cures.start_files import guard_authority, guard_backend, guard_display
from x11fwd.steps.plan import WriteFile
from x11fwd.steps.questions import CommandAnswer

if TYPE_CHECKING:
    from pathlib import Path

SESSION = {"SSH_CONNECTION": "a b c d", "DISPLAY": "localhost:10.0"}
SHELLS = {
    "sh": (".profile", "export DISPLAY=:0\n", ("sh", "-c", '. "$1"; echo "${DISPLAY-}"', "sh")),
    "bash": (
        ".bashrc",
        "\tif true; then\n\t\texport DISPLAY=:0 # old\n\tfi",
        ("bash", "-c", '. "$1"; echo "$DISPLAY"', "sh"),
    ),
    "zsh": (".zshrc", "DISPLAY=:0; export DISPLAY\n", ("zsh", "-fc", '. "$1"; echo "$DISPLAY"', "sh")),
    "ksh": (
        ".profile",
        "#!/bin/ksh\n[ -t 9 ] || export DISPLAY=:0\n",
        ("ksh", "-c", '. "$1"; echo "$DISPLAY"', "sh"),
    ),
    "fish": (
        ".config/fish/config.fish",
        "if true\n    set -gx DISPLAY :0\nend\n",
        ("fish", "--no-config", "-c", "source $argv[1]; echo $DISPLAY"),
    ),
    "tcsh": (".tcshrc", "if ( 1 ) setenv DISPLAY :0\n", ("tcsh", "-fc", 'source "$argv[1]"; echo $DISPLAY')),
}
SYNTAX = {"fish": ("fish", "-n"), "tcsh": ("tcsh", "-nf")}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_guarded_line_works_at_the_desk_and_not_in_a_session(shell: str, tmp_path: Path) -> None:
    needs(shell)
    name, text, ask = SHELLS[shell]
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    ground = planned(there(tmp_path, StartLine(str(path), 1, "DISPLAY", ":0", "")), guard_display)
    write(ground)
    guarded = path.read_text(encoding="utf-8")
    assert "BEGIN x11fwd guard DISPLAY" in guarded
    run(*SYNTAX.get(shell, (shell, "-n")), str(path), HOME=str(tmp_path))
    home = {"HOME": str(tmp_path)}
    if shell == "tcsh":  # which passes no arguments on to -c
        ask = (*ask[:-1], ask[-1].replace('"$argv[1]"', f'"{path}"'))
    words = ask if shell == "tcsh" else (*ask, str(path))
    assert run(*words, **home).strip() == ":0"
    assert run(*words, **home, DISPLAY=":7").strip() == ":0"  # as before
    assert run(*words, **home, **SESSION).strip() == "localhost:10.0"
    assert (
        planned(there(tmp_path, StartLine(str(path), 2, "DISPLAY", ":0", "")), guard_display).changes() == ()
    )


def test_a_guarded_backend_stays_where_there_is_no_display_and_at_the_desk(tmp_path: Path) -> None:
    path = tmp_path / ".profile"
    path.write_text("export MPLBACKEND=Agg\n", encoding="utf-8")
    write(planned(there(tmp_path, StartLine(str(path), 1, "MPLBACKEND", "Agg", "")), guard_backend))
    words = ("sh", "-uc", '. "$1"; echo "${MPLBACKEND-}"', "sh", str(path))
    assert run(*words, DISPLAY=":0").strip() == "Agg"
    assert run(*words, SSH_CONNECTION="x").strip() == "Agg"
    assert run(*words, **SESSION).strip() == ""


def test_two_lines_of_one_file_are_two_blocks_of_one_change(tmp_path: Path) -> None:
    path = tmp_path / ".bashrc"
    path.write_text("export DISPLAY=:0\necho\nunset DISPLAY", encoding="utf-8")
    lines = [StartLine(str(path), number, "DISPLAY", None, "") for number in (1, 3)]
    ground = planned(there(tmp_path, *lines), guard_display)
    (change,) = ground.changes()
    assert isinstance(change.action, WriteFile)
    assert change.action.content.count(b"# BEGIN x11fwd") == 2
    assert ground.notes == []


def test_two_variables_of_one_file_are_one_change(tmp_path: Path) -> None:
    path = tmp_path / ".bashrc"
    path.write_text("export DISPLAY=:0\nexport XAUTHORITY=/x\n", encoding="utf-8")
    lines = (StartLine(str(path), 1, "DISPLAY", ":0", ""), StartLine(str(path), 2, "XAUTHORITY", "/x", ""))

    def both(ground: object) -> None:
        guard_display(ground)  # type: ignore[arg-type]
        guard_authority(ground)  # type: ignore[arg-type]

    (change,) = planned(there(tmp_path, *lines), both).changes()
    assert change.title.count("Guard") == 2
    assert isinstance(change.action, WriteFile)
    assert change.action.content.count(b"# END x11fwd") == 2


def test_the_guarded_line_keeps_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / ".bashrc"
    path.write_bytes(b"export X='\xff'\n  export DISPLAY=:0\t# \xe9\r\necho\x0cx\n")
    write(planned(there(tmp_path, StartLine(str(path), 2, "DISPLAY", ":0", "")), guard_display))
    text = path.read_bytes()
    assert b"\n  export DISPLAY=:0\t# \xe9\r\n" in text
    assert text.startswith(b"export X='\xff'\n")
    assert text.endswith(b"echo\x0cx\n")


def test_two_names_of_one_file_are_changed_once_and_the_link_is_spoken_of(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    real = tmp_path / "dotfiles/profile"
    real.write_text("export DISPLAY=:0\n", encoding="utf-8")
    for name in (".profile", ".bash_profile"):
        (tmp_path / name).symlink_to("dotfiles/profile")
    lines = [
        StartLine(str(tmp_path / name), 1, "DISPLAY", ":0", "") for name in (".bash_profile", ".profile")
    ]
    (change,) = planned(there(tmp_path, *lines), guard_display).changes()
    assert change.note == "it is a link; the file that it leads to is changed"


MIXED = {
    "export A=1 DISPLAY=:0\n": 1,
    "f() {\n  unset DISPLAY\n}\n": 2,
    "cat <<E\nexport DISPLAY=:0\nE\n": 2,
}


@pytest.mark.parametrize("text", MIXED)
def test_what_cannot_be_guarded_is_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / ".bashrc"
    path.write_text(text, encoding="utf-8")
    ground = planned(there(tmp_path, StartLine(str(path), MIXED[text], "DISPLAY", ":0", "")), guard_display)
    assert ground.changes() == ()
    (note,) = ground.notes
    assert note.startswith(f"~/.bashrc:{MIXED[text]} is left alone: it does more than to set DISPLAY")


def test_files_that_are_not_the_users_or_no_shells_are_named(tmp_path: Path) -> None:
    environment = tmp_path / ".ssh/environment"
    lines = (
        StartLine("/etc/profile.d/x.sh", 3, "DISPLAY", ":0", ""),
        StartLine(str(environment), 1, "DISPLAY", ":0", ""),
    )
    ground = planned(there(tmp_path, *lines), guard_display)
    assert ground.changes() == ()
    assert ground.notes == [
        "/etc/profile.d/x.sh:3 sets DISPLAY for everybody here; only an administrator can change it",
        "~/.ssh/environment:1 sets DISPLAY, and no condition can stand in such a file: delete the line",
    ]


def test_a_write_protected_file_and_one_of_somebody_else_are_left_alone(tmp_path: Path) -> None:
    for words, reason in (
        ("own closed file", "it is write-protected"),
        ("other open file", "it belongs to somebody else"),
    ):
        path = tmp_path / ".bashrc"
        path.write_text("export DISPLAY=:0\n", encoding="utf-8")
        first = there(tmp_path, StartLine(str(path), 1, "DISPLAY", ":0", ""))
        guard_display(first)
        (look,) = first.questions.commands
        answers = type(first.answers)(
            {str(path): path.read_bytes()}, {look: CommandAnswer(0, f"{words} 77 {path}\n")}
        )
        ground = first.knowing(answers)
        guard_display(ground)
        assert ground.changes() == ()
        assert ground.notes == [f"~/.bashrc is left alone: {reason}"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_write_protected_file_is_seen_as_such(tmp_path: Path) -> None:
    path = tmp_path / ".bashrc"
    path.write_text("export DISPLAY=:0\n", encoding="utf-8")
    path.chmod(0o444)
    ground = planned(there(tmp_path, StartLine(str(path), 1, "DISPLAY", ":0", "")), guard_display)
    assert ground.notes == ["~/.bashrc is left alone: it is write-protected"]
