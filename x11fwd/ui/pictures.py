"""Pictures in the terminal for every command that shows some, where no browser is; imported by the cli."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from x11fwd.errors import UsageError, X11fwdError
from x11fwd.ui.console import message_console, rich_text
from x11fwd.viewer.items import Document, ItemError, Note, Picture, Progress
from x11fwd.viewer.terminal import Drawing, ask, cell_of, detect, draw, worth_asking

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from typing import TextIO

    from x11fwd.viewer.items import Item

__all__ = ["TerminalPictures", "in_terminal"]

_AGAIN = 5.0  # seconds between two states of one picture
_TMUX_LIMIT = 2.0  # seconds


def in_terminal(*, terminal: bool, browser: bool, environ: Mapping[str, str] | None = None) -> bool:
    """Whether pictures go into the terminal instead of the page.

    Args:
        terminal: the person asked for it (`--terminal`).
        browser: a browser may be opened (no `--no-browser`, which wants the page's address).
    """
    from x11fwd.viewer.browser import has_browser

    return terminal or (browser and not has_browser(environ))


class TerminalPictures:
    """Shows pictures as they come, each under its title; names the file of one that it cannot show.

    Has the viewer's `put`. Safe to share between threads. Made before anything else reads the keyboard: it
    asks the terminal what it can show, whose answer comes as keys. A context manager.

    Args:
        file: where to; stderr, since stdout may be the answer.
        folder: for files of what cannot be shown; None makes one that stays.
        every: seconds; a picture that comes sooner after another one is left out and counted. 0 shows all.
        again: seconds between two states of one picture; the last state is always shown, at the latest by
            `close`.
        pause: held while something is written, such as what puts a progress bar away.
    """

    def __init__(
        self,
        file: TextIO | None = None,
        folder: Path | None = None,
        *,
        every: float = 0.0,
        again: float = _AGAIN,
        environ: Mapping[str, str] | None = None,
        pause: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._file = file or sys.stderr
        self._folder, self._every, self._again, self._pause = folder, every, again, pause
        self._console = message_console(self._file)
        self._lock = threading.Lock()
        self._times: dict[str, float] = {}
        self._waiting: dict[str, tuple[Picture, Path | None]] = {}
        self._names: dict[str, str] = {}
        self._told: set[Path] = set()
        self._last = 0.0
        self.left_out = 0
        self._why = ""
        self.drawing = self._find(os.environ if environ is None else environ)

    def put(self, item: Item, saved: Path | None = None) -> None:
        """Show it, or its next state.

        Args:
            saved: where it is as a file already.

        Raises:
            UsageError: what cannot be shown cannot be written to a file either.
        """
        with self._lock:
            if isinstance(item, Picture):
                self._picture(item, saved)
            elif isinstance(item, Note):
                self._say(f"{item.title}: {item.text}" if item.text else item.title, item.level)
            elif isinstance(item, Document):
                self._name(item, saved or self._save(item.id, item.title, "html", item.html))
            elif not isinstance(item, Progress):
                self._say(f"{item.title} is not shown in a terminal", "info")

    def close(self) -> None:
        """Show the last states that had to wait, and say how many pictures were left out."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
            for picture, saved in waiting.values():
                self._show(picture, saved)
            if self.left_out:
                self._say(f"{self.left_out} more were not shown here", "info")
                self.left_out = 0

    def __enter__(self) -> TerminalPictures:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _picture(self, item: Picture, saved: Path | None) -> None:
        now = time.monotonic()
        shown = self._times.get(item.id)
        if shown is not None and now - shown < self._again:
            self._waiting[item.id] = (item, saved)
        elif shown is None and self._every and self._last and now - self._last < self._every:
            self.left_out += 1
        else:
            self._show(item, saved)

    def _show(self, item: Picture, saved: Path | None) -> None:
        self._waiting.pop(item.id, None)
        text, why = "", self._why
        if item.kind != "png":
            why = f"a terminal shows no {item.kind.upper()}"
        elif self.drawing is not Drawing.NONE:
            columns, rows = self._size()
            try:
                text = draw(item.data, self.drawing, columns, rows, cell_of(self._file.fileno()))
            except ItemError as error:
                why = error.message
        # after the drawing, which takes a moment
        self._times[item.id] = self._last = time.monotonic()
        if not text:
            self._name(item, saved or self._save(item.id, item.title, item.kind, item.data), why)
            return
        words = "; ".join(dict.fromkeys(word for word in (item.title, item.caption) if word))
        with self._pause():
            self._console.print(rich_text(words, self._console, "bold"))
            self._file.write(text)
            self._file.flush()

    def _name(self, item: Picture | Document, path: Path, why: str = "a terminal shows no HTML") -> None:
        if path not in self._told:  # the file's next state needs no new line
            self._told.add(path)
            self._say(f"{item.title}: {path} ({why})", "info")

    def _say(self, words: str, level: str) -> None:
        style = {"warning": "warn", "error": "fail"}.get(level, "")
        with self._pause():
            self._console.print(rich_text(words, self._console, style), soft_wrap=True)

    def _save(self, key: str, title: str, kind: str, data: bytes) -> Path:
        try:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="x11fwd-pictures-"))
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / f"{self._stem(key, title).removesuffix(f'.{kind}')}.{kind}"
            part = path.with_name(f".{path.name}.part")
            try:
                part.write_bytes(data)
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
        except OSError as error:
            where = self._folder or tempfile.gettempdir()
            raise UsageError(f"{where} cannot be written to: {os.strerror(error.errno or 0)}") from None
        return path

    def _stem(self, key: str, title: str) -> str:
        """One name for one id, and no name twice: `Figure_1`, `Figure_1-2`."""
        if key not in self._names:
            plain = re.sub(r"[^\w.-]+", "_", title)[:80].strip("._") or "figure"
            taken, count, name = set(self._names.values()), 1, plain
            while name in taken:
                count += 1
                name = f"{plain}-{count}"
            self._names[key] = name
        return self._names[key]

    def _size(self) -> tuple[int, int]:
        """Columns and rows for one picture, with room for its title and the next prompt."""
        try:
            columns, rows = os.get_terminal_size(self._file.fileno())
        except OSError:
            columns, rows = 80, 24
        return max(columns or 80, 10), max((rows or 24) - 3, 6)

    def _find(self, environ: Mapping[str, str]) -> Drawing:
        if not self._is_terminal():
            self._why = "not a terminal"
            return Drawing.NONE
        answer = b""
        if worth_asking(environ):
            try:
                handle = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
            except OSError:
                handle = -1
            if handle >= 0:
                try:
                    answer = ask(handle)
                finally:
                    os.close(handle)
        found = detect(environ, answer, _outside_of_tmux(environ))
        if found in {Drawing.BLOCKS, Drawing.BLOCKS_256} and self._console.no_color:
            found, self._why = Drawing.NONE, "colours are off"
        if found is Drawing.NONE:
            self._why = self._why or "this terminal shows no pictures"
        return found

    def _is_terminal(self) -> bool:
        try:
            return self._file.isatty()
        except ValueError:  # closed
            return False


def _outside_of_tmux(environ: Mapping[str, str]) -> str:
    """What the terminal around tmux can do, in tmux's words; "" outside of it or where it does not say."""
    if "TMUX" not in environ:
        return ""
    from x11fwd.transports.local import LocalTransport

    try:
        with LocalTransport() as here:
            words = ("tmux", "display-message", "-p", "#{client_termfeatures}")
            return here.run(words, timeout=_TMUX_LIMIT).text
    except X11fwdError:
        return ""
