"""The program's door: quick ways first, one try around everything else, and the exit code.

`x11fwd ssh` stands between a person and ssh many times a day, so it loads neither typer nor rich.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from x11fwd.cli.signals import Wish

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (without the program's name) and return its exit code, DESIGN.md's table."""
    if argv is not None:
        return _run(list(argv))
    words = sys.argv[1:]
    wish: Wish | None = None
    try:
        wish = _wish()
        wish.hear()
        code = _program(words)
        wish.hear_no_more()
    except KeyboardInterrupt:
        wish = wish or _wish()
        # Before the door's own try, or again while it told of the first one.
        if "--debug" in words and wish.is_ctrl_c:
            raise
        wish.hear_no_more()
        code = _interrupted(words, wish)
    if words[:1] != ["ssh"]:
        _leave(code, wish)
    return code


def _wish() -> Wish:
    from x11fwd.cli.signals import Wish

    return Wish()


def _program(words: list[str]) -> int:
    """Run the command line of this process."""
    from x11fwd.cli.streams import open_closed_streams

    open_closed_streams()
    if words[:1] == ["ssh"]:
        return _run(words)
    import gc

    # What a short program leaves behind is not worth looking for: while modules load, the collector would
    # walk all of them again and again, and at exit once more (together 40 ms of doctor's 600).
    gc.set_threshold(20_000, 50, 50)
    code = _run(words)
    gc.freeze()
    return code


def _run(words: list[str]) -> int:
    if words[:1] == ["ssh"]:
        from x11fwd.pipeline.ssh_session import main as ssh

        return ssh(words[1:])
    if words == ["--version"]:
        from x11fwd import __version__

        print(f"x11fwd {__version__}")
        return 0
    from x11fwd.cli.door import run

    return run(words or ["--help"])


def _interrupted(words: list[str], wish: Wish) -> int:
    if words[:1] == ["ssh"]:
        from x11fwd.pipeline.ssh.relay import end_like

        return end_like(-(wish.number or 2))  # as ssh would; 2 is SIGINT
    from x11fwd.cli.door import interrupted

    return interrupted(words)


def _leave(code: int, wish: Wish) -> None:
    """End the process here where a signal said so, or a connection's thread is still alive.

    Python ends such threads one by one while it takes itself apart, and one that is inside a compiled module
    at that moment (paramiko's, in cryptography) aborts the whole process: "FATAL: exception not rethrown".
    """
    import threading

    threads = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
    if wish.is_ctrl_c and not any(thread.daemon for thread in threads):
        return
    import atexit
    import os

    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # whoever read it has gone
            stream.flush()
    wish.die()
    os._exit(code)
