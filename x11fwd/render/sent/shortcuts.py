"""Shortcuts through matplotlib for workers that draw many figures of one kind; sent as text with foreman.py.

Each remembers what is computed again and again although nothing that it depends on has changed: measures
and shapes of words, fonts that were found, tables of a font, glyphs. `install` proves them on a figure of
many kinds of things: where one pixel or one word about the file differs, matplotlib stays as it is.
"""

# Python 3.6 has no `from __future__ import annotations`; foreign insides may fail in any way.
# ruff: noqa: BLE001, S110, UP006, UP031, UP035

import functools
import io
import os
import struct
import zlib
from typing import Any, Callable, Dict, List, Tuple

Method = Callable[..., Any]

MOST = 20000  # things that the memory holds before it begins anew
FONTS = 500
PROVEN: List[bool] = []
WORDS = (str, int, float, type(None))


class Memory:
    """What was computed under settings that have not changed since."""

    def __init__(self) -> None:
        import matplotlib
        from matplotlib import font_manager

        self.rc, self.fonts = matplotlib.rcParams, font_manager.fontManager
        heads = ("font.", "text.", "mathtext.", "axes.formatter", "axes.unicode")
        self.names = [name for name in dict.keys(self.rc) if name.startswith(heads)]
        self.settings: List[Any] = []
        self.kept: Dict[Any, Any] = {}
        self.hold: Dict[int, Any] = {}  # so that no id in a key is given to something else
        self.sizes: Dict[int, Any] = {}  # by the id of a font, what was last set
        self.places: Dict[int, Any] = {}

    def ready(self) -> Dict[Any, Any]:
        """The memory, emptied where a setting or the list of fonts is another one."""
        get, rc = dict.__getitem__, self.rc
        now = [tuple(v) if type(v) is list else v for v in [get(rc, name) for name in self.names]]
        now.append(len(self.fonts.ttflist))
        if now != self.settings or len(self.kept) > MOST or len(self.hold) > FONTS:
            self.settings = now
            for memory in (self.kept, self.hold, self.sizes, self.places):
                memory.clear()
        return self.kept

    def id(self, thing: Any) -> int:
        self.hold[id(thing)] = thing
        return id(thing)


class Glyph:
    """A drawn glyph and where it belongs."""

    def __init__(self, left: int, top: int, buffer: Any) -> None:
        self.left, self.top, self.buffer = left, top, buffer


class Shortcuts:
    """What is put in place of matplotlib's own, and taken away again."""

    def __init__(self) -> None:
        self.undo: List[Tuple[Any, str, Any]] = []
        self.memory = Memory()

    def put(self, owner: Any, name: str, make: Callable[[Method], Method]) -> None:
        original = owner.__dict__.get(name)
        if callable(original):
            setattr(owner, name, functools.wraps(original)(make(original)))
            self.undo.append((owner, name, original))

    def remove(self) -> None:
        while self.undo:
            setattr(*self.undo.pop())

    def place(self) -> None:
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
        from matplotlib.font_manager import FontManager
        from matplotlib.markers import MarkerStyle

        self.put(FigureCanvasAgg, "print_png", print_png)
        self.put(RendererAgg, "get_text_width_height_descent", self.measure)
        self.put(FontManager, "findfont", self.find)
        self.put(FontManager, "_find_fonts_by_props", self.find)
        self.put(MarkerStyle, "_set_marker", set_marker)
        self.put(MarkerStyle, "__init__", self.marker)
        self.put(matplotlib.RcParams, "__getitem__", setting)
        if matplotlib.__version__.startswith("3.11."):  # which has been read for what a layout depends on
            from matplotlib.text import Text

            self.put(Text, "_get_layout", self.text)
        if hasattr(RendererAgg, "_draw_text_glyphs_and_boxes"):  # matplotlib 3.11 and later
            from matplotlib.ft2font import FT2Font

            self.put(FT2Font, "get_sfnt_table", self.table)
            self.put(FT2Font, "set_size", self.size)
            self.put(FT2Font, "_set_transform", self.transform)
            self.put(FT2Font, "_layout", self.layout)
            self.put(FT2Font, "_render_glyph", self.glyph)

    def measure(self, original: Method) -> Method:
        memory = self.memory

        def measure(renderer: Any, s: Any, prop: Any, ismath: Any) -> Any:
            kept = memory.ready()
            key = ("measure", type(renderer), renderer.dpi, s, ismath, prop)
            if key in kept:
                return kept[key]
            found = original(renderer, s, prop, ismath)
            lasting = (*key[:-1], prop.copy())
            kept[lasting] = found  # the text's own may be changed later
            return found

        return measure

    def text(self, original: Method) -> Method:
        from matplotlib.backends.backend_agg import RendererAgg
        from matplotlib.text import Annotation, Text
        from matplotlib.transforms import Bbox

        memory, plain = self.memory, (Text, Annotation)

        def _get_layout(text: Any, renderer: Any) -> Any:
            if type(renderer) is not RendererAgg or type(text) not in plain or text._wrap:
                return original(text, renderer)
            kept = memory.ready()
            words = (text._text, text.get_rotation(), text._rotation_mode, text._linespacing)
            places = (text._horizontalalignment, text._verticalalignment, text._multialignment)
            dpi = (renderer.dpi, text.get_figure(root=True).dpi)
            key = ("layout", words, places, dpi, text._usetex, text._parse_math, text._fontproperties)
            if key not in kept:
                box, lines, frame = original(text, renderer)
                lasting = (*key[:-1], text._fontproperties.copy())
                kept[lasting] = (tuple(box.extents), tuple(lines), frame)
            extents, lines, frame = kept[key]
            return Bbox.from_extents(*extents), list(lines), frame  # the box is the caller's own

        return _get_layout

    def marker(self, original: Method) -> Method:
        memory, rc = self.memory, self.memory.rc

        def initial(style: Any, marker: Any, fillstyle: Any = None, *args: Any, **kwargs: Any) -> None:
            plain = not args and not kwargs and isinstance(marker, str) and "$" not in marker
            if not plain or not (fillstyle is None or isinstance(fillstyle, str)):
                original(style, marker, fillstyle, *args, **kwargs)
                return
            filled = dict.get(rc, "markers.fillstyle") if fillstyle is None else fillstyle
            key = ("marker", type(style), marker, filled)
            kept = memory.kept.get(key)
            if kept is None:
                original(style, marker, fillstyle)
                function = style.__dict__.get("_marker_function")
                if getattr(function, "__self__", None) is style:
                    memory.kept[key] = (dict(style.__dict__), function.__name__)
                return
            style.__dict__ = dict(kept[0], _marker_function=getattr(style, kept[1]))

        return initial

    def find(self, original: Method) -> Method:
        from matplotlib.font_manager import FontProperties

        memory, name = self.memory, original.__name__

        def find(manager: Any, prop: Any, *args: Any, **kwargs: Any) -> Any:
            if type(prop) is not FontProperties:
                return original(manager, prop, *args, **kwargs)
            kept = memory.ready()
            key = (name, memory.id(manager), args, tuple(kwargs.items()), prop)
            if key in kept:
                return kept[key]
            found = original(manager, prop, *args, **kwargs)
            lasting = (*key[:-1], prop.copy())
            kept[lasting] = found
            return found

        return find

    def table(self, original: Method) -> Method:
        memory = self.memory

        def get_sfnt_table(font: Any, name: Any) -> Any:
            key = ("table", id(font), name)
            if key not in memory.kept:
                memory.kept[("table", memory.id(font), name)] = original(font, name)
            return memory.kept[key]

        return get_sfnt_table

    def size(self, original: Method) -> Method:
        memory, sizes = self.memory, self.memory.sizes

        def set_size(font: Any, ptsize: Any, dpi: Any) -> Any:
            sizes[memory.id(font)] = (ptsize, dpi)
            return original(font, ptsize, dpi)

        return set_size

    def transform(self, original: Method) -> Method:
        memory, places = self.memory, self.memory.places

        def _set_transform(font: Any, matrix: Any, delta: Any) -> Any:
            shape = matrix if isinstance(matrix, list) else matrix.tolist()
            places[memory.id(font)] = (str(shape), int(delta[0]), int(delta[1]))
            return original(font, matrix, delta)

        return _set_transform

    def layout(self, original: Method) -> Method:
        memory, sizes = self.memory, self.memory.sizes

        def _layout(font: Any, s: Any, flags: Any, features: Any = None, language: Any = None) -> Any:
            if features is not None or language is not None or id(font) not in sizes:
                return original(font, s, flags=flags, features=features, language=language)
            kept = memory.ready()
            key = ("layout", id(font), sizes[id(font)], s, flags)
            if key not in kept:
                kept[key] = list(original(font, s, flags=flags, features=None, language=None))
            return kept[key]

        return _layout

    def glyph(self, original: Method) -> Method:
        from matplotlib.ft2font import RenderMode

        memory, normal = self.memory, RenderMode.NORMAL
        sizes, places = memory.sizes, memory.places

        def _render_glyph(font: Any, index: Any, flags: Any, mode: Any) -> Any:
            number = id(font)
            if mode != normal or number not in sizes or number not in places:
                return original(font, index, flags, mode)
            matrix, across, up = places[number]
            # a glyph is drawn on the grid of pixels: whole ones only move it
            key = ("glyph", number, sizes[number], matrix, across & 63, up & 63, index, flags)
            kept = memory.kept
            if key not in kept:
                found = original(font, index, flags, mode)
                kept[key] = (found.left - (across >> 6), found.top - (up >> 6), found.buffer)
            left, top, buffer = kept[key]
            return Glyph(left + (across >> 6), top + (up >> 6), buffer)

        return _render_glyph


def print_png(original: Method) -> Method:
    """The file that matplotlib would write, packed faster."""

    def print_png(canvas: Any, filename_or_obj: Any, *args: Any, **kwargs: Any) -> Any:
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        if args or kwargs.get("metadata") is not None or kwargs.get("pil_kwargs") is not None:
            return original(canvas, filename_or_obj, *args, **kwargs)
        draw: Method = FigureCanvasAgg.draw
        draw(canvas)
        data = packed(canvas.buffer_rgba(), canvas.figure.dpi)
        if hasattr(filename_or_obj, "write"):
            filename_or_obj.write(data)
        else:
            with open(os.fspath(filename_or_obj), "wb") as file:
                file.write(data)
        return None

    return print_png


def chunk(kind: bytes, data: bytes) -> bytes:
    return (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) & 0xFFFFFFFF)
    )


def packed(buffer: Any, dpi: float) -> bytes:
    """A PNG file of RGBA pixels."""
    import matplotlib
    import numpy

    pixels = numpy.asarray(buffer)
    height, width = pixels.shape[:2]
    flat = pixels.reshape(height, 4 * width)
    rows = numpy.empty((height, 1 + 4 * width), numpy.uint8)
    rows[:, 0] = 2  # each row as its difference to the one above (PNG specification, 9.2: Up)
    rows[0, 1:] = flat[0]
    numpy.subtract(flat[1:], flat[:-1], out=rows[1:, 1:])
    per_metre = int(dpi / 0.0254 + 0.5)
    software = "Matplotlib version%s, https://matplotlib.org/" % matplotlib.__version__
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)),
            chunk(b"tEXt", b"Software\0" + software.encode("latin-1")),
            chunk(b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1)),
            chunk(b"IDAT", zlib.compress(rows.tobytes(), 1)),
            chunk(b"IEND", b""),
        ]
    )


def setting(original: Method) -> Method:
    """A setting that has neither another name nor to be found out first."""
    get = dict.__getitem__

    def item(settings: Any, key: Any) -> Any:
        if key != "backend":
            try:
                return get(settings, key)
            except KeyError:
                pass
        return original(settings, key)

    return item


def set_marker(original: Method) -> Method:
    """A copy of a marker that has a name shares with it what is never changed in place."""

    def _set_marker(style: Any, marker: Any) -> Any:
        theirs = marker.__dict__ if type(marker) is type(style) else {}
        function: Any = theirs.get("_marker_function")
        if (
            isinstance(theirs.get("_marker", ()), WORDS)
            and theirs.get("_user_transform", ()) is None
            and getattr(function, "__self__", None) is marker
        ):
            style.__dict__ = dict(theirs, _marker_function=getattr(style, function.__name__))
            return None
        return original(style, marker)

    return _set_marker


def sample() -> bytes:
    """A figure with many kinds of things in it, as a file."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4, 3), dpi=90)
    FigureCanvasAgg(figure)
    left = figure.add_subplot(1, 2, 1)
    left.plot([0, 1, 2.5], [3, 1, 2], "o--", label="Wave $x^2$")
    left.plot([0, 2.5], [1, 3], "^", fillstyle="left")
    left.set_title("Title\nof two lines")
    left.set_xlabel("time [s]", rotation=7)
    left.set_ylabel("värde")
    left.legend()
    left.grid()
    right = figure.add_subplot(1, 2, 2)
    right.bar([1, 2], [10, 20])
    right.text(1, 5, "AVAVA fi", rotation=33, fontsize=13.3, family="serif", weight="bold")
    right.set_yscale("log")
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


def taken_apart(file: bytes) -> Any:
    """The pixels, and all that a PNG says besides."""
    import matplotlib.image

    words, at = [], 8
    while at + 12 <= len(file):
        length = struct.unpack(">I", file[at : at + 4])[0]
        kind = file[at + 4 : at + 8]
        if kind != b"IDAT":
            words.append((kind, file[at + 8 : at + 8 + length]))
        at += 12 + length
    return matplotlib.image.imread(io.BytesIO(file), format="png").tobytes(), sorted(words)


def install() -> bool:
    """Put the shortcuts in place if they are proven here; whether they are. Later calls only say so."""
    if PROVEN:
        return PROVEN[0]
    PROVEN.append(False)
    shortcuts = None
    try:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            plain = taken_apart(sample())
            shortcuts = Shortcuts()
            shortcuts.place()
            # twice: what was computed, and what is remembered
            if taken_apart(sample()) == plain and taken_apart(sample()) == plain:
                PROVEN[0] = True
                return True
    except Exception:
        pass
    if shortcuts is not None:
        shortcuts.remove()
    return False
