"""This side's ends of a script that runs over there; imported by the cli."""

from __future__ import annotations

import os
import select
from contextlib import contextmanager
from typing import TYPE_CHECKING

from x11fwd.errors import UsageError
from x11fwd.transports.local import wait_readable
from x11fwd.ui.console import message_console, rich_text
from x11fwd.ui.run_terminal import Keys, OwnTerminal, gives_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from typing import Protocol

    from x11fwd.pipeline.run import RunResult, Terminal
    from x11fwd.pipeline.run_session import Drawn
    from x11fwd.ui.progress import Waiting
    from x11fwd.ui.prompt import TerminalPrompter

    class Sink(Protocol):
        pause: Callable[[], AbstractContextManager[object]]

        def put(self, one: Drawn) -> None: ...


__all__ = ["RunEnds", "show_run"]

_LOOK = 0.2  # seconds


class RunEnds:
    """Standard input, output and error of this process as they are, bytes for bytes.

    Args:
        bridge_question: asked where sshd refuses to forward X11.
        waiting: says what goes on until the script starts.
        sink: takes pictures.
        terminal: the script gets a terminal; None decides by where this side's ends lead.
    """

    def __init__(
        self,
        prompter: TerminalPrompter,
        bridge_question: str,
        waiting: Waiting,
        sink: Sink | None,
        *,
        terminal: bool | None = None,
    ) -> None:
        self._prompter, self._question = prompter, bridge_question
        self._waiting, self._sink = waiting, sink
        self._wanted = terminal
        self._own = OwnTerminal()
        self._size = (0, 0)  # that the script was told
        self._keys: Keys | None = None
        if sink is not None:
            sink.pause = self._own.cooked

    def progress(self, text: str) -> None:
        """What goes on; an empty text ends the line that says so."""
        if text:
            self._waiting.now(text)
        else:
            self._waiting.__exit__(None, None, None)

    def output(self, data: bytes) -> None:
        _write(1, data)

    def errors(self, data: bytes) -> None:
        _write(2, data)

    def read_input(self, limit: int) -> bytes:
        while True:
            try:
                data = os.read(0, limit)
            except BlockingIOError:  # a program that shares it has made it so; it has not ended
                wait_readable(0, None)
                continue
            except OSError:
                return b""  # there is none (closed by whoever started us)
            if not data or self._keys is None:
                return data
            if passed := self._keys.passed(data):
                return passed

    def terminal(self) -> Terminal | None:
        from x11fwd.pipeline.run import Terminal

        if not gives_terminal(self._wanted):
            return None
        self._size = self._own.size()
        return Terminal(*self._size, os.environ.get("TERM") or "dumb", errors=os.isatty(2))

    @contextmanager
    def raw(self, resized: Callable[[int, int], None], leave: Callable[[], None]) -> Iterator[None]:
        self._keys = Keys(leave) if os.isatty(0) else None
        try:
            with self._own.raw(resized):
                if (size := self._own.size()) != self._size:  # the window was quicker than we
                    resized(*size)
                yield
        finally:
            self._keys = None

    def picture(self, one: Drawn) -> None:
        if self._sink is not None:
            self._sink.put(one)

    def may_send(self, size: int, largest: tuple[str, ...]) -> bool:
        question = f"The project is {size / 1e6:.0f} MB; the largest are {', '.join(largest)}. Send it?"
        answer = self._prompter.confirm(question)
        if answer is None:
            raise UsageError(
                f"the project is {size / 1e6:.0f} MB, and there is no terminal to ask on",
                hint="`--yes` sends it; a line in .gitignore leaves files off",
            )
        return answer

    def may_bridge(self) -> bool:
        return self._prompter.confirm(self._question) is True


def show_run(result: RunResult) -> None:
    """What a person should know at the end, on stderr."""
    console = message_console()
    for one in result.fetched:
        words = (
            f"not fetched: {one.path}: {one.kept}" if one.kept else f"fetched {one.path}, {one.size:,} bytes"
        )
        console.print(rich_text(words, console, "warn" if one.kept else "note"))
    for note in result.notes:
        console.print(rich_text(note, console, "warn"))
    if result.folder:
        console.print(rich_text(f"kept on {result.host}: {result.folder}", console, "note"))


def _write(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:  # noqa: PERF203  a program that shares it has made it so
            select.select([], [descriptor], [], _LOOK)
