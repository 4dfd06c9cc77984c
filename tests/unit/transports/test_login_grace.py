"""How long a login waits for which answer of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.transports.login_server import Person
from x11fwd.target import parse_ssh_g
from x11fwd.transports.login import Login
from x11fwd.transports.userauth import Accepted, Questions, Rejected, Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

_LOGIN_GRACE_TIME = 120.0  # sshd_config(5): then sshd itself ends the login


class _Approved:
    """A server that lets in whom somebody approves on a telephone; notes how long it may take for what."""

    def __init__(self, method: str) -> None:
        self.method = method
        self.waits: dict[str, float] = {}

    def none(self, timeout: float) -> Reply:
        self.waits["none"] = timeout
        return Rejected((self.method,), partial=False)

    def interactive(self, timeout: float) -> Reply:
        self.waits["interactive"] = timeout
        return Questions("", "", (("Passcode or option (1-3): ", False),))

    def answer(self, answers: Sequence[str], timeout: float) -> Reply:
        self.waits["answer"] = timeout
        return Accepted()

    def password(self, secret: str, timeout: float) -> Reply:
        self.waits["password"] = timeout
        return Accepted()


def _waits(method: str, config: str) -> dict[str, float]:
    auth = _Approved(method)
    Login(
        auth,  # type: ignore[arg-type]
        parse_ssh_g(f"hostname gpu1\nport 22\nuser ana\n{config}"),
        Person(["1"]),
        place="gpu1",
        command="ssh gpu1",
        keys=[],
        server_algorithms=lambda: None,
        timeout=15.0,
    ).run()
    return auth.waits


@pytest.mark.parametrize("method", ["keyboard-interactive", "password"])
def test_who_has_to_take_up_a_telephone_has_as_long_as_sshd_gives(method: str) -> None:
    waits = _waits(method, "")
    assert waits.pop("none") == 15.0
    assert waits
    assert all(seconds > _LOGIN_GRACE_TIME for seconds in waits.values())


def test_a_limit_of_the_silence_holds_during_the_login_too() -> None:
    waits = _waits("keyboard-interactive", "serveraliveinterval 5\n")
    assert set(waits.values()) == {15.0}
