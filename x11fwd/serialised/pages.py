"""HTML of others for a frame without a network: libraries inside, what is missing named; the pipeline's."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources

__all__ = ["Page", "page_of_html", "page_of_plotly"]

_PLOTLY = re.compile(
    rb"<script[^>]*\ssrc=[\"']?(?:https?:)?//cdn\.plot\.ly/plotly[^\"'>\s]*[\"']?[^>]*>\s*</script>",
    re.IGNORECASE,
)
_ASKED = re.compile(
    rb"<(?:script|img|link|iframe|video|audio|source)\b[^>]{0,2000}?\s(?:src|href)\s*=\s*[\"']?([^\"'>\s]+)",
    re.IGNORECASE,
)
_BODY = re.compile(
    rb"(<script\b[^>]*>).*?</script", re.IGNORECASE | re.DOTALL
)  # words in a script are no tags
_HOST = re.compile(r"(?:https?:)?//([^/:?#]+)")


@dataclass(frozen=True)
class Page:
    """HTML, and in words what it asks for and does not get."""

    html: bytes = field(repr=False)
    missing: str = ""


def page_of_html(data: bytes) -> Page:
    """The page as it is, but with plotly inside where it asks plotly's own server for it."""
    data = (
        _PLOTLY.sub(lambda _: b"<script>" + _plotly() + b"</script>", data)
        if b"cdn.plot.ly" in data
        else data
    )
    hosts: dict[str, None] = {}
    beside = 0
    for found in _ASKED.finditer(_BODY.sub(rb"\1", data)):
        address = found.group(1).decode("utf-8", "replace")
        host = _HOST.match(address)
        if host:
            hosts[host.group(1)[:60]] = None
        elif not address.startswith(("data:", "#", "blob:")):
            beside += 1
    words = []
    if hosts:
        words.append(f"not loaded from the network: {', '.join(list(hosts)[:4])}")
    if beside:
        words.append(f"{beside} {'file' if beside == 1 else 'files'} beside it not loaded")
    return Page(data, "; ".join(words))


def page_of_plotly(data: bytes) -> Page | None:
    """A figure that plotly wrote as JSON, drawn by our plotly.min.js; None where it is none."""
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or not isinstance(told.get("data"), list):
        return None
    layout = told.get("layout")
    figure = {"data": told["data"], "layout": layout if isinstance(layout, dict) else {}}
    # inside of a script element, where only `<` could end it
    words = json.dumps(figure).replace("<", "\\u003c").encode("ascii")
    return Page(
        b'<!DOCTYPE html><html><head><meta charset="utf-8">'
        b"<style>html,body,#figure{margin:0;height:100%}</style><script>"
        + _plotly()
        + b'</script></head><body><div id="figure"></div>'
        b'<script type="application/json" id="told">' + words + b"</script><script>"
        b"const told = JSON.parse(document.getElementById('told').textContent);"
        b"delete told.layout.width; delete told.layout.height;"
        b"Plotly.newPlot('figure', told.data, {...told.layout, autosize: true},"
        b" {responsive: true, scrollZoom: true, displaylogo: false, modeBarButtonsToRemove: ['toImage']});"
        b"</script></body></html>"
    )


@lru_cache(maxsize=1)
def _plotly() -> bytes:
    """The library out of the Python package that carries it; nothing where that is not installed."""
    try:
        file = resources.files("plotly").joinpath("package_data").joinpath("plotly.min.js")
        return file.read_bytes().replace(b"</script", b"<\\/script")
    except (ModuleNotFoundError, OSError):
        return b""
