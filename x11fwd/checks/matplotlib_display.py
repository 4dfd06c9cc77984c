"""What matplotlib does where no display can be opened: symptoms of an earlier link, F99 to F102."""

from __future__ import annotations

from x11fwd.checks.check import Seen, Verdict, bad, fine, skip
from x11fwd.checks.toolkit import TOOLKITS, display_works, has_display, wish_of
from x11fwd.facts.model import Unknown


def _wants_windows(seen: Seen) -> bool:
    """Nobody asks for a backend without windows: it is the display that decides."""
    wish = wish_of(seen.matplotlib)[0]
    return not wish or wish in TOOLKITS


def _fell_back(seen: Seen) -> bool:
    backend = seen.matplotlib.backend
    return not isinstance(backend, Unknown) and backend.lower() not in TOOLKITS


def no_display_silent(seen: Seen) -> Verdict:
    """F99: with DISPLAY unset matplotlib keeps its warning back (backend_bases.py)."""
    if has_display(seen) or display_works(seen):
        return fine(f"DISPLAY is set on {seen.host}")
    if not _wants_windows(seen) or not _fell_back(seen):
        return skip("somebody asks for a backend without windows")
    return bad(
        f"plt.show() on {seen.host} returns at once, without a window and without a word",
        f"DISPLAY is not set, so matplotlib takes {seen.matplotlib.backend} and does not warn",
    )


def dead_display(seen: Seen) -> Verdict:
    """F100: DISPLAY leads nowhere: `FigureCanvasAgg is non-interactive, and thus cannot be shown`."""
    if not has_display(seen) or display_works(seen):
        return fine("no display that is set is dead")
    if isinstance(seen.there.remote_handshake, Unknown):
        return skip("nobody could try the display")
    if not _wants_windows(seen) or not _fell_back(seen):
        return skip("somebody asks for a backend without windows")
    why = seen.python.toolkits.libx11_problem or seen.there.remote_handshake
    return bad(
        f"matplotlib on {seen.host} takes {seen.matplotlib.backend}: the display cannot be opened",
        f"DISPLAY is set, and {why}; FigureCanvasAgg is non-interactive, and thus cannot be shown",
    )


def headless(seen: Seen) -> Verdict:
    """F101: a script that calls use() gets an exception where others get Agg."""
    if display_works(seen) or isinstance(seen.there.remote_handshake, Unknown):
        return fine("a script that calls matplotlib.use() gets its window")
    _wants_windows(seen)  # raises Unanswered where there is no matplotlib
    return bad(
        f"a script on {seen.host} that calls matplotlib.use() ends with ImportError",
        "… interactive framework, as 'headless' is currently running: that is the display, not the toolkit",
    )


def only_a_wish(seen: Seen) -> Verdict:
    """F102: matplotlibrc or MPLBACKEND ask for windows, and pyplot drops that where no display is valid."""
    wish, who, _ = wish_of(seen.matplotlib)
    if wish not in TOOLKITS:
        return skip("nobody asks for a backend by name")
    if display_works(seen) or not _fell_back(seen):
        return fine(f"{who} asks for {wish}, and scripts get it")
    return bad(
        f"{who} on {seen.host} asks for {wish}, and scripts get {seen.matplotlib.backend}",
        "backend_fallback is True: without a display that works such a wish is dropped without a word",
    )
