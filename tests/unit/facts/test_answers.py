"""The wire format of the probes, and the small parsers."""

from __future__ import annotations

import pytest

from x11fwd.errors import ProbeError
from x11fwd.facts.answers import Text, parse_answers
from x11fwd.facts.listing import Listing, parse_listing
from x11fwd.facts.model import Unknown
from x11fwd.facts.os_release import parse_os_release


def test_values_texts_and_reasons_are_told_apart() -> None:
    data = b"=a\tone\n=a\ttwo\n+b\t/etc/x\n|first\n||second\n|\n?c\tneeds root\n=d\t\n.mark\n"
    answers = parse_answers(data, "mark")
    assert answers.all("a") == ("one", "two")
    assert answers.first("d") is None
    assert answers.all_texts("b") == (Text("/etc/x", "first\n|second\n"),)
    assert answers.why("c") == Unknown("needs root")
    assert answers.why("a") is None


def test_a_value_may_hold_tabs_and_bytes_that_are_no_utf8() -> None:
    answers = parse_answers(b"=a\tx\ty\xff\n.mark\n", "mark")
    assert answers.first("a") == "x\ty\udcff"


def test_foreign_lines_in_between_are_passed_over() -> None:
    answers = parse_answers(b"sudo: unable to resolve host\n=a\tb\n+t\t\n|x\nnoise\n|lost\n.mark\n", "mark")
    assert answers.first("a") == "b"
    assert answers.text("t") == "x"


@pytest.mark.parametrize("data", [b"", b"=a\tb\n", b"=a\tb\n.other\n", b"=a\tb\n.mar"])
def test_an_answer_without_its_end_is_never_taken_for_a_whole_one(data: bytes) -> None:
    with pytest.raises(ProbeError):
        parse_answers(data, "mark")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("-rw------- 1 ana ana 49 Nov 21 00:27 /home/ana/.Xauthority", Listing("-", 0o600, "ana")),
        ("drwxr-x---+ 29 ana staff 928 Nov 21 00:27 /Users/ana", Listing("d", 0o750, "ana")),
        ("drwx------. 3 1003 1003 95 Nov 20 09:12 /home/ana", Listing("d", 0o700, "1003")),
        ("drwxr-sr-t 2 ana ana 40 Nov 20 09:12 /x", Listing("d", 0o3755, "ana")),
        ("-rwSr--r-- 1 a a 0 Nov 20 09:12 /x", Listing("-", 0o4644, "a")),
        ("", None),
        ("ls: cannot access", None),
    ],
)
def test_a_line_of_ls_gives_kind_mode_and_owner(line: str, expected: Listing | None) -> None:
    assert parse_listing(line) == expected


def test_os_release_is_read_as_a_shell_would() -> None:
    text = (
        'ID=debian\nNAME="Debian \\"GNU\\""\n# ID=no\nVERSION_ID=\'12\'\n'
        'broken\nPRETTY_NAME="never closed\nID=ubuntu\n=x\n'
    )
    found = parse_os_release(text)
    assert found == {
        "ID": "ubuntu",
        "NAME": 'Debian "GNU"',
        "VERSION_ID": "12",
        "PRETTY_NAME": "never closed",
    }
