"""The program with everything behind the line replaced: no ssh, no display, no network."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from tests.unit.checks.seen import healthy
from x11fwd.facts.place import PlaceFacts
from x11fwd.pipeline import doctor

if TYPE_CHECKING:
    from collections.abc import Callable

    from x11fwd.checks.check import Seen
    from x11fwd.facts.client import ClientFacts
    from x11fwd.facts.model import LocalFacts, RemoteFacts
    from x11fwd.target import Target
    from x11fwd.transports.base import Prompter, Transport, X11Offer


@dataclass
class Scene:
    """What the two machines look like, and what was asked of them.

    Attributes:
        place: where the program runs; on the desktop.
        trouble: raised instead of connecting.
        probe_trouble: raised instead of looking.
    """

    seen: Seen = field(default_factory=healthy)
    place: PlaceFacts = field(default_factory=PlaceFacts)
    trouble: BaseException | None = None
    probe_trouble: BaseException | None = None
    targets: list[Target] = field(default_factory=list)
    choices: list[str] = field(default_factory=list)
    pythons: list[str | None] = field(default_factory=list)

    # --- x11fwd.pipeline.doctor.Means ---

    def gather_local(self, target: Target | None) -> LocalFacts:
        return self.seen.local

    def make_offer(self, local: LocalFacts) -> X11Offer | None:
        return None

    def connect(
        self,
        target: Target,
        prompter: Prompter,
        choice: str,
        x11: X11Offer | Callable[[], X11Offer | None] | None,
    ) -> Transport:
        from x11fwd.transports.fake import FakeTransport

        self.targets.append(target)
        self.choices.append(choice)
        if self.trouble:
            raise self.trouble
        return FakeTransport([])

    def gather_remote(self, transport: Transport, python: str | None) -> RemoteFacts:
        self.pythons.append(python)
        if self.probe_trouble:
            raise self.probe_trouble
        return replace(self.seen.there)

    def find_place(self) -> PlaceFacts:
        return self.place

    def gather_here(self, place: PlaceFacts, python: str | None) -> RemoteFacts:
        self.pythons.append(python)
        if self.probe_trouble:
            raise self.probe_trouble
        return replace(self.seen.there, place=place)

    def gather_client(self, local: LocalFacts) -> ClientFacts | None:
        return self.seen.local.client


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    """Both machines healthy, to be broken by the test."""
    made = Scene()
    monkeypatch.setattr(doctor, "real_means", lambda **_: made)
    return made
