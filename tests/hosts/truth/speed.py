"""Rows of the truth table about slow links and screens that end: section F of the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.hosts.truth.rig import Fault, Scene
from tests.lab.relay import Relay

if TYPE_CHECKING:
    from tests.hosts.truth.diagnosis import Diagnosis

FAR = "far"


def far_away(scene: Scene) -> None:
    """The same host behind 60 ms of round trip."""
    relay = scene.keeping.enter_context(Relay(scene.host.lab.port, delay=0.03))
    scene.person.lab.alias(FAR, scene.host.lab, user="ana", port=relay.port)


def from_afar(scene: Scene) -> Diagnosis:
    return scene.doctor(target=FAR)


def nothing(scene: Scene) -> None:
    """The near way is still there: it is asked after the cure."""


def near(scene: Scene) -> Diagnosis:
    return scene.doctor()


def screen_dies(scene: Scene) -> None:
    assert scene.screen is not None
    scene.log_in("first")
    scene.screen.kill()


def screen_again(scene: Scene) -> None:
    assert scene.screen is not None
    scene.screen.start()


def in_the_session(scene: Scene) -> Diagnosis:
    return scene.sessions["first"].doctor()


FAULTS: tuple[Fault, ...] = (
    Fault(
        "tk-256-round-trips",
        "F127",
        far_away,
        nothing,
        status="warn",
        says="390 answers",
        look=from_afar,
        cured=near,
    ),
    Fault(
        "x-server-died", "F133", screen_dies, screen_again, status="fail", mode="inside", look=in_the_session
    ),
)
