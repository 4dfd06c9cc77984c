"""The viewer's addresses as an ASGI application, without a framework; the viewer's own.

/TOKEN/                        the page           /TOKEN/page.js, /TOKEN/style.css, …   its files
/TOKEN/events                  what changes, as server-sent events
/TOKEN/picture/KEY/VERSION     a picture          /TOKEN/table/KEY/VERSION              a table as JSON
/TOKEN/chart/KEY?width=…       a chart's points   /TOKEN/plotly.js                      draws them
/TOKEN/figure/KEY/VERSION      a picture's numbers as plotly's JSON
/frame/SECRET/VERSION          a document, at an address that tells it nothing of the page's own
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from x11fwd.viewer.gate import DOCUMENT_POLICY, PAGE_POLICY, PDF_POLICY, PICTURE_POLICY, Gate, answer_headers
from x11fwd.viewer.items import Picture, Table

if TYPE_CHECKING:
    from x11fwd.viewer.store import Store

__all__ = ["Application"]

# ASGI's own types: what a message holds depends on its `type`.
Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]

_PAGE = {
    "": ("index.html", "text/html; charset=utf-8"),
    "style.css": ("style.css", "text/css; charset=utf-8"),
    "page.js": ("page.js", "text/javascript; charset=utf-8"),
    "tiles.js": ("tiles.js", "text/javascript; charset=utf-8"),
    "zoom.js": ("zoom.js", "text/javascript; charset=utf-8"),
    "chart.js": ("chart.js", "text/javascript; charset=utf-8"),
    "figure.js": ("figure.js", "text/javascript; charset=utf-8"),
    "table.js": ("table.js", "text/javascript; charset=utf-8"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
}
_PICTURES = {
    "png": "image/png",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
}
_QUIET = 10.0  # seconds after which a line without meaning tells a tab that we are there
_MOST_TABS = 32
_AT_ONCE = 50  # items of one event, so that the first pictures show before a long list is through


class Application:
    """Answers one viewer's requests. Runs in the server's loop; `wake` and `end` are for that loop only."""

    def __init__(self, title: str, store: Store, gate: Gate) -> None:
        self._title = title
        self._store = store
        self._gate = gate
        self._woken = asyncio.Event()
        self._ended = False
        self.tabs = 0
        self.visited = False  # a tab was there at some time

    def wake(self) -> None:
        """Something changed: every open tab is told."""
        self._woken.set()
        self._woken = asyncio.Event()

    def end(self) -> None:
        """Say goodbye to every tab."""
        self._ended = True
        self.wake()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """ASGI 3."""
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        if not self._gate.lets_in(scope["method"], scope["headers"]):
            await _plain(send, 404)
            return
        if path.startswith("/frame/"):
            await self._document(send, path)
            return
        rest = self._gate.inside(path)
        if rest is None:
            await _plain(send, 404)
        elif rest == "/events":
            await self._events(scope, receive, send)
        else:
            await self._file(send, rest.removeprefix("/"), scope["query_string"])

    async def _file(self, send: Send, name: str, query: bytes) -> None:
        """Everything but the events, by the path behind the token."""
        if name in _PAGE:
            file, kind = _PAGE[name]
            data = resources.files("x11fwd.viewer").joinpath("page").joinpath(file).read_bytes()
            await _send(send, kind, data, PAGE_POLICY)
            return
        if name == "plotly.js":
            data = await asyncio.to_thread(_plotly)
            await _send(send, "text/javascript; charset=utf-8", data, PAGE_POLICY)
            return
        words = name.split("/")
        if len(words) < 2 or not _is_number(words[1]):
            await _plain(send, 404)
            return
        key = int(words[1])
        item = self._store.item(key)
        if words[0] == "picture" and isinstance(item, Picture):
            policy = PICTURE_POLICY if item.kind != "pdf" else PDF_POLICY
            await _send(send, _PICTURES[item.kind], item.data, policy)
        elif words[0] == "figure" and isinstance(item, Picture) and item.figure:
            await _send(send, "application/json", item.figure, PAGE_POLICY)
        elif words[0] == "table" and isinstance(item, Table):
            await _send(send, "application/json", await asyncio.to_thread(_table, item), PAGE_POLICY)
        elif words[0] == "chart" and (found := await asyncio.to_thread(self._chart, key, query)):
            await _send(send, "application/json", found, PAGE_POLICY)
        else:
            await _plain(send, 404)

    async def _document(self, send: Send, path: str) -> None:
        secret = path.removeprefix("/frame/").partition("/")[0]
        document = self._store.document(secret)
        if document is None:
            await _plain(send, 404)
        else:
            await _send(send, "text/html; charset=utf-8", document.html, DOCUMENT_POLICY)

    def _chart(self, key: int, query: bytes) -> bytes | None:
        asked = parse_qs(query.decode("ascii", "replace"))
        width = _number(asked, "width")
        columns = min(max(int(width if width is not None else 800), 50), 8_000)
        found = self._store.lines(key, columns, _number(asked, "from"), _number(asked, "to"))
        if found is None:
            return None
        version, lines = found
        return json.dumps({"version": version, "lines": lines}, separators=(",", ":")).encode()

    async def _events(self, scope: Message, receive: Receive, send: Send) -> None:
        """One tab's stream: what it does not know yet, then changes as they come, many in one when slow."""
        if self.tabs >= _MOST_TABS:
            await _plain(send, 503)
            return
        known = _last_known(scope["headers"], self._store.epoch)
        headers = answer_headers("text/event-stream; charset=utf-8", PAGE_POLICY, None)
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        self.tabs += 1
        self.visited = True
        gone = asyncio.ensure_future(_until_gone(receive))
        try:
            hello = {"title": self._title, "epoch": self._store.epoch, "from": known}
            await _part(send, f"retry: 1000\n{_event('hello', hello)}")
            if (
                not known and not self._store.number
            ):  # an empty page is news, too, for a tab of an earlier program
                await _part(send, _event("change", {"items": [], "order": []}))
            while not gone.done():
                woken, ended = self._woken, self._ended  # before looking, so that no change falls between
                known = await self._tell(send, known)
                if ended:
                    await _part(send, _event("end", {}))
                    break
                await self._pause(send, woken, gone)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self.tabs -= 1
            gone.cancel()

    async def _tell(self, send: Send, known: int) -> int:
        """Send what changed after `known`; returns what the tab knows now."""
        changes = self._store.since(known)
        if changes.upto == known:
            return known
        items = changes.items
        for at in range(0, max(len(items), 1), _AT_ONCE):
            last = at + _AT_ONCE >= len(items)
            told = {"items": items[at : at + _AT_ONCE], "order": changes.order if last else None}
            # only the last part has a number: a line cut in between starts again from the old one
            await _part(send, _event("change", told, f"{self._store.epoch}-{changes.upto}" if last else ""))
        return changes.upto

    async def _pause(self, send: Send, woken: asyncio.Event, gone: asyncio.Future[None]) -> None:
        """Until something changed or the tab has gone, with a sign of life now and then."""
        waiting = asyncio.ensure_future(woken.wait())
        try:
            while not waiting.done() and not gone.done():
                both: set[asyncio.Future[object]] = {waiting, gone}  # type: ignore[arg-type]
                await asyncio.wait(both, timeout=_QUIET, return_when=asyncio.FIRST_COMPLETED)
                if not waiting.done():
                    await _part(send, "event: alive\ndata:\n\n")
        finally:
            waiting.cancel()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _part(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


def _event(name: str, data: object, number: str = "") -> str:
    """One server-sent event (WHATWG HTML, section 9.2.6). JSON without line breaks needs one data line."""
    line = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return f"event: {name}\ndata: {line}\n" + (f"id: {number}\n\n" if number else "\n")


def _last_known(headers: list[tuple[bytes, bytes]], epoch: str) -> int:
    """The number that a tab had reached before its line was cut; 0 for a new tab."""
    for name, value in headers:
        if name == b"last-event-id":
            before, _, number = value.decode("ascii", "replace").partition("-")
            if before == epoch and _is_number(number):
                return int(number)
    return 0


async def _send(send: Send, kind: str, data: bytes, policy: str) -> None:
    headers = answer_headers(kind, policy, len(data))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": data})


async def _plain(send: Send, status: int) -> None:
    """The same few bytes for every refusal: a stranger learns nothing from them."""
    data = b"Nothing here.\n"
    headers = answer_headers("text/plain; charset=utf-8", PICTURE_POLICY, len(data))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})


@lru_cache(maxsize=1)
def _plotly() -> bytes:
    """The library that draws charts, out of the Python package that carries it."""
    return resources.files("plotly").joinpath("package_data").joinpath("plotly.min.js").read_bytes()


def _table(table: Table) -> bytes:
    """Numbers that JSON has no word for go as text."""
    rows = [
        [str(cell) if isinstance(cell, float) and not math.isfinite(cell) else cell for cell in row]
        for row in table.rows
    ]
    told = {"columns": table.columns, "rows": rows, "left_off": table.left_off}
    return json.dumps(told, separators=(",", ":"), default=str).encode()


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) < 16


def _number(asked: dict[str, list[str]], name: str) -> float | None:
    try:
        value = float(asked[name][0])
    except (KeyError, ValueError):
        return None
    return value if math.isfinite(value) else None
