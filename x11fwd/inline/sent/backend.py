"""Figures as pictures: `module://x11fwd_inline` of matplotlib 3.1 and later; sent as text by run_session.py.

Unmodified scripts: whatever would make a window show or refresh itself sends a picture instead. While a
figure moves these are bare pixels, all of them: run_there/pictures.py bounds the rate and keeps the last one,
so that it arrives even where the script is killed. One that stays is an SVG or a sharp PNG, with its numbers.
"""

# Python 3.6 has no `from __future__ import annotations`. matplotlib gives its backends more than it declares.
# mypy: disable-error-code="attr-defined, union-attr, arg-type, no-untyped-call"

import atexit
import importlib
import io
import json
import os
import socket
import struct
import threading
import time
import zlib
from typing import Any, Dict, Optional

from matplotlib import is_interactive as interactive
from matplotlib import rc_context
from matplotlib._pylab_helpers import Gcf
from matplotlib.backend_bases import CloseEvent, FigureManagerBase, TimerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

POINTS = 20000  # that travel with a figure which stays
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

    def forked(self) -> None:
        """Another thread's picture may have been under way, and in the child nobody ends it."""
        self.lock = threading.Lock()

    def send(self, about: "dict[str, Any]", data: bytes) -> None:
        path = os.environ.get("X11FWD_INLINE")
        if not path:
            return
        words = json.dumps(about).encode("ascii")
        with self.lock:
            whole = False
            try:
                if self.peer is None or self.pid != os.getpid():
                    self.pid, self.peer = os.getpid(), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                    self.peer.connect(path)
                self.peer.sendall(struct.pack("!II", len(words), len(data)) + words + data)
                whole = True
            except OSError:
                pass  # whoever looked is gone; that is no reason for the script to end
            finally:
                # Ctrl-C in the midst of a picture: the next one does not begin within it
                if not whole and self.peer is not None:
                    self.peer.close()
                    self.peer = None


WIRE = Wire()
if hasattr(os, "register_at_fork"):  # Python 3.7
    os.register_at_fork(after_in_child=WIRE.forked)
TIMERS: "list[Timer]" = []


class Timer(TimerBase):  # type: ignore[misc, unused-ignore]
    """Runs while an event loop of ours does."""

    due: Optional[float] = None

    def _timer_start(self) -> None:
        self.due = time.monotonic() + self._interval / 1000.0
        if self not in TIMERS:
            TIMERS.append(self)

    def _timer_stop(self) -> None:
        self.due = None
        if self in TIMERS:
            TIMERS.remove(self)

    def fire(self) -> None:
        self.due = time.monotonic() + max(1, self._interval) / 1000.0
        self._on_timer()
        if self._single or not self.callbacks:
            self._timer_stop()


def run_timers() -> Optional[float]:
    """Seconds until the next one is due, None without any."""
    now = time.monotonic()
    for timer in TIMERS:
        if timer.due is not None and timer.due <= now:
            timer.fire()
    return min(
        (max(0.0, timer.due - time.monotonic()) for timer in TIMERS if timer.due is not None), default=None
    )


class FigureCanvasX11fwd(FigureCanvasAgg):  # type: ignore[misc, unused-ignore]
    """Knows whether what it shows has been sent."""

    required_interactive_framework = None
    _timer_cls = Timer
    supports_blit = True

    def __init__(self, *args: "Any", **kwargs: "Any") -> None:
        self.dirty = True
        self.drawn = False  # the pixels are those of the figure
        self.blitted = False
        self.shown = False
        self.lasts = False  # what was sent last need not be sent again, better
        self.count = 0
        super().__init__(*args, **kwargs)

    def new_timer(self, *args: "Any", **kwargs: "Any") -> Timer:
        return Timer(*args, **kwargs)

    def draw(self, *args: "Any", **kwargs: "Any") -> "Any":
        self.blitted = False
        answer = super().draw(*args, **kwargs)
        self.dirty = self.drawn = True
        return answer

    def draw_idle(self, *_args: "Any", **_kwargs: "Any") -> None:
        self.dirty, self.drawn = True, False

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
            self.dirty, self.drawn = changed, False

    def flush_events(self) -> None:
        run_timers()
        self.offer()

    def start_event_loop(self, timeout: float = 0) -> None:
        end = time.monotonic() + timeout if timeout and timeout > 0 else None
        self._looping = True
        while self._looping:
            wait = run_timers()
            offer_all()
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                break
            times = [one for one in (wait, left) if one is not None]
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

    def offer(self) -> None:
        """Send, if there is something new."""
        if self.shown and self.changed:
            self.push(lasting=False)

    def last(self) -> None:
        """Send it once more as it stays, unless that was done."""
        if self.changed or not (self.lasts or self.blitted):
            self.push(lasting=not TIMERS)

    def push(self, lasting: bool) -> None:
        """Send it as it is now. Args: lasting: it stays, and may cost more."""
        self.shown = True
        lasting = lasting and not self.blitted  # drawing anew would lose what was painted on top
        # also so that draw_event comes, as in a window: animations begin with it, old matplotlibs blit on it
        if not self.blitted and (self.figure.stale or not self.drawn):
            self.draw()
            lasting = lasting and not TIMERS
        about: Dict[str, Any] = {"lasting": lasting}
        numbers = b""
        if lasting:
            numbers = numbers_of(self.figure)
            about["kind"], data = self.picture()
        else:
            pixels = self.buffer_rgba()
            about.update(kind="rgba", across=pixels.shape[1], down=pixels.shape[0])
            data = pixels.tobytes()
        self.dirty = self.figure.stale = False
        self.lasts = lasting
        self.count += 1
        manager = self.manager
        width, height = self.figure.get_size_inches()
        about.update(
            id="%d-%s" % (os.getpid(), manager.serial),
            number=manager.num if isinstance(manager.num, int) else 0,
            title=manager.title,
            label=self.alternative(),
            width=float(width),
            height=float(height),
            frame=self.count,
            numbers=len(numbers),
        )
        WIRE.send(about, data + numbers)

    def picture(self) -> "Any":
        figure = self.figure
        with rc_context({"savefig.bbox": "standard", "savefig.transparent": False, "svg.fonttype": "path"}):
            colours = {"facecolor": figure.get_facecolor(), "edgecolor": figure.get_edgecolor()}
            # a terminal shows pixels only
            if os.environ.get("X11FWD_INLINE_KIND") != "png" and weight(figure) <= LIGHT:
                file = io.BytesIO()
                figure.savefig(file, format="svg", **colours)
                if file.tell() <= LIGHT_BYTES:
                    return "svg", file.getvalue()
            file = io.BytesIO()
            width, height = figure.get_size_inches()
            dpi = figure.dpi
            if width * height * (dpi * SHARP) ** 2 <= MOST_PIXELS:
                dpi = dpi * SHARP
            figure.savefig(file, format="png", dpi=dpi, **colours)
            return "png", file.getvalue()

    def alternative(self) -> str:
        """Titles of figure and axes, for whoever does not see the picture."""
        words = []
        suptitle = getattr(self.figure, "_suptitle", None)
        if suptitle is not None:
            words.append(suptitle.get_text())
        words += [axes.get_title() for axes in self.figure.get_axes()]
        return "; ".join(word for word in words if word)[:500]


def numbers_of(figure: "Any") -> bytes:
    """What one can zoom into, packed; nothing where nobody wants it."""
    try:
        module = importlib.import_module("x11fwd_figure_data")
    except ImportError:
        return b""
    told = module.figure_data(figure, POINTS)
    return zlib.compress(json.dumps(told).encode("ascii"), 6) if told["data"] else b""


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
        if self.canvas.shown:
            self.canvas.last()
        else:
            self.canvas.push(lasting=not TIMERS)

    def get_window_title(self) -> str:
        return self.title

    def set_window_title(self, title: str) -> None:
        self.title = title
        self.canvas.dirty = True

    def destroy(self) -> None:
        canvas = self.canvas
        for timer in [one for one in TIMERS if getattr(one, "canvas", None) is canvas]:
            timer.stop()
        if canvas.shown:
            canvas.last()
        canvas.callbacks.process("close_event", CloseEvent("close_event", canvas))


def managers() -> "list[Any]":
    return [one for one in Gcf.get_all_fig_managers() if isinstance(one, FigureManagerX11fwd)]


def offer_all() -> None:
    for manager in managers():
        manager.canvas.offer()


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
            manager.canvas.shown = True
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
        if manager.canvas.shown or interactive():
            manager.canvas.last()


atexit.register(finish)
FigureCanvas = FigureCanvasX11fwd
FigureManager = FigureManagerX11fwd
