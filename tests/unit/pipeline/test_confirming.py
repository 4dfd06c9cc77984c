"""A change of sshd is confirmed by a new login, or taken back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import pytest

from x11fwd.errors import ChangeError, ConnectError, ConnectionLost
from x11fwd.pipeline.confirming import confirm_by_login, fresh
from x11fwd.steps.engine import Engine, EngineError
from x11fwd.target import SshOptions, Target
from x11fwd.transports.base import CommandResult, Transport, X11Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass
class Login:
    """A new connection on which X11 is granted, or not."""

    granted: bool | None
    x11: X11Outcome = field(default_factory=X11Outcome)
    round_trips: int = 0
    target: Target = field(default_factory=lambda: Target("gpu1", "gpu1"))

    def run(self, argv: Sequence[str], *, x11: bool = False) -> CommandResult:
        self.round_trips += 1
        if x11:
            self.x11 = X11Outcome(True, self.granted, ("X11 forwarding request failed",))
        return CommandResult(0)

    def __enter__(self) -> Login:
        return self

    def __exit__(self, *exc: object) -> None: ...


@dataclass
class Waiting:
    """An engine with a pending change."""

    host: str = "gpu1"
    waits: bool = True
    calls: list[str] = field(default_factory=list)
    rollback_fails: int = 0
    confirm_fails: ChangeError | None = None
    kept: bool = False  # a confirmation has arrived whose answer was lost

    def confirm(self, over: object = None) -> None:
        self.calls.append("confirm")
        if self.confirm_fails:
            raise self.confirm_fails
        self.waits = False

    def rollback(self, over: object = None) -> bool:
        self.calls.append("rollback" if over is None else "rollback over a new one")
        if self.rollback_fails:
            self.rollback_fails -= 1
            raise ConnectionLost("gone")
        self.waits = False
        return not self.kept


def confirm(
    engine: Waiting, *logins: Login | ConnectError, needs_x11: bool = True, patience: float = 0.6
) -> int:
    left = list(logins)

    def log_in() -> Transport:
        login = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(login, ConnectError):
            raise login
        return cast("Transport", login)

    return confirm_by_login(cast("Engine", engine), log_in, needs_x11=needs_x11, patience=patience)


def test_a_login_with_x11_granted_confirms() -> None:
    engine = Waiting()
    assert confirm(engine, Login(True)) == 1
    assert engine.calls == ["confirm"]


def test_a_door_that_is_shut_for_a_moment_is_tried_again() -> None:
    engine = Waiting()
    confirm(engine, ConnectError("refused"), Login(False), Login(True))
    assert engine.calls == ["confirm"]


def test_three_times_are_tried_where_one_login_takes_all_the_time() -> None:
    engine = Waiting()
    confirm(engine, ConnectError("refused"), Login(False), Login(True), patience=0.0)
    assert engine.calls == ["confirm"]


def test_x11_refused_means_back_at_once_with_sshds_remarks() -> None:
    engine = Waiting()
    with pytest.raises(ChangeError, match=r"still refuses X11 forwarding \(X11 forwarding request failed\)"):
        confirm(engine, Login(False))
    assert engine.calls == ["rollback"]


def test_no_login_means_back_over_the_old_connection_or_a_new_one() -> None:
    engine = Waiting(rollback_fails=1)
    with pytest.raises(ChangeError, match=r"a new login to gpu1 failed .*refused.*; it was taken back"):
        confirm(engine, *[ConnectError("refused")] * 3, ConnectError("refused"))
    assert engine.calls[0] == "rollback"


@pytest.mark.parametrize("fails", [0, 1])
def test_a_change_that_stays_because_its_confirmation_had_arrived_is_not_said_to_be_back(fails: int) -> None:
    engine = Waiting(rollback_fails=fails, kept=True)
    refused = [ConnectError("refused")] * 3
    confirm(engine, *refused, Login(True) if fails else refused[0], patience=0.0)
    assert engine.calls[0] == "rollback"


def test_without_a_display_the_login_is_the_proof() -> None:
    engine = Waiting()
    confirm(engine, Login(None), needs_x11=False)
    assert engine.calls == ["confirm"]


def test_a_confirmation_that_comes_too_late_is_told_and_nothing_is_left_waiting() -> None:
    engine = Waiting(confirm_fails=EngineError("too late", code="too-late"))
    with pytest.raises(EngineError, match="too late"):
        confirm(engine, Login(True))
    assert engine.calls == ["confirm", "rollback"]


def test_ctrl_c_takes_it_back() -> None:
    engine = Waiting()

    def interrupted() -> Transport:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        confirm_by_login(cast("Engine", engine), interrupted, needs_x11=True)
    assert engine.calls == ["rollback"]


def test_the_new_login_rides_on_no_open_master() -> None:
    target = Target("gpu1", "gpu1", options=SshOptions(options=("ControlPath=~/.ssh/x", "User=ana")))
    assert fresh(target).options.options == ("ControlPath=none", "ControlPath=~/.ssh/x", "User=ana")
