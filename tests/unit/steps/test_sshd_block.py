"""The lines that are ours in sshd's files; everybody else's stay byte for byte."""

from __future__ import annotations

import pytest

from x11fwd.steps.sshd_block import BEGIN, BEGIN_MATCH, END, drop_in_text, main_text, user_pattern

YES = (("X11Forwarding", "yes"),)
BLOCK = f"{BEGIN}\nX11Forwarding yes\n{END}\n"
MATCH = f"{BEGIN_MATCH}\nMatch User ana\n    X11Forwarding yes\nMatch all\n{END}\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Port 22\n",
        "Port 22",
        "Port 22\r\nX11Forwarding no\r\n",
        "\n\n# x\n\n",
        "Match User bob\n  X11Forwarding no\n",
    ],
)
def test_the_global_block_stands_at_the_top_and_the_rest_is_untouched(text: str) -> None:
    after = main_text(text, YES, None)
    assert after == BLOCK + text
    assert main_text(after, YES, None) == after


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("Port 22\n", f"Port 22\n{MATCH}"),
        ("Port 22", f"Port 22\n{MATCH}"),
        ("Port 22\nMatch User bob\n  Banner /x\n", f"Port 22\n{MATCH}Match User bob\n  Banner /x\n"),
        ("Port 22\n  match  all\nBanner /x", f"Port 22\n{MATCH}  match  all\nBanner /x"),
        ("", MATCH),
    ],
)
def test_the_match_block_stands_behind_the_global_lines_and_before_any_other_match(
    text: str, after: str
) -> None:
    assert main_text(text, YES, "ana") == after
    assert main_text(after, YES, "ana") == after


def test_a_second_user_gets_a_block_beside_the_first() -> None:
    first = drop_in_text(None, YES, "ana")
    second = drop_in_text(first, YES, "bob")
    assert second == first + "Match User bob\n    X11Forwarding yes\n"
    assert drop_in_text(second, YES, "ana") == second


def test_an_option_for_everybody_joins_the_users_blocks() -> None:
    both = drop_in_text(drop_in_text(None, YES, "ana"), YES, None)
    assert both.splitlines()[1:] == ["X11Forwarding yes", "Match User ana", "    X11Forwarding yes"]


def test_what_only_works_globally_never_stands_in_a_match_block() -> None:
    text = drop_in_text(None, (*YES, ("XAuthLocation", "/opt/xauth")), "ana")
    assert text.splitlines()[1:] == ["XAuthLocation /opt/xauth", "Match User ana", "    X11Forwarding yes"]


def test_another_value_takes_the_place_of_the_old_one() -> None:
    text = drop_in_text("x11forwarding no\n", YES, None)
    assert text.splitlines()[1:] == ["X11Forwarding yes"]


def test_a_block_without_its_end_is_left_to_whoever_broke_it() -> None:
    text = f"{BEGIN}\nX11Forwarding no\nPort 22\n"
    assert main_text(text, YES, None) == BLOCK + text


@pytest.mark.parametrize(
    ("user", "pattern"),
    [
        ("ana", "ana"),
        ("ana.b-c@corp", "ana.b-c@corp"),
        ("CORP\\ana", "CORP?ana"),
        ("a b", None),
        ("a*", None),
        ("a,b", None),
        ("!a", None),
        ("", None),
    ],
)
def test_a_login_name_is_a_pattern_or_is_refused(user: str, pattern: str | None) -> None:
    assert user_pattern(user) == pattern
