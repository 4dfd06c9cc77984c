"""A worker: it calls the user's function and makes files of what was drawn; sent as text with foreman.py.

Frames both ways: kind (1 byte), length (4 bytes, big endian), body. Towards a worker: `J` the job (JSON)
once, `T` a figure to draw (8 bytes id, JSON), `P` the same with a pickle (only ever from this machine's own
Python). From it: `R` ready, `D` drawn (id, seconds as double, file), `F` failed (id, JSON), `X` the function
cannot be loaded (JSON).
"""

# Python 3.6 has no `from __future__ import annotations`; a function of the user's may fail in any way.
# ruff: noqa: BLE001, S301, UP006, UP031, UP035, UP045

import functools
import gc
import importlib
import inspect
import io
import json
import os
import pickle
import signal
import struct
import sys
import time
import traceback
from typing import Any, Callable, Dict, Optional, Tuple

from x11fwd.render.sent.shortcuts import install

HEAD = struct.Struct(">cI")
ID = struct.Struct(">Q")
SECONDS = struct.Struct(">d")
LONGEST = 256 * 1024 * 1024  # bytes of one frame
OURS = ("figure", "fig", "ax")
SIGNS = {"png": b"\x89PNG\r\n", "svg": b"<svg", "pdf": b"%PDF-"}


def frame(kind: bytes, body: bytes) -> bytes:
    return HEAD.pack(kind, len(body)) + body


def told(kind: bytes, words: Dict[str, Any], number: Optional[int] = None) -> bytes:
    body = json.dumps(words, default=str).encode("utf-8", "backslashreplace")
    return frame(kind, body if number is None else ID.pack(number) + body)


def take(data: bytearray) -> Optional[Tuple[bytes, bytes]]:
    """The first frame of `data`, which loses it; None while it is not all there."""
    if len(data) < HEAD.size:
        return None
    kind, length = HEAD.unpack_from(data)
    if length > LONGEST:
        raise ValueError("a frame of %d bytes" % length)
    if len(data) < HEAD.size + length:
        return None
    body = bytes(data[HEAD.size : HEAD.size + length])
    del data[: HEAD.size + length]
    return kind, body


def last_line(error: BaseException) -> str:
    return traceback.format_exception_only(type(error), error)[-1].strip()[:2000]


def place(error: BaseException) -> str:
    """Where the user's own code was: the last line of the traceback that is not this program's."""
    steps = [step for step in traceback.extract_tb(error.__traceback__) if step.filename != "x11fwd_render"]
    steps = [step for step in steps if "site-packages" not in step.filename] or steps
    return "%s:%d" % (steps[-1].filename, steps[-1].lineno or 0) if steps else ""


# --- a worker ---------------------------------------------------------------------------------------------


class Easel:
    """One figure that is cleared and drawn on again."""

    def __init__(self) -> None:
        self.figure: Any = None
        self.fresh: Any = None

    def clean(self) -> Any:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        if self.figure is None or self.state() != self.fresh:
            self.figure = Figure()
            FigureCanvasAgg(self.figure)
            self.fresh = self.state()
        return self.figure

    def state(self) -> Tuple[Any, ...]:
        """What `clear` leaves as it is; a figure on which the last user changed it is not used again."""
        f = self.figure
        engine = f.get_layout_engine() if hasattr(f, "get_layout_engine") else None
        layout = (engine, None) if engine else (f.get_tight_layout(), f.get_constrained_layout())
        pars = f.subplotpars
        face = f.patch
        return (
            tuple(f.get_size_inches()),
            f.dpi,
            layout,
            tuple(getattr(pars, name) for name in ("left", "right", "bottom", "top", "wspace", "hspace")),
            (face.get_facecolor(), face.get_edgecolor(), face.get_linewidth(), face.get_visible()),
            (face.get_alpha(), face.get_hatch(), f.get_alpha(), f.get_visible()),
            type(f.canvas),
        )


class Painter:
    """Calls the user's function and makes a file of what it drew."""

    def __init__(self, job: Dict[str, Any]) -> None:
        import matplotlib.pyplot as plt

        self.plt = plt
        self.shorter = job["format"] == "png" and job["many"] and install()
        self.kind, self.dpi = job["format"], job["dpi"]
        self.easel = Easel()
        plt.switch_backend("agg")
        self.function = find(job)
        plt.switch_backend("agg")  # the module may have chosen another one
        plt.close("all")
        self.asks = asked(self.function)
        self.rc = settings(plt.rcParams)
        self.more: Dict[str, Any] = {}
        self.saved: Any = None  # the figure that the function saved last, and the file
        self.watch_saving()
        if self.kind == "png" and not self.shorter:
            # half the time for an eighth more bytes; the pixels are the same
            self.more["pil_kwargs"] = {"compress_level": 1}

    def paint(self, arguments: Any) -> bytes:
        positional = arguments if isinstance(arguments, (list, tuple)) else ()
        keywords = dict(arguments) if isinstance(arguments, dict) else {}
        if not isinstance(arguments, (list, tuple, dict)):
            positional = (arguments,)
        drawn: Any = None
        self.saved = None
        if self.asks and self.asks not in keywords:
            drawn = self.easel.clean()
            keywords[self.asks] = drawn.subplots() if self.asks == "ax" else drawn
        try:
            made = self.function(*positional, **keywords)
            if made is None and drawn is None and self.saved is not None and self.saved[1]:
                return bytes(self.saved[1])  # it has written a file itself: nothing is drawn twice
            figure = self.figure_of(made, drawn)
            out = io.BytesIO()
            # `figure` as for savefig's own default: the resolution of rcParams
            dpi = {} if self.dpi is None else {"dpi": self.dpi}
            figure.savefig(out, format=self.kind, **dpi, **self.more)
            return out.getvalue()
        except BaseException:
            drawn = self.easel.figure = None  # whatever state it was left in
            raise
        finally:
            self.saved = None
            self.plt.close("all")
            if drawn is not None:
                for axes in list(drawn.axes):
                    drawn.delaxes(axes)  # or `clear` would set up anew each of them before it drops it
                drawn.clear()
            if dict.__ne__(self.plt.rcParams, self.rc):
                rc: Any = self.plt.rcParams
                dict.update(rc, settings(self.rc))

    def watch_saving(self) -> None:
        """Functions out of scripts save what they draw, and close it: their file is the picture."""
        from matplotlib.figure import Figure

        original: Any = Figure.savefig
        painter, sign = self, SIGNS[self.kind]

        @functools.wraps(original)
        def savefig(figure: Any, fname: Any, *args: Any, **kwargs: Any) -> Any:
            result = original(figure, fname, *args, **kwargs)
            data = b""
            if painter.dpi is None and isinstance(fname, (str, os.PathLike)):
                try:
                    with open(os.fspath(fname), "rb") as file:
                        data = file.read()
                except OSError:
                    pass
            painter.saved = (figure, data if sign in data[:65536] else b"")
            return result

        setattr(Figure, "savefig", savefig)  # noqa: B010  a type checker minds an assignment

    def figure_of(self, made: Any, drawn: Any) -> Any:
        if hasattr(made, "savefig"):
            return made
        if hasattr(getattr(made, "figure", None), "savefig"):  # an Axes, seaborn's grids
            return made.figure
        if drawn is not None:
            return drawn
        if self.saved is not None:
            return self.saved[0]
        if self.plt.get_fignums():
            return self.plt.gcf()
        raise LookupError(
            "the function drew nothing: it takes no `figure`, returned %s and left no figure open in pyplot"
            % ("nothing" if made is None else "a " + type(made).__name__)
        )


def settings(rc: Any) -> Dict[str, Any]:
    """A copy that shares no list: functions insert fonts into them in place."""
    return {name: list(value) if type(value) is list else value for name, value in dict.items(rc)}


def asked(function: "Callable[..., Any]") -> str:
    """The name under which the function wants a figure, or ``."""
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return ""
    return next((name for name in OURS if name in names), "")


def find(job: Dict[str, Any]) -> "Callable[..., Any]":
    """The user's function, its module loaded as multiprocessing would: never under the name `__main__`."""
    sys.path[:0] = [one for one in job["path"] if one not in sys.path]
    if job["main"]:
        import runpy

        module = type(sys)("__mp_main__")
        # classes of the script are found under both names when arguments are unpickled
        sys.modules["__mp_main__"] = sys.modules["__main__"] = module
        module.__dict__.update(runpy.run_path(job["main"], run_name="__mp_main__"))
    else:
        module = importlib.import_module(job["module"])
    found: Any = module
    for name in job["function"].split("."):
        found = getattr(found, name)
    if not callable(found):
        raise TypeError("{} is no function".format(job["function"]))
    return found  # type: ignore[no-any-return]


def work(source: int, sink: int) -> int:
    """A worker's life: the job, then figure after figure until its input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    data = bytearray()
    painter: Optional[Painter] = None
    while True:
        got = take(data)
        if got is None:
            part = os.read(source, 1 << 20)
            if not part:
                return 0
            data += part
            continue
        kind, body = got
        if kind == b"J":
            try:
                painter = Painter(json.loads(body.decode("utf-8")))
            except BaseException as error:
                write_all(sink, told(b"X", {"why": last_line(error), "where": place(error), "load": True}))
                return 1
            gc.collect()
            if hasattr(gc, "freeze"):
                gc.freeze()
            gc.set_threshold(100000, 20, 20)  # figures are full of cycles: look less often, through more
            write_all(sink, frame(b"R", b""))
        elif painter is not None:
            write_all(sink, one(painter, kind, body))


def one(painter: Painter, kind: bytes, body: bytes) -> bytes:
    number = ID.unpack_from(body)[0]
    started = time.time()
    try:
        text = body[ID.size :]
        arguments = pickle.loads(text) if kind == b"P" else json.loads(text.decode("utf-8"))
        file = painter.paint(arguments)
    except MemoryError as error:
        return told(b"F", {"why": "out of memory", "where": place(error)}, number)
    except BaseException as error:  # SystemExit too: sys.exit in a plot is one figure's fault
        return told(b"F", {"why": last_line(error), "where": place(error)}, number)
    return frame(b"D", ID.pack(number) + SECONDS.pack(time.time() - started) + file)


def write_all(sink: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(sink, view) :]
