"""Terminals, editors and notebooks that have the display of another login; for the table.

F45, F46, F86, F87 and F98 of the catalogue. From the desktop only the programs of earlier logins can be seen;
the rest is asked by `x11fwd doctor` in the session itself.
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from x11fwd.checks.check import Seen, Unanswered, Verdict, bad, fine, odd, skip
from x11fwd.checks.report import Fix, FixBy
from x11fwd.checks.session_place import culprit, display_of, place_of, seen_words, stranger
from x11fwd.facts.unknown import Unknown

if TYPE_CHECKING:
    from x11fwd.facts.account import Lasting

_EVAL = 'eval "$(tmux show-environment -s DISPLAY)"'
_CARRIERS = {"mosh": "mosh", "et": "Eternal Terminal"}


def stale(seen: Seen, *kinds: str) -> list[Lasting]:
    """Programs of earlier logins whose display is gone; a number that the next login gets again is not.

    Raises:
        Unanswered: nobody knows who listens.
    """
    remote = seen.there
    if isinstance(remote.network.listeners, Unknown):
        raise Unanswered(skip(f"nobody could look: {remote.network.listeners.reason}"))
    ours = remote.start_environment.get("DISPLAY", "")
    open_ones = {one.display for one in remote.network.listeners if one.uid == remote.uid}
    found = [one for one in remote.account.lasting if one.kind in kinds and one.number is not None]
    return [one for one in found if one.number not in open_ones and one.display != ours]


def _listed(found: list[Lasting]) -> str:
    parts = [f"{one.place or 'process'} (process {one.pid}): DISPLAY={one.display}" for one in found[:5]]
    return "; ".join([*parts, *([f"and {len(found) - 5} more"] if len(found) > 5 else [])])


def _lasting(seen: Seen, what: str, cure: str, *kinds: str) -> Verdict:
    found = stale(seen, *kinds)
    if not found:
        return fine(f"no {what} on {seen.host} has the DISPLAY of a login that is over")
    return odd(
        f"a {what} on {seen.host} still has the DISPLAY of a login that is over",
        f"{_listed(found)}; nobody listens there any more",
        Fix(cure, FixBy.YOU),
    )


def transport_without_x11(seen: Seen) -> Verdict:
    """F45: mosh and its like carry a terminal and nothing else."""
    if not seen.inside:
        return _lasting(seen, "session of mosh", f"ssh -Y {seen.destination}", "mosh", "et")
    if culprit(seen) != "transport-without-x11":
        return fine("this session did not come by a transport without X11")
    carrier = place_of(seen).under("mosh", "et")
    name = _CARRIERS.get(carrier.kind, "this transport") if carrier else "this transport"
    process = f"{carrier.name} (process {carrier.pid}) is above us; " if carrier else ""
    return bad(
        f"{name} carries a terminal only, and no X11",
        f"{process}{seen_words(seen)}; open a second session with X11, and take over its DISPLAY",
        Fix(f"x11fwd ssh {quote(seen.host)}", FixBy.X11FWD),
    )


def ide_stale(seen: Seen) -> Verdict:
    """F46: the server of VS Code or Cursor outlives the connection and hands its old environment on."""
    if not seen.inside:
        cure = f"ssh {seen.destination} 'pkill -u \"$USER\" -f [.]vscode-server/'"
        return _lasting(seen, "server of an editor (VS Code, Cursor)", cure, "ide")
    if culprit(seen) != "ide-remote-stale-display":
        return fine("no editor's server has handed an old DISPLAY on")
    process = place_of(seen).under("ide")
    where = f"{process.name} (process {process.pid}) is above us; " if process else ""
    return bad(
        "the editor's server has an older DISPLAY than your connection, or none",
        f"{where}{seen_words(seen)}; end the server (in VS Code: Kill VS Code Server on Host) and connect "
        "again from a session with X11",
        Fix('pkill -u "$USER" -f "[.](vscode|cursor)-server/"', FixBy.YOU),
    )


def jupyter(seen: Seen) -> Verdict:
    """F98: a kernel has the environment of the Jupyter server, not that of this ssh."""
    if not seen.inside:
        cure = f"ssh -Y {seen.destination} jupyter lab"
        return _lasting(seen, "Jupyter server or kernel", cure, "jupyter")
    if culprit(seen) != "jupyter-kernel-display":
        return fine("no Jupyter server's environment is in the way")
    return bad(
        "this notebook's kernel has the DISPLAY of the Jupyter server, which is not yours",
        f"{seen_words(seen)}; draw in the notebook, or start Jupyter from a session with X11",
        Fix("%matplotlib inline", FixBy.YOU),
    )


def tmux_stale(seen: Seen) -> Verdict:
    """F86: a pane keeps the DISPLAY of the ssh that opened it; tmux refreshes it for new panes only."""
    if not seen.inside:
        return _lasting(seen, "pane of tmux or screen", _EVAL, "tmux", "screen")
    if culprit(seen) != "tmux-stale-display":
        return fine("DISPLAY is not that of an older pane")
    place = place_of(seen)
    newer = (place.tmux or {}).get("DISPLAY", "")
    if newer and newer != display_of(seen):
        return bad(
            "this pane still has the DISPLAY of a login that is over; tmux knows a newer one",
            f"{seen_words(seen)}; tmux show-environment DISPLAY: {newer}",
            Fix(_EVAL, FixBy.YOU),
        )
    if place.under("screen") or (place.environment.get("STY") and not place.environment.get("TMUX")):
        return bad(
            "this window of screen still has the DISPLAY of a login that is over",
            f"{seen_words(seen)}; take it from a new session with X11",
            Fix("export DISPLAY=localhost:N.0  # as echo $DISPLAY says outside of screen", FixBy.YOU),
        )
    return bad(
        "this pane of tmux has no DISPLAY that leads anywhere, and tmux knows no newer one",
        f"{seen_words(seen)}; detach, come again by ssh with X11, attach, and then in the pane: {_EVAL}",
        Fix("tmux detach-client", FixBy.YOU),
    )


def number_reused(seen: Seen) -> Verdict:
    """F87: display numbers are given out again; the old one now belongs to another connection."""
    place = place_of(seen)
    if culprit(seen) != "tmux-number-reused":
        return fine("DISPLAY leads to nobody else's connection")
    other = stranger(seen)
    cure = Fix(_EVAL if place.tmux else "exit", FixBy.YOU)
    if other is not None:
        return bad(
            f"display {place.display_number} belongs to another user's session by now",
            f"{seen_words(seen)}; user {other} listens on port {6000 + (place.display_number or 0)}",
            cure,
        )
    attached = (place.tmux or {}).get("DISPLAY", "")
    return odd(
        "windows of this pane open on the screen of another connection than the one you are attached by",
        f"DISPLAY={display_of(seen)} in this pane; tmux show-environment DISPLAY: {attached}",
        cure,
    )
