"""The backend line of a matplotlibrc: found as matplotlib finds it, changed without touching the rest."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from x11fwd.facts.matplotlibrc import BackendLine, find_backend, set_backend

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "value", "number"),
    [
        ("backend: TkAgg\n", "TkAgg", 1),
        ("  backend  :  TkAgg   # mine\n", "TkAgg", 1),
        ("backend:TkAgg", "TkAgg", 1),
        ('backend: "TkAgg"\n', "TkAgg", 1),
        ("# a\nbackend: Agg\nlines.color: r\nbackend: TkAgg\n", "TkAgg", 4),
        ("backend: TkAgg\r\n", "TkAgg", 1),
        ("backend:\n", "", 1),
        ("backend: module://my_backend\n", "module://my_backend", 1),
        ('backend: "a#b" # c\n', "a#b", 1),
    ],
)
def test_the_last_backend_line_counts(text: str, value: str, number: int) -> None:
    found = find_backend(text)
    assert found is not None
    assert (found.value, found.number) == (value, number)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#backend: TkAgg\n",
        "# backend: TkAgg",
        "backend_fallback: True\n",
        "backend TkAgg\n",
        "a.backend: b\n",
    ],
)
def test_a_commented_out_or_other_key_is_no_backend_line(text: str) -> None:
    assert find_backend(text) is None


def test_the_line_is_given_as_it_stands() -> None:
    assert find_backend("\n  backend: Agg  # batch\n") == BackendLine(2, "Agg", "backend: Agg  # batch")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "backend: TkAgg\n"),
        ("a: b\n", "a: b\nbackend: TkAgg\n"),
        ("a: b", "a: b\nbackend: TkAgg\n"),
        ("a: b\r\n", "a: b\r\nbackend: TkAgg\r\n"),
        ("a: b\r\nc: d", "a: b\r\nc: d\r\nbackend: TkAgg\r\n"),
        ("#backend: Agg\n", "#backend: Agg\nbackend: TkAgg\n"),
        ("backend: Agg\n", "backend: TkAgg\n"),
        ("backend: Agg", "backend: TkAgg"),
        ("backend:Agg # x\r\nb: c\r\n", "backend: TkAgg # x\r\nb: c\r\n"),
        ("  backend  :   Agg\n", "  backend  :   TkAgg\n"),
        ("backend: Agg#x\n", "backend: TkAgg #x\n"),
        ("backend:\n", "backend: TkAgg\n"),
        ("backend: # none\n", "backend: TkAgg # none\n"),
        ("backend: Agg\nb: c\nbackend: Qt5Agg\n", "backend: Agg\nb: c\nbackend: TkAgg\n"),
        ('backend: "Agg"\n', "backend: TkAgg\n"),
        ("backend: TkAgg # ours already\n", "backend: TkAgg # ours already\n"),
        ("a: b\x0cc\nd: e\n", "a: b\x0cc\nd: e\nbackend: TkAgg\n"),
        ("a: \udcff\nbackend: Agg\n", "a: \udcff\nbackend: TkAgg\n"),
        ("a: b\rbackend: Agg\r", "a: b\rbackend: TkAgg\r"),
    ],
)
def test_only_the_backend_line_changes(before: str, after: str) -> None:
    assert set_backend(before, "TkAgg") == after
    assert set_backend(after, "TkAgg") == after, "a second time changes nothing"


def test_whatever_the_text_the_backend_is_set_and_every_other_line_stays() -> None:
    chooser = random.Random(7)
    pieces = ["backend", ":", " ", "#", "\n", "\r\n", "Agg", '"', "\t", "x: y", "ä", "\x0b"]
    for _ in range(3000):
        before = "".join(chooser.choice(pieces) for _ in range(chooser.randrange(14)))
        after = set_backend(before, "TkAgg")
        found = find_backend(after)
        assert found is not None, repr(before)
        assert found.value == "TkAgg", repr(before)
        old = find_backend(before)
        kept = before.splitlines(keepends=True)
        changed = [line for line in after.splitlines(keepends=True) if line not in kept]
        assert len(changed) <= (1 if old or not kept or kept[-1].endswith(("\n", "\r")) else 3), repr(before)
        assert set_backend(after, "TkAgg") == after


def test_matplotlib_itself_reads_it_the_same_way(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    chooser = random.Random(11)
    pieces = [
        "backend:",
        "\n",
        " ",
        "#",
        "Agg",
        "TkAgg",
        "svg",
        "lines.linewidth: 2",
        "\r\n",
        "#backend: pdf",
    ]
    for number in range(300):
        text = "".join(chooser.choice(pieces) for _ in range(chooser.randrange(9)))
        path = tmp_path / f"rc{number}"
        path.write_bytes(text.encode())
        settings = matplotlib.rc_params_from_file(str(path), use_default_template=False)
        ours = find_backend(text)
        theirs = dict(settings).get("backend") if "backend" in settings else None
        if theirs is not None:  # matplotlib drops a value that it does not know
            assert ours is not None, repr(text)
            assert ours.value.lower() == str(theirs).lower(), repr(text)
        elif ours is not None:
            assert ours.value.lower() not in {"agg", "tkagg", "svg"}, repr(text)
