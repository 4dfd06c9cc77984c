"""Ctrl-C that comes before a host's first change: it is stopped, whichever thread says so first."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from tests.unit.checks.seen import healthy_local
from tests.unit.engine.rig import SHELLS, engine, here, write
from x11fwd.errors import Interrupted
from x11fwd.pipeline.setup import SetupOptions, SetupStatus, Silent, run_setup
from x11fwd.pipeline.unattended import Unattended
from x11fwd.pipeline.undo import SilentUndo, UndoOptions, UndoStatus, run_undo
from x11fwd.target import parse_target

if TYPE_CHECKING:
    from x11fwd.facts.model import LocalFacts
    from x11fwd.pipeline.doctor import Means
    from x11fwd.transports.base import Transport

WHY = "stopped before anything was changed"


class Stopping:
    """The arrows of the line; the login is there, or is what Ctrl-C has met."""

    def __init__(self, transport: Transport | None = None) -> None:
        self._transport = transport

    def gather_local(self, _target: object) -> LocalFacts:
        return healthy_local()

    def make_offer(self, _local: object) -> None:
        return None

    def connect(self, *_words: object) -> Transport:
        if self._transport is None:
            raise Interrupted(WHY)
        return self._transport


def test_setup_was_stopped_and_has_not_failed() -> None:
    means = cast("Means", Stopping())
    found = run_setup(
        parse_target("gpu1"), SetupOptions(), Unattended(), Silent(), lambda _target, _plan: True, means=means
    )
    assert (found.status, str(found.error), found.exit_code) == (SetupStatus.STOPPED, WHY, 130)


def test_undo_was_stopped_and_has_not_failed() -> None:
    def approve(_target: str, _plan: object) -> object:
        raise Interrupted(WHY)

    with here(next(iter(SHELLS))) as transport:
        engine(transport).apply(write(f"{transport.home}/rc", b"ours\n", None))
        means = cast("Means", Stopping(transport))
        found = run_undo(
            parse_target("gpu1"),
            UndoOptions(),
            Unattended(),
            SilentUndo(),
            approve,  # type: ignore[arg-type]
            means=means,
        )
        assert (transport.home / "rc").exists()
    assert (found.status, str(found.error), found.exit_code) == (UndoStatus.STOPPED, WHY, 130)
    assert len(found.plan.entries) == 1
