"""Figures as pictures: `module://x11fwd_inline` of matplotlib 3.1 and later; sent as text by run_session.py.

Unmodified scripts: whatever would make a window show or refresh itself sends a picture instead. A burst of
`plt.pause()` is bounded in rate; what was held back goes out at the next chance, at the latest at the end.
"""

# Python 3.6 has no `from __future__ import annotations`. matplotlib gives its backends more than it declares.
# mypy: disable-error-code="attr-defined, union-attr, arg-type, no-untyped-call"

import atexit
import io
import json
import os
import socket
import struct
import threading
import time
from typing import Any, Optional

from matplotlib import is_interactive as interactive
from matplotlib import rc_context
from matplotlib._pylab_helpers import Gcf
from matplotlib.backend_bases import CloseEvent, FigureManagerBase, TimerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

FASTEST = 0.1  # seconds between two pictures of one figure
SHARE = 2.0  # and this many times what the last one took to draw
LIGHT = 4000  # points up to which an SVG is small and quick
LIGHT_BYTES = 400 << 10
SHARP = 2.0  # a picture that stays has twice the pixels, for today's screens
MOST_PIXELS = 16e6


class Wire:
    """The way out; every process of the script has a connection of its own."""

    def __init__(self) -> None:
        self.peer: Optional[socket.socket] = None
        self.pid = 0
        self.lock = threading.Lock()

    def send(self, about: "dict[str, Any]", data: bytes) -> None:
        path = os.environ.get("X11FWD_INLINE")
        if not path:
            return
        words = json.dumps(about).encode("ascii")
        with self.lock:
            try:
                if self.peer is None or self.pid != os.getpid():
                    self.pid, self.peer = os.getpid(), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                    self.peer.connect(path)
                self.peer.sendall(struct.pack("!II", len(words), len(data)) + words + data)
            except OSError:
                pass  # whoever looked is gone; that is no reason for the script to end


WIRE = Wire()
TIMERS: "list[Timer]" = []


class Timer(TimerBase):  # type: ignore[misc, unused-ignore]
    """Runs while an event loop of ours does."""

    due: Optional[float] = None

    def _timer_start(self) -> None:
        self.due = time.time() + self._interval / 1000.0
        if self not in TIMERS:
            TIMERS.append(self)

    def _timer_stop(self) -> None:
        self.due = None
        if self in TIMERS:
            TIMERS.remove(self)

    def fire(self) -> None:
        self.due = time.time() + max(1, self._interval) / 1000.0
        self._on_timer()
        if self._single or not self.callbacks:
            self._timer_stop()


def run_timers() -> Optional[float]:
    """Seconds until the next one is due, None without any."""
    now = time.time()
    for timer in TIMERS:
        if timer.due is not None and timer.due <= now:
            timer.fire()
    return min((max(0.0, timer.due - time.time()) for timer in TIMERS if timer.due is not None), default=None)


class FigureCanvasX11fwd(FigureCanvasAgg):  # type: ignore[misc, unused-ignore]
    """Knows whether what it shows has been sent."""

    required_interactive_framework = None
    _timer_cls = Timer
    supports_blit = True

    def __init__(self, *args: "Any", **kwargs: "Any") -> None:
        self.sent_at = 0.0
        self.cost = 0.0
        self.dirty = True
        self.blitted = False
        self.shown = False
        self.skipped = 0
        self.count = 0
        super().__init__(*args, **kwargs)

    def new_timer(self, *args: "Any", **kwargs: "Any") -> Timer:
        return Timer(*args, **kwargs)

    def draw(self, *args: "Any", **kwargs: "Any") -> "Any":
        self.blitted = False
        started = time.time()
        answer = super().draw(*args, **kwargs)
        self.cost = time.time() - started
        self.dirty = True
        return answer

    def draw_idle(self, *_args: "Any", **_kwargs: "Any") -> None:
        self.dirty = True

    def blit(self, bbox: "Any" = None) -> None:
        del bbox
        self.blitted = self.dirty = True
        self.offer()

    def print_figure(self, *args: "Any", **kwargs: "Any") -> "Any":
        # saving draws, after which matplotlib holds the figure for shown
        changed = self.dirty or bool(self.figure.stale)
        try:
            return super().print_figure(*args, **kwargs)
        finally:
            self.dirty = changed

    def flush_events(self) -> None:
        run_timers()
        self.offer()

    def start_event_loop(self, timeout: float = 0) -> None:
        end = time.time() + timeout if timeout and timeout > 0 else None
        self._looping = True
        while self._looping:
            wait = run_timers()
            offer_all()
            left = None if end is None else end - time.time()
            if left is not None and left <= 0:
                break
            times = [one for one in (wait, left, held_back()) if one is not None]
            if not times:
                break  # nothing will ever happen: no window can send an event
            time.sleep(min(times))
        self._looping = False

    def stop_event_loop(self) -> None:
        self._looping = False

    # --- sending ----------------------------------------------------------------------------------------

    @property
    def changed(self) -> bool:
        return self.dirty or bool(self.figure.stale)

    @property
    def due(self) -> float:
        """When the next picture may go."""
        return self.sent_at + max(FASTEST, SHARE * self.cost)

    def offer(self) -> None:
        """Send, if there is something new and the last one is long enough ago."""
        if not self.shown or not self.changed:
            return
        if time.time() < self.due:
            self.skipped += 1
            return
        self.push(lasting=False)

    def push(self, lasting: bool) -> None:
        """Send it as it is now. Args: lasting: it stays, and may cost more."""
        self.shown = True
        started = time.time()
        blitted = self.blitted
        if blitted:
            # drawing anew would lose what was painted on top
            kind, data = "png", self.pixels()
        else:
            if self.figure.stale:
                self.draw()  # so that draw_event comes, as in a window
            # an animation begins with that event, and old matplotlibs blit on what was drawn last
            kind, data = self.picture(lasting and not TIMERS)
        self.cost = time.time() - started
        self.blitted = blitted
        self.dirty = self.figure.stale = False
        self.sent_at = time.time()
        self.count += 1
        manager = self.manager
        width, height = self.figure.get_size_inches()
        about = {
            "id": "%d-%s" % (os.getpid(), manager.serial),
            "number": manager.num if isinstance(manager.num, int) else 0,
            "title": manager.title,
            "label": self.alternative(),
            "width": float(width),
            "height": float(height),
            "kind": kind,
            "frame": self.count,
            "dropped": self.skipped,
        }
        WIRE.send(about, data)

    def picture(self, lasting: bool) -> "Any":
        figure = self.figure
        with rc_context({"savefig.bbox": "standard", "savefig.transparent": False, "svg.fonttype": "path"}):
            colours = {"facecolor": figure.get_facecolor(), "edgecolor": figure.get_edgecolor()}
            # a terminal shows pixels only
            if lasting and os.environ.get("X11FWD_INLINE_KIND") != "png" and weight(figure) <= LIGHT:
                file = io.BytesIO()
                figure.savefig(file, format="svg", **colours)
                if file.tell() <= LIGHT_BYTES:
                    return "svg", file.getvalue()
            file = io.BytesIO()
            width, height = figure.get_size_inches()
            dpi = figure.dpi
            if lasting and width * height * (dpi * SHARP) ** 2 <= MOST_PIXELS:
                dpi = dpi * SHARP
            figure.savefig(file, format="png", dpi=dpi, **colours)
            return "png", file.getvalue()

    def pixels(self) -> bytes:
        import numpy
        from matplotlib.image import imsave

        file = io.BytesIO()
        imsave(file, numpy.asarray(self.buffer_rgba()), format="png")
        return file.getvalue()

    def alternative(self) -> str:
        """Titles of figure and axes, for whoever does not see the picture."""
        words = []
        suptitle = getattr(self.figure, "_suptitle", None)
        if suptitle is not None:
            words.append(suptitle.get_text())
        words += [axes.get_title() for axes in self.figure.get_axes()]
        return "; ".join(word for word in words if word)[:500]


def weight(figure: "Any") -> int:
    """Points and pixels that an SVG would have to hold, roughly."""
    total = 0
    for artist in figure.findobj():
        name = type(artist).__name__
        if hasattr(artist, "get_xydata"):
            total += len(artist.get_xydata())
        elif hasattr(artist, "get_offsets") and hasattr(artist, "get_paths"):
            paths = artist.get_paths()
            total += len(artist.get_offsets()) + sum(len(path.vertices) for path in paths[: LIGHT + 1])
        elif hasattr(artist, "get_path") and hasattr(artist, "get_transform") and name != "Line2D":
            total += len(artist.get_path().vertices)
        elif hasattr(artist, "get_array") and getattr(artist, "get_array", None) and "Image" in name:
            array = artist.get_array()
            total += 0 if array is None else int(array.size) // 20
        if "QuadMesh" in name:
            array = artist.get_array()
            total += 0 if array is None else 5 * int(array.size)
        if total > LIGHT:
            break
    return total


class FigureManagerX11fwd(FigureManagerBase):  # type: ignore[misc, unused-ignore]
    """One figure of pyplot's."""

    made = 0

    def __init__(self, canvas: "Any", num: "Any") -> None:
        FigureManagerX11fwd.made += 1
        self.serial = FigureManagerX11fwd.made
        self.title = "Figure %s" % num
        super().__init__(canvas, num)

    def show(self) -> None:
        if self.canvas.changed or not self.canvas.shown:
            self.canvas.push(lasting=not TIMERS)

    def get_window_title(self) -> str:
        return self.title

    def set_window_title(self, title: str) -> None:
        self.title = title
        self.canvas.dirty = True

    def destroy(self) -> None:
        canvas = self.canvas
        if canvas.shown and canvas.changed:
            canvas.push(lasting=True)  # the last one is never lost
        for timer in [one for one in TIMERS if getattr(one, "canvas", None) is canvas]:
            timer.stop()
        canvas.callbacks.process("close_event", CloseEvent("close_event", canvas))


def managers() -> "list[Any]":
    return [one for one in Gcf.get_all_fig_managers() if isinstance(one, FigureManagerX11fwd)]


def offer_all() -> None:
    for manager in managers():
        manager.canvas.offer()


def held_back() -> Optional[float]:
    """Seconds until a picture that was held back may go; None without one."""
    waiting = [one.canvas.due for one in managers() if one.canvas.shown and one.canvas.changed]
    return max(0.001, min(waiting) - time.time()) if waiting else None


def new_figure_manager(num: "Any", *args: "Any", **kwargs: "Any") -> "Any":
    figure_class = kwargs.pop("FigureClass", Figure)
    return new_figure_manager_given_figure(num, figure_class(*args, **kwargs))


def new_figure_manager_given_figure(num: "Any", figure: "Any") -> "Any":
    return FigureManagerX11fwd(FigureCanvasX11fwd(figure), num)


def draw_if_interactive() -> None:
    active = Gcf.get_active()
    if interactive() and active is not None:
        active.canvas.draw_idle()


def show(*_args: "Any", **kwargs: "Any") -> None:
    """`plt.show()`: every figure goes out; a window that would wait to be closed counts as closed."""
    block = kwargs.get("block", _args[0] if _args else None)
    if block is None:
        block = not interactive()
    if not block:
        for manager in managers():
            manager.canvas.shown or manager.canvas.push(lasting=False)
            manager.canvas.offer()
        return
    for manager in managers():
        manager.show()
    play()
    for manager in managers():
        manager.show()
        manager.canvas.shown = False
    for manager in managers():
        Gcf.destroy(manager.num)


def play() -> None:
    """Run animations to their end; one that repeats for ever runs once."""
    for timer in TIMERS:
        for entry in timer.callbacks:
            animation = getattr(entry[0], "__self__", None)
            for name in ("repeat", "_repeat"):
                if getattr(animation, name, None) is True:
                    setattr(animation, name, False)
    while TIMERS:
        wait = run_timers()
        offer_all()
        if wait is None:
            break
        time.sleep(wait)


def finish() -> None:
    """What a window would have shown before the script's end."""
    for manager in managers():
        canvas = manager.canvas
        if canvas.changed and (canvas.shown or interactive()):
            canvas.push(lasting=True)


atexit.register(finish)
FigureCanvas = FigureCanvasX11fwd
FigureManager = FigureManagerX11fwd
