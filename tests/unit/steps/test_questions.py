"""Questions beyond the facts: asked by a real shell, in one round trip."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from x11fwd.errors import ProbeError
from x11fwd.facts.model import Unknown
from x11fwd.steps.questions import SCRIPT, Answers, CommandAnswer, Questions, ask, read_answers
from x11fwd.transports.local import LocalTransport

if TYPE_CHECKING:
    from pathlib import Path

SHELLS = [
    shell
    for shell in (["dash"], ["bash", "--posix"], ["busybox", "sh"], ["ksh"], ["zsh"])
    if shutil.which(shell[0])
]


def test_files_and_commands_are_answered_in_one_round_trip(tmp_path: Path) -> None:
    data = bytes(range(256)) + b"\n\n"
    (tmp_path / "a file").write_bytes(data)
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "link").symlink_to("a file")
    (tmp_path / "dangling").symlink_to("nowhere")
    names = ("a file", "empty", "link", "dangling", "none", "not/there/at all", ".")
    files = tuple(str(tmp_path / name) for name in names)
    commands = (
        ("printf", "%s|", "a b", "*", "$HOME", ""),
        ("sh", "-c", "exit 3"),
        ("no-such-program",),
        ("cat",),
    )
    local = LocalTransport()
    answers = ask(local, Questions(files, commands))
    assert local.round_trips == 1
    assert [answers.files[file] for file in files] == [
        data,
        b"",
        data,
        None,
        None,
        None,
        Unknown("it is a directory"),
    ]
    assert [answers.commands[argv] for argv in commands] == [
        CommandAnswer(0, "a b|*|$HOME||"),
        CommandAnswer(3, ""),
        CommandAnswer(127, ""),
        CommandAnswer(0, ""),  # standard input is empty, not ours
    ]


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_every_shell_that_may_be_sh_answers_alike(shell: list[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x\x00y\n")
    words = ["f", str(tmp_path / "file"), "c", "3", "printf", "%s-", "a b", "f", str(tmp_path / "none")]
    ran = subprocess.run(
        [*shell, "-s", "--", "", *words], input=SCRIPT.encode(), capture_output=True, check=True, timeout=120
    )
    asked = Questions((str(tmp_path / "file"), str(tmp_path / "none")), (("printf", "%s-", "a b"),))
    lines = ran.stdout.decode().splitlines()
    answers = read_answers(asked, "\n".join((lines[0], lines[2], lines[1])))
    assert answers.files[str(tmp_path / "file")] == b"x\x00y\n"
    assert answers.files[str(tmp_path / "none")] is None
    assert answers.commands["printf", "%s-", "a b"] == CommandAnswer(0, "a b-")


def test_no_question_costs_no_round_trip() -> None:
    local = LocalTransport()
    assert ask(local, Questions()) == Answers()
    assert local.round_trips == 0


def test_too_few_answers_are_an_error() -> None:
    with pytest.raises(ProbeError, match="answered 0 of 1"):
        read_answers(Questions(("/x",)), "Welcome!\n")


def test_garbled_answers_are_unknown() -> None:
    assert read_answers(Questions(("/x",)), "x11fwd file %%%\n").files["/x"] == Unknown(
        "the answer came back garbled"
    )
