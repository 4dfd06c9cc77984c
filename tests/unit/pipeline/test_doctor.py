"""doctor's line: what runs beside what, and whose failure is told."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from tests.unit.checks.seen import healthy
from x11fwd.errors import ConnectError
from x11fwd.facts.client import ClientFacts
from x11fwd.facts.place import PlaceFacts
from x11fwd.pipeline.doctor import DoctorOptions, run_doctor
from x11fwd.target import SshConfig, parse_target
from x11fwd.transports.base import X11Offer, X11Outcome, offered
from x11fwd.transports.fake import FakeTransport

if TYPE_CHECKING:
    from collections.abc import Callable

    from x11fwd.facts.model import LocalFacts, RemoteFacts
    from x11fwd.target import Target
    from x11fwd.transports.base import HostKeyQuestion, Prompter, Transport

LIMIT = 90.0  # seconds that one half waits for the other before the test fails
OFFER = X11Offer(":0")


class Nobody:
    """A prompter that is never asked."""

    def accept_host_key(self, question: HostKeyQuestion) -> bool:
        raise AssertionError(question)

    def secret(self, prompt: str) -> str | None:
        raise AssertionError(prompt)

    def visible(self, prompt: str) -> str | None:
        raise AssertionError(prompt)

    def notice(self, text: str) -> None:
        raise AssertionError(text)


@dataclass
class Halves:
    """Both machines healthy; each half can be told to wait for the other, or to fail."""

    connecting: threading.Event = field(default_factory=threading.Event)
    trouble_here: Exception | None = None
    trouble_there: Exception | None = None
    offered: X11Offer | None = None

    def gather_local(self, target: Target | None) -> LocalFacts:
        assert target is None or self.connecting.wait(LIMIT), "the login waits for this machine's facts"
        if self.trouble_here:
            raise self.trouble_here
        return healthy().local

    def make_offer(self, local: LocalFacts) -> X11Offer | None:
        return OFFER

    def connect(
        self,
        target: Target,
        prompter: Prompter,
        choice: str,
        x11: X11Offer | Callable[[], X11Offer | None] | None,
    ) -> Transport:
        self.connecting.set()
        if self.trouble_there:
            raise self.trouble_there
        self.offered = offered(x11)
        return FakeTransport([])

    def gather_remote(self, transport: Transport, python: str | None) -> RemoteFacts:
        return healthy().there

    def find_place(self) -> PlaceFacts:
        return PlaceFacts()

    def gather_here(self, place: PlaceFacts, python: str | None) -> RemoteFacts:
        return replace(healthy().there, place=place)

    def gather_client(self, local: LocalFacts) -> ClientFacts | None:
        return ClientFacts(SshConfig({"forwardx11trusted": ("yes",)}))


@dataclass
class Refusals(Halves):
    """A host whose files say yes and whose sshd refuses X11 the first `times` times."""

    times: int = 0
    remark: str = ""
    asked: int = 0

    def gather_remote(self, transport: Transport, python: str | None) -> RemoteFacts:
        self.asked += 1
        there = healthy().there
        if self.asked > self.times:
            return there
        outcome = X11Outcome(requested=True, granted=False, remarks=(self.remark,) if self.remark else ())
        network = replace(there.network, ipv6_loopback=True, listeners=())
        return replace(there, x11=outcome, network=network)


def test_this_machine_is_looked_at_while_the_login_is_under_way() -> None:
    halves = Halves()
    result = run_doctor(parse_target("gpu1"), DoctorOptions(), Nobody(), means=halves)
    assert result.report.cause is None
    assert halves.offered is OFFER
    assert result.local.client is not None


def test_a_login_that_fails_still_says_what_is_known_of_this_machine() -> None:
    halves = Halves(trouble_there=ConnectError("gpu1 port 22 cannot be reached: no answer"))
    result = run_doctor(parse_target("gpu1"), DoctorOptions(), Nobody(), means=halves)
    assert result.report.exit_code == 3
    assert result.local.display == ":0"


def test_a_fault_of_ours_while_looking_here_is_not_lost_on_the_other_thread() -> None:
    halves = Halves(trouble_here=RuntimeError("a bug"))
    with pytest.raises(RuntimeError, match="a bug"):
        run_doctor(parse_target("gpu1"), DoctorOptions(), Nobody(), means=halves)


def test_a_refusal_without_a_reason_is_asked_again_and_only_the_second_one_counts() -> None:
    passing, lasting = Refusals(times=1), Refusals(times=2)

    seen_to_pass = run_doctor(parse_target("gpu1"), DoctorOptions(), Nobody(), means=passing)
    named = run_doctor(parse_target("gpu1"), DoctorOptions(), Nobody(), means=lasting)

    assert (seen_to_pass.report.cause, passing.asked) == (None, 2)
    assert (named.report.cause, lasting.asked) == ("sshd-not-reloaded", 2)


def test_a_refusal_whose_reason_is_known_is_asked_once() -> None:
    told = Refusals(times=9, remark="X11 forwarding disabled by key options")

    result = run_doctor(parse_target("gpu1"), DoctorOptions(), Nobody(), means=told)

    assert (result.report.cause, told.asked) == ("key-no-x11", 1)
