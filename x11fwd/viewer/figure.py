"""A figure's data from a remote, checked against a closed list before a page sees it; the viewer's own.

Made by inline/sent/figure_data.py over there. Nothing that loads, links or runs is on the list.
"""

from __future__ import annotations

import json
import math
import re

__all__ = ["LARGEST", "checked_figure", "described_figure"]

LARGEST = 8 << 20  # bytes
_MOST_VALUES = 400_000  # numbers, texts, lists and objects in all
_DEEPEST = 8
_LONGEST = 500  # characters of a text
_TRACES = {"scatter", "bar", "heatmap", "image"}
_KEYS = frozenset(
    re.findall(
        r"\w+",
        """
        mirror exponentformat minexponent standoff
        type name mode showlegend legend xaxis yaxis x y x0 y0 dx dy base width orientation line marker
        color size symbol dash shape opacity colorscale cmin cmax zmin zmax z showscale colorbar fill
        fillcolor hoverinfo hovertext source title text font range domain anchor side showline linecolor
        zeroline showgrid gridcolor ticks visible automargin showticklabels tickfont tickmode tickvals
        ticktext overlaying scaleanchor scaleratio constrain matches shapes annotations paper_bgcolor
        plot_bgcolor barmode xref yref xanchor yanchor x1 y1 layer showarrow textangle xpad ypad
        outlinewidth len lenmode thicknessmode thickness bgcolor bordercolor borderwidth
        """,
    )
)
_NUMBERED = re.compile(r"(?:[xy]axis|legend)\d{1,3}")
_IMAGE = re.compile(r"data:image/png;base64,[A-Za-z0-9+/]+={0,2}")


def checked_figure(data: bytes) -> bytes:
    """The figure as JSON that holds nothing but what is on the list; `b""` where it is none or too much."""
    if not data or len(data) > LARGEST:
        return b""
    try:
        told = json.loads(data)
        checked = _Check().figure(told)
    except (ValueError, RecursionError):
        return b""
    return json.dumps(checked, separators=(",", ":"), allow_nan=False).encode() if checked["data"] else b""


def described_figure(checked: bytes) -> str:
    """`all`, `part` where something of the picture is missing in it, or `""` for none."""
    return "" if not checked else "all" if checked.endswith(b'"missing":[]}') else "part"


class _Check:
    def __init__(self) -> None:
        self._left = _MOST_VALUES

    def figure(self, told: object) -> dict[str, object]:
        """Raises ValueError for what is not on the list."""
        if not isinstance(told, dict):
            raise ValueError("no object")  # noqa: TRY004  one kind for all
        data, layout, missing = told.get("data"), told.get("layout"), told.get("missing", [])
        if not isinstance(data, list) or not isinstance(layout, dict) or not isinstance(missing, list):
            raise ValueError("no figure")  # noqa: TRY004
        for trace in data:
            if not isinstance(trace, dict) or trace.get("type") not in _TRACES:
                raise ValueError("a trace of no known type")
        sizes = {name: _size(told.get(name)) for name in ("width", "height")}
        words = [self._text("", str(one))[:100] for one in missing[:20]]
        return {
            "data": self._value("data", data, 0),
            "layout": self._value("layout", layout, 0),
            **sizes,
            "thinned": told.get("thinned") is True,
            "missing": words,
        }

    def _value(self, key: str, value: object, depth: int) -> object:
        self._left -= 1
        if self._left < 0 or depth > _DEEPEST:
            raise ValueError("too much")
        if isinstance(value, dict):
            for name in value:
                if name not in _KEYS and not _NUMBERED.fullmatch(name):
                    raise ValueError(f"a key that no figure has: {name[:40]}")
            return {name: self._value(name, one, depth + 1) for name, one in value.items()}
        if isinstance(value, list):
            return [self._value(key, one, depth + 1) for one in value]
        if isinstance(value, str):
            return self._text(key, value)
        if isinstance(value, float) and not math.isfinite(value):
            return None
        if isinstance(value, int) and abs(value) > 1 << 53:
            return float(value) if abs(value) < 10**300 else None
        return value

    @staticmethod
    def _text(key: str, value: str) -> str:
        if key == "source":
            if not _IMAGE.fullmatch(value):
                raise ValueError("an image that is not inside")
            return value
        # plotly reads a few tags in texts; a name in a figure is not meant so
        value = value[:_LONGEST].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return value.replace("\n", "<br>")


def _size(value: object) -> int:
    """Pixels of a side; what is none becomes an ordinary one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 50 <= value <= 20_000 else 600
