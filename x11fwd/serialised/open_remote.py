"""Opens one pickled figure and says what is in it; runs on the remote, where it was made, on Python 3.6.

Standard input: a JSON object with `path`, `drawing` (the text of inline/sent/figure_data.py, or ""),
`points` (at most so many of a figure), `patience` (seconds) and `most` (bytes). Standard output: a line of
JSON {"parts": [{"form", "title", "size", "figure"}], "notes": [...], "why": ...} and the parts' bytes, one
behind the other. `figure` counts the figures of one file. A form is png, svg, numbers (figure_data's JSON),
plotly, html, npy or csv. A .json file holds a figure of plotly, bokeh or mpld3 and is not unpickled.
"""

# Python 3.6 has no `from __future__ import annotations`. What is imported here is there, or is not.
# mypy: disable-error-code="import-not-found, import-untyped, no-untyped-call, unused-ignore"

import io
import json
import os
import pickle
import signal
import sys
import types
import warnings
from typing import Any, Dict, List

FIGURES = 20  # of one pickle
LONGEST_SVG = 4000000
WIDEST = 2000  # pixels of the PNG
PAGE = "<!DOCTYPE html><meta charset=utf-8>"


class Opened:
    """The parts found so far."""

    def __init__(self, most: int, points: int, drawing: str) -> None:
        self.parts: List[Dict[str, Any]] = []
        self.data: List[bytes] = []
        self.notes: List[str] = []
        self.left = most
        self.points = points
        self.drawing = drawing
        self.figure = 0

    def add(self, form: str, title: str, data: bytes) -> None:
        if len(data) > self.left:
            self.note("%s is too large to be sent as %s" % (title, form))
            return
        self.left -= len(data)
        self.parts.append({"form": form, "title": title[:300], "size": len(data), "figure": self.figure})
        self.data.append(data)

    def note(self, text: str) -> None:
        if text not in self.notes and len(self.notes) < 20:
            self.notes.append(text[:400])


def sentence(error: BaseException) -> str:
    """What a person can do something with, of whatever a pickle may raise."""
    if isinstance(error, ImportError) and getattr(error, "name", None):
        words = (
            "opening it needs the module %s, which %s does not have (`--python PATH` names another Python)"
        )
        return words % (error.name, sys.executable)
    words = " ".join(str(error).split())[:300]
    return "opening it over there failed: %s%s" % (type(error).__name__, ": " + words if words else "")


def figures_of(what: Any) -> List[Any]:
    """The things in a pickle that can be shown: itself, or what a list or dictionary of them holds."""
    if isinstance(what, dict):
        return list(what.values())[:FIGURES]
    if isinstance(what, (list, tuple)) and what and not isinstance(what[0], (int, float, str)):
        return list(what)[:FIGURES]
    return [what]


def family(what: Any) -> List[str]:
    return ["%s.%s" % (kind.__module__, kind.__name__) for kind in type(what).__mro__]


def take(opened: Opened, what: Any, title: str) -> bool:
    """Add the forms of one thing; False where it is nothing that can be shown."""
    kinds = family(what)
    if "matplotlib.artist.Artist" in kinds and "matplotlib.figure.Figure" not in kinds:
        what = getattr(what, "figure", None) or what
        kinds = family(what)
    if "matplotlib.figure.Figure" in kinds:
        take_figure(opened, what, title)
    elif any(kind.startswith("plotly.") for kind in kinds) and hasattr(what, "to_json"):
        opened.add("plotly", title, what.to_json().encode("utf-8"))
    elif "bokeh.model.model.Model" in kinds or "bokeh.model.Model" in kinds:
        from bokeh.embed import file_html
        from bokeh.resources import INLINE

        opened.add("html", title, file_html(what, INLINE, title).encode("utf-8"))
    elif "numpy.ndarray" in kinds:
        import numpy

        out = io.BytesIO()
        try:
            numpy.save(out, what, allow_pickle=False)
        except ValueError:
            return False
        opened.add("npy", title, out.getvalue())
    elif any(kind.startswith("pandas.") for kind in kinds) and hasattr(what, "to_csv"):
        opened.add("csv", title, what.head(10000).to_csv().encode("utf-8", "replace"))
    else:
        return False
    return True


def take_figure(opened: Opened, figure: Any, title: str) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    png, svg = io.BytesIO(), io.BytesIO()
    width, height = (max(float(side), 0.1) for side in figure.get_size_inches())
    figure.savefig(png, format="png", dpi=min(max(figure.dpi, 150.0), WIDEST / max(width, height)))
    words = figure._suptitle.get_text() if getattr(figure, "_suptitle", None) else ""
    if not words and figure.axes:
        words = figure.axes[0].get_title()
    # a title with formulas in it is no heading
    title = title if not words or "$" in words else "%s (%s)" % (" ".join(words.split()), title)
    opened.add("png", title, png.getvalue())
    try:
        figure.savefig(svg, format="svg")
    except Exception as error:
        opened.note("no SVG could be made: " + sentence(error))
    else:
        if len(svg.getvalue()) <= LONGEST_SVG:
            opened.add("svg", title, svg.getvalue())
    if not opened.drawing:
        return
    missing = True
    try:
        drawing = types.ModuleType("x11fwd_drawing")
        exec(compile(opened.drawing, "x11fwd-drawing", "exec"), drawing.__dict__)
        FigureCanvasAgg(figure).draw()  # limits, places and the colours of values are known afterwards
        found = drawing.figure_data(figure, opened.points)
        missing = bool(found["missing"])
        opened.add("numbers", title, json.dumps(found).encode("ascii"))
    except Exception as error:
        opened.note("its numbers could not be read (%s: %s)" % (type(error).__name__, str(error)[:150]))
    if missing:
        take_mpld3(opened, figure, title)


def take_mpld3(opened: Opened, figure: Any, title: str) -> None:
    """What our own form cannot say mpld3 may, where the person has it."""
    try:
        import mpld3
    except Exception:
        return
    try:
        opened.add(
            "html", title + ", mpld3", with_mpld3(json.dumps(mpld3.fig_to_dict(figure), default=plain_number))
        )
    except Exception as error:
        opened.note("mpld3 could not take it (%s)" % type(error).__name__)


def plain_number(value: Any) -> Any:
    """What json does not know, for it: numpy's numbers and arrays."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


def with_mpld3(figure: str) -> bytes:
    """A page with mpld3's own libraries inside."""
    from mpld3 import urls

    libraries = []
    for name in (urls.D3_LOCAL, urls.MPLD3MIN_LOCAL):
        with open(name, "rb") as file:
            libraries.append(file.read().decode("utf-8"))
    scripts = "".join("<script>%s</script>" % text.replace("</script", "<\\/script") for text in libraries)
    figure = figure.replace("<", "\\u003c")
    drawn = "<div id=figure></div><script>mpld3.draw_figure('figure', %s)</script>" % figure
    return (PAGE + scripts + drawn).encode("utf-8")


def take_json(opened: Opened, path: str, title: str) -> bool:
    """A figure that plotly, bokeh or mpld3 wrote as JSON."""
    with open(path, "rb") as file:
        data = file.read()
    told = json.loads(data.decode("utf-8"))
    if not isinstance(told, dict):
        return False
    if isinstance(told.get("data"), list) and "layout" in told:
        opened.add("plotly", title, data)
    elif "axes" in told and "plugins" in told:
        opened.add("html", title, with_mpld3(json.dumps(told)))
    elif "doc" in told and "root_id" in told:
        from bokeh.resources import INLINE

        told["target_id"] = "figure"
        words = json.dumps(told).replace("<", "\\u003c")
        drawn = "<div id=figure></div><script>Bokeh.embed.embed_item(%s)</script>" % words
        opened.add("html", title, (PAGE + INLINE.render() + drawn).encode("utf-8"))
    else:
        return False
    return True


def look_into(opened: Opened, path: str) -> str:
    """Adds what the file holds; returns why nothing can be shown, or ""."""
    name = os.path.basename(path)
    if path.lower().endswith(".json"):
        return "" if take_json(opened, path, name) else "it holds no figure of plotly, bokeh or mpld3"
    with open(path, "rb") as file:
        what = pickle.load(file)
    found, shown = figures_of(what), 0
    for number, one in enumerate(found):
        opened.figure = number
        shown += take(opened, one, name if len(found) == 1 else "%s, %d" % (name, number + 1))
    kind = type(what)
    return "" if shown else "it holds a %s.%s, which is no figure" % (kind.__module__, kind.__name__)


def main() -> None:
    asked = json.loads(sys.stdin.read())
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the pickle's own code prints must not get between our words
    try:
        signal.alarm(int(asked["patience"]) + 5)
    except (AttributeError, ValueError):
        pass
    path = asked["path"]
    # modules that lie beside the pickle are found, but never in the place of installed ones
    sys.path[:] = [one for one in sys.path if one] + [os.path.dirname(path)]
    opened = Opened(asked["most"], asked["points"], asked["drawing"])
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("default")
        try:
            why = look_into(opened, path)
        except BaseException as error:  # a pickle may raise whatever it likes, SystemExit too
            why = sentence(error)
    for warning in warned:
        if "matplotlib version" in str(warning.message):
            opened.note(" ".join(str(warning.message).split()))
    head = json.dumps({"parts": opened.parts, "notes": opened.notes, "why": "" if opened.parts else why})
    out.write(head.encode("ascii") + b"\n" + b"".join(opened.data))
    out.flush()
    os._exit(0)  # what the pickle has started must not keep us


if sys.version_info < (3, 6):
    os._exit(3)
if __name__ == "__main__":
    main()
