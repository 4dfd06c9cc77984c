"""How long windows from the remote take to come, and what ends them; section F of the catalogue."""

from __future__ import annotations

from x11fwd.checks.check import Seen, Unanswered, Verdict, bad, fine, milliseconds, odd, skip
from x11fwd.checks.report import Fix, FixBy
from x11fwd.checks.routes import bridge_pythons
from x11fwd.checks.toolkit import NAMES, toolkit_of

# Seconds, and answers waited for, until the first figure is on the screen (SPEED.md; catalogue, F127).
_FIRST = {"tk": (0.7, 390), "qt": (0.7, 127)}
_PATIENCE = 10.0  # seconds after which people take a window that is on its way for one that hangs
# ssh takes the channel and closes it at once, which a program sees as one or the other
_GONE = ("the connection was closed without an answer", "Connection reset by peer")
_FAR = 0.02  # seconds of round trip from which each redraw of Tk's is seen to stutter


def first_window(toolkit: str, round_trip: float) -> float:
    """Seconds until the first figure is on the screen, over ssh's own X11 forwarding."""
    work, trips = _FIRST[toolkit]
    return work + trips * round_trip


def _distance(seen: Seen) -> tuple[str, float]:
    """Toolkit and round trip. Raises Unanswered where either is not known."""
    round_trip, toolkit = seen.there.round_trip, toolkit_of(seen.python)
    if round_trip is None:
        raise Unanswered(skip("not known: no display answered over there"))
    if toolkit not in _FIRST:
        raise Unanswered(skip(f"not known for {toolkit}"))
    return toolkit, round_trip


def first_figure(seen: Seen) -> Verdict:
    """F127: Tk asks for 256 colours one by one, and each answer travels."""
    toolkit, round_trip = _distance(seen)
    name, seconds = NAMES[toolkit], first_window(toolkit, round_trip)
    other = first_window("qt", round_trip)
    evidence = f"{name} waits for {_FIRST[toolkit][1]} answers, each {milliseconds(round_trip)} away"
    if seconds <= _PATIENCE or seen.inside:
        # in the session the one handshake there is counts a busy machine's work as distance
        return fine(f"the first window from {seen.host} will take about {seconds:.1f} s", evidence)
    title = f"the first window from {seen.host} will take about {seconds:.0f} s, which looks like a hang"
    if toolkit == "qt":
        return fine(title, evidence)
    if bridge_pythons(seen):
        return odd(
            f"over ssh's own forwarding {title}",
            f"{evidence}; over the bridge, which `x11fwd ssh` takes where it is far, for about ten",
            Fix(f"x11fwd ssh {seen.destination}", FixBy.YOU),
        )
    has_qt = isinstance(seen.python.qt, str)
    return odd(
        title,
        f"{evidence}; with Qt it would take about {other:.0f} s",
        Fix("export MPLBACKEND=QtAgg", FixBy.YOU)
        if has_qt
        else Fix(f"x11fwd setup --playbook qt {seen.name}", FixBy.X11FWD),
    )


def redraw(seen: Seen) -> Verdict:
    """F128: Tk's event loop waits for the server at each redraw. Only said: it is slow, not broken."""
    toolkit, round_trip = _distance(seen)
    if toolkit != "tk" or round_trip < _FAR:
        return fine("a redraw does not have to wait")
    frames = 1 / (round_trip + 0.015)
    return fine(
        f"each redraw of Tk's waits for an answer: at most {frames:.0f} pictures a second",
        f"{milliseconds(round_trip)} away; draw_idle and QtAgg do better, plt.pause in a loop is worst",
    )


def compression(seen: Seen) -> Verdict:
    """F129: a figure travels as raw pixels. Only said: nobody has measured the width of this line."""
    client, round_trip = seen.local.client, seen.there.round_trip
    if client is None or round_trip is None:
        return skip("not known")
    if client.config.is_yes("compression"):
        return fine("plain ssh compresses what windows send", "Compression yes")
    if round_trip < _FAR:
        return fine("near as it is, nothing has to be compressed", milliseconds(round_trip))
    return fine(
        f"plain ssh to {seen.host} sends every picture as 1.2 MB of raw pixels; `ssh -C` makes that 0.03",
        "Compression no; `x11fwd ssh` compresses where the line is slow",
    )


def keep_alive(seen: Seen) -> Verdict:
    """F132: where the connection dies, every program with a window ends. Only said: it is ssh's default."""
    client = seen.local.client
    if client is None:
        return skip("not known")
    seconds = client.config.number("serveraliveinterval")
    if seconds:
        return fine("ssh notices a connection that has died", f"ServerAliveInterval {seconds}")
    return fine(
        f"programs with a window on {seen.host} end when this machine sleeps or changes its network",
        "ServerAliveInterval 30 at least keeps an idle connection from being forgotten on its way",
    )


def server_died(seen: Seen) -> Verdict:
    """F133: the session lives, sshd's listener takes the connection, and nobody answers beyond it."""
    answer = seen.there.remote_handshake
    if not seen.inside or not isinstance(answer, str):
        return skip("only to be seen in the session itself: `x11fwd doctor` there")
    if not answer.startswith(_GONE) or "no cookie" in answer:
        return fine("the X server on the desktop did not die under this session")
    return bad(
        "the X server on the desktop has ended, or no longer lets this session in",
        f"sshd takes the connection, the cookie is there, and {answer}",
        Fix("x11fwd doctor", FixBy.YOU),
    )
