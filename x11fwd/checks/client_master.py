"""An open connection that plain ssh would reuse, and whether X11 comes through it; section B.

F37, F38 and F39. x11fwd makes a connection of its own, so these are about the user's plain `ssh`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.checks.check import Seen, Unanswered, Verdict, fine, odd, skip, unknown
from x11fwd.checks.client_config import client_of
from x11fwd.checks.report import Fix, FixBy
from x11fwd.facts.model import Unknown

if TYPE_CHECKING:
    from x11fwd.facts.client import MasterFacts


def _master(seen: Seen) -> MasterFacts:
    master = client_of(seen).master
    if master is None:
        raise Unanswered(fine("no open connection is in the way (ControlMaster)"))
    return master


def _name(master: MasterFacts) -> str:
    return f"{master.control}" + (f", process {master.pid}" if master.pid else "")


def _end(seen: Seen) -> Fix:
    return Fix(f"ssh -O exit {seen.destination}", FixBy.YOU)


def _bypass(seen: Seen) -> str:
    return f"x11fwd ssh and `ssh -S none -X {seen.destination}` make a connection of their own"


def other_display(seen: Seen) -> Verdict:
    """F38: windows go to the DISPLAY that the master had when it was started, or to none."""
    master, wanted = _master(seen), seen.local.display_used
    if isinstance(master.display, Unknown):
        return unknown("which DISPLAY the open connection has", master.display.reason)
    if wanted is None:
        return skip("there is no display to compare with")
    if master.display == wanted:
        return fine("the open connection has this screen's DISPLAY", f"DISPLAY={wanted}: {_name(master)}")
    if isinstance(master.remote_display, str) or master.display is None:
        theirs = f"DISPLAY={master.display}" if master.display else "no DISPLAY"
        return odd(
            "plain `ssh` reuses an open connection that was made for another screen",
            f"{_name(master)}: it has {theirs}, here it is {wanted}; {_bypass(seen)}",
            _end(seen),
        )
    return fine("the open connection forwards X11 to no screen at all", _name(master))


def without_x11(seen: Seen) -> Verdict:
    """F37: a session gets X11 only where the master was opened with it (mux.c, mux_session_confirm)."""
    master = _master(seen)
    if master.refusal:
        return skip("the open connection takes no more sessions", master.refusal)
    if isinstance(master.remote_display, Unknown):
        return unknown("whether X11 comes through the open connection", master.remote_display.reason)
    if master.remote_display is not None:
        return fine(
            f"X11 comes through the open connection to {seen.host}", f"DISPLAY={master.remote_display}"
        )
    if master.display is None:
        return skip("the open connection has no DISPLAY of its own")
    return odd(
        f"plain `ssh -X` to {seen.host} reuses an open connection that was made without X11",
        f"{_name(master)}: a session that asked for X11 got no DISPLAY, without a word; {_bypass(seen)}",
        _end(seen),
    )


def max_sessions(seen: Seen) -> Verdict:
    """F39: MaxSessions of sshd counts the sessions of one connection."""
    master = _master(seen)
    if not master.refusal:
        return fine("the open connection takes another session")
    return odd(
        f"the open connection to {seen.host} takes no more sessions",
        f"{master.refusal} ({_name(master)}): MaxSessions in sshd_config there; {_bypass(seen)}",
        _end(seen),
    )
