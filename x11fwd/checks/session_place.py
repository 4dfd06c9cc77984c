"""What stands between a program and the display that sshd made for its session; for the checks of it."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from x11fwd.checks.check import Seen, Unanswered, skip
from x11fwd.facts.place import is_forwarded
from x11fwd.facts.unknown import Unknown, known

if TYPE_CHECKING:
    from x11fwd.facts.place import PlaceFacts

__all__ = ["State", "culprit", "display_of", "place_of", "seen_words", "state_of", "stranger"]

_OUTSIDE = "only to be seen in the session itself: `x11fwd doctor` there"


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
    if state is State.REJECTED and stranger(seen):
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


def stranger(seen: Seen) -> int | None:
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


def seen_words(seen: Seen) -> str:
    """The DISPLAY and what came of it, for evidence."""
    display = display_of(seen)
    if not display:
        return "$DISPLAY is empty"
    answer = seen.there.remote_handshake
    return f"DISPLAY={display}: {answer}" if isinstance(answer, str) else f"DISPLAY={display}"
