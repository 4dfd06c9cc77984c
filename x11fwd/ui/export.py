"""What `playbook export` wrote: on stdout; imported by the cli."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from rich.text import Text

from x11fwd.ui.console import answer_console, rich_text, safe, symbols
from x11fwd.ui.layout import beside

if TYPE_CHECKING:
    from rich.console import Console

    from x11fwd.pipeline.export import ExportResult

__all__ = ["show_export"]


def show_export(result: ExportResult, console: Console | None = None) -> None:
    """One line on what is there now, and the command to type next."""
    console = console or answer_console()
    where = safe(str(result.folder), console)
    words = (
        f"`{result.playbook}` is in {where}: x11fwd.yml, a role and {len(result.files)} files in all"
        if result.written
        else f"{where} holds `{result.playbook}` as it is already; nothing was written"
    )
    lead = Text(f"{symbols(console).ok} ", style="ok")
    console.print(beside(lead, rich_text(words, console), console), soft_wrap=True)
    command = (
        f"cd {shlex.quote(str(result.folder))} && ansible-playbook -i INVENTORY x11fwd.yml --check --diff"
    )
    console.print(rich_text(f"Next: `{command}`", console), soft_wrap=True)
