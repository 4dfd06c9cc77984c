"""Our own long options among ssh's."""

from __future__ import annotations

import subprocess
import sys

import pytest

from x11fwd.pipeline.ssh_session import _own_options, main


@pytest.mark.parametrize(
    ("words", "rest", "via"),
    [
        ("--via bridge host ls", "host ls", "bridge"),
        ("-v --via=native -p 22 host", "-v -p 22 host", "native"),
        ("-vp 22 --via auto host", "-vp 22 host", "auto"),
        ("-p22 --via bridge host", "-p22 host", "bridge"),
        ("-l --via host", "-l --via host", None),  # somebody's name
        ("host --via bridge", "host", "bridge"),  # ssh reads options there, too, and knows no long ones
        ("-v host -t --via bridge ls --via x", "-v host -t ls --via x", "bridge"),
        ("host ls --via bridge", "host ls --via bridge", None),  # the command's own
        ("host -- --via bridge", "host -- --via bridge", None),
        ("-o A=b -- host", "-o A=b -- host", None),
        ("-- --via", "-- --via", None),
        ("host", "host", None),
        ("--via", "", ""),
        ("--other host", "--other host", None),
    ],
)
def test_via_is_taken_out_wherever_ssh_reads_options(words: str, rest: str, via: str | None) -> None:
    assert _own_options(words.split()) == (tuple(rest.split()), via, None)


@pytest.mark.parametrize(
    ("words", "rest", "nodes"),
    [
        ("--nodes login -- srun --nodes 2 a", "login -- srun --nodes 2 a", "yes"),
        ("-v --nodes=10.1.0.1 -p 22 login", "-v -p 22 login", "10.1.0.1"),
        ("--nodes= login", "login", ""),
        ("login --nodes srun a", "login srun a", "yes"),
        ("login -- srun --nodes", "login -- srun --nodes", None),
    ],
)
def test_so_is_nodes_which_takes_its_name_behind_an_equals_sign_only(
    words: str, rest: str, nodes: str | None
) -> None:
    assert _own_options(words.split()) == (tuple(rest.split()), None, nodes)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--nodes=a;b login", "no name of a computer"),
        ("--nodes= login", "no name of a computer"),
        ("--nodes=-x login", "no name of a computer"),
        ("--nodes --via native login", "leave out --via native"),
    ],
)
def test_names_that_no_display_can_hold_are_refused(
    words: str, sentence: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(words.split()) == 255
    assert sentence in capfd.readouterr().err


def test_help_is_asked_for_before_the_target_only() -> None:
    assert _own_options(["-v", "--help"])[0] is None
    assert _own_options(["host", "--help"])[0] == ("host", "--help")


TIDY = [
    "x11fwd.cli.streams import open_closed_streams as tidy",
    "x11fwd.pipeline.ssh_session import _tidy_descriptors as tidy",
]


@pytest.mark.parametrize("closed", [0, 1, 2])
@pytest.mark.parametrize("where", TIDY, ids=["at the start", "before ssh"])
def test_a_stream_that_the_caller_had_closed_is_there_for_ssh_too(where: str, closed: int) -> None:
    """Or the first file that a script in ssh's place opens becomes its standard stream."""
    seen = 2 if closed != 2 else 1
    program = (
        f"import os; from {where}\nos.close({closed}); tidy()\n"
        f"os.execv('/bin/sh', ['sh', '-c', 'test -w /dev/fd/{closed} && echo there >&{seen}'])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=120, check=False)
    assert b"there" in done.stdout + done.stderr
