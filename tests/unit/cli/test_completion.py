"""Completion in bash, zsh and fish: installed by the program itself, asked in the real shells."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An empty home, and the program under its own name in PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "x11fwd"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m x11fwd "$@"\n')
    program.chmod(0o755)
    return {
        "HOME": str(tmp_path),
        "PATH": f"{folder}:/usr/bin:/bin",
        "TERM": "dumb",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "LC_ALL": "C.UTF-8",
    }


def completed(environment: dict[str, str], **asked: str) -> str:
    """What the program answers to a shell's question."""
    done = subprocess.run(
        ["x11fwd"], env={**environment, **asked}, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.stdout


def bash(environment: dict[str, str], line: str) -> list[str]:
    words = line.split(" ")
    return completed(
        environment, _X11FWD_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1)
    ).split()


def test_commands_are_offered(environment: dict[str, str]) -> None:
    heart = ["doctor", "setup", "ssh", "verify", "undo", "explain"]
    more = ["run", "jupyter", "watch", "show", "render", "demo", "playbook"]
    assert bash(environment, "x11fwd ") == heart + more


def test_pages_are_offered_for_explain(environment: dict[str, str]) -> None:
    assert bash(environment, "x11fwd explain remote-x") == ["remote-xauth-missing"]


def test_ids_are_offered_for_only(environment: dict[str, str]) -> None:
    assert (
        bash(environment, "x11fwd doctor --only sshd-x")
        == ["sshd-xauthlocation", "sshd-x11forwarding-no"][::-1]
    )


def test_transports_and_playbooks_are_offered(environment: dict[str, str]) -> None:
    assert bash(environment, "x11fwd doctor --transport ") == ["auto", "paramiko", "openssh"]
    assert bash(environment, "x11fwd setup --playbook ") == ["default", "qt"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_program_installs_its_completion_for_the_shell_it_runs_in(
    environment: dict[str, str], shell: str
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    # the second command keeps the shell from becoming the first one
    done = subprocess.run(
        [shell, "-c", "x11fwd --install-completion; echo done"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "completion installed" in done.stdout, done.stderr
    scripts = {
        "bash": """
            . ~/.bashrc
            complete -p x11fwd
            COMP_WORDS=(x11fwd doc) COMP_CWORD=1
            $(complete -p x11fwd | sed 's/.*-F \\([^ ]*\\).*/\\1/') x11fwd doc x11fwd
            echo "${COMPREPLY[@]}"
        """,
        "zsh": """
            . ~/.zshrc 2>/dev/null
            autoload -Uz compinit && compinit -u -D
            echo ${_comps[x11fwd]}
            _TYPER_COMPLETE_ARGS='x11fwd doc' _X11FWD_COMPLETE=complete_zsh x11fwd
        """,
        "fish": "complete -C 'x11fwd doc'",
    }
    asked = subprocess.run(
        [shell, "-c", scripts[shell]], env=environment, capture_output=True, text=True, check=False
    )
    assert "doctor" in asked.stdout, asked.stdout + asked.stderr
    if shell != "fish":
        assert "x11fwd" in asked.stdout.splitlines()[0]
