"""How often each command waits for the far side, counted on the wire by a relay: never timed, never noisy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lab.hosts import ChrootHost, Setup
from tests.lab.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.lab.person import Person

DELAY = 0.02  # seconds each way; what is sent without waiting arrives in one flight


@pytest.fixture(scope="module")
def far_host(lab: object) -> Iterator[tuple[ChrootHost, Relay]]:
    setup = Setup(x11_forwarding=True, sudo="ana ALL=(ALL) NOPASSWD: ALL")
    with ChrootHost("bookworm", "plot", setup) as host, Relay(host.port, delay=DELAY) as relay:
        yield host, relay


@pytest.fixture
def trips(far_host: tuple[ChrootHost, Relay], person: Person) -> Callable[..., int]:
    """Run a command to its end and say how many round trips it took on the wire, login included."""
    host, relay = far_host
    person.alias("far", host, port=relay.port)

    def count(*argv: str) -> int:
        before = relay.counts().round_trips
        ran = person.run(argv, timeout=120)
        assert ran.rc == 0, ran.stdout + ran.stderr
        return relay.counts().round_trips - before

    return count


def test_ssh_waits_exactly_as_often_as_plain_ssh(trips: Callable[..., int], person: Person) -> None:
    # a packet that comes in two pieces on a busy machine looks like one wait more
    ours, plain = (
        min(trips(*argv) for _ in range(3))
        for argv in (person.x11fwd("ssh", "far", "true"), ["ssh", "-X", "far", "true"])
    )
    assert ours == plain


@pytest.mark.parametrize(
    ("words", "more"),
    [
        pytest.param(["doctor"], 2, id="doctor: all its facts in two"),
        pytest.param(["setup", "--yes"], 3, id="setup of a host that is set up: three"),
        pytest.param(["undo", "--yes"], 3, id="undo with nothing to take back: three"),
    ],
)
def test_after_login_a_command_waits_no_more_than_this(
    trips: Callable[..., int], person: Person, words: list[str], more: int
) -> None:
    login = trips("ssh", "far", "true")
    assert min(trips(*person.x11fwd(*words, "far")) for _ in range(2)) <= login + more


@pytest.mark.parametrize("words", [["doctor"], ["setup", "--yes"]], ids=" ".join)
def test_the_system_ssh_adds_one_wait_per_question_and_the_check_for_an_open_master(
    trips: Callable[..., int], person: Person, words: list[str]
) -> None:
    login = trips("ssh", "far", "true")
    assert trips(*person.x11fwd(*words, "--transport", "openssh", "far")) <= login + 5
