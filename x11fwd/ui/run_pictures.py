"""Where the pictures of `run --inline` go: the viewer, the terminal or a folder; imported by the cli."""

from __future__ import annotations

import re
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Literal, cast

from x11fwd.errors import UsageError, X11fwdError
from x11fwd.ui.console import message_console, rich_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from x11fwd.pipeline.run_session import Drawn
    from x11fwd.ui.pictures import TerminalPictures

__all__ = ["PictureSink"]

_NOBODY = 60.0  # seconds for a browser to come, which may have to start first (viewer.browser)
_RELOAD = 10.0  # seconds
_LOOK = 0.3  # seconds


class PictureSink:
    """A context manager.

    Args:
        folder: write files here and open no browser.
        browser: open it.
        terminal: draw in the terminal and open no browser.

    Attributes:
        pause: held while something is said, for a terminal that is the script's at that time.
    """

    def __init__(self, title: str, *, folder: Path | None, browser: bool, terminal: bool = False) -> None:
        self._folder = folder
        self._console = message_console()
        self._viewer: Viewer | None = None
        self._files: dict[str, str] = {}
        self._terminal: TerminalPictures | None = None
        self.address = ""
        self.pause: Callable[[], AbstractContextManager[object]] = nullcontext
        if folder is not None:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise UsageError(f"{folder} cannot be made: {error.strerror}") from error
            return
        if terminal:
            from x11fwd.ui.pictures import TerminalPictures

            self._terminal = TerminalPictures(pause=lambda: self.pause())
            return
        from x11fwd.viewer.server import Viewer

        self._viewer = Viewer(title)
        self.address = self._viewer.start()
        self._browser = browser
        self._opened = False

    def __enter__(self) -> PictureSink:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._viewer is not None:
            self._viewer.close()
        if self._terminal is not None:
            self._terminal.close()

    def put(self, one: Drawn) -> None:
        """Show it, or the next frame of it."""
        from x11fwd.viewer.items import Picture

        dropped = f"{one.dropped} frames left out to keep up" if one.dropped else ""
        caption = "; ".join(word for word in (one.label, dropped) if word)
        kind = cast('Literal["png", "svg"]', one.kind)
        try:
            picture = Picture(one.id, one.title, one.data, kind, caption, figure=one.figure)
        except X11fwdError as error:
            self._say(error.message, "warn")
            return
        if self._viewer is not None:
            self._viewer.put(picture)
            self._open()
        elif self._terminal is not None:
            self._terminal.put(picture)
        elif self._folder is not None:
            self._write(self._folder, one)

    def linger(self) -> None:
        """Stay until the page is closed; nobody who comes within a minute ends it, too."""
        viewer = self._viewer
        if viewer is None or not self._opened:
            return
        patience = time.monotonic() + (_RELOAD if viewer.visited else _NOBODY)
        self._say("the pictures stay until their page is closed; Ctrl-C ends it now", "note")
        while not viewer.wait_closed(_LOOK):
            if viewer.tabs:
                # a page that is loaded anew is away for a moment
                patience = time.monotonic() + _RELOAD
                continue
            if time.monotonic() > patience:
                return

    def _open(self) -> None:
        if self._opened:
            return
        from x11fwd.viewer.browser import open_browser

        self._opened = True

        def say() -> None:
            self._say(f"the pictures are at {self.address}", "note")

        if not (self._browser and open_browser(self.address, refused=say)):
            say()

    def _say(self, words: str, style: str) -> None:
        with self.pause():
            self._console.print(rich_text(words, self._console, style))

    def _write(self, folder: Path, one: Drawn) -> None:
        name = self._files.get(one.id)
        if name is None:
            plain = re.sub(r"[^\w.-]+", "_", one.title).strip("._") or "figure"
            taken = set(self._files.values())
            count, name = 1, plain
            while name in taken:
                count += 1
                name = f"{plain}-{count}"
            self._files[one.id] = name
        path = folder / f"{name}.{one.kind}"
        other = folder / f"{name}.{'png' if one.kind == 'svg' else 'svg'}"
        temporary = path.with_suffix(f".{one.kind}.part")
        try:
            try:
                temporary.write_bytes(one.data)
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)  # a full disk, or a signal in between
            other.unlink(missing_ok=True)
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}") from error
