"""Root's rights: what starts a run, where the password is and is not, and what sudo's words mean."""

from __future__ import annotations

import pytest

from x11fwd.facts.model import Privilege, PrivilegeKind
from x11fwd.steps.privilege import NoRightsError, WrongPasswordError, boot, refusal

SECRET = "correct horse"


@pytest.mark.parametrize(
    ("kind", "become", "word"),
    [
        (PrivilegeKind.ROOT, True, "root"),
        (PrivilegeKind.SUDO, True, "sudo"),
        (PrivilegeKind.SUDO_PASSWORD, True, "sudo-password"),
        (PrivilegeKind.DOAS, True, "doas"),
        (PrivilegeKind.SUDO_PASSWORD, False, "root"),
        (PrivilegeKind.NONE, False, "root"),
    ],
)
def test_rights_are_taken_only_where_they_are_wanted(kind: PrivilegeKind, become: bool, word: str) -> None:
    start = boot("n0nce", Privilege(kind), become=become, password=SECRET)
    assert start.argv[3:6] == ("x11fwd", "n0nce", word)


def test_the_password_is_the_first_line_of_standard_input_and_nowhere_else() -> None:
    start = boot("n0nce", Privilege(PrivilegeKind.SUDO_PASSWORD), become=True, password=SECRET)
    assert start.preamble == f"{SECRET}\n@n0nce begin\n".encode()
    assert not [word for word in start.argv if SECRET in word]
    assert SECRET not in repr(start)


def test_a_password_nobody_needs_is_not_sent() -> None:
    for kind, become in ((PrivilegeKind.SUDO, True), (PrivilegeKind.SUDO_PASSWORD, False)):
        assert SECRET.encode() not in boot("n", Privilege(kind), become=become, password=SECRET).preamble


def test_without_any_way_the_reason_is_told() -> None:
    with pytest.raises(NoRightsError, match="sorry, you must have a tty"):
        boot("n", Privilege(PrivilegeKind.NONE, "sudo: sorry, you must have a tty to run sudo"), become=True)


@pytest.mark.parametrize(
    ("words", "asked", "kind"),
    [
        ("sudo: 1 incorrect password attempt", True, WrongPasswordError),
        (
            "Sorry, try again.\nsudo: no password was provided\nsudo: 1 incorrect password attempt",
            True,
            WrongPasswordError,
        ),
        ("sudo: Authentication failed, try again.", True, WrongPasswordError),
        ("ben is not in the sudoers file.", True, NoRightsError),
        ("Sorry, user ben may not run sudo on gpu1.", True, NoRightsError),
        ("Sorry, user ana is not allowed to execute '/bin/sh -c x' as root on gpu1.", True, NoRightsError),
        ("sudo: sorry, you must have a tty to run sudo", True, NoRightsError),
        ("sudo: a password is required", False, NoRightsError),
        ("doas: a tty is required\ndoas: Operation not permitted", False, NoRightsError),
        (
            'sudo: The "no new privileges" flag is set, which prevents sudo from running as root.',
            True,
            NoRightsError,
        ),
    ],
)
def test_what_sudo_says_is_understood(words: str, asked: bool, kind: type[Exception]) -> None:
    error = refusal("gpu1", words, asked=asked)
    assert type(error) is kind
    assert "gpu1" in error.message


def test_words_nobody_knows_are_passed_on() -> None:
    error = refusal("gpu1", "sudo: account is locked by the moon\n", asked=True)
    assert error.message == "sudo could not be used on gpu1: sudo: account is locked by the moon"
    assert not isinstance(error, NoRightsError | WrongPasswordError)
