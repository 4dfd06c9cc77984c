"""Marked blocks, and that every cure is about a finding of the table."""

from __future__ import annotations

from x11fwd.checks import CHECKS
from x11fwd.checks.report import Side
from x11fwd.steps.cures import CURES, Machine
from x11fwd.steps.cures.blocks import has_block, in_blocks, lines_of, on_top, without


def test_a_block_on_top_is_replaced_and_taken_out_again() -> None:
    for text in ("", "a\nb", "#!/bin/sh\nb\n", "#!/bin/sh"):
        once = on_top(text, "x", "1")
        twice = on_top(once, "x", "2")
        assert has_block(once, "x")
        assert not has_block(once, "x1")
        assert twice.count("BEGIN x11fwd x ") == 1
        assert without(twice, "x").rstrip("\n") == text.rstrip("\n")


def test_a_block_without_its_end_is_not_cut() -> None:
    text = "# BEGIN x11fwd x (\na\n"
    assert without(text, "x") == text


def test_lines_end_in_line_feeds_alone() -> None:
    assert lines_of("a\r\nb\x0cc\u2028\n") == ["a\r\n", "b\x0cc\u2028\n"]
    assert [*in_blocks("a\n  # BEGIN x11fwd x (\nb\n  # END x11fwd x\nc\n")] == [
        False,
        True,
        True,
        True,
        False,
    ]


def test_each_cure_is_about_a_finding_of_its_side() -> None:
    sides = {check.id: check.side for check in CHECKS}
    for name, cure in CURES.items():
        assert (sides[name] is Side.LOCAL) == (cure.machine is Machine.HERE), name
