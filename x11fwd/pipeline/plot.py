"""The test figure, drawn by the remote's own matplotlib; sent as text by verify.py, so it runs on Python 3.6.

It speaks lines on standard output, each behind a mark: `MARK {json}`. It takes lines on standard input:
`ping N` is answered at once, `go` lets the drawing begin, `close` or the end of input closes the window. The
backend is the one that a script of the user's would get: nothing is chosen here.
"""

# Python 3.6 has no `from __future__ import annotations`; a foreign backend may fail in any way.
# ruff: noqa: BLE001, UP006, UP031, UP035

import json
import os
import sys
import threading
import time
from typing import Any, Dict, List

# Red, green and blue of the patches, left to right; verify.py looks for exactly these.
COLOURS = ((214, 39, 40), (44, 160, 44), (31, 119, 180), (255, 187, 0))
# matplotlib's own backends without windows (rcsetup.py); asking it for the list warns since 3.9
WINDOWLESS = ("agg", "cairo", "pdf", "pgf", "ps", "svg", "template")
POLL_MS = 200  # how often the window's own loop looks whether it shall close


class Talk:
    """Lines to and from the other side."""

    def __init__(self, mark: str) -> None:
        self.mark = mark
        self.lock = threading.Lock()
        self.out = sys.stdout
        self.going = threading.Event()
        self.closing = threading.Event()

    def say(self, event: str, **more: "Any") -> None:
        text = json.dumps(dict(more, event=event), sort_keys=True)
        with self.lock:
            self.out.write("\n%s %s\n" % (self.mark, text))
            self.out.flush()

    def listen(self) -> None:
        """Until the end of input, on a thread of its own.

        os.read and not sys.stdin: a thread that waits inside sys.stdin makes Python abort at its end.
        """
        rest = b""
        while not self.closing.is_set():
            data = os.read(0, 4096)
            if not data:
                break
            lines = (rest + data).split(b"\n")
            rest = lines.pop()
            for line in lines:
                if line.startswith(b"ping "):
                    self.say("pong", number=line[5:].decode("ascii"))
                elif line.strip() == b"go":
                    self.going.set()
                elif line.strip() == b"close":
                    self.closing.set()
        self.closing.set()
        self.going.set()


def last_line(error: BaseException) -> str:
    """What a traceback ends with."""
    text = str(error).strip()
    return "%s: %s" % (type(error).__name__, text.splitlines()[-1] if text else "")


def draw(pyplot: "Any", title: str) -> "Any":
    """A figure a person is glad to see, with a row of four patches that a program can find."""
    from matplotlib.patches import Rectangle

    figure = pyplot.figure(figsize=(6.4, 4.8), facecolor="white")
    axes = figure.add_axes([0.1, 0.42, 0.82, 0.46])
    points = [point / 50.0 for point in range(501)]
    for number, colour in enumerate(("#d62759", "#2c7fa0", "#7f6fb4")):
        axes.plot(points, [wave(point + number) for point in points], color=colour, linewidth=2)
    axes.set_title("x11fwd: this window came from %s" % host())
    axes.set_xlabel("%s, matplotlib %s" % (pyplot.get_backend(), version("matplotlib")))
    axes.grid(True, alpha=0.3)
    for number, (red, green, blue) in enumerate(COLOURS):
        patch = Rectangle(
            (0.1 + 0.215 * number, 0.06),
            0.175,
            0.2,
            transform=figure.transFigure,
            figure=figure,
            facecolor=(red / 255.0, green / 255.0, blue / 255.0),
            edgecolor="none",
            linewidth=0,
            antialiased=False,
        )
        figure.patches.append(patch)
    manager = figure.canvas.manager
    if manager is not None and hasattr(manager, "set_window_title"):
        manager.set_window_title(title)
    else:
        figure.canvas.set_window_title(title)
    return figure


def wave(point: float) -> float:
    import math

    return math.sin(1.5 * point) * math.exp(-point / 8.0)


def host() -> str:
    import socket

    return socket.gethostname().split(".")[0]


def version(module: str) -> str:
    return str(getattr(sys.modules.get(module), "__version__", "?"))


def interactive(backend: str) -> bool:
    """Whether that backend opens windows; an unknown name (an own module) gets the benefit of the doubt."""
    return backend.lower() not in WINDOWLESS and not backend.lower().endswith("inline")


def show(talk: Talk, title: str, started: float) -> None:
    import warnings

    said: List[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        import matplotlib
        from matplotlib import pyplot

        figure = draw(pyplot, title)
        backend = str(pyplot.get_backend())
        said = [str(one.message).strip() for one in caught if issubclass(one.category, UserWarning)]
    talk.say(
        "figure",
        backend=backend,
        interactive=interactive(backend),
        matplotlib=str(matplotlib.__version__),
        display=os.environ.get("DISPLAY"),
        mplbackend=os.environ.get("MPLBACKEND"),
        rc_file=str(matplotlib.matplotlib_fname()),
        warnings=said[:5],
        seconds=time.time() - started,
    )
    if not interactive(backend):
        return
    by = ["user"]
    drawn: List[bool] = []

    def on_draw(_event: object) -> None:
        if not drawn:
            drawn.append(True)
            talk.say("drawn", seconds=time.time() - started)

    def look() -> None:
        if talk.closing.is_set():
            by[0] = "us"
            pyplot.close(figure)

    figure.canvas.mpl_connect("draw_event", on_draw)
    timer = figure.canvas.new_timer(interval=POLL_MS)
    timer.add_callback(look)
    timer.start()
    pyplot.show(block=True)
    timer.stop()
    talk.say("closed", by=by[0])


def main(settings: "Dict[str, str]") -> int:
    """Draw, show, and wait to be closed. Returns the exit status: 0 for a window, 3 for none."""
    started = time.time()
    talk = Talk(settings["mark"])
    talk.say("hello", python="%d.%d.%d" % sys.version_info[:3], executable=sys.executable or "")
    thread = threading.Thread(target=talk.listen)
    thread.daemon = True
    thread.start()
    problem = ""
    # Importing holds the interpreter's lock for milliseconds, which would be taken for round trips.
    talk.going.wait()
    try:
        show(talk, settings["title"], started)
    except BaseException as error:
        problem = last_line(error)
        talk.say("failed", problem=problem)
    return 3 if problem else 0
