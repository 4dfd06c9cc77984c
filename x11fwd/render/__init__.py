"""Hundreds of figures in parallel: `from x11fwd.render import render`; the pipeline imports the parts."""

from __future__ import annotations

from x11fwd.render.function import render
from x11fwd.render.model import Outcome, Status, Summary

__all__ = ["Outcome", "Status", "Summary", "render"]
