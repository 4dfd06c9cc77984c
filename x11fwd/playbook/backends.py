"""The backends of matplotlib that open windows on an X server; imported by this package and steps."""

from __future__ import annotations

import re

__all__ = ["TOOLKITS", "canonical"]

TOOLKITS: dict[str, str] = {
    "TkAgg": "tkinter",
    "TkCairo": "tkinter",
    "QtAgg": "qt",
    "QtCairo": "qt",
    "Qt5Agg": "qt",
    "Qt5Cairo": "qt",
    "GTK3Agg": "gtk",
    "GTK3Cairo": "gtk",
    "GTK4Agg": "gtk",
    "GTK4Cairo": "gtk",
    "WXAgg": "wx",
    "WXCairo": "wx",
}
"""Backend -> the logical package it needs (matplotlib/backends/registry.py; WebAgg and macosx use no X11)."""

_MODULE = re.compile(r"^module://[A-Za-z_][A-Za-z0-9_.]*$")


def canonical(backend: str) -> str | None:
    """The backend as matplotlib spells it, which takes any capitals; None where it opens no X11 window."""
    if _MODULE.match(backend):
        return backend
    return next((name for name in TOOLKITS if name.lower() == backend.lower()), None)
