"""A session of ssh seen from inside: what stands between a program and the display sshd made; for the table.

F45, F46, F86, F87 and F98 of the catalogue. From the desktop only the programs of earlier logins can be seen;
the rest is asked by `x11fwd doctor` in the session itself.
"""

from __future__ import annotations

from enum import Enum
from shlex import quote
from typing import TYPE_CHECKING

from x11fwd.checks.check import Seen, Unanswered, Verdict, bad, fine, odd, skip
from x11fwd.checks.report import Fix, FixBy
from x11fwd.facts.place import is_forwarded
from x11fwd.facts.unknown import Unknown, known

if TYPE_CHECKING:
    from x11fwd.facts.account import Lasting
    from x11fwd.facts.place import PlaceFacts

_OUTSIDE = "only to be seen in the session itself: `x11fwd doctor` there"
_EVAL = 'eval "$(tmux show-environment -s DISPLAY)"'
_CARRIERS = {"mosh": "mosh", "et": "Eternal Terminal"}


class State(Enum):
    """What DISPLAY is worth in this process."""

    NONE = "it is not set"
    DEAD = "nobody answers"
    REJECTED = "somebody answers and does not let us in"
    OPEN = "it works"
    UNTRIED = "nobody could try"


def place_of(seen: Seen) -> PlaceFacts:
    """Where this process runs. Raises Unanswered from the desktop."""
    place = seen.there.place
    if not seen.inside or place is None:
        raise Unanswered(skip(_OUTSIDE))
    return place


def display_of(seen: Seen) -> str:
    """DISPLAY as a program would get it now."""
    return (known(seen.there.login_environment) or {}).get("DISPLAY", "")


def state_of(seen: Seen) -> State:
    """From the handshake that an interpreter made; its words begin with `connect` where nobody listens."""
    answer = seen.there.remote_handshake
    if not display_of(seen):
        return State.NONE
    if answer is None or isinstance(answer, Unknown):
        return State.UNTRIED
    if answer == "ok":
        return State.OPEN
    return State.DEAD if answer.startswith("connect ") else State.REJECTED


def culprit(seen: Seen) -> str | None:
    """The id of what stands in the way in this session, by what is nearest to us; None from the desktop."""
    place = seen.there.place
    if not seen.inside or place is None:
        return None
    state = state_of(seen)
    if state is State.OPEN:
        return "tmux-number-reused" if _other_screen(place, seen) else None
    if state is State.REJECTED and _stranger(seen):
        return "ide-remote-stale-display" if place.under("ide") else "tmux-number-reused"
    contained = place.apart
    if state is State.REJECTED:
        if contained:
            return "container-cookie"
        return "sudo-loses-cookie" if _switched(place) else None
    if state is State.UNTRIED:
        return None
    if state is State.NONE and not contained and _switched(place) and _had_display(seen, place):
        return "su-dash-loses-display"
    if state is State.DEAD and not is_forwarded(display_of(seen)):
        return None
    return _carrier(place, state, contained=contained)


def _carrier(place: PlaceFacts, state: State, *, contained: bool) -> str | None:
    """What outlives a login, or lies somewhere else, with an old DISPLAY or none."""
    if contained:
        return "container-network"
    nearest = place.under("mosh", "et", "ide", "jupyter", "batch", "tmux", "screen")
    kind = nearest.kind if nearest else ""
    if not kind and not place.below_sshd:
        kind = "tmux" if place.environment.get("TMUX") else "screen" if place.environment.get("STY") else ""
    if kind == "batch" or (place.job and not place.below_sshd):
        return "slurm-no-x11" if state is State.NONE and place.job == "Slurm" else "batch-inherits-display"
    return {
        "mosh": "transport-without-x11",
        "et": "transport-without-x11",
        "ide": "ide-remote-stale-display",
        "jupyter": "jupyter-kernel-display",
        "tmux": "tmux-stale-display",
        "screen": "tmux-stale-display",
    }.get(kind)


def _switched(place: PlaceFacts) -> bool:
    return place.owner is not None and place.uid not in {-1, place.owner}


def _had_display(seen: Seen, place: PlaceFacts) -> bool:
    """The session that we came from has a display: sshd's own variable, else a listener of that user's."""
    if seen.there.start_environment.get("DISPLAY"):
        return True
    listeners = seen.there.network.listeners
    return not isinstance(listeners, Unknown) and any(one.uid == place.owner for one in listeners)


def _stranger(seen: Seen) -> int | None:
    """The user whose listener stands at our display number, where that is somebody else."""
    place = seen.there.place
    if place is None or place.display_number is None:
        return None
    owners = {one.uid for one in seen.there.network.serving(place.display_number)}
    ours = {place.uid, place.owner}
    return next(iter(owners), None) if owners and not owners & ours else None


def _other_screen(place: PlaceFacts, seen: Seen) -> bool:
    """tmux took over another DISPLAY when somebody attached, and this pane still has the older one."""
    attached = (place.tmux or {}).get("DISPLAY", "")
    return is_forwarded(attached) and is_forwarded(display_of(seen)) and attached != display_of(seen)


def _words(seen: Seen) -> str:
    """The DISPLAY and what came of it, for evidence."""
    display = display_of(seen)
    if not display:
        return "$DISPLAY is empty"
    answer = seen.there.remote_handshake
    return f"DISPLAY={display}: {answer}" if isinstance(answer, str) else f"DISPLAY={display}"


# --- earlier logins ---------------------------------------------------------------------------------------


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
        f"{process}{_words(seen)}; open a second session with X11, and take over its DISPLAY",
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
        f"{where}{_words(seen)}; end the server (in VS Code: Kill VS Code Server on Host) and connect again "
        "from a session with X11",
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
        f"{_words(seen)}; draw in the notebook, or start Jupyter from a session with X11",
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
            f"{_words(seen)}; tmux show-environment DISPLAY: {newer}",
            Fix(_EVAL, FixBy.YOU),
        )
    if place.under("screen") or (place.environment.get("STY") and not place.environment.get("TMUX")):
        return bad(
            "this window of screen still has the DISPLAY of a login that is over",
            f"{_words(seen)}; take it from a new session with X11",
            Fix("export DISPLAY=localhost:N.0  # as echo $DISPLAY says outside of screen", FixBy.YOU),
        )
    return bad(
        "this pane of tmux has no DISPLAY that leads anywhere, and tmux knows no newer one",
        f"{_words(seen)}; detach, come again by ssh with X11, attach, and then in the pane: {_EVAL}",
        Fix("tmux detach-client", FixBy.YOU),
    )


def number_reused(seen: Seen) -> Verdict:
    """F87: display numbers are given out again; the old one now belongs to another connection."""
    place = place_of(seen)
    if culprit(seen) != "tmux-number-reused":
        return fine("DISPLAY leads to nobody else's connection")
    stranger = _stranger(seen)
    cure = Fix(_EVAL if place.tmux else "exit", FixBy.YOU)
    if stranger is not None:
        return bad(
            f"display {place.display_number} belongs to another user's session by now",
            f"{_words(seen)}; user {stranger} listens on port {6000 + (place.display_number or 0)}",
            cure,
        )
    attached = (place.tmux or {}).get("DISPLAY", "")
    return odd(
        "windows of this pane open on the screen of another connection than the one you are attached by",
        f"DISPLAY={display_of(seen)} in this pane; tmux show-environment DISPLAY: {attached}",
        cure,
    )
