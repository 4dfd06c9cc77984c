"""Many hosts on one screen: a line for each that works, one that stays for each that has ended; for the cli.

The lines in motion go to stderr and are as many as the terminal has room for. What stays is the answer and
goes to stdout, at most as wide as the terminal; the causes of failures come in full at the end.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.live import Live
from rich.table import Table
from rich.text import Text

from x11fwd.ui.console import cursor_back, rich_text, safe, symbols
from x11fwd.ui.hosts import HostsView
from x11fwd.ui.layout import beside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from x11fwd.ui.prompt import TerminalPrompter

__all__ = ["STOPPED", "Ended", "FleetView", "show_fleet"]

STOPPED = "stopped"
_WORD = len("taken back")
_NAME = 32  # columns that a name may take in the table
_BESIDE = 20  # columns of a name beside which its cause still has room


@dataclass(frozen=True)
class Ended:
    """What came of one host, for the table and the list of failures.

    Attributes:
        style: a symbol's name (`ok`, `fail`, `warn`, `skip`, `unknown`).
        word: one or two words: `set up`, `ready`, `failed`.
        text: what else fits on the line.
        message: the cause in full, "" where all is well.
        hint: what to do about it.
    """

    name: str
    style: str
    word: str
    text: str = ""
    message: str = ""
    hint: str = ""
    exit_code: int = 0


class FleetView(HostsView):
    """All hosts of one command; a context manager, safe to use from the hosts' threads.

    Args:
        names: of all that will be worked on.
        answers: where the lines that stay go.
    """

    def __init__(
        self,
        names: Sequence[str],
        prompter: TerminalPrompter,
        answers: Console,
        console: Console,
        *,
        quiet: bool = False,
    ) -> None:
        super().__init__(names, prompter, console, quiet=quiet)
        self._several = True
        self._answers = answers
        self._began = time.monotonic()
        self._count = {"ok": 0, "else": 0}
        self._name = min(_NAME, self._wide)

    def state(self, name: str, text: str) -> None:
        """What is being done on one host now; drawn a few times a second, and not at all in a log."""
        with self._lock:
            self._states[name] = text

    def ended(self, one: Ended) -> None:
        """The host's line that stays; from the main thread."""
        with self._lock:
            self._states.pop(one.name, None)
            self._count["else" if one.exit_code else "ok"] += 1
        if not self._quiet and one.word != STOPPED:  # those are named together at the end
            self.aside(lambda: self._answers.print(_row(one, self._name, self._answers), soft_wrap=True))

    def stopping(self, names: Sequence[str]) -> None:
        """Ctrl-C was seen: say who is still waited for."""
        if not names:
            return
        shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        words = f"stopping: {shown} {'is' if len(names) == 1 else 'are'} brought to an end first"
        self._print(f"{words}; Ctrl-C again waits for nobody")

    def _lines(self) -> Table:
        with self._lock:
            working = [(name, text) for name, text in self._states.items() if text]
            waiting = len(self._states) - len(working)
        room = max(1, self._console.height - 4)
        table = Table.grid(padding=(0, 1))
        table.add_column(no_wrap=True, min_width=1)
        table.add_column(no_wrap=True, overflow="ellipsis", width=self._name, min_width=self._name)
        table.add_column(no_wrap=True, overflow="ellipsis")
        for name, text in working[:room]:
            label = Text(safe(name, self._console), style="side")
            table.add_row(self._spinner, label, Text(safe(text.replace("\n", " "), self._console)))
        outer = Table.grid()
        outer.add_column(no_wrap=True, overflow="ellipsis")
        if working:
            outer.add_row(table)
        words = [f"{self._count['ok']} done"]
        if self._count["else"]:
            words.append(f"{self._count['else']} not")
        words.append(f"{len(working)} under way" + (f" ({room} shown)" if len(working) > room else ""))
        if waiting:
            words.append(f"{waiting} waiting")
        seconds = int(time.monotonic() - self._began)
        words.append(f"{seconds // 60}:{seconds % 60:02d}")
        outer.add_row(Text(f"  {', '.join(words)}", style="note"))
        return outer

    def _start(self) -> None:
        if self._moving and self._open and self._live is None:
            with cursor_back(self._console):
                self._live = Live(
                    get_renderable=self._lines, console=self._console, transient=True, refresh_per_second=4
                )
                self._live.start(refresh=True)


def _row(one: Ended, wide: int, console: Console) -> Text:
    mark = getattr(symbols(console), one.style)
    name = safe(one.name, console)
    line = Text(f"{mark} ", style=one.style)
    line.append(f"{name:<{wide}} ", style="side")
    line.append(f"{one.word:<{_WORD}} ", style=one.style)
    line.append(safe(" ".join(one.text.split()), console), style="note" if one.style == "ok" else "")
    if console.is_terminal:
        line.truncate(console.width, overflow="ellipsis" if symbols(console).ok == "✓" else "crop")
    return line


def _told_together(bad: Sequence[Ended], console: Console) -> None:
    """The hosts that Ctrl-C has kept from anything, by how far they were."""
    stopped: dict[str, list[str]] = {}
    for one in bad:
        if one.word == STOPPED:
            stopped.setdefault(one.message, []).append(one.name)
    for message, names in stopped.items():
        console.print(Text(f"  {symbols(console).warn} {message}:", style="warn"))
        console.print(beside(Text(" " * 6), Text(safe(", ".join(names), console)), console), soft_wrap=True)


def show_fleet(
    ended: Sequence[Ended], console: Console, *, skipped: int = 0, began: str = "", again: str = ""
) -> None:
    """How many came through, those that did not with their causes, and the one command to type.

    Args:
        skipped: hosts that an earlier run, which began at `began`, had brought to a good end.
        again: the command that does what is left.
    """
    bad = [one for one in ended if one.exit_code]
    good = len(ended) - len(bad)
    counted: dict[str, int] = {}
    for one in ended:
        if not one.exit_code:
            counted[one.word] = counted.get(one.word, 0) + 1
    parts = [f"{count} {word}" for word, count in counted.items()]
    if skipped:
        parts.append(f"{skipped} in the run of {began}" if began else f"{skipped} earlier")
    total = good + skipped
    whole = f"{total} of {len(ended) + skipped} hosts are done" + (f": {', '.join(parts)}" if parts else "")
    console.print()
    console.print(rich_text(whole, console, "ok" if not bad else "side"), soft_wrap=True)
    if not bad:
        return
    console.print(Text("1 is not:" if len(bad) == 1 else f"{len(bad)} are not:"))
    _told_together(bad, console)
    wide = max(len(one.name) for one in bad)
    for one in bad:
        if one.word == STOPPED:
            continue
        lead = Text(f"  {getattr(symbols(console), one.style)} ", style=one.style)
        lead.append(f"{safe(one.name, console):<{wide}}  ", style="side")
        if wide > _BESIDE:
            console.print(lead, soft_wrap=True)
            lead = Text(" " * 6)
        console.print(beside(lead, rich_text(one.message or one.text, console), console), soft_wrap=True)
        if one.hint:
            under = Text(" " * lead.cell_len)
            console.print(
                beside(under, rich_text(f"hint: {one.hint}", console, "note"), console), soft_wrap=True
            )
    if again:
        count = "it alone" if len(bad) == 1 else "only these"
        console.print()
        console.print(rich_text(f"Next, with {count}: `{again}`", console), soft_wrap=True)
