"""One thing drawn by matplotlib as one trace of plotly's; part of the text of figure_data.py."""

# Python 3.6 has no `from __future__ import annotations`. matplotlib gives its artists more than it declares.
# mypy: disable-error-code="attr-defined, union-attr, arg-type, no-untyped-call, no-any-return, misc"

import base64
import io
import math
from typing import Any, Dict, List, Tuple

import numpy
from matplotlib import collections as groups
from matplotlib import image, lines, patches
from matplotlib.container import BarContainer
from matplotlib.image import AxesImage

from x11fwd.inline.sent.figure_numbers import (
    DASHES,
    MARKERS,
    PX,
    SHAPES,
    Side,
    bar_of,
    colour,
    edges_of,
    every,
    is_linear,
    number,
    numbers,
    plain,
    plain_array,
    scale,
    spread,
    symbol_of,
    thin,
    width,
)


class Traces:
    """Things drawn in one axes. `whole` is the Extract that they go into."""

    def __init__(self, whole: "Any", axes: "Any", index: int) -> None:
        self.whole, self.axes = whole, axes
        self.x, self.y = Side("x", index, axes), Side("y", index, axes)
        self.legend_name = "legend%d" % index if index > 1 else "legend"

    def artist(self, one: "Any") -> None:
        data = self.axes.transData
        if isinstance(one, BarContainer):
            self.bars(one)
        elif isinstance(one, lines.Line2D):
            if one.get_transform() == data:
                self.line(one)
            else:
                self.ruler(one)
        elif isinstance(one, AxesImage) and type(one) is AxesImage:
            self.image(one)
        elif isinstance(one, groups.QuadMesh):
            self.mesh(one)
        elif isinstance(one, groups.Collection):
            moved = getattr(one, "get_offset_transform", lambda: getattr(one, "_transOffset", None))()
            several = len(numpy.atleast_2d(one.get_offsets())) if moved == data else 0
            if isinstance(one, groups.PathCollection) and moved == data and one.get_transform() != data:
                self.scatter(one)
            elif one.get_transform() == data or not several:
                self.paths(one)
            else:
                self.whole.missing[type(one).__name__] = None
        elif isinstance(one, patches.Patch):
            self.outline(one)
        elif hasattr(one, "get_unitless_position"):
            if getattr(one, "arrow_patch", None) is not None:
                self.outline(one.arrow_patch)
            self.whole.note(one, self)
        else:
            self.whole.missing[type(one).__name__] = None

    def put(self, one: "Any", trace: "Dict[str, Any]", count: int) -> None:
        label = str(one.get_label() if one is not None else "")
        hidden = not label or label.startswith("_")
        legend = self.axes.get_legend()
        listed = legend is not None and label in [text.get_text() for text in legend.get_texts()]
        trace.update(xaxis=self.x.short, yaxis=self.y.short)
        if trace["type"] in ("scatter", "bar"):
            trace.update(name="" if hidden else plain(label), showlegend=listed and not hidden)
            trace["legend"] = self.legend_name
        self.whole.points += count
        self.whole.data.append(trace)

    def keep(self, count: int) -> int:
        """How many of so many points may go."""
        return count if self.whole.share >= 1 else max(2, int(count * self.whole.share))

    def line(self, one: "Any") -> None:
        xs, ys = plain_array(one.get_xdata(orig=False)), plain_array(one.get_ydata(orig=False))
        if one.get_markevery() is not None:
            self.whole.missing["some markers"] = None
        chosen = thin(xs, ys, self.keep(len(xs)))
        style, marker = one.get_linestyle(), one.get_marker()
        symbol = MARKERS.get(marker) if isinstance(marker, str) else None
        drawn = style in DASHES and one.get_linewidth() > 0
        pen = {"color": colour(one.get_color(), one.get_alpha()), "width": width(one.get_linewidth())}
        trace: Dict[str, Any] = {"type": "scatter", "line": dict(pen, dash=DASHES.get(style, "dash"))}
        trace["line"]["shape"] = SHAPES.get(one.get_drawstyle(), "linear")
        has = marker not in (None, "None", "none", "", " ")
        trace["mode"] = "lines+markers" if drawn and has else "lines" if drawn else "markers"
        if not drawn and not has:
            return
        if has:
            size = one.get_markersize() * PX * {".": 0.5, ",": 0.1}.get(marker, 1.0)
            edge = {"color": colour(one.get_markeredgecolor()), "width": width(one.get_markeredgewidth())}
            trace["marker"] = {"symbol": symbol or "circle", "size": round(max(1.0, size), 1), "line": edge}
            face = one.get_markerfacecolor() if not str(symbol).endswith("-open") else edge["color"]
            trace["marker"]["color"] = face if isinstance(face, str) and "rgb" in face else colour(face)
        trace.update(x=self.x.values(xs[chosen]), y=self.y.values(ys[chosen]))
        self.put(one, trace, len(chosen))

    def ruler(self, one: "Any") -> None:
        """`axhline`, `axvline`: across the axes wherever one zooms."""
        xs, ys = one.get_xdata(orig=False), one.get_ydata(orig=False)
        across = one.get_transform() == self.axes.get_yaxis_transform(which="grid")
        up = one.get_transform() == self.axes.get_xaxis_transform(which="grid")
        if not (across or up) or len(xs) != 2:
            self.whole.missing[type(one).__name__] = None
            return
        pen = {"color": colour(one.get_color(), one.get_alpha()), "width": width(one.get_linewidth())}
        pen["dash"] = DASHES.get(one.get_linestyle(), "dash")
        side_x = [number(value) for value in xs] if across else self.x.values(xs)
        side_y = [number(value) for value in ys] if up else self.y.values(ys)
        shape = {
            "type": "line",
            "line": pen,
            "x0": side_x[0],
            "x1": side_x[1],
            "y0": side_y[0],
            "y1": side_y[1],
        }
        shape["xref"] = self.x.short + (" domain" if across else "")
        shape["yref"] = self.y.short + (" domain" if up else "")
        self.whole.layout["shapes"].append(shape)

    def scatter(self, one: "Any") -> None:
        dots: Any = numpy.ma.filled(numpy.ma.asarray(one.get_offsets(), float), numpy.nan)
        chosen = every(len(dots), self.keep(len(dots)))
        sizes = numpy.sqrt(numpy.atleast_1d(one.get_sizes())) * PX
        faces, edges = one.get_facecolors(), one.get_edgecolors()
        marker: Dict[str, Any] = {"symbol": symbol_of(one)}
        marker["size"] = spread([round(float(size), 1) for size in sizes], chosen)
        array = one.get_array()
        if array is not None and len(numpy.ravel(array)) == len(dots) and is_linear(one.norm):
            values = plain_array(numpy.ravel(array))
            marker.update(
                color=numbers(values[chosen]), colorscale=scale(one.cmap), opacity=one.get_alpha() or 1
            )
            marker.update(cmin=number(one.norm.vmin), cmax=number(one.norm.vmax), **self.bar(one))
        elif len(faces):
            marker["color"] = spread([colour(face) for face in faces], chosen)
        else:
            marker["color"] = "rgba(0,0,0,0)"
        widths = numpy.atleast_1d(one.get_linewidths())
        if len(edges) and len(widths) and widths[0] > 0:
            many = [colour(edge) for edge in edges]
            marker["line"] = {"color": spread(many, chosen), "width": width(widths[0])}
        trace: Dict[str, Any] = {"type": "scatter", "mode": "markers", "marker": marker}
        trace.update(x=self.x.values(dots[chosen, 0]), y=self.y.values(dots[chosen, 1]))
        self.put(one, trace, len(chosen))

    def bars(self, one: "Any") -> None:
        boxes = [(bar.get_x(), bar.get_y(), bar.get_width(), bar.get_height()) for bar in one.patches]
        chosen = every(len(boxes), self.keep(len(boxes)))
        xs, ys, wide, high = numpy.array(boxes, float)[chosen].T
        lying = getattr(one, "orientation", None) == "horizontal"
        if getattr(one, "orientation", None) is None:
            lying = len(set(ys)) > 1 and len(set(xs)) == 1 and len(set(high)) == 1
        if (self.y if lying else self.x).dated or (self.x if lying else self.y).dated:
            for bar in one.patches:
                self.outline(bar)
            return
        first = one.patches[0]
        edges = [bar.get_edgecolor() for bar in one.patches]
        marker: Dict[str, Any] = {
            "color": spread([colour(bar.get_facecolor()) for bar in one.patches], chosen)
        }
        pen = width(first.get_linewidth()) if first.get_edgecolor()[3] > 0 else 0
        marker["line"] = {"color": spread([colour(edge) for edge in edges], chosen), "width": pen}
        trace: Dict[str, Any] = {"type": "bar", "orientation": "h" if lying else "v", "marker": marker}
        if lying:
            trace.update(y=numbers(ys + high / 2), x=numbers(wide), base=numbers(xs), width=numbers(high))
        else:
            trace.update(x=numbers(xs + wide / 2), y=numbers(high), base=numbers(ys), width=numbers(wide))
        self.put(one, trace, len(chosen))

    def image(self, one: "Any") -> None:
        if one.get_transform() != self.axes.transData:
            self.whole.missing["a turned image"] = None
            return
        array: Any = one.get_array()
        left, right, bottom, top = one.get_extent()
        rows, columns = array.shape[:2]
        step = 1 if self.whole.share >= 1 else int(math.ceil(math.sqrt(1 / self.whole.share)))
        array = array[::step, ::step]
        dx, dy = (right - left) / columns * step, (top - bottom) / rows * step
        if one.origin == "upper":
            bottom, dy = top, -dy
        trace: Dict[str, Any] = {
            "x0": number(left + dx / 2),
            "dx": number(dx),
            "y0": number(bottom + dy / 2),
            "dy": number(dy),
        }
        if array.ndim == 2:
            trace.update(self.heat(one, numpy.ma.filled(numpy.ma.asarray(array, float), numpy.nan)))
        else:
            file = io.BytesIO()
            pixels = numpy.asarray(array)
            if pixels.dtype != numpy.uint8:
                pixels = (numpy.clip(numpy.nan_to_num(pixels.astype(float)), 0, 1) * 255).astype(numpy.uint8)
            image.imsave(file, pixels, format="png")
            text = base64.b64encode(file.getvalue()).decode("ascii")
            trace.update(type="image", source="data:image/png;base64," + text)
        self.put(None, trace, array.shape[0] * array.shape[1])

    def mesh(self, one: "Any") -> None:
        corners = numpy.asarray(one._coordinates)
        rows, columns = corners.shape[0] - 1, corners.shape[1] - 1
        xs, ys = corners[0, :, 0], corners[:, 0, 1]
        array: Any = numpy.ma.filled(numpy.ma.asarray(one.get_array(), float), numpy.nan)
        straight = numpy.allclose(corners[..., 0], xs[None, :]) and numpy.allclose(
            corners[..., 1], ys[:, None]
        )
        if not straight or array.size != rows * columns:
            self.whole.missing["a bent mesh"] = None
            return
        step = 1 if self.whole.share >= 1 else int(math.ceil(math.sqrt(1 / self.whole.share)))
        array = array.reshape(rows, columns)[::step, ::step]
        trace = self.heat(one, array)
        trace.update(x=self.x.values(edges_of(xs, step)), y=self.y.values(edges_of(ys, step)))
        self.put(None, trace, array.size)

    def heat(self, one: "Any", array: "Any") -> "Dict[str, Any]":
        norm = one.norm
        trace: Dict[str, Any] = {"type": "heatmap", "colorscale": scale(one.cmap), **self.bar(one)}
        if is_linear(norm):
            trace.update(zmin=number(norm.vmin), zmax=number(norm.vmax))
        else:
            trace["hovertext"] = [["%.6g" % value for value in row] for row in array]
            trace["hoverinfo"] = "x+y+text"
            low = numpy.ma.filled(norm(numpy.ma.masked_invalid(array)).astype(float), numpy.nan)
            array = low
            trace.update(zmin=0, zmax=1)
        trace["z"] = [numbers(row) for row in array]
        return trace

    def bar(self, one: "Any") -> "Dict[str, Any]":
        """The colour bar, where matplotlib has it."""
        bar = bar_of(one)
        if not hasattr(bar, "ax"):
            return {"showscale": False}
        box = bar.ax.get_position()
        about: Dict[str, Any] = {
            "x": number(box.x0),
            "xanchor": "left",
            "xpad": 0,
            "ypad": 0,
            "outlinewidth": 1,
        }
        about.update(y=number((box.y0 + box.y1) / 2), yanchor="middle", len=number(box.y1 - box.y0))
        about.update(lenmode="fraction", thicknessmode="fraction", thickness=number(box.x1 - box.x0))
        if box.x1 - box.x0 > box.y1 - box.y0:
            about.update(orientation="h", x=number((box.x0 + box.x1) / 2), xanchor="center", y=number(box.y0))
            about.update(yanchor="bottom", len=number(box.x1 - box.x0), thickness=number(box.y1 - box.y0))
        if not is_linear(one.norm):
            ticks = [tick for tick in bar.get_ticks() if one.norm.vmin <= tick <= one.norm.vmax][:50]
            about.update(tickmode="array", tickvals=numbers(one.norm(numpy.array(ticks, float))))
            about["ticktext"] = ["%.6g" % tick for tick in ticks]
        return {"showscale": True, "colorbar": about}

    def paths(self, one: "Any") -> None:
        """Segments, polygons and contours; those of one look are one trace."""
        data = self.axes.transData
        if hasattr(one, "update_scalarmappable"):
            one.update_scalarmappable()
        faces, edges, widths = (
            one.get_facecolors(),
            one.get_edgecolors(),
            numpy.atleast_1d(one.get_linewidths()),
        )
        looks: Dict[Tuple[str, str, float], Tuple[List[float], List[float]]] = {}
        for place, path in enumerate(one.get_paths()):
            face = colour(faces[place % len(faces)]) if len(faces) else ""
            edge = colour(edges[place % len(edges)]) if len(edges) else ""
            pen = width(widths[place % len(widths)]) if len(widths) and edge else 0.0
            xs, ys = looks.setdefault((face, edge, pen), ([], []))
            for piece in self.pieces(path, one.get_transform() if one.get_transform() != data else None):
                xs.extend(list(piece[:, 0]) + [numpy.nan])
                ys.extend(list(piece[:, 1]) + [numpy.nan])
        if len(looks) > 64:
            self.whole.missing["%d colours of lines" % (len(looks) - 64)] = None
        for count, (look, dots) in enumerate(list(looks.items())[:64]):
            self.polygon(one if count == 0 else None, dots, look)

    def outline(self, one: "Any") -> None:
        xs: List[float] = []
        ys: List[float] = []
        for piece in self.pieces(one.get_path(), one.get_transform()):
            xs.extend(list(piece[:, 0]) + [numpy.nan])
            ys.extend(list(piece[:, 1]) + [numpy.nan])
        face = colour(one.get_facecolor()) if one.get_fill() else ""
        edge = one.get_edgecolor()
        self.polygon(one, (xs, ys), (face, colour(edge), width(one.get_linewidth()) if edge[3] > 0 else 0.0))

    def pieces(self, path: "Any", transform: "Any" = None) -> "List[Any]":
        """The path as polygons in data's numbers; curves become short lines, as long as pixels."""
        if path.codes is None and transform is None:
            return [plain_array(path.vertices)]
        data = self.axes.transData
        shown = path.transformed(transform if transform is not None else data)
        return [data.inverted().transform(piece) for piece in shown.to_polygons(closed_only=False)]

    def polygon(self, one: "Any", dots: "Any", look: "Tuple[str, str, float]") -> None:
        (xs, ys), (face, edge, pen) = dots, look
        if not xs or len(xs) > 4 * self.whole.limit:
            self.whole.missing["a large outline"] = None
            return
        trace: Dict[str, Any] = {
            "type": "scatter",
            "mode": "lines",
            "hoverinfo": "x+y" if not face else "skip",
        }
        trace["line"] = {"color": edge or "rgba(0,0,0,0)", "width": pen if edge else 0}
        if face:
            trace.update(fill="toself", fillcolor=face)
        xs, ys = xs[:-1], ys[:-1]
        trace.update(x=self.x.values(xs), y=self.y.values(ys))
        self.put(one, trace, len(xs))
