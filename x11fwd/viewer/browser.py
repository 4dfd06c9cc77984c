"""Opens the user's browser on the viewer's page, with the address in no process list; the pipeline's."""

from __future__ import annotations

import atexit
import contextlib
import html
import os
import queue
import shlex
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["has_browser", "open_browser"]

_FILE_STAYS = 60.0  # seconds: a browser that has to start first on a busy machine
_REFUSES_WITHIN = 1.5  # seconds: xdg-open says at once that it has nothing to open with, and
_REFUSES_LATE = 30.0  # on a machine that is busy; whatever ends after that was there
# Starting these takes the terminal away from the program that asked.
_IN_THE_TERMINAL = {"w3m", "lynx", "links", "links2", "elinks", "www-browser", "browsh"}
_KNOWN = (
    "firefox",
    "chromium",
    "google-chrome",
    "chromium-browser",
    "microsoft-edge",
    "brave-browser",
    "epiphany",
)


def open_browser(
    address: str,
    environ: Mapping[str, str] | None = None,
    *,
    refused: Callable[[], None] = lambda: None,
) -> bool:
    """Open the address in the user's browser. Returns whether one was started; prints nothing.

    The address holds the token, and every user of this machine can read what programs are started with. So
    the browser gets a file that only this user can read, which leads to the address and soon goes.

    Args:
        refused: called on another thread where what was started says only then that there is no browser.
    """
    environ = os.environ if environ is None else environ
    if sys.platform == "win32":
        return _by_windows(address)
    command = _command(environ)
    if command is None:
        return False
    try:
        path = _leading_to(address, environ)
    except OSError:
        return False
    atexit.register(path.unlink, missing_ok=True)  # first: Ctrl-C may come while the browser starts
    started = _start([*command, path.as_uri()], environ, refused)
    if started:
        later = threading.Timer(_FILE_STAYS, lambda: path.unlink(missing_ok=True))
        later.daemon = True
        later.start()
    else:
        path.unlink(missing_ok=True)
    return started


def has_browser(environ: Mapping[str, str] | None = None) -> bool:
    """Whether there seems to be a browser that could be opened in a window; starts nothing."""
    return sys.platform == "win32" or _command(os.environ if environ is None else environ) is not None


def _command(environ: Mapping[str, str]) -> list[str] | None:
    """What starts a browser in a window; None where there is no window to be had."""
    path = environ.get("PATH")
    for word in environ.get("BROWSER", "").split(os.pathsep):
        with contextlib.suppress(ValueError):
            words = shlex.split(word)
            if words and "%s" not in word and shutil.which(words[0], path=path):
                return words if Path(words[0]).name not in _IN_THE_TERMINAL else None
    if sys.platform == "darwin":
        return ["open"] if "SSH_CONNECTION" not in environ else None
    if not environ.get("DISPLAY") and not environ.get("WAYLAND_DISPLAY"):
        return ["wslview"] if shutil.which("wslview", path=path) else None
    for name in ("wslview", "xdg-open", *_KNOWN):
        if shutil.which(name, path=path):
            return [name]
    return None


def _leading_to(address: str, environ: Mapping[str, str]) -> Path:
    """A page that leads to the address, readable for this user alone (mkstemp makes it 0600)."""
    handle, name = tempfile.mkstemp(prefix="x11fwd-", suffix=".html", dir=_folder(environ))
    safe = html.escape(address, quote=True)
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(
                '<!DOCTYPE html><meta charset="utf-8"><meta name="referrer" content="no-referrer">'
                f'<meta http-equiv="refresh" content="0; url={safe}"><title>x11fwd</title>'
                f'<p><a href="{safe}" rel="noreferrer">To the plots</a></p>\n'
            )
    except BaseException:
        Path(name).unlink()
        raise
    return Path(name)


def _folder(environ: Mapping[str, str]) -> str | None:
    """Where the browser can read a file: one out of a snap sees neither /tmp nor hidden folders."""
    home = environ.get("HOME", "")
    for name in ("firefox", "chromium", "brave", "opera"):
        common = Path(home, "snap", name, "common")
        if home and common.is_dir() and Path("/snap/bin", name).exists():
            return str(common)
    return None


def _start(argv: list[str], environ: Mapping[str, str], refused: Callable[[], None]) -> bool:
    """Start it on its own, with nothing to print to; False when it cannot start or refuses at once."""
    null = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)]
    program = shutil.which(argv[0], path=environ.get("PATH"))
    if program is None:
        return False
    try:
        # Not `webbrowser`: the browser's messages would come into our terminal, and perhaps the browser.
        pid = os.posix_spawn(program, argv, dict(environ), file_actions=null, setsid=True)
    except (OSError, NotImplementedError):
        return False
    begun, ended = time.monotonic(), queue.SimpleQueue[bool]()
    one = threading.Lock()  # tells: whoever comes first says how it went

    def reap() -> None:
        with contextlib.suppress(ChildProcessError):
            good = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
            if one.acquire(blocking=False):
                ended.put(good)
            elif not good and time.monotonic() - begun < _REFUSES_LATE:
                refused()

    threading.Thread(target=reap, daemon=True).start()
    with contextlib.suppress(queue.Empty):
        return ended.get(timeout=_REFUSES_WITHIN)
    return True if one.acquire(blocking=False) else ended.get()


def _by_windows(address: str) -> bool:
    """Through the shell's own call, which starts no process with the address for others to see."""
    if sys.platform == "win32":
        with contextlib.suppress(OSError):
            os.startfile(address)  # noqa: S606  an http address of our own
            return True
    return False
