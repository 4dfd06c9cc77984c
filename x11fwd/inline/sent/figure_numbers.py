"""Colours, markers, numbers and words of matplotlib as plotly has them; part of figure_data.py's text."""

# Python 3.6 has no `from __future__ import annotations`. matplotlib gives its artists more than it declares.
# mypy: disable-error-code="attr-defined, union-attr, arg-type, no-untyped-call, no-any-return, misc"

import math
import re
import unicodedata
from typing import Any, Dict, List, Optional

import numpy
from matplotlib import collections as groups
from matplotlib import colors, dates, lines, ticker
from matplotlib.container import BarContainer
from matplotlib.image import AxesImage
from matplotlib.markers import MarkerStyle

PX = 96.0 / 72.0  # pixels of a page to a point
MOST_ARTISTS = 400  # plotly draws each by itself
DASHES = {"-": "solid", "--": "dash", ":": "dot", "-.": "dashdot"}
MARKERS = {
    "o": "circle", ".": "circle", ",": "circle", "s": "square", "D": "diamond", "d": "diamond-tall",
    "^": "triangle-up", "v": "triangle-down", "<": "triangle-left", ">": "triangle-right", "p": "pentagon",
    "h": "hexagon", "H": "hexagon2", "8": "octagon", "*": "star", "P": "cross", "X": "x",
    "+": "cross-thin-open", "x": "x-thin-open", "|": "line-ns-open", "_": "line-ew-open",
    "1": "y-down-open", "2": "y-up-open", "3": "y-left-open", "4": "y-right-open",
}  # fmt: skip
SHAPES = {"steps": "vh", "steps-pre": "vh", "steps-post": "hv", "steps-mid": "hvh"}


def ordered(axes: "Any") -> "List[Any]":
    """What is drawn in it, from the back; bars of one call are one."""
    bars = [one for one in axes.containers if isinstance(one, BarContainer) and len(one.patches)]
    inside = {id(bar) for one in bars for bar in one.patches}
    own = {id(one) for one in (axes.patch, axes.xaxis, axes.yaxis, axes.get_legend(), axes.title)}
    own |= {id(one) for one in list(axes.spines.values()) + [axes._left_title, axes._right_title]}
    found = [one for one in axes.get_children() if one.get_visible() and id(one) not in inside | own]
    flat = [one for one in found if not hasattr(one, "get_unitless_position") or one.get_text().strip()]
    both = [(bar.patches[0].get_zorder(), bar) for bar in bars] + [(one.get_zorder(), one) for one in flat]
    return [one for _order, one in sorted(both, key=lambda pair: pair[0])]


def amount(one: "Any") -> int:
    """Points or pixels of it."""
    if isinstance(one, BarContainer):
        return len(one.patches)
    if isinstance(one, lines.Line2D):
        return len(one.get_xdata(orig=False))
    if isinstance(one, (AxesImage, groups.QuadMesh)):
        array: Any = one.get_array()
        return 0 if array is None else int(numpy.prod(array.shape[:2]))
    if isinstance(one, groups.Collection):
        return max(
            len(numpy.atleast_2d(one.get_offsets())), sum(len(path.vertices) for path in one.get_paths())
        )
    return 10


def thin(xs: "Any", ys: "Any", most: int) -> "Any":
    """Indices of at most so many points that look alike: lowest and highest of each stretch."""
    count = len(xs)
    if count <= most:
        return numpy.arange(count)
    size = int(math.ceil(2.0 * count / most))
    whole = count // size * size
    pieces = numpy.nan_to_num(ys[:whole].astype(float)).reshape(-1, size)
    starts = numpy.arange(0, whole, size)
    chosen = numpy.concatenate(
        [starts + pieces.argmin(axis=1), starts + pieces.argmax(axis=1), [0, count - 1]]
    )
    return numpy.unique(chosen)


def every(count: int, most: int) -> "Any":
    return numpy.arange(0, count, max(1, int(math.ceil(count / float(max(1, most))))))


def spread(values: "List[Any]", chosen: "Any") -> "Any":
    """One value for all, or one a point; matplotlib repeats those that are too few."""
    if len(values) == 1 or len(set(map(str, values))) == 1:
        return values[0]
    return [values[place % len(values)] for place in chosen]


def edges_of(ends: "Any", step: int) -> "Any":
    chosen = list(ends[:-1:step]) + [ends[-1]]
    return numpy.array(chosen)


def plain_array(values: "Any") -> "Any":
    return numpy.ma.filled(numpy.ma.asarray(values, float), numpy.nan)


def number(value: "Any") -> "Optional[float]":
    value = float(value)
    return float("%.9g" % value) if math.isfinite(value) else None


def numbers(values: "Any") -> "List[Optional[float]]":
    return [number(one) for one in plain_array(values)]


def width(points: float) -> float:
    return round(float(points) * PX, 2)


def colour(given: "Any", alpha: "Optional[float]" = None) -> str:
    if isinstance(given, str) and given in ("none", "None", ""):
        return "rgba(0,0,0,0)"
    red, green, blue, solid = colors.to_rgba(given, alpha)
    parts = (round(red * 255), round(green * 255), round(blue * 255), round(solid, 3))
    return "rgba(%d,%d,%d,%g)" % parts


def scale(table: "Any") -> "List[List[Any]]":
    """A colour map as plotly's list; few colours stay steps."""
    count = min(int(table.N), 64)
    told: List[List[Any]] = []
    if table.N <= 20:
        for place in range(count):
            one = colour(table(place))
            told += [[number(place / float(count)), one], [number((place + 1.0) / count), one]]
        return told
    return [[number(place / (count - 1.0)), colour(table(place / (count - 1.0)))] for place in range(count)]


def bar_of(one: "Any") -> "Any":
    return getattr(one, "colorbar", None)


def is_linear(norm: "Any") -> bool:
    return type(norm) is colors.Normalize


def symbol_of(one: "Any") -> str:
    """The marker of a scatter, known by its outline."""
    paths = one.get_paths()
    for name, symbol in MARKERS.items():
        style = MarkerStyle(name)
        path = style.get_path().transformed(style.get_transform())
        if len(path.vertices) == len(paths[0].vertices) and numpy.allclose(path.vertices, paths[0].vertices):
            return symbol
    return "circle"


def side(axis: "Any", usual: str) -> str:
    place = axis.get_label_position()
    return place if place in ("top", "bottom", "left", "right") else usual


def plain(text: str) -> str:
    """Without TeX's signs: what is between dollars is shown as letters."""

    def letter(found: "Any") -> str:
        name = found.group(1)
        kind = "SMALL" if name.islower() else "CAPITAL"
        try:
            return unicodedata.lookup("GREEK %s LETTER %s" % (kind, name.upper().replace("LAMBDA", "LAMDA")))
        except KeyError:
            known = {"pm": "\u00b1", "times": "\u00d7", "cdot": "\u00b7", "infty": "\u221e", "leq": "\u2264"}
            known.update({"geq": "\u2265", "approx": "\u2248", "degree": "\u00b0", "circ": "\u00b0"})
            return known.get(name, name if name not in ("mathdefault", "mathrm", "mathit", "mathbf") else "")

    def raised(found: "Any") -> str:
        digits = found.group(1) or found.group(2)
        return "".join(
            "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"["-0123456789".index(one)]
            for one in digits
        )

    def tex(found: "Any") -> str:
        words = re.sub(r"\\([A-Za-z]+)", letter, found.group(1))
        words = re.sub(r"\^(?:\{([-0-9]+)\}|(\d))", raised, words)
        return words.replace("{", "").replace("}", "").replace("\\", "")

    words = re.sub(r"(?<!\\)\$([^$]*)\$", tex, str(text)).replace("\\$", "$")
    return words[:400]


class Side:
    """One axis: its name in plotly, and matplotlib's numbers as plotly wants them."""

    def __init__(self, letter: str, index: int, axes: "Any") -> None:
        end = str(index) if index > 1 else ""
        self.short, self.long = letter + end, letter + "axis" + end
        self.axis = axes.xaxis if letter == "x" else axes.yaxis
        self.limits = axes.get_xlim() if letter == "x" else axes.get_ylim()
        formatter = self.axis.get_major_formatter()
        names = type(formatter).__name__, type(getattr(self.axis, "converter", None)).__name__
        self.dated = any("Date" in name for name in names)
        self.log = self.axis.get_scale() == "log"

    def value(self, one: "Any") -> "Any":
        return self.values([one])[0]

    def place(self, one: "Any") -> "Any":
        """Where a text stands; plotly counts these by their logarithm."""
        return number(math.log10(one)) if self.log else self.value(one)

    def values(self, many: "Any") -> "List[Any]":
        if not self.dated:
            return numbers(many)
        found = []
        for one in numbers(many):
            try:
                text = None if one is None else dates.num2date(one).isoformat()[:26].replace("+00:00", "")
            except (ValueError, OverflowError):
                text = None
            found.append(text)
        return found

    def about(self) -> "Dict[str, Any]":
        axis, kind = self.axis, "date" if self.dated else "log" if self.log else "linear"
        ends = self.values(self.limits)
        if self.log:
            ends = [number(math.log10(one)) for one in self.limits]
        label = axis.get_label()
        about: Dict[str, Any] = {
            "type": kind,
            "range": ends,
            "title": {
                "text": plain(label.get_text()),
                "font": {"size": round(label.get_fontsize() * PX, 1)},
                "standoff": 5,
            },
            "tickmode": "auto",
            "exponentformat": "power",
            "minexponent": 3 if self.log else 6,
            "linecolor": "rgb(0,0,0)",
            "zeroline": False,
            "showgrid": any(one.get_visible() for one in axis.get_gridlines()[:1]),
            "gridcolor": "rgb(215,215,215)",
            "ticks": "outside",
            "visible": axis.get_visible(),
            "automargin": False,
        }
        ticks = axis.get_major_ticks()
        if ticks:
            shown = [getattr(ticks[0], one) for one in ("label1", "label2")]
            about["showticklabels"] = any(one.get_visible() for one in shown)
            about["tickfont"] = {"size": round(shown[0].get_fontsize() * PX, 1)}
        places = axis.get_majorticklocs()
        fixed = isinstance(axis.get_major_locator(), (ticker.FixedLocator, ticker.NullLocator))
        if (fixed or "Category" in type(axis.get_major_locator()).__name__) and len(places) <= 500:
            words = [plain(one) for one in axis.get_major_formatter().format_ticks(places)]
            about.update(tickmode="array", tickvals=self.values(places), ticktext=words)
        return about
