"""A matplotlib figure's numbers as plotly's JSON, bounded; sent as text, imported by nothing of ours.

`figure_data(figure, limit_points)` after the figure was drawn. Python 3.6, matplotlib 3.1 and later, nothing
else. Lines, scatter, bars, images, meshes, contours, filled areas and texts; what it cannot say is named in
`missing`, so that a picture can stand beside it.
"""

# Python 3.6 has no `from __future__ import annotations`. matplotlib gives its artists more than it declares.
# mypy: disable-error-code="attr-defined, union-attr, arg-type, no-untyped-call, no-any-return, misc"

from typing import Any, Dict, List, Optional

import numpy

from x11fwd.inline.sent.figure_numbers import (
    MOST_ARTISTS,
    PX,
    amount,
    bar_of,
    colour,
    number,
    ordered,
    plain,
    side,
)
from x11fwd.inline.sent.figure_traces import Traces


def figure_data(figure: "Any", limit_points: int = 20000) -> "Dict[str, Any]":
    """Plotly's `data` and `layout`; `points` in them; `thinned` where some were left off; `missing` in words.

    Never raises for a figure that is odd: what fails is missing. Args: limit_points: points and pixels.
    """
    return Extract(figure, limit_points).all()


class Extract:
    """One figure on its way. `data` and `layout` grow."""

    def __init__(self, figure: "Any", limit: int) -> None:
        self.figure = figure
        self.limit = limit
        self.share = 1.0
        self.data: List[Dict[str, Any]] = []
        self.layout: Dict[str, Any] = {"shapes": [], "annotations": []}
        self.missing: Dict[str, None] = {}
        self.points = 0
        self.thinned = False

    def all(self) -> "Dict[str, Any]":
        figure, layout = self.figure, self.layout
        bars = [one.colorbar.ax for one in figure.findobj(lambda one: hasattr(bar_of(one), "ax"))]
        for axes in dict.fromkeys(bars):
            self.attempt("a label", self.note, axes.xaxis.label)
            self.attempt("a label", self.note, axes.yaxis.label)
        wanted = [one for one in figure.get_axes() if one.get_visible() and one not in bars]
        found = []
        for axes in wanted:
            if getattr(axes, "name", "") == "rectilinear":
                found.append(axes)
            else:
                self.missing["%s axes" % {"3d": "3-D"}.get(axes.name, axes.name)] = None
        artists = [(axes, one) for axes in found for one in ordered(axes)]
        if len(artists) > MOST_ARTISTS:
            self.missing["%d of %d things drawn" % (len(artists) - MOST_ARTISTS, len(artists))] = None
            artists = artists[:MOST_ARTISTS]
        total = sum(amount(one) for _axes, one in artists)
        if total > self.limit:
            self.share, self.thinned = self.limit / float(total), True
        places: List[Place] = []
        for axes in found:
            try:
                place = Place(self, axes, places)
            except Exception:  # somebody's own axes may do anything
                self.missing[type(axes).__name__] = None
                continue
            places.append(place)
            for owner, one in artists:
                if owner is axes:
                    self.attempt(type(one).__name__, place.artist, one)
            self.attempt("a legend", place.legend)
        self.attempt("a title", self.words)
        layout["paper_bgcolor"] = colour(figure.get_facecolor())
        layout["barmode"] = "overlay"
        width, height = figure.get_size_inches()
        return {
            "data": self.data,
            "layout": layout,
            "width": round(float(width) * 96),
            "height": round(float(height) * 96),
            "points": self.points,
            "thinned": self.thinned,
            "missing": list(self.missing)[:20],
        }

    def attempt(self, what: str, work: "Any", *arguments: "Any") -> None:
        try:
            work(*arguments)
        except Exception:  # an artist of somebody's own may do anything
            self.missing[what] = None

    def words(self) -> None:
        """Texts of the whole figure."""
        names = ("_suptitle", "_supxlabel", "_supylabel")
        texts = [getattr(self.figure, name, None) for name in names] + list(self.figure.texts)
        for text in dict.fromkeys(one for one in texts if one is not None and one.get_text()):
            self.note(text)

    def note(self, text: "Any", place: "Optional[Place]" = None) -> None:
        """A text where it stands; in an axes that zooms, at its data."""
        if not text.get_visible() or not text.get_text().strip():
            return
        dot = text.get_transform().transform(text.get_unitless_position())
        x, y = self.figure.transFigure.inverted().transform(dot)
        about: Dict[str, Any] = {
            "xref": "paper",
            "yref": "paper",
            "x": number(x),
            "y": number(y),
            "showarrow": False,
        }
        if place is not None and text.get_transform() == place.axes.transData:
            x, y = text.get_unitless_position()
            x, y = place.x.place(x), place.y.place(y)
            about.update(xref=place.x.short, yref=place.y.short, x=x, y=y)
        upright = {"center": "middle", "top": "top", "bottom": "bottom"}
        about.update(
            text=plain(text.get_text()),
            font={"size": round(text.get_fontsize() * PX, 1), "color": colour(text.get_color())},
            xanchor=text.get_ha(),
            yanchor=upright.get(text.get_va(), "bottom"),
            textangle=-float(text.get_rotation()),
        )
        self.layout["annotations"].append(about)


class Place(Traces):
    """One axes: a pair of sides on a piece of the paper."""

    def __init__(self, whole: Extract, axes: "Any", before: "List[Place]") -> None:
        super().__init__(whole, axes, len(before) + 1)
        box = axes.get_position()
        ends = (box.x0, box.x1, box.y0, box.y1)
        self.box = tuple(min(1.0, max(0.0, float(one))) for one in ends)
        under = [one for one in before if numpy.allclose(one.box, self.box, atol=1e-3)]
        x, y = self.x.about(), self.y.about()
        x.update(domain=list(self.box[:2]), anchor=self.y.short, side=side(axes.xaxis, "bottom"))
        y.update(domain=list(self.box[2:]), anchor=self.x.short, side=side(axes.yaxis, "left"))
        if not axes.axison:
            x["visible"] = y["visible"] = False
        for about, near, far in ((x, "bottom", "top"), (y, "left", "right")):
            seen = [axes.get_frame_on() and axes.spines[one].get_visible() for one in (near, far)]
            about.update(showline=seen[0], mirror=all(seen))
        if under:
            self.over(under[0], x, y)
        elif axes.patch.get_visible() and axes.axison and axes.get_frame_on():
            refs = {"xref": self.x.short + " domain", "yref": self.y.short + " domain", "layer": "below"}
            shape = {"type": "rect", "x0": 0, "x1": 1, "y0": 0, "y1": 1, "line": {"width": 0}}
            shape["fillcolor"] = colour(axes.patch.get_facecolor())
            whole.layout["shapes"].append(dict(shape, **refs))
        aspect = axes.get_aspect()
        if aspect != "auto" and not (self.x.log or self.y.log):
            y.update(scaleanchor=self.x.short, scaleratio=1.0 if aspect == "equal" else float(aspect))
            x["constrain"] = y["constrain"] = "domain"
        for one in before:
            if axes.get_shared_x_axes().joined(axes, one.axes) and self.x.short != one.x.short:
                x.setdefault("matches", one.x.short)
            if axes.get_shared_y_axes().joined(axes, one.axes) and self.y.short != one.y.short:
                y.setdefault("matches", one.y.short)
        if self.x.long not in whole.layout:
            whole.layout[self.x.long] = x
        if self.y.long not in whole.layout:
            whole.layout[self.y.long] = y
        whole.layout["plot_bgcolor"] = "rgba(0,0,0,0)"
        for name in ("title", "_left_title", "_right_title"):
            whole.attempt("a title", whole.note, getattr(axes, name))

    def over(self, one: "Place", x: "Dict[str, Any]", y: "Dict[str, Any]") -> None:
        """Two axes at one place, as `twinx` makes them."""
        if self.axes.get_shared_x_axes().joined(self.axes, one.axes):
            self.x = one.x
            y.update(anchor=one.x.short, overlaying=one.y.short)
        elif self.axes.get_shared_y_axes().joined(self.axes, one.axes):
            self.y = one.y
            x.update(anchor=one.y.short, overlaying=one.x.short)
        else:
            x["overlaying"], y["overlaying"] = one.x.short, one.y.short

    def legend(self) -> None:
        legend = self.axes.get_legend()
        if legend is None or not legend.get_visible():
            return
        frame = legend.get_frame()
        box = frame.get_window_extent().transformed(self.whole.figure.transFigure.inverted())
        # on the side of the axes where it stands, since axes may grow and legends do not
        right = box.x0 + box.x1 > self.box[0] + self.box[1]
        low = box.y0 + box.y1 < self.box[2] + self.box[3]
        about: Dict[str, Any] = {"xref": "paper", "yref": "paper"}
        about.update(x=number(box.x1 if right else box.x0), xanchor="right" if right else "left")
        about.update(y=number(box.y0 if low else box.y1), yanchor="bottom" if low else "top")
        about.update(bgcolor=colour(frame.get_facecolor()), bordercolor="rgb(204,204,204)", borderwidth=1)
        title = legend.get_title().get_text()
        if title and title != "None":
            about["title"] = {"text": plain(title)}
        self.whole.layout[self.legend_name] = about
