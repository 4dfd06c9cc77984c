"""A change of sshd is kept only after a new login has shown that it works; for setup and undo."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from x11fwd.errors import ChangeError, ConnectError, X11fwdError

if TYPE_CHECKING:
    from collections.abc import Callable

    from x11fwd.steps.engine import Engine
    from x11fwd.target import Target
    from x11fwd.transports.base import Transport

__all__ = ["confirm_by_login", "fresh"]

_PATIENCE = 8.0  # seconds: a reload closes the listening socket for a moment
_REFUSED = 2.0  # seconds: a daemon without a pid file may still answer as before at first
# On a busy machine one login alone may take longer than all of that: so often it is tried, within this time.
_TRIES, _LONGEST = 3, 30.0
_PAUSE = 0.25


def fresh(target: Target) -> Target:
    """The same destination without an open ControlMaster: a login through that one would prove nothing."""
    options = replace(target.options, options=("ControlPath=none", *target.options.options))
    return replace(target, options=options)


def confirm_by_login(
    engine: Engine, log_in: Callable[[], Transport], *, needs_x11: bool, patience: float = _PATIENCE
) -> int:
    """Log in anew and confirm the pending change; take it back at once where the login does not show it.

    Args:
        log_in: opens a new connection, with a display offered where there is one.
        needs_x11: X11 forwarding has to be granted on it; False where no display can be offered, or where
            forwarding is being taken back: then the login itself is the proof.
        patience: seconds for trying again, where three times have not taken longer.

    Returns:
        The round trips it took.

    Raises:
        ChangeError: the login failed or X11 was refused, and the change was taken back.
    """
    trips = tries = 0
    problem: ChangeError | None = None
    started = time.monotonic()
    end = started + patience
    try:
        while problem is None or time.monotonic() < (started + _LONGEST if tries < _TRIES else end):
            tries += 1
            if problem is not None:
                time.sleep(_PAUSE)
            try:
                with log_in() as new:
                    problem = _look(new, needs_x11=needs_x11)
                    if problem is None:
                        engine.confirm(new)
                    trips += new.round_trips
                if problem is None:
                    return trips
                end = min(end, started + _REFUSED)
            except ConnectError as error:
                if not engine.waits:
                    return trips  # confirmed; only saying goodbye failed
                problem = ChangeError(
                    f"a new login to {engine.host} failed after the change of sshd ({error.message})",
                    hint=error.hint,
                )
    except BaseException:
        _take_back(engine, log_in)
        raise
    if not _take_back(engine, log_in):
        return trips
    raise ChangeError(f"{problem.message}; it was taken back", hint=problem.hint)


def _look(new: Transport, *, needs_x11: bool) -> ChangeError | None:
    """What is wrong with a new connection, None where all is as it should be."""
    new.run(("true",), x11=needs_x11)
    if not needs_x11 or new.x11.granted:
        return None
    remarks = "; ".join(new.x11.remarks)
    return ChangeError(
        f"sshd on {new.target.typed or 'the remote'} still refuses X11 forwarding"
        f"{f' ({remarks})' if remarks else ''} after its change",
        hint="`x11fwd doctor` names what refuses it",
    )


def _take_back(engine: Engine, log_in: Callable[[], Transport]) -> bool:
    """At once, over the connection still open or a new one; where neither answers the watcher does it.

    Returns:
        False where it was confirmed after all, by a confirmation whose answer was lost.
    """
    if not engine.waits:
        return True
    try:
        return engine.rollback()
    except X11fwdError:
        pass
    taken = True
    with contextlib.suppress(X11fwdError), log_in() as new:
        taken = engine.rollback(new)
    return taken
