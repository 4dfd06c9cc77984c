"""Our own long options among ssh's."""

from __future__ import annotations

import pytest

from x11fwd.pipeline.ssh_session import _own_options


@pytest.mark.parametrize(
    ("words", "rest", "via"),
    [
        ("--via bridge host ls", "host ls", "bridge"),
        ("-v --via=native -p 22 host", "-v -p 22 host", "native"),
        ("-vp 22 --via auto host", "-vp 22 host", "auto"),
        ("-p22 --via bridge host", "-p22 host", "bridge"),
        ("-l --via host", "-l --via host", None),  # somebody's name
        ("host --via bridge", "host --via bridge", None),  # the command's own
        ("-o A=b -- host", "-o A=b -- host", None),
        ("-- --via", "-- --via", None),
        ("host", "host", None),
        ("--via", "", ""),
        ("--other host", "--other host", None),
    ],
)
def test_via_is_taken_out_wherever_it_stands_before_the_target(
    words: str, rest: str, via: str | None
) -> None:
    assert _own_options(words.split()) == (tuple(rest.split()), via)


def test_help_is_asked_for_before_the_target_only() -> None:
    assert _own_options(["-v", "--help"])[0] is None
    assert _own_options(["host", "--help"])[0] == ("host", "--help")
