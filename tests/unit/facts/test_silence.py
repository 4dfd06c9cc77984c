"""What answers instead of our commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from x11fwd.errors import ConnectionLost, ProbeError
from x11fwd.facts.silence import SilenceFacts, gather_silence
from x11fwd.transports.base import CommandResult, X11Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

REMARKS = ("authorized_keys:1: key options: command",)


class Odd:
    """A transport whose answer to one more question is given."""

    x11 = X11Outcome(True, True, REMARKS)

    def __init__(self, answer: Callable[[bytes], CommandResult]) -> None:
        self._answer = answer

    def run(self, argv: object, *, stdin: bytes = b"", timeout: float = 60.0) -> CommandResult:
        return self._answer(stdin)


def echoes(stdin: bytes) -> CommandResult:
    """A shell that takes standard input for commands."""
    word = stdin.decode().removeprefix("echo ").replace("''", "").strip()
    raise ProbeError("no mark", said=f"$ {word}\n")


def repeats(stdin: bytes) -> CommandResult:
    """A program that only repeats what it reads."""
    raise ProbeError("no mark", said=stdin.decode())


def dies(_stdin: bytes) -> CommandResult:
    raise ConnectionLost("gone")


def behaves(_stdin: bytes) -> CommandResult:
    return CommandResult(0)


@pytest.mark.parametrize(
    ("answer", "reads"), [(echoes, True), (repeats, False), (dies, False), (behaves, False)]
)
def test_only_a_shell_that_runs_its_input_is_called_one(
    answer: Callable[[bytes], CommandResult], reads: bool
) -> None:
    facts = gather_silence(Odd(answer), ProbeError("no mark", said="Welcome\n"))  # type: ignore[arg-type]
    assert facts == SilenceFacts("Welcome\n", reads, REMARKS)
