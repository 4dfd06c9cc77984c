"""Notebook servers in the terminal: what is open, what runs, what was stopped; imported by the cli."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from x11fwd.ui.console import ascii_only, message_console, rich_text, safe, symbols

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

    from x11fwd.pipeline.jupyter import Opened, Stopped
    from x11fwd.pipeline.jupyter_session import NotebookServer, Ready
    from x11fwd.ui.progress import Waiting
    from x11fwd.ui.prompt import TerminalPrompter

__all__ = ["JupyterEnds", "show_end", "show_servers", "show_stopped"]

_STATES = {"open": "", "password": "password", "unguarded": "no password"}


class JupyterEnds:
    """What the person hears while a notebook is open.

    Args:
        target: as it was typed.
        opened: is given the address, opens the browser, and says whether that worked.
        yes: servers that we did not start may be stopped without asking.
    """

    def __init__(
        self,
        target: str,
        prompter: TerminalPrompter,
        waiting: Waiting,
        opened: Callable[[Ready, int], bool],
        *,
        yes: bool = False,
    ) -> None:
        self._target, self._prompter, self._waiting = target, prompter, waiting
        self._opened, self._yes = opened, yes
        self._console = message_console()

    def progress(self, text: str) -> None:
        self._waiting.now(text)

    def ready(self, ready: Ready, port: int) -> None:
        self._waiting.__exit__(None, None, None)
        if ready.warning:
            self._say(f"{ready.host}: {ready.warning}", "warn")
        place = f"{ready.server.kind} on {ready.host}, {ready.server.root}"
        how = "started" if ready.started else "was running"
        self._say(f"{symbols(self._console).ok} {place}: {how}", "ok")
        if self._opened(ready, port):
            # without the token: this stays in the terminal, and in what records it
            self._say(f"in your browser at http{'s' if ready.secure else ''}://127.0.0.1:{port}{ready.page}")
        self._say(
            f"Ctrl-C ends the forwarding; the server goes on. `{_stop(self._target)}` stops it.", "note"
        )

    def line_down(self, why: str) -> None:
        self._say(f"the line to {self._target} is down ({why}); trying again", "warn")

    def line_back(self) -> None:
        self._say(f"the line to {self._target} is back", "ok")

    def may_stop(self, server: NotebookServer) -> bool:
        if self._yes:
            return True
        kernels = f", {_count(server.kernels)}" if server.kernels else ""
        question = (
            f"x11fwd did not start the {server.kind} in {server.root} (pid {server.pid}{kernels}). Stop it?"
        )
        return self._prompter.confirm(safe(question, self._console)) is True

    def _say(self, text: str, style: str = "") -> None:
        self._console.print(rich_text(text, self._console, style), soft_wrap=True)


def show_end(result: Opened, target: str) -> None:
    """What a person should know when it is over, on stderr."""
    console, server = message_console(), result.ready.server
    if result.by_person:
        text = (
            f"forwarding has ended; {server.kind} on {result.ready.host} goes on (pid {server.pid}). "
            f"`x11fwd jupyter {target}` comes back to it, `{_stop(target)}` stops it."
        )
        console.print(rich_text(text, console), soft_wrap=True)
    else:
        text = (
            f"the {server.kind} server on {result.ready.host} has ended; `x11fwd jupyter {target}` starts one"
        )
        console.print(rich_text(text, console, "warn"), soft_wrap=True)


def show_servers(servers: Sequence[NotebookServer], target: str, console: Console) -> None:
    """A table of what runs there."""
    if not servers:
        words = f"no Jupyter server of yours runs on {target}; `x11fwd jupyter {target}` starts one"
        console.print(rich_text(words, console), soft_wrap=True)
        return
    table = Table(box=box.ASCII if ascii_only(console) else box.SIMPLE, pad_edge=False)
    for name in ("server", "folder", "pid", "kernels", "last used", "by"):
        table.add_column(name, justify="right" if name in {"pid", "kernels"} else "left", overflow="fold")
    for one in servers:
        state = _STATES.get(one.state, one.state)
        table.add_row(
            Text(safe(f"{one.kind}, {state}" if state else one.kind, console)),
            Text(safe(one.root, console)),
            str(one.pid),
            str(one.kernels),
            Text(safe(_moment(one.active), console)),
            "x11fwd" if one.ours else "you",
        )
    console.print(table)


def show_stopped(result: Stopped, target: str) -> None:
    """What became of each, on stderr."""
    console = message_console()
    for one in result.stopped:
        text = f"{symbols(console).ok} stopped {one.kind} in {one.root} (pid {one.pid})"
        console.print(rich_text(text, console, "ok"), soft_wrap=True)
    for one in result.kept:
        text = f"{one.kind} in {one.root} (pid {one.pid}) goes on, x11fwd did not start it; `--yes` stops it"
        console.print(rich_text(text, console), soft_wrap=True)
    for one in result.left:
        text = (
            f"{one.kind} in {one.root} (pid {one.pid}) does not end; `kill -9 {one.pid}` over there does it"
        )
        console.print(rich_text(text, console, "warn"), soft_wrap=True)
    if not (result.stopped or result.kept or result.left):
        console.print(rich_text(f"no Jupyter server of yours runs on {target}", console), soft_wrap=True)


def _stop(target: str) -> str:
    return f"x11fwd jupyter --stop {target}"


def _count(kernels: int) -> str:
    return "1 kernel" if kernels == 1 else f"{kernels} kernels"


def _moment(text: str) -> str:
    """An ISO 8601 time of the server's as a person reads it, in this machine's zone."""
    try:
        moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone()
    except ValueError:
        return ""
    return moment.strftime("%Y-%m-%d %H:%M")
