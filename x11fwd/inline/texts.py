"""What runs over there for figures, as text; pipeline/ imports it."""

from __future__ import annotations

import re
from importlib import resources

__all__ = ["backend_text", "figure_data_text", "inline_modules"]

_OURS = re.compile(r"^from x11fwd\.\S+ import (\([^)]*\)|.*)\n", re.MULTILINE)
_FIGURE = ("figure_numbers.py", "figure_traces.py", "figure_data.py")


def backend_text() -> str:
    """The matplotlib backend that turns figures into pictures, `x11fwd_inline`."""
    return _read("backend.py")


def inline_modules(*, numbers: bool) -> dict[str, str]:
    """Files for a folder of PYTHONPATH: the backend, and what it takes a figure's numbers with."""
    own = {"x11fwd_inline.py": backend_text()}
    return {**own, "x11fwd_figure_data.py": figure_data_text()} if numbers else own


def figure_data_text() -> str:
    """The module with `figure_data(figure, limit_points)`: a figure's numbers as plotly's JSON."""
    return _OURS.sub("", "\n".join(_read(name) for name in _FIGURE))


def _read(name: str) -> str:
    return resources.files("x11fwd.inline").joinpath("sent").joinpath(name).read_text(encoding="utf-8")
