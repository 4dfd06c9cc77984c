"""The viewer: a page on this machine's loopback that shows live what the program puts in; the pipeline's."""

from __future__ import annotations

import contextlib
import errno
import importlib.util
import os
import socket
import threading
from typing import TYPE_CHECKING

from x11fwd.errors import UsageError, X11fwdError
from x11fwd.viewer.gate import Gate, new_token
from x11fwd.viewer.store import Limits, Store

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable
    from types import TracebackType

    from x11fwd.viewer.app import Application
    from x11fwd.viewer.items import Item

__all__ = ["PortTakenError", "Viewer", "ViewerMissingError"]

_PORTS_TRIED = 50
_START_LIMIT = 60.0  # seconds, on a machine that is busy
_END_LIMIT = 5.0
_LOOK = 0.2  # seconds


class ViewerMissingError(X11fwdError):
    """The packages that the viewer needs are not installed."""


class PortTakenError(UsageError):
    """The port that was asked for cannot be had."""


class Viewer:
    """One page for one program. Methods may be called from any thread; items may be put before the start.

    Args:
        title: of the window, before the number of items.
        port: on 127.0.0.1; 0 takes any free one.
        next_free: where `port` is taken, one of the 50 after it is as good.
        token: of an earlier viewer whose open tabs are to find this one (same port); new without.
        limits: how much is kept.

    Example:
        with Viewer("train.py") as viewer:
            open_browser(viewer.address)
            viewer.put(Picture("1", "Figure 1", data, "png"))
            viewer.wait_closed()
    """

    def __init__(
        self,
        title: str,
        port: int = 0,
        *,
        next_free: bool = False,
        token: str = "",
        limits: Limits | None = None,
    ) -> None:
        self._title = title
        self._wanted = port
        self._next_free = next_free
        self._token = token or new_token()
        self._store = Store(self._changed, limits)
        self._lock = threading.Lock()
        self._told = False  # a wake-up is already under way
        self._loop: asyncio.AbstractEventLoop | None = None
        self._application: Application | None = None
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()
        self.address = ""
        self.port = 0

    def start(self) -> str:
        """Begin to serve, in a thread of its own. Returns the address with the token: a secret.

        Raises:
            ViewerMissingError: `x11fwd[viewer]` is not installed.
            PortTakenError: the port is taken.
        """
        if self.address:
            return self.address
        missing = [name for name in ("uvicorn", "plotly") if importlib.util.find_spec(name) is None]
        if missing:
            raise ViewerMissingError(
                f"the viewer needs {' and '.join(missing)}, which this Python does not have",
                hint='install it with `pip install "x11fwd[viewer]"`',
            )
        listening = self._listen()
        self.port = listening.getsockname()[1]
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._serve, args=(listening, ready), name="viewer", daemon=True
        )
        self._thread.start()
        if not ready.wait(_START_LIMIT) or self._loop is None:
            listening.close()
            raise X11fwdError("the viewer did not start")
        self.address = f"http://127.0.0.1:{self.port}/{self._token}/"
        return self.address

    def put(self, item: Item) -> None:
        """Show it, or let it take the place of the one with its id, in every open tab.

        Raises:
            ItemError: it is too large.
        """
        self._store.put(item)

    def extend(self, item_id: str, series: str, xs: Iterable[float], ys: Iterable[float]) -> None:
        """Append points to a line of a chart; the line begins with its first point. NaN makes a marked gap.

        Cheapest with arrays of doubles and many points a call.

        Raises:
            ItemError: there is no such chart, or it has too many lines.
            ValueError: not as many x as y.
        """
        self._store.extend(item_id, series, xs, ys)

    def remove(self, item_id: str) -> None:
        """Take it off the page; no fault where it is not there."""
        self._store.remove(item_id)

    def address_of(self, item_id: str) -> str:
        """The page's address that shows this item over the whole window at once, where there is one."""
        key = self._store.key_of(item_id)
        return f"{self.address}#{key}" if key else self.address

    def __len__(self) -> int:
        """Items shown."""
        return len(self._store)

    @property
    def dropped(self) -> int:
        """Items that had to go because there were more than are kept."""
        return self._store.dropped

    @property
    def tabs(self) -> int:
        """Browser tabs that are open now."""
        return self._application.tabs if self._application else 0

    @property
    def visited(self) -> bool:
        """Whether a browser tab was ever open."""
        return self._application is not None and self._application.visited

    def close(self) -> None:
        """Tell every tab that it is over and stop serving. Tabs keep what they show. Twice is no fault."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = None
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # it ended in between
                loop.call_soon_threadsafe(self._end)
        if thread is not None and thread is not threading.current_thread():
            thread.join(_END_LIMIT)
        self._closed.set()

    def wait_closed(self, timeout: float | None = None) -> bool:
        """Wait until `close` was called or the server ended. Returns whether it is closed.

        In steps where there is no limit: a signal that comes just before an endless wait would not end it.
        """
        while not self._closed.wait(_LOOK if timeout is None else timeout):
            if timeout is not None:
                return False
        return True

    def __enter__(self) -> Viewer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _listen(self) -> socket.socket:
        last = self._wanted + _PORTS_TRIED if self._next_free and self._wanted else self._wanted
        for port in range(self._wanted, min(last, 65535) + 1):
            listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            if os.name == "posix":  # elsewhere it would allow a second program on the same port
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listening.bind(("127.0.0.1", port))
                listening.listen(128)
                return listening
            except (OSError, OverflowError) as error:
                listening.close()
                if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
                    continue
                raise PortTakenError(f"port {port} of this machine cannot be used: {error}") from None
        raise PortTakenError(
            f"port {self._wanted} of this machine is taken by another program",
            hint="name another port, or none: then a free one is taken",
        )

    def _serve(self, listening: socket.socket, ready: threading.Event) -> None:
        """The thread: a loop of its own with uvicorn in it."""
        import asyncio

        try:
            asyncio.run(self._run(listening, ready))
        finally:
            listening.close()
            with self._lock:
                self._loop = None
            ready.set()
            self._closed.set()

    async def _run(self, listening: socket.socket, ready: threading.Event) -> None:
        import asyncio

        import uvicorn

        from x11fwd.viewer.app import Application

        self._application = Application(self._title, self._store, Gate(self._token, self.port))
        config = uvicorn.Config(
            self._application,
            access_log=False,  # it would hold the token
            http="h11",
            lifespan="off",
            log_config=None,
            log_level="critical",
            loop="asyncio",
            server_header=False,
            date_header=False,
            proxy_headers=False,
            limit_concurrency=200,
            timeout_graceful_shutdown=2,
            ws="none",
        )
        self._server = uvicorn.Server(config)
        with self._lock:
            self._loop = asyncio.get_running_loop()
        ready.set()
        await self._server.serve(sockets=[listening])

    def _changed(self) -> None:
        """From any thread: wake the loop, once for many changes."""
        with self._lock:
            if self._loop is None or self._told:
                return
            self._told = True
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        with self._lock:
            self._told = False
        if self._application is not None:
            self._application.wake()

    def _end(self) -> None:
        if self._application is not None:
            self._application.end()
        self._server.should_exit = True
