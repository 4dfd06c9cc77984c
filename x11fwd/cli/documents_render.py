"""The JSON document of `x11fwd render`; the command imports it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from x11fwd.render.model import Status

if TYPE_CHECKING:
    from x11fwd.render.model import Summary

__all__ = ["render_document"]


def render_document(summary: Summary, target: str | None) -> dict[str, object]:
    """`x11fwd.render/1`: counts, and every figure with what became of it."""
    return {
        "schema": "x11fwd.render/1",
        "command": "render",
        "target": target,
        "ok": summary.ok,
        "exit_code": 0 if summary.ok else 1,
        "counts": {status.value: summary.count(status) for status in Status},
        "figures": [
            {
                "index": one.index,
                "name": one.name,
                "status": one.status.value,
                "path": None if one.path is None else str(one.path),
                "problem": one.problem,
                "where": one.where,
                "arguments": one.arguments,
                "seconds": round(one.seconds, 4),
            }
            for one in summary.outcomes
        ],
        "seconds": round(summary.seconds, 3),
    }
