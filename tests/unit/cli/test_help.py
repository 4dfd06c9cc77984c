"""Help that is worth reading: every command has a sentence, its options and examples that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.unit.golden import assert_golden
from x11fwd.cli import main

HERE = Path(__file__).parent


def listed(capfd: pytest.CaptureFixture[str]) -> list[str]:
    main(["--help"])
    text = capfd.readouterr().out.partition("Commands:")[2].partition("Examples:")[0]
    return re.findall(r"^  ([a-z]+)  ", text, re.MULTILINE)


@pytest.fixture
def commands(capfd: pytest.CaptureFixture[str]) -> list[str]:
    return listed(capfd)


def test_the_help_reads_as_it_was_accepted(capfd: pytest.CaptureFixture[str], commands: list[str]) -> None:
    for words in ([], *([command] for command in commands if command != "ssh")):
        main([*words, "--help"])
        assert_golden(HERE, f"help{''.join(f'-{word}' for word in words)}.txt", capfd.readouterr().out)


def test_every_command_has_examples_of_itself(capfd: pytest.CaptureFixture[str], commands: list[str]) -> None:
    for command in commands:
        main([command, "--help"])
        assert f"x11fwd {command}" in capfd.readouterr().out.partition("\n")[2], command


def test_no_line_of_help_is_wider_than_80(capfd: pytest.CaptureFixture[str], commands: list[str]) -> None:
    for words in (*([command] for command in commands), ["playbook", "export"]):
        main([*words, "--help"])
        assert [line for line in capfd.readouterr().out.splitlines() if len(line) > 80] == []


def test_every_option_in_an_example_exists(capfd: pytest.CaptureFixture[str], commands: list[str]) -> None:
    for command in commands:
        if command == "ssh":
            continue  # its options are ssh's
        main([command, "--help"])
        text, _, examples = capfd.readouterr().out.partition("Examples:")
        options = set(re.findall(r"(?<![\w-])(--?[A-Za-z][a-z-]*)", text))
        for line in examples.splitlines():
            if f"x11fwd {command}" not in line:
                continue
            ours = line[line.index("x11fwd") :].partition(" -- ")[0]  # behind that stands another program
            typed = re.split(r"\||  +(?!x11fwd)", ours.strip())[0]
            used = [word.partition("=")[0] for word in shlex.split(typed) if word[:1] == "-" < word]
            assert set(used) <= options, line
