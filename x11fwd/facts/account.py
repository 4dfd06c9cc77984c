"""The user's account on the remote: start files, terminals that outlive a login, cookies; for facts/parse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from x11fwd.facts.answers import Answers

__all__ = ["AccountFacts", "parse_account"]


@dataclass(frozen=True)
class AccountFacts:
    """What the user's own files and running programs do to DISPLAY and its cookie."""


def parse_account(answers: Answers) -> AccountFacts:
    """From the answers of probe/26-account.sh."""
    del answers
    return AccountFacts()
